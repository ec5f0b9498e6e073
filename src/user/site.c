/* site: see site.h. */
#include "user/site.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/scan.h"
#include "conf/paths.h"

#define DOMAIN_FILE_MAX 4096

int site_load(struct site *s, struct strerr *e) {
  memset(s, 0, sizeof *s);
  if (conf_load(&s->conf, CONF_USER, e) == -1) return -1;
  if (userdb_place_find(&s->place, &s->conf, e) == -1) return -1;
  return identity_mail(conf_line(&s->conf, SET_mailuser), &s->mail, e);
}

int site_make_directory(const struct site *s, const struct userdb_place *place, struct strerr *e) {
  stralloc dir = STRALLOC_INIT;
  int r;

  if (!place->is_file || geteuid() != 0) return 0;
  r = file_dirname(place->where.s, &dir);
  if (r == 0 && mkdir(dir.s, 0700) == 0) r = chown(dir.s, s->mail.uid, s->mail.gid);
  if (r == -1) strerr_sys(e, "unable to create the directory of ", place->where.s, (char *)0);
  stralloc_free(&dir);
  return r;
}

int site_open_db(struct site *s, int create, struct strerr *e) {
  if (create && site_make_directory(s, &s->place, e) == -1) return -1;
  if (identity_enter(&s->mail, e) == -1) return -1;
  return userdb_open(&s->db, &s->place, SQL_PATIENT | SQL_MIGRATE | (create ? SQL_CREATE : 0), e);
}

int site_enter_db(struct site *s, struct strerr *e) {
  return sql_is_open(&s->db.sql) ? identity_enter(&s->mail, e) : site_open_db(s, 0, e);
}

int site_lock(struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int fd = -1;

  errno = ENOMEM;
  if (paths_file(PATH_USERS, ".lock", &path)) fd = lock_file(path.s);
  if (fd == -1) strerr_sys(e, "unable to lock ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  return fd;
}

int site_permanent(struct strerr *e, const char *what, const char *why) {
  strerr_set(e, what, ": ", why, (char *)0);
  e->permanent = 1;
  return -1;
}

int site_address(const char *text, struct address *a, struct strerr *e) {
  size_t n = strlen(text);
  size_t at = bytes_rchr(text, n, '@');
  const char *why;

  if (at == n) return site_permanent(e, text, "an address user@domain is wanted");
  if ((why = name_user_fault(text, at)) != 0 || (why = name_domain_fault(text + at + 1, n - at - 1)) != 0)
    return site_permanent(e, text, why);
  if (!stralloc_copyb(&a->user, text, at) || !stralloc_copyb(&a->domain, text + at + 1, n - at - 1))
    return strerr_sys(e, "unable to use ", text, (char *)0);
  return 0;
}

int site_domain(const char *text, struct strerr *e) {
  const char *why = name_domain_fault(text, strlen(text));

  return why ? site_permanent(e, text, why) : 0;
}

int site_new_name(const struct site *s, const struct address *a, struct strerr *e) {
  const char *allowed = conf_line(&s->conf, SET_allowchars);

  for (size_t i = 0; *allowed && i < a->user.len; ++i) {
    char c = a->user.s[i];

    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr(allowed, c))
      return site_permanent(e, a->user.s, "ALLOWCHARS does not have one of its characters");
  }
  return 0;
}

int site_base(const char *own, stralloc *base, struct strerr *e) {
  if (*own ? stralloc_copys(base, own) : paths_get(PATH_MAIL, base)) return 0;
  return strerr_sys(e, "unable to find the mailboxes", (char *)0);
}

int site_domain_file(const struct site *s, const char *dir, const char *name, stralloc *text, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  struct strerr back;
  int as_mail = geteuid() != getuid(), r = -1;

  errno = ENOMEM;
  if (stralloc_catm(&path, dir, "/", name, (char *)0) && identity_leave(e) == 0) r = file_read(path.s, text, DOMAIN_FILE_MAX);
  if (r == -1 && errno == ENOTDIR) r = 0;
  if (r == -1) strerr_sys(e, "unable to read ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  if (!as_mail || identity_enter(&s->mail, &back) == 0) return r;
  *e = back;
  return -1;
}

int site_per_level(const struct site *s, const char *dir, uint64_t *number, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int r = site_domain_file(s, dir, SITE_PER_LEVEL, &text, e);

  stralloc_chomp(&text);
  *number = conf_number(&s->conf, SET_users_per_level);
  if (r == 1 && !scan_u64(text.s, text.len, number)) r = strerr_set(e, dir, "/" SITE_PER_LEVEL " is not a number", (char *)0);
  stralloc_free(&text);
  return r == -1 ? -1 : 0;
}

void site_close(struct site *s) {
  userdb_close(&s->db);
  userdb_place_free(&s->place);
  conf_free(&s->conf);
}

int site_code(const struct strerr *e) {
  return e->permanent ? 100 : 111;
}
