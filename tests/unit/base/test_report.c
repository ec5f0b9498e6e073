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
  return check_done();
}
