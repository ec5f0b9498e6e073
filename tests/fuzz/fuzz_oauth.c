/* A token and its name are parts of the message, and neither is empty. */
#include <stdlib.h>

#include "crypt/oauth_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const char *s, size_t n, const struct oauth_message *m) {
  if (!m->name_n || m->name < s || m->name + m->name_n > s + n) abort();
  if (!m->token_n || m->token < s || m->token + m->token_n > s + n) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct oauth_message m;

  if (oauthbearer_parse((const char *)data, size, &m)) inside((const char *)data, size, &m);
  if (xoauth2_parse((const char *)data, size, &m)) inside((const char *)data, size, &m);
  return 0;
}
