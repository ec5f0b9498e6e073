/* bounce_text: see bounce_text.h. */
#include "send/bounce_text.h"

#include <string.h>

#include "base/bytes.h"
#include "mail/dsn.h"

static const char *const action_names[BOUNCE_ACTIONS] = {
    [BOUNCE_FAILED] = "failed", [BOUNCE_DELIVERED] = "delivered", [BOUNCE_RELAYED] = "relayed",
    [BOUNCE_EXPANDED] = "expanded", [BOUNCE_DELAYED] = "delayed"};
static const char action_label[] = "Action: ";
static const char original_label[] = "Original recipient: ";
static const char said_label[] = "Remote host said: ";
#define LENGTH(label) (sizeof(label) - 1)

const char *bounce_action_name(enum bounce_action action) {
  return action_names[action];
}

int bounce_is_success(enum bounce_action action) {
  return action == BOUNCE_DELIVERED || action == BOUNCE_RELAYED || action == BOUNCE_EXPANDED;
}

static int put_original(stralloc *out, const char *notify) {
  struct dsn_rcpt d;

  if (!notify || !dsn_rcpt_parse(notify, strlen(notify), &d) || !d.orcpt_n) return 1;
  return stralloc_catb(out, original_label, LENGTH(original_label)) && dsn_xtext_decode(out, d.orcpt, d.orcpt_n) &&
         stralloc_append(out, '\n');
}

static int looks_like_ours(const char *report) {
  return !strncmp(report, original_label, LENGTH(original_label)) || !strncmp(report, action_label, LENGTH(action_label));
}

int bounce_paragraph(stralloc *out, enum bounce_action action, const char *recipient, const char *notify, const char *report) {
  size_t start;

  if (!stralloc_append(out, '<')) return 0;
  start = out->len;
  if (!stralloc_catm(out, recipient, ">:\n", (char *)0)) return 0;
  for (size_t i = start; i + 1 < out->len; ++i)
    if (out->s[i] == '\n') out->s[i] = '_';
  if (action != BOUNCE_FAILED && !stralloc_catm(out, action_label, action_names[action], "\n", (char *)0)) return 0;
  if (!put_original(out, notify)) return 0;
  /* A report cannot pass for our own line. */
  if (looks_like_ours(report) && !stralloc_append(out, ' ')) return 0;
  if (*report == '\n' && !stralloc_append(out, '/')) return 0;
  for (const char *s = report; *s; ++s) {
    /* A blank line would end the paragraph. */
    if (!stralloc_append(out, *s)) return 0;
    if (s[0] == '\n' && s[1] == '\n' && !stralloc_append(out, '/')) return 0;
  }
  if (out->s[out->len - 1] != '\n' && !stralloc_append(out, '\n')) return 0;
  return stralloc_append(out, '\n');
}

/* The length of the line at s with its LF. */
static size_t line_length(const char *s, size_t n) {
  size_t len = bytes_chr(s, n, '\n');

  return len + (len < n);
}

/* "<recipient>:\n" at the start. */
static size_t take_recipient(const char *s, size_t n, struct bounce_failure *f) {
  size_t line = line_length(s, n);

  if (line < 4 || s[0] != '<' || memcmp(s + line - 3, ">:\n", 3)) return 0;
  f->recipient = s + 1;
  f->recipient_n = line - 4;
  return line;
}

static size_t take_action(const char *s, size_t n, struct bounce_failure *f) {
  size_t line = line_length(s, n);

  for (size_t i = BOUNCE_FAILED + 1; i < BOUNCE_ACTIONS; ++i) {
    size_t name = strlen(action_names[i]);

    if (line != LENGTH(action_label) + name + 1 || memcmp(s, action_label, LENGTH(action_label)) ||
        memcmp(s + LENGTH(action_label), action_names[i], name) || s[line - 1] != '\n')
      continue;
    f->action = (enum bounce_action)i;
    return line;
  }
  return 0;
}

static size_t take_original(const char *s, size_t n, struct bounce_failure *f) {
  size_t line = line_length(s, n);

  if (line <= LENGTH(original_label) + 1 || memcmp(s, original_label, LENGTH(original_label))) return 0;
  f->original = s + LENGTH(original_label);
  f->original_n = bytes_chr(s, line, '\n') - LENGTH(original_label);
  return line;
}

int bounce_text_next(const char *s, size_t n, size_t *pos, struct bounce_failure *f) {
  size_t at = *pos, end, head;

  memset(f, 0, sizeof *f);
  while (at < n && s[at] == '\n') ++at;
  if (at == n) return 0;
  for (end = at; end < n && s[end] != '\n';) end += line_length(s + end, n - end);
  head = take_recipient(s + at, end - at, f);
  if (head) head += take_action(s + at + head, end - at - head, f);
  if (head) head += take_original(s + at + head, end - at - head, f);
  f->report = s + at + head;
  f->report_n = end - at - head;
  *pos = end;
  return 1;
}

int bounce_text_split(const char *s, size_t n, stralloc *successes, stralloc *others) {
  struct bounce_failure f;
  size_t start, pos = 0;

  for (start = 0; bounce_text_next(s, n, &pos, &f); start = pos) {
    stralloc *to = bounce_is_success(f.action) ? successes : others;

    while (s[start] == '\n') ++start;
    if (!stralloc_catb(to, s + start, pos - start)) return 0;
    if (s[pos - 1] == '\n' && !stralloc_append(to, '\n')) return 0; /* else it is torn, and the last */
  }
  return 1;
}

/* --- facts --- */

static int digit(char c) {
  return c >= '0' && c <= '9';
}

/* The length of "5.1.1" at s, its class 2, 4 or 5; or 0. */
static size_t status_length(const char *s, size_t n) {
  size_t i = 1;

  if (n < 5 || (s[0] != '2' && s[0] != '4' && s[0] != '5')) return 0;
  for (int part = 0; part < 2; ++part) {
    size_t from;

    if (i == n || s[i] != '.') return 0;
    for (from = ++i; i < n && digit(s[i]);) ++i;
    if (i == from || i > from + 3) return 0;
  }
  return i;
}

static void set_status(struct bounce_facts *f, const char *s, size_t n) {
  if (s[0] == '2') return; /* no word of a failure */
  memcpy(f->status, s, n);
  f->status[n] = 0;
}

/* The last "(#5.1.1)". */
static void look_for_status(const char *s, size_t n, struct bounce_facts *f) {
  for (size_t i = 0; i + 3 < n; ++i) {
    size_t len;

    if (s[i] != '(' || s[i + 1] != '#') continue;
    len = status_length(s + i + 2, n - i - 2);
    if (len && i + 2 + len < n && s[i + 2 + len] == ')') set_status(f, s + i + 2, len);
  }
}

static int is_reply(const char *s, size_t n) {
  return n >= 4 && digit(s[0]) && digit(s[1]) && digit(s[2]) && (s[3] == ' ' || s[3] == '-');
}

/* What follows the label, and the lines behind it that go on with the same reply. */
static void look_for_reply(const char *s, size_t n, struct bounce_facts *f) {
  size_t len = line_length(s, n);
  size_t code;

  while (len < n && is_reply(s + len, n - len)) len += line_length(s + len, n - len);
  f->said = s;
  f->said_n = len;
  while (f->said_n && s[f->said_n - 1] == '\n') --f->said_n;
  if (!is_reply(s, n) || (s[0] != '4' && s[0] != '5')) return;
  code = status_length(s + 4, n - 4);
  if (code && s[4] == s[0]) set_status(f, s + 4, code);
  else if (f->status[0] != s[0] || !strcmp(f->status + 1, ".0.0")) set_status(f, s[0] == '4' ? "4.0.0" : "5.0.0", 5);
}

/* The first word of a line that is an address or a name with a dot. */
static void look_for_mta(const char *s, size_t n, struct bounce_facts *f) {
  static const char before[] = "Connected to ";
  size_t len = 0;
  int dots = 0;

  if (n > LENGTH(before) && !memcmp(s, before, LENGTH(before))) {
    s += LENGTH(before);
    n -= LENGTH(before);
  }
  while (len < n && (digit(s[len]) || (s[len] >= 'a' && s[len] <= 'z') || (s[len] >= 'A' && s[len] <= 'Z') ||
                     s[len] == '.' || s[len] == '-' || s[len] == ':')) {
    dots |= s[len] == '.' || s[len] == ':';
    ++len;
  }
  while (len && (s[len - 1] == '.' || (s[len - 1] == ':' && (len < 2 || s[len - 2] != ':')))) --len;
  if (!dots || !len || len > 255) return;
  f->mta = s;
  f->mta_n = len;
}

void bounce_facts(const char *report, size_t n, struct bounce_facts *f) {
  size_t before = 0;

  memset(f, 0, sizeof *f);
  memcpy(f->status, "5.0.0", 6);
  look_for_status(report, n, f);
  for (size_t at = 0; at < n; at += line_length(report + at, n - at)) {
    if (n - at > LENGTH(said_label) && !memcmp(report + at, said_label, LENGTH(said_label))) {
      look_for_reply(report + at + LENGTH(said_label), n - at - LENGTH(said_label), f);
      if (at) look_for_mta(report + before, at - before, f);
      return;
    }
    before = at;
  }
}
