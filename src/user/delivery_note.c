/* delivery_note: see delivery_note.h. */
#include "user/delivery_note.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cdb.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/now.h"

#define NOTE_MAX 1048576

/* A file of a queue is written once and keeps its time; its name, and so its number, is never used again.  Two
 * addresses of one message may have the same hash: the note's first line tells them apart. */
static int make_path(struct delivery_note *n, const char *home, const struct stat *st, const char *address) {
  return stralloc_catm(&n->path, home, "/" DELIVERY_NOTES "/", (char *)0) && stralloc_cati64(&n->path, st->st_mtim.tv_sec) &&
         stralloc_append(&n->path, '.') && stralloc_cati64(&n->path, st->st_mtim.tv_nsec) && stralloc_append(&n->path, '.') &&
         stralloc_catu64(&n->path, st->st_ino) && stralloc_append(&n->path, '.') && stralloc_catu64(&n->path, (uint64_t)st->st_size) &&
         stralloc_append(&n->path, '.') && stralloc_catu64(&n->path, cdb_hash(address, strlen(address)));
}

void delivery_note_open(struct delivery_note *n, const char *home, int msgfd, const char *address) {
  stralloc text = STRALLOC_INIT;
  struct stat st;

  memset(n, 0, sizeof *n);
  if (!home || *home != '/' || fstat(msgfd, &st) == -1 || !S_ISREG(st.st_mode) || !st.st_nlink) return;
  if (!make_path(n, home, &st, address)) {
    stralloc_free(&n->path);
    return;
  }
  n->was = file_read(n->path.s, &text, NOTE_MAX) == 1;
  if (n->was && strlist_add_lines(&n->done, text.s, text.len) && (!n->done.len || !stralloc_equals(&n->done.item[0], address))) strlist_clear(&n->done);
  /* The first line is taken: it is nobody's mark. */
  if (n->done.len) stralloc_cut(&n->done.item[0], 0);
  if (!strlist_add(&n->now, address, strlen(address))) stralloc_free(&n->path);
  stralloc_free(&text);
}

int delivery_note_works(const struct delivery_note *n) {
  return n->path.len != 0;
}

int delivery_note_add(struct delivery_note *n, char mark, const char *what) {
  stralloc line = STRALLOC_INIT;
  int ok = !n->path.len || (stralloc_append(&line, mark) && stralloc_cats(&line, what) && strlist_add(&n->now, line.s, line.len));

  stralloc_free(&line);
  return ok;
}

int delivery_note_take(struct delivery_note *n, char mark, const char *what) {
  for (size_t i = 1; i < n->done.len; ++i) {
    const stralloc *line = &n->done.item[i];

    if (line->len && line->s[0] == mark && !strcmp(line->s + 1, what) && delivery_note_add(n, mark, what)) {
      stralloc_cut(&n->done.item[i], 0);
      return 1;
    }
  }
  return 0;
}

/* Those of messages that have left their queue without us. */
static void sweep(const char *dir) {
  const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *in = fd == -1 ? 0 : fdopendir(fd);
  const struct dirent *d;
  struct stat st;

  if (!in) fd_close(fd);
  while (in && (d = readdir(in)))
    if (fstatat(dirfd(in), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && wall_now() - st.st_mtim.tv_sec > DELIVERY_NOTE_SECONDS)
      (void)!unlinkat(dirfd(in), d->d_name, 0);
  if (in) closedir(in);
}

static int write_note(struct delivery_note *n, struct strerr *e) {
  stralloc text = STRALLOC_INIT, dir = STRALLOC_INIT;
  int r = file_dirname(n->path.s, &dir);

  for (size_t i = 0; r == 0 && i < n->now.len; ++i)
    if (!stralloc_cat(&text, &n->now.item[i]) || !stralloc_append(&text, '\n')) r = -1;
  if (r == -1) errno = ENOMEM;
  if (r == 0) r = file_mkdir(dir.s, 0700);
  if (r == 0) sweep(dir.s);
  if (r == 0) r = file_replace(n->path.s, text.s, text.len, 0600);
  /* whoever was done with another message may have removed the directory at this moment */
  if (r == -1 && errno == ENOENT && (r = file_mkdir(dir.s, 0700)) == 0) r = file_replace(n->path.s, text.s, text.len, 0600);
  if (r == -1) strerr_sys(e, "unable to note what was delivered in ", n->path.s, (char *)0);
  stralloc_free(&text);
  stralloc_free(&dir);
  return r;
}

static void remove_note(const struct delivery_note *n) {
  stralloc dir = STRALLOC_INIT;

  (void)!unlink(n->path.s);
  if (file_dirname(n->path.s, &dir) == 0) (void)!rmdir(dir.s); /* when it was the last */
  stralloc_free(&dir);
}

int delivery_note_finish(struct delivery_note *n, int again, struct strerr *e) {
  if (!n->path.len) return 0;
  if (again && n->now.len > 1) return write_note(n, e);
  if (n->was) remove_note(n);
  return 0;
}

void delivery_note_free(struct delivery_note *n) {
  stralloc_free(&n->path);
  strlist_free(&n->done);
  strlist_free(&n->now);
}
