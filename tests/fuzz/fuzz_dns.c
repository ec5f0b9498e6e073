/* An answer from the network, for each type: the first byte picks it. */
#include <stdlib.h>
#include <string.h>

#include "net/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const enum dns_type types[] = {DNS_A, DNS_AAAA, DNS_MX, DNS_TXT, DNS_PTR, DNS_TLSA, DNS_CNAME};
  struct dns_answer a = {0};
  enum dns_outcome got;

  if (!size) return 0;
  got = dns_parse(data + 1, size - 1, types[data[0] % (sizeof types / sizeof *types)], "example", &a);
  if ((got == DNS_FOUND) != (a.len > 0) && got != DNS_TEMPFAIL) abort();
  for (size_t i = 0; got == DNS_FOUND && i + 1 < a.len; ++i)
    if (types[data[0] % 7] == DNS_MX && a.record[i].preference > a.record[i + 1].preference) abort();
  dns_answer_free(&a);
  return 0;
}
