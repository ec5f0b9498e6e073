/* tcprules: see tcprules.h. */
#include "super/tcprules.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/scan.h"
#include "net/ip.h"

#define V6_TEXT 39 /* eight groups of four digits */

static int bad(struct strerr *e, const char *what) {
  strerr_set(e, what, (char *)0);
  e->permanent = 1;
  return -1;
}

static int nomem(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to store a rule", (char *)0);
}

/* --- keys --------------------------------------------------------------------------------------- */

/* _ or ^ and the first bits of an address. */
static int bits_key(const struct ip *ip, unsigned bits, stralloc *key) {
  stralloc_cut(key, 0);
  if (!stralloc_append(key, ip->family == AF_INET ? '_' : '^')) return 0;
  for (unsigned i = 0; i < bits; ++i)
    if (!stralloc_append(key, ip->b[i / 8] & (0x80 >> i % 8) ? '1' : '0')) return 0;
  return 1;
}

static void full_v6(char text[V6_TEXT], const struct ip *ip) {
  for (size_t i = 0; i < 8; ++i) {
    fmt_hex64_pad(text + 5 * i, (uint64_t)ip->b[2 * i] << 8 | ip->b[2 * i + 1], 4);
    if (i < 7) text[5 * i + 4] = ':';
  }
}

/* The key of a single address: IPv6 in full; what is no address stays as it is. */
static int address_key(const char *s, size_t n, stralloc *key) {
  char text[IP_TEXT];
  struct ip ip;

  if (!ip_scan(s, n, &ip)) return stralloc_catb(key, s, n);
  if (ip.family == AF_INET) return stralloc_catb(key, text, ip_fmt(text, &ip));
  full_v6(text, &ip);
  return stralloc_catb(key, text, V6_TEXT);
}

/* --- compiling ----------------------------------------------------------------------------------- */

struct rule {
  const char *address;
  size_t len;
  stralloc data;
};

static int emit(const struct rule *r, const stralloc *key, const struct tcprules_sink *to) {
  return to->add(to->ctx, stralloc_cstr(key), key->len, stralloc_cstr(&r->data), r->data.len);
}

static int network(const struct rule *r, size_t slash, const struct tcprules_sink *to, struct strerr *e) {
  stralloc key = STRALLOC_INIT;
  struct ip ip;
  uint64_t bits;
  int result = -1;

  if (!ip_scan(r->address, slash, &ip)) return bad(e, "not the address of a network");
  if (!scan_u64_max(r->address + slash + 1, r->len - slash - 1, ip.family == AF_INET ? 32 : 128, &bits))
    return bad(e, "not the length of a prefix");
  if (bits_key(&ip, (unsigned)bits, &key)) result = emit(r, &key, to);
  else nomem(e);
  stralloc_free(&key);
  return result;
}

/* Where a range "4-9" stands in dotted numbers: 1 with its bounds, 0 there is none,
 * -1 it makes no sense. */
static int find_range(const struct rule *r, size_t *begin, size_t *end, uint64_t *low, uint64_t *high) {
  size_t dash = bytes_chr(r->address, r->len, '-');

  for (size_t i = 0; i < r->len; ++i)
    if (r->address[i] != '-' && r->address[i] != '.' && (r->address[i] < '0' || r->address[i] > '9')) return 0;
  if (dash == r->len) return 0;
  *begin = bytes_rchr(r->address, dash, '.');
  *begin = *begin == dash ? 0 : *begin + 1;
  *end = dash + 1 + bytes_chr(r->address + dash + 1, r->len - dash - 1, '.');
  if (!scan_u64_max(r->address + *begin, dash - *begin, 255, low)) return -1;
  if (!scan_u64_max(r->address + dash + 1, *end - dash - 1, 255, high)) return -1;
  if (bytes_chr(r->address + *end, r->len - *end, '-') != r->len - *end) return -1; /* one is enough */
  return *low <= *high ? 1 : -1;
}

static int range(const struct rule *r, const struct tcprules_sink *to, struct strerr *e) {
  stralloc key = STRALLOC_INIT;
  size_t begin, end;
  uint64_t low, high;
  int result = 0;

  switch (find_range(r, &begin, &end, &low, &high)) {
    case 0: return 1;
    case -1: return bad(e, "not a range of numbers");
  }
  for (uint64_t u = low; u <= high && result == 0; ++u) {
    if (stralloc_copyb(&key, r->address, begin) && stralloc_catu64(&key, u) &&
        stralloc_catb(&key, r->address + end, r->len - end))
      result = emit(r, &key, to);
    else
      result = nomem(e);
  }
  stralloc_free(&key);
  return result;
}

static int single(const struct rule *r, const struct tcprules_sink *to, struct strerr *e) {
  stralloc key = STRALLOC_INIT;
  size_t at = bytes_rchr(r->address, r->len, '@');
  size_t skip = at == r->len ? 0 : at + 1;
  int result = -1;

  if (stralloc_copyb(&key, r->address, skip) && address_key(r->address + skip, r->len - skip, &key))
    result = emit(r, &key, to);
  else
    nomem(e);
  stralloc_free(&key);
  return result;
}

static int add_rule(const struct rule *r, const struct tcprules_sink *to, struct strerr *e) {
  size_t slash = bytes_chr(r->address, r->len, '/');
  int ranged;

  if (slash < r->len && bytes_chr(r->address, r->len, '@') == r->len && r->address[0] != '=')
    return network(r, slash, to, e);
  ranged = range(r, to, e);
  return ranged == 1 ? single(r, to, e) : ranged;
}

/* allow, deny or insert, of which a beginning is enough. */
static int instruction(struct rule *r, const char *s, size_t n, struct strerr *e) {
  if (n && n <= 5 && !memcmp(s, "allow", n)) return 0;
  if (n && n <= 6 && !memcmp(s, "insert", n)) return 0;
  if (!n || n > 4 || memcmp(s, "deny", n)) return bad(e, "neither allow nor deny");
  return stralloc_catz(&r->data, "D", 1) ? 0 : nomem(e);
}

/* ,NAME="value" with any character in place of the quote. */
static int variables(struct rule *r, const char *s, size_t n, struct strerr *e) {
  while (n) {
    size_t equal, close;

    if (*s != ',') return bad(e, "a comma is missing before a variable");
    ++s;
    --n;
    equal = bytes_chr(s, n, '=');
    if (!equal || equal + 2 > n) return bad(e, "a variable has no name or no value");
    close = bytes_chr(s + equal + 2, n - equal - 2, s[equal + 1]);
    if (close == n - equal - 2) return bad(e, "the quote at the end of a value is missing");
    if (!stralloc_append(&r->data, '+') || !stralloc_catb(&r->data, s, equal + 1) ||
        !stralloc_catz(&r->data, s + equal + 2, close))
      return nomem(e);
    s += equal + 3 + close;
    n -= equal + 3 + close;
  }
  return 0;
}

int tcprules_compile(const char *line, size_t n, const struct tcprules_sink *to, struct strerr *e) {
  struct rule r = {line, 0, STRALLOC_INIT};
  size_t head, colon;
  int result;

  while (n && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r')) --n;
  if (!n || line[0] == '#') return 0;
  if (bytes_chr(line, n, 0) < n) return bad(e, "a NUL byte in a rule");
  /* An IPv6 address has colons of its own; an instruction has none. */
  head = bytes_chr(line, n, ',');
  colon = bytes_rchr(line, head, ':');
  if (colon == head) return bad(e, "no colon after the address");
  r.len = colon;
  result = instruction(&r, line + colon + 1, head - colon - 1, e);
  if (result == 0) result = variables(&r, line + head, n - head, e);
  if (result == 0) result = add_rule(&r, to, e);
  stralloc_free(&r.data);
  return result;
}

/* --- finding ------------------------------------------------------------------------------------- */

static int has(const char *s) {
  return s && *s;
}

/* Key is prefix and address (or =host). */
static int try_address(struct cdb *c, const char *prefix, const char *address, stralloc *key) {
  if (!stralloc_copys(key, prefix) || !address_key(address, strlen(address), key)) return -1;
  return cdb_find(c, key->s, key->len);
}

static int try_text(struct cdb *c, const char *first, const char *second, stralloc *key) {
  stralloc_cut(key, 0);
  if (!stralloc_catm(key, first, second, (char *)0)) return -1;
  return cdb_find(c, key->s, key->len);
}

static int try_info(struct cdb *c, const struct tcprules_client *who, stralloc *key) {
  stralloc prefix = STRALLOC_INIT;
  int r = -1;

  if (stralloc_catm(&prefix, who->info, "@", (char *)0)) {
    r = has(who->ip) ? try_address(c, prefix.s, who->ip, key) : 0;
    if (r == 0 && has(who->host))
      r = stralloc_append(&prefix, '=') ? try_text(c, prefix.s, who->host, key) : -1;
  }
  stralloc_free(&prefix);
  return r;
}

/* 1.2.3. then 1.2. then 1. */
static int try_dots(struct cdb *c, const char *ip, stralloc *key) {
  size_t n = strlen(ip);
  int r = 0;

  if (strchr(ip, ':')) return 0;
  while (r == 0) {
    size_t dot = bytes_rchr(ip, n, '.');

    if (dot == n) return 0;
    n = dot;
    if (!stralloc_copyb(key, ip, n + 1)) return -1;
    r = cdb_find(c, key->s, key->len);
  }
  return r;
}

/* From the whole address down to its first bit. */
static int try_networks(struct cdb *c, const char *text, stralloc *key) {
  struct ip ip;
  int r = 0;

  if (!ip_scan(text, strlen(text), &ip)) return 0;
  if (!bits_key(&ip, ip.family == AF_INET ? 32 : 128, key)) return -1;
  for (; key->len && r == 0; stralloc_cut(key, key->len - 1)) {
    r = cdb_find(c, key->s, key->len);
    if (r) break;
  }
  return r;
}

static int try_suffixes(struct cdb *c, const char *host, stralloc *key) {
  int r = 0;

  for (const char *dot = strchr(host, '.'); dot && r == 0; dot = strchr(dot + 1, '.'))
    r = try_text(c, "=", dot, key);
  return r == 0 ? try_text(c, "=", "", key) : r;
}

int tcprules_find(struct cdb *c, const struct tcprules_client *who, stralloc *key) {
  int r = has(who->info) ? try_info(c, who, key) : 0;

  if (r == 0 && has(who->ip)) r = try_address(c, "", who->ip, key);
  if (r == 0 && has(who->host)) r = try_text(c, "=", who->host, key);
  if (r == 0 && has(who->ip)) r = try_dots(c, who->ip, key);
  if (r == 0 && has(who->ip)) r = try_networks(c, who->ip, key);
  if (r == 0 && has(who->host)) r = try_suffixes(c, who->host, key);
  return r == 0 ? try_text(c, "", "", key) : r;
}
