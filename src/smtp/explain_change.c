/* explain_change: the smallest change that makes another outcome, found by making it: the server
 * rehearses once for each candidate.  Candidates are what the deciding check looks at, its switch in
 * control/policy, and what the client is; where a message is accepted, whatever may have let it in. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "smtp/explain.h"

#define LIST_MAX (1u << 20) /* bytes of a list whose lines are tried */

struct search {
  const struct explain_question *q;
  const struct explanation *now;
  const struct explain_teller *teller;
  struct strerr *e;
  struct strlist tried; /* files */
  int helped;
  stralloc control, bytes, what;
};

#define FIXED 0
#define OFF 1
static const struct {
  const char *name;
  int may;
} checks[] = {
#define CHECK(name, stage, function, settings, exempt, failure, event, may, meaning) {#name, may},
#include "smtp/checks.def"
};
#undef CHECK

/* A line more in a file that lets the sender's or the recipient's domain in. */
static const struct {
  const char *check, *file;
  int sender;
} additions[] = {{"rcpthosts", "rcpthosts", 0}, {"cugmail", "rcpthosts", 1}, {"cugmail_rcpt", "rcpthosts", 0}};

static int no_memory(struct search *s) {
  errno = ENOMEM;
  return strerr_sys(s->e, "unable to look for changes", (char *)0);
}

/* 1 when this makes another outcome, 0 when not or when the settings would be bad, -1. */
static int makes_another(struct search *s, const struct explain_change *c, const char *what) {
  struct explanation then = {0};
  struct strerr bad;
  int r = explain_run(s->q, c, &then, &bad);
  int other = r == 0 && then.outcome != s->now->outcome;

  if (other && what) {
    s->helped = 1;
    s->teller->tell(s->teller->ctx, what, 1, &then);
  }
  explanation_free(&then);
  return other;
}

static int say(struct search *s, const char *a, const char *b, const char *c) {
  stralloc_cut(&s->what, 0);
  return stralloc_catm(&s->what, a, b, c, (char *)0);
}

/* --- variables --- */

static const struct conf_row *find_setting(const char *id) {
  for (int i = 0; i < SETTINGS; ++i)
    if (!strcmp(conf_rows[i].id, id)) return &conf_rows[i];
  return 0;
}

/* The value that says no more than there is; null where there is nothing to take away. */
static const char *other_value(const struct conf_row *row, const struct explain_record *set) {
  int off = !strcmp(set->field[4], "off");

  switch (row->type) {
    case CONF_BOOL: return off ? "=1" : "=0";
    case CONF_NUMBER:
    case CONF_SECONDS: return !strcmp(set->field[4], "0") ? 0 : "=0";
    case CONF_LINE:
    case CONF_TEXT: return !strcmp(set->field[2], "variable") ? "" : 0;
    case CONF_LINES:
    case CONF_LIST: return 0;
  }
  return 0;
}

static int try_variable(struct search *s, const struct explain_record *set) {
  const struct conf_row *row = find_setting(set->field[1]);
  const char *value = row && (row->override == CONF_VALUE || row->override == CONF_OPEN) ? other_value(row, set) : 0;
  stralloc variable = STRALLOC_INIT;
  struct explain_change c = {0};
  const char *name;
  int r = 0;

  if (!value) return 0;
  name = !strcmp(set->field[2], "variable") ? set->field[3] : row->variables;
  if (!stralloc_copyb(&variable, name, strcspn(name, ",")) || !say(s, variable.s, *value ? value : " not set", "") ||
      (!strcmp(set->field[2], "file") && !stralloc_catm(&s->what, ", or ", row->file, " to say so, which is now ", set->field[3], (char *)0)) ||
      !stralloc_cats(&variable, value))
    r = no_memory(s);
  c.variable = stralloc_cstr(&variable);
  if (r == 0) (void)makes_another(s, &c, s->what.s);
  stralloc_free(&variable);
  return r;
}

/* --- lines of files --- */

/* Where the n-th line of text begins. */
static size_t line_at(const stralloc *text, size_t n) {
  size_t i = 0;

  while (n-- && i < text->len) i += bytes_chr(text->s + i, text->len - i, '\n') + 1;
  return i < text->len ? i : text->len;
}

static int without(struct search *s, const char *file, const stralloc *text, size_t from, size_t to, const char *what) {
  const struct explain_change c = {.file = file, .bytes = &s->bytes};
  size_t a = line_at(text, from), b = line_at(text, to);

  if (!stralloc_copyb(&s->bytes, text->s, a) || !stralloc_catb(&s->bytes, text->s + b, text->len - b)) return no_memory(s);
  return makes_another(s, &c, what);
}

/* Halves of what matters, as long as one half does it alone. */
static int narrow(struct search *s, const char *file, const stralloc *text, size_t *from, size_t *to) {
  while (*to - *from > 1) {
    size_t middle = *from + (*to - *from) / 2;
    int r = without(s, file, text, *from, middle, 0);

    if (r == 1) *to = middle;
    if (r == 0) r = without(s, file, text, middle, *to, 0) == 1 ? 2 : 0;
    if (r == 2) *from = middle;
    if (r <= 0) return r;
  }
  return 0;
}

static int tell_lines(struct search *s, const char *file, const stralloc *text, size_t from, size_t to) {
  size_t at = line_at(text, from);
  int one = to - from == 1;
  int ok = say(s, "without line ", s->control.s, "/") && stralloc_cats(&s->what, file) && stralloc_append(&s->what, ':') && stralloc_catu64(&s->what, from + 1);

  if (one) ok = ok && stralloc_cats(&s->what, ", ") && stralloc_catb(&s->what, text->s + at, bytes_chr(text->s + at, text->len - at, '\n'));
  else ok = ok && stralloc_cats(&s->what, " to ") && stralloc_catu64(&s->what, to);
  return !ok ? no_memory(s) : without(s, file, text, from, to, s->what.s) == -1 ? -1 : 0;
}

static int try_lines(struct search *s, const char *file) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  size_t from = 0, to = 0;
  int r = 0;

  if (strlist_find(&s->tried, file, strlen(file)) != -1) return 0;
  if (!strlist_add(&s->tried, file, strlen(file)) || !stralloc_catm(&path, s->control.s, "/", file, (char *)0)) return no_memory(s);
  if (file_read(path.s, &text, LIST_MAX) == 1 && text.len) {
    for (size_t i = 0; i < text.len; ++i) to += text.s[i] == '\n' || i + 1 == text.len;
    r = without(s, file, &text, from, to, 0);
    if (r == 1) r = narrow(s, file, &text, &from, &to) == -1 ? -1 : tell_lines(s, file, &text, from, to);
  }
  stralloc_free(&path);
  stralloc_free(&text);
  return r;
}

/* A file of the control directory, in whatever way the setting names it. */
static const char *file_of(const struct search *s, const struct explain_record *set) {
  size_t n = s->control.len;
  const char *where = set->field[3];

  return !strncmp(where, s->control.s, n) && where[n] == '/' && !strchr(where + n + 1, '/') && !strchr(where + n + 1, ':') ? where + n + 1 : 0;
}

/* One line more. */
static int try_line(struct search *s, const char *file, const char *line, size_t n) {
  const struct explain_change c = {.file = file, .bytes = &s->bytes};
  stralloc path = STRALLOC_INIT;
  int ok;

  stralloc_cut(&s->bytes, 0);
  ok = stralloc_catm(&path, s->control.s, "/", file, (char *)0) && file_read(path.s, &s->bytes, LIST_MAX) != -1;
  if (s->bytes.len && s->bytes.s[s->bytes.len - 1] != '\n') ok = ok && stralloc_append(&s->bytes, '\n');
  ok = ok && stralloc_catb(&s->bytes, line, n) && stralloc_append(&s->bytes, '\n') && say(s, "one more line in ", path.s, ", ") &&
       stralloc_catb(&s->what, line, n);
  stralloc_free(&path);
  if (!ok) return no_memory(s);
  (void)makes_another(s, &c, s->what.s);
  return 0;
}

static int try_domain(struct search *s, const char *check) {
  for (size_t i = 0; i < sizeof additions / sizeof *additions; ++i) {
    const char *address = additions[i].sender ? s->q->sender : s->q->recipient;
    const char *domain = strrchr(address, '@');

    if (!strcmp(additions[i].check, check) && domain && domain[1] && try_line(s, additions[i].file, domain + 1, strlen(domain + 1)) == -1) return -1;
  }
  return 0;
}

/* --- the check's switch --- */

static int may_switch(const char *check) {
  for (size_t i = 0; i < sizeof checks / sizeof *checks; ++i)
    if (!strcmp(checks[i].name, check)) return checks[i].may;
  return 0;
}

/* What the next check says when this one is out of the way. */
static int tell_next(struct search *s) {
  const struct explain_change c = {.file = "policy", .bytes = &s->bytes};
  struct explanation then = {0};
  struct strerr bad;

  if (explain_run(s->q, &c, &then, &bad) == 0) s->teller->tell(s->teller->ctx, s->what.s, 0, &then);
  explanation_free(&then);
  return 0;
}

static int try_switch(struct search *s, const char *check) {
  stralloc line = STRALLOC_INIT;
  int r = 0;

  if (!may_switch(check)) return 0;
  r = stralloc_catm(&line, check, ":warn", (char *)0) ? try_line(s, "policy", line.s, line.len) : no_memory(s);
  stralloc_cut(&line, 0);
  if (r == 0) r = stralloc_catm(&line, check, ":off", (char *)0) ? try_line(s, "policy", line.s, line.len) : no_memory(s);
  if (r == 0 && !s->helped) r = tell_next(s);
  stralloc_free(&line);
  return r;
}

/* --- the client --- */

static int relays(const struct explanation *now) {
  for (size_t i = 0; i < now->len; ++i)
    if (!strcmp(now->record[i].field[0], "in") && !strcmp(now->record[i].field[1], "relay")) return !strcmp(now->record[i].field[2], "yes");
  return 0;
}

static void try_client(struct search *s) {
  int relay = relays(s->now), user = s->q->user != 0, tls = s->q->tls;
  const struct {
    int applies;
    const char *what;
    struct explain_change change;
  } more[] = {
      {!relay, "RELAYCLIENT set, by a rule of tcprules(1) say", {.variable = "RELAYCLIENT="}},
      {relay, "RELAYCLIENT not set", {.variable = "RELAYCLIENT"}},
      {!user, "a client that logs in", {.logs_in = 1, .uses_tls = 1}},
      {user, "a client that does not log in", {.logs_in = -1}},
      {!tls, "a client that uses TLS", {.uses_tls = 1}},
      {tls, "a client that does not use TLS", {.uses_tls = -1}},
  };
  int refused = s->now->outcome != EXPLAIN_ACCEPTED;

  for (size_t i = 0; i < sizeof more / sizeof *more; ++i)
    if (more[i].applies && (refused || i % 2)) (void)makes_another(s, &more[i].change, more[i].what);
}

/* --- all of them --- */

static int try_settings(struct search *s, const struct explain_record *row, int variables) {
  const struct explain_record *set = row;
  int r = 0;

  while (r == 0 && (set = explain_next_setting(s->now, set)) != 0) {
    const char *file = file_of(s, set);

    if (file) r = try_lines(s, file);
    else if (variables || !strcmp(set->field[2], "variable")) r = try_variable(s, set);
  }
  return r;
}

/* Whatever let it in may be taken away: a switch of a check, a line of a list. */
static int try_to_refuse(struct search *s) {
  int r = try_lines(s, "policy");

  for (size_t i = 0; r == 0 && i < s->now->len; ++i)
    if (!strcmp(s->now->record[i].field[0], "row")) r = try_settings(s, &s->now->record[i], 0);
  return r;
}

static int try_to_accept(struct search *s) {
  const struct explain_record *row = s->now->decisive;

  if (!row) return 0;
  if (try_settings(s, row, 1) == -1 || try_domain(s, row->field[1]) == -1) return -1;
  return try_switch(s, row->field[1]);
}

int explain_changes(const struct explain_question *q, const struct explanation *now, const struct explain_teller *t, struct strerr *e) {
  struct search s = {.q = q, .now = now, .teller = t, .e = e};
  int r;

  if (!paths_get(PATH_CONTROL, &s.control)) return no_memory(&s);
  r = now->outcome == EXPLAIN_ACCEPTED ? try_to_refuse(&s) : try_to_accept(&s);
  if (r == 0) try_client(&s);
  strlist_free(&s.tried);
  stralloc_free(&s.control);
  stralloc_free(&s.bytes);
  stralloc_free(&s.what);
  return r;
}
