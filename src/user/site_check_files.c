/* site_check_files: the part of site_check that goes through users/assign and the directories of
 * mailboxes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "conf/paths.h"
#include "user/assign.h"
#include "user/dirhash.h"
#include "user/site_check_part.h"
#include "user/vacation.h"

#define ASSIGN_MAX (256u << 20)
#define QMAIL_MAX 65536

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to check the domain", (char *)0);
}

/* --- users/assign */

static int field_is(const struct assign_line *l, int i, const char *s) {
  return l->field[i].n == strlen(s) && !memcmp(l->field[i].s, s, l->field[i].n);
}

static int number_is(const struct assign_line *l, int i, uint32_t number) {
  stralloc text = STRALLOC_INIT;
  int r = stralloc_catu64(&text, number) && field_is(l, i, text.s);

  stralloc_free(&text);
  return r;
}

/* "+domain-:domain:uid:gid:dir:-::", as vadddomain writes it: 1 with domain and dir, 0, -1. */
static int is_domain(const struct assign_line *l, stralloc *domain, stralloc *dir, struct strerr *e) {
  const size_t n = l->field[ASSIGN_USER].n;

  if (!l->wild || l->field[ASSIGN_NAME].n != n + 1 || memcmp(l->field[ASSIGN_NAME].s, l->field[ASSIGN_USER].s, n) != 0 ||
      l->field[ASSIGN_NAME].s[n] != '-' || !field_is(l, ASSIGN_DASH, "-") || l->field[ASSIGN_EXT].n ||
      name_domain_fault(l->field[ASSIGN_USER].s, n))
    return 0;
  return stralloc_copyb(domain, l->field[ASSIGN_USER].s, n) && stralloc_copyb(dir, l->field[ASSIGN_HOME].s, l->field[ASSIGN_HOME].n)
             ? 1
             : no_memory(e);
}

static int each_line(const stralloc *text, const struct userdb_domain *d, site_check_line_fn line, void *ctx, struct strerr *e) {
  const char *s = stralloc_cstr(text);
  size_t n = text->len;
  stralloc domain = STRALLOC_INIT, dir = STRALLOC_INIT;
  struct assign_line l;
  int found = 0, r = 0;

  while (n && r != -1) {
    size_t i = bytes_chr(s, n, '\n');

    if (assign_parse(s, i, &l)) {
      r = is_domain(&l, &domain, &dir, e);
      if (r == 1 && d && stralloc_equals(&domain, d->domain.s))
        found = stralloc_equals(&dir, stralloc_cstr(&d->dir)) && number_is(&l, ASSIGN_UID, d->uid) && number_is(&l, ASSIGN_GID, d->gid);
      if (r == 1 && line) r = line(ctx, domain.s, dir.s, e);
    }
    i += i < n;
    s += i;
    n -= i;
  }
  stralloc_free(&domain);
  stralloc_free(&dir);
  return r == -1 ? -1 : found;
}

int site_check_assign(const struct userdb_domain *d, site_check_line_fn line, void *ctx, struct strerr *e) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  int r = paths_file(PATH_USERS, "assign", &path) ? file_read(path.s, &text, ASSIGN_MAX) : -1;

  if (r == -1) strerr_sys(e, "unable to read ", stralloc_cstr(&path), (char *)0);
  else r = each_line(&text, d, line, ctx, e);
  stralloc_free(&path);
  stralloc_free(&text);
  return r;
}

/* --- homes */

struct homes {
  struct strlist list; /* owns what sorted points to */
  const char **sorted;
};

static int add_home(void *ctx, const char *name, const char *home, int active) {
  struct homes *h = ctx;

  return !strlist_add(&h->list, home, strlen(home));
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_homes(struct check_place *p, struct homes *h, struct strerr *e) {
  int r = site_enter_db(p->s, e);

  if (r == 0 && userdb_user_each(&p->s->db, p->d.domain.s, add_home, h, e) == USERDB_TEMPFAIL) r = -1;
  h->sorted = calloc(h->list.len + 1, sizeof *h->sorted);
  if (r == 0 && !h->sorted) r = no_memory(e);
  for (size_t i = 0; r == 0 && i < h->list.len; ++i) h->sorted[i] = stralloc_cstr(&h->list.item[i]);
  if (r == 0) qsort(h->sorted, h->list.len, sizeof *h->sorted, by_text);
  return identity_back(r, e);
}

static int is_home(const struct homes *h, const char *path) {
  return bsearch(&path, h->sorted, h->list.len, sizeof *h->sorted, by_text) != 0;
}

/* A home that nobody has used yet is not there. */
static void check_home(struct check_place *p, const char *home) {
  struct stat st;

  if (lstat(home, &st) == -1) return;
  if (S_ISLNK(st.st_mode) && stat(home, &st) == -1) site_check_person(p->c, home, "the home is a link that leads nowhere");
  else if (!S_ISDIR(st.st_mode)) site_check_person(p->c, home, "the home is not a directory");
  else if (st.st_uid != p->owner.uid) site_check_person(p->c, home, "the home belongs to another account than the domain's");
}

/* A line of his .qmail that leads to another home, or to a Maildir that is not there: mail for him would go where nobody
 * looks. */
static int leads_elsewhere(const char *s, size_t n, const char *home) {
  static const char message[] = VACATION_MESSAGE;
  const size_t len = strlen(home);
  const char *m = *s == '|' ? memmem(s, n, message, sizeof message - 1) : 0;
  stralloc path = STRALLOC_INIT;
  int r = 0;

  if (m) return (size_t)(m - s) < len || memcmp(m - len, home, len) != 0;
  while (n && strchr(" \t\r", s[n - 1])) --n;
  if (!n || *s != '/' || (n > len && !memcmp(s, home, len) && s[len] == '/')) return 0;
  if (stralloc_copyb(&path, s, n)) r = access(path.s, F_OK) == -1 && errno == ENOENT;
  stralloc_free(&path);
  return r;
}

/* As the owner, who may have put a link there. */
static int check_qmail(struct check_place *p, const char *home, struct strerr *e) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  int elsewhere = 0, r = identity_enter(&p->owner, e);

  if (r == 0 && !stralloc_catm(&path, home, "/.qmail", (char *)0)) r = no_memory(e);
  if (r == 0 && file_read(path.s, &text, QMAIL_MAX) == 1)
    for (size_t i = 0, n; i < text.len; i += n + 1) {
      n = bytes_chr(text.s + i, text.len - i, '\n');
      elsewhere |= n && !strchr(home, '\'') && leads_elsewhere(text.s + i, n, home);
    }
  r = identity_back(r, e);
  if (r == 0 && elsewhere) site_check_person(p->c, path.s, "names another home, or a Maildir that is not there");
  stralloc_free(&path);
  stralloc_free(&text);
  return r;
}

/* One directory of a bucket (which the administrator may have put elsewhere, by a link): hash
 * directories are gone into, others must be somebody's home. */
static int check_tree(struct check_place *p, const struct homes *h, const char *path, int depth, struct strerr *e) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | (depth ? O_NOFOLLOW : 0) | O_CLOEXEC);
  DIR *d = fd == -1 ? 0 : fdopendir(fd);
  stralloc entry = STRALLOC_INIT;
  struct dirent *de;
  int r = 0;

  if (!d) {
    r = errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : strerr_sys(e, "unable to open ", path, (char *)0);
    fd_close(fd);
    return r;
  }
  while (r == 0 && (errno = 0, de = readdir(d)) != 0) {
    uint64_t number;

    if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, "..")) continue;
    stralloc_cut(&entry, 0);
    if (!stralloc_catm(&entry, path, "/", de->d_name, (char *)0)) r = no_memory(e);
    else if (is_home(h, entry.s)) continue;
    else if (depth < DIRHASH_DEPTH && !de->d_name[1] && dirhash_number(de->d_name, &number)) r = check_tree(p, h, entry.s, depth + 1, e);
    else site_check_person(p->c, entry.s, "no user has this home");
  }
  if (r == 0 && errno) r = strerr_sys(e, "unable to read ", path, (char *)0);
  closedir(d);
  stralloc_free(&entry);
  return r;
}

static int check_trees(struct check_place *p, const struct homes *h, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = 0;

  for (size_t i = 0; r == 0 && i < DIRHASH_BUCKETS; ++i) {
    stralloc_cut(&path, 0);
    r = stralloc_catm(&path, stralloc_cstr(&p->base), "/", dirhash_buckets[i], "/", p->d.domain.s, (char *)0) ? check_tree(p, h, path.s, 0, e)
                                                                                                              : no_memory(e);
  }
  stralloc_free(&path);
  return r;
}

int site_check_homes(struct check_place *p, struct strerr *e) {
  struct homes h = {{0}, 0};
  int r = read_homes(p, &h, e);

  for (size_t i = 0; r == 0 && i < h.list.len; ++i) {
    if (*h.sorted[i] != '/') site_check_person(p->c, *h.sorted[i] ? h.sorted[i] : p->d.domain.s, "the home of a user is no absolute path");
    else if (i && !strcmp(h.sorted[i], h.sorted[i - 1])) site_check_person(p->c, h.sorted[i], "two users have this home");
    else {
      check_home(p, h.sorted[i]);
      r = check_qmail(p, h.sorted[i], e);
    }
  }
  if (r == 0) r = check_trees(p, &h, e);
  strlist_free(&h.list);
  free(h.sorted);
  return r;
}
