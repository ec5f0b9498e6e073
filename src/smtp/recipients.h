/* recipients: the file control/recipients: where it is written which recipients a domain has.
 *
 *   domain:cdb          of the domain and those below it
 *   @domain:cdb         of this domain alone
 *   *:cdb  or  cdb      of every domain
 *   domain|program ...  the program knows ("@domain|" and "*|" too)
 *   !domain             not asked: accepted ("!@domain" and "!*" too)
 *
 * Every line for the domain is asked until one accepts.  A database has ":" and the address in
 * small letters as keys (recipient-cdb makes them); its name is absolute, or below the directory
 * that holds the control directory.  An address that is not found is tried once more with its
 * local part up to the first - + or =.  Without the file users/recipients.cdb is asked. */
#ifndef SMTP_RECIPIENTS_H
#define SMTP_RECIPIENTS_H

#include "base/strerr.h"
#include "base/strlist.h"
#include "mail/smtp_syntax.h"

enum recipients_verdict {
  RECIPIENTS_YES,
  RECIPIENTS_NO,
  RECIPIENTS_UNSAID, /* no line is for this domain */
  RECIPIENTS_FAILED, /* e filled */
};

/* May block, for a program, some seconds. */
enum recipients_verdict recipients_ask(const struct strlist *lines, const struct smtp_path *p, struct strerr *e) MUST_CHECK;

/* One line taken apart; everything points into it. */
struct recipients_line {
  int accept;      /* ! */
  int program;     /* source is a program and its arguments */
  int exact;       /* @ */
  const char *domain; /* "*" for every one */
  size_t domain_n;
  const char *source;
};
void recipients_parse(const char *line, struct recipients_line *out);
int recipients_concerns(const struct recipients_line *l, const char *domain, size_t n);

#endif
