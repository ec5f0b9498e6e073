/* limits_form: limits as an administrator writes and reads them: the options of vlimit. */
#ifndef USER_LIMITS_FORM_H
#define USER_LIMITS_FORM_H

#include "base/report.h"
#include "user/limits.h"

enum limit_form {
  FORM_DATE,   /* ddmmyyyyHHMMSS, UTC */
  FORM_DAYS,   /* from now; -1 never */
  FORM_NUMBER, /* -1 any number */
  FORM_COUNT,  /* 0 none */
  FORM_BYTES,  /* as a quota, NOQUOTA none */
  FORM_PERM,   /* 0 nothing is refused, a everything, c create, m modify, d delete */
};

struct limit_option {
  char letter;
  enum limit_form form;
  enum limit limit;
  int shift; /* of FORM_PERM */
};
#define LIMIT_OPTIONS 22
extern const struct limit_option limit_options[LIMIT_OPTIONS];

/* Take over what stands behind an option: 1, or 0 where the text is not fit for it. */
int limits_form_set(struct limits *l, const struct limit_option *o, const char *text, int64_t now);
/* Letters u d s i p w r: what is switched off; x: nothing any more.  toggle turns them round. */
int limits_form_flags(struct limits *l, const char *letters, int toggle);
/* Null, or why what was set promises something that there is not. */
const char *limits_form_idle(const struct limit_option *o, const struct limits *l);
/* All of them as fields of a record. */
void limits_form_print(const struct limits *l, struct report *r);

#endif
