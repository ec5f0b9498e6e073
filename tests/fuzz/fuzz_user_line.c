/* A user as a line of text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/account.h"
#include "user/name.h"
#include "user/user_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct user_line u = {.flags = 0};

  if (!user_line_parse((const char *)data, size, &u)) {
    if (name_user_fault(u.name.s, u.name.len) || !account_gecos_ok(u.comment.s) || strchr(u.hash.s, ':')) abort();
    if (!user_home_fault(stralloc_cstr(&u.home), u.name.s) && (*u.home.s != '/' || strstr(u.home.s, "/../") || strchr(u.home.s, ':'))) abort();
    if (!u.has_quota && (u.quota.bytes || u.quota.count)) abort();
  }
  user_line_free(&u);
  return 0;
}
