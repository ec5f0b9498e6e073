/* mailbox_rules: see mailbox_rules.h. */
#include "user/mailbox_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fmt.h"
#include "base/now.h"
#include "base/scan.h"
#include "base/program.h"

#define PROGRAM_SECONDS 60
#define DAY_MESSAGES 1500     /* where only the other limit is set */
#define DAY_BYTES 10485760
#define WARN_AGAIN (7 * 86400)
#define WARN_LEVELS 10
#define WORDS 8

const char *mailbox_variable(const struct env *env, const char *name) {
  const char *value = env ? env_lookup(env, name) : env_get(name);

  return value ? value : "";
}

/* A number, or what stands for it where there is none. */
static uint64_t number(const struct env *env, const char *name, uint64_t otherwise) {
  const char *text = mailbox_variable(env, name);
  uint64_t u;

  return *text && scan_u64_max(text, strlen(text), INT64_MAX, &u) ? u : otherwise;
}

/* --- the program */

/* Its words: the program, those given, and a null.  What goes wrong is on descriptor 2, and stops nothing. */
static void tell(const struct mailbox *m, const char *const *word, size_t n) {
  const char *program = mailbox_variable(m->env, "OVERQUOTA_CMD");
  const char *argv[WORDS + 2] = {program};
  struct env env = {0};
  struct spawn s = {.path = program, .argv = (char *const *)argv};
  struct strerr e;

  if (*program && n <= WORDS && env_copy(&env, m->env) && (s.envp = env_vector(&env))) {
    memcpy(argv + 1, word, n * sizeof *word);
    spawn_move(&s, SPAWN_NULL, 0);
    spawn_move(&s, SPAWN_NULL, 1);
    if (program_run(&s, 0, 0, deadline_in(PROGRAM_SECONDS), &e) == -1) strerr_warn("warning: ", &e);
  }
  env_free(&env);
}

struct numbers {
  char text[4][FMT_U64 + 1];
};

static const char *text_of(struct numbers *n, size_t i, int64_t value) {
  return fmt_u64_z(n->text[i], value > 0 ? (uint64_t)value : 0);
}

/* --- over quota */

int mailbox_takes_small(const struct mailbox *m) {
  return m->size <= number(m->env, "OVERQUOTA_MAILSIZE", 0);
}

int mailbox_holds(const struct mailbox *m) {
  const char *name = mailbox_variable(m->env, "HOLDOVERQUOTA");
  stralloc path = STRALLOC_INIT;
  int ok = *name == '/' ? stralloc_copys(&path, name)
                        : stralloc_catm(&path, m->maildir, "/", *name && !strchr(name, '/') ? name : "holdoverquota", (char *)0);
  int there = ok && access(path.s, F_OK) == 0;

  stralloc_free(&path);
  return there;
}

void mailbox_tell_full(const struct mailbox *m, const struct usage *u) {
  stralloc quota = STRALLOC_INIT;
  struct numbers n;

  if (quota_fmt(&quota, m->quota)) {
    const char *const word[] = {m->maildir, text_of(&n, 0, (int64_t)m->size), text_of(&n, 1, u->bytes), text_of(&n, 2, u->count), quota.s, "overquota"};

    tell(m, word, sizeof word / sizeof *word);
  }
  stralloc_free(&quota);
}

/* --- a day */

int mailbox_day(const struct mailbox *m, struct delivery_count *d, struct strerr *e) {
  const int limited = *mailbox_variable(m->env, "MAILCOUNT_LIMIT") || *mailbox_variable(m->env, "MAILSIZE_LIMIT");
  const uint64_t messages = number(m->env, "MAILCOUNT_LIMIT", DAY_MESSAGES), bytes = number(m->env, "MAILSIZE_LIMIT", DAY_BYTES);
  char limits[2 * FMT_U64 + 4];
  struct numbers n;

  *d = (struct delivery_count)DELIVERY_COUNT_INIT;
  if (!limited) return 1;
  if (delivery_count_open(d, m->maildir, wall_now(), e) == -1) return -1;
  if (d->messages < messages && d->bytes <= bytes && m->size <= bytes - d->bytes) return 1;
  snprintf(limits, sizeof limits, "%lluS,%lluC", (unsigned long long)bytes, (unsigned long long)messages);
  {
    const char *const word[] = {m->maildir, text_of(&n, 0, (int64_t)m->size), text_of(&n, 1, (int64_t)d->bytes), text_of(&n, 2, (int64_t)d->messages), limits};

    delivery_count_close(d);
    tell(m, word, sizeof word / sizeof *word);
  }
  return 0;
}

/* --- it fills */

static int percent_of(uint64_t part, uint64_t whole) {
  return !whole ? 0 : part >= whole ? 100 : (int)((unsigned __int128)part * 100 / whole);
}

/* The highest of the levels that is reached, 0 for none. */
static uint64_t level_reached(const struct mailbox *m, int percent) {
  uint64_t best = 0;

  for (int i = 1; i <= WARN_LEVELS; ++i) {
    char name[16];
    uint64_t level;

    snprintf(name, sizeof name, "QUOTAWARN%d", i);
    level = number(m->env, name, 0);
    if (level && (uint64_t)percent >= level && level > best) best = level;
  }
  return best;
}

/* 1 if the last one was long enough ago, and the present one is recorded; the mailbox is its user's, so
 * links are not followed. */
static int may_warn(const struct mailbox *m) {
  stralloc path = STRALLOC_INIT;
  struct stat st;
  int fd = -1, may = 0;

  if (stralloc_catm(&path, m->maildir, "/QuotaWarn", (char *)0)) fd = open(path.s, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd != -1 && fstat(fd, &st) == 0) {
    may = !st.st_size || st.st_mtime + WARN_AGAIN < wall_now();
    if (may && (ftruncate(fd, 0) == -1 || write(fd, "\n", 1) != 1)) may = 0;
  }
  fd_close(fd);
  stralloc_free(&path);
  return may;
}

void mailbox_warn(const struct mailbox *m, const struct usage *u) {
  const uint64_t bytes = (uint64_t)u->bytes + m->size, count = (uint64_t)u->count + 1;
  const int by_size = percent_of(bytes, m->quota->bytes), by_count = percent_of(count, m->quota->count);
  const int percent = by_size > by_count ? by_size : by_count;
  char text[4][FMT_U64 + 1], percents[FMT_U64 + 1];

  if (!*mailbox_variable(m->env, "OVERQUOTA_CMD") || !level_reached(m, percent) || !may_warn(m)) return;
  {
    const char *const word[] = {m->address,
                                m->maildir,
                                fmt_u64_z(text[0], bytes),
                                fmt_u64_z(text[1], count),
                                fmt_u64_z(text[2], m->quota->bytes),
                                fmt_u64_z(text[3], m->quota->count),
                                fmt_u64_z(percents, (uint64_t)percent)};

    tell(m, word, sizeof word / sizeof *word);
  }
}
