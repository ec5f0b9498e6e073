/* vgroup: adds a group to a virtual domain, and members to a group.  A group is a user whose comment
 * begins with "MailGroup ": its mail goes to its members, the lines of the alias of its name. */
#include <string.h>

#include "base/options.h"
#include "base/report.h"
#include "user/account.h"
#include "user/alias_change.h"
#include "user/alias_line.h"
#include "user/secret.h"

#define FATAL "vgroup: fatal: "
#define CLUSTER (void *)(uintptr_t)"there is one mail store: users of others are not made here"
#define USAGE                                                                             \
  "vgroup -a [-vn] [-c comment] [-q quota] " SECRET_USAGE " user@domain [password] | " \
  "-i line|-d line|-u new -o old [-vn] user@domain | -s [--json] user@domain|domain"
#define GROUP "MailGroup "
#define COLUMN 8

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

/* FOUND is success; anything else ends us. */
static void want(enum userdb_result r, const struct strerr *e, const char *address, const char *none) {
  switch (r) {
    case USERDB_FOUND: return;
    case USERDB_NONE: strerr_diem(1, FATAL, address, ": ", none, (char *)0);
    case USERDB_EXISTS: strerr_diem(1, FATAL, address, ": the group has this member already", (char *)0);
    case USERDB_TEMPFAIL: die(e);
  }
}

static void add_group(struct site *s, struct account_new *n, const char *comment, const char *quota, struct secret_options *o,
                      char *password) {
  struct secret made = {STRALLOC_INIT, STRALLOC_INIT};
  stralloc gecos = STRALLOC_INIT;
  struct quota wanted;
  struct strerr e;

  if (!stralloc_catm(&gecos, GROUP, comment ? comment : n->address->user.s, (char *)0)) strerr_die_nomem(FATAL);
  if (!account_gecos_ok(gecos.s))
    strerr_diem(100, FATAL, "a comment has at most 245 characters, no colon and no control character", (char *)0);
  if (quota && !quota_said(quota, &wanted)) strerr_diem(100, FATAL, "not a quota: ", quota, (char *)0);
  if (site_new_name(s, n->address, &e) == -1) die(&e);
  n->quota = quota ? &wanted : 0;
  n->gecos = gecos.s;
  o->domain = n->address->domain.s;
  if (secret_make(o, &s->conf, password, &made, &e) == -1) die(&e);
  n->hash = made.hash.s;
  n->scram = stralloc_cstr(&made.scram);
  if (account_add(s, n, &e) == -1) die(&e);
  stralloc_free(&gecos);
  secret_free(&made);
}

/* line "" with old: that member goes; old null: a new one. */
static void change_members(struct site *s, const struct address *a, const char *address, const char *line, const char *old) {
  struct userdb_user u = {0};
  struct strerr e;

  if (site_open_db(s, 0, &e) == -1) die(&e);
  want(userdb_user_get(&s->db, a->user.s, a->domain.s, &u, &e), &e, address, "there is no such group");
  if (!stralloc_starts(&u.gecos, GROUP)) strerr_diem(100, FATAL, address, ": this is a user, not a group: see valias", (char *)0);
  {
    const struct alias_change c = {u.name.s, u.domain.s, old, *line ? line : 0};

    want(alias_change(s, &c, &e), &e, address, old ? "the group has no such member" : "there is no such group");
  }
  userdb_user_free(&u);
}

/* One group: comment is that of its row. */
static void print(struct site *s, const char *name, const char *domain, const char *comment, struct report *r) {
  struct strlist members = {0};
  stralloc address = STRALLOC_INIT;
  struct strerr e;

  if (userdb_alias_get(&s->db, name, domain, &members, &e) == USERDB_TEMPFAIL) die(&e);
  if (!stralloc_catm(&address, name, "@", domain, (char *)0)) strerr_die_nomem(FATAL);
  report_record(r);
  report_text(r, "group", "group", address.s);
  report_text(r, "comment", "comment", comment + sizeof GROUP - 1);
  report_list(r, "members", "member", &members);
  stralloc_free(&address);
  strlist_free(&members);
}

/* That of the address, or all of the domain. */
static void show(struct site *s, const struct address *a, const char *arg) {
  struct userdb_user u = {0};
  struct strlist groups = {0};
  stralloc real = STRALLOC_INIT;
  struct report r;
  struct strerr e;

  if (site_open_db(s, 0, &e) == -1) die(&e);
  report_start(&r, json, 1, COLUMN);
  if (a->user.len) {
    want(userdb_user_get(&s->db, a->user.s, a->domain.s, &u, &e), &e, arg, "there is no such group");
    if (!stralloc_starts(&u.gecos, GROUP)) strerr_diem(100, FATAL, arg, ": this is a user, not a group: see valias", (char *)0);
    print(s, u.name.s, u.domain.s, u.gecos.s, &r);
  } else {
    want(userdb_domain_real(&s->db, a->domain.s, &real, &e), &e, arg, "there is no such domain");
    want(userdb_group_list(&s->db, real.s, &groups, &e), &e, arg, "there are no groups");
    for (size_t i = 0; i + 1 < groups.len; i += 2) print(s, groups.item[i].s, real.s, groups.item[i + 1].s, &r);
  }
  if (report_finish(&r, 1, &e) == -1) die(&e);
  userdb_user_free(&u);
  strlist_free(&groups);
  stralloc_free(&real);
}

/* user@domain; where groups are shown also a domain. */
static void take_whose(const char *arg, int showing, struct address *a) {
  struct strerr e;

  if (!showing || strchr(arg, '@')) {
    if (site_address(arg, a, &e) == -1) die(&e);
  } else {
    if (site_domain(arg, &e) == -1) die(&e);
    if (!stralloc_copys(&a->domain, arg)) strerr_die_nomem(FATAL);
  }
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct secret_options secret = {0};
  struct account_new n = {.address = &a, .base = "", .active = 1};
  const char *comment = 0, *quota = 0, *insert = 0, *delete = 0, *update = 0, *old = 0;
  const char *line, *why;
  int adding = 0, showing = 0, verbose = 0, ignored = 0;
  const struct option options[] = {
      {'a', OPTION_FLAG, &adding, 1},   {'c', OPTION_STRING, &comment, 0}, {'q', OPTION_STRING, &quota, 0},
      {'i', OPTION_STRING, &insert, 0}, {'d', OPTION_STRING, &delete, 0},  {'u', OPTION_STRING, &update, 0},
      {'o', OPTION_STRING, &old, 0},    {'v', OPTION_COUNT, &verbose, 0},  {'n', OPTION_COUNT, &ignored, 0},
      {'s', OPTION_FLAG, &showing, 1},  {'-', OPTION_WORDS, words, 0},     SECRET_OPTIONS(secret),
      {'H', OPTION_REFUSED, CLUSTER, 0},        {'M', OPTION_REFUSED, CLUSTER, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 2);
  struct strerr e;

  if (adding + showing + !!insert + !!delete + !!update != 1 || !update != !old || (!adding && (argc - i > 1 || comment || quota)) || (json && !showing))
    strerr_die_usage(USAGE);
  line = insert ? insert : update ? update : "";
  why = *line || insert || update ? alias_line_fault(line) : 0;
  if (why) strerr_diem(100, FATAL, line, ": ", why, (char *)0);
  take_whose(argv[i], showing, &a);
  if (site_load(&s, &e) == -1) die(&e);
  if (showing) show(&s, &a, argv[i]);
  else if (adding) add_group(&s, &n, comment, quota, &secret, argc - i > 1 ? argv[i + 1] : 0);
  else change_members(&s, &a, argv[i], line, delete ? delete : old);
  if (verbose && !showing) strerr_warnm("", adding ? "added group " : "changed group ", argv[i], (char *)0);
  address_free(&a);
  site_close(&s);
  return 0;
}
