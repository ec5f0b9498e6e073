/* dsn: see dsn.h. */
#include "mail/dsn.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"

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

/* The next KEYWORD or KEYWORD=VALUE, whose value is null without =: 1, 0 at the end, -1 when it is
 * none. */
static int next(const char **s, size_t *n, const char **keyword, size_t *keyword_n, const char **value, size_t *value_n) {
  size_t word, equals;

  if (!*n) return 0;
  word = bytes_chr(*s, *n, ' ');
  equals = bytes_chr(*s, word, '=');
  if (!equals || word + 1 == *n) return -1;
  *keyword = *s;
  *keyword_n = equals;
  *value = equals < word ? *s + equals + 1 : 0;
  *value_n = equals < word ? word - equals - 1 : 0;
  word += word < *n;
  *s += word;
  *n -= word;
  return 1;
}

static int same(const char *s, size_t n, const char *word) {
  return n == strlen(word) && bytes_caseequal(s, word, n);
}

/* --- of MAIL; each takes its value, null without one: 1, or 0 when it makes no sense --- */

static int take_ret(struct dsn_mail *d, const char *s, size_t n) {
  d->ret = same(s, n, "FULL") ? DSN_RET_FULL : same(s, n, "HDRS") ? DSN_RET_HDRS : DSN_RET_NONE;
  return d->ret != DSN_RET_NONE;
}

static int take_envid(struct dsn_mail *d, const char *s, size_t n) {
  d->envid = s;
  d->envid_n = n;
  return n <= DSN_ENVID_MAX && is_xtext(s, n);
}

static int take_utf8(struct dsn_mail *d, const char *s, size_t n) {
  d->utf8 = 1;
  return !s;
}

static int take_requiretls(struct dsn_mail *d, const char *s, size_t n) {
  d->requiretls = 1;
  return !s;
}

static int take_priority(struct dsn_mail *d, const char *s, size_t n) {
  int minus = n && *s == '-';
  uint64_t u;

  if (!scan_u64_max(s + minus, n - (size_t)minus, DSN_PRIORITY_MAX, &u)) return 0;
  d->priority = minus ? -(int)u : (int)u;
  return 1;
}

static int take_hold(struct dsn_mail *d, const char *s, size_t n) {
  return scan_u64_max(s, n, INT64_MAX, &d->hold_until);
}

static int take_by(struct dsn_mail *d, const char *s, size_t n) {
  size_t semicolon = bytes_chr(s, n, ';');

  if (!scan_u64_max(s, semicolon, INT64_MAX, &d->by)) return 0;
  d->by_trace = n - semicolon == 3 && same(s + semicolon + 2, 1, "T");
  if (n - semicolon != (d->by_trace ? 3u : 2u)) return 0;
  d->by_mode = same(s + semicolon + 1, 1, "R") ? DSN_BY_RETURN : same(s + semicolon + 1, 1, "N") ? DSN_BY_NOTIFY : DSN_BY_NONE;
  return d->by_mode != DSN_BY_NONE;
}

static const struct {
  const char *keyword;
  int (*take)(struct dsn_mail *d, const char *s, size_t n);
} mail_words[] = {
    {"RET", take_ret},         {"ENVID", take_envid},         {"SMTPUTF8", take_utf8}, {"REQUIRETLS", take_requiretls},
    {"HOLDUNTIL", take_hold}, {"MT-PRIORITY", take_priority}, {"BY", take_by},
};
#define MAIL_WORDS (sizeof mail_words / sizeof mail_words[0])

int dsn_mail_parse(const char *s, size_t n, struct dsn_mail *d) {
  unsigned seen = 0;
  const char *keyword, *value;
  size_t keyword_n, value_n;
  int got;

  memset(d, 0, sizeof *d);
  while ((got = next(&s, &n, &keyword, &keyword_n, &value, &value_n)) == 1) {
    size_t i = 0;

    while (i < MAIL_WORDS && !same(keyword, keyword_n, mail_words[i].keyword)) ++i;
    if (i == MAIL_WORDS || seen & 1u << i || !mail_words[i].take(d, value, value_n)) return 0;
    seen |= 1u << i;
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
  const char *keyword, *value;
  size_t keyword_n, value_n;
  int got;

  memset(d, 0, sizeof *d);
  while ((got = next(&s, &n, &keyword, &keyword_n, &value, &value_n)) == 1) {
    if (same(keyword, keyword_n, "NOTIFY")) {
      if (d->notify) return 0;
      d->notify = value ? notify(value, value_n) : 0;
      if (!d->notify) return 0;
    } else if (same(keyword, keyword_n, "ORCPT")) {
      if (d->orcpt || !value || !is_orcpt(value, value_n)) return 0;
      d->orcpt = value;
      d->orcpt_n = value_n;
    } else {
      return 0;
    }
  }
  return got == 0;
}

/* A blank between two. */
static int begin_word(stralloc *out, const char *word) {
  return (!out->len || stralloc_append(out, ' ')) && stralloc_cats(out, word);
}

int dsn_mail_format(stralloc *out, const struct dsn_mail *d) {
  static const char *const ret[] = {[DSN_RET_FULL] = "RET=FULL", [DSN_RET_HDRS] = "RET=HDRS"};
  static const char *const mode[] = {[DSN_BY_NOTIFY] = ";N", [DSN_BY_RETURN] = ";R"};
  unsigned high = (unsigned)(d->priority < 0 ? -d->priority : d->priority);

  stralloc_cut(out, 0);
  return (d->ret == DSN_RET_NONE || begin_word(out, ret[d->ret])) &&
         (!d->envid_n || (begin_word(out, "ENVID=") && stralloc_catb(out, d->envid, d->envid_n))) &&
         (!d->utf8 || begin_word(out, "SMTPUTF8")) && (!d->requiretls || begin_word(out, "REQUIRETLS")) &&
         (!d->priority || (begin_word(out, d->priority < 0 ? "MT-PRIORITY=-" : "MT-PRIORITY=") && stralloc_catu64(out, high))) &&
         (!d->hold_until || (begin_word(out, "HOLDUNTIL=") && stralloc_catu64(out, d->hold_until))) &&
         (d->by_mode == DSN_BY_NONE ||
          (begin_word(out, "BY=") && stralloc_catu64(out, d->by) && stralloc_cats(out, mode[d->by_mode]) &&
           (!d->by_trace || stralloc_append(out, 'T'))));
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
  return begin_word(out, "ORCPT=") && stralloc_catb(out, d->orcpt, d->orcpt_n);
}

int dsn_tell_failure(const char *s, size_t n) {
  struct dsn_rcpt d;

  return !dsn_rcpt_parse(s, n, &d) || !d.notify || d.notify & DSN_FAILURE;
}

int dsn_asks(const char *s, size_t n, unsigned what) {
  struct dsn_rcpt d;

  return dsn_rcpt_parse(s, n, &d) && (d.notify & what) != 0;
}

/* It was held here, once. */
int dsn_mail_forward(stralloc *out, const char *s, size_t n) {
  struct dsn_mail d;

  stralloc_cut(out, 0);
  if (!dsn_mail_parse(s, n, &d)) return 1;
  d.hold_until = 0;
  return dsn_mail_format(out, &d);
}

/* Whoever asked for successes alone wants to hear nothing else. */
int dsn_rcpt_forward(stralloc *out, const char *s, size_t n, int several) {
  struct dsn_rcpt d;

  stralloc_cut(out, 0);
  if (!dsn_rcpt_parse(s, n, &d)) return 1;
  if (several && d.notify == DSN_SUCCESS) d.notify = DSN_NEVER;
  else if (several) d.notify &= ~(unsigned)DSN_SUCCESS;
  return dsn_rcpt_format(out, &d);
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
