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

/* Kept as the length of the first in one byte, the first, the second. */
int tls_bindings_set(struct tls_info *info, const char *exporter, size_t exporter_n, const char *endpoint,
                     size_t endpoint_n) {
  const char n = (char)exporter_n;

  stralloc_cut(&info->bindings, 0);
  if ((exporter_n && exporter_n != TLS_EXPORTER) || endpoint_n > TLS_ENDPOINT_MAX) return 0;
  if (!exporter_n && !endpoint_n) return 1;
  return stralloc_ready(&info->bindings, 1 + exporter_n + endpoint_n) && stralloc_append(&info->bindings, n) &&
         stralloc_catb(&info->bindings, exporter, exporter_n) && stralloc_catb(&info->bindings, endpoint, endpoint_n);
}

const char *tls_binding(const struct tls_info *info, const char *type, size_t type_n, size_t *n) {
  const char *s = info->bindings.s;
  size_t exporter = info->bindings.len ? (unsigned char)*s : 0;

  *n = 0;
  if (!info->bindings.len) return 0;
  if (is(type, type_n, "tls-exporter")) *n = exporter;
  if (is(type, type_n, "tls-server-end-point")) {
    *n = info->bindings.len - 1 - exporter;
    s += exporter;
  }
  return *n ? s + 1 : 0;
}

static void add_binding(char *buf, size_t *n, const struct tls_info *info, const char *type) {
  size_t len;
  const char *s = tls_binding(info, type, strlen(type), &len);
  char pair[3] = "";

  for (; len; --len, ++s) {
    fmt_hex64_pad(pair, (unsigned char)*s, 2);
    add(buf, n, pair, 0);
  }
  if (*n < TLS_STATUS_MAX - 2) buf[(*n)++] = '\t';
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
    add_binding(buf, &n, info, "tls-exporter");
    add_binding(buf, &n, info, "tls-server-end-point");
    add(buf, &n, stralloc_cstr(&info->peer), 0);
  }
  buf[n++] = '\n';
  return n;
}

/* The next field of a status line, which ends with a tab: its length; *s moves behind it. */
static size_t next(const char **s, size_t *n, const char **f) {
  size_t len = bytes_chr(*s, *n, '\t');
  size_t step = len < *n ? len + 1 : len;

  *f = *s;
  *s += step;
  *n -= step;
  return len;
}

static int field(const char **s, size_t *n, stralloc *sa) {
  const char *f;
  size_t len = next(s, n, &f);

  return stralloc_copyb(sa, f, len);
}

/* Pairs of hexadecimal digits, at most max bytes: how many, or -1. */
static int unhex(const char *s, size_t n, char *out, size_t max) {
  if (n % 2 || n / 2 > max) return -1;
  for (size_t i = 0; i < n; i += 2) {
    int high = scan_hexdigit(s[i]), low = scan_hexdigit(s[i + 1]);

    if (high == -1 || low == -1) return -1;
    out[i / 2] = (char)(high << 4 | low);
  }
  return (int)(n / 2);
}

static int bindings(const char **s, size_t *n, struct tls_info *info) {
  char exporter[TLS_EXPORTER], endpoint[TLS_ENDPOINT_MAX];
  const char *f;
  size_t len = next(s, n, &f);
  int exporter_n = unhex(f, len, exporter, sizeof exporter), endpoint_n;

  len = next(s, n, &f);
  endpoint_n = unhex(f, len, endpoint, sizeof endpoint);
  return exporter_n >= 0 && endpoint_n >= 0 &&
         tls_bindings_set(info, exporter, (size_t)exporter_n, endpoint, (size_t)endpoint_n);
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
      field(&s, &n, &info->name) && bindings(&s, &n, info) && stralloc_copyb(&info->peer, s, n)) {
    info->verified = stralloc_equals(&verified, "verified");
    if (info->verified || stralloc_equals(&verified, "unverified")) r = 1;
  }
  stralloc_free(&verified);
  return r;
}
