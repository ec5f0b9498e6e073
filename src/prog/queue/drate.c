/* drate: show and set how much mail may go to a domain in a time. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/now.h"
#include "base/options.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "conf/conf.h"
#include "queue/queuepath.h"
#include "send/rate.h"

#define FATAL "drate: fatal: "
#define USAGE "drate [-D dir] -d domain -r rate [-ucR] | -d domain -R | -s [-d domain] | -t -d domain [-C mails] [-f] | -d domain -a alias | -U -d domain"

/* What the options say. */
static const char *domain, *dir, *rate, *alias;
static int show, list, test, count_it, only_old, only_new, restart, remove_it;
static uint64_t mails = 1;

static struct rates rates;
static char buf[1024];
static substdio out;

static void die_file(const char *name) {
  if (errno) strerr_diem_sys(111, FATAL, "unable to use ", name, (char *)0);
  strerr_diem(111, FATAL, "makes no sense: ", name, (char *)0);
}

/* .global too may be shown and set by its name. */
static int name_ok(const char *name) {
  return rate_name_ok(name) || !strcmp(name, ".global") || (name[0] == '@' && rate_name_ok(name + 1));
}

static void lower(char *s) {
  for (; *s; ++s)
    if (*s >= 'A' && *s <= 'Z') *s = (char)(*s + 32);
}

/* A rate that could not be written would stop the mail: there is none, as before. */
static void die_unset(int exists) {
  int error = errno;

  if (!exists) (void)!unlinkat(rates.dir, domain, 0);
  errno = error;
  strerr_diem_sys(111, FATAL, "unable to use the rate file of ", domain, (char *)0);
}

static int set(void) {
  struct rate_record r;
  int64_t now = wall_now();
  int exists = faccessat(rates.dir, domain, F_OK, 0) == 0;
  int sound, fd;

  if (only_old && !exists) strerr_diem(111, FATAL, "there is no rate for ", domain, (char *)0);
  if (only_new && exists) strerr_diem(111, FATAL, "there is a rate already for ", domain, (char *)0);
  if (rate && !rate_set(&r, rate, strlen(rate))) strerr_diem(100, FATAL, "this is no rate: ", rate, (char *)0);
  fd = rates_open_file(&rates, domain, rate != 0, &r, &sound);
  if (fd == -1) die_unset(exists || !rate);
  if (!rate && !sound) strerr_diem(111, FATAL, "the rate file makes no sense: ", domain, (char *)0);
  if (rate && !rate_set(&r, rate, strlen(rate))) return 100;
  if (restart || !sound || !r.start) {
    r.count = 0;
    r.start = r.last = now;
  }
  if (rates_write(fd, &r) == -1) die_unset(exists);
  return 0;
}

static int print(const char *name, const struct rate_record *r, int64_t now) {
  char current[RATE_NUMBER];

  rate_current(current, r, now);
  return substdio_puts(&out, name) == -1 || substdio_puts(&out, ": rate ") == -1 || substdio_puts(&out, r->text) == -1 ||
                 substdio_puts(&out, " mails ") == -1 || substdio_putu64(&out, r->count) == -1 ||
                 substdio_puts(&out, " in ") == -1 || substdio_putu64(&out, now > r->start ? (uint64_t)(now - r->start) : 0) == -1 ||
                 substdio_puts(&out, " s, ") == -1 || substdio_puts(&out, current) == -1 ||
                 substdio_puts(&out, " a second, last ") == -1 ||
                 substdio_putu64(&out, now > r->last ? (uint64_t)(now - r->last) : 0) == -1 ||
                 substdio_puts(&out, " s ago\n") == -1
             ? -1
             : 0;
}

/* 1 when it makes no sense. */
static int show_one(const char *name) {
  struct rate_record r;
  int sound;
  int fd = rates_open_file(&rates, name, 0, &r, &sound);

  if (fd == -1) die_file(name);
  fd_close(fd);
  if (!sound) {
    strerr_warnm("drate: warning: makes no sense: ", name, (char *)0);
    return 1;
  }
  if (print(name, &r, wall_now()) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return 0;
}

static int show_all(void) {
  int fd = dup(rates.dir);
  DIR *d = fd == -1 ? 0 : fdopendir(fd);
  struct dirent *entry;
  int bad = 0;

  if (!d) strerr_diem_sys(111, FATAL, "unable to list ", dir, (char *)0);
  while ((entry = readdir(d)) != 0)
    if (name_ok(entry->d_name)) bad |= show_one(entry->d_name);
  closedir(d);
  return bad ? 111 : 0;
}

/* As slowq-send would ask: 0 yes, 1 no. */
static int test_rate(void) {
  struct rate_record r;
  char name[RATE_NAME];
  int64_t wait;

  switch (rates_ask(&rates, domain, (uint32_t)mails, wall_now(), count_it, &r, &wait, name)) {
    case RATES_GO: return 0;
    case RATES_BUSY: strerr_diem(111, FATAL, "somebody else uses ", name, (char *)0);
    case RATES_TROUBLE: die_file(name); return 111;
    case RATES_WAIT: break;
  }
  if (substdio_puts(&out, name) == -1 || substdio_puts(&out, ": rate exceeded, need ") == -1 ||
      substdio_putu64(&out, (uint64_t)wait) == -1 || substdio_puts(&out, " secs\n") == -1)
    return 111;
  return 1;
}

static int make_alias(void) {
  if (!rate_name_ok(alias)) strerr_diem(100, FATAL, "this is no domain: ", alias, (char *)0);
  if (faccessat(rates.dir, domain, F_OK, 0) == -1) strerr_diem(111, FATAL, "there is no rate for ", domain, (char *)0);
  if (symlinkat(domain, rates.dir, alias) == -1) strerr_diem_sys(111, FATAL, "unable to make the alias ", alias, (char *)0);
  return 0;
}

static int run(void) {
  if (show || list) return domain && !list ? show_one(domain) * 111 : show_all();
  if (test) return test_rate();
  if (alias) return make_alias();
  if (!remove_it) return set();
  if (unlinkat(rates.dir, domain, 0) == -1) strerr_diem_sys(111, FATAL, "unable to remove the rate of ", domain, (char *)0);
  return 0;
}

/* One thing at a time. */
static int sensible(void) {
  if ((show || list) + test + (alias != 0) + remove_it + (rate || restart) != 1) return 0;
  return domain || show || list;
}

int main(int argc, char **argv) {
  static const struct option options[] = {
      {'d', OPTION_STRING, &domain, 0},   {'D', OPTION_STRING, &dir, 0},  {'r', OPTION_STRING, &rate, 0},
      {'a', OPTION_STRING, &alias, 0},    {'s', OPTION_FLAG, &show, 1},   {'l', OPTION_FLAG, &list, 1},
      {'t', OPTION_FLAG, &test, 1},       {'f', OPTION_FLAG, &count_it, 1}, {'u', OPTION_FLAG, &only_old, 1},
      {'c', OPTION_FLAG, &only_new, 1},   {'R', OPTION_FLAG, &restart, 1}, {'U', OPTION_FLAG, &remove_it, 1},
      {'C', OPTION_U64, &mails, INT32_MAX}, {0, 0, 0, 0},
  };
  stralloc name = STRALLOC_INIT, link = STRALLOC_INIT;
  struct conf conf;
  struct strerr e;
  int code;

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (!sensible()) strerr_die_usage(USAGE);
  if (domain && !stralloc_copys(&name, domain)) strerr_die_nomem(FATAL);
  if (alias && !stralloc_copys(&link, alias)) strerr_die_nomem(FATAL);
  if (domain) lower(name.s);
  if (alias) lower(link.s);
  domain = domain ? name.s : 0;
  alias = alias ? link.s : 0;
  if (domain && !name_ok(domain)) strerr_diem(100, FATAL, "this is no domain: ", domain, (char *)0);
  if (conf_load(&conf, CONF_ADMIN, &e) == -1) strerr_die(111, FATAL, &e);
  if (!dir) dir = conf_line(&conf, SET_ratelimit_dir);
  if (!*dir) {
    if (!*conf_line(&conf, SET_queuedir)) strerr_diem(100, FATAL, "neither -D nor $RATELIMIT_DIR nor $QUEUEDIR is set", (char *)0);
    if (chdir(conf_line(&conf, SET_queuedir)) == -1) strerr_diem_sys(111, FATAL, "unable to enter the queue", (char *)0);
    dir = QUEUE_RATES;
  }
  if (rates_open(&rates, dir, (int64_t)conf_number(&conf, SET_ratelimit_interval), &e) == -1) strerr_die(111, FATAL, &e);
  substdio_initfd_write(&out, 1, buf, sizeof buf);
  code = run();
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return code;
}
