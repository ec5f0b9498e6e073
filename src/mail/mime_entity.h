/* mime_entity: what the header of a message, or of a part of one, says about its body: Content-Type and
 * Content-Transfer-Encoding (RFC 2045, 2046), field by field.  Where two readers might take a header
 * differently it is called unclear, rather than read in one of the ways.  Pure. */
#ifndef MAIL_MIME_ENTITY_H
#define MAIL_MIME_ENTITY_H

#include "base/stralloc.h"

#define MIME_BOUNDARY_MAX 200 /* RFC 2046 allows 70 */

enum mime_kind {
  MIME_TEXT,      /* text/..., and what has no Content-Type */
  MIME_SINGLE,    /* one body of any other type */
  MIME_MULTIPART,
  MIME_SIGNED,    /* multipart/signed (RFC 1847): nothing in it may be changed */
  MIME_MESSAGE,   /* a message with a header of its own: message/rfc822, global, news */
  MIME_FRAGMENT,  /* any other message/...: no encoding is allowed, nor is it taken apart */
};

enum mime_encoding {
  MIME_IDENTITY, /* 7bit, 8bit, or nothing said */
  MIME_BINARY,
  MIME_ENCODED, /* base64, quoted-printable, and what we do not know */
};

/* Zeroed before use, but for the kind of what says nothing (RFC 2046 5.1.5). */
struct mime_entity {
  enum mime_kind kind;
  enum mime_encoding encoding;
  unsigned char has_type, has_encoding;
  unsigned char unclear;
  unsigned char digest; /* a multipart whose parts are messages if they say nothing */
  stralloc boundary;    /* of a multipart; empty: none that can be used */
};

enum mime_field { MIME_FIELD_OTHER, MIME_FIELD_TYPE, MIME_FIELD_ENCODING };

/* Which field is it, by the name in front of its colon? */
enum mime_field mime_field_kind(const char *name, size_t n);
/* The next field of one of these two kinds: what stands behind its colon, with its folds.  1, or 0 without
 * memory. */
int mime_entity_type(struct mime_entity *e, const char *s, size_t n) MUST_CHECK;
int mime_entity_encoding(struct mime_entity *e, const char *s, size_t n) MUST_CHECK;
void mime_entity_free(struct mime_entity *e);

#endif
