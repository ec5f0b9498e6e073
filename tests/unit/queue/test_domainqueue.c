/* control/domainqueue: which line counts for an address, and what it sets. */
#include "queue/domainqueue.h"

#include <string.h>

#include "check.h"

static const char *const lines[] = {
    "*:QUEUE_COUNT=3", "slow.example:QUEUEDIR=/q/slowq", "*.slow.example:QUEUEDIR=/q/slowq", "no colon",
    "Odmr.example:QUEUE_BASE=/q/odmr,QUEUE_START=2,QUEUE_COUNT=1", "x.slow.example:QUEUEDIR=/q/x", "[a-c].example:QUEUEDIR=/q/abc",
};

static void which(void) {
  static const struct {
    const char *address, *want;
  } cases[] = {
      {"a@other.example", "QUEUE_COUNT=3"},
      {"a@SLOW.example", "QUEUEDIR=/q/slowq"},
      {"a@y.slow.example", "QUEUEDIR=/q/slowq"},
      {"a@x.slow.example", "QUEUEDIR=/q/x"},
      {"a@b@odmr.example", "QUEUE_BASE=/q/odmr,QUEUE_START=2,QUEUE_COUNT=1"},
      {"a@odmr.example@b", "QUEUE_COUNT=3"},
      {"a@b.example", "QUEUEDIR=/q/abc"},
      {"slow.example", "QUEUE_COUNT=3"},
      {"", "QUEUE_COUNT=3"},
  };
  struct strlist rules = {0}, none = {0};

  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) CHECK(strlist_add(&rules, lines[i], strlen(lines[i])));
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const char *got;

    CHECK_CASE(domainqueue_find(&rules, cases[i].address, strlen(cases[i].address), &got), cases[i].address);
    CHECK_CASE(got && !strcmp(got, cases[i].want), cases[i].address);
    CHECK_CASE(domainqueue_find(&none, cases[i].address, strlen(cases[i].address), &got) && !got, cases[i].address);
  }
  for (int n = 1; n <= 2; ++n) { /* without memory there is no telling, which is not "any queue" */
    const char *got;

    check_nomem(n);
    CHECK(!domainqueue_find(&rules, "a@other.example", 15, &got) && !got);
  }
  check_nomem(0);
  strlist_free(&rules);
}

static void what(void) {
  static const struct {
    const char *text;
    enum domainqueue_verdict want;
    const char *dir, *count, *base;
  } cases[] = {
      {"QUEUEDIR=/q/slowq", DOMAINQUEUE_OK, "/q/slowq", "7", 0},
      {"QUEUE_BASE=/q/o,QUEUE_COUNT=1", DOMAINQUEUE_OK, 0, "1", "/q/o"},
      {"QUEUE_BASE=", DOMAINQUEUE_OK, 0, "7", ""},
      {"PATH=/tmp", DOMAINQUEUE_BAD, "/before", "7", 0},
      {"QUEUE_COUNT=1,LD_PRELOAD=x", DOMAINQUEUE_BAD, "/before", "7", 0},
      {"QUEUE_COUNT=1,", DOMAINQUEUE_BAD, "/before", "7", 0},
      {"QUEUE_COUNT", DOMAINQUEUE_BAD, "/before", "7", 0},
      {"", DOMAINQUEUE_BAD, "/before", "7", 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const char *const names[] = {"QUEUEDIR", "QUEUE_COUNT", "QUEUE_BASE"};
    const char *const want[] = {cases[i].dir, cases[i].count, cases[i].base};
    struct env env = {0};

    CHECK(env_set(&env, "QUEUEDIR", "/before") && env_set(&env, "QUEUE_COUNT", "7"));
    CHECK_CASE(domainqueue_apply(cases[i].text, &env) == cases[i].want, cases[i].text);
    for (size_t k = 0; k < 3; ++k) {
      const char *got = env_lookup(&env, names[k]);

      CHECK_CASE(want[k] ? got && !strcmp(got, want[k]) : !got, cases[i].text);
    }
    env_free(&env);
  }
}

int main(void) {
  which();
  what();
  return check_done();
}
