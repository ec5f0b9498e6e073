/* envelope: the two forms of an envelope.
 *
 * On the wire to qmail-queue (fd 1): F sender NUL, T recipient NUL ..., NUL.  Programs of
 * ours that take parameters of MAIL and RCPT from a client add records to this: d and those of
 * MAIL after F, n and those of a RCPT after its T (which ones, and their text: mail/dsn.h).
 * A message id (queue/messid.h) is a record i between F and d.  They do so only where the reader
 * is known to be ours (qqclient.h).
 *
 * In info/ID, records ended by NUL, the first byte is the type:
 *   u uid of the invoker   p pid of qmail-queue   t arrival, Unix seconds
 *   s bytes of the message c its checksum, 8 hexadecimal digits
 *   F sender               i message id, where it has one besides its number
 *   d parameters of MAIL: of notices, and of how the message may go on
 *   T recipient (any number), each followed by its own
 *   n parameters of the RCPT before
 *   e extra header lines   h captured header lines
 *   . checksum of all bytes before this record, 8 hexadecimal digits: the end
 * An unknown type, a record out of order or anything after the end is refused.
 *
 * A short envelope may be the text of a symbolic link instead, which is on disk when its name
 * is: the same records without the last one, ended by LF, with LF and % in them written %0A
 * and %25. */
#ifndef QUEUE_ENVELOPE_H
#define QUEUE_ENVELOPE_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strlist.h"

#define ENVELOPE_ADDRESS_MAX 1002
#define ENVELOPE_RECIPIENTS_MAX 1000000 /* of a message that is taken in: what is taken in must fit wherever it goes from here */
#define ENVELOPE_BYTES_MAX (64u << 20)  /* the same of the wire form */
#define ENVELOPE_LINES_MAX 65536 /* of e and of h: they become an argument and variables of a program, which the system limits */

struct envelope {
  uint64_t uid, qp, birth, size, checksum;
  stralloc sender;
  struct strlist recipients;
  stralloc messid;             /* i */
  stralloc dsn;                /* d */
  struct strlist notify;       /* n of the recipient at the same place; may be shorter */
  stralloc extra;    /* e */
  stralloc captured; /* h */
};

/* Add a recipient with its DSN parameters: 1, or 0 when memory ran out. */
int envelope_add(struct envelope *env, const char *address, size_t n, const char *dsn, size_t dsn_n) MUST_CHECK;
/* DSN parameters of recipient i, "" for none.  Borrowed. */
const char *envelope_notify(const struct envelope *env, size_t i, size_t *n);

/* Build the file's bytes: 1, or 0 when memory ran out. */
int envelope_format(const struct envelope *env, stralloc *out) MUST_CHECK;
enum envelope_verdict {
  ENVELOPE_OK,
  ENVELOPE_INCOMPLETE, /* no end record: being written, or torn */
  ENVELOPE_BAD,        /* not ours, or damaged */
  ENVELOPE_NOMEM,
};
enum envelope_verdict envelope_parse(struct envelope *env, const char *s, size_t n) MUST_CHECK;

/* The link's text; *fits says whether it is at most ENVELOPE_LINK_MAX bytes long, which
 * every file system takes. */
#define ENVELOPE_LINK_MAX 1000
int envelope_link_format(const struct envelope *env, stralloc *out, int *fits) MUST_CHECK;
enum envelope_verdict envelope_link_parse(struct envelope *env, const char *s, size_t n) MUST_CHECK;

/* The wire form, fed in pieces of any size. */
enum envelope_wire { WIRE_MORE, WIRE_END, WIRE_LONG, WIRE_BAD, WIRE_NOMEM };
struct envelope_reader {
  int state;
  stralloc record;
};
/* Takes up to n bytes; *used says how many (fewer than n only at the end). */
enum envelope_wire envelope_read(struct envelope_reader *r, struct envelope *env, const char *s,
                                 size_t n, size_t *used) MUST_CHECK;
void envelope_reader_free(struct envelope_reader *r);
void envelope_clear(struct envelope *env);
void envelope_free(struct envelope *env);

#endif
