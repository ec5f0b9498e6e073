/* domain: see domain.h.
 *
 * Order of adding: directory with .qmail-default, mailbox directories, database (the
 * domain, its postmaster and aliases in one transaction), users/assign and users/cdb,
 * virtualdomains, locals, and last rcpthosts, which lets mail in.  Removing goes the
 * other way.  Every step may be repeated. */
#include "user/domain.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "conf/paths.h"
#include "user/assign.h"
#include "user/domain_alias.h"
#include "user/lines.h"
#include "user/tree.h"

static const char *const buckets[] = {"A2E", "F2K", "L2P", "Q2S", "T2Zsym"};
#define BUCKETS (sizeof buckets / sizeof *buckets)
#define ASSIGN_MAX (256u << 20)

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to change the domain", (char *)0);
}

/* Letters that stand for themselves in a shell's word. */
static int plain_word(const char *s) {
  return *s && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")] == 0;
}

/* --- files */

static int domain_dir(const char *below, const char *name, stralloc *path, struct strerr *e) {
  if (*below ? !stralloc_copys(path, below) : !paths_get(PATH_DOMAINS, path)) return no_memory(e);
  return stralloc_catm(path, "/", name, (char *)0) ? 0 : no_memory(e);
}

/* A word in single quotes where the shell would see more than a word. */
static int cat_word(stralloc *line, const char *word) {
  if (plain_word(word)) return stralloc_cats(line, word);
  if (!stralloc_append(line, '\'')) return 0;
  for (; *word; ++word)
    if (*word == '\'' ? !stralloc_cats(line, "'\\''") : !stralloc_append(line, *word)) return 0;
  return stralloc_append(line, '\'');
}

static int write_default(const char *dir, const struct domain_new *n, struct strerr *e) {
  stralloc path = STRALLOC_INIT, line = STRALLOC_INIT, program = STRALLOC_INIT;
  int r;

  if (!stralloc_catm(&path, dir, "/.qmail-default", (char *)0) || !paths_program("vdelivermail", &program) ||
      !stralloc_cats(&line, "| ") || !cat_word(&line, program.s) ||
      !stralloc_catm(&line, " '' ", n->handler, "\n", (char *)0))
    r = no_memory(e);
  else if ((r = file_replace(path.s, line.s, line.len, 0600)) == -1)
    strerr_sys(e, "unable to write ", path.s, (char *)0);
  else if (geteuid() == 0 && (r = chown(path.s, n->owner.uid, n->owner.gid)) == -1)
    strerr_sys(e, "unable to set the owner of ", path.s, (char *)0);
  stralloc_free(&path);
  stralloc_free(&line);
  stralloc_free(&program);
  return r;
}

static int make_dir(const struct domain_new *n, stralloc *dir, struct strerr *e) {
  stralloc parent = STRALLOC_INIT;
  int r = domain_dir(n->dir, n->name, dir, e);

  if (r == 0 && file_dirname(dir->s, &parent) == -1) r = no_memory(e);
  if (r == 0 && file_mkdir(parent.s, 0755) == -1) r = strerr_sys(e, "unable to create ", parent.s, (char *)0);
  if (r == 0) r = tree_mkdir(dir->s, 0750, n->owner.uid, n->owner.gid, e);
  if (r == 0) r = write_default(dir->s, n, e);
  stralloc_free(&parent);
  return r;
}

/* BASE/bucket/domain, where the owner can make homes. */
static int make_trees(const char *base, const struct domain_new *n, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = file_mkdir(base, 0755);

  if (r == -1) strerr_sys(e, "unable to create ", base, (char *)0);
  for (size_t i = 0; r == 0 && i < BUCKETS; ++i) {
    stralloc_cut(&path, 0);
    if (!stralloc_catm(&path, base, "/", buckets[i], (char *)0)) r = no_memory(e);
    else if (file_mkdir(path.s, 0755) == -1) r = strerr_sys(e, "unable to create ", path.s, (char *)0);
    else if (!stralloc_catm(&path, "/", n->name, (char *)0)) r = no_memory(e);
    else r = tree_mkdir(path.s, 0750, n->owner.uid, n->owner.gid, e);
  }
  stralloc_free(&path);
  return r;
}

static int remove_trees(const char *base, const char *name, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = 0;

  for (size_t i = 0; r == 0 && i < BUCKETS; ++i) {
    stralloc_cut(&path, 0);
    r = stralloc_catm(&path, base, "/", buckets[i], "/", name, (char *)0) ? tree_remove(path.s, e) : no_memory(e);
  }
  stralloc_free(&path);
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

static int add_assign(const struct domain_new *n, const char *dir, struct strerr *e) {
  stralloc line = STRALLOC_INIT;
  int r;

  if (!stralloc_catm(&line, "+", n->name, "-:", n->name, ":", (char *)0) || !stralloc_catu64(&line, n->owner.uid) ||
      !stralloc_append(&line, ':') || !stralloc_catu64(&line, n->owner.gid) ||
      !stralloc_catm(&line, ":", dir, ":-::", (char *)0))
    r = no_memory(e);
  else
    r = edit_assign(n->name, line.s, !n->no_compile, e) == -1 ? -1 : 0;
  stralloc_free(&line);
  return r;
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

static int add_controls(const struct domain_new *n, struct strerr *e) {
  stralloc path = STRALLOC_INIT, line = STRALLOC_INIT;
  int r = 0;

  for (size_t i = 0; r != -1 && i < CONTROLS; ++i) {
    if (controls[i].optional && !n->check_rcpt) continue;
    r = control_line(&controls[i], n->name, &path, &line, e);
    if (r == 0) r = controls[i].add ? lines_add(path.s, line.s, e) : lines_remove(path.s, line.s, 0, e);
  }
  stralloc_free(&path);
  stralloc_free(&line);
  return r == -1 ? -1 : 0;
}

/* 1 if the domain stood in one of them. */
static int remove_controls(const char *name, struct strerr *e) {
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

/* --- the whole */

/* What the database knows of it: 1 it was there, 0 not, -1. */
static int rows(struct site *s, const char *name, struct userdb_domain *d, int remove, struct strerr *e) {
  enum userdb_result r = USERDB_NONE;
  struct strerr back;

  if (!sql_is_open(&s->db.sql)) {
    if (s->place.is_file && access(s->place.where.s, F_OK) == -1 && errno == ENOENT) r = USERDB_NONE;
    else r = site_open_db(s, 0, e) == 0 ? USERDB_FOUND : USERDB_TEMPFAIL;
  } else {
    r = identity_enter(&s->mail, e) == 0 ? USERDB_FOUND : USERDB_TEMPFAIL;
  }
  if (r == USERDB_FOUND)
    r = remove ? userdb_domain_delete(&s->db, name, e) : userdb_domain_get(&s->db, name, d, e);
  if (identity_leave(&back) == -1) {
    *e = back;
    return -1;
  }
  return r == USERDB_FOUND ? 1 : r == USERDB_NONE ? 0 : -1;
}

static enum userdb_result add_rows(struct site *s, const struct domain_new *n, const char *dir, const char *base,
                                   struct strerr *e) {
  static const char *const aliases[] = {"abuse", "mailer-daemon", 0};
  struct userdb_domain d = {.uid = n->owner.uid, .gid = n->owner.gid};
  struct userdb_new_user postmaster = {
      .name = "postmaster",
      .domain = n->name,
      .hash = n->hash,
      .scram = n->scram,
      .gecos = "Postmaster",
      .quota = n->quota,
      .active = 1,
      .base = base,
      .per_level = conf_number(&s->conf, SET_users_per_level),
  };
  enum userdb_result r = USERDB_TEMPFAIL;

  if (stralloc_copys(&d.domain, n->name) && stralloc_copys(&d.dir, dir) && stralloc_copys(&d.base, n->base))
    r = userdb_domain_add(&s->db, &d, &postmaster, aliases, e);
  else no_memory(e);
  userdb_domain_free(&d);
  return r;
}

/* The rows, as the mail user.  A domain that has them already was left half made: it
 * gets the new password. */
static int add_database(struct site *s, const struct domain_new *n, const char *dir, const char *base,
                        struct strerr *e) {
  enum userdb_result r = USERDB_TEMPFAIL;
  struct strerr back;

  userdb_close(&s->db);
  if (site_open_db(s, 1, e) == 0) r = add_rows(s, n, dir, base, e);
  if (r == USERDB_EXISTS) r = userdb_user_passwd(&s->db, "postmaster", n->name, n->hash, n->scram, e);
  if (identity_leave(&back) == -1) {
    *e = back;
    return -1;
  }
  return r == USERDB_FOUND ? 0 : -1;
}

/* Is it there, to the last step of adding? */
static int is_whole(struct site *s, const char *name, struct strerr *e) {
  struct userdb_domain d = {0};
  stralloc path = STRALLOC_INIT;
  int r = paths_file(PATH_CONTROL, "rcpthosts", &path) ? lines_has(path.s, name, 0, e) : no_memory(e);

  if (r == 1) r = rows(s, name, &d, 0, e);
  userdb_domain_free(&d);
  stralloc_free(&path);
  return r;
}

static int add_locked(struct site *s, const struct domain_new *n, struct strerr *e) {
  stralloc dir = STRALLOC_INIT, base = STRALLOC_INIT;
  int r = is_whole(s, n->name, e);

  if (r == 1) {
    strerr_set(e, n->name, ": the domain exists", (char *)0);
    e->permanent = 1;
    r = -1;
  }
  if (r == 0) r = site_base(n->base, &base, e);
  if (r == 0) r = make_dir(n, &dir, e);
  if (r == 0) r = make_trees(base.s, n, e);
  if (r == 0) r = add_database(s, n, dir.s, base.s, e);
  if (r == 0) r = add_assign(n, dir.s, e);
  if (r == 0) r = add_controls(n, e);
  stralloc_free(&dir);
  stralloc_free(&base);
  return r;
}

int domain_add(struct site *s, const struct domain_new *n, struct strerr *e) {
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : add_locked(s, n, e);

  fd_close(lock);
  return r;
}

static int delete_locked(struct site *s, const char *name, struct strerr *e) {
  struct userdb_domain d = {0};
  stralloc dir = STRALLOC_INIT, base = STRALLOC_INIT;
  struct stat st;
  int any = 0, r;

  r = rows(s, name, &d, 0, e);
  any |= r == 1;
  if (r != -1) r = remove_controls(name, e), any |= r == 1;
  if (r != -1) r = edit_assign(name, 0, 1, e), any |= r == 1;
  if (r != -1) r = site_base(stralloc_cstr(&d.base), &base, e);
  if (r != -1) r = remove_trees(base.s, name, e);
  if (r != -1) r = d.dir.len ? (stralloc_copy(&dir, &d.dir) ? 0 : no_memory(e)) : domain_dir("", name, &dir, e);
  if (r != -1) {
    any |= lstat(dir.s, &st) == 0;
    r = tree_remove(dir.s, e);
  }
  /* The rows go last: they know where everything else is. */
  if (r != -1) r = rows(s, name, &d, 1, e);
  if (r != -1 && !any) {
    strerr_set(e, name, ": there is no such domain", (char *)0);
    e->permanent = 1;
    r = -1;
  }
  userdb_domain_free(&d);
  stralloc_free(&dir);
  stralloc_free(&base);
  return r == -1 ? -1 : 0;
}

/* Lines of its other names would lead nowhere. */
static int remove_names(struct site *s, const char *name, struct strerr *e) {
  struct strlist names = {0};
  struct strerr back;
  enum userdb_result r = identity_enter(&s->mail, e) == 0 ? userdb_alias_domain_list(&s->db, name, &names, e) : USERDB_TEMPFAIL;
  int done = r == USERDB_TEMPFAIL ? -1 : 0;

  if (identity_leave(&back) == -1) {
    *e = back;
    done = -1;
  }
  for (size_t i = 0; done != -1 && i < names.len; ++i) done = domain_alias_remove(s, names.item[i].s, e);
  strlist_free(&names);
  return done == -1 ? -1 : 0;
}

/* Another name of a domain, or a domain. */
static int delete_either(struct site *s, const char *name, struct strerr *e) {
  int r = 0;

  if (!s->place.is_file || access(s->place.where.s, F_OK) == 0) r = domain_alias_remove(s, name, e);
  if (r == 0 && sql_is_open(&s->db.sql)) r = remove_names(s, name, e);
  return r == 0 ? delete_locked(s, name, e) : r == 1 ? 0 : -1;
}

int domain_delete(struct site *s, const char *name, struct strerr *e) {
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : delete_either(s, name, e);

  fd_close(lock);
  return r;
}
