/* Requests and status lines: there and back, and everything that is neither. */
#include "net/tls_proto.h"

#include "check.h"

static const char *const good[] = {
    "TLS1 server 0", "TLS1 server 4294967295", "TLS1 client 60000 any", "TLS1 client 60000 any mx.example.com",
    "TLS1 client 1 verify mx.example.com", "TLS1 client 1 verify 192.0.2.1",
};

static const char *const bad[] = {
    "", "TLS1", "TLS2 server 1", "TLS1 server", "TLS1 server x", "TLS1 server 4294967296", "TLS1 server 1 any",
    "TLS1 server -1", "TLS1 client 1", "TLS1 client 1 maybe", "TLS1 client 1 verify", "TLS1 client 1 verify a b",
    "TLS1 client 1 any \xc3\xa9", "TLS1  server 1", "tls1 server 1", "TLS1 client 1 any a\n",
};

static void requests(void) {
  char buf[TLS_REQUEST_MAX], name[300];
  struct tls_wire w;

  for (size_t i = 0; i < sizeof good / sizeof *good; ++i) {
    size_t n;

    CHECK_CASE(tls_request_parse(good[i], strlen(good[i]), &w), good[i]);
    n = tls_request_fmt(buf, &w);
    CHECK_CASE(n == strlen(good[i]) && !memcmp(buf, good[i], n), good[i]);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i)
    CHECK_CASE(!tls_request_parse(bad[i], strlen(bad[i]), &w), bad[i]);
  memset(&w, 0, sizeof w);
  memset(w.name, 'a', TLS_NAME_MAX);
  w.role = TLS_CLIENT;
  w.verify = 1;
  CHECK(tls_request_fmt(buf, &w) == strlen("TLS1 client 0 verify ") + TLS_NAME_MAX);
  memcpy(name, "TLS1 client 1 any ", 18);
  memset(name + 18, 'a', 256);
  CHECK(!tls_request_parse(name, 18 + 256, &w));
  CHECK(tls_request_parse(name, 18 + 255, &w));
  CHECK(!tls_request_parse("TLS1 client 1 any a\0b", 21, &w));
}

static void fill(stralloc *sa, const char *s) {
  CHECK(stralloc_copys(sa, s));
}

static int has_binding(const struct tls_info *info, const char *type, const char *want, size_t want_n) {
  size_t n;
  const char *s = tls_binding(info, type, strlen(type), &n);

  return n == want_n && (s != 0) == (n != 0) && (!n || !memcmp(s, want, n));
}

/* Bindings that are none. */
static const char *const hex[] = {
    "+a\tb\tverified\tc\t0\t\td", "+a\tb\tverified\tc\t\t0g\td", "+a\tb\tverified\tc\tabcd\t\td",
    "+a\tb\tverified\tc\t\t" "0123456789012345678901234567890123456789012345678901234567890123"
    "0123456789012345678901234567890123456789012345678901234567890123ab\td",
};

static void statuses(void) {
  struct tls_info a = {0}, b = {0};
  char line[TLS_STATUS_MAX];
  stralloc error = STRALLOC_INIT;
  static const char exporter[] = "0123456789abcdef0123456789abcde\t";
  size_t n;

  fill(&a.version, "TLSv1.3");
  fill(&a.cipher, "TLS_AES_256_GCM_SHA384");
  fill(&a.name, "mx.example");
  fill(&a.peer, "/CN=x y\nz");
  a.verified = 1;
  CHECK(tls_bindings_set(&a, exporter, 32, "\0\xff", 2));
  n = tls_status_fmt(line, &a, 0);
  CHECK(line[n - 1] == '\n' && tls_status_parse(line, n - 1, &b, &error) == 1);
  CHECK(stralloc_equals(&b.version, "TLSv1.3") && stralloc_equals(&b.cipher, "TLS_AES_256_GCM_SHA384"));
  CHECK(stralloc_equals(&b.name, "mx.example") && stralloc_equals(&b.peer, "/CN=x y?z") && b.verified);
  CHECK(has_binding(&b, "tls-exporter", exporter, 32) && has_binding(&b, "tls-server-end-point", "\0\xff", 2));
  CHECK(has_binding(&b, "tls-unique", "", 0));
  CHECK(tls_bindings_set(&a, "", 0, "xy", 2));
  n = tls_status_fmt(line, &a, 0);
  CHECK(tls_status_parse(line, n - 1, &b, &error) == 1);
  CHECK(has_binding(&b, "tls-exporter", "", 0) && has_binding(&b, "tls-server-end-point", "xy", 2));
  CHECK(!tls_bindings_set(&a, exporter, 31, "", 0) && tls_bindings_set(&a, "", 0, "", 0));
  n = tls_status_fmt(line, &a, 0);
  CHECK(tls_status_parse(line, n - 1, &b, &error) == 1 && has_binding(&b, "tls-server-end-point", "", 0));
  for (size_t i = 0; i < sizeof hex / sizeof *hex; ++i)
    CHECK_CASE(tls_status_parse(hex[i], strlen(hex[i]), &b, &error) == -1, hex[i]);
  n = tls_status_fmt(line, 0, "no\tgood");
  CHECK(tls_status_parse(line, n - 1, &b, &error) == 0 && stralloc_equals(&error, "no?good"));
  for (size_t i = 0; i < 2000; ++i) CHECK(stralloc_append(&a.peer, 'x'));
  n = tls_status_fmt(line, &a, 0);
  CHECK(n == TLS_STATUS_MAX - 1 && line[n - 1] == '\n' && tls_status_parse(line, n - 1, &b, &error) == 1);
  CHECK(tls_status_parse("", 0, &b, &error) == -1);
  CHECK(tls_status_parse("x", 1, &b, &error) == -1);
  CHECK(tls_status_parse("+a\tb", 4, &b, &error) == -1);
  CHECK(tls_status_parse("+a\tb\tmaybe\tc\td", 14, &b, &error) == -1);
  CHECK(tls_status_parse("-a\0b", 4, &b, &error) == -1);
  stralloc_free(&error);
  tls_info_free(&a);
  tls_info_free(&b);
}

int main(void) {
  requests();
  statuses();
  return check_done();
}
