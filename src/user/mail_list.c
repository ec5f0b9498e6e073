/* mail_list: see mail_list.h.  A line is the directory that holds new and cur, a slash, and the name without flags.  A
 * message that changes its flags while it is looked for may be missed: if in the old home, it is copied again, and
 * if in the new, only its old copy goes. */
#include "user/mail_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/strlist.h"

#define DEPTH_MAX 200
#define LIST_MAX (512u << 20)

struct walk {
  struct strlist *found; /* line, LF, path below the home */
  stralloc path;         /* of the directory, below the home */
  dev_t dev;
};

static int add_message(struct walk *w, const char *name) {
  const size_t slash = bytes_rchr(w->path.s, w->path.len, '/');
  const char *info = strstr(name, ":2,");
  stralloc line = STRALLOC_INIT;
  int ok = stralloc_catb(&line, w->path.s, slash < w->path.len ? slash : 0) && stralloc_append(&line, '/') &&
           stralloc_catb(&line, name, info ? (size_t)(info - name) : strlen(name)) &&
           stralloc_catm(&line, "\n", w->path.s, "/", name, (char *)0) && strlist_add(w->found, line.s, line.len);

  stralloc_free(&line);
  return ok ? 0 : -1;
}

static int is_of_mail(const stralloc *path) {
  const size_t slash = bytes_rchr(path->s, path->len, '/'), start = slash < path->len ? slash + 1 : 0;

  return path->len && (!strcmp(path->s + start, "new") || !strcmp(path->s + start, "cur"));
}

static int walk_dir(struct walk *w, int fd, int depth);

static int walk_entry(struct walk *w, int dir, const char *name, int mail, int depth) {
  const size_t len = w->path.len;
  struct stat st;
  int fd, r = 0;

  if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1) return errno == ENOENT ? 0 : -1;
  if (S_ISREG(st.st_mode)) return mail && !strchr(name, '\n') ? add_message(w, name) : 0;
  if (!S_ISDIR(st.st_mode) || st.st_dev != w->dev || strchr(name, '\n')) return 0;
  fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd == -1) return errno == ENOENT ? 0 : -1;
  if ((len && !stralloc_append(&w->path, '/')) || !stralloc_cats(&w->path, name)) r = -1;
  if (r == 0) r = walk_dir(w, fd, depth + 1);
  else fd_close(fd);
  stralloc_cut(&w->path, len);
  return r;
}

/* Takes the descriptor. */
static int walk_dir(struct walk *w, int fd, int depth) {
  DIR *d = depth > DEPTH_MAX ? 0 : fdopendir(fd);
  const int mail = is_of_mail(&w->path);
  const struct dirent *de;
  int r = d ? 0 : -1, saved;

  if (!d) fd_close(fd);
  while (r == 0 && (de = readdir(d)) != 0)
    if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0) r = walk_entry(w, fd, de->d_name, mail, depth);
  saved = errno;
  if (d) closedir(d);
  errno = saved;
  return r;
}

/* Sorted. */
static int collect(const char *home, struct strlist *found, struct strerr *e) {
  struct walk w = {.found = found};
  struct stat st;
  int fd = open(home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = -1;

  if (fd != -1 && fstat(fd, &st) == 0) {
    w.dev = st.st_dev;
    r = walk_dir(&w, fd, 0);
  }
  if (r == -1) strerr_sys(e, "unable to look through ", home, (char *)0);
  strlist_sort(found);
  stralloc_free(&w.path);
  return r;
}

int mail_list_write(const char *home, const char *path, struct strerr *e) {
  struct strlist found = {0};
  stralloc text = STRALLOC_INIT;
  int r = collect(home, &found, e);

  for (size_t i = 0; r == 0 && i < found.len; ++i)
    if (!stralloc_catb(&text, found.item[i].s, bytes_chr(found.item[i].s, found.item[i].len, '\n') + 1)) r = strerr_sys(e, "unable to list the messages of ", home, (char *)0);
  file_sweep(path);
  if (r == 0 && file_replace(path, stralloc_cstr(&text), text.len, 0600) == -1) r = strerr_sys(e, "unable to write ", path, (char *)0);
  strlist_free(&found);
  stralloc_free(&text);
  return r;
}

/* The first entry of this line (n bytes with its LF), or the end of the list. */
static size_t find(const struct strlist *l, const char *line, size_t n) {
  size_t from = 0, to = l->len;

  while (from < to) {
    const size_t middle = from + (to - from) / 2;

    if (strncmp(l->item[middle].s, line, n) < 0) from = middle + 1;
    else to = middle;
  }
  return from < l->len && !strncmp(l->item[from].s, line, n) ? from : l->len;
}

/* All of this line go. */
static int delete_messages(const char *home, const struct strlist *l, size_t i, const char *line, size_t n, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = 0;

  for (; r == 0 && i < l->len && !strncmp(l->item[i].s, line, n); ++i) {
    stralloc_cut(&path, 0);
    if (!stralloc_catm(&path, home, "/", l->item[i].s + n, (char *)0) || (unlink(path.s) == -1 && errno != ENOENT))
      r = strerr_sys(e, "unable to remove ", stralloc_cstr(&path), (char *)0);
  }
  stralloc_free(&path);
  return r;
}

static int settle(const stralloc *text, const char *old, const char *new, struct strerr *e) {
  struct strlist in_old = {0}, in_new = {0};
  int r = collect(old, &in_old, e);

  if (r == 0) r = collect(new, &in_new, e);
  for (size_t i = 0; r == 0 && i < text->len;) {
    const size_t n = bytes_chr(text->s + i, text->len - i, '\n') + 1;
    const size_t a = find(&in_old, text->s + i, n), b = find(&in_new, text->s + i, n);

    if (a == in_old.len) r = delete_messages(new, &in_new, b, text->s + i, n, e);
    else if (b == in_new.len) r = delete_messages(old, &in_old, a, text->s + i, n, e);
    i += n;
  }
  strlist_free(&in_old);
  strlist_free(&in_new);
  return r;
}

int mail_list_settle(const char *path, const char *old, const char *new, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int r = file_read(path, &text, LIST_MAX);

  if (r == -1) strerr_sys(e, "unable to read ", path, (char *)0);
  if (r == 1 && text.len && text.s[text.len - 1] == '\n') r = settle(&text, old, new, e);
  stralloc_free(&text);
  return r == -1 ? -1 : 0;
}

int mail_list_remove(const char *path, struct strerr *e) {
  stralloc dir = STRALLOC_INIT;
  int r;

  file_sweep(path);
  r = unlink(path);
  if (r == -1 && errno == ENOENT) return 0;
  if (r == 0) r = file_dirname(path, &dir);
  if (r == 0) r = fd_syncdir(dir.s);
  if (r == -1) strerr_sys(e, "unable to remove ", path, (char *)0);
  stralloc_free(&dir);
  return r;
}
