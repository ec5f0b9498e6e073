/* envrules: lines that set variables for a sender or recipient (bounce.envrules and its
 * kin).
 *
 *   pattern:VAR=value,VAR=,VAR=value
 *
 * pattern is what a line of addrlist.h is (without !); empty or <> is the null sender.  VAR=
 * with nothing behind it takes the variable away; \, is a comma and \\ a backslash.  All
 * lines that match count, in their order. */
#ifndef MAIL_ENVRULES_H
#define MAIL_ENVRULES_H

#include <stddef.h>

#include "base/env.h"
#include "base/strlist.h"

/* How many lines matched, or -1 when memory ran out. */
int envrules_apply(const struct strlist *rules, const char *address, size_t n, struct env *env) MUST_CHECK;

/* All that any line sets, whoever it is for, appended as NAME=value: 1, or 0 when memory ran out. */
int envrules_variables(const struct strlist *rules, struct strlist *out) MUST_CHECK;

#endif
