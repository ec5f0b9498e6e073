/* addrkeys: see addrkeys.h. */
#include "mail/addrkeys.h"

#include "base/bytes.h"

void addrkeys_init(struct addrkeys *k, enum addrset_subject what, const char *subject, size_t n) {
  size_t at = what == ADDRSET_ADDRESS ? bytes_rchr(subject, n, '@') : n;

  k->what = what;
  k->s = subject;
  k->n = n;
  k->domain = what == ADDRSET_NAME ? 0 : at + 1; /* beyond n: there is none */
  k->step = 0;
}

int addrkeys_next(struct addrkeys *k, struct addrkey *key) {
  key->at = 0;
  key->s = k->s;
  key->n = k->n;
  switch (k->step++) {
    case 0: return 1;
    case 1:
      if (k->domain > k->n) return 0;
      key->at = 1;
      key->s += k->domain;
      key->n -= k->domain;
      return 1;
    default: break;
  }
  /* from here on domain is where the current suffix begins; even steps look for the next */
  if (!(k->step & 1)) {
    key->at = 1;
  } else {
    do ++k->domain;
    while (k->domain < k->n && k->s[k->domain] != '.');
    if (k->domain >= k->n) return 0;
  }
  key->s = k->s + k->domain;
  key->n = k->n - k->domain;
  return 1;
}
