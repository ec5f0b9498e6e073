/* post_handle: see post_handle.h. */
#include "user/post_handle.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/program.h"
#include "conf/paths.h"

#define TEMPORARY 111

/* A file that only root can have put there. */
static int is_roots(const char *path, struct strerr *e) {
  struct stat st;

  if (stat(path, &st) == -1) return strerr_sys(e, "unable to look at ", path, (char *)0);
  if (st.st_uid == 0 && !(st.st_mode & 022)) return 0;
  return strerr_set(e, path, " is not run as root: it must belong to root, writable by nobody else", (char *)0);
}

/* 1 with its path, 0 there is none, -1. */
static int find(const struct post_handle *h, stralloc *path, int *is_variable, struct strerr *e) {
  const char *v = env_trusted("POST_HANDLE");

  *is_variable = v && *v;
  errno = ENOMEM;
  if (*is_variable ? stralloc_copys(path, v) : paths_file(PATH_LIBEXEC, h->program, path))
    return *is_variable || access(path->s, F_OK) == 0 ? 1 : 0;
  return strerr_sys(e, "unable to look for ", h->program, "'s post handle", (char *)0);
}

static int run(const struct post_handle *h, const char *path, int as_root, struct strerr *e) {
  size_t n = 0;
  struct spawn s = {.path = path, .set_ids = geteuid() == 0 && !as_root, .uid = h->id->uid, .gid = h->id->gid,
                    .groups = &h->id->gid, .ngroups = 1};
  char **argv;
  int code;

  while (h->args[n]) ++n;
  argv = calloc(n + 2, sizeof *argv);
  if (!argv) return strerr_sys(e, "unable to run ", path, (char *)0);
  argv[0] = (char *)(uintptr_t)path;
  for (size_t i = 0; i < n; ++i) argv[i + 1] = h->args[i];
  s.argv = argv;
  spawn_move(&s, 0, 0);
  code = program_run(&s, 0, 0, DEADLINE_NEVER, e);
  free(argv);
  return code;
}

int post_handle_run(const struct post_handle *h, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int is_variable, r = find(h, &path, &is_variable, e);
  int as_root = h->as_root && !is_variable && geteuid() == 0;

  if (r == 1 && as_root) r = is_roots(path.s, e) == 0 ? 1 : -1;
  if (r == 1) r = run(h, path.s, as_root, e);
  stralloc_free(&path);
  return r == -1 ? TEMPORARY : r;
}

int post_handle_finish(const char *fatal, const struct post_handle *h) {
  struct strerr e = {.text = ""};
  int r = post_handle_run(h, &e);

  if (e.text[0]) strerr_warn(fatal, &e);
  return r;
}
