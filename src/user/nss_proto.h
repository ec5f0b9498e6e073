/* nss_proto: the messages between nssd and its module of NSS; the only place that knows their form.
 *
 * One question and one answer on a Unix socket that keeps messages apart (SOCK_SEQPACKET), each a
 * sequence of texts that end with a NUL:
 *   question   "NS1" name                 user@domain
 *   answer     "NS1" "found" name uid gid comment home shell
 *              "NS1" "none" | "unavailable"
 * No password and no hash is ever part of one.  Without memory of its own: the module runs in programs
 * of others. */
#ifndef USER_NSS_PROTO_H
#define USER_NSS_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/stralloc.h"

#define NSS_QUESTION_MAX 512
#define NSS_ANSWER_MAX 4096
#define NSS_SOCKET "pwdlookup/nssd.sock" /* below PATH_RUN */

enum nss_found { NSS_FOUND, NSS_NONE, NSS_UNAVAILABLE };

struct nss_account {
  const char *name, *comment, *home, *shell;
  uint32_t uid, gid;
};

/* The question into buf: its length, or 0 when the name can be nobody's: no @, or too long. */
size_t nss_question_format(char buf[NSS_QUESTION_MAX], const char *name);
/* The name in a question of n bytes, or null when it is none. */
const char *nss_question_parse(const char *s, size_t n);
/* a is for NSS_FOUND.  A text that does not fit one line of a password file (colons, control characters)
 * is left empty; a name or home like that is not found.  1, or 0 without memory. */
int nss_answer_format(stralloc *out, enum nss_found found, const struct nss_account *a) MUST_CHECK;
/* An answer of n bytes; a, for NSS_FOUND, points into it.  What is malformed is NSS_UNAVAILABLE. */
enum nss_found nss_answer_parse(const char *s, size_t n, struct nss_account *a);

#endif
