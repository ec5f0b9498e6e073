/* site_check: see site_check.h.  A domain is looked at, and mended, under the lock of site_lock. */
#include "user/site_check.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "conf/paths.h"
#include "user/assign.h"
#include "user/dirhash.h"
#include "user/domain_alias.h"
#include "user/domain_files.h"
#include "user/domain_part.h"
#include "user/lines.h"
#include "user/site_check_part.h"
#include "user/unfinished.h"

static void finding(struct site_check *c, const char *object, const char *text, enum check_outcome outcome) {
  ++c->found;
  c->left += outcome != CHECK_MENDED;
  c->tell(c->ctx, object, text, outcome);
}

void site_check_person(struct site_check *c, const char *object, const char *text) {
  finding(c, object, text, CHECK_PERSON);
}

/* --- the control files */

static int has_line(const char *file, const char *line, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = paths_file(PATH_CONTROL, file, &path) ? lines_has(path.s, line, 0, e) : domain_no_memory(e);

  stralloc_free(&path);
  return r;
}

/* 1, 0 or -1 turned round. */
static int not(int r) {
  return r == -1 ? -1 : !r;
}

static const char *name_of(const struct check_place *p) {
  return p->alias ? p->alias : p->d.domain.s;
}

static int no_virtual(struct check_place *p, struct strerr *e) {
  stralloc line = STRALLOC_INIT;
  int r = stralloc_catm(&line, name_of(p), ":", p->d.domain.s, (char *)0) ? not(has_line("virtualdomains", line.s, e)) : domain_no_memory(e);

  stralloc_free(&line);
  return r;
}

static int in_locals(struct check_place *p, struct strerr *e) {
  return has_line("locals", name_of(p), e);
}

static int no_rcpthosts(struct check_place *p, struct strerr *e) {
  int r = has_line("rcpthosts", name_of(p), e);

  return not(r == 0 ? has_line("morercpthosts", name_of(p), e) : r);
}

static int mend_controls(struct check_place *p, struct strerr *e) {
  return p->alias ? domain_alias_controls(p->alias, p->d.domain.s, 1, e) : domain_controls_add(p->d.domain.s, 0, e);
}

/* --- directories */

/* Is one of them missing (1), or another's (2)? */
static int look_at(const char *path, const struct identity *owner, struct strerr *e) {
  struct stat st;

  if (stat(path, &st) == -1) return errno == ENOENT || errno == ENOTDIR ? 1 : strerr_sys(e, "unable to look at ", path, (char *)0);
  return st.st_uid == owner->uid && st.st_gid == owner->gid ? 0 : 2;
}

static struct identity dir_owner(const struct check_place *p) {
  return (struct identity){p->owner.uid, p->s->mail.gid};
}

static int no_dir(struct check_place *p, struct strerr *e) {
  const struct identity owner = dir_owner(p);
  int r = domain_dir_ok(stralloc_cstr(&p->d.dir), &owner, e);

  return r == -1 ? -1 : r == 2;
}

static int foreign_dir(struct check_place *p, struct strerr *e) {
  const struct identity owner = dir_owner(p);
  int r = domain_dir_ok(stralloc_cstr(&p->d.dir), &owner, e);

  return r == -1 ? -1 : r == 0;
}

static int make_dir(struct check_place *p, struct strerr *e) {
  const struct identity owner = dir_owner(p);

  return domain_dir_make(stralloc_cstr(&p->d.dir), &owner, e);
}

static int own(const char *path, const struct identity *owner, struct strerr *e) {
  return chown(path, owner->uid, owner->gid) == -1 ? strerr_sys(e, "unable to set the owner of ", path, (char *)0) : 0;
}

static int no_default(struct check_place *p, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  struct stat st;
  int r = stralloc_catm(&path, stralloc_cstr(&p->d.dir), "/.qmail-default", (char *)0) ? 0 : domain_no_memory(e);

  if (r == 0 && lstat(path.s, &st) == -1)
    r = errno == ENOENT || errno == ENOTDIR ? 1 : strerr_sys(e, "unable to look at ", path.s, (char *)0);
  stralloc_free(&path);
  return r;
}

static int write_default(struct check_place *p, struct strerr *e) {
  const struct domain_default d = {.handler = "bounce-no-mailbox"};

  const struct identity owner = dir_owner(p);

  return domain_default_write(stralloc_cstr(&p->d.dir), &d, &owner, e);
}

/* Of the directories of the buckets: is one of this kind?  mend: give it to its owner. */
static int trees(struct check_place *p, int kind, int mend, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int any = 0, r = 0;

  for (size_t i = 0; r != -1 && i < DIRHASH_BUCKETS; ++i) {
    stralloc_cut(&path, 0);
    r = stralloc_catm(&path, stralloc_cstr(&p->base), "/", dirhash_buckets[i], "/", p->d.domain.s, (char *)0) ? look_at(path.s, &p->owner, e)
                                                                                                              : domain_no_memory(e);
    any |= r == kind;
    if (mend && r == kind) r = own(path.s, &p->owner, e);
  }
  stralloc_free(&path);
  return r == -1 ? -1 : any;
}

static int no_trees(struct check_place *p, struct strerr *e) {
  return trees(p, 1, 0, e);
}

static int foreign_trees(struct check_place *p, struct strerr *e) {
  return trees(p, 2, 0, e);
}

static int make_trees(struct check_place *p, struct strerr *e) {
  return domain_trees_make(stralloc_cstr(&p->base), p->d.domain.s, &p->owner, e);
}

static int own_trees(struct check_place *p, struct strerr *e) {
  return trees(p, 2, 1, e) == -1 ? -1 : 0;
}

/* --- users/assign, users/cdb */

static int no_assign(struct check_place *p, struct strerr *e) {
  return not(site_check_assign(&p->d, 0, 0, e));
}

static int no_cdb(struct check_place *p, struct strerr *e) {
  stralloc cdb = STRALLOC_INIT, key = STRALLOC_INIT;
  struct assign_user u = {0};
  int r = paths_file(PATH_USERS, "cdb", &cdb) && stralloc_catm(&key, p->d.domain.s, "-", (char *)0) ? assign_find(cdb.s, key.s, key.len, &u, e)
                                                                                                    : domain_no_memory(e);

  if (r == 1)
    r = stralloc_equals(&p->d.domain, u.user) && stralloc_equals(&p->d.dir, u.home) && u.uid == p->owner.uid && u.gid == p->owner.gid &&
        !*u.ext;
  assign_user_free(&u);
  stralloc_free(&cdb);
  stralloc_free(&key);
  return not(r);
}

static int mend_assign(struct check_place *p, struct strerr *e) {
  return domain_assign_add(p->d.domain.s, stralloc_cstr(&p->d.dir), &p->owner, 1, e);
}

static int no_postmaster(struct check_place *p, struct strerr *e) {
  struct userdb_user u = {0};
  struct strlist lines = {0};
  int r = site_enter_db(p->s, e);
  enum userdb_result v = r == 0 ? userdb_user_get(&p->s->db, "postmaster", p->d.domain.s, &u, e) : USERDB_TEMPFAIL;

  if (v == USERDB_NONE) v = userdb_alias_get(&p->s->db, "postmaster", p->d.domain.s, &lines, e);
  userdb_user_free(&u);
  strlist_free(&lines);
  return identity_back(v == USERDB_NONE ? 1 : v == USERDB_FOUND ? 0 : -1, e);
}

/* --- what is looked at, in the order in which it is mended: mail is let in last */

struct check {
  const char *text;
  int (*wrong)(struct check_place *, struct strerr *); /* 1, 0, -1 */
  int (*mend)(struct check_place *, struct strerr *);  /* null: a person has to */
};

static const struct check domain_checks[] = {
    {"its directory is missing", no_dir, make_dir},
    {"its directory belongs to another account, or is closed to inlookup", foreign_dir, make_dir},
    {".qmail-default is missing in its directory", no_default, write_default},
    {"directories for its mailboxes are missing", no_trees, make_trees},
    {"directories for its mailboxes belong to another account", foreign_trees, own_trees},
    {"users/assign does not have it as the database has", no_assign, mend_assign},
    {"users/cdb does not have it as users/assign should", no_cdb, mend_assign},
    {"control/virtualdomains does not have it", no_virtual, mend_controls},
    {"control/locals has it", in_locals, mend_controls},
    {"control/rcpthosts does not have it: no mail is let in", no_rcpthosts, mend_controls},
    {"it has no postmaster", no_postmaster, 0},
};

static const struct check alias_checks[] = {
    {"control/virtualdomains does not have it", no_virtual, mend_controls},
    {"control/locals has it", in_locals, mend_controls},
    {"control/rcpthosts does not have it: no mail is let in", no_rcpthosts, mend_controls},
};

static int run_checks(struct check_place *p, const struct check *checks, size_t n, struct strerr *e) {
  for (size_t i = 0; i < n; ++i) {
    int r = checks[i].wrong(p, e), mend = checks[i].mend && p->c->repair;

    if (r == 1 && mend && checks[i].mend(p, e) == -1) r = -1;
    if (r == -1) return -1;
    if (r == 1) finding(p->c, name_of(p), checks[i].text, mend ? CHECK_MENDED : checks[i].mend ? CHECK_MENDABLE : CHECK_PERSON);
  }
  return 0;
}

static int check_aliases(struct check_place *p, struct strerr *e) {
  struct strlist names = {0};
  int r = domain_alias_names(p->s, p->d.domain.s, &names, e);

  for (size_t i = 0; r == 0 && i < names.len; ++i) {
    p->alias = names.item[i].s;
    r = run_checks(p, alias_checks, sizeof alias_checks / sizeof *alias_checks, e);
  }
  p->alias = 0;
  strlist_free(&names);
  return r;
}

/* 1 with the domain's row, 0 there is none, -1. */
static int read_place(struct check_place *p, const char *domain, struct strerr *e) {
  stralloc real = STRALLOC_INIT;
  int r = site_enter_db(p->s, e);
  enum userdb_result v = r == 0 ? userdb_domain_real(&p->s->db, domain, &real, e) : USERDB_TEMPFAIL;

  if (v == USERDB_FOUND) v = userdb_domain_get(&p->s->db, real.s, &p->d, e);
  r = v == USERDB_FOUND ? 1 : v == USERDB_NONE ? 0 : -1;
  if (r == 1 && site_base(stralloc_cstr(&p->d.base), &p->base, e) == -1) r = -1;
  p->owner = (struct identity){p->d.uid, p->d.gid};
  stralloc_free(&real);
  return identity_back(r, e);
}

/* 1, 0 there is no such domain (any more), -1. */
static int check_domain(struct site *s, const char *domain, struct site_check *c, struct strerr *e) {
  struct check_place p = {.s = s, .c = c};
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : read_place(&p, domain, e);

  if (r == 1) r = run_checks(&p, domain_checks, sizeof domain_checks / sizeof *domain_checks, e) == -1 ? -1 : 1;
  if (r == 1) r = check_aliases(&p, e) == -1 ? -1 : 1;
  if (r == 1) r = site_check_homes(&p, e) == -1 ? -1 : 1;
  userdb_domain_free(&p.d);
  stralloc_free(&p.base);
  fd_close(lock);
  return r;
}

/* --- what belongs to no domain */

static int check_note(struct site *s, struct site_check *c, struct strerr *e) {
  struct strlist words = {0};
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : unfinished_read(&words, e);

  if (r == 1 && c->repair && unfinished_finish(s, e) == -1) r = -1;
  if (r == 1) finding(c, "users/.unfinished", "a program that moved something was killed", c->repair ? CHECK_MENDED : CHECK_MENDABLE);
  strlist_free(&words);
  fd_close(lock);
  return r == -1 ? -1 : 0;
}

struct strays {
  struct site *s;
  struct site_check *c;
};

/* Lines that lead nowhere go; where there is a directory it may be the database that is wrong. */
static int check_stray(void *ctx, const char *domain, const char *dir, struct strerr *e) {
  static const char *const text = "users/assign has it, the database does not, nor is there a directory";
  const struct strays *w = ctx;
  struct check_place p = {.s = w->s, .c = w->c};
  struct stat st;
  int r = read_place(&p, domain, e);

  if (r == 0 && lstat(dir, &st) == 0) {
    site_check_person(w->c, domain, "users/assign has it, and its directory is there, but the database does not know it (vdeldomain removes it)");
  } else if (r == 0) {
    if (w->c->repair && (domain_controls_remove(domain, e) == -1 || domain_assign_remove(domain, e) == -1)) r = -1;
    else finding(w->c, domain, text, w->c->repair ? CHECK_MENDED : CHECK_MENDABLE);
  }
  userdb_domain_free(&p.d);
  stralloc_free(&p.base);
  return r == -1 ? -1 : 0;
}

static int check_strays(struct site *s, struct site_check *c, struct strerr *e) {
  struct strays w = {s, c};
  int lock = site_lock(e);
  int r = lock == -1 ? -1 : site_check_assign(0, check_stray, &w, e);

  fd_close(lock);
  return r == -1 ? -1 : 0;
}

static int list_domains(struct site *s, struct strlist *names, struct strerr *e) {
  int r = site_enter_db(s, e);

  if (r == 0 && userdb_domain_list(&s->db, names, e) == USERDB_TEMPFAIL) r = -1;
  return identity_back(r, e);
}

int site_check_run(struct site *s, const char *domain, struct site_check *c, struct strerr *e) {
  struct strlist names = {0};
  int r = check_note(s, c, e);

  if (r == 0 && domain) {
    r = check_domain(s, domain, c, e);
    return r == 1 ? 0 : r == 0 ? site_permanent(e, domain, "there is no such domain") : -1;
  }
  if (r == 0) r = list_domains(s, &names, e);
  for (size_t i = 0; r != -1 && i < names.len; ++i) r = check_domain(s, names.item[i].s, c, e);
  if (r != -1) r = check_strays(s, c, e);
  strlist_free(&names);
  return r;
}
