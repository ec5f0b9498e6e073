/* Snapshots of settings that connections share. */
#include "conf/conf_share.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static char dir[] = "/tmp/test_conf_share.XXXXXX";

static void write_file(const char *name, const char *text) {
  char path[80];
  FILE *f;

  snprintf(path, sizeof path, "%s/%s", dir, name);
  f = fopen(path, "w");
  CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static int not_thirteen(const struct conf *c, struct strerr *e) {
  return conf_number(c, SET_databytes) == 13 ? strerr_set(e, "13 is not wanted", (char *)0) : 0;
}

static uint64_t databytes(const struct conf_shared *c) {
  return conf_number(conf_shared(c), SET_databytes);
}

int main(void) {
  struct env plain = {.inherit = 1}, other = {.inherit = 1}, same = {.inherit = 1};
  struct conf_share s;
  struct conf_shared *a, *b, *c, *d;
  struct strerr e;
  char command[160];

  CHECK(mkdtemp(dir) && setenv("CONTROLDIR", dir, 1) == 0);
  write_file("me", "mail.example.org\n");
  write_file("databytes", "1000\n");
  conf_share_init(&s, CONF_SMTPD, not_thirteen);

  /* What differs in no setting shares one. */
  CHECK(env_set(&same, "TCPREMOTEIP", "192.0.2.1") && env_set(&other, "DATABYTES", "7"));
  a = conf_share_get(&s, &plain, &e);
  b = conf_share_get(&s, &same, &e);
  c = conf_share_get(&s, &other, &e);
  CHECK(a && a == b && c && c != a && databytes(a) == 1000 && databytes(c) == 7);

  /* A change counts for the next one at once; those who have begun keep theirs. */
  write_file("databytes", "2000\n");
  d = conf_share_get(&s, &plain, &e);
  CHECK(d && d != a && databytes(d) == 2000 && databytes(a) == 1000);
  conf_share_put(&s, a);
  conf_share_put(&s, b);
  conf_share_put(&s, c);
  conf_share_put(&s, d);

  /* A new file, one that is replaced, one that is gone. */
  write_file("maxcmdlen", "99\n");
  a = conf_share_get(&s, &plain, &e);
  CHECK(a && conf_number(conf_shared(a), SET_maxcmdlen) == 99);
  conf_share_put(&s, a);
  write_file("databytes.new", "3000\n");
  snprintf(command, sizeof command, "mv %s/databytes.new %s/databytes", dir, dir);
  CHECK(system(command) == 0);
  a = conf_share_get(&s, &plain, &e);
  CHECK(a && databytes(a) == 3000);
  conf_share_put(&s, a);
  snprintf(command, sizeof command, "rm %s/databytes", dir);
  CHECK(system(command) == 0);
  a = conf_share_get(&s, &plain, &e);
  CHECK(a && databytes(a) == 0);

  /* Bad settings are nobody's; they are named; the next change mends them. */
  write_file("databytes", "many\n");
  CHECK(!conf_share_get(&s, &plain, &e) && strstr(e.text, "databytes:1"));
  write_file("databytes", "13\n");
  CHECK(!conf_share_get(&s, &plain, &e) && !strcmp(e.text, "13 is not wanted"));
  write_file("databytes", "14\n");
  b = conf_share_get(&s, &plain, &e);
  CHECK(b && databytes(b) == 14 && databytes(a) == 0);
  conf_share_put(&s, a);
  conf_share_put(&s, b);

  /* Very many rules with settings of their own do not pile up. */
  for (int i = 0; i < 200; ++i) {
    CHECK(env_setu64(&other, "DATABYTES", (uint64_t)i + 20));
    a = conf_share_get(&s, &other, &e);
    CHECK(a && databytes(a) == (uint64_t)i + 20);
    conf_share_put(&s, a);
  }
  conf_share_free(&s);
  env_free(&plain);
  env_free(&other);
  env_free(&same);
  snprintf(command, sizeof command, "rm -rf %s", dir);
  CHECK(system(command) == 0);
  return check_done();
}
