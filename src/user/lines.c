/* lines: see lines.h. */
#include "user/lines.h"

#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/file.h"

#define LINES_MAX (64u << 20)

static int matches(const char *s, size_t n, const char *line, int prefix) {
  size_t len = strlen(line);

  return (prefix ? n >= len : n == len) && bytes_caseequal(s, line, len);
}

/* Copies the lines that do not match; how many did, -1 (memory). */
static int others(const stralloc *text, const char *line, int prefix, stralloc *out) {
  const char *s = stralloc_cstr(text);
  size_t n = text->len;
  int found = 0;

  while (n) {
    size_t i = bytes_chr(s, n, '\n');
    size_t step = i < n ? i + 1 : i, len = i;

    while (len && memchr(" \t\r", s[len - 1], 3)) --len;
    if (matches(s, len, line, prefix)) ++found;
    else if (!stralloc_catb(out, s, i) || !stralloc_append(out, '\n')) return -1;
    s += step;
    n -= step;
  }
  return found;
}

/* Reads the file and sorts its lines: how many match, -1 with e filled. */
static int read_lines(const char *path, const char *line, int prefix, stralloc *out, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int r = file_read(path, &text, LINES_MAX);
  int found = 0;

  if (r == 1) found = others(&text, line, prefix, out);
  if (r == -1 || found == -1) {
    strerr_sys(e, "unable to read ", path, (char *)0);
    found = -1;
  }
  stralloc_free(&text);
  return found;
}

static int write_lines(const char *path, const stralloc *out, struct strerr *e) {
  struct stat st;
  mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0644;

  file_sweep(path);
  if (file_replace(path, stralloc_cstr(out), out->len, mode) == -1)
    return strerr_sys(e, "unable to write ", path, (char *)0);
  return 0;
}

int lines_add(const char *path, const char *line, struct strerr *e) {
  stralloc out = STRALLOC_INIT;
  int found = read_lines(path, line, 0, &out, e);
  int r = found == -1 ? -1 : found == 0;

  if (r == 1) {
    if (!stralloc_catm(&out, line, "\n", (char *)0)) r = strerr_sys(e, "unable to write ", path, (char *)0);
    else if (write_lines(path, &out, e) == -1) r = -1;
  }
  stralloc_free(&out);
  return r;
}

int lines_remove(const char *path, const char *line, int prefix, struct strerr *e) {
  stralloc out = STRALLOC_INIT;
  int found = read_lines(path, line, prefix, &out, e);

  if (found > 0) found = write_lines(path, &out, e) == -1 ? -1 : 1;
  stralloc_free(&out);
  return found;
}

int lines_has(const char *path, const char *line, int prefix, struct strerr *e) {
  stralloc out = STRALLOC_INIT;
  int found = read_lines(path, line, prefix, &out, e);

  stralloc_free(&out);
  return found > 0 ? 1 : found;
}
