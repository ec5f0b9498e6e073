/* The parsers of SCRAM point into their input only, and agree on where its parts are. */
#include <stdlib.h>
#include <string.h>

#include "crypt/scram.h"
#include "crypt/scram_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const char *s, size_t n, const char *part, size_t part_n) {
  if (part_n && (part < s || part + part_n > s + n)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct scram_first first;
  struct scram_final final;
  struct scram_keys k;
  stralloc text = STRALLOC_INIT;

  if (scram_first_parse(s, size, &first)) {
    inside(s, size, first.name, first.name_n);
    inside(s, size, first.nonce, first.nonce_n);
    inside(s, size, first.gs2.authzid, first.gs2.authzid_n);
    if (first.bare + first.bare_n != s + size || !first.nonce_n) abort();
    if (gs2_name(&text, first.name, first.name_n) == 1 && text.len > first.name_n) abort();
  }
  if (scram_final_parse(s, size, &final)) {
    inside(s, size, final.channel, final.channel_n);
    inside(s, size, final.proof, final.proof_n);
    if (s[final.unproven_n] != ',' || final.unproven_n + 3 + final.proof_n != size) abort();
  }
  if (stralloc_copyb(&text, s, size))
    for (int h = 0; h < SCRAM_HASHES; ++h)
      if (scram_find(text.s, (enum scram_hash)h, &k) == 1 && k.salt_n > SCRAM_SALT_MAX) abort();
  stralloc_free(&text);
  return 0;
}
