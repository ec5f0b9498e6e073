/* tls_proto: see tls_proto.h. */
#include "net/tls_proto.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/scan.h"

#define MAGIC "TLS1 "

/* Names as certificates and SNI carry them: no blank, no control, no 8-bit. */
static int name_ok(const char *s, size_t n) {
  return n <= TLS_NAME_MAX && bytes_isgraph(s, n);
}

size_t tls_request_fmt(char buf[TLS_REQUEST_MAX], const struct tls_wire *w) {
  size_t n = 0, len = strlen(w->name);

  if (!name_ok(w->name, len)) return 0;
  n += (size_t)(stpcpy(buf, w->role == TLS_SERVER ? MAGIC "server " : MAGIC "client ") - buf);
  n += fmt_u64(buf + n, w->ms);
  if (w->role == TLS_SERVER) return n;
  n = (size_t)(stpcpy(buf + n, w->verify ? " verify" : " any") - buf);
  if (!len) return n;
  buf[n++] = ' ';
  memcpy(buf + n, w->name, len);
  return n + len;
}

/* The next word of *s[0..*n-1]: its length; *s moves behind it and one blank. */
static size_t word(const char **s, size_t *n, const char **w) {
  size_t len = bytes_chr(*s, *n, ' ');
  size_t step = len < *n ? len + 1 : len;

  *w = *s;
  *s += step;
  *n -= step;
  return len;
}

static int is(const char *s, size_t n, const char *want) {
  return bytes_equal(s, n, want, strlen(want));
}

int tls_request_parse(const char *s, size_t n, struct tls_wire *w) {
  const char *p;
  uint64_t ms;
  size_t len;

  memset(w, 0, sizeof *w);
  len = word(&s, &n, &p);
  if (!is(p, len, "TLS1")) return 0;
  len = word(&s, &n, &p);
  if (is(p, len, "server")) w->role = TLS_SERVER;
  else if (is(p, len, "client")) w->role = TLS_CLIENT;
  else return 0;
  len = word(&s, &n, &p);
  if (!scan_u64_max(p, len, UINT32_MAX, &ms)) return 0;
  w->ms = (uint32_t)ms;
  if (w->role == TLS_SERVER) return !n;
  len = word(&s, &n, &p);
  w->verify = is(p, len, "verify");
  if (!w->verify && !is(p, len, "any")) return 0;
  if (!name_ok(s, n) || (w->verify && !n)) return 0;
  memcpy(w->name, s, n);
  return 1;
}

/* Room is kept for the LF. */
static void add(char *buf, size_t *n, const char *s, char after) {
  for (; *s && *n < TLS_STATUS_MAX - 2; ++s)
    buf[(*n)++] = *s < ' ' || *s == 127 ? '?' : *s;
  if (after && *n < TLS_STATUS_MAX - 2) buf[(*n)++] = after;
}

size_t tls_status_fmt(char buf[TLS_STATUS_MAX], const struct tls_info *info, const char *error) {
  size_t n = 0;

  buf[n++] = error ? '-' : '+';
  if (error) {
    add(buf, &n, error, 0);
  } else {
    add(buf, &n, stralloc_cstr(&info->version), '\t');
    add(buf, &n, stralloc_cstr(&info->cipher), '\t');
    add(buf, &n, info->verified ? "verified" : "unverified", '\t');
    add(buf, &n, stralloc_cstr(&info->name), '\t');
    add(buf, &n, stralloc_cstr(&info->peer), 0);
  }
  buf[n++] = '\n';
  return n;
}

/* The next field of a status line into sa. */
static int field(const char **s, size_t *n, stralloc *sa) {
  size_t len = bytes_chr(*s, *n, '\t');
  size_t step = len < *n ? len + 1 : len;

  if (!stralloc_copyb(sa, *s, len)) return 0;
  *s += step;
  *n -= step;
  return 1;
}

int tls_status_parse(const char *s, size_t n, struct tls_info *info, stralloc *error) {
  stralloc verified = STRALLOC_INIT;
  int r = -1;

  if (!n || memchr(s, 0, n)) return -1;
  if (*s == '-') return stralloc_copyb(error, s + 1, n - 1) ? 0 : -1;
  if (*s != '+') return -1;
  ++s;
  --n;
  if (field(&s, &n, &info->version) && field(&s, &n, &info->cipher) && field(&s, &n, &verified) &&
      field(&s, &n, &info->name) && stralloc_copyb(&info->peer, s, n)) {
    info->verified = stralloc_equals(&verified, "verified");
    if (info->verified || stralloc_equals(&verified, "unverified")) r = 1;
  }
  stralloc_free(&verified);
  return r;
}
