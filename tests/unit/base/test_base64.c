/* RFC 4648 section 10, and what decoding must refuse. */
#include "base/base64.h"

#include "check.h"

static const struct {
  const char *plain, *coded;
} good[] = {
    {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd", "//79"},
};

static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Zm9=", "Z=g=", "Zm 9", "Zg==Zg==", "Zm9v\n"};

int main(void) {
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof good / sizeof *good; ++i) {
    size_t n = strlen(good[i].plain);

    stralloc_cut(&out, 0);
    CHECK_CASE(base64_encode(&out, good[i].plain, n) && stralloc_equals(&out, good[i].coded), good[i].coded);
    stralloc_cut(&out, 0);
    CHECK_CASE(base64_decode(&out, good[i].coded, strlen(good[i].coded)) == 1, good[i].coded);
    CHECK_CASE(out.len == n && (!n || !memcmp(out.s, good[i].plain, n)), good[i].coded);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    stralloc_cut(&out, 0);
    CHECK_CASE(base64_decode(&out, bad[i], strlen(bad[i])) == 0, bad[i]);
  }
  stralloc_free(&out);
  check_nomem(1);
  CHECK(!base64_encode(&out, "foo", 3));
  check_nomem(1);
  CHECK(base64_decode(&out, "Zm9v", 4) == -1);
  check_nomem(0);
  stralloc_free(&out);
  return check_done();
}
