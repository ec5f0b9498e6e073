/* user_report: see user_report.h. */
#include "user/user_report.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "crypt/password.h"
#include "user/maildirsize.h"

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

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to print the user", (char *)0);
}

static int show_name(struct site *s, const struct userdb_user *u, struct report *r, struct strerr *e) {
  stralloc text = STRALLOC_INIT;

  if (stralloc_catm(&text, u->name.s, "@", u->domain.s, (char *)0)) report_text(r, "address", "name", text.s);
  else r->failed = 1;
  stralloc_free(&text);
  return 0;
}

static int show_passwd(struct site *s, const struct userdb_user *u, struct report *r, struct strerr *e) {
  report_text(r, "passwd", "passwd", password_scheme_name(stralloc_cstr(&u->hash)));
  return 0;
}

static int show_uid(struct site *s, const struct userdb_user *u, struct report *r, struct strerr *e) {
  report_number(r, "uid", "uid", u->uid);
  return 0;
}

static int show_gid(struct site *s, const struct userdb_user *u, struct report *r, struct strerr *e) {
  struct strlist words = {0};
  stralloc text = STRALLOC_INIT;

  report_number(r, "gid", "gid", u->gid);
  for (size_t i = 0; i < sizeof flags / sizeof *flags; ++i) {
    const char *w = flags[i].words;

    if (!(u->flags & flags[i].bit)) continue;
    if (!strlist_add(&words, w, strlen(w)) || !stralloc_catm(&text, text.len ? ", " : "", w, (char *)0)) r->failed = 1;
  }
  report_list(r, "flags", 0, &words);
  report_text(r, 0, "flags", text.len ? text.s : "none");
  strlist_free(&words);
  stralloc_free(&text);
  return 0;
}

static int show_gecos(struct site *s, const struct userdb_user *u, struct report *r, struct strerr *e) {
  report_text(r, "gecos", "gecos", stralloc_cstr(&u->gecos));
  return 0;
}

/* As root, if that is what we are: the home may be another's than the mail user's. */
static int show_dir(struct site *s, const struct userdb_user *u, struct report *r, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  struct stat st;
  const char *state = stat(u->home.s, &st) == 0 ? "present" : errno == ENOENT ? "missing" : "not readable";

  report_text(r, "dir", 0, u->home.s);
  report_text(r, "dir_state", 0, state);
  if (!strcmp(state, "present")) report_text(r, 0, "dir", u->home.s);
  else if (stralloc_catm(&text, u->home.s, " (", state, ")", (char *)0)) report_text(r, 0, "dir", text.s);
  else r->failed = 1;
  stralloc_free(&text);
  return 0;
}

static int show_quota(struct site *s, const struct userdb_user *u, struct report *r, struct strerr *e) {
  stralloc text = STRALLOC_INIT;

  report_number(r, "quota_bytes", 0, (int64_t)u->quota.bytes);
  report_number(r, "quota_count", 0, (int64_t)u->quota.count);
  if (quota_fmt(&text, &u->quota)) report_text(r, 0, "quota", text.s);
  else r->failed = 1;
  stralloc_free(&text);
  return 0;
}

/* --- what the database remembers */

static int show_event(void *ctx, const char *service, const char *ip, int64_t at) {
  static const struct {
    const char *service, *label, *key, *from;
  } events[] = {{"add", "added", "added", 0},
                {"pass", "password set", "password_set", 0},
                {"imap", "last IMAP", "last_imap", "last_imap_from"},
                {"pop3", "last POP3", "last_pop3", "last_pop3_from"},
                {"smtp", "last SMTP", "last_smtp", "last_smtp_from"},
                {"webm", "last webmail", "last_webmail", "last_webmail_from"},
                /* of an IndiMail before this one */
                {"ACTI", "activated", "activated", "activated_from"},
                {"INAC", "inactivated", "inactivated", 0},
                {"deli", "last delivery", "last_delivery", 0}};
  struct report *r = ctx;
  stralloc text = STRALLOC_INIT;
  char buf[64] = "";
  time_t t = (time_t)at;
  struct tm tm;

  for (size_t i = 0; i < sizeof events / sizeof *events; ++i) {
    if (strcmp(service, events[i].service) != 0) continue;
    if (gmtime_r(&t, &tm)) strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S UTC", &tm);
    report_number(r, events[i].key, 0, at);
    if (events[i].from && *ip) report_text(r, events[i].from, 0, ip);
    if (stralloc_catm(&text, buf, *ip ? " from " : "", ip, (char *)0)) report_text(r, 0, events[i].label, text.s);
    else r->failed = 1;
  }
  stralloc_free(&text);
  return 0;
}

static int show_last(struct site *s, const struct userdb_user *u, struct report *r, struct strerr *e) {
  struct strlist lines = {0};
  int done = site_enter_db(s, e);

  report_flag(r, "active", u->active);
  report_text(r, 0, "state", u->active ? "active" : "inactive");
  if (done == 0 && (userdb_lastauth_each(&s->db, u->name.s, u->domain.s, show_event, r, e) == USERDB_TEMPFAIL ||
                    userdb_alias_get(&s->db, u->name.s, u->domain.s, &lines, e) == USERDB_TEMPFAIL))
    done = -1;
  if (done == 0) report_list(r, "forwards", "forwards to", &lines);
  strlist_free(&lines);
  return identity_back(done, e);
}

/* As the owner of the mailbox. */
static int show_mailbox(struct site *s, const struct userdb_user *u, struct report *r, struct strerr *e) {
  const struct identity owner = {u->uid, u->gid};
  const struct maildirsize_rules rules = maildirsize_rules(&s->conf);
  stralloc maildir = STRALLOC_INIT, text = STRALLOC_INIT;
  struct usage usage = {0, 0};
  int done = stralloc_catm(&maildir, u->home.s, "/Maildir", (char *)0) ? identity_enter(&owner, e) : no_memory(e), none = 0;

  if (done == 0) done = maildirsize_count(maildir.s, &rules, &usage, e);
  if (done == -1 && e->sys == ENOENT) none = 1, done = 0;
  done = identity_back(done, e);
  report_flag(r, "mailbox", !none);
  report_number(r, "usage_bytes", 0, usage.bytes);
  report_number(r, "usage_count", 0, usage.count);
  if (!stralloc_cati64(&text, usage.bytes) || !stralloc_catlit(&text, "S,") || !stralloc_cati64(&text, usage.count) || !stralloc_append(&text, 'C'))
    r->failed = 1;
  report_text(r, 0, "usage", none ? "no Maildir yet" : stralloc_cstr(&text));
  stralloc_free(&maildir);
  stralloc_free(&text);
  return done;
}

/* In the order in which they are printed. */
static const struct {
  unsigned bit;
  int (*show)(struct site *, const struct userdb_user *, struct report *, struct strerr *);
} parts[] = {{SHOW_NAME, show_name},   {SHOW_PASSWD, show_passwd}, {SHOW_UID, show_uid},   {SHOW_GID, show_gid},        {SHOW_GECOS, show_gecos},
             {SHOW_DIR, show_dir},     {SHOW_QUOTA, show_quota},   {SHOW_LAST, show_last}, {SHOW_MAILBOX, show_mailbox}};

int user_report(struct site *s, const struct userdb_user *u, unsigned what, struct report *r, struct strerr *e) {
  for (size_t i = 0; i < sizeof parts / sizeof *parts; ++i)
    if (what & parts[i].bit && parts[i].show(s, u, r, e) == -1) return -1;
  return 0;
}
