/* content: see content.h.
 *
 * A line longer than LINE_LONGEST is looked at in pieces that overlap, so that a rule for what is
 * shorter than the overlap finds it wherever it stands. */
#include "smtp/content.h"

#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "base/wait.h"

#define LINE_LONGEST 8192
#define OVERLAP 1024
#define NAME_KEPT 255  /* bytes of a name */
#define NAMES_MAX 250  /* of a message, each of which may be asked for */
#define TURN (5 * NS_PER_MS) /* of looking, then others have theirs */

struct looking {
  struct content *c;
  const struct lists *lists;
};

int content_rules_open(struct content_rules *r, const struct conf *conf, struct strerr *e) {
  static const struct strlist none;
  uint64_t check = conf_number(conf, SET_viruscheck);
  const struct strlist *signatures = check >= 1 && check <= 4 ? conf_lines(conf, SET_signatures) : &none;

  memset(r, 0, sizeof *r);
  if (body_rules_compile(&r->body, stralloc_cstr(&conf->v[SET_bodycheck].where), conf_lines(conf, SET_bodycheck), e) == -1) return -1;
  return signatures_compile(&r->signatures, stralloc_cstr(&conf->v[SET_signatures].where), signatures, e);
}

void content_rules_close(struct content_rules *r) {
  body_rules_free(&r->body);
  signatures_free(&r->signatures);
}

int content_wanted(const struct content_rules *r, const struct lists *lists) {
  return r->body.len || r->signatures.len || list_is_there(lists, LIST_badext);
}

static void failed(struct content *c, const char *why) {
  c->name_failed = why;
}

/* For the question to the user database.  How a name ends is what counts, and a database takes no text
 * that is not UTF-8. */
static void keep(struct content *c, const char *name, size_t n) {
  stralloc text = STRALLOC_INIT;

  if (n > NAME_KEPT) {
    name += n - NAME_KEPT;
    n = NAME_KEPT;
  }
  if (!stralloc_copyb(&text, name, n)) failed(c, "out of memory");
  if (!utf8_valid(stralloc_cstr(&text), text.len))
    for (size_t i = 0; i < text.len; ++i)
      if ((unsigned char)text.s[i] >= 128) text.s[i] = '?';
  if (strlist_find(&c->names, stralloc_cstr(&text), text.len) == -1) {
    if (c->names.len == NAMES_MAX) c->too_many_names = 1;
    else if (!strlist_add(&c->names, text.s, text.len)) failed(c, "out of memory");
  }
  stralloc_free(&text);
}

static void take_turns(struct content *c) {
  deadline now = mono_now();

  if (c->turn && now - c->turn > TURN) wait_turn();
  if (!c->turn || now - c->turn > TURN) c->turn = mono_now();
}

static void on_name(void *ctx, const char *name, size_t n) {
  const struct looking *l = ctx;
  struct strerr e;

  take_turns(l->c);
  if (l->c->name.len) return;
  switch (list_match(l->lists, LIST_badext, name, n, 0, &e)) {
    case LIST_NO:
      if (l->lists->in_sql[LIST_badext]) keep(l->c, name, n);
      break;
    case LIST_YES:
      if (!stralloc_copyb(&l->c->name, name, n)) failed(l->c, "out of memory");
      break;
    case LIST_FAILED: failed(l->c, "unable to read badext.cdb, or an expression of badext takes too long"); break;
  }
}

/* whole 0: there is more of the line. */
static void look(struct content *c, const struct content_rules *r, const struct lists *lists, int whole) {
  struct looking l = {c, lists};
  const char *s = stralloc_cstr(&c->line);
  size_t n = c->line.len;

  take_turns(c);
  if (!c->cut && list_is_there(lists, LIST_badext) && !attachment_line(&c->attachments, s, n, whole, on_name, &l)) failed(c, "out of memory");
  if (!c->in_body && !n && !c->cut) {
    c->in_body = c->behind_blank = 1;
    return;
  }
  if (c->behind_blank && !c->signature) c->signature = signatures_match(&r->signatures, s, n);
  c->behind_blank = !n && !c->cut;
  if (!c->rule) {
    long rule = body_rules_match(&r->body, c->in_body ? BODY_IN_BODY : BODY_IN_HEADER, s, n, &c->cost);

    if (rule == -1) c->rule_failed = 1;
    else c->rule = (size_t)rule;
  }
}

static void end_line(struct content *c, const struct content_rules *r, const struct lists *lists) {
  look(c, r, lists, 1);
  stralloc_cut(&c->line, 0);
  c->cut = 0;
}

void content_feed(struct content *c, const struct content_rules *r, const struct lists *lists, const char *s, size_t n) {
  while (n) {
    size_t i = bytes_chr(s, n, '\n'), room = LINE_LONGEST - c->line.len;
    size_t take = i < room ? i : room;

    if (!stralloc_catb(&c->line, s, take)) {
      failed(c, "out of memory");
      c->rule_failed = 1;
      return;
    }
    s += take;
    n -= take;
    if (take == i) {
      if (!n) return; /* no line end yet */
      ++s;
      --n;
      end_line(c, r, lists);
    } else { /* full, and there is more of it */
      look(c, r, lists, 0);
      stralloc_shift(&c->line, c->line.len - OVERLAP);
      c->cut = 1;
    }
  }
}

void content_end(struct content *c, const struct content_rules *r, const struct lists *lists) {
  if (c->line.len) end_line(c, r, lists);
}

void content_free(struct content *c) {
  stralloc_free(&c->line);
  stralloc_free(&c->name);
  strlist_free(&c->names);
  attachment_free(&c->attachments);
  body_rules_cost_free(&c->cost);
  memset(c, 0, sizeof *c);
}
