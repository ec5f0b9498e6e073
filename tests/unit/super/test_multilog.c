/* What multilog does with its input must not depend on how the bytes arrive: whole, byte
 * by byte, and in pieces of other sizes. */
#include "super/multilog.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "check.h"

static char top[] = "/tmp/test_multilog.XXXXXX";

/* Calls fn for each file of the log directory, in the order of names, and removes it. */
static int each_file(void (*fn)(const char *path, const char *name, stralloc *all), stralloc *all) {
  struct dirent **list;
  int n = scandir("log", &list, 0, alphasort), files = 0;

  for (int i = 0; i < n; ++i) {
    stralloc path = STRALLOC_INIT;

    CHECK(stralloc_catm(&path, "log/", list[i]->d_name, (char *)0));
    if (list[i]->d_name[0] == '@' || !strcmp(list[i]->d_name, "current")) {
      fn(path.s, list[i]->d_name, all);
      ++files;
    }
    unlink(path.s);
    stralloc_free(&path);
    free(list[i]);
  }
  free(list);
  rmdir("log");
  return files;
}

static void collect(const char *path, const char *name, stralloc *all) {
  stralloc text = STRALLOC_INIT;
  struct stat st;

  CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0744);
  CHECK(st.st_size <= 4096);
  CHECK(file_read(path, &text, 1 << 20) == 1);
  CHECK(text.len == 0 || stralloc_cat(all, &text));
  stralloc_free(&text);
}

/* Feed in pieces of so many bytes; the log's bytes into all, its number of files. */
static int run(char *const *script, const stralloc *in, size_t piece, stralloc *all) {
  struct multilog m;
  struct strerr e;

  stralloc_cut(all, 0);
  CHECK(multilog_open(&m, script, 1, &e) == 0);
  for (size_t i = 0; i < in->len; i += piece) {
    multilog_feed(&m, in->s + i, in->len - i < piece ? in->len - i : piece);
    multilog_flush(&m);
  }
  multilog_close(&m);
  return each_file(collect, all);
}

static void fill(stralloc *in, size_t lines, size_t longest) {
  for (size_t i = 0; i < lines; ++i) {
    CHECK(stralloc_catu64(in, i));
    for (size_t j = 0; j < i * 37 % longest; ++j) CHECK(stralloc_append(in, (char)('a' + j % 26)));
    CHECK(stralloc_append(in, '\n'));
  }
}

static void pieces(void) {
  static const size_t sizes[] = {1, 2, 7, 999, 1000, 1001, 4096, 1 << 20};
  const char *keep[] = {"s4096", "n1000", "./log", 0};
  const char *select[] = {"s4096", "n1000", "-*", "+1*", "-*9", "./log", 0};
  stralloc in = STRALLOC_INIT, all = STRALLOC_INIT, first = STRALLOC_INIT;

  fill(&in, 400, 1500); /* lines shorter and longer than patterns look */
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    CHECK(run((char *const *)keep, &in, sizes[i], &all) > 10);
    CHECK(all.len == in.len && !memcmp(all.s, in.s, in.len));
    run((char *const *)select, &in, sizes[i], &all);
    if (i == 0) CHECK(stralloc_copy(&first, &all));
    CHECK(all.len && all.len == first.len && !memcmp(all.s, first.s, all.len));
  }
  stralloc_free(&in);
  stralloc_free(&all);
  stralloc_free(&first);
}

static void last_line(void) {
  const char *script[] = {"./log", 0};
  stralloc in = STRALLOC_INIT, all = STRALLOC_INIT;

  CHECK(stralloc_copys(&in, "whole\ncut"));
  CHECK(run((char *const *)script, &in, 1, &all) == 1);
  CHECK(stralloc_equals(&all, "whole\ncut\n"));
  CHECK(stralloc_copys(&in, ""));
  CHECK(run((char *const *)script, &in, 1, &all) == 1 && all.len == 0);
  stralloc_free(&in);
  stralloc_free(&all);
}

static void scripts(void) {
  static const char *const bad[] = {"x", "s", "sx", "s-1", "n", "n2x", "e1", "=", "", "tt"};
  struct multilog m;
  struct strerr e;

  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    const char *script[] = {"t", bad[i], 0};

    e.permanent = 0;
    CHECK_CASE(multilog_open(&m, (char *const *)script, 1, &e) == -1 && e.permanent, bad[i]);
    multilog_close(&m);
  }
}

/* Memory that runs out in the middle is waited for, and nothing is lost. */
static void no_memory(void) {
  struct logdir d = {.path = "./log", .max = 4096, .keep = 10, .nosync = 1};
  stralloc all = STRALLOC_INIT;
  struct strerr e;

  CHECK(logdir_open(&d, &e) == 0);
  check_nomem(1);
  CHECK(logdir_put(&d, "one\n", 4) == -1);
  check_nomem(0);
  CHECK(logdir_put(&d, "one\n", 4) == 0);
  logdir_close(&d);
  CHECK(each_file(collect, &all) == 1);
  CHECK(stralloc_equals(&all, "one\n"));
  stralloc_free(&all);
}

int main(void) {
  CHECK(mkdtemp(top) && chdir(top) == 0);
  pieces();
  last_line();
  scripts();
  no_memory();
  CHECK(chdir("/") == 0 && rmdir(top) == 0);
  return check_done();
}
