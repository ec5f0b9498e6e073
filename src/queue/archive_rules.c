/* archive_rules: see archive_rules.h. */
#include "queue/archive_rules.h"

#include <string.h>

#include "base/bytes.h"
#include "mail/addrlist.h"

struct rule {
  int from, rcpt, invert;
  stralloc pattern;
  const char *to;
  size_t to_n;
};

/* 1, 0 no rule, -1 no memory. */
static int parse(struct rule *r, const stralloc *line) {
  size_t first = bytes_chr(line->s, line->len, ':');
  size_t last = bytes_rchr(line->s, line->len, ':');
  const char *pattern = line->s + first + 1;
  char type = first ? line->s[0] : '*';

  if (first > 1 || last <= first || last == line->len || !strchr("FTft*", type)) return 0;
  r->from = type != 'T' && type != 't';
  r->rcpt = type != 'F' && type != 'f';
  r->invert = *pattern == '!';
  r->to = line->s + last + 1;
  r->to_n = line->len - last - 1;
  if (!r->to_n) return 0;
  return stralloc_copyb(&r->pattern, pattern + r->invert, last - first - 1 - (size_t)r->invert) ? 1 : -1;
}

static int put_destination(stralloc *out, const struct rule *r, const stralloc *address) {
  size_t at = bytes_rchr(address->s, address->len, '@');

  stralloc_cut(out, 0);
  for (size_t i = 0; i < r->to_n; ++i) {
    char c = r->to[i];
    char what = c == '%' && i + 1 < r->to_n ? r->to[i + 1] : 0;
    int ok;

    i += what == 'u' || what == 'd' || what == 'e' || what == '%';
    if (what == 'u') ok = stralloc_catb(out, address->s, at);
    else if (what == 'd') ok = at == address->len || stralloc_catb(out, address->s + at + 1, address->len - at - 1);
    else if (what == 'e') ok = stralloc_cat(out, address);
    else ok = stralloc_append(out, c);
    if (!ok) return 0;
  }
  return 1;
}

static int consider(const struct rule *r, const stralloc *address, const struct strlist *recipients, struct strlist *to) {
  static char null_sender[] = "<>";
  const stralloc shown = address->len ? *address : (stralloc){null_sender, 2, 0};
  stralloc out = STRALLOC_INIT;
  int ok = 1;

  if (addrlist_line(stralloc_cstr(&r->pattern), shown.s, shown.len) == r->invert) return 1;
  ok = put_destination(&out, r, &shown);
  if (ok && out.len && strlist_find(recipients, out.s, out.len) < 0 && strlist_find(to, out.s, out.len) < 0)
    ok = strlist_add(to, out.s, out.len);
  stralloc_free(&out);
  return ok;
}

int archive_rules_apply(const struct strlist *rules, const stralloc *sender, const struct strlist *recipients,
                        struct strlist *to) {
  struct rule r = {0};
  int ok = 1;

  for (size_t i = 0; ok && i < rules->len; ++i) {
    int got = parse(&r, &rules->item[i]);

    ok = got != -1;
    if (got == 1 && r.from) ok = consider(&r, sender, recipients, to);
    for (size_t j = 0; ok && got == 1 && r.rcpt && j < recipients->len; ++j)
      ok = consider(&r, &recipients->item[j], recipients, to);
  }
  stralloc_free(&r.pattern);
  return ok;
}
