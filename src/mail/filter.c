/* filter: see filter.h. */
#include "mail/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/pattern.h"

static const char *const words[FILTER_COMPARISONS] = {"equals", "contains", "not", "starts", "ends", "nottome", "number", "regex"};

/* By their old numbers. */
static const char *const headers[] = {
    "return-path", "from", "subject", "to", "cc", "bcc", "reply-to", "date", "sender", "user-agent", "message-id", "mime-version", "content-type",
    "content-transfer-encoding", "precedence", "organization", "errors-to", "list-id", "importance", "mailing-list", "x-sender", "x-mailing-list",
    "x-ml-name", "x-list", "x-loop", "x-beenthere", "x-sequence", "x-mailer", "x-qhpsi", "x-priority", "x-spam-status", "x-spam-rating",
    "x-bogosity", "received", "x-quarantine", "domainkey-signature", "dkim-signature", "dkim-status", "domainkey-status", "x-forwarded-to",
    "x-forwarded-for", "return-receipt-to", "disposition-notification-to", "disposition-notification-options", "original-recipient",
    "x-bitdefender-spam", "x-dspam-result"};

int filter_comparison_find(const char *s, enum filter_comparison *c) {
  uint32_t number;
  int i = 0;

  if (scan_u32(s, strlen(s), &number)) {
    *c = (enum filter_comparison)number;
    return number < FILTER_COMPARISONS;
  }
  while (i < FILTER_COMPARISONS && strcmp(words[i], s) != 0) ++i;
  *c = (enum filter_comparison)i;
  return i < FILTER_COMPARISONS;
}

const char *filter_comparison_name(enum filter_comparison c) {
  return words[c];
}

const char *filter_header(const char *s) {
  size_t n = strlen(s);
  uint32_t number;

  if (scan_u32(s, n, &number)) return number < sizeof headers / sizeof *headers ? headers[number] : 0;
  for (size_t i = 0; i < n; ++i)
    if (s[i] <= ' ' || s[i] > 126 || s[i] == ':') return 0;
  return n && n <= FILTER_TEXT_MAX ? s : 0;
}

/* --- expressions of numbers: comparisons of %p, && and || between them, && first --- */

struct expression {
  const char *s;
  double p;
  int bad;
};

static void blanks(struct expression *x) {
  while (*x->s == ' ' || *x->s == '\t') ++x->s;
}

static double operand(struct expression *x) {
  char *end;
  double d;

  blanks(x);
  if (x->s[0] == '%' && x->s[1] == 'p') {
    x->s += 2;
    return x->p;
  }
  d = strtod(x->s, &end);
  if (end == x->s) x->bad = 1;
  x->s = end;
  return d;
}

static int relation(struct expression *x) {
  static const struct {
    const char *sign;
    int less, equal, more;
  } signs[] = {{"<=", 1, 1, 0}, {">=", 0, 1, 1}, {"==", 0, 1, 0}, {"!=", 1, 0, 1}, {"<", 1, 0, 0}, {">", 0, 0, 1}};
  double a = operand(x), b;
  size_t i = 0;

  blanks(x);
  while (i < sizeof signs / sizeof *signs && strncmp(x->s, signs[i].sign, strlen(signs[i].sign)) != 0) ++i;
  if (i == sizeof signs / sizeof *signs) {
    x->bad = 1;
    return 0;
  }
  x->s += strlen(signs[i].sign);
  b = operand(x);
  blanks(x);
  return a < b ? signs[i].less : a > b ? signs[i].more : signs[i].equal;
}

static int all_of(struct expression *x) {
  int is = relation(x);

  while (!x->bad && !strncmp(x->s, "&&", 2)) {
    x->s += 2;
    is &= relation(x);
  }
  return is;
}

/* 1, 0, or -1 when it is no expression. */
static int evaluate(const char *s, double p) {
  struct expression x = {s, p, 0};
  int is = all_of(&x);

  while (!x.bad && !strncmp(x.s, "||", 2)) {
    x.s += 2;
    is |= all_of(&x);
  }
  return x.bad || *x.s ? -1 : is;
}

/* The first number in a text: 1 or 0. */
static int number_in(const char *s, double *p) {
  for (; *s; ++s)
    if ((*s >= '0' && *s <= '9') || ((*s == '-' || *s == '.') && s[1] >= '0' && s[1] <= '9')) {
      *p = strtod(s, 0);
      return 1;
    }
  return 0;
}

/* --- rules --- */

const char *filter_fault(const struct filter_rule *r) {
  struct strerr e;
  struct pattern *p;

  if (r->comparison == FILTER_NOT_TO_ME) return 0;
  if (!filter_header(r->header)) return "no name of a header field";
  if (!*r->keyword || strlen(r->keyword) > FILTER_TEXT_MAX || strpbrk(r->keyword, "\r\n")) return "a keyword has 1 to 255 characters, on one line";
  if (r->comparison == FILTER_NUMBER) return evaluate(r->keyword, 0) == -1 ? "no expression of %p and numbers" : 0;
  if (r->comparison != FILTER_REGEX) return 0;
  p = pattern_compile(r->keyword, strlen(r->keyword), &e);
  pattern_free(p);
  return p ? 0 : "a malformed regular expression";
}

struct wanted {
  const char *s;
  size_t n;
};

static int is_recipient(void *ctx, const struct address *a) {
  const struct wanted *w = ctx;
  size_t at = bytes_rchr(w->s, w->n, '@');

  return at < w->n && a->localn == at && bytes_caseequal(a->local, w->s, at) && a->hostn == w->n - at - 1 && bytes_caseequal(a->host, w->s + at + 1, a->hostn);
}

static int is_addressee(const char *name, size_t n) {
  return (n == 2 && (bytes_caseequal(name, "to", 2) || bytes_caseequal(name, "cc", 2))) || (n == 3 && bytes_caseequal(name, "bcc", 3));
}

int filter_field(struct filter_message *m, const char *s, size_t n) {
  struct wanted w = {m->recipient, strlen(m->recipient)};
  size_t body, start;
  size_t name = header_name(s, n, &body);

  if (!name) return 1;
  if (is_addressee(s, name) && address_walk(s + body, n - body, is_recipient, &w) == 1) m->named = 1;
  start = m->text.len;
  if (!stralloc_catb(&m->text, s, name) || !stralloc_append(&m->text, 0)) return 0;
  while (n > body && (s[body] == ' ' || s[body] == '\t')) ++body;
  for (size_t i = body; i < n; ++i)
    if (s[i] && s[i] != '\n' && s[i] != '\r' && !stralloc_append(&m->text, s[i])) return 0;
  bytes_lower(m->text.s + start, m->text.len - start);
  return stralloc_append(&m->text, 0);
}

static int compare(enum filter_comparison how, const char *body, const char *keyword, const struct pattern *pattern) {
  size_t n = strlen(body), k = strlen(keyword);
  double p;

  switch (how) {
    case FILTER_EQUALS: return n == k && !memcmp(body, keyword, k);
    case FILTER_CONTAINS: return strstr(body, keyword) != 0;
    case FILTER_CONTAINS_NOT: return strstr(body, keyword) == 0;
    case FILTER_STARTS: return n >= k && !memcmp(body, keyword, k);
    case FILTER_ENDS: return n >= k && !memcmp(body + n - k, keyword, k);
    case FILTER_NUMBER: return number_in(body, &p) && evaluate(keyword, p) == 1;
    case FILTER_REGEX: return pattern && pattern_match(pattern, body, n) == PATTERN_YES;
    case FILTER_NOT_TO_ME:
    case FILTER_COMPARISONS: break;
  }
  return 0;
}

/* Of several fields of that name one is enough, but none may have what none is to have. */
static int search(const struct filter_message *m, const struct filter_rule *r, const char *header, const char *keyword, const struct pattern *pattern) {
  int all = r->comparison == FILTER_CONTAINS_NOT, found = 0;
  const char *s = m->text.s, *end = s + m->text.len;

  while (s < end) {
    const char *body = s + strlen(s) + 1;

    if (!strcmp(s, header)) {
      int is = compare(r->comparison, body, keyword, pattern);

      if (is != all) return is;
      found = 1;
    }
    s = body + strlen(body) + 1;
  }
  return all && found;
}

int filter_matches(const struct filter_message *m, const struct filter_rule *r) {
  stralloc keyword = STRALLOC_INIT, header = STRALLOC_INIT;
  struct pattern *pattern = 0;
  struct strerr e;
  int is = 0;

  if (r->comparison == FILTER_NOT_TO_ME) return !m->named;
  if (filter_fault(r)) return 0;
  if (r->comparison == FILTER_REGEX) pattern = pattern_compile(r->keyword, strlen(r->keyword), &e);
  if (stralloc_copys(&keyword, r->keyword) && stralloc_copys(&header, filter_header(r->header))) {
    if (r->comparison != FILTER_NUMBER) bytes_lower(keyword.s, keyword.len);
    bytes_lower(header.s, header.len);
    is = search(m, r, header.s, keyword.s, pattern);
  }
  pattern_free(pattern);
  stralloc_free(&keyword);
  stralloc_free(&header);
  return is;
}

void filter_message_free(struct filter_message *m) {
  stralloc_free(&m->text);
}
