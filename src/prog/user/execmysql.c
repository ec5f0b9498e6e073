/* execmysql: becomes an interactive client of the user database: sqlite3, or mariadb (mysql) with the
 * site's settings.  A password goes by an unnamed file, never by arguments or environment. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/spawn.h"
#include "sql/mysql_where.h"
#include "user/site.h"

#define FATAL "execmysql: fatal: "
#define USAGE "execmysql [-d domain] [-- arguments of the client]"
#define OPTIONS_FD 3
#define FIXED 4 /* arguments of ours, at most */

static char options_argument[] = "--defaults-extra-file=/proc/self/fd/3";
static stralloc client = STRALLOC_INIT, database = STRALLOC_INIT; /* arguments of it */

/* An unnamed file with the text, which the client reads from its start. */
static int unnamed_file(const stralloc *text) {
  int fd = memfd_create("options", MFD_CLOEXEC);

  if (fd == -1 || fchmod(fd, 0600) == -1 || fd_write_all(fd, text->s, text->len) == -1)
    strerr_diem_sys(111, FATAL, "unable to write options for the client", (char *)0);
  return fd;
}

/* The first of these that is to be found in $PATH. */
static const char *find_client(const char *const *names) {
  for (; *names; ++names)
    for (const char *dir = env_get("PATH"); dir && *dir; dir += strspn(dir, ":")) {
      size_t n = strcspn(dir, ":");

      if (!stralloc_copyb(&client, dir, n) || !stralloc_catm(&client, "/", *names, (char *)0)) strerr_die_nomem(FATAL);
      if (*dir == '/' && access(client.s, X_OK) == 0) return client.s;
      dir += n;
    }
  return 0;
}

static void run_server_client(const struct site *s, struct spawn *child, char **argv, size_t *n) {
  static const char *const names[] = {"mariadb", "mysql", 0};
  stralloc text = STRALLOC_INIT, name = STRALLOC_INIT;
  struct strerr e;

  child->path = find_client(names);
  if (!child->path) strerr_diem(100, FATAL, "neither mariadb nor mysql is in $PATH: install the client of the database", (char *)0);
  if (mysql_where_options(s->place.where.s, &text, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (mysql_where_key(s->place.where.s, "database", &name) == -1 || !stralloc_catm(&database, "--database=", stralloc_cstr(&name), (char *)0)) strerr_die_nomem(FATAL);
  argv[(*n)++] = options_argument; /* has to be the first */
  argv[(*n)++] = database.s;
  spawn_move(child, unnamed_file(&text), OPTIONS_FD);
  stralloc_wipe(&text);
}

static void run_file_client(const struct site *s, struct spawn *child, char **argv, size_t *n) {
  static const char *const names[] = {"sqlite3", 0};

  child->path = find_client(names);
  if (!child->path) strerr_diem(100, FATAL, "sqlite3 is not in $PATH: install the client of the database", (char *)0);
  if (access(s->place.where.s, F_OK) == -1) strerr_diem_sys(111, FATAL, "unable to open ", s->place.where.s, (char *)0);
  argv[(*n)++] = (char *)"-cmd";
  argv[(*n)++] = (char *)"PRAGMA foreign_keys = ON"; /* what belongs to a user or domain goes with it */
  argv[(*n)++] = s->place.where.s;
}

int main(int argc, char **argv) {
  const char *domain = 0;
  const struct option options[] = {{'d', OPTION_STRING, &domain, 0}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 0, -1);
  char **args = calloc((size_t)(argc - i) + FIXED + 1, sizeof *args);
  struct spawn child = {.argv = args};
  struct site s;
  struct strerr e;
  size_t n = 1;

  if (!args) strerr_die_nomem(FATAL);
  if (domain && site_domain(domain, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  if (site_load(&s, &e) == -1 || identity_become(&s.mail, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  for (int fd = 0; fd <= 2; ++fd) spawn_move(&child, fd, fd);
  if (s.place.is_file) run_file_client(&s, &child, args, &n);
  else run_server_client(&s, &child, args, &n);
  args[0] = (char *)(uintptr_t)child.path;
  for (; i < argc; ++i) args[n++] = argv[i];
  if (spawn_exec(&child, &e) == -1) strerr_die(111, FATAL, &e);
  return 111;
}
