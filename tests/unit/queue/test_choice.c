/* Choosing among queues: which is better, and the number todo-proc tells; what the exit codes of
 * filters mean; the words of a scanner's command. */
#include "queue/choice.h"

#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "queue/delivery_env.h"
#include "queue/exitcodes.h"
#include "queue/filter.h"
#include "queue/scanner.h"
#include "queue/waiting.h"

static void better(void) {
  static const struct {
    const char *name;
    struct choice a, b;
    int want;
  } cases[] = {
      {"same", {0, 1, 1, 5}, {0, 1, 1, 5}, 0},       {"fewer", {0, 1, 1, 4}, {0, 1, 1, 5}, 1},
      {"more", {0, 1, 1, 6}, {0, 1, 1, 5}, 0},       {"room first", {0, 1, 0, 9}, {0, 0, 1, 0}, 1},
      {"running next", {0, 1, 1, 9}, {0, 1, 0, 0}, 1}, {"not running", {0, 1, 0, 0}, {0, 1, 1, 9}, 0},
      {"full", {0, 0, 1, 0}, {0, 1, 1, 9}, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
    CHECK_CASE(choice_better(&cases[i].a, &cases[i].b) == cases[i].want, cases[i].name);
}

static void waiting(void) {
  static const struct {
    const char *text;
    int want;
    uint64_t n;
  } cases[] = {
      {"00000000000000000000\n", 1, 0},
      {"00000000000000000042\n", 1, 42},
      {"18446744073709551615\n", 1, UINT64_MAX},
      {"99999999999999999999\n", 0, 0},
      {"0000000000000000004x\n", 0, 0},
      {"42\n", 0, 0},
      {"", 0, 0},
  };
  int fd;

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    uint64_t n = 0;

    CHECK_CASE(waiting_parse(cases[i].text, strlen(cases[i].text), &n) == cases[i].want, cases[i].text);
    CHECK_CASE(n == cases[i].n, cases[i].text);
  }
  fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
  for (uint64_t u = 1; fd != -1 && u; u *= 7) {
    char buf[32];
    uint64_t n = 0;

    waiting_put(fd, u);
    CHECK(pread(fd, buf, sizeof buf, 0) == 21 && waiting_parse(buf, 21, &n) && n == u);
    if (u > UINT64_MAX / 7) break;
  }
  if (fd != -1) close(fd);
}

static void filters(void) {
  static const struct {
    int exit_code, code, drop;
  } args[] = {{0, QQ_queued, 0}, {2, QQ_queued, 1}, {99, QQ_queued, 1}, {31, QQ_refused, 0}, {100, QQ_refused, 0},
              {88, QQ_custom, 0}, {1, QQ_deferred, 0}, {111, QQ_deferred, 0}, {127, QQ_deferred, 0}};
  static const struct spam_codes usual = {0, 1, 2}, other = {5, 0, 2};

  for (size_t i = 0; i < sizeof args / sizeof args[0]; ++i) {
    int drop;

    CHECK(filter_args_verdict(args[i].exit_code, &drop) == args[i].code && drop == args[i].drop);
  }
  CHECK(filter_spam_verdict(0, &usual) == SPAM_SPAM && filter_spam_verdict(1, &usual) == SPAM_HAM);
  CHECK(filter_spam_verdict(2, &usual) == SPAM_HAM && filter_spam_verdict(3, &usual) == SPAM_TROUBLE);
  CHECK(filter_spam_verdict(5, &other) == SPAM_SPAM && filter_spam_verdict(1, &other) == SPAM_HAM);
}

static void words(void) {
  static const struct {
    const char *command, *want;
  } cases[] = {{"clamdscan", "clamdscan|/m"}, {"scan  -f %s -q", "scan|-f|/m|-q"}, {"s --f=%s", "s|--f=/m"}, {"s %s%s 100%", "s|/m/m|100%"},
               {"", "/m"}};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct strlist l = {0};
    stralloc got = STRALLOC_INIT;

    CHECK(scanner_words(cases[i].command, "/m", &l));
    for (size_t j = 0; j < l.len; ++j) CHECK(stralloc_cats(&got, j ? "|" : "") && stralloc_cat(&got, &l.item[j]));
    CHECK_CASE(stralloc_equals(&got, cases[i].want), cases[i].command);
    strlist_free(&l);
    stralloc_free(&got);
  }
}

static void delivery_variables(void) {
  struct env env = {0};

  CHECK(env_set(&env, "PATH", "/bin"));
  CHECK(delivery_env_add(&env, "X-Spam-Level: high: 5\nPath: /evil\nEmpty:\n9x: a\nB d: c\nno colon\n: none\nLast: one"));
  CHECK(!strcmp(env_lookup(&env, "X_SPAM_LEVEL"), "high: 5") && !strcmp(env_lookup(&env, "PATH"), "/bin"));
  CHECK(!strcmp(env_lookup(&env, "EMPTY"), "") && !strcmp(env_lookup(&env, "LAST"), "one"));
  CHECK(env.vars.len == 4);
  CHECK(delivery_env_add(&env, "") && env.vars.len == 4);
  env_free(&env);
}

int main(void) {
  delivery_variables();
  better();
  waiting();
  filters();
  words();
  return check_done();
}
