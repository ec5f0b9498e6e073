/* Marks of recipients: several in one go, wherever they lie, and what was there stays. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "queue/transition.h"

#define ID UINT64_C(46) /* in done/0 */

static int is_marked(const stralloc *marks, uint32_t i) {
  return i < marks->len && marks->s[i] == 'D';
}

int main(void) {
  static const uint32_t some[] = {3, 4, 9, 4000, 4098, 4099, 4100, 8195, 100000};
  static const uint32_t more[] = {0, 5, 4097};
  char dir[] = "/tmp/indimail-marks-XXXXXX";
  stralloc marks = STRALLOC_INIT;
  int64_t tried;
  size_t n = 0;

  CHECK(mkdtemp(dir) && chdir(dir) == 0 && mkdir("done", 0700) == 0 && mkdir("done/0", 0700) == 0);
  CHECK(queue_marks(ID, &marks, &tried) == 0 && marks.len == 0 && tried == 0);
  CHECK(queue_mark_done(ID, 0, 0) == 0); /* only an attempt */
  CHECK(queue_marks(ID, &marks, &tried) == 0 && marks.len == 0 && tried > 0);
  CHECK(queue_mark_done(ID, some, sizeof some / sizeof some[0]) == 0);
  CHECK(queue_mark_done(ID, more, sizeof more / sizeof more[0]) == 0);
  CHECK(queue_mark_done(ID, &more[1], 1) == 0);
  CHECK(queue_marks(ID, &marks, &tried) == 0 && marks.len == 100001);
  for (size_t i = 0; i < marks.len; ++i) n += marks.s[i] == 'D';
  CHECK(n == 12);
  for (size_t i = 0; i < sizeof some / sizeof some[0]; ++i) CHECK(is_marked(&marks, some[i]));
  for (size_t i = 0; i < sizeof more / sizeof more[0]; ++i) CHECK(is_marked(&marks, more[i]));
  CHECK(unlink("done/0/46") == 0 && rmdir("done/0") == 0);
  CHECK(queue_mark_done(ID, some, 1) == -1 && queue_mark_done(ID, 0, 0) == -1);
  CHECK(rmdir("done") == 0 && chdir("/") == 0 && rmdir(dir) == 0);
  stralloc_free(&marks);
  return check_done();
}
