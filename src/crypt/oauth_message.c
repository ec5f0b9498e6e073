/* oauth_message: see oauth_message.h. */
#include "crypt/oauth_message.h"

#include <string.h>

#include "base/bytes.h"
#include "crypt/gs2.h"

#define SEPARATOR 1

/* "Bearer", a blank, a token without any. */
static int take_token(const char *s, size_t n, struct oauth_message *m) {
  static const char scheme[] = "Bearer ";
  const size_t len = sizeof scheme - 1;

  if (m->token || n <= len || !bytes_casestarts(s, n, scheme) || !bytes_isgraph(s + len, n - len)) return 0;
  m->token = s + len;
  m->token_n = n - len;
  return 1;
}

/* key=value, of which only two concern us. */
static int take_pair(const char *s, size_t n, struct oauth_message *m) {
  size_t key = bytes_chr(s, n, '=');

  if (!key || key == n || memchr(s, 0, n)) return 0;
  for (size_t i = 0; i < key; ++i)
    if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z'))) return 0;
  if (bytes_equal(s, key, "auth", 4)) return take_token(s + key + 1, n - key - 1, m);
  if (!bytes_equal(s, key, "user", 4)) return 1;
  if (m->name) return 0;
  m->name = s + key + 1;
  m->name_n = n - key - 1;
  return 1;
}

/* Pairs, each with a separator behind it, and one more at the end. */
static int take_pairs(const char *s, size_t n, struct oauth_message *m) {
  while (n && *s != SEPARATOR) {
    size_t len = bytes_chr(s, n, SEPARATOR);

    if (len == n || !take_pair(s, len, m)) return 0;
    s += len + 1;
    n -= len + 1;
  }
  return n == 1 && m->token && m->name_n;
}

int oauthbearer_parse(const char *s, size_t n, struct oauth_message *m) {
  struct gs2 g;

  memset(m, 0, sizeof *m);
  if (!gs2_parse(s, n, &g) || g.flag == GS2_BOUND || !g.authzid || n == g.len || s[g.len] != SEPARATOR) return 0;
  m->name = g.authzid;
  m->name_n = g.authzid_n;
  return take_pairs(s + g.len + 1, n - g.len - 1, m);
}

int xoauth2_parse(const char *s, size_t n, struct oauth_message *m) {
  memset(m, 0, sizeof *m);
  return take_pairs(s, n, m);
}
