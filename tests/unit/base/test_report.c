/* A report, for people and for programs, and with memory running out. */
#include "base/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static void fill(struct report *r, int json, int list, int records) {
  struct strlist l = {0};

  CHECK(strlist_add(&l, "a\"b", 3) && strlist_add(&l, "c", 1));
  report_start(r, json, list, 5);
  for (int i = 0; i < records; ++i) {
    report_record(r);
    report_text(r, "name", "name", "o'x\n\\");
    report_number(r, "n", "count", -7);
    report_text(r, 0, "text", "people");
    report_text(r, "key", 0, "");
    report_flag(r, "yes", 2);
    report_list(r, "list", "item", &l);
    report_line(r, "done");
  }
  strlist_free(&l);
}

/* What comes out at a descriptor. */
static void finished(struct report *r, const char *want) {
  char buf[1024] = "";
  struct strerr e;
  int p[2];

  CHECK(pipe(p) == 0);
  CHECK(report_finish(r, p[1], &e) == 0);
  close(p[1]);
  CHECK(read(p[0], buf, sizeof buf - 1) == (ssize_t)strlen(want) && !strcmp(buf, want));
  close(p[0]);
}

/* Items of a list, one a line for people, who see them at once. */
static void test_items(void) {
  struct strerr e;

  for (int json = 0; json < 2; ++json) {
    struct report r;
    int p[2];
    char buf[64] = "";

    CHECK(pipe(p) == 0);
    report_start(&r, json, 1, 0);
    for (int i = 0; i < 2; ++i) {
      report_item(&r);
      report_text(&r, "a", 0, i ? "y" : "x");
      report_words(&r, "a", " is ", i ? "y" : "x", (char *)0);
      if (i == 0) CHECK(report_show(&r, p[1], &e) == 0);
    }
    CHECK((read(p[0], buf, json ? 0 : sizeof buf - 1) == (json ? 0 : 7)) && !strcmp(buf, json ? "" : "a is x\n"));
    close(p[0]);
    close(p[1]);
    finished(&r, json ? "[{\"a\":\"x\"},\n{\"a\":\"y\"}]\n" : "a is y\n");
  }
}

#define TEXT "name : o'x\n\\\ncount: -7\ntext : people\nitem : a\"b\nitem : c\ndone\n"
#define JSON "{\"name\":\"o'x\\u000a\\\\\",\"n\":-7,\"key\":\"\",\"yes\":true,\"list\":[\"a\\\"b\",\"c\"]}"

int main(void) {
  struct report r;
  struct strerr e;

  fill(&r, 0, 0, 1), finished(&r, TEXT);
  fill(&r, 0, 1, 2), finished(&r, TEXT "\n" TEXT);
  fill(&r, 1, 0, 1), finished(&r, JSON "\n");
  fill(&r, 1, 1, 2), finished(&r, "[" JSON ",\n" JSON "]\n");
  fill(&r, 1, 1, 0), finished(&r, "[]\n");
  fill(&r, 0, 0, 1);
  r.failed = 1;
  CHECK(report_finish(&r, -1, &e) == -1 && strstr(e.text, "memory") && !r.text.s);
  fill(&r, 0, 0, 1);
  CHECK(report_finish(&r, -1, &e) == -1 && strstr(e.text, "unable to write"));
  test_items();
  return check_done();
}
