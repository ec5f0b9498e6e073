/* domain_files: see domain_files.h. */
#include "user/domain_files.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "conf/paths.h"
#include "user/assign.h"
#include "user/dirhash.h"
#include "user/lines.h"
#include "user/site.h"
#include "user/tree.h"

#define ASSIGN_MAX (256u << 20)
#define DEFAULT_FILE "/.qmail-default"
#define DEFAULT_MAX 65536
#define DIR_MODE 02750

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to change the domain", (char *)0);
}

/* Letters that stand for themselves in a shell's word. */
static int plain_word(const char *s) {
  return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")] == 0;
}

/* --- files */

int domain_dir(const char *below, const char *name, stralloc *path, struct strerr *e) {
  if (*below ? !stralloc_copys(path, below) : !paths_get(PATH_DOMAINS, path)) return no_memory(e);
  return stralloc_catm(path, "/", name, (char *)0) ? 0 : no_memory(e);
}

int domain_dir_make(const char *dir, const struct identity *owner, struct strerr *e) {
  if (tree_mkdir(dir, DIR_MODE, owner->uid, owner->gid, e) == -1) return -1;
  if ((geteuid() == 0 && chown(dir, owner->uid, owner->gid) == -1) || chmod(dir, DIR_MODE) == -1)
    return strerr_sys(e, "unable to set the owner of ", dir, (char *)0);
  return 0;
}

int domain_dir_ok(const char *dir, const struct identity *owner, struct strerr *e) {
  struct stat st;

  if (stat(dir, &st) == -1) return errno == ENOENT || errno == ENOTDIR ? 2 : strerr_sys(e, "unable to look at ", dir, (char *)0);
  return S_ISDIR(st.st_mode) && st.st_uid == owner->uid && st.st_gid == owner->gid && (st.st_mode & DIR_MODE) == DIR_MODE;
}

/* A word in single quotes where the shell would see more than a word. */
static int cat_word(stralloc *line, const char *word) {
  if (plain_word(word)) return stralloc_cats(line, word);
  if (!stralloc_append(line, '\'')) return 0;
  for (; *word; ++word)
    if (*word == '\'' ? !stralloc_cats(line, "'\\''") : !stralloc_append(line, *word)) return 0;
  return stralloc_append(line, '\'');
}

/* The first line of .qmail-default. */
static int default_line(const struct domain_default *d, stralloc *line) {
  stralloc program = STRALLOC_INIT;
  int ok = paths_program(d->filter ? "vfilter" : "vdelivermail", &program) && stralloc_copylit(line, "| ") &&
           cat_word(line, program.s) && stralloc_catm(line, " '' ", d->handler, "\n", (char *)0);

  stralloc_free(&program);
  return ok;
}

int domain_default_write(const char *dir, const struct domain_default *d, const struct identity *owner, struct strerr *e) {
  stralloc path = STRALLOC_INIT, line = STRALLOC_INIT;
  int r;

  if (!stralloc_catm(&path, dir, DEFAULT_FILE, (char *)0) || !default_line(d, &line)) r = no_memory(e);
  else if ((r = file_replace(path.s, line.s, line.len, 0640)) == -1)
    strerr_sys(e, "unable to write ", path.s, (char *)0);
  else if (geteuid() == 0 && (r = chown(path.s, owner->uid, owner->gid)) == -1)
    strerr_sys(e, "unable to set the owner of ", path.s, (char *)0);
  stralloc_free(&path);
  stralloc_free(&line);
  return r;
}

int domain_filter_check(struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = paths_program("vfilter", &path) ? access(path.s, X_OK) : -1;

  if (r == -1) {
    strerr_set(e, stralloc_cstr(&path), " is not there: mail cannot be filtered", (char *)0);
    e->permanent = 1;
  }
  stralloc_free(&path);
  return r;
}

/* Is this the last part of the path that ends before end? */
static int names_program(const char *end, const char *start, const char *name) {
  size_t n = strlen(name);

  while (end > start && end[-1] == '\'') --end;
  return (size_t)(end - start) > n && !memcmp(end - n, name, n) && end[-(ptrdiff_t)n - 1] == '/';
}

/* "| PROGRAM '' HANDLER", where the program is vdelivermail or vfilter. */
static int take_default(const stralloc *text, int *filter, stralloc *handler) {
  const char *s = stralloc_cstr(text), *end = s + bytes_chr(s, text->len, '\n');
  const char *middle = strstr(s, " '' ");

  if (*s != '|' || !middle || middle >= end || end - s != (ptrdiff_t)text->len - 1) return 0;
  *filter = names_program(middle, s, "vfilter");
  if (!*filter && !names_program(middle, s, "vdelivermail")) return 0;
  middle += 4;
  return stralloc_copyb(handler, middle, (size_t)(end - middle));
}

int domain_default_read(const char *dir, int *filter, stralloc *handler, struct strerr *e) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  int r = stralloc_catm(&path, dir, DEFAULT_FILE, (char *)0) ? file_read(path.s, &text, DEFAULT_MAX) : -1;

  if (r == -1) strerr_sys(e, "unable to read ", stralloc_cstr(&path), (char *)0);
  else if (!r || !take_default(&text, filter, handler)) {
    strerr_set(e, path.s, r ? " was written by somebody else than vadddomain" : " is missing", (char *)0);
    e->permanent = 1;
    r = 0;
  }
  stralloc_free(&path);
  stralloc_free(&text);
  return r == 1 ? 0 : -1;
}

int domain_per_level_write(const char *dir, uint64_t number, const struct identity *owner, struct strerr *e) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  int r = stralloc_catm(&path, dir, "/" SITE_PER_LEVEL, (char *)0) && stralloc_catu64(&text, number) && stralloc_append(&text, '\n')
              ? file_replace(path.s, text.s, text.len, 0640)
              : -1;

  if (r == 0 && geteuid() == 0) r = chown(path.s, owner->uid, owner->gid);
  if (r == -1) strerr_sys(e, "unable to write ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  stralloc_free(&text);
  return r;
}

/* --- BASE/bucket/domain, where the owner can make homes */

static int tree_path(const char *base, const char *bucket, const char *name, stralloc *path, struct strerr *e) {
  stralloc_cut(path, 0);
  return stralloc_catm(path, base, "/", bucket, name ? "/" : (char *)0, name, (char *)0) ? 0 : no_memory(e);
}

int domain_trees_make(const char *base, const char *name, const struct identity *owner, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = file_mkdir(base, 0755);

  if (r == -1) strerr_sys(e, "unable to create ", base, (char *)0);
  for (size_t i = 0; r == 0 && i < DIRHASH_BUCKETS; ++i) {
    r = tree_path(base, dirhash_buckets[i], 0, &path, e);
    if (r == 0 && (r = file_mkdir(path.s, 0755)) == -1) strerr_sys(e, "unable to create ", path.s, (char *)0);
    if (r == 0) r = tree_path(base, dirhash_buckets[i], name, &path, e);
    if (r == 0) r = tree_mkdir(path.s, 0750, owner->uid, owner->gid, e);
  }
  stralloc_free(&path);
  return r;
}

int domain_trees_remove(const char *base, const char *name, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = 0;

  for (size_t i = 0; r == 0 && i < DIRHASH_BUCKETS; ++i) {
    r = tree_path(base, dirhash_buckets[i], name, &path, e);
    if (r == 0) r = tree_remove(path.s, e);
  }
  stralloc_free(&path);
  return r;
}

int domain_path_rename(const char *old, const char *new, struct strerr *e) {
  struct stat st;

  if (lstat(new, &st) == 0 && lstat(old, &st) == -1 && errno == ENOENT) return 0;
  if (rename(old, new) == 0 || errno == ENOENT) return 0;
  return strerr_sys(e, "unable to rename ", old, " to ", new, (char *)0);
}

int domain_trees_rename(const char *base, const char *old, const char *new, struct strerr *e) {
  stralloc from = STRALLOC_INIT, to = STRALLOC_INIT;
  int r = 0;

  for (size_t i = 0; r == 0 && i < DIRHASH_BUCKETS; ++i) {
    r = tree_path(base, dirhash_buckets[i], old, &from, e);
    if (r == 0) r = tree_path(base, dirhash_buckets[i], new, &to, e);
    if (r == 0) r = domain_path_rename(from.s, to.s, e);
  }
  stralloc_free(&from);
  stralloc_free(&to);
  return r;
}

/* --- users/assign */

/* Rewrites users/assign with (line) or without the domain's line, and compiles it:
 * 1 there was a line, 0 there was none, -1. */
static int edit_assign(const char *name, const char *line, int compile, struct strerr *e) {
  stralloc dir = STRALLOC_INIT, path = STRALLOC_INIT, key = STRALLOC_INIT, text = STRALLOC_INIT, out = STRALLOC_INIT;
  int r = -1, found = 0;

  if (!paths_get(PATH_USERS, &dir) || !paths_file(PATH_USERS, "assign", &path) ||
      !stralloc_catm(&key, "+", name, "-", (char *)0)) {
    no_memory(e);
  } else if (file_read(path.s, &text, ASSIGN_MAX) == -1) {
    strerr_sys(e, "unable to read ", path.s, (char *)0);
  } else {
    found = assign_without(stralloc_cstr(&text), text.len, key.s, &out);
    r = found;
    if (r != -1 && line) {
      stralloc_cut(&text, 0);
      r = assign_with(out.s, out.len, line, &text);
    } else if (r != -1) {
      r = stralloc_copy(&text, &out) ? 0 : -1;
    }
    file_sweep(path.s);
    if (r == -1) no_memory(e);
    else if (file_replace(path.s, text.s, text.len, 0644) == -1) r = strerr_sys(e, "unable to write ", path.s, (char *)0);
    else if (compile) r = assign_newu(dir.s, e);
  }
  stralloc_free(&dir);
  stralloc_free(&path);
  stralloc_free(&key);
  stralloc_free(&text);
  stralloc_free(&out);
  return r == -1 ? -1 : found;
}

int domain_assign_add(const char *name, const char *dir, const struct identity *owner, int compile, struct strerr *e) {
  stralloc line = STRALLOC_INIT;
  int r;

  if (!stralloc_catm(&line, "+", name, "-:", name, ":", (char *)0) || !stralloc_catu64(&line, owner->uid) ||
      !stralloc_append(&line, ':') || !stralloc_catu64(&line, owner->gid) ||
      !stralloc_catm(&line, ":", dir, ":-::", (char *)0))
    r = no_memory(e);
  else
    r = edit_assign(name, line.s, compile, e) == -1 ? -1 : 0;
  stralloc_free(&line);
  return r;
}

int domain_assign_remove(const char *name, struct strerr *e) {
  return edit_assign(name, 0, 1, e);
}

/* --- control files */

struct control {
  const char *file;
  const char *between; /* null: the domain alone; else domain, this, domain */
  int add;             /* adding a domain puts it there; else takes it out */
  int optional;        /* only if the caller wants it */
};

/* In the order in which adding goes; removing goes from the end. */
static const struct control controls[] = {
    {"virtualdomains", ":", 1, 0},
    {"locals", 0, 0, 0},
    {"etrnhosts", 0, 0, 0}, /* its mail no longer passes through: vadddomain -t */
    {"odmrhosts", 0, 0, 0},
    {"chkrcptdomains", 0, 1, 1},
    {"rcpthosts", 0, 1, 0},
};
#define CONTROLS (sizeof controls / sizeof *controls)

static int control_line(const struct control *c, const char *name, stralloc *path, stralloc *line, struct strerr *e) {
  stralloc_cut(line, 0);
  if (!paths_file(PATH_CONTROL, c->file, path) || !stralloc_cats(line, name) ||
      (c->between && !stralloc_catm(line, c->between, name, (char *)0)))
    return no_memory(e);
  return 0;
}

int domain_controls_add(const char *name, int check_rcpt, struct strerr *e) {
  stralloc path = STRALLOC_INIT, line = STRALLOC_INIT;
  int r = 0;

  for (size_t i = 0; r != -1 && i < CONTROLS; ++i) {
    if (controls[i].optional && !check_rcpt) continue;
    r = control_line(&controls[i], name, &path, &line, e);
    if (r == 0) r = controls[i].add ? lines_add(path.s, line.s, e) : lines_remove(path.s, line.s, 0, e);
  }
  stralloc_free(&path);
  stralloc_free(&line);
  return r == -1 ? -1 : 0;
}

int domain_controls_remove(const char *name, struct strerr *e) {
  stralloc path = STRALLOC_INIT, line = STRALLOC_INIT;
  int r = 0, any = 0;

  for (size_t i = CONTROLS; r != -1 && i--;) {
    if (!controls[i].add) continue;
    r = control_line(&controls[i], name, &path, &line, e);
    if (r == 0) r = lines_remove(path.s, line.s, 0, e);
    any |= r == 1;
  }
  stralloc_free(&path);
  stralloc_free(&line);
  return r == -1 ? -1 : any;
}

/* Is it listed among those whose recipients are checked?  1, 0, -1. */
int domain_checks_rcpt(const char *name, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = paths_file(PATH_CONTROL, "chkrcptdomains", &path) ? lines_has(path.s, name, 0, e) : no_memory(e);

  stralloc_free(&path);
  return r;
}
