/* mime_parameter: see mime_parameter.h. */
#include "mail/mime_parameter.h"

#include <string.h>

#include "base/bytes.h"

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/* The value at s, a token or a quoted string: how long it was; 0 and *ok 0 without memory. */
static size_t take_value(const char *s, size_t n, stralloc *value, int *ok) {
  size_t i = 0;

  stralloc_cut(value, 0);
  if (n && *s == '"') {
    for (i = 1; *ok && i < n && s[i] != '"'; ++i) {
      if (s[i] == '\\' && i + 1 < n) ++i;
      *ok = stralloc_append(value, s[i]);
    }
    return i < n ? i + 1 : n;
  }
  while (i < n && s[i] != ';') ++i;
  *ok = stralloc_copyb(value, s, i);
  stralloc_chomp(value);
  return i;
}

int mime_parameter_next(const char *s, size_t n, size_t *i, struct mime_parameter *p) {
  int ok = 1;

  for (;;) {
    size_t start, end;

    while (*i < n && (is_blank(s[*i]) || s[*i] == ';')) ++*i;
    if (*i >= n) return 0;
    start = *i;
    while (*i < n && s[*i] != '=' && s[*i] != ';') ++*i;
    if (*i >= n || s[*i] == ';') continue;
    for (end = *i; end > start && is_blank(s[end - 1]);) --end;
    ++*i;
    while (*i < n && is_blank(s[*i])) ++*i;
    *i += take_value(s + *i, n - *i, &p->value, &ok);
    p->name = s + start;
    p->name_n = end - start;
    return ok ? 1 : -1;
  }
}

int mime_parameter_is(const struct mime_parameter *p, const char *name) {
  return p->name_n == strlen(name) && bytes_caseequal(p->name, name, p->name_n);
}

int mime_parameter_continues(const struct mime_parameter *p, const char *name) {
  size_t n = strlen(name);

  return p->name_n > n + 1 && bytes_caseequal(p->name, name, n) && p->name[n] == '*';
}
