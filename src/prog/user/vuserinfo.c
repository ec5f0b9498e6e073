/* vuserinfo: prints what is known of a virtual user. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fmt.h"
#include "base/options.h"
#include "base/substdio.h"
#include "crypt/password.h"
#include "user/maildirsize.h"
#include "user/site.h"

#define FATAL "vuserinfo: fatal: "
#define USAGE "vuserinfo [-anpugcdqlm] user@domain"
#define COLUMN 14

enum { NAME = 1, PASSWD = 2, UID = 4, GID = 8, GECOS = 16, DIR = 32, QUOTA = 64, LAST = 128, MAILBOX = 256, ALL = 511 };

static char outbuf[4096];
static substdio out;

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void put(const char *s) {
  if (substdio_puts(&out, s) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

static void label(const char *name) {
  put(name);
  for (size_t n = strlen(name); n < COLUMN; ++n) put(" ");
  put(": ");
}

static void line(const char *name, const char *value) {
  label(name);
  put(value);
  put("\n");
}

static void number(const char *name, int64_t value) {
  char buf[FMT_U64 + 2];

  buf[fmt_i64(buf, value)] = 0;
  line(name, buf);
}

static void moment(const char *name, int64_t at, const char *ip) {
  char buf[64];
  time_t t = (time_t)at;
  struct tm tm;

  gmtime_r(&t, &tm);
  strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S UTC", &tm);
  label(name);
  put(buf);
  if (*ip) {
    put(" from ");
    put(ip);
  }
  put("\n");
}

/* Flags in words, by bit. */
static const struct {
  uint32_t bit;
  const char *words;
} flags[] = {
    {USER_NO_PASSWD_CHANGE, "no password change"},
    {USER_NO_POP, "no POP3"},
    {USER_NO_WEBMAIL, "no webmail"},
    {USER_NO_IMAP, "no IMAP"},
    {USER_BOUNCE_MAIL, "mail bounces"},
    {USER_NO_RELAY, "no relaying"},
    {USER_NO_DIALUP, "no dialup"},
    {USER_DOMAIN_ADMIN, "domain administrator"},
    {USER_NO_SMTP, "no SMTP login"},
    {USER_V_USER0, "user flag 0"},
    {USER_V_USER1, "user flag 1"},
    {USER_V_USER2, "user flag 2"},
    {USER_V_USER3, "user flag 3"},
    {USER_OVERRIDE_LIMITS, "not subject to domain limits"},
};

static void print_flags(uint32_t has) {
  int any = 0;

  label("flags");
  for (size_t i = 0; i < sizeof flags / sizeof *flags; ++i)
    if (has & flags[i].bit) {
      put(any++ ? ", " : "");
      put(flags[i].words);
    }
  put(any ? "\n" : "none\n");
}

static int print_event(void *ctx, const char *service, const char *ip, int64_t at) {
  static const struct {
    const char *service, *name;
  } names[] = {{"add", "added"},          {"pass", "password set"}, {"imap", "last IMAP"},
               {"pop3", "last POP3"},     {"webm", "last webmail"}};

  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (!strcmp(service, names[i].service)) moment(names[i].name, at, ip);
  return 0;
}

/* As the owner of the mailbox. */
static void print_usage(const struct userdb_user *u) {
  struct identity owner = {u->uid, u->gid};
  stralloc maildir = STRALLOC_INIT, text = STRALLOC_INIT;
  struct usage usage = {0, 0};
  struct strerr e;
  int r;

  if (!stralloc_catm(&maildir, u->home.s, "/Maildir", (char *)0)) strerr_die_nomem(FATAL);
  if (identity_leave(&e) == -1 || identity_enter(&owner, &e) == -1) die(&e);
  r = maildirsize_count(maildir.s, &usage, &e);
  if (r == -1 && e.sys != ENOENT) die(&e);
  if (!stralloc_cati64(&text, usage.bytes) || !stralloc_cats(&text, "S,") || !stralloc_cati64(&text, usage.count) ||
      !stralloc_append(&text, 'C'))
    strerr_die_nomem(FATAL);
  line("usage", r == -1 ? "no Maildir yet" : text.s);
  stralloc_free(&maildir);
  stralloc_free(&text);
}

/* As root, if that is what we are: the home may be another's than the mail user's. */
static void print_dir(const struct site *s, const struct userdb_user *u) {
  struct strerr e;
  struct stat st;
  int r, why;

  if (identity_leave(&e) == -1) die(&e);
  r = stat(u->home.s, &st);
  why = errno;
  if (identity_enter(&s->mail, &e) == -1) die(&e);
  label("dir");
  put(u->home.s);
  put(r == 0 ? "\n" : why == ENOENT ? " (missing)\n" : " (not readable)\n");
}

static void print_aliases(struct site *s, const struct userdb_user *u) {
  struct strlist lines = {0};
  struct strerr e;

  if (userdb_alias_get(&s->db, u->name.s, u->domain.s, &lines, &e) == USERDB_TEMPFAIL) die(&e);
  for (size_t i = 0; i < lines.len; ++i) line("forwards to", stralloc_cstr(&lines.item[i]));
  strlist_free(&lines);
}

static void print_user(struct site *s, const struct userdb_user *u, int what) {
  stralloc text = STRALLOC_INIT;
  struct strerr e;

  if (!stralloc_catm(&text, u->name.s, "@", u->domain.s, (char *)0)) strerr_die_nomem(FATAL);
  if (what & NAME) line("name", text.s);
  if (what & PASSWD) line("passwd", password_scheme_name(stralloc_cstr(&u->hash)));
  if (what & UID) number("uid", u->uid);
  if (what & GID) {
    number("gid", u->gid);
    print_flags(u->flags);
  }
  if (what & GECOS) line("gecos", stralloc_cstr(&u->gecos));
  if (what & DIR) print_dir(s, u);
  if (what & QUOTA) {
    if (!quota_fmt(&text, &u->quota)) strerr_die_nomem(FATAL);
    line("quota", text.s);
  }
  if (what & LAST) {
    line("state", u->active ? "active" : "inactive");
    if (userdb_lastauth_each(&s->db, u->name.s, u->domain.s, print_event, 0, &e) == USERDB_TEMPFAIL) die(&e);
    print_aliases(s, u);
  }
  if (what & MAILBOX) print_usage(u);
  stralloc_free(&text);
}

static int what;

static void want(int *flag, int bit) {
  if (*flag) what |= bit;
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct userdb_user u = {0};
  struct strerr e;
  int f[10] = {0};
  static const char letters[] = "anpugcdqlm";
  static const int bits[] = {ALL, NAME, PASSWD, UID, GID, GECOS, DIR, QUOTA, LAST, MAILBOX};
  struct option options[11] = {{0}};
  int i;

  for (int k = 0; k < 10; ++k) options[k] = (struct option){letters[k], OPTION_COUNT, &f[k], 0};
  i = options_or_die(argc, argv, options, USAGE, 1, 1);
  for (int k = 0; k < 10; ++k) want(&f[k], bits[k]);
  if (address_parse(&a, argv[i], strlen(argv[i])) != 1)
    strerr_diem(100, FATAL, argv[i], ": an address user@domain is wanted", (char *)0);
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) die(&e);
  switch (userdb_user_get(&s.db, a.user.s, a.domain.s, &u, &e)) {
    case USERDB_FOUND: break;
    case USERDB_NONE: strerr_diem(1, FATAL, argv[i], ": there is no such user", (char *)0);
    case USERDB_EXISTS:
    case USERDB_TEMPFAIL: die(&e);
  }
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  print_user(&s, &u, what ? what : ALL);
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  userdb_user_free(&u);
  address_free(&a);
  site_close(&s);
  return 0;
}
