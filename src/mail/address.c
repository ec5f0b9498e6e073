/* address: see address.h.
 *
 * The walk goes over tokens (word, quoted string, domain literal, comment, special).
 * An angle bracket makes everything before it a phrase; otherwise words joined by
 * dots and an @ are one address and a word that follows without either begins the
 * next (old lists without commas). */
#include "mail/address.h"

#include <string.h>

#include "base/bytes.h"

enum token { TOKEN_END, TOKEN_BLANK, TOKEN_WORD, TOKEN_SPECIAL, TOKEN_BAD };

/* The end of a quoted string, literal or comment that starts at i, or 0. */
static size_t skip_enclosed(const char *s, size_t n, size_t i, char open, char close) {
  size_t depth = 1;

  for (++i; i < n; ++i) {
    if (s[i] == '\\' && i + 1 < n) {
      ++i;
    } else if (s[i] == close) {
      if (!--depth) return i + 1;
    } else if (s[i] == open && open == '(') { /* only comments nest */
      ++depth;
    }
  }
  return 0;
}

static enum token next_token(const char *s, size_t n, size_t *i, size_t *start) {
  size_t end = 0;

  *start = *i;
  if (*i == n) return TOKEN_END;
  if (strchr(" \t\r\n", s[*i]) && s[*i]) {
    ++*i;
    return TOKEN_BLANK;
  }
  if (s[*i] == '(') end = skip_enclosed(s, n, *i, '(', ')');
  else if (s[*i] == '"') end = skip_enclosed(s, n, *i, '"', '"');
  else if (s[*i] == '[') end = skip_enclosed(s, n, *i, '[', ']');
  else if (s[*i] && strchr("<>,;:@.)]\\", s[*i])) {
    ++*i;
    return TOKEN_SPECIAL;
  } else {
    while (*i < n && !(s[*i] == 0) && !strchr(" \t\r\n()\"[]<>,;:@.\\", s[*i])) ++*i;
    if (*i == *start) ++*i; /* a NUL: part of a word like any other byte */
    return TOKEN_WORD;
  }
  if (!end) return TOKEN_BAD;
  *i = end;
  return s[*start] == '(' ? TOKEN_BLANK : TOKEN_WORD;
}

/* An address under construction. */
struct building {
  size_t start, end;
  size_t route; /* where a source route before it starts, + 1 */
  size_t at; /* position of the last @, or 0 when none (it cannot be first) */
  int any;
  int joined; /* the last token was a dot or an @: the next word belongs here */
};

struct walk {
  const char *s;
  size_t n;
  address_fn fn;
  void *ctx;
};

static int emit(const struct walk *w, const struct building *b) {
  struct address a;

  memset(&a, 0, sizeof a);
  a.start = b->route ? b->route - 1 : b->start;
  a.end = b->end;
  a.local = w->s + b->start;
  a.localn = (b->at ? b->at : b->end) - b->start;
  if (b->at && b->end > b->at + 1) {
    a.host = w->s + b->at + 1;
    a.hostn = b->end - b->at - 1;
  }
  return a.localn ? w->fn(w->ctx, &a) : 0;
}

static int finish(const struct walk *w, struct building *b) {
  int r = b->any ? emit(w, b) : 0;

  memset(b, 0, sizeof *b);
  return r;
}

static void extend(struct building *b, size_t start, size_t end) {
  if (!b->any) b->start = start;
  b->any = 1;
  b->end = end;
}

/* Inside < >: to the closing bracket.  A source route before a colon is dropped. */
static int walk_angle(const struct walk *w, size_t *i) {
  struct building b = {0};

  for (;;) {
    size_t start;
    enum token t = next_token(w->s, w->n, i, &start);

    if (t == TOKEN_BAD || t == TOKEN_END) return -1;
    if (t == TOKEN_BLANK) continue;
    if (t == TOKEN_SPECIAL && w->s[start] == '>') return finish(w, &b);
    if (t == TOKEN_SPECIAL && (w->s[start] == ':' || w->s[start] == ',')) {
      size_t route = b.route ? b.route : (b.any ? b.start : start) + 1;

      memset(&b, 0, sizeof b);
      b.route = route;
      continue;
    }
    if (t == TOKEN_SPECIAL && w->s[start] == '@' && b.any) b.at = start;
    if (t == TOKEN_SPECIAL && w->s[start] == '@' && !b.any) {
      /* The first hop of a route: what follows up to the colon is not ours. */
      b.any = 1;
      b.start = start;
    }
    extend(&b, start, *i);
  }
}

/* Ends what came before and takes the special character at start.  0 or not. */
static int take_special(const struct walk *w, struct building *b, size_t *i, size_t start) {
  switch (w->s[start]) {
    case '<': memset(b, 0, sizeof *b); return walk_angle(w, i);
    case ':': memset(b, 0, sizeof *b); return 0; /* the name of a group */
    case ',':
    case ';': return finish(w, b);
    case '@':
      if (b->any) {
        b->at = start;
        extend(b, start, *i);
        b->joined = 1;
      }
      return 0;
    case '.':
      if (b->any) {
        extend(b, start, *i);
        b->joined = 1;
      }
      return 0;
    default: return 0; /* stray brackets and backslashes */
  }
}

/* Does a < follow before the address could end?  Then the words are a phrase. */
static int is_phrase(const struct walk *w, size_t i) {
  for (;;) {
    size_t start;
    enum token t = next_token(w->s, w->n, &i, &start);

    if (t == TOKEN_END || t == TOKEN_BAD) return 0;
    if (t != TOKEN_SPECIAL) continue;
    if (w->s[start] == '<' || w->s[start] == ':') return 1;
    if (w->s[start] == ',' || w->s[start] == ';' || w->s[start] == '@') return 0;
  }
}

int address_walk(const char *s, size_t n, address_fn fn, void *ctx) {
  struct walk w = {s, n, fn, ctx};
  struct building b = {0};
  size_t i = 0;
  int r = 0;

  while (r == 0) {
    size_t start;
    enum token t = next_token(s, n, &i, &start);

    if (t == TOKEN_BAD) return -1;
    if (t == TOKEN_END) return finish(&w, &b);
    if (t == TOKEN_BLANK) continue;
    if (t == TOKEN_SPECIAL) {
      r = take_special(&w, &b, &i, start);
      continue;
    }
    if (b.any && !b.joined && b.end != start) {
      /* A second word: the rest of a phrase, or the next address of an old list. */
      if (is_phrase(&w, i)) memset(&b, 0, sizeof b);
      else r = finish(&w, &b);
    }
    extend(&b, start, i);
    b.joined = 0;
  }
  return r;
}

/* The host as it should be. */
static int complete_host(const struct address *a, const struct address_defaults *d, stralloc *out) {
  const char *host = a->hostn ? a->host : d->host;
  size_t n = a->hostn ? a->hostn : strlen(d->host);

  if (n && host[0] == '[') return stralloc_catb(out, host, n);
  if (n && host[n - 1] == '+') return stralloc_catb(out, host, n - 1) && stralloc_append(out, '.') && stralloc_cats(out, d->plus);
  if (!stralloc_catb(out, host, n)) return 0;
  if (bytes_chr(host, n, '.') < n || !*d->domain) return 1;
  return stralloc_append(out, '.') && stralloc_cats(out, d->domain);
}

/* Without quotes, backslashes, blanks and comments: as an envelope has it. */
static int unquote(const char *s, size_t n, stralloc *out) {
  int quoted = 0;

  for (size_t i = 0; i < n; ++i) {
    if (s[i] == '"') {
      quoted = !quoted;
      continue;
    }
    if (!quoted && s[i] == '(') {
      size_t end = skip_enclosed(s, n, i, '(', ')');

      if (end) i = end - 1;
      continue;
    }
    if (!quoted && s[i] && strchr(" \t\r\n", s[i])) continue;
    if (s[i] == '\\' && i + 1 < n) ++i;
    if (!stralloc_append(out, s[i])) return 0;
  }
  return 1;
}

struct rewriting {
  const char *s;
  size_t copied;
  const struct address_defaults *d;
  stralloc *out;
  struct strlist *list;
  stralloc one, envelope;
};

#define NO_MEMORY 2

static int rewrite_one(void *ctx, const struct address *a) {
  struct rewriting *r = ctx;

  stralloc_cut(&r->one, 0);
  if (!complete_host(a, r->d, &r->one)) return NO_MEMORY;
  if (!stralloc_catb(r->out, r->s + r->copied, a->start - r->copied) || !stralloc_catb(r->out, a->local, a->localn) ||
      !stralloc_append(r->out, '@') || !stralloc_cat(r->out, &r->one))
    return NO_MEMORY;
  r->copied = a->end;
  if (!r->list) return 0;
  stralloc_cut(&r->envelope, 0);
  if (!unquote(a->local, a->localn, &r->envelope) || !stralloc_append(&r->envelope, '@') ||
      !unquote(r->one.s, r->one.len, &r->envelope) || !strlist_add(r->list, r->envelope.s, r->envelope.len))
    return NO_MEMORY;
  return 0;
}

int address_rewrite(const char *s, size_t n, const struct address_defaults *d, stralloc *out,
                    struct strlist *list) {
  struct rewriting r = {.s = s, .d = d, .out = out, .list = list};
  int got = address_walk(s, n, rewrite_one, &r);
  int ok = got == 0 && stralloc_catb(out, s + r.copied, n - r.copied);

  stralloc_free(&r.one);
  stralloc_free(&r.envelope);
  if (got == -1) return -1;
  return ok;
}

static int is_atom(char c) {
  return (unsigned char)c > 32 && c != 127 && !strchr("()<>[]:;@\\,\"", c);
}

/* What would end a header field's line, or a command. */
static char no_line_end(char c) {
  return c == '\n' || c == '\r' || !c ? '_' : c;
}

int address_quote(const char *s, size_t n, stralloc *out) {
  size_t at = bytes_rchr(s, n, '@');
  int plain = at > 0 && s[0] != '.' && s[at - 1] != '.';

  for (size_t i = 0; i < at && plain; ++i) plain = is_atom(s[i]) && !(s[i] == '.' && s[i + 1] == '.');
  if (!n) return 1;
  if (!plain && !stralloc_append(out, '"')) return 0;
  for (size_t i = 0; i < at; ++i) {
    if (!plain && (s[i] == '"' || s[i] == '\\') && !stralloc_append(out, '\\')) return 0;
    if (!stralloc_append(out, no_line_end(s[i]))) return 0;
  }
  if (!plain && !stralloc_append(out, '"')) return 0;
  for (size_t i = at; i < n; ++i)
    if (!stralloc_append(out, no_line_end(s[i]))) return 0;
  return 1;
}
