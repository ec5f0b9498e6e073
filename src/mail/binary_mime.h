/* binary_mime: a message of BODY=BINARYMIME (RFC 3030) made one of lines, while it comes, in pieces of
 * any size.  A part whose Content-Transfer-Encoding is binary gets its body as base64 and says so; text
 * that is lines already stays, as 7bit or 8bit; multiparts and messages with parts in them may have no
 * encoding, and are looked into.  Every other byte goes through as it came, line ends too: what no part
 * may be changed for, and still is no line, is left for whoever reads the lines to refuse.
 *
 * So a message that is not said to be binary anywhere comes out as it went in, and to decode each part
 * gives the bytes that were sent.  Kept is a line of a header, one field, and BINARY_HELD bytes of text.
 * Pure. */
#ifndef MAIL_BINARY_MIME_H
#define MAIL_BINARY_MIME_H

#include "base/stralloc.h"
#include "mail/data_reader.h"
#include "mail/mime_entity.h"

#define BINARY_HELD 65536      /* longer text is encoded, be it lines or not */
#define BINARY_LINE 998        /* the longest line of mail (RFC 5322 2.1.1) */
#define BINARY_HEADER_LINE 8192
#define BINARY_FIELD 16384     /* a longer Content-Type is unclear */
#define BINARY_DEPTH 32        /* multiparts within each other */

/* Why what comes now goes through as it is. */
enum binary_kept {
  BINARY_IS_HEADER,
  BINARY_IS_BETWEEN,  /* before the first part of a multipart, or behind the last */
  BINARY_IS_UNSAID,   /* its header does not say binary */
  BINARY_IS_SIGNED,
  BINARY_IS_FRAGMENT, /* a message/... that may have no encoding */
  BINARY_IS_UNCLEAR,  /* readers may take its header differently */
};

/* Zeroed before use. */
struct binary_mime {
  enum { BINARY_HEADER, BINARY_KEEP, BINARY_HOLD, BINARY_ENCODE } at;
  enum binary_kept kept;
  unsigned encoded; /* parts */
  int failed;       /* memory ran out */
  struct mime_entity entity;
  enum mime_field field_kind; /* of the field under way */
  unsigned char field_any;    /* there has been one in this header */
  unsigned char says_binary;  /* the field that says so was taken out of it */
  unsigned char long_line, long_cr; /* the rest of a line of the header goes through; a CR came last */
  enum { BINARY_NOTHING, BINARY_CR, BINARY_CRLF } waits; /* for what comes behind it: it may be a delimiter's */
  int at_start;     /* of a line, in a body */
  stralloc line;    /* of a header, or what may be a delimiter */
  stralloc field;
  stralloc held;    /* text, or the beginning of a line of base64 */
  stralloc out;
  stralloc boundaries; /* of the multiparts we are in: m, or d where parts are messages, boundary, NUL */
  size_t depth;
};

void binary_mime_feed(struct binary_mime *b, const char *s, size_t n, data_sink sink, void *ctx);
/* The message is over. */
void binary_mime_end(struct binary_mime *b, data_sink sink, void *ctx);
void binary_mime_free(struct binary_mime *b);

#endif
