/* check_table: checks and their settings as text, for whoever wants to know. */
#ifndef SMTP_CHECK_TABLE_H
#define SMTP_CHECK_TABLE_H

#include "base/attr.h"
#include "base/stralloc.h"
#include "smtp/policy.h"

/* These have a word for each of their values. */
const char *check_stage_word(enum policy_stage stage);
const char *check_seen_word(enum policy_seen how);
const char *check_verdict_word(enum verdict verdict);

/* Append what stands between TABs: control characters become ?.  All give 1, or 0 without memory. */
int check_field(stralloc *out, const char *s, size_t n) MUST_CHECK;
/* Append a line "set ID ORIGIN WHERE VALUE" for each setting the row looks at. */
int check_settings(stralloc *out, const struct conf *conf, const struct policy_row *row) MUST_CHECK;
/* Append every check in its order, with its settings. */
int check_table(stralloc *out, const struct conf *conf) MUST_CHECK;

#endif
