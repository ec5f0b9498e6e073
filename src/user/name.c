/* name: see name.h. */
#include "user/name.h"

#include <string.h>

#include "base/bytes.h"

static int is_lower(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

const char *name_user_fault(const char *s, size_t n) {
  if (!n) return "the name is empty";
  if (n > NAME_USER_MAX) return "the name is longer than 64 characters";
  if (!is_lower(s[0])) return "a name begins with a lower-case letter or a digit";
  for (size_t i = 0; i < n; ++i) {
    if (s[i] >= 'A' && s[i] <= 'Z') return "capital letters are not allowed";
    if (s[i] == '.' && (i + 1 == n || s[i + 1] == '.')) return "a dot must stand between other characters";
    if (!is_lower(s[i]) && (!s[i] || !strchr("!#$%&'*+-=?^_`{|}~.", s[i])))
      return "a character that is not allowed";
  }
  return 0;
}

const char *name_domain_fault(const char *s, size_t n) {
  size_t label = 0;

  if (!n) return "the domain is empty";
  if (n > NAME_DOMAIN_MAX) return "the domain is longer than 253 characters";
  for (size_t i = 0; i <= n; ++i) {
    if (i == n || s[i] == '.') {
      if (!label) return "a dot must stand between labels";
      if (s[i - 1] == '-') return "a label must not end with a hyphen";
      label = 0;
      continue;
    }
    if (s[i] >= 'A' && s[i] <= 'Z') return "capital letters are not allowed";
    if (!is_lower(s[i]) && s[i] != '-') return "a character that is not allowed";
    if (s[i] == '-' && !label) return "a label must not begin with a hyphen";
    if (++label > 63) return "a label is longer than 63 characters";
  }
  return 0;
}

/* "user" in quotes, when nothing in it needs them. */
static void unquote(const char **s, size_t *n) {
  if (*n < 3 || (*s)[0] != '"' || (*s)[*n - 1] != '"') return;
  for (size_t i = 1; i + 1 < *n; ++i)
    if ((*s)[i] == '"' || (*s)[i] == '\\') return;
  ++*s;
  *n -= 2;
}

int address_parse(struct address *a, const char *s, size_t n) {
  size_t at = bytes_rchr(s, n, '@');
  const char *user = s;
  size_t len = at;

  if (at >= n || !at || at + 1 == n) return 0;
  if (n - at - 1 > NAME_DOMAIN_MAX || bytes_chr(s, n, 0) != n) return 0;
  unquote(&user, &len);
  if (len > NAME_USER_MAX) return 0;
  if (!stralloc_copyb(&a->user, user, len) || !stralloc_copyb(&a->domain, s + at + 1, n - at - 1)) return -1;
  bytes_lower(a->user.s, a->user.len);
  bytes_lower(a->domain.s, a->domain.len);
  return 1;
}

void address_free(struct address *a) {
  stralloc_free(&a->user);
  stralloc_free(&a->domain);
}
