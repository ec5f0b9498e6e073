/* What a server in its sandbox may have started: what the administrator wrote, and nothing else. */
#include "smtp/rights.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cdb.h"
#include "base/fd.h"
#include "base/words.h"
#include "check.h"
#include "conf/paths.h"

static char dir[] = "/tmp/test_rights.XXXXXX";

static void control(const char *name, const char *text) {
  stralloc path = STRALLOC_INIT;
  int fd;

  CHECK(stralloc_catm(&path, dir, "/", name, (char *)0));
  fd = fd_open_trunc(path.s, 0600);
  CHECK(fd != -1 && fd_write_all(fd, text, strlen(text)) == 0);
  fd_close(fd);
  stralloc_free(&path);
}

/* Rules of tcpserver with these variables. */
static void tcprules(const char *path, const char *const *vars) {
  struct cdb_make m;
  int fd = fd_open_trunc(path, 0600);
  stralloc data = STRALLOC_INIT;

  CHECK(fd != -1 && cdb_make_start(&m, fd) == 0);
  for (; *vars; ++vars) CHECK(stralloc_append(&data, '+') && stralloc_catz(&data, *vars, strlen(*vars)));
  CHECK(cdb_make_add(&m, "", 0, data.s, data.len) == 0 && cdb_make_finish(&m) == 0);
  cdb_make_free(&m);
  stralloc_free(&data);
  fd_close(fd);
}

/* A command by its words, with one more variable. */
static int may(struct rights *r, const char *command, const char *var, const char *cwd) {
  stralloc copy = STRALLOC_INIT, variable = STRALLOC_INIT;
  char *words[33], *envp[3] = {0};
  struct spawn s = {.argv = words, .envp = envp, .cwd = cwd};
  struct strerr e;
  int yes;

  CHECK(stralloc_copys(&copy, command) && words_split(copy.s, words, 32) && stralloc_copys(&variable, var ? var : "PROTO=TCP"));
  envp[0] = variable.s;
  envp[1] = (char *)(uintptr_t) "SERVICE=its own";
  s.path = words[0];
  yes = rights_may_start(r, &s, &e);
  CHECK(yes || *e.text);
  stralloc_free(&copy);
  stralloc_free(&variable);
  return yes;
}

static void check_table(struct rights *r) {
  static const struct {
    const char *name, *command, *variable, *cwd;
    int ok;
  } cases[] = {
      {"our queue program", "/ours/qmail-queue", 0, 0, 1},
      {"from the root", "/ours/qmail-queue", 0, "/", 1},
      {"from elsewhere", "/ours/qmail-queue", 0, "/tmp", 0},
      {"plugins, as the service has them", "/ours/qmail-smtp-plugin", "TCPREMOTEIP=192.0.2.1", 0, 1},
      {"... and others", "/ours/qmail-smtp-plugin", "SMTP_PLUGIN=/tmp/x.so", 0, 0},
      {"... from elsewhere", "/ours/qmail-smtp-plugin", "PLUGINDIR=/tmp", 0, 0},
      {"... of a rule", "/ours/qmail-smtp-plugin", "SMTP_PLUGIN=rule.so", 0, 1},
      {"another one of ours", "/ours/qmail-remote", 0, 0, 0},
      {"ours by another path", "/theirs/qmail-queue", 0, 0, 0},
      {"authentication", "checkpassword /bin/true", 0, 0, 1},
      {"... with more", "checkpassword /bin/true /bin/sh", 0, 0, 0},
      {"... with less", "checkpassword", 0, 0, 0},
      {"the service's queue program", "/its/filter -x", 0, 0, 1},
      {"... with other arguments", "/its/filter -y", 0, 0, 0},
      {"a rule's queue program", "/bin/rule-queue", 0, 0, 1},
      {"a domain's queue program", "/bin/domain-queue a", 0, 0, 1},
      {"a sender's queue program", "/bin/sender-queue", 0, 0, 1},
      {"by a rule's own file", "/bin/other-queue", 0, 0, 1},
      {"SPF", "/bin/spf -v", 0, 0, 1},
      {"SPF by a rule", "/bin/spf-of-rule", 0, 0, 1},
      {"by a rule's own rules", "/bin/spf-of-joe", 0, 0, 1},
      {"a program with arguments, by a rule's own file", "/bin/oauth-of-rule -x", 0, 0, 1},
      {"recipients", "/bin/known example", 0, 0, 1},
      {"a database is no program", "users/r.cdb", 0, 0, 0},
      {"a shell", "/bin/sh -c id", 0, 0, 0},
      {"a variable's name is no command", "QMAILQUEUE=/bin/rule-queue", 0, 0, 0},
      {"what the session says", "/ours/qmail-queue", "TCPREMOTEHOST=anything", 0, 1},
      {"a login", "/ours/qmail-queue", "AUTHINFO=joe", 0, 1},
      {"a rule's variable", "/ours/qmail-queue", "DATABYTES=7", 0, 1},
      {"... with another value", "/ours/qmail-queue", "DATABYTES=8", 0, 0},
      {"... and nothing", "/ours/qmail-queue", "DATABYTES=", 0, 0},
      {"a sender's variable", "/ours/qmail-queue", "NOTE=a,b", 0, 1},
      {"a domain's variable", "/ours/qmail-queue", "QUEUE_BASE=/q,2", 0, 0},
      {"the loader's", "/ours/qmail-queue", "LD_PRELOAD=/tmp/x.so", 0, 0},
      {"where we find programs", "/ours/qmail-queue", "QMAILBIN=/tmp", 0, 0},
      {"a directory of rules", "/ours/qmail-queue", "TCPDIR=/tmp", 0, 0},
      {"like a name of the session's", "/ours/qmail-queue", "PROTOCOL=x", 0, 0},
      {"a filter", "/ours/qmail-queue", "SPAMFILTER=/bin/sh", 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    CHECK_CASE(may(r, cases[i].command, cases[i].variable, cases[i].cwd) == cases[i].ok, cases[i].name);
}

static int has(const struct strlist *l, const char *s) {
  return strlist_find(l, s, strlen(s)) != -1;
}

int main(void) {
  static const char *const first[] = {"QMAILQUEUE=/bin/rule-queue", "DATABYTES=7", "SMTP_PLUGIN=rule.so", "FROMRULES=more.envrules", "SPFPROGRAM=/bin/spf-of-rule",
                                      "BADMAILFROM=/lists/a,/lists/b/c,relative", "SMTPGREETING=/no/file", 0};
  static const char *const second[] = {"DATABYTES=9", 0};
  static char program[] = "checkpassword", more[] = "/bin/true";
  char *const auth[] = {program, more, 0};
  struct rights r = {.auth = auth};
  struct strlist files = {0};
  struct conf conf;
  stralloc cdb = STRALLOC_INIT, link = STRALLOC_INIT;
  struct strerr e;

  CHECK(mkdtemp(dir) != 0 && stralloc_catm(&cdb, dir, "/rules.cdb", (char *)0));
  setenv("CONTROLDIR", dir, 1);
  setenv("QMAILBIN", "/ours", 1);
  setenv("QMAILQUEUE", "/its/filter -x", 1);
  setenv("SERVICE", "its own", 1);
  setenv("TCPRULES", cdb.s, 1);
  control("from.envrules", "@example.net:QMAILQUEUE=/bin/sender-queue,NOTE=a\\,b,GONE=,BADRCPTTO=/by/sender/list\n");
  control("more.envrules", "x@example.net:QMAILQUEUE=/bin/other-queue,OAUTHPROGRAM=/bin/oauth-of-rule -x,AUTHRULES=even.more\n");
  control("even.more", "joe:SPFPROGRAM=/bin/spf-of-joe\n");
  CHECK(stralloc_catm(&link, dir, "/badhelo", (char *)0) && symlink("/etc/hostname", link.s) == 0);
  control("domainqueue", "*.example:QMAILQUEUE=/bin/domain-queue a,QUEUE_BASE=/q\n");
  control("spfprogram", "/bin/spf -v\n");
  control("recipients", "example.org|/bin/known example\nexample.com:users/r.cdb\nexample.net:/dbs/net.cdb\n!free.example\n");
  tcprules(cdb.s, first);
  check_table(&r);
  check_table(&r); /* known by now */

  /* What the administrator writes later counts at once; what he took back, as long as we live. */
  CHECK(!may(&r, "/ours/qmail-queue", "DATABYTES=9", 0));
  tcprules(cdb.s, second);
  CHECK(may(&r, "/ours/qmail-queue", "DATABYTES=9", 0) && may(&r, "/ours/qmail-queue", "DATABYTES=7", 0));
  CHECK(!may(&r, "/bin/new-spf", 0, 0));
  control("spfprogram", "/bin/new-spf\n");
  CHECK(may(&r, "/bin/new-spf", 0, 0));
  rights_free(&r);

  /* Without files and rules, only what is ours and the service's. */
  tcprules(cdb.s, first);
  setenv("BADRCPTTO", "/service/list", 1);
  CHECK(conf_load(&conf, CONF_SMTPD, &e) == 0 && rights_files(&files, &conf, &e) == 0);
  conf_free(&conf);
  CHECK(has(&files, "/lists") && has(&files, "/lists/b") && has(&files, "/service") && has(&files, "/dbs") && has(&files, "/by/sender") && has(&files, "/tmp") && has(&files, "/etc") && files.len == 7);
  strlist_free(&files);
  stralloc_free(&cdb);
  stralloc_free(&link);
  CHECK(chdir(dir) == 0 && unlink("rules.cdb") == 0 && unlink("from.envrules") == 0 && unlink("more.envrules") == 0 &&
        unlink("domainqueue") == 0 && unlink("spfprogram") == 0 && unlink("recipients") == 0 && unlink("even.more") == 0 && unlink("badhelo") == 0 && rmdir(dir) == 0);
  return check_done();
}
