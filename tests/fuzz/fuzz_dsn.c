/* DSN parameters: what parses comes out of the formatter and parses again to the same. */
#include "mail/dsn.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  stralloc a = STRALLOC_INIT, b = STRALLOC_INIT;
  struct dsn_mail mail;
  struct dsn_rcpt rcpt;

  if (dsn_mail_parse(s, size, &mail)) {
    require(dsn_mail_format(&a, &mail) && dsn_mail_parse(stralloc_cstr(&a), a.len, &mail));
    require(dsn_mail_format(&b, &mail) && stralloc_equals(&b, stralloc_cstr(&a)));
  }
  if (dsn_rcpt_parse(s, size, &rcpt)) {
    require(dsn_rcpt_format(&a, &rcpt) && dsn_rcpt_parse(stralloc_cstr(&a), a.len, &rcpt));
    require(dsn_rcpt_format(&b, &rcpt) && stralloc_equals(&b, stralloc_cstr(&a)));
  }
  (void)dsn_tell_failure(s, size);
  stralloc_cut(&a, 0);
  require(dsn_xtext_encode(&a, s, size));
  stralloc_cut(&b, 0);
  require(dsn_xtext_decode(&b, stralloc_cstr(&a), a.len) && b.len == size);
  stralloc_free(&a);
  stralloc_free(&b);
  return 0;
}
