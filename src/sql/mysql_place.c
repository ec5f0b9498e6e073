/* mysql_place: see mysql_place.h. */
#include "sql/mysql_place.h"

#include <string.h>

#include "base/scan.h"

#define PORT_MAX 65535

/* The field at *pos, unquoted; *pos goes behind its colon, or to n + 1 at the end.  1, 0 or -1. */
static int field(const char *s, size_t n, size_t *pos, stralloc *out) {
  int bracket = *pos < n && s[*pos] == '[';

  stralloc_cut(out, 0);
  if (bracket) ++*pos;
  for (; *pos < n; ++*pos) {
    char c = s[*pos];

    if (bracket && c == ']') {
      ++*pos;
      bracket = 0;
      break;
    }
    if (c == ':' && !bracket) break;
    if (c == '\\' && ++*pos == n) return 0;
    if (!s[*pos] || s[*pos] == '\n') return 0;
    if (!stralloc_append(out, s[*pos])) return -1;
  }
  if (bracket || (*pos < n && s[*pos] != ':')) return 0;
  ++*pos;
  return 1;
}

int mysql_place_end(struct mysql_place *p, const char *s, size_t n) {
  uint32_t port;

  if (!n) return 1;
  if (*s == '/' || *s == '.') return stralloc_copyb(&p->socket, s, n) ? 1 : -1;
  if (!scan_u32(s, n, &port) || !port || port > PORT_MAX) return 0;
  p->port = port;
  return 1;
}

static int take_tls(struct mysql_place *p, const stralloc *s) {
  if (stralloc_equals(s, "ssl")) p->tls = 1;
  else if (stralloc_equals(s, "nossl")) p->tls = 0;
  else return !s->len;
  return 1;
}

int mysql_place_parse(struct mysql_place *p, const char *s, size_t n) {
  stralloc word = STRALLOC_INIT;
  size_t pos = 0;
  int r = 1;

  memset(p, 0, sizeof *p);
  p->tls = -1;
  for (int i = 0; r == 1 && pos <= n; ++i) {
    stralloc *const texts[] = {&p->host, &p->user, &p->password};

    r = field(s, n, &pos, i < 3 ? texts[i] : &word);
    if (r == 1 && i == 3) r = mysql_place_end(p, stralloc_cstr(&word), word.len);
    if (r == 1 && i == 4) r = take_tls(p, &word);
    if (i > 4) r = 0;
  }
  stralloc_free(&word);
  if (r == 1 && !p->host.len) r = 0;
  return r;
}

void mysql_place_free(struct mysql_place *p) {
  stralloc_free(&p->host);
  stralloc_free(&p->user);
  stralloc_wipe(&p->password);
  stralloc_free(&p->socket);
}
