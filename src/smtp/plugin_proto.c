/* plugin_proto: see plugin_proto.h. */
#include "smtp/plugin_proto.h"

#include <string.h>

#include "base/bytes.h"
#include "base/netstring.h"
#include "base/scan.h"

static const struct {
  char letter;
  size_t fields;
  const char *name;
} hooks[PLUGIN_HOOKS] = {[PLUGIN_MAIL] = {'M', 2, "MAIL"}, [PLUGIN_RCPT] = {'R', 3, "RCPT"}, [PLUGIN_DATA] = {'D', 4, "DATA"}};

size_t plugin_fields(enum plugin_hook hook) {
  return hooks[hook].fields;
}

const char *plugin_hook_name(enum plugin_hook hook) {
  return hooks[hook].name;
}

/* --- questions --- */

int plugin_question_build(stralloc *out, const struct plugin_question *q) {
  stralloc content = STRALLOC_INIT;
  int ok = stralloc_append(&content, hooks[q->hook].letter);

  for (size_t i = 0; ok && i < plugin_fields(q->hook); ++i) ok = stralloc_catz(&content, q->field[i], strlen(q->field[i]));
  ok = ok && content.len <= PLUGIN_QUESTION_MAX && netstring_cat(out, content.s, content.len);
  stralloc_free(&content);
  return ok;
}

int plugin_question_parse(const char *s, size_t n, struct plugin_question *q) {
  size_t i = 0, fields = 0;

  if (n < 2 || n > PLUGIN_QUESTION_MAX || s[n - 1]) return 0;
  while (i < PLUGIN_HOOKS && hooks[i].letter != *s) ++i;
  if (i == PLUGIN_HOOKS) return 0;
  q->hook = (enum plugin_hook)i;
  for (size_t at = 1; at < n; at += strlen(s + at) + 1) {
    if (fields == hooks[i].fields) return 0;
    q->field[fields++] = s + at;
  }
  return fields == hooks[i].fields;
}

/* --- answers --- */

int plugin_answer_build(stralloc *out, enum plugin_kind kind, const char *text) {
  stralloc content = STRALLOC_INIT;
  int ok = stralloc_append(&content, (char)kind) && stralloc_catb(&content, text, strnlen(text, PLUGIN_ANSWER_MAX - 1)) &&
           netstring_cat(out, content.s, content.len);

  stralloc_free(&content);
  return ok;
}

int plugin_answer_parse(const char *s, size_t n, enum plugin_kind *kind, const char **text, size_t *text_n) {
  if (!n || n > PLUGIN_ANSWER_MAX || (*s != PLUGIN_ACCEPTS && *s != PLUGIN_REFUSES && *s != PLUGIN_FAILS)) return 0;
  if (*s == PLUGIN_ACCEPTS && n != 1) return 0;
  *kind = (enum plugin_kind)*s;
  *text = s + 1;
  *text_n = n - 1;
  return 1;
}

/* --- what the client is told --- */

static size_t digits(const char *s, size_t n) {
  size_t i = 0;

  while (i < n && i < 3 && s[i] >= '0' && s[i] <= '9') ++i;
  return i;
}

/* "5.7.1" at the start, ended by a blank or the end: how many bytes, or 0. */
static size_t status_code(const char *s, size_t n, char class) {
  size_t subject, detail, len;

  if (n < 5 || s[0] != class || s[1] != '.' || !(subject = digits(s + 2, n - 2))) return 0;
  len = 2 + subject;
  if (len == n || s[len++] != '.' || !(detail = digits(s + len, n - len))) return 0;
  len += detail;
  return len == n || s[len] == ' ' ? len : 0;
}

static void add_text(struct plugin_reply *r, const char *s, size_t n) {
  size_t at = strlen(r->text);

  if (at && n && at < PLUGIN_TEXT_MAX) r->text[at++] = ' ';
  for (size_t i = 0; i < n && at < PLUGIN_TEXT_MAX; ++i) r->text[at++] = s[i] < ' ' || s[i] > '~' ? '?' : s[i];
  r->text[at] = 0;
}

/* One line: 1 more have to come, 0 it was the last, -1 it is none. */
static int take_line(struct plugin_reply *r, const char *s, size_t n) {
  uint64_t code;
  size_t status;
  int more = n > 3 && s[3] == '-';

  if (n < 3 || !scan_u64_max(s, 3, 599, &code) || code < 400 || (n > 3 && s[3] != ' ' && !more)) return -1;
  if (r->code && r->code != code) return -1;
  r->code = (unsigned)code;
  s += n > 3 ? 4 : 3;
  n -= n > 3 ? 4 : 3;
  status = status_code(s, n, code < 500 ? '4' : '5');
  if (status && !*r->enhanced) memcpy(r->enhanced, s, status);
  while (status && status < n && s[status] == ' ') ++status;
  add_text(r, s + status, n - status);
  return more;
}

int plugin_reply_parse(const char *s, size_t n, struct plugin_reply *r) {
  int more = 1;

  memset(r, 0, sizeof *r);
  while (more == 1 && n) {
    size_t line = bytes_chr(s, n, '\n');
    size_t used = line < n ? line + 1 : line;

    more = take_line(r, s, line && s[line - 1] == '\r' ? line - 1 : line);
    s += used;
    n -= used;
  }
  if (more || n) return 0;
  if (!*r->enhanced) memcpy(r->enhanced, r->code < 500 ? "4.7.1" : "5.7.1", sizeof "5.7.1");
  return 1;
}
