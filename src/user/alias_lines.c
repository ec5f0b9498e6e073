/* alias_lines: the codec of alias_files.h. */
#include <string.h>

#include "base/bytes.h"
#include "user/alias_files.h"
#include "user/alias_line.h"

static int is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A path of a file ends in a slash when it is a Maildir; all paths of aliases are Maildirs. */
static const char *path_fault(const char *line, size_t n) {
  if (line[n - 1] != '/') return "a line delivers to an mbox file, which an alias cannot";
  if (strstr(line, "/../")) return "a line has .. in its path";
  return 0;
}

/* One line, without blanks at its end.  1 with line filled, 0 with *why, -1. */
static int parse_line(const char *s, size_t n, const char *dir, stralloc *line, const char **why) {
  *why = 0;
  if (bytes_chr(s, n, 0) != n) *why = "a line has a byte 0";
  else if (*s == '+') *why = "a line that begins with + has no meaning in an alias";
  else if (*s != '.' && *s != '/' && *s != '|' && *s != '&' && !is_plain(*s)) *why = "a line is none that an alias can have";
  if (*why) return 0;
  stralloc_cut(line, 0);
  if (*s == '.') {
    if (n < 2 || s[1] != '/') *why = "a line has a path that begins with neither / nor ./";
    else if (!stralloc_cats(line, dir)) return -1;
    if (*why) return 0;
    ++s, --n;
  }
  if (!stralloc_catb(line, s, n)) return -1;
  if (line->s[0] == '/') *why = path_fault(line->s, line->len);
  if (line->s[0] == '|' && strstr(line->s, "ezmlm-")) *why = "it is a mailing list's";
  if (!*why) *why = alias_line_fault(line->s);
  return !*why;
}

/* strlist_find takes no notice of case, which paths have. */
static int has(const struct strlist *lines, const stralloc *line) {
  for (size_t i = 0; i < lines->len; ++i)
    if (bytes_equal(lines->item[i].s, lines->item[i].len, line->s, line->len)) return 1;
  return 0;
}

int alias_lines_parse(const char *text, size_t n, const char *dir, struct strlist *lines, const char **why) {
  stralloc line = STRALLOC_INIT;
  int r = 1;

  strlist_clear(lines);
  for (size_t i = 0; r == 1 && i < n;) {
    const char *s = text + i;
    size_t len = bytes_chr(s, n - i, '\n');

    i += len + 1;
    while (len && (s[len - 1] == ' ' || s[len - 1] == '\t')) --len;
    if (!len || *s == '#') continue;
    r = parse_line(s, len, dir, &line, why);
    if (r == 1 && !has(lines, &line) && !strlist_add(lines, line.s, line.len)) r = -1;
  }
  stralloc_free(&line);
  if (r != 1 || lines->len) return r;
  *why = "it has no line that delivers";
  return 0;
}

int alias_lines_format(const struct strlist *lines, stralloc *text) {
  stralloc_cut(text, 0);
  for (size_t i = 0; i < lines->len; ++i) {
    const stralloc *l = &lines->item[i];
    char first = l->len ? l->s[0] : 0;
    int marked = first == '|' || first == '/' || first == '&' || is_plain(first);

    if ((!marked && !stralloc_append(text, '&')) || !stralloc_cat(text, l)) return 0;
    if (first == '/' && l->s[l->len - 1] != '/' && !stralloc_append(text, '/')) return 0;
    if (!stralloc_append(text, '\n')) return 0;
  }
  return 1;
}
