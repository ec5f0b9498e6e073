/* Questions and answers of nssd: what is taken apart lies inside, and no field breaks a line of a password file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/nss_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const char *s, size_t n, const char *field) {
  if (field < s || field + strlen(field) >= s + n) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data, *name = nss_question_parse(s, size);
  struct nss_account a;

  if (name) inside(s, size, name);
  if (nss_answer_parse(s, size, &a) != NSS_FOUND) return 0;
  const char *const fields[] = {a.name, a.comment, a.home, a.shell};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; ++i) {
    inside(s, size, fields[i]);
    if (strpbrk(fields[i], ":\n")) abort();
  }
  if (!a.uid) abort();
  return 0;
}
