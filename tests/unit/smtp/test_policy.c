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
  size_t accepted, tried;
  uint64_t rcpt_errors;
  const char *ip, *helo;
  unsigned marks;
};

static const struct {
  const char *name;
  const char *file, *text; /* a control file, or with $ a variable */
  enum policy_stage stage;
  struct given given;
  const char *check; /* "" when nothing is against it */
  unsigned code;
  enum verdict verdict; /* where it refuses nothing */
  unsigned marks;
  uint64_t pause;
  const char *file2, *text2, *file3, *text3;
} cases[] = {
    {"open", "me", "mail.example", STAGE_CONNECT, {0}, "", .code = 0},
    {"shutdown", "$SHUTDOWN", "", STAGE_CONNECT, {0}, "shutdown", .code = 421},
    {"shutdown with code", "$SHUTDOWN", "554 gone for good", STAGE_CONNECT, {0}, "shutdown", .code = 554},
    {"shutdown with another code", "$SHUTDOWN", "250 ok", STAGE_CONNECT, {0}, "shutdown", .code = 421},
    {"TLS wanted", "$FORCE_TLS", "", STAGE_MAIL, {.sender = "a@b"}, "force_tls", .code = 530},
    {"TLS wanted and there", "$FORCE_TLS", "1", STAGE_MAIL, {.sender = "a@b", .tls = 1}, "", .code = 0},
    {"TLS not wanted", "$FORCE_TLS", "0", STAGE_MAIL, {.sender = "a@b"}, "", .code = 0},
    {"login wanted", "$REQUIREAUTH", "", STAGE_MAIL, {.sender = "a@b"}, "requireauth", .code = 530},
    {"login wanted and done", "$REQUIREAUTH", "", STAGE_MAIL, {.sender = "a@b", .user = "joe"}, "", .code = 0},
    {"bad sender", "badmailfrom", "# no\n@bad.example\n", STAGE_MAIL, {.sender = "x@BAD.example"}, "badmailfrom", .code = 553},
    {"other sender", "badmailfrom", "@bad.example\n", STAGE_MAIL, {.sender = "x@good.example"}, "", .code = 0},
    {"null sender", "badmailfrom", "*\n", STAGE_MAIL, {.sender = ""}, "", .code = 0},
    {"announced size", "databytes", "100\n", STAGE_MAIL, {.sender = "a@b", .size = 101}, "size", .code = 552},
    {"size fits", "databytes", "100\n", STAGE_MAIL, {.sender = "a@b", .size = 100}, "", .code = 0},
    {"size without limit", "databytes", "0\n", STAGE_MAIL, {.sender = "a@b", .size = UINT64_MAX}, "", .code = 0},
    {"no rcpthosts", "me", "mail.example", STAGE_RCPT, {.recipient = "a@b.example"}, "rcpthosts", .code = 553},
    {"empty rcpthosts", "rcpthosts", "", STAGE_RCPT, {.recipient = "a@b.example"}, "rcpthosts", .code = 553},
    {"ours", "rcpthosts", "b.example\n", STAGE_RCPT, {.recipient = "a@B.Example"}, "", .code = 0},
    {"subdomain not named", "rcpthosts", "b.example\n", STAGE_RCPT, {.recipient = "a@x.b.example"}, "rcpthosts", .code = 553},
    {"subdomain", "rcpthosts", ".b.example\n", STAGE_RCPT, {.recipient = "a@x.y.b.example"}, "", .code = 0},
    {"suffix is not the domain", "rcpthosts", ".b.example\n", STAGE_RCPT, {.recipient = "a@b.example"}, "rcpthosts", .code = 553},
    {"tail of a name", "rcpthosts", "b.example\n", STAGE_RCPT, {.recipient = "a@evilb.example"}, "rcpthosts", .code = 553},
    {"no domain", "rcpthosts", "b.example\n", STAGE_RCPT, {.recipient = "postmaster"}, "", .code = 0},
    {"at inside the local part", "rcpthosts", "b.example\n", STAGE_RCPT, {.recipient = "a@b.example@evil.example"},
     "rcpthosts", .code = 553},
    {"relay client", "me", "mail.example", STAGE_RCPT, {.recipient = "a@b.example", .relay = ""}, "", .code = 0},
    {"user", "me", "mail.example", STAGE_RCPT, {.recipient = "a@b.example", .user = "joe"}, "", .code = 0},
    {"user who may not relay", "me", "mail.example", STAGE_RCPT, {.recipient = "a@b.example", .user = "no-joe"}, "rcpthosts", .code = 553},
    {"bad recipient", "badrcptto", "a@b.example\n", STAGE_RCPT, {.recipient = "A@b.example", .relay = ""}, "badrcptto", .code = 553},
    {"enough recipients", "maxrecipients", "3\n", STAGE_RCPT, {.recipient = "a@b", .relay = "", .accepted = 3},
     "maxrecipients", .code = 452},
    {"one more recipient", "maxrecipients", "3\n", STAGE_RCPT, {.recipient = "a@b", .relay = "", .accepted = 2}, "", .code = 0},
    {"message", "databytes", "100\n", STAGE_DATA, {.bytes = 100}, "", .code = 0},
    {"large message", "databytes", "100\n", STAGE_DATA, {.bytes = 101}, "databytes", .code = 552},
    {"hops", "maxhops", "5\n", STAGE_DATA, {.hops = 4}, "", .code = 0},
    {"too many hops", "maxhops", "5\n", STAGE_DATA, {.hops = 5}, "maxhops", .code = 554},
    {"bare LF", "me", "mail.example", STAGE_DATA, {.flaws = DATA_BARE_LF}, "lineends", .code = 554},
    {"NUL", "me", "mail.example", STAGE_DATA, {.flaws = DATA_NUL}, "lineends", .code = 554},
    /* lists */
    {"bad sender by pattern", "badmailpatterns", "*spam*\n", STAGE_MAIL, {.sender = "x@myspam.example"}, "badmailfrom", .code = 553},
    {"bad sender below", "badmailfrom", ".bad.example\n", STAGE_MAIL, {.sender = "x@y.bad.example"}, "badmailfrom", .code = 553},
    {"expression", "badmailfrom", "^x[0-9]+@\n", STAGE_MAIL, {.sender = "x12@a.example"}, "badmailfrom", 553, .file2 = "qregex", .text2 = "1"},
    {"expression too hard", "badmailfrom", "^(a+)+$\n", STAGE_MAIL, {.sender = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@a.example"}, "badmailfrom",
     451, .file2 = "qregex", .text2 = "1"},
    {"blackholed sender", "blackholedsender", "@b\n", STAGE_MAIL, {.sender = "a@b"}, "blackholedsender", .verdict = VERDICT_DISCARD},
    {"blackholed null sender", "blackholedsender", "<>\n", STAGE_MAIL, {.sender = ""}, "blackholedsender", .verdict = VERDICT_DISCARD},
    {"blackholed wins over bad", "blackholedsender", "@b\n", STAGE_MAIL, {.sender = "a@b"}, "blackholedsender", .verdict = VERDICT_DISCARD,
     .file2 = "badmailfrom", .text2 = "@b\n"},
    {"login comes first", "blackholedsender", "@b\n", STAGE_MAIL, {.sender = "a@b"}, "requireauth", 530, .file2 = "$REQUIREAUTH", .text2 = "1"},
    {"blackholed recipient", "blackholercpt", "a@b\n", STAGE_RCPT, {.recipient = "a@b"}, "blackholedrcpt", .verdict = VERDICT_DISCARD, .file2 = "rcpthosts",
     .text2 = "b\n"},
    {"blackholed, not ours", "blackholedrcpt", "a@b\n", STAGE_RCPT, {.recipient = "a@b"}, "rcpthosts", .code = 553},
    {"good recipient", "goodrcptto", "a@b\n", STAGE_RCPT, {.recipient = "a@b", .relay = ""}, "goodrcptto", .verdict = VERDICT_ACCEPT, .file2 = "badrcptto",
     .text2 = "@b\n"},
    {"good recipient, not ours", "goodrcptto", "a@b\n", STAGE_RCPT, {.recipient = "a@b"}, "rcpthosts", .code = 553},
    {"not good recipient", "goodrcptto", "a@b\n", STAGE_RCPT, {.recipient = "x@b", .relay = ""}, "badrcptto", 553, .file2 = "badrcptto", .text2 = "@b\n"},
    {"spamignore", "spamignore", "@b\n", STAGE_MAIL, {.sender = "a@b"}, "", 0, .marks = MARK_NO_SPAMFILTER},
    {"spamignore, other", "spamignore", "@b\n", STAGE_MAIL, {.sender = "a@c"}, "", .code = 0},
    {"relaymailfrom", "relaymailfrom", "boss@b\n", STAGE_MAIL, {.sender = "boss@b"}, "", 0, .marks = MARK_RELAY},
    {"relaymailfrom, null sender", "relaymailfrom", "*\n", STAGE_MAIL, {.sender = ""}, "", .code = 0},
    {"relay by mark", "me", "mail.example", STAGE_RCPT, {.recipient = "a@b.example", .marks = MARK_RELAY}, "", .code = 0},
    {"other mark", "me", "mail.example", STAGE_RCPT, {.recipient = "a@b.example", .marks = MARK_NO_SPAMFILTER}, "rcpthosts", .code = 553},
    /* login */
    {"authdomains", "authdomains", "b\n", STAGE_MAIL, {.sender = "a@B"}, "authdomains", .code = 530},
    {"authdomains, logged in", "authdomains", "b\n", STAGE_MAIL, {.sender = "a@b", .user = "joe"}, "", .code = 0},
    {"authdomains, logged in without relaying", "authdomains", "b\n", STAGE_MAIL, {.sender = "a@b", .user = "no-joe"}, "", .code = 0},
    {"authdomains, relay client", "authdomains", "b\n", STAGE_MAIL, {.sender = "a@b", .relay = ""}, "", .code = 0},
    {"authdomains, other", "authdomains", "b\n", STAGE_MAIL, {.sender = "a@c"}, "", .code = 0},
    {"authdomains, null sender", "authdomains", "*\n", STAGE_MAIL, {.sender = ""}, "", .code = 0},
    {"AUTH_DOMAINS", "$AUTH_DOMAINS", "x,.y:b\nz", STAGE_MAIL, {.sender = "a@b"}, "authdomains", .code = 530},
    {"AUTH_DOMAINS, below", "$AUTH_DOMAINS", "x,.y:b\nz", STAGE_MAIL, {.sender = "a@b.y"}, "authdomains", .code = 530},
    {"AUTH_DOMAINS, other", "$AUTH_DOMAINS", "x,.y:b\nz", STAGE_MAIL, {.sender = "a@y"}, "", .code = 0},
    {"AUTH_ALL", "$AUTH_ALL", "", STAGE_MAIL, {.sender = "a@y"}, "authdomains", .code = 530},
    {"antispoofing", "$ANTISPOOFING", "1", STAGE_MAIL, {.sender = "a@b"}, "antispoofing", 530, .file2 = "locals", .text2 = "b\n"},
    {"antispoofing, relay client", "$ANTISPOOFING", "1", STAGE_MAIL, {.sender = "a@b", .relay = ""}, "", 0, .file2 = "locals", .text2 = "b\n"},
    {"antispoofing, not ours", "$CHECKSENDER", "1", STAGE_MAIL, {.sender = "a@c"}, "", 0, .file2 = "locals", .text2 = "b\n"},
    {"antispoofing, himself", "$CHECKSENDER", "1", STAGE_MAIL, {.sender = "Joe@b", .user = "joe@B"}, "", 0, .file2 = "locals", .text2 = "b\n"},
    {"antispoofing, default domain", "$CHECKSENDER", "1", STAGE_MAIL, {.sender = "joe@mail.example", .user = "joe"}, "", 0, .file2 = "locals",
     .text2 = "mail.example\n"},
    {"antispoofing, somebody else", "$CHECKSENDER", "1", STAGE_MAIL, {.sender = "jim@b", .user = "joe@b"}, "antispoofing", 553, .file2 = "locals",
     .text2 = "b\n"},
    {"masquerade as anybody", "$CHECKSENDER", "1", STAGE_MAIL, {.sender = "jim@b", .user = "joe@b"}, "", 0, .file2 = "locals", .text2 = "b\n",
     .file3 = "$MASQUERADE", .text3 = ""},
    {"masquerade as one", "$CHECKSENDER", "1", STAGE_MAIL, {.sender = "jim@b", .user = "joe@b"}, "", 0, .file2 = "locals", .text2 = "b\n",
     .file3 = "$MASQUERADE", .text3 = "JIM@b"},
    {"masquerade as another", "$CHECKSENDER", "1", STAGE_MAIL, {.sender = "jan@b", .user = "joe@b"}, "antispoofing", 553, .file2 = "locals",
     .text2 = "b\n", .file3 = "$MASQUERADE", .text3 = "jim@b"},
    {"chksenderdomains", "$CHECKSENDER", "1", STAGE_MAIL, {.sender = "a@c"}, "antispoofing", 530, .file2 = "chksenderdomains", .text2 = "c\n"},
    {"chksenderdomains, other", "$CHECKSENDER", "1", STAGE_MAIL, {.sender = "a@b"}, "", 0, .file2 = "chksenderdomains", .text2 = "c\n", .file3 = "locals",
     .text3 = "b\n"},
    {"closed group", "$CUGMAIL", "1", STAGE_MAIL, {.sender = "a@c"}, "cugmail", 553, .file2 = "rcpthosts", .text2 = "b\n"},
    {"closed group, ours", "$CUGMAIL", "1", STAGE_MAIL, {.sender = "a@b"}, "", 0, .file2 = "rcpthosts", .text2 = "b\n"},
    {"closed group, bounce", "$CUGMAIL", "1", STAGE_MAIL, {.sender = ""}, "", 0, .file2 = "rcpthosts", .text2 = "b\n"},
    {"closed group, recipient", "$CUGMAIL", "1", STAGE_RCPT, {.recipient = "a@c", .relay = ""}, "cugmail_rcpt", 553, .file2 = "rcpthosts", .text2 = "b\n"},
    /* clients */
    {"open relay", "$OPENRELAY", "", STAGE_CONNECT, {0}, "openrelay", .code = 554},
    {"bouncemail", "$BOUNCEMAIL", "go away", STAGE_MAIL, {.sender = "a@b"}, "bouncemail", .code = 553},
    {"tarpit, not yet", "tarpitcount", "3", STAGE_RCPT, {.recipient = "a", .tried = 1}, "", .code = 0},
    {"tarpit", "tarpitcount", "3", STAGE_RCPT, {.recipient = "a", .tried = 2}, "", 0, .pause = 5},
    {"tarpit, of those accepted alone", "tarpitcount", "3", STAGE_RCPT, {.recipient = "a", .accepted = 2}, "", .code = 0},
    {"refused recipients", "max_rcpt_errcount", "2", STAGE_RCPT, {.recipient = "a@c", .rcpt_errors = 2}, "rcpt_errors", .code = 421},
    {"refused recipients, by default", "me", "mail.example", STAGE_RCPT, {.recipient = "a@c", .rcpt_errors = 100}, "rcpt_errors", .code = 421},
    {"refused recipients, not so many", "max_rcpt_errcount", "2", STAGE_RCPT, {.recipient = "a@c", .rcpt_errors = 1}, "rcpthosts", .code = 553},
    {"refused recipients, any number", "max_rcpt_errcount", "0", STAGE_RCPT, {.recipient = "a@c", .rcpt_errors = 1000}, "rcpthosts", .code = 553},
    {"refused recipients, relay client", "max_rcpt_errcount", "2", STAGE_RCPT, {.recipient = "a@c", .relay = "", .rcpt_errors = 2}, "", .code = 0},
    {"refused recipients, logged in", "max_rcpt_errcount", "2", STAGE_RCPT, {.recipient = "a@c", .user = "joe", .rcpt_errors = 2}, "", .code = 0},
    {"tarpit, refused", "tarpitcount", "1", STAGE_RCPT, {.recipient = "a@c"}, "rcpthosts", 553, .pause = 7, .file2 = "tarpitdelay", .text2 = "7"},
    {"tarpit, relay client", "tarpitcount", "1", STAGE_RCPT, {.recipient = "a@c", .relay = ""}, "", .code = 0},
    /* hostaccess */
    {"pair", "hostaccess", "b:192.0.2.7\n", STAGE_MAIL, {.sender = "a@B", .ip = "192.0.2.7"}, "", .code = 0},
    {"domain from elsewhere", "hostaccess", "b:192.0.2.7\n", STAGE_MAIL, {.sender = "a@b", .ip = "192.0.2.8"}, "hostaccess", .code = 553},
    {"address with another domain", "hostaccess", "b:192.0.2.7\n", STAGE_MAIL, {.sender = "a@c", .ip = "192.0.2.7"}, "hostaccess", .code = 553},
    {"neither", "hostaccess", "b:192.0.2.7\n", STAGE_MAIL, {.sender = "a@c", .ip = "192.0.2.8"}, "", .code = 0},
    {"neither, paranoid", "hostaccess", "b:192.0.2.7\n", STAGE_MAIL, {.sender = "a@c", .ip = "192.0.2.8"}, "hostaccess", 553, .file2 = "$PARANOID",
     .text2 = "1"},
    {"null sender, paranoid", "hostaccess", "b:192.0.2.7\n", STAGE_MAIL, {.sender = "", .ip = "192.0.2.8"}, "", 0, .file2 = "$PARANOID", .text2 = "1"},
    {"domain masquerade", "hostaccess", "b:192.0.2.1-9\n", STAGE_MAIL, {.sender = "a@c", .ip = "192.0.2.7"}, "", 0, .file2 = "$DOMAIN_MASQUERADE",
     .text2 = "1"},
    {"domain masquerade, other address", "hostaccess", "b:192.0.2.1-9\n", STAGE_MAIL, {.sender = "a@b", .ip = "192.0.2.10"}, "hostaccess", 553,
     .file2 = "$DOMAIN_MASQUERADE", .text2 = "1"},
    {"any domain", "hostaccess", "*:192.0.2.*\n", STAGE_MAIL, {.sender = "a@c", .ip = "192.0.2.7"}, "", .code = 0},
    {"any address", "hostaccess", "b:*\n", STAGE_MAIL, {.sender = "a@b", .ip = "2001:db8::1"}, "", .code = 0},
    /* accesslist */
    {"sender restricted", "accesslist", "from:joe@b:@b\n", STAGE_RCPT, {.sender = "joe@b", .recipient = "x@c", .relay = ""}, "accesslist", .code = 553},
    {"sender restricted, allowed", "accesslist", "from:joe@b:@b\nfrom:joe@b:*@c\n", STAGE_RCPT, {.sender = "joe@b", .recipient = "x@c", .relay = ""}, "", .code = 0},
    {"other sender", "accesslist", "from:joe@b:@b\n", STAGE_RCPT, {.sender = "jim@b", .recipient = "x@c", .relay = ""}, "", .code = 0},
    {"recipient restricted", "accesslist", "rcpt:@b:all@b\n", STAGE_RCPT, {.sender = "x@c", .recipient = "all@b", .relay = ""}, "accesslist", .code = 553},
    {"recipient restricted, allowed", "accesslist", "rcpt:@b:all@b\nfrom:x@b:none@b\n", STAGE_RCPT, {.sender = "x@b", .recipient = "all@b", .relay = ""}, "",
     .code = 0},
    {"bounces pass", "accesslist", "rcpt:@b:*\n", STAGE_RCPT, {.sender = "", .recipient = "all@b", .relay = ""}, "", .code = 0},
    {"abuse passes", "accesslist", "rcpt:@b:*\n", STAGE_RCPT, {.sender = "x@c", .recipient = "Abuse@b", .relay = ""}, "", .code = 0},
    {"by expression", "accesslist", "rcpt:@b$:^all@\n", STAGE_RCPT, {.sender = "x@c", .recipient = "all@b", .relay = ""}, "accesslist", 553,
     .file2 = "qregex", .text2 = "1"},
    {"broken expression", "accesslist", "rcpt:(:all\n", STAGE_RCPT, {.sender = "x@c", .recipient = "all@b", .relay = ""}, "accesslist", 451,
     .file2 = "qregex", .text2 = "1"},
    /* HELO */
    {"short name", "$ENFORCE_FQDN_HELO", "1", STAGE_HELO, {.helo = "host"}, "helo_fqdn", .code = 550},
    {"full name", "$ENFORCE_FQDN_HELO", "1", STAGE_HELO, {.helo = "host.example"}, "", .code = 0},
    {"address in brackets", "$ENFORCE_FQDN_HELO", "1", STAGE_HELO, {.helo = "[IPv6:2001:db8::1]"}, "", .code = 0},
    {"our name", "$BADHELOCHECK", "1", STAGE_HELO, {.helo = "MAIL.example", .ip = "192.0.2.7"}, "helo_self", .code = 550},
    {"our name from inside", "$BADHELOCHECK", "1", STAGE_HELO, {.helo = "mail.example", .ip = "127.0.0.1"}, "", .code = 0},
    {"our address", "$BADHELOCHECK", "1", STAGE_HELO, {.helo = "[192.0.2.1]", .ip = "192.0.2.7"}, "helo_self", .code = 550},
    {"our name, not looked at", "me", "mail.example", STAGE_HELO, {.helo = "mail.example", .ip = "192.0.2.7"}, "", .code = 0},
    {"bad name", "badhelo", ".dyn.example\n", STAGE_HELO, {.helo = "x.dyn.example", .ip = "192.0.2.7"}, "badhelo", 553, .file2 = "$BADHELOCHECK",
     .text2 = ""},
    {"bad name, not looked at", "badhelo", ".dyn.example\n", STAGE_HELO, {.helo = "x.dyn.example", .ip = "192.0.2.7"}, "", .code = 0},
    {"bad name of another list", "other", ".dyn.example\n", STAGE_HELO, {.helo = "x.dyn.example", .ip = "192.0.2.7"}, "badhelo", 553, .file2 = "$BADHELO",
     .text2 = "other"},
    {"switched off", "policy", "size:off\n", STAGE_MAIL, {.sender = "a@b", .size = 1}, "", .code = 0},
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

static void prepare(struct session *s, const struct conf *conf, const struct lists *lists, const struct given *g) {
  static const struct env env = {.inherit = 1};
  const struct settings settings = {conf, lists, 0, 0, 0};
  const struct session_place at = {.in = 0, .out = 1, .settings = &settings, .env = &env};

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
  s->t.tried = g->tried;
  s->c.rcpt_errors = g->rcpt_errors;
  s->t.data.bytes = g->bytes;
  s->t.data.hops = g->hops;
  s->t.data.flaws = g->flaws;
  s->t.marks = g->marks;
  if (g->ip) s->c.ip = g->ip;
  s->c.local_ip = "192.0.2.1";
  if (g->helo) CHECK(stralloc_copys(&s->c.helo, g->helo));
  if (g->user) CHECK(stralloc_copys(&s->c.user, g->user));
}

static void one(size_t i) {
  static struct session s;
  struct policy_reply r = {0};
  const struct policy_row *row;
  enum verdict verdict;
  struct strerr e;
  struct conf conf;
  struct list_cache cache = {0};
  struct lists lists;

  CHECK_CASE(conf_load(&conf, CONF_SMTPD, &e) == 0, cases[i].name);
  CHECK_CASE(policy_valid(&conf, &e) == 0, cases[i].name);
  CHECK_CASE(lists_open(&lists, &cache, &conf, &e) == 0, cases[i].name);
  prepare(&s, &conf, &lists, &cases[i].given);
  row = policy_judge(&s, cases[i].stage, &verdict, &r);
  CHECK_CASE(!strcmp(row ? row->name : "", cases[i].check), cases[i].name);
  CHECK_CASE((verdict == VERDICT_NEXT) == !*cases[i].check, cases[i].name);
  CHECK_CASE(r.marks == cases[i].marks && r.pause == cases[i].pause, cases[i].name);
  if (row && !cases[i].code) {
    CHECK_CASE(verdict == cases[i].verdict, cases[i].name);
  } else if (row) {
    CHECK_CASE(r.code == cases[i].code, cases[i].name);
    /* the three codes agree with each other */
    CHECK_CASE(r.code / 100 == (unsigned)(r.enhanced[0] - '0'), cases[i].name);
    CHECK_CASE(verdict == (r.code < 500 ? VERDICT_DEFER : VERDICT_REJECT), cases[i].name);
  }
  stralloc_free(&r.text);
  session_free(&s);
  lists_close(&lists);
  list_cache_free(&cache);
  conf_free(&conf);
}

static int known_setting(const char *s, size_t n) {
  for (int i = 0; i < SETTINGS; ++i)
    if (strlen(conf_rows[i].id) == n && !memcmp(conf_rows[i].id, s, n)) return conf_rows[i].readers & CONF_SMTPD;
  return 0;
}

/* A control file, or with $ a variable. */
static void set(const char *name, const char *text) {
  if (name && *name == '$') setenv(name + 1, text, 1);
  else if (name) put(name, text);
}

static void unset(const char *name) {
  if (name && *name == '$') unsetenv(name + 1);
  else if (name && strcmp(name, "me")) take_away(name);
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
    set(cases[i].file, cases[i].text);
    set(cases[i].file2, cases[i].text2);
    set(cases[i].file3, cases[i].text3);
    one(i);
    unset(cases[i].file);
    unset(cases[i].file2);
    unset(cases[i].file3);
  }
  take_away("me");
  CHECK(rmdir(dir) == 0);
  return check_done();
}
