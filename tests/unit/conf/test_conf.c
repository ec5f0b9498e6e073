/* Settings: types, defaults that follow others, variables, files under other names, errors that
 * name file and line; the table itself; paths. */
#include "conf/conf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "check.h"
#include "conf/paths.h"

static char dir[] = "/tmp/test_conf.XXXXXX";

static void put(const char *name, const char *text) {
  stralloc path = STRALLOC_INIT;

  CHECK(stralloc_catm(&path, dir, "/", name, (char *)0));
  CHECK(file_replace(path.s, text, strlen(text), 0644) == 0);
  stralloc_free(&path);
}

static void clear(void) {

  for (int i = 0; i < SETTINGS; ++i) {
    stralloc path = STRALLOC_INIT;

    CHECK(stralloc_catm(&path, dir, "/", conf_rows[i].file, (char *)0));
    if (strchr(path.s, ',')) stralloc_cut(&path, (size_t)(strchr(path.s, ',') - path.s));
    if (conf_rows[i].file[0]) unlink(path.s);
    if (conf_rows[i].type == CONF_LIST && stralloc_cats(&path, CONF_LIST_CDB)) unlink(path.s);
    stralloc_free(&path);
  }
  put("me", "host.example.org\nsecond line\n");
}

static int load(struct conf *c, struct strerr *e) {
  return conf_load(c, CONF_ALL, e);
}

static void defaults(void) {
  struct conf c;
  struct strerr e;

  clear();
  CHECK(load(&c, &e) == 0);
  CHECK(!strcmp(conf_line(&c, SET_me), "host.example.org") && conf_isset(&c, SET_me));
  CHECK(!strcmp(conf_line(&c, SET_defaulthost), "host.example.org") && !conf_isset(&c, SET_defaulthost));
  CHECK(conf_has(conf_lines(&c, SET_locals), "HOST.example.org", 16));
  CHECK(conf_number(&c, SET_queuelifetime) == 604800 && conf_number(&c, SET_bouncelifetime) == 604800);
  CHECK(conf_number(&c, SET_databytes) == 0 && !conf_flag(&c, SET_starttls) && !conf_isset(&c, SET_relayclient));
  CHECK(!strcmp(conf_line(&c, SET_bouncefrom), "MAILER-DAEMON"));
  CHECK(c.v[SET_databytes].origin == CONF_FROM_DEFAULT && c.v[SET_me].origin == CONF_FROM_FILE);
  conf_free(&c);
  conf_free(&c);
}

static void files(void) {
  struct conf c;
  struct strerr e;

  clear();
  put("databytes", "5000 \t\n# not looked at\n");
  put("queuelifetime", "60\n");
  put("locals", "# comment\na.example \n\nB.example\r\nlast.example");
  put("virtualdomains", "v.example:joe\n.sub.example:sub\n:all\nu@x.example:one\nexcept.example:\n");
  put("holdlocal", "1\n");
  put("holdremote", "0\n");
  put("bouncefrom", "\n");
  CHECK(load(&c, &e) == 0);
  CHECK(conf_number(&c, SET_databytes) == 5000 && conf_number(&c, SET_bouncelifetime) == 60);
  CHECK(conf_lines(&c, SET_locals)->len == 3 && conf_has(conf_lines(&c, SET_locals), "b.EXAMPLE", 9));
  CHECK(conf_has(conf_lines(&c, SET_locals), "last.example", 12) && !conf_has(conf_lines(&c, SET_locals), "# comment", 9));
  CHECK(conf_flag(&c, SET_holdlocal) && !conf_flag(&c, SET_holdremote));
  CHECK(!*conf_line(&c, SET_bouncefrom) && conf_isset(&c, SET_bouncefrom));
  CHECK(!strcmp(conf_map_domain(conf_lines(&c, SET_virtualdomains), "V.example", 9), "joe"));
  CHECK(!strcmp(conf_map_domain(conf_lines(&c, SET_virtualdomains), "a.sub.example", 13), "sub"));
  CHECK(!strcmp(conf_map_domain(conf_lines(&c, SET_virtualdomains), "sub.example", 11), "all"));
  CHECK(!strcmp(conf_map_domain(conf_lines(&c, SET_virtualdomains), "except.example", 14), ""));
  CHECK(!strcmp(conf_map(conf_lines(&c, SET_virtualdomains), "u@x.example", 11), "one"));
  CHECK(!conf_map(conf_lines(&c, SET_virtualdomains), "v.exampl", 8));
  conf_free(&c);
}

static void variables(void) {
  struct conf c;
  struct strerr e;

  clear();
  put("databytes", "5000\n");
  put("other", "listed.example\n");
  setenv("DATABYTES", "7000", 1);
  setenv("RELAYCLIENT", "", 1);
  setenv("STARTTLS", "", 1);
  setenv("FORCE_TLS", "0", 1);
  setenv("NOTLSHOSTS", "other", 1);
  CHECK(load(&c, &e) == 0);
  CHECK(conf_number(&c, SET_databytes) == 7000 && c.v[SET_databytes].origin == CONF_FROM_VARIABLE);
  CHECK(conf_isset(&c, SET_relayclient) && !*conf_line(&c, SET_relayclient));
  CHECK(conf_flag(&c, SET_starttls) && !conf_flag(&c, SET_force_tls));
  CHECK(conf_has(conf_lines(&c, SET_notlshosts), "listed.example", 14));
  conf_free(&c);
  put("notlshosts", "listed.example\n");
  setenv("NOTLSHOSTS", "", 1); /* set but empty: the file is switched off */
  CHECK(load(&c, &e) == 0 && !conf_lines(&c, SET_notlshosts)->len);
  conf_free(&c);
  setenv("DATABYTES", "", 1); /* an empty number is none: the file counts */
  CHECK(load(&c, &e) == 0 && conf_number(&c, SET_databytes) == 5000);
  conf_free(&c);
  setenv("DATABYTES", "12x", 1);
  CHECK(load(&c, &e) == -1 && e.permanent && strstr(e.text, "DATABYTES"));
  conf_free(&c);
  unsetenv("DATABYTES");
  unsetenv("RELAYCLIENT");
  unsetenv("STARTTLS");
  unsetenv("FORCE_TLS");
  unsetenv("NOTLSHOSTS");
}

/* A directory that has not changed for long is looked at as a whole, one that has file by file: the
 * settings are the same. */
static void directory(void) {
  static const struct timespec ages[] = {{1000000000, 0}, {0, UTIME_NOW}};

  for (size_t i = 0; i < sizeof ages / sizeof *ages; ++i) {
    const struct timespec times[2] = {ages[i], ages[i]};
    struct conf c;
    struct strerr e;

    clear();
    put("databytes", "5000\n");
    put("badmailfrom.cdb", "x");
    put("badrcpttopatterns", "x");
    CHECK(utimensat(AT_FDCWD, dir, times, 0) == 0);
    CHECK(load(&c, &e) == 0 && conf_number(&c, SET_databytes) == 5000 && conf_isset(&c, SET_badmailfrom));
    CHECK(conf_isset(&c, SET_badrcptpatterns) && !conf_isset(&c, SET_badrcptto) && !conf_isset(&c, SET_maxhops));
    CHECK(!strcmp(conf_line(&c, SET_me), "host.example.org") && !c.names);
    conf_free(&c);
    put("databytes", "x\n");
    CHECK(utimensat(AT_FDCWD, dir, times, 0) == 0);
    CHECK(load(&c, &e) == -1 && strstr(e.text, "databytes:1"));
    conf_free(&c);
  }
  {
    stralloc path = STRALLOC_INIT;

    CHECK(stralloc_catm(&path, dir, "/badrcpttopatterns", (char *)0) && unlink(path.s) == 0);
    stralloc_free(&path);
  }
}

/* A list is found, not read: its file, the database beside it, another of its names. */
static void lists(void) {
  static const struct {
    const char *file, *variable;
    enum setting s;
    int set;
    const char *path; /* below the directory */
  } cases[] = {
      {"databytes", 0, SET_badmailfrom, 0, ""},
      {"badmailfrom", 0, SET_badmailfrom, 1, "/badmailfrom"},
      {"badmailfrom.cdb", 0, SET_badmailfrom, 1, "/badmailfrom"},
      {"badmailfrompatterns", 0, SET_badmailpatterns, 1, "/badmailfrompatterns"},
      {"badmailfrom", "", SET_badmailfrom, 0, ""},
      {"badmailfrom", "nowhere", SET_badmailfrom, 0, ""},
      {"another.cdb", "another", SET_badmailfrom, 1, "/another"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    uint64_t before = conf_stamp(CONF_ALL, 0);
    stralloc want = STRALLOC_INIT;
    struct conf c;
    struct strerr e;

    clear();
    put(cases[i].file, "1\n");
    if (cases[i].variable) setenv("BADMAILFROM", cases[i].variable, 1);
    CHECK_CASE(before != conf_stamp(CONF_ALL, 0), cases[i].file);
    CHECK_CASE(load(&c, &e) == 0 && conf_isset(&c, cases[i].s) == cases[i].set, cases[i].file);
    CHECK(stralloc_catm(&want, cases[i].set ? dir : "", cases[i].path, (char *)0));
    CHECK_CASE(!strcmp(conf_line(&c, cases[i].s), stralloc_cstr(&want)), conf_line(&c, cases[i].s));
    stralloc_free(&want);
    conf_free(&c);
    unsetenv("BADMAILFROM");
    if (!strncmp(cases[i].file, "bad", 3) || !strncmp(cases[i].file, "another", 7)) {
      stralloc path = STRALLOC_INIT;

      CHECK(stralloc_catm(&path, dir, "/", cases[i].file, (char *)0) && unlink(path.s) == 0);
      stralloc_free(&path);
    }
  }
}

static void errors(void) {
  static const char *const bad[] = {"x\n", "-1\n", "1 2\n", "99999999999999999999\n", "\n", ""};
  struct conf c;
  struct strerr e;

  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    clear();
    put("concurrencylocal", bad[i]);
    CHECK_CASE(load(&c, &e) == -1, bad[i]);
    CHECK_CASE(strstr(e.text, "/concurrencylocal:1: ") != 0, e.text);
    conf_free(&c);
  }
  clear();
  {
    stralloc path = STRALLOC_INIT;

    CHECK(stralloc_catm(&path, dir, "/locals", (char *)0) && mkdir(path.s, 0700) == 0);
    CHECK(load(&c, &e) == -1 && strstr(e.text, "/locals")); /* no list is not an empty list */
    conf_free(&c);
    CHECK(rmdir(path.s) == 0);
    stralloc_free(&path);
  }
}

/* Memory runs out at each point in turn: an error, never half a snapshot taken for whole. */
static void no_memory(void) {
  struct conf c;
  struct strerr e;

  clear();
  put("locals", "a\nb\nc\n");
  for (long n = 1;; ++n) {
    int r;

    check_nomem(n);
    r = load(&c, &e);
    if (check_allocs() < n) {
      check_nomem(0);
      CHECK(r == 0 && conf_lines(&c, SET_locals)->len == 3);
      conf_free(&c);
      break;
    }
    check_nomem(0);
    CHECK(r == -1 || (conf_lines(&c, SET_locals)->len == 3 && !strcmp(conf_line(&c, SET_me), "host.example.org")));
    conf_free(&c);
  }
}

static void table(void) {
  for (int i = 0; i < SETTINGS; ++i) {
    CHECK_CASE(conf_rows[i].file[0] || conf_rows[i].variables[0], conf_rows[i].id);
    for (const char *v = conf_rows[i].variables; *v; v += strcspn(v, ",") + (v[strcspn(v, ",")] != 0)) CHECK_CASE(strcspn(v, ",") < 64, v);
    CHECK_CASE(conf_rows[i].readers && conf_rows[i].meaning[0], conf_rows[i].id);
    CHECK_CASE(conf_rows[i].variables[0] ? conf_rows[i].override != CONF_NONE : conf_rows[i].override == CONF_NONE, conf_rows[i].id);
    for (int j = 0; j < i; ++j) {
      CHECK_CASE(strcmp(conf_rows[i].id, conf_rows[j].id), conf_rows[i].id);
      CHECK_CASE(!conf_rows[i].file[0] || strcmp(conf_rows[i].file, conf_rows[j].file), conf_rows[i].file);
    }
  }
}

/* A stamp changes with the files of its readers, and with nothing else. */
static void stamp(void) {
  static const struct {
    const char *name, *file, *text;
    int changes;
  } steps[] = {
      {"nothing", 0, 0, 0},
      {"made", "smtproutes", ":a\n", 1},
      {"the same text anew", "smtproutes", ":a\n", 1},
      {"edited", "smtproutes", ":bc\n", 1},
      {"of another reader", "badhelo", "x\n", 0},
      {"the default of others", "me", "other.example\n", 1},
      {"removed", "smtproutes", 0, 1},
      {"a file under another name", "elsewhere", "x\n", 0},
  };
  uint64_t last = conf_stamp(CONF_REMOTE, 0);

  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; ++i) {
    stralloc path = STRALLOC_INIT;
    uint64_t now;

    CHECK(stralloc_catm(&path, dir, "/", steps[i].file ? steps[i].file : "", (char *)0));
    if (steps[i].text) put(steps[i].file, steps[i].text);
    else if (steps[i].file) CHECK(unlink(path.s) == 0);
    now = conf_stamp(CONF_REMOTE, 0);
    CHECK_CASE((now != last) == steps[i].changes, steps[i].name);
    last = now;
    stralloc_free(&path);
  }
  setenv("SMTPROUTESFILE", "elsewhere", 1);
  last = conf_stamp(CONF_REMOTE, 0);
  put("elsewhere", "yz\n");
  CHECK(conf_stamp(CONF_REMOTE, 0) != last);
  unsetenv("SMTPROUTESFILE");
  {
    stralloc path = STRALLOC_INIT;

    CHECK(stralloc_catm(&path, dir, "/elsewhere", (char *)0) && unlink(path.s) == 0);
    stralloc_free(&path);
  }
  clear();
}

static void paths(void) {
  stralloc p = STRALLOC_INIT;

  CHECK(paths_get(PATH_CONTROL, &p) && stralloc_equals(&p, dir));
  unsetenv("CONTROLDIR");
  setenv("QMAILHOME", "/h", 1);
  CHECK(paths_file(PATH_CONTROL, "me", &p) && stralloc_equals(&p, "/h/control/me"));
  CHECK(paths_get(PATH_RUN, &p) && stralloc_equals(&p, "/h/run"));
  setenv("QMAILBIN", "/b", 1);
  CHECK(paths_program("qmail-send", &p) && stralloc_equals(&p, "/b/qmail-send"));
  unsetenv("QMAILBIN");
  CHECK(paths_program("qmail-send", &p) && stralloc_starts(&p, "/") && strstr(p.s, "/sbin/qmail-send"));
  stralloc_free(&p);
}

int main(void) {
  stralloc left = STRALLOC_INIT;

  CHECK(mkdtemp(dir) != 0);
  unsetenv("QMAILHOME");
  setenv("CONTROLDIR", dir, 1);
  defaults();
  files();
  variables();
  lists();
  directory();
  errors();
  no_memory();
  table();
  stamp();
  paths();
  clear();
  CHECK(stralloc_catm(&left, dir, "/me", (char *)0) && unlink(left.s) == 0);
  stralloc_cut(&left, 0);
  CHECK(stralloc_catm(&left, dir, "/other", (char *)0) && unlink(left.s) == 0 && rmdir(dir) == 0);
  stralloc_free(&left);
  return check_done();
}
