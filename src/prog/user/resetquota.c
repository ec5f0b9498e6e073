/* resetquota: counts mailboxes anew, and writes their maildirsize: of one Maildir, one user, a
 * domain, or everybody. */
#include <grp.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "base/report.h"
#include "base/scan.h"
#include "user/account_change.h"
#include "user/account_each.h"
#include "user/quota_reset.h"

#define FATAL "resetquota: fatal: "
#define USAGE "resetquota [-v] [--json] -a|domain|user@domain | resetquota [-v] [--json] [-u user] [-g group] [-q quota] [-p mode] Maildir"
#define MODE_MAX 0666

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};
static struct report report;

static struct {
  int verbose, code;
  struct progress progress;
} work;

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void print(const char *name, const char *at, const char *domain, const struct usage *usage) {
  stralloc line = STRALLOC_INIT;
  struct strerr e;

  if (!work.verbose && !json) return;
  progress_clear(&work.progress);
  if (!stralloc_catm(&line, name, at, domain, ": ", (char *)0) || !stralloc_cati64(&line, usage->bytes) ||
      !stralloc_catlit(&line, " bytes, ") || !stralloc_cati64(&line, usage->count) || !stralloc_catlit(&line, " messages"))
    strerr_die_nomem(FATAL);
  report_item(&report);
  report_text(&report, *at ? "user" : "maildir", 0, name);
  if (*at) report_text(&report, "domain", 0, domain);
  report_number(&report, "bytes", 0, usage->bytes);
  report_number(&report, "messages", 0, usage->count);
  report_line(&report, line.s);
  if (report_show(&report, 1, &e) == -1) die(&e);
  stralloc_free(&line);
}

/* One mailbox that cannot be counted does not keep the others from it. */
static int reset_user(void *ctx, const struct userdb_user *u, struct strerr *e) {
  struct usage usage;
  int r = account_recount(ctx, u, &usage, e);

  if (r == 0) print(u->name.s, "@", u->domain.s, &usage);
  if (r == -1) {
    progress_clear(&work.progress);
    strerr_warn("resetquota: warning: ", e);
    work.code = 111;
  }
  return 0;
}

static void reset_one(struct site *s, const char *text) {
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct userdb_user u = {0};
  struct strerr e;
  int r = site_address(text, &a, &e);
  enum userdb_result v = USERDB_TEMPFAIL;

  if (r == 0) r = site_enter_db(s, &e);
  if (r == 0) v = userdb_user_get(&s->db, a.user.s, a.domain.s, &u, &e);
  if (v == USERDB_NONE) site_permanent(&e, text, "there is no such user");
  if (identity_back(v == USERDB_FOUND ? 0 : -1, &e) == -1) die(&e);
  (void)reset_user(s, &u, &e);
  userdb_user_free(&u);
  address_free(&a);
}

/* -u and -g: as whom, where that is not to be the owner of the directory. */
static int choose_owner(const char *user, const char *group, struct identity *owner) {
  struct group *g;
  struct strerr e;
  int r;

  if (!user && !group) return 0;
  if (!user || geteuid()) strerr_diem(100, FATAL, "only root may give a user, and a group only with one", (char *)0);
  r = identity_find(user, owner, &e);
  if (r == -1) die(&e);
  g = group ? getgrnam(group) : 0;
  if (!r || (group && !g)) strerr_diem(100, FATAL, "there is no account ", r ? group : user, (char *)0);
  if (g) owner->gid = g->gr_gid;
  if (!owner->uid) strerr_diem(100, FATAL, "a mailbox must not belong to root", (char *)0);
  return 1;
}

static void reset_maildir(const char *maildir, struct quota_reset *q) {
  struct usage usage;
  struct conf conf;
  struct strerr e;
  int r = conf_load(&conf, CONF_USER, &e);

  if (r == -1) die(&e);
  q->rules = maildirsize_rules(&conf);
  conf_free(&conf);
  r = quota_reset(maildir, q, &usage, &e);
  if (r == -1) die(&e);
  if (r == 1) strerr_diem(100, FATAL, maildir, " is not there", (char *)0);
  print(maildir, "", "", &usage);
}

int main(int argc, char **argv) {
  struct site s;
  struct identity owner;
  struct quota quota;
  struct quota_reset q = {0};
  const char *user = 0, *group = 0, *spec = 0, *mode = 0;
  struct strerr e;
  int all = 0, i;
  const struct option options[] = {
      {'v', OPTION_COUNT, &work.verbose, 0}, {'a', OPTION_FLAG, &all, 1},       {'u', OPTION_STRING, &user, 0}, {'g', OPTION_STRING, &group, 0},
      {'q', OPTION_STRING, &spec, 0},        {'p', OPTION_STRING, &mode, 0},    {'-', OPTION_WORDS, words, 0},
      {0, OPTION_FLAG, 0, 0},
  };

  i = options_or_die(argc, argv, options, USAGE, 0, 1);
  if (all == (i < argc)) strerr_die_usage(USAGE);
  if (mode && (!scan_octal(mode, strlen(mode), &q.mode) || !q.mode || q.mode & ~MODE_MAX)) strerr_diem(100, FATAL, "not a mode: ", mode, (char *)0);
  if (spec && !quota_said(spec, &quota)) strerr_diem(100, FATAL, "not a quota: ", spec, (char *)0);
  q.quota = spec ? &quota : 0;
  report_start(&report, json, 1, 0);
  if (!all && strchr(argv[i], '/')) {
    q.owner = choose_owner(user, group, &owner) ? &owner : 0;
    reset_maildir(argv[i], &q);
  } else {
    if (user || group || spec || mode) strerr_die_usage(USAGE);
    if (!all && !strchr(argv[i], '@') && site_domain(argv[i], &e) == -1) die(&e);
    if (site_load(&s, &e) == -1) die(&e);
    if (!all && strchr(argv[i], '@')) reset_one(&s, argv[i]);
    else if (account_each(&s, all ? 0 : argv[i], &work.progress, reset_user, &s, &e) == -1) die(&e);
    site_close(&s);
  }
  if (report_finish(&report, 1, &e) == -1) die(&e);
  return work.code;
}
