/* dsn: see dsn.h. */
#include "mail/dsn.h"

#include <string.h>

#include "base/bytes.h"

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Printable ASCII without = and with + only before two hexadecimal digits. */
static int is_xtext(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    if (s[i] < 33 || s[i] > 126 || s[i] == '=') return 0;
    if (s[i] == '+' && (n - i < 3 || hex_digit(s[i + 1]) == -1 || hex_digit(s[i + 2]) == -1)) return 0;
  }
  return n > 0;
}

/* type;xtext, the type an atom.  RFC 6533 writes addresses that are not ASCII in this form
 * too (utf-8;...\x{..}). */
static int is_orcpt(const char *s, size_t n) {
  size_t type = bytes_chr(s, n, ';');

  if (!type || type == n || n > DSN_ORCPT_MAX) return 0;
  for (size_t i = 0; i < type; ++i)
    if (s[i] < 33 || s[i] > 126 || strchr("()<>@,:\\\".[]=+", s[i])) return 0;
  return is_xtext(s + type + 1, n - type - 1);
}

/* The next KEYWORD=VALUE: 1, 0 at the end, -1 when it is none. */
static int next(const char **s, size_t *n, const char *keyword[], size_t keywords, size_t *which, const char **value,
                size_t *value_n) {
  size_t word, equals;

  if (!*n) return 0;
  word = bytes_chr(*s, *n, ' ');
  equals = bytes_chr(*s, word, '=');
  if (equals == word || word + 1 == *n) return -1;
  for (*which = 0; *which < keywords; ++*which)
    if (strlen(keyword[*which]) == equals && bytes_caseequal(*s, keyword[*which], equals)) break;
  if (*which == keywords) return -1;
  *value = *s + equals + 1;
  *value_n = word - equals - 1;
  word += word < *n;
  *s += word;
  *n -= word;
  return 1;
}

static int same(const char *s, size_t n, const char *word) {
  return n == strlen(word) && bytes_caseequal(s, word, n);
}

int dsn_mail_parse(const char *s, size_t n, struct dsn_mail *d) {
  static const char *keyword[] = {"RET", "ENVID"};
  size_t which, value_n;
  const char *value;
  int got;

  memset(d, 0, sizeof *d);
  while ((got = next(&s, &n, keyword, 2, &which, &value, &value_n)) == 1) {
    if (which == 0) {
      if (d->ret != DSN_RET_NONE) return 0;
      if (same(value, value_n, "FULL")) d->ret = DSN_RET_FULL;
      else if (same(value, value_n, "HDRS")) d->ret = DSN_RET_HDRS;
      else return 0;
    } else {
      if (d->envid || value_n > DSN_ENVID_MAX || !is_xtext(value, value_n)) return 0;
      d->envid = value;
      d->envid_n = value_n;
    }
  }
  return got == 0;
}

static const struct {
  const char *word;
  unsigned bit;
} notify_words[] = {{"NEVER", DSN_NEVER}, {"SUCCESS", DSN_SUCCESS}, {"FAILURE", DSN_FAILURE}, {"DELAY", DSN_DELAY}};
#define WORDS (sizeof notify_words / sizeof notify_words[0])

/* NEVER, or a list of the others; each once.  0 when it is not that. */
static unsigned notify(const char *s, size_t n) {
  unsigned bits = 0;

  for (;;) {
    size_t len = bytes_chr(s, n, ',');
    size_t i = 0;

    while (i < WORDS && !same(s, len, notify_words[i].word)) ++i;
    if (i == WORDS || bits & notify_words[i].bit) return 0;
    bits |= notify_words[i].bit;
    if (len == n) break;
    s += len + 1;
    n -= len + 1;
  }
  return bits & DSN_NEVER && bits != DSN_NEVER ? 0 : bits;
}

int dsn_rcpt_parse(const char *s, size_t n, struct dsn_rcpt *d) {
  static const char *keyword[] = {"NOTIFY", "ORCPT"};
  size_t which, value_n;
  const char *value;
  int got;

  memset(d, 0, sizeof *d);
  while ((got = next(&s, &n, keyword, 2, &which, &value, &value_n)) == 1) {
    if (which == 0) {
      if (d->notify) return 0;
      d->notify = notify(value, value_n);
      if (!d->notify) return 0;
    } else {
      if (d->orcpt || !is_orcpt(value, value_n)) return 0;
      d->orcpt = value;
      d->orcpt_n = value_n;
    }
  }
  return got == 0;
}

int dsn_mail_format(stralloc *out, const struct dsn_mail *d) {
  const char *ret = d->ret == DSN_RET_FULL ? "RET=FULL" : d->ret == DSN_RET_HDRS ? "RET=HDRS" : "";

  if (!stralloc_copys(out, ret)) return 0;
  if (!d->envid_n) return 1;
  return (!*ret || stralloc_append(out, ' ')) && stralloc_catlit(out, "ENVID=") &&
         stralloc_catb(out, d->envid, d->envid_n);
}

int dsn_rcpt_format(stralloc *out, const struct dsn_rcpt *d) {
  const char *before = "NOTIFY=";

  stralloc_cut(out, 0);
  for (size_t i = 0; i < WORDS; ++i) {
    if (!(d->notify & notify_words[i].bit)) continue;
    if (!stralloc_catm(out, before, notify_words[i].word, (char *)0)) return 0;
    before = ",";
  }
  if (!d->orcpt_n) return 1;
  return (!out->len || stralloc_append(out, ' ')) && stralloc_catlit(out, "ORCPT=") &&
         stralloc_catb(out, d->orcpt, d->orcpt_n);
}

int dsn_tell_failure(const char *s, size_t n) {
  struct dsn_rcpt d;

  return !dsn_rcpt_parse(s, n, &d) || !d.notify || d.notify & DSN_FAILURE;
}

int dsn_asks(const char *s, size_t n, unsigned what) {
  struct dsn_rcpt d;

  return dsn_rcpt_parse(s, n, &d) && (d.notify & what) != 0;
}

int dsn_xtext_decode(stralloc *out, const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    int c = (unsigned char)s[i];

    if (c == '+' && n - i >= 3 && hex_digit(s[i + 1]) != -1 && hex_digit(s[i + 2]) != -1) {
      c = hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]);
      i += 2;
    }
    if (!stralloc_append(out, c < 32 || c > 126 ? '?' : (char)c)) return 0;
  }
  return 1;
}

int dsn_xtext_encode(stralloc *out, const char *s, size_t n) {
  static const char hex[] = "0123456789ABCDEF";

  for (size_t i = 0; i < n; ++i) {
    unsigned char c = (unsigned char)s[i];
    char coded[3] = {'+', hex[c >> 4], hex[c & 15]};
    int plain = c >= 33 && c <= 126 && c != '+' && c != '=';

    if (!stralloc_catb(out, plain ? s + i : coded, plain ? 1 : 3)) return 0;
  }
  return 1;
}
