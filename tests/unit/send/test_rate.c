/* Rates: expressions, the text of a rate file, the rule over time, the files of a directory. */
#include "send/rate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define T0 INT64_C(1700000000)

static void expressions(void) {
  static const struct {
    const char *text;
    int ok;
    int64_t num, den;
  } cases[] = {
      {"5", 1, 5, 1},
      {"500/3600", 1, 5, 36},
      {" 1 + 2 * 3 ", 1, 7, 1},
      {"(1+2)*3", 1, 9, 1},
      {"-1", 1, -1, 1},
      {"--1", 1, 1, 1},
      {"1 - -1/2", 1, 3, 2},
      {"10-4-3", 1, 3, 1},
      {"100/10/5", 1, 2, 1},
      {"1/3+1/6", 1, 1, 2},
      {"0*5", 1, 0, 1},
      {"2/-4", 1, -1, 2},
      {"9223372036854775807", 1, INT64_MAX, 1},
      {"9223372036854775807*3/3", 0, 0, 0},
      {"9223372036854775808", 0, 0, 0},
      {"99999999999999999999999", 0, 0, 0},
      {"1/9223372036854775807+1/9223372036854775806", 0, 0, 0},
      {"1/0", 0, 0, 0},
      {"1/(2-2)", 0, 0, 0},
      {"", 0, 0, 0},
      {" ", 0, 0, 0},
      {"1 2", 0, 0, 0},
      {"1+", 0, 0, 0},
      {"*1", 0, 0, 0},
      {"(1", 0, 0, 0},
      {"1)", 0, 0, 0},
      {"()", 0, 0, 0},
      {"1.5", 0, 0, 0},
      {"0x10", 0, 0, 0},
      {"1;ls", 0, 0, 0},
      {"((((((((((((((((((((1))))))))))))))))))))", 1, 1, 1},
      {"(((((((((((((((((((((1)))))))))))))))))))))", 0, 0, 0},
  };
  char deep[100000];
  struct ratio r = {7, 7};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    r = (struct ratio){7, 7};
    CHECK_CASE(rate_value(cases[i].text, strlen(cases[i].text), &r) == cases[i].ok, cases[i].text);
    CHECK_CASE(r.num == (cases[i].ok ? cases[i].num : 7) && r.den == (cases[i].ok ? cases[i].den : 7), cases[i].text);
  }
  CHECK(!rate_value("1\0", 2, &r));
  memset(deep, '(', sizeof deep);
  CHECK(!rate_value(deep, sizeof deep, &r) && !rate_value(deep, RATE_TEXT_MAX, &r));
  memset(deep, '-', sizeof deep);
  CHECK(!rate_value(deep, RATE_TEXT_MAX, &r));
}

static void texts(void) {
  static const struct {
    const char *text;
    int ok;
    uint64_t count;
    int64_t start, last;
  } cases[] = {
      {"500/3600\n7\n100\n200\n", 1, 7, 100, 200},
      {"500/3600\n007\n0100\n0200", 1, 7, 100, 200},
      {"500/3600", 1, 0, 0, 0},
      {"500/3600\n", 1, 0, 0, 0},
      {"500/3600\n7\n", 1, 7, 0, 0},
      {"500/3600\n\n5\n", 1, 0, 5, 0},
      {"", 0, 0, 0, 0},
      {"x\n1\n1\n1\n", 0, 0, 0, 0},
      {"1\n-1\n1\n1\n", 0, 0, 0, 0},
      {"1\n1\n1\n9223372036854775808\n", 0, 0, 0, 0},
      {"1\n1\n1\n1\n1\n", 0, 0, 0, 0},
      {"1\n1\n1\n1\n\n", 0, 0, 0, 0},
      {"1\n1 \n1\n1\n", 0, 0, 0, 0},
  };
  struct rate_record r, again;
  char buf[RATE_FILE_MAX];
  char big[RATE_FILE_MAX + 1];

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    size_t n;

    CHECK_CASE(rate_parse(&r, cases[i].text, strlen(cases[i].text)) == cases[i].ok, cases[i].text);
    if (!cases[i].ok) continue;
    CHECK_CASE(r.count == cases[i].count && r.start == cases[i].start && r.last == cases[i].last, cases[i].text);
    n = rate_format(buf, &r, 0);
    CHECK(n == strlen(r.text) + 64 && rate_parse(&again, buf, n) && again.last == r.last && !strcmp(again.text, r.text));
  }
  /* A shorter expression in as long a text; no text is longer than a file may be. */
  CHECK(rate_parse(&r, "1000/3600\n7\n100\n200\n", 20) && rate_set(&r, "1/60 ", 5) && !strcmp(r.text, "1/60"));
  CHECK(rate_format(buf, &r, 73) == 73 && rate_parse(&again, buf, 73) && !strcmp(again.text, "1/60") && again.count == 7);
  CHECK(rate_format(buf, &r, 10) == 68 && rate_format(buf, &r, 100000) == RATE_FILE_MAX && rate_parse(&again, buf, RATE_FILE_MAX));
  memset(big, '1', sizeof big);
  CHECK(!rate_parse(&r, big, sizeof big) && !rate_set(&r, big, RATE_TEXT_MAX + 1));
}

static void rule(void) {
  struct rate_record r = {.count = 0, .start = T0, .last = T0};
  char text[RATE_NUMBER];
  unsigned sent = 0;

  CHECK(rate_set(&r, "10/60", 5));
  for (int64_t now = T0; now < T0 + 3600; ++now)
    while (rate_judge(&r, 1, now, 86400) == 0) ++sent;
  CHECK(sent == 600);
  rate_current(text, &r, T0 + 3600);
  CHECK(!strcmp(text, "0.166"));
  CHECK(rate_judge(&r, 100, T0 + 3600, 86400) == 0); /* a batch goes, and those after it wait longer */
  CHECK(rate_judge(&r, 1, T0 + 3600, 86400) == 600);
  CHECK(rate_judge(&r, 1, T0 + 4199, 86400) == 1 && rate_judge(&r, 1, T0 + 4200, 86400) == 0);
  CHECK(rate_judge(&r, 1, T0 + 4200 + 86400, 86400) == 0 && r.count == 1 && r.start == T0 + 4200 + 86400);
  CHECK(rate_judge(&r, 1, T0, 86400) == 0 && r.count == 1 && r.start == T0); /* the clock was set back */
  CHECK(rate_set(&r, "-1", 2) && rate_judge(&r, 5, T0, 86400) == 0 && rate_judge(&r, 5, T0, 86400) == 0 && r.count == 11);
  CHECK(rate_set(&r, "0", 1) && rate_judge(&r, 1, T0, 0) == RATE_STOP_SECONDS && r.count == 11);
  r.count = INT64_MAX;
  CHECK(rate_set(&r, "-1", 2) && rate_judge(&r, 5, T0, 0) == 0 && r.count == INT64_MAX);
  CHECK(rate_set(&r, "1/9223372036854775807", 21) && rate_judge(&r, 5, T0, 0) == INT32_MAX);
  rate_current(text, &r, T0);
  CHECK(!strcmp(text, "9223372036854775807.000"));
}

static void put(const char *name, const char *text) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

  CHECK(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

static void directory(void) {
  static const struct {
    const char *domain, *file;
    enum rates_answer want;
  } cases[] = {
      {"slow.example", "slow.example", RATES_GO},   {"slow.example", "slow.example", RATES_WAIT},
      {"alias.example", "alias.example", RATES_WAIT}, {"a.wild.example", "@a.wild.example", RATES_GO},
      {"a.wild.example", "@a.wild.example", RATES_WAIT}, {"b.wild.example", "@b.wild.example", RATES_GO},
      {"bad.example", "bad.example", RATES_TROUBLE},  {"odd.example", "ratecontrol", RATES_TROUBLE},
      {"dir.example", "dir.example", RATES_TROUBLE},  {"other.example", ".global", RATES_GO},
      {"third.example", ".global", RATES_WAIT},       {"../x", ".global", RATES_WAIT},
      {"ratecontrol", ".global", RATES_WAIT},         {"", ".global", RATES_WAIT},
  };
  static const char *const made[] = {"slow.example", "bad.example", "ratecontrol", ".global", "alias.example",
                                     "dir.example", "@a.wild.example", "@b.wild.example"};
  char dir[] = "/tmp/ratesXXXXXX";
  char name[RATE_NAME];
  struct rate_record r;
  struct rates rs;
  struct strerr e;
  int64_t wait;
  int fd, sound;

  CHECK(mkdtemp(dir) && chdir(dir) == 0 && rates_open(&rs, dir, 86400, &e) == 0);
  CHECK(rates_ask(&rs, "any.example", 1, T0, 1, &r, &wait, name) == RATES_GO);
  put("slow.example", "1/60\n");
  put("bad.example", "1/\n");
  put("ratecontrol", "# comment\n*.WILD.example:1/3600\n\nodd.example:x\nshort");
  put(".global", "1/10\n");
  CHECK(symlink("slow.example", "alias.example") == 0 && mkdir("dir.example", 0700) == 0);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    CHECK_CASE(rates_ask(&rs, cases[i].domain, 1, T0, 1, &r, &wait, name) == cases[i].want, cases[i].domain);
    CHECK_CASE(!strcmp(name, cases[i].file), cases[i].file);
    CHECK_CASE((wait > 0) == (cases[i].want == RATES_WAIT), cases[i].domain);
  }
  CHECK(rates_ask(&rs, "slow.example", 1, T0 + 60, 0, &r, &wait, name) == RATES_GO); /* only asked */
  CHECK(rates_ask(&rs, "slow.example", 1, T0 + 60, 1, &r, &wait, name) == RATES_GO && r.count == 2);
  fd = open("slow.example", O_RDONLY);
  CHECK(flock(fd, LOCK_EX) == 0 && rates_ask(&rs, "slow.example", 1, T0, 1, &r, &wait, name) == RATES_BUSY);
  close(fd);
  fd = rates_open_file(&rs, "slow.example", 0, &r, &sound);
  CHECK(fd != -1 && sound && r.count == 2 && r.last == T0 + 60);
  close(fd);
  put("ratecontrol", "*:1/60\n"); /* the text is taken from here, whatever was counted under another one */
  CHECK(rates_ask(&rs, "a.wild.example", 1, T0 + 61, 1, &r, &wait, name) == RATES_GO && r.limit.den == 60);
  CHECK(rates_open_file(&rs, "none.example", 0, &r, &sound) == -1 && errno == ENOENT);
  rates_close(&rs);
  for (size_t i = 0; i < sizeof made / sizeof made[0]; ++i) CHECK_CASE(remove(made[i]) == 0, made[i]);
  CHECK(chdir("/") == 0 && rmdir(dir) == 0);
}

int main(void) {
  expressions();
  texts();
  rule();
  directory();
  return check_done();
}
