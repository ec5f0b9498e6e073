/* check_table: see check_table.h. */
#include "smtp/check_table.h"

#include <string.h>

static const char *const stages[] = {
    [STAGE_CONNECT] = "CONNECT", [STAGE_HELO] = "HELO", [STAGE_MAIL] = "MAIL", [STAGE_RCPT] = "RCPT", [STAGE_DATA] = "DATA"};
static const char *const seen[] = {[SEEN_JUDGED] = "on", [SEEN_WARN] = "warn", [SEEN_OFF] = "off", [SEEN_EXEMPT] = "exempt"};
static const char *const verdicts[] = {[VERDICT_NEXT] = "next",       [VERDICT_ACCEPT] = "accept",   [VERDICT_DEFER] = "defer",
                                       [VERDICT_REJECT] = "reject",   [VERDICT_DISCARD] = "discard", [VERDICT_FAILED] = "failed"};
static const char *const origins[] = {[CONF_FROM_DEFAULT] = "default", [CONF_FROM_FILE] = "file", [CONF_FROM_VARIABLE] = "variable"};

const char *check_stage_word(enum policy_stage stage) {
  return stages[stage];
}

const char *check_seen_word(enum policy_seen how) {
  return seen[how];
}

const char *check_verdict_word(enum verdict verdict) {
  return verdicts[verdict];
}

int check_field(stralloc *out, const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (!stralloc_append(out, (unsigned char)s[i] < ' ' || s[i] == 127 ? '?' : s[i])) return 0;
  return 1;
}

static int value(stralloc *out, const struct conf *conf, enum setting s) {
  const struct conf_value *v = &conf->v[s];

  switch (conf_rows[s].type) {
    case CONF_NUMBER:
    case CONF_SECONDS: return stralloc_catu64(out, v->number);
    case CONF_BOOL: return stralloc_cats(out, v->number ? "on" : "off");
    case CONF_LIST: return stralloc_cats(out, v->set ? "a list" : "none");
    case CONF_LINES: return stralloc_catu64(out, v->lines.len) && stralloc_cats(out, v->lines.len == 1 ? " line" : " lines");
    case CONF_LINE:
    case CONF_TEXT: return v->set || v->text.len ? check_field(out, v->text.s, v->text.len) : stralloc_cats(out, "not set");
  }
  return 0;
}

static int is_one_line(enum conf_type type) {
  return type == CONF_LINE || type == CONF_NUMBER || type == CONF_SECONDS || type == CONF_BOOL;
}

static int setting(stralloc *out, const struct conf *conf, enum setting s) {
  const struct conf_value *v = &conf->v[s];
  int in_file = v->origin == CONF_FROM_FILE;

  return stralloc_catm(out, "set\t", conf_rows[s].id, "\t", origins[v->origin], "\t", (char *)0) &&
         check_field(out, stralloc_cstr(&v->where), v->where.len) &&
         stralloc_cats(out, in_file && is_one_line(conf_rows[s].type) ? ":1\t" : "\t") && value(out, conf, s) && stralloc_append(out, '\n');
}

static int find(const char *id, size_t n) {
  for (int i = 0; i < SETTINGS; ++i)
    if (strlen(conf_rows[i].id) == n && !memcmp(conf_rows[i].id, id, n)) return i;
  return -1;
}

int check_settings(stralloc *out, const struct conf *conf, const struct policy_row *row) {
  for (const char *s = row->settings; *s;) {
    size_t n = strcspn(s, " ");
    int i = find(s, n);

    if (i != -1 && conf->v[i].loaded && !setting(out, conf, (enum setting)i)) return 0;
    s += n + (s[n] == ' ');
  }
  return 1;
}

int check_table(stralloc *out, const struct conf *conf) {
  for (size_t i = 0; i < policy_count; ++i) {
    const struct policy_row *row = &policy_rows[i];
    const char *how = policy_switched(conf, row);

    if (!stralloc_catm(out, "check\t", row->name, "\t", stages[row->stage], "\t", *how ? how : "on", "\t",
                       row->may == POLICY_MAY_SWITCH ? "may be switched" : "fixed", "\t", row->meaning, "\n", (char *)0) ||
        !check_settings(out, conf, row))
      return 0;
  }
  return 1;
}
