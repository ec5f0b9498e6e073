/* vmoveuserdir: moves the home of a virtual user to another file system or directory. */
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/options.h"
#include "base/substdio.h"
#include "user/account.h"
#include "user/post_handle.h"

#define FATAL "vmoveuserdir: fatal: "
#define USAGE "vmoveuserdir [-vn] user@domain newbase"
#define MEGABYTE (UINT64_C(1) << 20)

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

/* Megabytes so far, on one line of a terminal. */
static void show_progress(void *ctx, uint64_t bytes) {
  uint64_t *sum = ctx, before = *sum / MEGABYTE;
  char buf[FMT_U64 + 1];

  *sum += bytes;
  if (*sum / MEGABYTE == before) return;
  (void)!write(2, "\r", 1);
  (void)!write(2, buf, fmt_u64(buf, *sum / MEGABYTE));
  (void)!write(2, " MB copied", 10);
}

static void print(const stralloc *old, const stralloc *new) {
  char buf[512];
  substdio out;

  substdio_initfd_write(&out, 1, buf, sizeof buf);
  if (substdio_puts(&out, stralloc_cstr(old)) == -1 || substdio_puts(&out, " -> ") == -1 ||
      substdio_puts(&out, stralloc_cstr(new)) == -1 || substdio_puts(&out, "\n") == -1 || substdio_flush(&out) == -1)
    strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct account_move m = {.from = &a, .to = &a};
  stralloc old = STRALLOC_INIT, new = STRALLOC_INIT;
  uint64_t copied = 0;
  struct strerr e;
  int verbose = 0;
  const struct option options[] = {{'v', OPTION_COUNT, &verbose, 0}, {'n', OPTION_FLAG, &m.dry_run, 1}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, 2);

  m.base = argv[i + 1];
  if (site_address(argv[i], &a, &e) == -1) die(&e);
  if (*m.base != '/' || strpbrk(m.base, ":\n")) strerr_diem(100, FATAL, "a directory must be an absolute path without a colon", (char *)0);
  if (site_load(&s, &e) == -1) die(&e);
  if (isatty(2)) s.copied = show_progress, s.copied_ctx = &copied;
  if (account_move(&s, &m, &old, &new, &e) == -1) die(&e);
  if (copied >= MEGABYTE) (void)!write(2, "\n", 1);
  if (verbose || m.dry_run) print(&old, &new);
  site_close(&s);
  if (m.dry_run) return 0;
  return post_handle_finish(FATAL, &(struct post_handle){"vmoveuserdir", (char *[]){argv[i], old.s, new.s, 0}, &s.mail, 0});
}
