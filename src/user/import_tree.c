/* import_tree: takes over domains of vpopmail, each with a file vpasswd and .qmail files in its directory
 * (user/import.h). */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/utf8.h"
#include "user/alias_files.h"
#include "user/import_part.h"
#include "user/user_line.h"

#define VPASSWD "/vpasswd"
#define VPASSWD_MAX (512u << 20)
#define LIMITS_OF_OLD "/.qmailadmin-limits"
#define USERS "vpasswd"
#define ALIASES ".qmail files"

/* The text of the file, read as root: 1, 0 there is none, -1. */
static int read_users(struct import_work *w, const struct import_domain *d, stralloc *text, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  struct stat st;
  int r = -1;

  if (!stralloc_catm(&path, d->dir.s, VPASSWD, (char *)0)) import_no_memory(e);
  else if (identity_leave(e) == 0) {
    r = file_read(path.s, text, VPASSWD_MAX);
    if (r == -1 && errno == ENOTDIR) r = 0;
    if (r == -1) strerr_sys(e, "unable to read ", path.s, (char *)0);
    stralloc_cut(&path, d->dir.len);
    if (r == 1 && stralloc_cats(&path, LIMITS_OF_OLD) && stat(path.s, &st) == 0)
      import_tell(w, "files", path.s, "left aside: vlimit sets limits", 0);
    if (identity_enter(&w->s->mail, e) == -1) r = -1;
  }
  stralloc_free(&path);
  return r;
}

static int put_user(struct import_user *u, const struct user_line *l, const struct import_domain *d) {
  u->quota = l->quota; /* none where the line has none, as there */
  u->flags = l->flags;
  u->active = 1;
  u->at = 0;
  return stralloc_copy(&u->name, &l->name) && stralloc_copy(&u->domain, &d->name) && stralloc_copy(&u->hash, &l->hash) &&
         import_text(l->comment.s, l->comment.len, &u->gecos) && stralloc_copyb(&u->home, stralloc_cstr(&l->home), l->home.len);
}

/* What a line is called in messages: by the user where it names one, for the rest of it may be a password. */
static int name_line(const struct import_domain *d, const char *s, size_t n, uint64_t number, stralloc *name) {
  size_t colon = bytes_chr(s, n, ':');

  if (colon < n && !name_user_fault(s, colon)) return stralloc_copyb(name, s, colon) && stralloc_catm(name, "@", d->name.s, (char *)0);
  return stralloc_copy(name, &d->name) && stralloc_cats(name, ", line ") && stralloc_catu64(name, number);
}

static enum import_outcome take_line(struct import_work *w, const struct import_domain *d, const char *s, size_t n, uint64_t number, struct strerr *e) {
  struct user_line l = {.flags = 0};
  struct import_user u = {.flags = 0};
  stralloc name = STRALLOC_INIT;
  const char *why = n > USER_LINE_MAX ? "the line is too long" : user_line_take(s, n, &l);
  enum import_outcome o = IMPORT_FAILED;

  if (!why && !utf8_valid(stralloc_cstr(&l.home), l.home.len)) why = "its directory is not UTF-8";
  if (!name_line(d, s, n, number, &name)) import_no_memory(e);
  else if (why) o = import_left(w, USERS, name.s, why);
  else if (!put_user(&u, &l, d)) import_no_memory(e);
  else o = import_user_take(w, USERS, &u, e);
  user_line_free(&l);
  import_user_free(&u);
  stralloc_free(&name);
  return o;
}

static int take_users(struct import_work *w, const struct import_domain *d, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  uint64_t number = 0;
  int r = read_users(w, d, &text, e);

  if (r == 0) import_tell(w, USERS, d->name.s, "there is no vpasswd in its directory: no users", 0);
  for (size_t i = 0, n; r == 1 && i < text.len; i += n + 1) {
    n = bytes_chr(text.s + i, text.len - i, '\n');
    ++number;
    if (n && text.s[i] != '#' && import_count_row(w, take_line(w, d, text.s + i, n, number, e)) == -1) r = -1;
  }
  stralloc_wipe(&text);
  return r == -1 ? -1 : 0;
}

static void tell_alias(void *ctx, const char *name, const char *why) {
  struct import_work *w = ctx;

  if (why) (void)import_count_row(w, import_left(w, ALIASES, name, why));
  else ++w->count.taken;
}

static int take_aliases(struct import_work *w, const struct import_domain *d, struct strerr *e) {
  uint64_t there;
  int r = alias_files_take(w->s, d->name.s, tell_alias, w, &there, e);

  w->count.taken -= there;
  w->count.there += there;
  return r;
}

/* Each domain that is ours now, and has a directory for files of aliases. */
static int each_domain(struct import_work *w, int (*take)(struct import_work *, const struct import_domain *, struct strerr *), const char *table,
                       struct strerr *e) {
  for (size_t i = 0; i < w->domains; ++i) {
    const struct import_domain *d = &w->domain[i];
    int has = d->real.len ? 0 : import_has_domain(w, d->name.s, e);

    if (has == -1 || (has == 1 && take(w, d, e) == -1)) return -1;
    progress_step(w->im->progress);
  }
  import_count_done(w, table);
  return 0;
}

static int fill(struct import_work *w, void *ctx, struct strerr *e) {
  (void)ctx;
  progress_start(w->im->progress, 2 * w->domains);
  return each_domain(w, take_users, USERS, e) == -1 || each_domain(w, take_aliases, ALIASES, e) == -1 ? -1 : 0;
}

int import_tree(struct site *s, struct import *im, struct strerr *e) {
  return import_run(s, im, fill, 0, e);
}
