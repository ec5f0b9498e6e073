/* The table of checks, and every check that asks nobody: settings, envelope, verdict. */
#include "smtp/policy.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "check.h"

static char dir[] = "/tmp/test_policy.XXXXXX";

struct given {
  const char *relay, *user; /* user: may relay unless it begins with "no-" */
  int tls;
  const char *sender, *recipient;
  uint64_t size, bytes, hops;
  unsigned flaws;
  size_t accepted;
};

static const struct {
  const char *name;
  const char *file, *text; /* a control file, or with $ a variable */
  enum policy_stage stage;
  struct given given;
  const char *check; /* "" when nothing is against it */
  unsigned code;
} cases[] = {
    {"open", "me", "x", STAGE_CONNECT, {0}, "", 0},
    {"shutdown", "$SHUTDOWN", "", STAGE_CONNECT, {0}, "shutdown", 421},
    {"shutdown with code", "$SHUTDOWN", "554 gone for good", STAGE_CONNECT, {0}, "shutdown", 554},
    {"shutdown with another code", "$SHUTDOWN", "250 ok", STAGE_CONNECT, {0}, "shutdown", 421},
    {"TLS wanted", "$FORCE_TLS", "", STAGE_MAIL, {.sender = "a@b"}, "force_tls", 530},
    {"TLS wanted and there", "$FORCE_TLS", "1", STAGE_MAIL, {.sender = "a@b", .tls = 1}, "", 0},
    {"TLS not wanted", "$FORCE_TLS", "0", STAGE_MAIL, {.sender = "a@b"}, "", 0},
    {"login wanted", "$REQUIREAUTH", "", STAGE_MAIL, {.sender = "a@b"}, "requireauth", 530},
    {"login wanted and done", "$REQUIREAUTH", "", STAGE_MAIL, {.sender = "a@b", .user = "joe"}, "", 0},
    {"bad sender", "badmailfrom", "# no\n@bad.example\n", STAGE_MAIL, {.sender = "x@BAD.example"}, "badmailfrom", 553},
    {"other sender", "badmailfrom", "@bad.example\n", STAGE_MAIL, {.sender = "x@good.example"}, "", 0},
    {"null sender", "badmailfrom", "*\n", STAGE_MAIL, {.sender = ""}, "", 0},
    {"announced size", "databytes", "100\n", STAGE_MAIL, {.sender = "a@b", .size = 101}, "size", 552},
    {"size fits", "databytes", "100\n", STAGE_MAIL, {.sender = "a@b", .size = 100}, "", 0},
    {"size without limit", "databytes", "0\n", STAGE_MAIL, {.sender = "a@b", .size = UINT64_MAX}, "", 0},
    {"no rcpthosts", "me", "x", STAGE_RCPT, {.recipient = "a@b.example"}, "rcpthosts", 553},
    {"empty rcpthosts", "rcpthosts", "", STAGE_RCPT, {.recipient = "a@b.example"}, "rcpthosts", 553},
    {"ours", "rcpthosts", "b.example\n", STAGE_RCPT, {.recipient = "a@B.Example"}, "", 0},
    {"subdomain not named", "rcpthosts", "b.example\n", STAGE_RCPT, {.recipient = "a@x.b.example"}, "rcpthosts", 553},
    {"subdomain", "rcpthosts", ".b.example\n", STAGE_RCPT, {.recipient = "a@x.y.b.example"}, "", 0},
    {"suffix is not the domain", "rcpthosts", ".b.example\n", STAGE_RCPT, {.recipient = "a@b.example"}, "rcpthosts", 553},
    {"tail of a name", "rcpthosts", "b.example\n", STAGE_RCPT, {.recipient = "a@evilb.example"}, "rcpthosts", 553},
    {"no domain", "rcpthosts", "b.example\n", STAGE_RCPT, {.recipient = "postmaster"}, "", 0},
    {"at inside the local part", "rcpthosts", "b.example\n", STAGE_RCPT, {.recipient = "a@b.example@evil.example"},
     "rcpthosts", 553},
    {"relay client", "me", "x", STAGE_RCPT, {.recipient = "a@b.example", .relay = ""}, "", 0},
    {"user", "me", "x", STAGE_RCPT, {.recipient = "a@b.example", .user = "joe"}, "", 0},
    {"user who may not relay", "me", "x", STAGE_RCPT, {.recipient = "a@b.example", .user = "no-joe"}, "rcpthosts", 553},
    {"bad recipient", "badrcptto", "a@b.example\n", STAGE_RCPT, {.recipient = "A@b.example", .relay = ""}, "badrcptto", 553},
    {"enough recipients", "maxrecipients", "3\n", STAGE_RCPT, {.recipient = "a@b", .relay = "", .accepted = 3},
     "maxrecipients", 452},
    {"one more recipient", "maxrecipients", "3\n", STAGE_RCPT, {.recipient = "a@b", .relay = "", .accepted = 2}, "", 0},
    {"message", "databytes", "100\n", STAGE_DATA, {.bytes = 100}, "", 0},
    {"large message", "databytes", "100\n", STAGE_DATA, {.bytes = 101}, "databytes", 552},
    {"hops", "maxhops", "5\n", STAGE_DATA, {.hops = 4}, "", 0},
    {"too many hops", "maxhops", "5\n", STAGE_DATA, {.hops = 5}, "maxhops", 554},
    {"bare LF", "me", "x", STAGE_DATA, {.flaws = DATA_BARE_LF}, "lineends", 554},
    {"NUL", "me", "x", STAGE_DATA, {.flaws = DATA_NUL}, "lineends", 554},
    {"switched off", "policy", "size:off\n", STAGE_MAIL, {.sender = "a@b", .size = 1}, "", 0},
};

static void put(const char *name, const char *text) {
  char path[256];
  int fd;

  snprintf(path, sizeof path, "%s/%s", dir, name);
  fd = fd_open_trunc(path, 0600);
  CHECK(fd != -1 && fd_write_all(fd, text, strlen(text)) == 0);
  fd_close(fd);
}

static void take_away(const char *name) {
  char path[256];

  snprintf(path, sizeof path, "%s/%s", dir, name);
  unlink(path);
}

/* at is the last @, as the path parser leaves it. */
static void path(struct smtp_path *p, const char *text) {
  const char *at = strrchr(text, '@');

  CHECK(stralloc_copys(&p->address, text));
  p->at = at ? (size_t)(at - text) : p->address.len;
}

static void prepare(struct session *s, const struct conf *conf, const struct given *g) {
  static const struct env env = {.inherit = 1};
  const struct session_place at = {.in = 0, .out = 1, .conf = conf, .env = &env};

  session_init(s, &at);
  s->c.relay = g->relay;
  s->c.tls = g->tls;
  if (g->user) {
    s->c.authenticated = 1;
    s->c.auth_may_relay = strncmp(g->user, "no-", 3) != 0;
  }
  if (g->sender) path(&s->t.sender, g->sender);
  if (g->recipient) path(&s->t.recipient, g->recipient);
  s->t.size = g->size;
  s->t.accepted = g->accepted;
  s->t.data.bytes = g->bytes;
  s->t.data.hops = g->hops;
  s->t.data.flaws = g->flaws;
}

static void one(size_t i) {
  static struct session s;
  struct policy_reply r = {0, "", STRALLOC_INIT, 0};
  const struct policy_row *row;
  enum verdict verdict;
  struct strerr e;
  struct conf conf;

  CHECK_CASE(conf_load(&conf, CONF_SMTPD, &e) == 0, cases[i].name);
  CHECK_CASE(policy_valid(&conf, &e) == 0, cases[i].name);
  prepare(&s, &conf, &cases[i].given);
  row = policy_judge(&s, cases[i].stage, &verdict, &r);
  CHECK_CASE(!strcmp(row ? row->name : "", cases[i].check), cases[i].name);
  CHECK_CASE((verdict == VERDICT_NEXT) == !*cases[i].check, cases[i].name);
  if (row) {
    CHECK_CASE(r.code == cases[i].code, cases[i].name);
    /* the three codes agree with each other */
    CHECK_CASE(r.code / 100 == (unsigned)(r.enhanced[0] - '0'), cases[i].name);
    CHECK_CASE(verdict == (r.code < 500 ? VERDICT_DEFER : VERDICT_REJECT), cases[i].name);
  }
  stralloc_free(&r.text);
  session_free(&s);
  conf_free(&conf);
}

static int known_setting(const char *s, size_t n) {
  for (int i = 0; i < SETTINGS; ++i)
    if (strlen(conf_rows[i].id) == n && !memcmp(conf_rows[i].id, s, n)) return conf_rows[i].readers & CONF_SMTPD;
  return 0;
}

static void table(void) {
  for (size_t i = 0; i < policy_count; ++i) {
    const struct policy_row *row = &policy_rows[i];

    for (const char *s = row->settings; *s;) {
      size_t n = strcspn(s, " ");

      CHECK_CASE(known_setting(s, n), s);
      s += n + (s[n] != 0);
    }
    for (size_t j = 0; j < i; ++j) CHECK_CASE(strcmp(row->name, policy_rows[j].name), row->name);
    CHECK_CASE(i == 0 || row->stage >= policy_rows[i - 1].stage, row->name);
    CHECK_CASE(row->event >= 0 && row->event < LOG_EVENTS && log_fields(log_rows[row->event].template) == 10, row->name);
  }
}

static const struct {
  const char *text;
  int want;
} policies[] = {
    {"badmailfrom:off\nsize:warn\n", 0}, {"", 0},           {"rcpthosts:off\n", -1},
    {"badmailfrom\n", -1},               {"nosuch:off\n", -1}, {"size:maybe\n", -1},
};

static void policy_file(void) {
  for (size_t i = 0; i < sizeof policies / sizeof *policies; ++i) {
    struct strerr e;
    struct conf conf;

    put("policy", policies[i].text);
    CHECK_CASE(conf_load(&conf, CONF_SMTPD, &e) == 0, policies[i].text);
    CHECK_CASE(policy_valid(&conf, &e) == policies[i].want, policies[i].text);
    conf_free(&conf);
  }
  take_away("policy");
}

int main(void) {
  CHECK(mkdtemp(dir) != 0);
  clearenv();
  setenv("CONTROLDIR", dir, 1);
  put("me", "mail.example\n");
  table();
  policy_file();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    int variable = cases[i].file[0] == '$';

    if (variable) setenv(cases[i].file + 1, cases[i].text, 1);
    else put(cases[i].file, cases[i].text);
    one(i);
    if (variable) unsetenv(cases[i].file + 1);
    else if (strcmp(cases[i].file, "me")) take_away(cases[i].file);
  }
  take_away("me");
  CHECK(rmdir(dir) == 0);
  return check_done();
}
