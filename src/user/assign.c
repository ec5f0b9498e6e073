/* assign: see assign.h. */
#include "user/assign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cdb.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/scan.h"

#define ASSIGN_MAX (256u << 20)

int assign_parse(const char *line, size_t n, struct assign_line *l) {
  uint32_t id;

  if (!n || (line[0] != '=' && line[0] != '+')) return 0;
  l->wild = line[0] == '+';
  ++line;
  --n;
  for (int i = 0; i < ASSIGN_FIELDS; ++i) {
    size_t colon = bytes_chr(line, n, ':');

    if (colon == n || bytes_chr(line, colon, 0) != colon) return 0;
    l->field[i].s = line;
    l->field[i].n = colon;
    line += colon + 1;
    n -= colon + 1;
  }
  return scan_u32(l->field[ASSIGN_UID].s, l->field[ASSIGN_UID].n, &id) &&
         scan_u32(l->field[ASSIGN_GID].s, l->field[ASSIGN_GID].n, &id) && (l->wild || l->field[ASSIGN_NAME].n);
}

static int add_line(struct cdb_make *m, const struct assign_line *l, stralloc *key, stralloc *data,
                    stralloc *wild) {
  stralloc_cut(data, 0);
  if (!stralloc_copylit(key, "!") || !stralloc_catb(key, l->field[ASSIGN_NAME].s, l->field[ASSIGN_NAME].n)) return -1;
  bytes_lower(key->s, key->len);
  if (!l->wild) {
    if (!stralloc_catb(key, "", 1)) return -1;
  } else if (l->field[ASSIGN_NAME].n) {
    char last = key->s[key->len - 1];

    if (bytes_chr(stralloc_cstr(wild), wild->len, last) == wild->len && !stralloc_append(wild, last)) return -1;
  }
  for (int i = ASSIGN_USER; i < ASSIGN_FIELDS; ++i)
    if (!stralloc_catb(data, l->field[i].s, l->field[i].n) || (i + 1 < ASSIGN_FIELDS && !stralloc_catb(data, "", 1)))
      return -1;
  return cdb_make_add(m, key->s, key->len, data->s, data->len);
}

static int bad_line(struct strerr *e, size_t number, const char *what) {
  stralloc n = STRALLOC_INIT;

  (void)!stralloc_catu64(&n, number);
  strerr_set(e, "users/assign:", stralloc_cstr(&n), ": ", what, (char *)0);
  e->permanent = 1;
  stralloc_free(&n);
  return -1;
}

static int add_lines(struct cdb_make *m, const char *text, size_t n, struct strerr *e) {
  stralloc key = STRALLOC_INIT, data = STRALLOC_INIT, wild = STRALLOC_INIT;
  size_t number = 0;
  int r = 0, ended = 0;

  while (r == 0 && n && !ended) {
    size_t i = bytes_chr(text, n, '\n');
    struct assign_line l;

    ++number;
    if (i == n) r = bad_line(e, number, "the line does not end");
    else if (i == 1 && text[0] == '.') ended = 1;
    else if (!i || text[0] == '#') ; /* nothing to do */
    else if (!assign_parse(text, i, &l)) r = bad_line(e, number, "malformed line");
    else if (add_line(m, &l, &key, &data, &wild) == -1) r = strerr_sys(e, "unable to write users/cdb", (char *)0);
    if (i < n) ++i;
    text += i;
    n -= i;
  }
  if (r == 0 && !ended) r = bad_line(e, number + 1, "the line \".\" at the end is missing");
  if (r == 0 && cdb_make_add(m, "", 0, stralloc_cstr(&wild), wild.len) == -1)
    r = strerr_sys(e, "unable to write users/cdb", (char *)0);
  stralloc_free(&key);
  stralloc_free(&data);
  stralloc_free(&wild);
  return r;
}

int assign_compile(const char *text, size_t n, int fd, struct strerr *e) {
  struct cdb_make m;
  int r;

  if (cdb_make_start(&m, fd) == -1) return strerr_sys(e, "unable to write users/cdb", (char *)0);
  r = add_lines(&m, text, n, e);
  if (r == 0 && cdb_make_finish(&m) == -1) r = strerr_sys(e, "unable to write users/cdb", (char *)0);
  cdb_make_free(&m);
  return r;
}

/* Writes the temporary file whole and synced. */
static int write_temp(const char *tmp, const stralloc *text, struct strerr *e) {
  int fd = fd_open_trunc(tmp, 0644);
  int r;

  if (fd == -1) return strerr_sys(e, "unable to create ", tmp, (char *)0);
  r = assign_compile(stralloc_cstr(text), text->len, fd, e);
  if (r == 0 && (fchmod(fd, 0644) == -1 || fsync(fd) == -1)) r = strerr_sys(e, "unable to write ", tmp, (char *)0);
  fd_close(fd);
  return r;
}

int assign_newu(const char *dir, struct strerr *e) {
  stralloc from = STRALLOC_INIT, tmp = STRALLOC_INIT, to = STRALLOC_INIT, text = STRALLOC_INIT;
  int r = 0;

  if (!stralloc_catm(&from, dir, "/assign", (char *)0) || !stralloc_catm(&to, dir, "/cdb", (char *)0) ||
      !stralloc_catm(&tmp, dir, "/cdb.tmp", (char *)0)) {
    errno = ENOMEM;
    r = strerr_sys(e, "unable to compile users/assign", (char *)0);
  }
  if (r == 0 && (r = file_read(from.s, &text, ASSIGN_MAX)) != 1) {
    if (r == 0) errno = ENOENT;
    r = strerr_sys(e, "unable to read ", from.s, (char *)0);
  } else if (r == 1) {
    r = write_temp(tmp.s, &text, e);
  }
  if (r == 0 && (rename(tmp.s, to.s) == -1 || fd_syncdir(dir) == -1))
    r = strerr_sys(e, "unable to move ", tmp.s, " to ", to.s, (char *)0);
  stralloc_free(&from);
  stralloc_free(&tmp);
  stralloc_free(&to);
  stralloc_free(&text);
  return r;
}

/* --- lookup */

static int damaged(struct strerr *e, const char *cdb) {
  errno = EPROTO;
  return strerr_sys(e, "unable to read ", cdb, (char *)0);
}

/* Takes the six fields apart; the data may or may not end in a NUL of its own. */
static int split(struct assign_user *u, const char *rest, size_t n) {
  const char *field[6];
  size_t nuls = 0, at = 0;

  for (size_t i = 0; i < u->data.len; ++i) nuls += u->data.s[i] == 0;
  if (nuls == 6 && !u->data.s[u->data.len - 1]) --u->data.len;
  else if (nuls != 5) return 0;
  if (!stralloc_catb(&u->data, rest, n)) return -1;
  for (int i = 0; i < 6; ++i) {
    field[i] = u->data.s + at;
    at += strlen(field[i]) + 1;
  }
  u->user = field[0];
  u->home = field[3];
  u->dash = field[4];
  u->ext = field[5];
  return scan_u32(field[1], strlen(field[1]), &u->uid) && scan_u32(field[2], strlen(field[2]), &u->gid);
}

static int find(struct cdb *c, const char *local, size_t n, struct assign_user *u) {
  stralloc key = STRALLOC_INIT, wild = STRALLOC_INIT;
  size_t i = n;
  int r = -1;

  if (!stralloc_copylit(&key, "!") || !stralloc_catz(&key, local, n)) goto done;
  bytes_lower(key.s, key.len);
  r = cdb_find(c, key.s, key.len);
  if (r == 0 && (r = cdb_find(c, "", 0)) == 1) {
    if (!stralloc_copyb(&wild, cdb_data(c), c->dlen)) r = -1;
    else r = 0;
    for (;; --i) {
      if (r != 0) break;
      if (!i || bytes_chr(stralloc_cstr(&wild), wild.len, key.s[i]) < wild.len) r = cdb_find(c, key.s, i + 1);
      if (!i || r != 0) break;
    }
  }
  if (r == 1 && !stralloc_copyb(&u->data, cdb_data(c), c->dlen)) r = -1;
done:
  if (r == 1) {
    r = split(u, local + i, n - i);
    if (r == 0) {
      errno = EPROTO;
      r = -1;
    }
  }
  stralloc_free(&key);
  stralloc_free(&wild);
  return r;
}

static void forget(struct assign_file *f) {
  if (f->open) cdb_free(&f->c);
  f->open = 0;
}

/* 1 open, 0 there is no such file, -1. */
static int refresh(struct assign_file *f, const char *cdb) {
  struct stat st;
  int r;

  if (stat(cdb, &st) == -1) {
    forget(f);
    return errno == ENOENT ? 0 : -1;
  }
  if (f->open && st.st_ino == f->st.st_ino && st.st_dev == f->st.st_dev && st.st_size == f->st.st_size &&
      st.st_mtim.tv_sec == f->st.st_mtim.tv_sec && st.st_mtim.tv_nsec == f->st.st_mtim.tv_nsec)
    return 1;
  forget(f);
  f->st = st;
  r = cdb_open(&f->c, cdb);
  f->open = r == 1;
  return r;
}

int assign_find_again(struct assign_file *f, const char *cdb, const char *local, size_t n, struct assign_user *u,
                      struct strerr *e) {
  int r = refresh(f, cdb);

  if (r == 0) return 0;
  if (r == -1) return strerr_sys(e, "unable to read ", cdb, (char *)0);
  if (bytes_chr(local, n, 0) == n) r = find(&f->c, local, n, u);
  else r = 0;
  if (r == -1) r = errno == EPROTO ? damaged(e, cdb) : strerr_sys(e, "unable to read ", cdb, (char *)0);
  return r;
}

int assign_find(const char *cdb, const char *local, size_t n, struct assign_user *u, struct strerr *e) {
  struct assign_file f = {.open = 0};
  int r = assign_find_again(&f, cdb, local, n, u, e);

  forget(&f);
  return r;
}

void assign_user_free(struct assign_user *u) {
  stralloc_free(&u->data);
}

/* --- editing */

/* Is the line one of this name: "=name:" or "+name:"? */
static int names(const char *line, size_t n, const char *name) {
  size_t len = strlen(name);

  return n > len && line[len] == ':' && bytes_caseequal(line, name, len);
}

/* All lines but the final "." and, if name is given, those of that name. */
static int copy_lines(const char *text, size_t n, const char *name, stralloc *out) {
  int found = 0;

  stralloc_cut(out, 0);
  while (n) {
    size_t i = bytes_chr(text, n, '\n');
    size_t step = i < n ? i + 1 : i;

    if (i == 1 && text[0] == '.') break;
    if (name && names(text, i, name)) found = 1;
    else if (i && (!stralloc_catb(out, text, i) || !stralloc_append(out, '\n'))) return -1;
    text += step;
    n -= step;
  }
  return found;
}

int assign_with(const char *text, size_t n, const char *line, stralloc *out) {
  if (copy_lines(text, n, 0, out) == -1) return -1;
  return stralloc_catm(out, line, "\n.\n", (char *)0) ? 0 : -1;
}

int assign_without(const char *text, size_t n, const char *name, stralloc *out) {
  int found = copy_lines(text, n, name, out);

  if (found == -1 || !stralloc_catlit(out, ".\n")) return -1;
  return found;
}
