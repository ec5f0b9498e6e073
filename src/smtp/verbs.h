/* verbs: the functions of verbs.def, one file for each verb, and their dispatch. */
#ifndef SMTP_VERBS_H
#define SMTP_VERBS_H

#include "smtp/session.h"

/* Finds the verb of s->line and runs it, or refuses. */
void verbs_dispatch(struct session *s);
int verbs_known(const char *verb, size_t n);
/* What it does, or null. */
const char *verbs_meaning(const char *verb, size_t n);
/* Lines of the EHLO answer after the first, and of HELP. */
void verbs_ehlo(struct session *s);
void verbs_help(struct session *s);
/* Handles the parameters of MAIL or RCPT: 1, or 0 when refused. */
int verbs_parameters(struct session *s, const char *verb, const char *rest, size_t n) MUST_CHECK;

/* How often the end of a message is answered. */
size_t verbs_replies(const struct session *s);
/* A message is whole, or gone: it is judged, queued, and the client told so many times. */
struct intake;
void verbs_message_end(struct intake *in, size_t replies);

#define VERB(name, states, handler, meaning) void handler(struct session *s, const char *arg, size_t n);
#include "smtp/verbs.def"
#define EXTENSION(keyword, condition, meaning) int condition(const struct session *s, stralloc *parameters);
#include "smtp/verbs.def"
#define PARAMETER(verb, keyword, handler, meaning) \
  int handler(struct session *s, const struct smtp_parameter *p);
#include "smtp/verbs.def"

#endif
