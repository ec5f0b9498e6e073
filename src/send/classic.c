/* classic: see classic.h.
 *
 * A classic message ID has mess/S/ID and, once accepted, todo/ID (everything still to be
 * done) or info/S/ID with local/S/ID and remote/S/ID (what was begun), perhaps bounce/ID;
 * todo and intd may be split like the others.  The file that makes it accepted, todo or
 * info, is its key.
 *
 * Each message is moved in four steps, each on disk before the next:
 *   1. written here, complete, in the state "importing", which nobody touches;
 *   2. its key there is renamed to ID.imported: it is no message of that queue any more;
 *   3. published here;
 *   4. its files there are removed, the renamed key last.
 * Whoever finds a key there begins with 1, whoever finds ID.imported goes on: with 3 if the
 * message is still "importing" here, else with 4. */
#include "send/classic.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "base/scan.h"
#include "queue/found.h"
#include "send/route.h"

#define IMPORTED ".imported"
#define RECORDS_MAX (256u << 20)
#define ID_TRIES 10000
#define NAME 96 /* bytes of a path in the classic queue */

#define UNSPLIT UINT64_MAX

struct one {
  uint64_t id;
  uint64_t split; /* the numbered directory it is in, where directories are split */
};

struct import {
  int dir;
  const struct queue_owner *owner;
  struct route_table table;
  struct classic_counts *counts;
  struct one *found;
  size_t n, a;
  /* of the message at hand */
  struct one at;
  int todo;          /* its key is in todo */
  int imported;      /* and was renamed */
  char key[NAME];
  uint64_t ours;     /* its id here */
  struct envelope env;
  stralloc marks, bounce, bytes;
  struct strerr *e;
};

static int broken(struct import *m, const char *path) {
  return strerr_sys(m->e, "unable to import ", path, (char *)0);
}

/* "info/7/123" or, unsplit, "info/123". */
static void name(char path[NAME], const char *kind, const struct one *o, int split) {
  size_t n = strlen(kind);

  memcpy(path, kind, n);
  path[n++] = '/';
  if (split && o->split != UNSPLIT) {
    n += fmt_u64(path + n, o->split);
    path[n++] = '/';
  }
  n += fmt_u64(path + n, o->id);
  path[n] = 0;
}

/* The one of both that is there, or the unsplit one: 1, 0 none, -1. */
static int find(struct import *m, char path[NAME], const char *kind, const char *suffix) {
  struct stat st;

  for (int split = 1; split >= 0; --split) {
    name(path, kind, &m->at, split);
    memcpy(path + strlen(path), suffix, strlen(suffix) + 1);
    if (fstatat(m->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
      if (S_ISREG(st.st_mode)) return 1; /* a low id may be the name of a directory */
    } else if (errno != ENOENT && errno != ENOTDIR) {
      return broken(m, path);
    }
  }
  return 0;
}

static int sync_parent(struct import *m, const char *path) {
  char parent[NAME];
  size_t n = bytes_rchr(path, strlen(path), '/');
  int fd;
  int r;

  memcpy(parent, path, n);
  parent[n] = 0;
  fd = openat(m->dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  r = fd == -1 ? -1 : fsync(fd);
  fd_close(fd);
  return r == -1 ? broken(m, path) : 0;
}

static int read_records(struct import *m, const char *path) {
  int fd = openat(m->dir, path, O_RDONLY | O_CLOEXEC);
  int r;

  stralloc_cut(&m->bytes, 0);
  r = fd == -1 ? -1 : fd_slurp(fd, &m->bytes, RECORDS_MAX);
  fd_close(fd);
  return r == -1 ? broken(m, path) : 0;
}

/* --- its envelope --- */

static int add_recipient(struct import *m, const char *address, int done) {
  const char *original = m->todo ? address : route_original(&m->table, address);

  if (!strlist_add(&m->env.recipients, original, strlen(original))) return -1;
  return stralloc_append(&m->marks, done ? 'D' : 0) ? 1 : -1;
}

/* One record: 1, 0 not of this format, -1 no memory. */
static int take_record(struct import *m, const char *s, size_t n) {
  const char *text = s + 1;

  switch (s[0]) {
    case 'u': return scan_u64(text, n - 1, &m->env.uid);
    case 'p': return scan_u64(text, n - 1, &m->env.qp);
    case 'F': return stralloc_copyb(&m->env.sender, text, n - 1) ? 1 : -1;
    case 'e': return stralloc_copyb(&m->env.extra, text, n - 1) ? 1 : -1;
    case 'h': return stralloc_copyb(&m->env.captured, text, n - 1) ? 1 : -1;
    case 'T': return add_recipient(m, text, 0);
    case 'D': return add_recipient(m, text, 1);
  }
  return 0;
}

static int take_file(struct import *m, const char *path) {
  size_t pos = 0;

  if (read_records(m, path) == -1) return -1;
  while (pos < m->bytes.len) {
    size_t len = bytes_chr(m->bytes.s + pos, m->bytes.len - pos, 0);
    int r = len && pos + len < m->bytes.len ? take_record(m, m->bytes.s + pos, len) : 0;

    if (r == -1) return broken(m, path);
    if (r == 0) return 0;
    pos += len + 1;
  }
  return 1;
}

/* The whole envelope, and the bounce text: 1, 0 damaged, -1. */
static int read_envelope(struct import *m) {
  static const char *const lists[] = {"local", "remote"};
  char path[NAME];
  int r;

  envelope_clear(&m->env);
  stralloc_cut(&m->marks, 0);
  stralloc_cut(&m->bounce, 0);
  m->env.birth = 0;
  r = take_file(m, m->key);
  for (size_t i = 0; r == 1 && !m->todo && i < sizeof lists / sizeof lists[0]; ++i) {
    r = find(m, path, lists[i], "");
    if (r == 1) r = take_file(m, path);
    else if (r == 0) r = 1;
  }
  if (r != 1) return r;
  if (memchr(m->marks.s ? m->marks.s : "", 'D', m->marks.len) == 0) stralloc_cut(&m->marks, 0);
  r = find(m, path, "bounce", "");
  if (r == 1 && (r = read_records(m, path)) == 0) r = stralloc_copy(&m->bounce, &m->bytes) ? 0 : broken(m, path);
  return r == -1 ? -1 : 1;
}

/* --- the four steps --- */

/* Its id here follows from what it is there, so that a second run finds it: 1, 0 nothing of it is here (the
 * id is free), -1. */
static int choose_id(struct import *m, uint64_t birth) {
  m->ours = birth * 1000000 + m->at.id % 1000000;
  for (int i = 0; i < ID_TRIES; ++i, ++m->ours) {
    int r = queue_importing(m->ours);

    if (r == 0) r = queue_id_taken(m->ours) == 0 ? 2 : 0;
    if (r == -1) return broken(m, m->key);
    if (r == 1) return 1;
    if (r == 2) return 0;
  }
  errno = EEXIST;
  return broken(m, m->key);
}

static int write_here(struct import *m, const char *mess, uint64_t birth) {
  int fd = openat(m->dir, mess, O_RDONLY | O_CLOEXEC);
  int r;

  if (fd == -1) return broken(m, mess);
  m->env.birth = birth;
  if (!m->env.qp) m->env.qp = m->at.id;
  r = queue_import(m->ours, fd, &m->env, &m->marks, &m->bounce, m->owner);
  fd_close(fd);
  return r == -1 ? broken(m, mess) : 0;
}

static int rename_key(struct import *m) {
  char to[NAME + sizeof IMPORTED];
  size_t n = strlen(m->key);

  memcpy(to, m->key, n);
  memcpy(to + n, IMPORTED, sizeof IMPORTED);
  if (renameat(m->dir, m->key, m->dir, to) == -1 || sync_parent(m, m->key) == -1) return broken(m, m->key);
  memcpy(m->key, to, n + sizeof IMPORTED);
  return 0;
}

static int remove_there(struct import *m) {
  static const char *const kinds[] = {"local", "remote", "bounce", "intd", "info", "mess"};
  char path[NAME];

  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    int r = find(m, path, kinds[i], "");

    if (r == 1 && (unlinkat(m->dir, path, 0) == -1 || sync_parent(m, path) == -1)) r = broken(m, path);
    if (r == -1) return -1;
  }
  return unlinkat(m->dir, m->key, 0) == -1 ? broken(m, m->key) : 0;
}

/* Of the message m->at: 1 taken, 0 left alone, -1. */
static int import_one(struct import *m) {
  char mess[NAME];
  struct stat st;
  int has = find(m, mess, "mess", "");
  int r;

  if (has == -1) return -1;
  if (fstatat(m->dir, m->key, &st, AT_SYMLINK_NOFOLLOW) == -1) return broken(m, m->key);
  r = choose_id(m, (uint64_t)(st.st_mtim.tv_sec > 0 ? st.st_mtim.tv_sec : 0));
  if (r == -1) return -1;
  if (!m->imported) {
    r = has ? read_envelope(m) : 0;
    if (r == -1) return -1;
    if (r == 0) {
      strerr_warnm("queue-fix: damaged, left alone: ", m->key, (char *)0);
      m->counts->damaged++;
      return 0;
    }
    if (write_here(m, mess, (uint64_t)st.st_mtim.tv_sec) == -1 || rename_key(m) == -1) return -1;
    r = 1;
  }
  if (r == 1 && queue_import_publish(m->ours) == -1) return broken(m, m->key);
  m->counts->taken++;
  return remove_there(m) == -1 ? -1 : 1;
}

/* --- which messages there are --- */

static int add(struct import *m, uint64_t id, uint64_t split) {
  if (m->n == m->a) {
    size_t a = m->a ? m->a * 2 : 256;
    struct one *more = reallocarray(m->found, a, sizeof *more);

    if (!more) return broken(m, "a queue");
    m->found = more;
    m->a = a;
  }
  m->found[m->n++] = (struct one){id, split};
  return 0;
}

static int by_id(const void *a, const void *b) {
  const struct one *x = a;
  const struct one *y = b;

  if (x->id != y->id) return x->id < y->id ? -1 : 1;
  return x->split < y->split ? -1 : x->split > y->split; /* where it lies, if any of its files tells */
}

/* Each id once. */
static void make_unique(struct import *m) {
  size_t to = 0;

  if (m->n) qsort(m->found, m->n, sizeof *m->found, by_id);
  for (size_t i = 0; i < m->n; ++i)
    if (!to || m->found[to - 1].id != m->found[i].id) m->found[to++] = m->found[i];
  m->n = to;
}

/* All ids below kind, and in its numbered directories (split -1: it is one itself). */
static int look(struct import *m, const char *kind, int64_t split) {
  int fd = openat(m->dir, kind, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *d = fd == -1 ? 0 : fdopendir(fd);
  struct dirent *entry;
  int r = 0;

  if (!d) return fd == -1 && (errno == ENOENT || errno == ENOTDIR) ? 0 : broken(m, kind);
  while (r == 0 && (errno = 0, entry = readdir(d)) != 0) {
    size_t n = strlen(entry->d_name);
    char below[NAME];
    struct stat st;
    uint64_t id;

    if (n > sizeof IMPORTED - 1 && !strcmp(entry->d_name + n - (sizeof IMPORTED - 1), IMPORTED)) n -= sizeof IMPORTED - 1;
    if (!scan_u64(entry->d_name, n, &id) || strlen(kind) + n + 2 > NAME) continue;
    if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
      memcpy(below, kind, strlen(kind));
      below[strlen(kind)] = '/';
      memcpy(below + strlen(kind) + 1, entry->d_name, n + 1);
      if (split == -1) r = look(m, below, (int64_t)id);
    } else if (S_ISREG(st.st_mode)) {
      r = add(m, id, split == -1 ? UNSPLIT : (uint64_t)split);
    }
  }
  if (r == 0 && errno) r = broken(m, kind);
  closedir(d);
  return r;
}

/* The key of m->at: 1, 0 it has none, -1. */
static int find_key(struct import *m) {
  static const struct {
    const char *kind, *suffix;
    int todo, imported;
  } keys[] = {{"todo", IMPORTED, 1, 1}, {"info", IMPORTED, 0, 1}, {"todo", "", 1, 0}, {"info", "", 0, 0}};
  int r = 0;

  for (size_t i = 0; r == 0 && i < sizeof keys / sizeof keys[0]; ++i) {
    r = find(m, m->key, keys[i].kind, keys[i].suffix);
    m->todo = keys[i].todo;
    m->imported = keys[i].imported;
  }
  return r;
}

int classic_import(int dir, const struct conf *conf, const struct queue_owner owner[QUEUE_FILES],
                   struct classic_counts *counts, struct strerr *e) {
  struct import m = {.dir = dir, .owner = owner, .counts = counts, .e = e};
  int r;

  memset(counts, 0, sizeof *counts);
  m.table.envnoathost = conf_line(conf, SET_envnoathost);
  m.table.locals = conf_lines(conf, SET_locals);
  m.table.percenthack = conf_lines(conf, SET_percenthack);
  m.table.virtualdomains = conf_lines(conf, SET_virtualdomains);
  r = look(&m, "mess", -1);
  if (r == 0) r = look(&m, "info", -1);
  if (r == 0) r = look(&m, "todo", -1);
  make_unique(&m);
  for (size_t i = 0; r == 0 && i < m.n; ++i) {
    m.at = m.found[i];
    r = find_key(&m);
    if (r == 0) counts->unaccepted++;
    else if (r == 1) r = import_one(&m) == -1 ? -1 : 0;
  }
  free(m.found);
  envelope_free(&m.env);
  stralloc_free(&m.marks);
  stralloc_free(&m.bounce);
  stralloc_free(&m.bytes);
  return r;
}
