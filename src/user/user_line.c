/* user_line: see user_line.h. */
#include "user/user_line.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"
#include "crypt/password.h"
#include "crypt/password_import.h"
#include "user/account.h"
#include "user/name.h"
#include "user/userdb.h"

#define FIELDS_MAX 8
#define FIELDS_OF_VPASSWD 7
#define HOME_MAX 1000
#define HOME_PARTS 3 /* /srv/mail/joe */
#define KNOWN_FLAGS                                                                                                       \
  (USER_NO_PASSWD_CHANGE | USER_NO_POP | USER_NO_WEBMAIL | USER_NO_IMAP | USER_BOUNCE_MAIL | USER_NO_RELAY | USER_NO_DIALUP)

struct field {
  const char *s;
  size_t n;
};

/* The fields between colons: how many, FIELDS_MAX + 1 for more than that. */
static size_t split(const char *s, size_t n, struct field f[FIELDS_MAX]) {
  size_t fields = 0;

  for (;;) {
    size_t len = bytes_chr(s, n, ':');

    if (fields == FIELDS_MAX) return FIELDS_MAX + 1;
    f[fields++] = (struct field){s, len};
    if (len == n) return fields;
    s += len + 1;
    n -= len + 1;
  }
}

static const char *take_hash(const struct field *f, struct user_line *u, int any) {
  if (!stralloc_copyb(&u->hash, f->s, f->n)) return "out of memory";
  if (any || password_is_hash(u->hash.s) || password_is_imported(u->hash.s) || password_is_old_hash(u->hash.s)) return 0;
  return "no hash that we know (a password is not taken here)";
}

static const char *take_comment(const struct field *f, struct user_line *u) {
  if (!(f->n ? stralloc_copyb(&u->comment, f->s, f->n) : stralloc_copy(&u->comment, &u->name))) return "out of memory";
  return account_gecos_ok(u->comment.s) ? 0 : "the comment is too long or has a control character";
}

static const char *take_quota(const struct field *f, struct user_line *u) {
  u->has_quota = f->n > 0;
  return !f->n || quota_parse(f->s, f->n, &u->quota) ? 0 : "not a quota";
}

static const char *take_flags(const struct field *f, struct user_line *u) {
  uint64_t flags;

  if (!scan_u64_max(f->s, f->n, UINT32_MAX, &flags)) return "the flags are not a number";
  u->flags = (uint32_t)flags & KNOWN_FLAGS;
  return 0;
}

static const char *parse(const char *s, size_t n, struct user_line *u, int any_hash) {
  static const struct field none = {"", 0};
  struct field f[FIELDS_MAX];
  size_t fields = split(s, n, f);
  int classic = fields >= FIELDS_OF_VPASSWD;
  const char *why;

  stralloc_cut(&u->home, 0);
  u->flags = 0;
  u->has_quota = 0;
  u->quota = (struct quota){0, 0};
  if (bytes_chr(s, n, 0) != n) return "there is a NUL in it";
  if (fields < 2 || fields > FIELDS_MAX || (!classic && fields > 4)) return "not name:hash, name:hash:comment:quota, or a line of vpasswd";
  if (!stralloc_copyb(&u->name, f[0].s, f[0].n)) return "out of memory";
  bytes_lower(u->name.s, u->name.len);
  why = name_user_fault(u->name.s, u->name.len);
  if (!why) why = take_hash(&f[1], u, any_hash);
  if (!why) why = take_comment(classic ? &f[4] : fields > 2 ? &f[2] : &none, u);
  if (!why) why = take_quota(classic ? &f[6] : fields > 3 ? &f[3] : &none, u);
  if (why || !classic) return why;
  return stralloc_copyb(&u->home, f[5].s, f[5].n) ? take_flags(&f[3], u) : "out of memory";
}

const char *user_line_parse(const char *s, size_t n, struct user_line *u) {
  return parse(s, n, u, 0);
}

const char *user_line_take(const char *s, size_t n, struct user_line *u) {
  return parse(s, n, u, 1);
}

const char *user_home_fault(const char *home, const char *name) {
  const char *s = home;
  size_t parts = 0, n = 0;

  if (*s != '/' || strlen(s) > HOME_MAX) return "the directory is no absolute path, or too long";
  for (; *s; ++s)
    if ((unsigned char)*s < 32 || *s == 127) return "the directory has a control character";
  s = home;
  while (*s) {
    ++s;
    n = strcspn(s, "/");
    if (!n || (n == 1 && *s == '.') || (n == 2 && !memcmp(s, "..", 2))) return "the directory is not as short as it could be";
    ++parts;
    s += n;
  }
  if (parts < HOME_PARTS || !bytes_equal(s - n, n, name, strlen(name))) return "the directory does not end in the user's name";
  return 0;
}

void user_line_free(struct user_line *u) {
  stralloc_free(&u->name);
  stralloc_wipe(&u->hash);
  stralloc_free(&u->hash);
  stralloc_free(&u->comment);
  stralloc_free(&u->home);
}
