/* smtp_syntax: the lines a client sends, taken apart (RFC 5321 4.1).  Nothing here
 * knows what a verb does.  Input is never changed. */
#ifndef MAIL_SMTP_SYNTAX_H
#define MAIL_SMTP_SYNTAX_H

#include <stddef.h>

#include "base/stralloc.h"
#include "net/ip.h"

enum smtp_syntax {
  SMTP_OK,
  SMTP_SYNTAX,   /* not what the grammar allows */
  SMTP_TOO_LONG, /* longer than our queue takes */
  SMTP_NO_MEMORY,
};

#define SMTP_ADDRESS_MAX 900
#define SMTP_DOMAIN_MAX 255

/* The verb (letters up to a blank or the end) and the rest without blanks around it;
 * both point into the line.  verb_n is 0 when there is none. */
struct smtp_command {
  const char *verb, *arg;
  size_t verb_n, arg_n;
};
void smtp_command_split(const char *line, size_t n, struct smtp_command *c);

/* A reverse-path or forward-path.  The address is kept as the queue wants it:
 * quotes and backslashes of the local part taken off, source route dropped, nothing
 * for the null path. */
struct smtp_path {
  stralloc address;
  size_t at;     /* offset of the @ that ends the local part; address.len: no domain */
  struct ip ip;  /* of an address literal; family 0: none */
  int eight_bit; /* a byte above 127 somewhere */
};

/* A host name in ASCII, all of it? */
int smtp_is_domain(const char *s, size_t n);

/* The path at the start of s[0..n-1], "<...>"; *used says how long it was. */
enum smtp_syntax smtp_path_parse(const char *s, size_t n, struct smtp_path *p, size_t *used) MUST_CHECK;
/* "FROM:<path> parameters": keyword is "FROM:" or "TO:"; the parameters are left at
 * *rest. */
enum smtp_syntax smtp_path_argument(const char *s, size_t n, const char *keyword, struct smtp_path *p,
                                    const char **rest, size_t *rest_n) MUST_CHECK;
/* An address as the queue has it, without quotes.  What a quoted local part may hold is taken; behind the
 * last @, if there is one, stands a domain or an address literal. */
enum smtp_syntax smtp_path_plain(const char *s, size_t n, struct smtp_path *p) MUST_CHECK;
/* Domain part and its length, "" when there is none. */
const char *smtp_path_domain(const struct smtp_path *p, size_t *n);
void smtp_path_free(struct smtp_path *p);

/* The next parameter, KEYWORD or KEYWORD=VALUE: 1, 0 at the end, -1 on bad syntax.
 * *s and *n move behind it. */
struct smtp_parameter {
  const char *keyword, *value; /* value is null without = */
  size_t keyword_n, value_n;
};
int smtp_parameter_next(const char **s, size_t *n, struct smtp_parameter *p) MUST_CHECK;

#endif
