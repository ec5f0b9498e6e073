/* verbs: see verbs.h. */
#include "smtp/verbs.h"

#include <string.h>

#include "base/bytes.h"
#include "smtp/reply.h"

#define NEW STATE_NEW
#define READY STATE_READY
#define MAIL STATE_MAIL
#define RCPT STATE_RCPT
#define REFUSED STATE_REFUSED
#define CHUNK STATE_CHUNK

static const struct verb {
  const char *name;
  unsigned states;
  void (*handler)(struct session *s, const char *arg, size_t n);
  const char *meaning;
} verbs[] = {
#define VERB(name, states, handler, meaning) {name, states, handler, meaning},
#include "smtp/verbs.def"
};

static const struct extension {
  const char *keyword;
  int (*condition)(const struct session *s, stralloc *parameters);
} extensions[] = {
#define EXTENSION(keyword, condition, meaning) {keyword, condition},
#include "smtp/verbs.def"
};

static const struct parameter {
  const char *verb, *keyword;
  int (*handler)(struct session *s, const struct smtp_parameter *p);
} parameters[] = {
#define PARAMETER(verb, keyword, handler, meaning) {verb, keyword, handler},
#include "smtp/verbs.def"
};

#define COUNT(table) (sizeof table / sizeof *table)

static int is(const char *s, size_t n, const char *name) {
  return strlen(name) == n && bytes_caseequal(s, name, n);
}

static const struct verb *find_verb(const char *verb, size_t n) {
  for (size_t i = 0; i < COUNT(verbs); ++i)
    if (is(verb, n, verbs[i].name)) return &verbs[i];
  return 0;
}

int verbs_known(const char *verb, size_t n) {
  return find_verb(verb, n) != 0;
}

/* Why a verb cannot come now: what is missing, in the order of a session. */
static const char *what_first(const struct session *s, const struct verb *v) {
  if (s->state == STATE_REFUSED) return "service refused; only QUIT makes sense";
  if (s->state == STATE_NEW) return "say EHLO or HELO first";
  if (s->state == STATE_CHUNK) return "in the middle of a message; BDAT goes on, RSET forgets it";
  if (v->states & STATE_READY) return "not in the middle of a message; RSET forgets it";
  return s->state == STATE_READY ? "say MAIL first" : "say RCPT first";
}

void verbs_dispatch(struct session *s) {
  struct smtp_command c;
  const struct verb *v;

  smtp_command_split(stralloc_cstr(&s->line), s->line.len, &c);
  v = find_verb(c.verb, c.verb_n);
  if (!v && s->state == STATE_REFUSED) reply_refuse(s, 503, "5.5.1", "service refused; only QUIT makes sense");
  else if (!v) reply_refuse(s, 500, "5.5.1", "command not known");
  else if (!(v->states & s->state)) reply_refuse(s, 503, "5.5.1", what_first(s, v));
  else v->handler(s, c.arg, c.arg_n);
}

/* All lines are made before the first is sent: the last one differs. */
void verbs_ehlo(struct session *s) {
  stralloc lines = STRALLOC_INIT;

  for (size_t i = 0; i < COUNT(extensions); ++i) {
    size_t start = lines.len;

    if (!stralloc_cats(&lines, extensions[i].keyword)) s->over = 1;
    if (!extensions[i].condition(s, &lines)) stralloc_cut(&lines, start);
    else if (!stralloc_append(&lines, 0)) s->over = 1;
  }
  for (size_t i = 0; i < lines.len && !s->over; i += strlen(lines.s + i) + 1)
    reply_line(s, 250, 0, i + strlen(lines.s + i) + 1 == lines.len, lines.s + i);
  stralloc_free(&lines);
}

void verbs_help(struct session *s) {
  for (size_t i = 0; i < COUNT(verbs); ++i) reply_line(s, 214, "2.0.0", 0, verbs[i].name);
  reply(s, 214, "2.0.0", "qmail-smtpd(8) says more");
}

const char *verbs_meaning(const char *verb, size_t n) {
  const struct verb *v = find_verb(verb, n);

  return v ? v->meaning : 0;
}

static int handle(struct session *s, const char *verb, const struct smtp_parameter *p) {
  for (size_t i = 0; i < COUNT(parameters); ++i)
    if (!strcmp(parameters[i].verb, verb) && is(p->keyword, p->keyword_n, parameters[i].keyword))
      return parameters[i].handler(s, p);
  reply_refuse(s, 555, "5.5.4", "parameter not known");
  return 0;
}

int verbs_parameters(struct session *s, const char *verb, const char *rest, size_t n) {
  struct smtp_parameter p;
  int r;

  while ((r = smtp_parameter_next(&rest, &n, &p)) == 1)
    if (!handle(s, verb, &p)) return 0;
  if (r == 0) return 1;
  reply_refuse(s, 501, "5.5.4", "syntax error in the parameters");
  return 0;
}

int ehlo_always(const struct session *s, stralloc *more) {
  return 1;
}
