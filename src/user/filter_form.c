/* filter_form: see filter_form.h. */
#include "user/filter_form.h"

#include <string.h>

static int one_line(const char *s, size_t max) {
  size_t n = strlen(s);

  return n && n <= max && !strpbrk(s, "\r\n");
}

/* Inbox, /NoDeliver, or one component below the Maildir. */
static int folder_ok(const char *s) {
  if (!strcmp(s, "/NoDeliver")) return 1;
  return one_line(s, 200) && !strchr(s, '/') && !strstr(s, "..") && strcmp(s, ".") != 0 && s[strlen(s) - 1] != '.';
}

/* 0, 1, 2address, 2|command, 3address. */
static int action_ok(const char *s) {
  if (!strcmp(s, "0") || !strcmp(s, "1")) return 1;
  return (*s == '2' || *s == '3') && s[1] && one_line(s, FILTER_ACTION_MAX) && (s[1] == '|' || strchr(s, '@'));
}

const char *filter_form_fault(const struct userdb_filter *f) {
  const struct filter_rule r = {f->comparison, f->header, f->keyword};
  const char *why = filter_fault(&r);

  if (why) return why;
  if (!one_line(f->name, FILTER_TEXT_MAX)) return "a name has 1 to 255 characters, on one line";
  if (!folder_ok(f->folder)) return "a folder is Inbox, /NoDeliver, or a name below the mailbox";
  return action_ok(f->action) ? 0 : "an action is 0, 1, 2address, 2|command or 3address";
}
