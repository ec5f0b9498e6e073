/* addrkeys: by which texts an address or a name can be found in a list.  Pure. */
#ifndef MAIL_ADDRKEYS_H
#define MAIL_ADDRKEYS_H

#include <stddef.h>

enum addrset_verdict {
  ADDRSET_NONE, /* no line matches */
  ADDRSET_IN,
  ADDRSET_BACK,   /* taken back */
  ADDRSET_FAILED, /* not known: pattern.h */
};
enum addrset_subject { ADDRSET_ADDRESS, ADDRSET_NAME };

/* The texts by which a line or a record without wildcards can match a subject, the most
 * exact first: user@domain, @domain, then for each dot of the domain .suffix and @.suffix.
 * Each is an @, or nothing, and a part of the subject. */
struct addrkey {
  int at; /* an @ stands before it */
  const char *s;
  size_t n;
};
struct addrkeys {
  enum addrset_subject what;
  const char *s;
  size_t n, domain, step;
};
void addrkeys_init(struct addrkeys *k, enum addrset_subject what, const char *subject, size_t n);
int addrkeys_next(struct addrkeys *k, struct addrkey *key); /* 1, 0 at the end */

#endif
