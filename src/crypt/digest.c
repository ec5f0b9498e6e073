/* digest: see digest.h. */
#include "crypt/digest.h"

#include <openssl/evp.h>

#include "base/fmt.h"

int digest_sha256_hex(const char *s, size_t n, stralloc *out) {
  unsigned char made[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  char two[2];

  if (!EVP_Digest(s, n, made, &size, EVP_sha256(), 0)) return 0;
  for (unsigned i = 0; i < size; ++i)
    if (!stralloc_catb(out, two, fmt_hex64_pad(two, made[i], 2))) return 0;
  return 1;
}
