/* Control files edited line by line. */
#include "user/lines.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"

static const struct {
  const char *before, *line, *added, *removed;
  int adds, removes;
} cases[] = {
    {"", "a", "a\n", "", 1, 0},
    {"a\n", "a", "a\n", "", 0, 1},
    {"A \r\n", "a", "A \r\n", "", 0, 1},
    {"a", "b", "a\nb\n", "a", 1, 0},
    {"a\nb\na\n", "a", "a\nb\na\n", "b\n", 0, 1},
    {"# c\n\nab\n", "a", "# c\n\nab\na\n", "# c\n\nab\n", 1, 0},
};

int main(void) {
  char name[] = "/tmp/test_lines.XXXXXX";
  stralloc got = STRALLOC_INIT;
  struct strerr e;
  struct stat st;

  close(mkstemp(name));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK(file_replace(name, cases[i].before, strlen(cases[i].before), 0640) == 0);
    CHECK_CASE(lines_has(name, cases[i].line, 0, &e) == cases[i].removes, cases[i].before);
    CHECK_CASE(lines_add(name, cases[i].line, &e) == cases[i].adds, cases[i].before);
    CHECK(file_read(name, &got, 4096) == 1);
    CHECK_CASE(stralloc_equals(&got, cases[i].added), cases[i].before);
    CHECK(file_replace(name, cases[i].before, strlen(cases[i].before), 0640) == 0);
    CHECK_CASE(lines_remove(name, cases[i].line, 0, &e) == cases[i].removes, cases[i].before);
    CHECK(file_read(name, &got, 4096) == 1);
    CHECK_CASE(stralloc_equals(&got, cases[i].removed), cases[i].before);
    CHECK(stat(name, &st) == 0 && (st.st_mode & 0777) == 0640);
  }
  CHECK(file_replace(name, "x:1\nxy:2\nX:3\n", 13, 0644) == 0);
  CHECK(lines_remove(name, "x:", 1, &e) == 1);
  CHECK(file_read(name, &got, 4096) == 1 && stralloc_equals(&got, "xy:2\n"));
  unlink(name);
  CHECK(lines_has(name, "x", 0, &e) == 0 && lines_remove(name, "x", 0, &e) == 0);
  CHECK(lines_add(name, "x", &e) == 1 && lines_has(name, "x", 0, &e) == 1);
  unlink(name);
  CHECK(lines_add("/nonexistent/file", "x", &e) == -1);
  stralloc_free(&got);
  return check_done();
}
