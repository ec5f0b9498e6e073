/* envdir: see envdir.h. */
#include "super/envdir.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/file.h"

#define FILE_MAX 65536
#define DEPTH_MAX 8 /* of .envdir in .envdir: more is a loop */

struct reader {
  struct env *env;
  unsigned flags;
  struct strerr *e;
};

static int read_dir(struct reader *r, const char *dir, int depth);

/* One file could not be read: is that the end? */
static int trouble(struct reader *r) {
  if (r->flags & ENVDIR_WARN) strerr_warn("envdir: warning: ", r->e);
  return r->flags & (ENVDIR_WARN | ENVDIR_SKIP) ? 0 : -1;
}

static int nomem(struct reader *r) {
  return strerr_set(r->e, "out of memory", (char *)0);
}

static void trim(stralloc *text) {
  stralloc_cut(text, bytes_chr(text->s, text->len, '\n'));
  while (text->len && (text->s[text->len - 1] == ' ' || text->s[text->len - 1] == '\t'))
    stralloc_cut(text, text->len - 1);
}

static int read_variable(struct reader *r, const char *path, const char *name) {
  stralloc text = STRALLOC_INIT;
  int got = file_read(path, &text, FILE_MAX);
  int result = 0;

  if (got == -1) {
    strerr_sys(r->e, "unable to read ", path, (char *)0);
    result = trouble(r);
  } else if (got == 1 && !text.len) {
    env_unset(r->env, name);
  } else if (got == 1) {
    trim(&text);
    for (size_t i = 0; i < text.len; ++i)
      if (!text.s[i]) text.s[i] = '\n';
    if (!env_set(r->env, name, stralloc_cstr(&text))) result = nomem(r);
  }
  stralloc_free(&text);
  return result;
}

/* Calls fn for each line of the text that is not empty. */
static int each_line(struct reader *r, stralloc *text, int depth,
                     int (*fn)(struct reader *r, char *line, int depth)) {
  char *line = text->s;
  char *end = text->s + text->len;

  while (line < end) {
    size_t len = bytes_chr(line, (size_t)(end - line), '\n');

    line[len] = 0;
    if (*line && fn(r, line, depth) == -1) return -1;
    line += len + 1;
  }
  return 0;
}

static int read_listed(struct reader *r, char *line, int depth) {
  return read_dir(r, line, depth);
}

static int set_line(struct reader *r, char *line, int depth) {
  char *equal = strchr(line, '=');

  (void)depth;
  if (!equal || equal == line || line[0] == '#') return 0;
  *equal = 0;
  if (!equal[1]) {
    env_unset(r->env, line);
    return 0;
  }
  return env_set(r->env, line, equal + 1) ? 0 : nomem(r);
}

static int read_lines(struct reader *r, const char *path, int depth,
                      int (*fn)(struct reader *r, char *line, int depth)) {
  stralloc text = STRALLOC_INIT;
  int result = 0;

  switch (file_read(path, &text, FILE_MAX)) {
    case -1:
      strerr_sys(r->e, "unable to read ", path, (char *)0);
      result = trouble(r);
      break;
    case 1:
      if (text.len) result = each_line(r, &text, depth, fn);
  }
  stralloc_free(&text);
  return result;
}

static int read_base(struct reader *r, const char *path, int depth) {
  struct stat st;

  if (stat(path, &st) == -1) return 0;
  if (depth == DEPTH_MAX) return strerr_set(r->e, path, " leads too deep", (char *)0);
  if (S_ISDIR(st.st_mode)) return read_dir(r, path, depth + 1);
  return read_lines(r, path, depth + 1, read_listed);
}

static int read_entry(struct reader *r, const char *path, const char *name) {
  struct stat st;

  if (name[0] == '.') return 0;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return 0;
  if (!strchr(name, '=')) return read_variable(r, path, name);
  strerr_set(r->e, path, ": a variable's name cannot contain =", (char *)0);
  return trouble(r);
}

/* dir/name into path. */
static int join(struct reader *r, stralloc *path, const char *dir, const char *name) {
  stralloc_cut(path, 0);
  return stralloc_catm(path, dir, "/", name, (char *)0) ? 0 : nomem(r);
}

static int read_dir(struct reader *r, const char *dir, int depth) {
  stralloc path = STRALLOC_INIT;
  struct dirent *entry;
  DIR *d = opendir(dir);
  int result = 0;

  if (!d) {
    strerr_sys(r->e, "unable to read directory ", dir, (char *)0);
    return depth ? trouble(r) : -1;
  }
  if (join(r, &path, dir, ".envdir") == -1 || read_base(r, path.s, depth) == -1) result = -1;
  for (errno = 0; result == 0 && (entry = readdir(d)) != 0; errno = 0)
    if (join(r, &path, dir, entry->d_name) == -1 || read_entry(r, path.s, entry->d_name) == -1) result = -1;
  if (result == 0 && errno) result = strerr_sys(r->e, "unable to read directory ", dir, (char *)0);
  if (result == 0 && (join(r, &path, dir, ".envfile") == -1 || read_lines(r, path.s, depth, set_line) == -1))
    result = -1;
  closedir(d);
  stralloc_free(&path);
  return result;
}

int envdir_read(struct env *env, const char *dir, unsigned flags, struct strerr *e) {
  struct reader r = {env, flags, e};

  return read_dir(&r, dir, 0);
}
