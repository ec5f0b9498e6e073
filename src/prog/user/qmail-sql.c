/* qmail-sql: lists of the SMTP server in the user database: shows, adds, deletes, loads a file. */
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/options.h"
#include "base/report.h"
#include "user/outcome.h"
#include "user/site.h"
#include "user/userdb_list.h"

#define FATAL "qmail-sql: fatal: "
#define USAGE "qmail-sql -s [--json] | -r file | -i entry | -d entry list"
#define ENTRY_MAX 512
#define FILE_MAX (64u << 20)

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void want(enum userdb_result r, const struct strerr *e, const char *none) {
  outcome_want(r, &(struct outcome_words){FATAL, 1, none, "it is there already"}, e);
}

/* A database knows no patterns, and is asked in lower case. */
static const char *fault(const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if ((unsigned char)s[i] <= ' ' || s[i] == 127) return "an entry has no blanks";
  if (!n || n > ENTRY_MAX || (n == 1 && *s == '!')) return "an entry has 1 to 512 characters";
  if (bytes_chr(s, n, '*') < n || bytes_chr(s, n, '?') < n || bytes_chr(s, n, '[') < n) return "the database knows no patterns";
  return 0;
}

static void entry_of(const char *text, stralloc *entry) {
  const char *why = fault(text, strlen(text));

  if (why) strerr_diem(100, FATAL, text, ": ", why, (char *)0);
  if (!stralloc_copys(entry, text)) strerr_die_nomem(FATAL);
  bytes_lower(entry->s, entry->len);
}

/* The lines of a list as it stands in the control directory. */
static void read_lines(const char *file, struct strlist *entries) {
  stralloc text = STRALLOC_INIT;
  int r = file_read(file, &text, FILE_MAX);

  if (r != 1) strerr_diem_sys(111, FATAL, "unable to read ", file, (char *)0);
  for (size_t at = 0; at < text.len;) {
    size_t len = bytes_chr(text.s + at, text.len - at, '\n'), n = len;
    const char *why;

    while (n && strchr(" \t\r", text.s[at + n - 1])) --n;
    if (n && text.s[at] != '#') {
      text.s[at + n] = 0;
      why = fault(text.s + at, n);
      if (why) strerr_diem(100, FATAL, file, ": ", text.s + at, ": ", why, (char *)0);
      bytes_lower(text.s + at, n);
      if (!strlist_add(entries, text.s + at, n)) strerr_die_nomem(FATAL);
    }
    at += len + 1;
  }
  stralloc_free(&text);
}

static void show(struct site *s, const char *list) {
  struct strlist entries = {0};
  struct report r;
  struct strerr e;

  want(userdb_list_show(&s->db, list, &entries, &e), &e, "the list is empty");
  report_start(&r, json, 0, 0);
  report_item(&r);
  report_text(&r, "list", 0, list);
  if (json) report_list(&r, "entries", 0, &entries);
  for (size_t i = 0; i < entries.len; ++i) report_line(&r, entries.item[i].s);
  if (report_finish(&r, 1, &e) == -1) die(&e);
  strlist_free(&entries);
}

static void check_list(const char *list) {
  size_t n = strlen(list);

  for (size_t i = 0; i < n; ++i)
    if ((list[i] < 'a' || list[i] > 'z') && list[i] != '_') n = 0;
  if (!n || n > 64) strerr_diem(100, FATAL, list, ": no name of a list", (char *)0);
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  const char *insert = 0, *delete = 0, *replace = 0;
  int showing = 0;
  struct strlist entries = {0};
  stralloc entry = STRALLOC_INIT;
  const struct option options[] = {{'s', OPTION_FLAG, &showing, 1},    {'i', OPTION_STRING, &insert, 0}, {'d', OPTION_STRING, &delete, 0},
                                   {'r', OPTION_STRING, &replace, 0}, {'-', OPTION_WORDS, words, 0}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);

  if (showing + !!insert + !!delete + !!replace != 1 || (json && !showing)) strerr_die_usage(USAGE);
  check_list(argv[i]);
  if (insert || delete) entry_of(insert ? insert : delete, &entry);
  if (replace) read_lines(replace, &entries);
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) die(&e);
  if (showing) show(&s, argv[i]);
  else if (insert) want(userdb_list_add(&s.db, argv[i], entry.s, &e), &e, "");
  else if (delete) want(userdb_list_delete(&s.db, argv[i], entry.s, &e), &e, "there is no such entry");
  else want(userdb_list_replace(&s.db, argv[i], &entries, &e), &e, "");
  strlist_free(&entries);
  stralloc_free(&entry);
  site_close(&s);
  return 0;
}
