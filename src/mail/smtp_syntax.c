/* smtp_syntax: see smtp_syntax.h. */
#include "mail/smtp_syntax.h"

#include <string.h>

#include "base/bytes.h"

#define LABEL_MAX 63

/* What is left of the input. */
struct text {
  const char *s;
  size_t n;
};

static int blank(char c) {
  return c == ' ' || c == '\t';
}

static int letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int alnum(char c) {
  return letter(c) || (c >= '0' && c <= '9');
}

static int high(char c) {
  return (unsigned char)c > 127;
}

void smtp_command_split(const char *line, size_t n, struct smtp_command *c) {
  size_t i = 0;

  while (i < n && letter(line[i])) ++i;
  c->verb = line;
  c->verb_n = i < n && !blank(line[i]) ? 0 : i;
  while (i < n && blank(line[i])) ++i;
  while (n > i && blank(line[n - 1])) --n;
  c->arg = line + i;
  c->arg_n = n - i;
}

static int take(struct text *t, char c) {
  if (!t->n || *t->s != c) return 0;
  ++t->s;
  --t->n;
  return 1;
}

/* Length of the host name at the start; labels of letters, digits, hyphens and
 * underscores (8-bit for the caller to judge).  0: none. */
static size_t domain_length(const char *s, size_t n) {
  size_t i = 0, label = 0;

  for (; i < n; ++i) {
    if (alnum(s[i]) || s[i] == '_' || high(s[i])) ++label;
    else if (s[i] == '-' && label) ++label;
    else if (s[i] == '.' && label && s[i - 1] != '-') label = 0;
    else break;
    if (label > LABEL_MAX) return 0;
  }
  return label && s[i - 1] != '-' && i <= SMTP_DOMAIN_MAX ? i : 0;
}

int smtp_is_domain(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (high(s[i])) return 0;
  return n && domain_length(s, n) == n;
}

/* Length of "[address]" at the start, with its value; 0: none. */
static size_t literal_length(const char *s, size_t n, struct ip *ip) {
  static const char tag[] = "IPv6:";
  size_t end = bytes_chr(s, n, ']');
  struct ip found;

  if (!n || s[0] != '[' || end == n) return 0;
  if (bytes_casestarts(s + 1, end - 1, tag)) {
    if (!ip_scan(s + sizeof tag, end - sizeof tag, &found) || !memchr(s + sizeof tag, ':', end - sizeof tag)) return 0;
  } else if (memchr(s, ':', end) || !ip_scan(s + 1, end - 1, &found)) {
    return 0;
  }
  *ip = found;
  return end + 1;
}

static int atext(char c) {
  return alnum(c) || high(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static int add(struct smtp_path *p, char c) {
  if (high(c)) p->eight_bit = 1;
  return stralloc_append(&p->address, c);
}

/* Atoms with single dots between them. */
static enum smtp_syntax dot_string(struct text *t, struct smtp_path *p) {
  char before = '.';

  for (; t->n && (atext(*t->s) || *t->s == '.'); ++t->s, --t->n) {
    if (*t->s == '.' && before == '.') return SMTP_SYNTAX;
    before = *t->s;
    if (!add(p, before)) return SMTP_NO_MEMORY;
  }
  return before == '.' ? SMTP_SYNTAX : SMTP_OK;
}

static enum smtp_syntax quoted_string(struct text *t, struct smtp_path *p) {
  while (t->n && *t->s != '"') {
    take(t, '\\');
    if (!t->n || (unsigned char)*t->s < ' ' || *t->s == 127) return SMTP_SYNTAX;
    if (!add(p, *t->s)) return SMTP_NO_MEMORY;
    ++t->s;
    --t->n;
  }
  return take(t, '"') && p->address.len ? SMTP_OK : SMTP_SYNTAX;
}

/* "@host,@host:" before the address means nothing any more (RFC 5321 appendix C). */
static enum smtp_syntax source_route(struct text *t) {
  if (!t->n || *t->s != '@') return SMTP_OK;
  do {
    struct ip ip;
    size_t n;

    if (!take(t, '@')) return SMTP_SYNTAX;
    n = t->n && *t->s == '[' ? literal_length(t->s, t->n, &ip) : domain_length(t->s, t->n);
    if (!n) return SMTP_SYNTAX;
    t->s += n;
    t->n -= n;
  } while (take(t, ','));
  return take(t, ':') ? SMTP_OK : SMTP_SYNTAX;
}

static enum smtp_syntax domain(struct text *t, struct smtp_path *p) {
  size_t n = t->n && *t->s == '[' ? literal_length(t->s, t->n, &p->ip) : domain_length(t->s, t->n);

  if (!n) return SMTP_SYNTAX;
  for (size_t i = 0; i < n; ++i)
    if (!add(p, t->s[i])) return SMTP_NO_MEMORY;
  t->s += n;
  t->n -= n;
  return SMTP_OK;
}

static enum smtp_syntax mailbox(struct text *t, struct smtp_path *p) {
  enum smtp_syntax r = take(t, '"') ? quoted_string(t, p) : dot_string(t, p);

  if (r != SMTP_OK) return r;
  p->at = p->address.len;
  if (!take(t, '@')) return SMTP_OK;
  if (!stralloc_append(&p->address, '@')) return SMTP_NO_MEMORY;
  return domain(t, p);
}

enum smtp_syntax smtp_path_parse(const char *s, size_t n, struct smtp_path *p, size_t *used) {
  struct text t = {s, n};
  enum smtp_syntax r;

  stralloc_cut(&p->address, 0);
  p->at = 0;
  p->eight_bit = 0;
  memset(&p->ip, 0, sizeof p->ip);
  if (!take(&t, '<')) return SMTP_SYNTAX;
  if (!take(&t, '>')) {
    r = source_route(&t);
    if (r == SMTP_OK) r = mailbox(&t, p);
    if (r == SMTP_OK && !take(&t, '>')) r = SMTP_SYNTAX;
    if (r != SMTP_OK) return r;
  }
  *used = (size_t)(t.s - s);
  return p->address.len > SMTP_ADDRESS_MAX ? SMTP_TOO_LONG : SMTP_OK;
}

enum smtp_syntax smtp_path_argument(const char *s, size_t n, const char *keyword, struct smtp_path *p,
                                    const char **rest, size_t *rest_n) {
  size_t k = strlen(keyword), used = 0;
  enum smtp_syntax r;

  if (!bytes_casestarts(s, n, keyword)) return SMTP_SYNTAX;
  s += k;
  n -= k;
  while (n && blank(*s)) { /* against the grammar, and seen every day */
    ++s;
    --n;
  }
  r = smtp_path_parse(s, n, p, &used);
  if (r != SMTP_OK) return r;
  *rest = s + used;
  *rest_n = n - used;
  return *rest_n && !blank(**rest) ? SMTP_SYNTAX : SMTP_OK;
}

enum smtp_syntax smtp_path_plain(const char *s, size_t n, struct smtp_path *p) {
  struct text t;
  enum smtp_syntax r;

  stralloc_cut(&p->address, 0);
  p->eight_bit = 0;
  memset(&p->ip, 0, sizeof p->ip);
  p->at = bytes_rchr(s, n, '@');
  if (n > SMTP_ADDRESS_MAX) return SMTP_TOO_LONG;
  if (n && !p->at) return SMTP_SYNTAX;
  for (size_t i = 0; i < p->at; ++i) {
    if ((unsigned char)s[i] < ' ' || s[i] == 127) return SMTP_SYNTAX;
    if (!add(p, s[i])) return SMTP_NO_MEMORY;
  }
  if (p->at == n) return SMTP_OK;
  if (!add(p, '@')) return SMTP_NO_MEMORY;
  t = (struct text){s + p->at + 1, n - p->at - 1};
  r = domain(&t, p);
  return r == SMTP_OK && t.n ? SMTP_SYNTAX : r;
}

const char *smtp_path_domain(const struct smtp_path *p, size_t *n) {
  if (p->at >= p->address.len) {
    *n = 0;
    return "";
  }
  *n = p->address.len - p->at - 1;
  return p->address.s + p->at + 1;
}

void smtp_path_free(struct smtp_path *p) {
  stralloc_free(&p->address);
  memset(p, 0, sizeof *p);
}

int smtp_parameter_next(const char **s, size_t *n, struct smtp_parameter *p) {
  const char *w = *s;
  size_t left = *n, i;

  memset(p, 0, sizeof *p);
  while (left && blank(*w)) {
    ++w;
    --left;
  }
  for (i = 0; i < left && !blank(w[i]); ++i) {
    if (w[i] == '=' && !p->value) {
      p->keyword_n = i;
      p->value = w + i + 1;
    } else if (p->value ? w[i] <= ' ' || w[i] > 126 || w[i] == '=' : !alnum(w[i]) && !(w[i] == '-' && i)) {
      return -1;
    }
  }
  if (p->value) p->value_n = (size_t)(w + i - p->value);
  else p->keyword_n = i;
  p->keyword = w;
  *s = w + i;
  *n = left - i;
  if (!i) return 0;
  return p->keyword_n && (!p->value || p->value_n) ? 1 : -1;
}
