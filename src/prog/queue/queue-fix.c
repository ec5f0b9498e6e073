/* queue-fix: create the directories of a queue, or put them right: owners, modes,
 * lock files; tell what does not belong there; take over the messages of a classic queue. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/options.h"
#include "base/lock.h"
#include "base/strerr.h"
#include "conf/accounts.h"
#include "conf/conf.h"
#include "queue/journal.h"
#include "queue/queuepath.h"
#include "queue/found.h"
#include "queue/transition.h"
#include "queue/waiting.h"
#include "send/classic.h"

#define FATAL "queue-fix: fatal: "

static int dry;
static int verbose;
static int foreign;
static int rates; /* make ratelimit/ */
static int trash; /* make trash/ */

static void say(const char *what, const char *path) {
  if (verbose || dry) strerr_warnm("queue-fix: ", what, " ", path, (char *)0);
}

static void set_owner(const char *path, const char *user, mode_t mode) {
  struct account a;
  struct stat st;
  struct strerr e;

  if (accounts_find(user, &a, &e) == -1) strerr_die(111, FATAL, &e);
  if (lstat(path, &st) == -1) {
    if (dry) return;
    strerr_diem_sys(111, FATAL, "unable to stat ", path, (char *)0);
  }
  if (st.st_uid != a.uid || st.st_gid != a.gid) {
    say("owner of", path);
    if (!dry && lchown(path, a.uid, a.gid) == -1) strerr_diem_sys(111, FATAL, "unable to chown ", path, (char *)0);
  }
  if ((st.st_mode & 07777) != mode) {
    say("mode of", path);
    if (!dry && chmod(path, mode) == -1) strerr_diem_sys(111, FATAL, "unable to chmod ", path, (char *)0);
  }
}

static void make_dir(const char *path, const char *user, mode_t mode) {
  if (access(path, F_OK) == -1) say("creating", path);
  if (!dry && file_mkdir(path, mode) == -1) strerr_diem_sys(111, FATAL, "unable to make directory ", path, (char *)0);
  set_owner(path, user, mode);
}

static void make_file(const char *path, const char *user, mode_t mode) {
  int fd;

  if (access(path, F_OK) == -1) say("creating", path);
  if (!dry) {
    fd = fd_open_append(path, mode);
    if (fd == -1) strerr_diem_sys(111, FATAL, "unable to create ", path, (char *)0);
    fd_close(fd);
  }
  set_owner(path, user, mode);
}

static void make_fifo(const char *path, const char *user, mode_t mode) {
  struct stat st;

  if (lstat(path, &st) == 0 && !S_ISFIFO(st.st_mode)) {
    say("removing what is no FIFO:", path);
    if (!dry && unlink(path) == -1) strerr_diem_sys(111, FATAL, "unable to remove ", path, (char *)0);
  }
  if (access(path, F_OK) == -1) say("creating", path);
  if (!dry && mkfifo(path, mode) == -1 && errno != EEXIST)
    strerr_diem_sys(111, FATAL, "unable to make FIFO ", path, (char *)0);
  set_owner(path, user, mode);
}

/* Is it the envelope of a message that queue-fix -i did not finish? */
static int unfinished(const char *name, uint64_t *id) {
  size_t n = strlen(name);
  size_t suffix = sizeof QUEUE_IMPORT - 1;

  return n > suffix && !strcmp(name + n - suffix, QUEUE_IMPORT) && queuepath_id(name, n - suffix, id);
}

/* Names that are no id, or lie in the wrong subdirectory. */
static void look_for_foreign(const char *dir, int split, uint64_t part) {
  DIR *d = opendir(dir);
  struct dirent *entry;

  if (!d) return;
  while ((entry = readdir(d)) != 0) {
    uint64_t id;

    if (entry->d_name[0] == '.' && (!entry->d_name[1] || !strcmp(entry->d_name, ".."))) continue;
    if (queuepath_id(entry->d_name, strlen(entry->d_name), &id) && (!split || id % QUEUE_SPLIT == part)) continue;
    strerr_warnm(unfinished(entry->d_name, &id) ? "queue-fix: not imported to the end, run queue-fix -i again: "
                                                : "queue-fix: not ours, left alone: ",
                 dir, "/", entry->d_name, (char *)0);
    foreign = 1;
  }
  closedir(d);
}

/* A hint for file systems of the ext family: put the directories that will be made in this
 * one far apart.  New files are made where their directory is, and finding room for one
 * takes long where very many were made and removed just before.  Others know no such hint. */
static void spread(const char *dir) {
  int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int flags;

  if (fd != -1 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
    flags |= FS_TOPDIR_FL;
    (void)!ioctl(fd, FS_IOC_SETFLAGS, &flags);
  }
  fd_close(fd);
}

static void make_dirs(enum queue_file file) {
  const struct queue_file_row *row = &queue_files[file];
  char dir[QUEUE_PATH];

  if (row->split && access(row->name, F_OK) == -1 && !dry && file_mkdir(row->name, row->dirmode) == 0) spread(row->name);
  make_dir(row->name, row->owner, row->dirmode);
  for (uint64_t i = 0; row->split && i < QUEUE_SPLIT; ++i) {
    queuepath_dir(dir, file, i);
    make_dir(dir, row->owner, row->dirmode);
  }
}

static void look_for_foreign_files(enum queue_file file) {
  const struct queue_file_row *row = &queue_files[file];
  char dir[QUEUE_PATH];

  if (!row->split) look_for_foreign(row->name, 0, 0);
  for (uint64_t i = 0; row->split && i < QUEUE_SPLIT; ++i) {
    queuepath_dir(dir, file, i);
    look_for_foreign(dir, 1, i);
  }
}

/* Envelopes that cannot be read are shown: somebody must look at them. */
static int check_one(void *ctx, uint64_t id) {
  struct envelope env = {0};
  char path[QUEUE_PATH];

  (void)ctx;
  queuepath(path, QUEUE_info, id);
  if (queue_load(id, &env, QUEUE_FOUND) == -1) {
    strerr_warnm_sys("queue-fix: damaged envelope, its message is not delivered: ", path, (char *)0);
    foreign = 1;
  }
  envelope_free(&env);
  return 0;
}

/* Nobody may work on a queue while it is taken over; nothing waits for us. */
static void lock_or_die(int dir, const char *what, const char *path) {
  int fd = openat(dir, path, O_RDWR | O_CLOEXEC);

  if (fd == -1 && errno == ENOENT) return;
  if (fd == -1 || lock_exnb(fd) == -1)
    strerr_diem_sys(111, FATAL, "unable to lock ", what, ": is qmail-send running there?", (char *)0);
}

static int open_classic(const char *path) {
  int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (dir == -1) strerr_diem_sys(111, FATAL, "unable to open ", path, (char *)0);
  if (faccessat(dir, "local", F_OK, 0) == -1 || faccessat(dir, "remote", F_OK, 0) == -1 || faccessat(dir, "todo", F_OK, 0) == -1)
    strerr_diem(111, FATAL, path, " is no classic queue: it has no local, remote or todo", (char *)0);
  if (faccessat(dir, "done", F_OK, 0) == 0) strerr_diem(111, FATAL, path, " is one of ours already", (char *)0);
  return dir;
}

static void import(int dir, const char *path) {
  struct queue_owner owner[QUEUE_FILES];
  struct classic_counts counts;
  struct account a;
  struct conf conf;
  struct strerr e;

  if (conf_load(&conf, CONF_SEND, &e) == -1) strerr_die(111, FATAL, &e);
  for (int f = 0; f < QUEUE_FILES; ++f) {
    if (accounts_find(queue_files[f].owner, &a, &e) == -1) strerr_die(111, FATAL, &e);
    owner[f] = (struct queue_owner){a.uid, a.gid};
  }
  lock_or_die(dir, path, "lock/sendmutex");
  lock_or_die(AT_FDCWD, "the queue", QUEUE_SENDMUTEX);
  if (classic_import(dir, &conf, owner, &counts, &e) == -1) strerr_die(111, FATAL, &e);
  conf_free(&conf);
  if (counts.damaged) foreign = 1;
  if (verbose && counts.taken) strerr_warnm("queue-fix: messages were imported", (char *)0);
  if (verbose && counts.unaccepted) strerr_warnm("queue-fix: some were never accepted, and are left alone", (char *)0);
}

int main(int argc, char **argv) {
  const char *classic = 0;
  const struct option options[] = {{'n', OPTION_FLAG, &dry, 1},
                                   {'v', OPTION_FLAG, &verbose, 1},
                                   {'i', OPTION_STRING, &classic, 0},
                                   {'r', OPTION_FLAG, &rates, 1},
                                   {'t', OPTION_FLAG, &trash, 1},
                                   {0, 0, 0, 0}};
  int first = options_or_die(argc, argv, options, "queue-fix [-nrtv] [-i classicqueue] queuedir", 1, 1);
  const char *dir = argv[first];
  int from = -1;

  if (classic && dry) strerr_diem(100, FATAL, "-n and -i exclude each other", (char *)0);
  umask(022);
  if (classic) from = open_classic(classic);
  if (!dry && file_mkdir(dir, 0750) == -1) strerr_diem_sys(111, FATAL, "unable to make directory ", dir, (char *)0);
  if (chdir(dir) == -1) strerr_diem_sys(111, FATAL, "unable to enter ", dir, (char *)0);
  set_owner(".", "qmailq", 0750);
  make_dir("lock", "qmailq", 0750);
  make_dir(JOURNAL_DIR, "qmailq", 0700);
  make_file(QUEUE_SENDMUTEX, "qmails", 0600);
  make_dir(QUEUE_SEND_DIR, "qmails", 0750);
  make_file(QUEUE_ORDERS, "qmails", 0600);
  make_file(QUEUE_WAITING, "qmails", 0644);
  make_fifo(QUEUE_TRIGGER, "qmails", 0622);
  make_file("lock/tcpto", "qmailr", 0644);
  if (rates || access(QUEUE_RATES, F_OK) == 0) make_dir(QUEUE_RATES, "qmails", 0700);
  if (trash || access(QUEUE_TRASH, F_OK) == 0) make_dir(QUEUE_TRASH, "qmailq", 0700);
  for (int f = 0; f < QUEUE_FILES; ++f) make_dirs((enum queue_file)f);
  if (classic) import(from, classic);
  for (int f = 0; f < QUEUE_FILES; ++f) look_for_foreign_files((enum queue_file)f);
  if (access("info", F_OK) == 0 && queue_walk(QUEUE_info, check_one, 0) == -1)
    strerr_diem_sys(111, FATAL, "unable to read info", (char *)0);
  return foreign ? 1 : 0;
}
