/* progress: see progress.h. */
#include "base/progress.h"

#include <string.h>
#include <unistd.h>

#include "base/fmt.h"

#define BAR 40
#define LINE_BYTES (BAR + 64)

void progress_start(struct progress *p, uint64_t total) {
  *p = (struct progress){.on = total && isatty(2), .total = total, .shown = UINT64_MAX};
}

static void draw(const struct progress *p) {
  char line[LINE_BYTES] = "\r[";
  uint64_t filled = p->shown * BAR / 1000;
  size_t n = 2;

  for (uint64_t i = 0; i < BAR; ++i) line[n++] = i < filled ? '#' : ' ';
  line[n++] = ']';
  line[n++] = ' ';
  n += fmt_u64(line + n, p->done);
  line[n++] = '/';
  n += fmt_u64(line + n, p->total);
  (void)!write(2, line, n);
}

void progress_step(struct progress *p) {
  uint64_t now;

  if (p->done < p->total) ++p->done;
  now = p->total ? p->done * 1000 / p->total : 0;
  if (!p->on || now == p->shown) return;
  p->shown = now;
  draw(p);
}

void progress_clear(struct progress *p) {
  static const char clear[] = "\r\033[K";

  if (!p->on || p->shown == UINT64_MAX) return;
  p->shown = UINT64_MAX;
  (void)!write(2, clear, sizeof clear - 1);
}
