/* vdeloldusers: does away with users who have not logged in for long, and with old mail. */
#include <signal.h>
#include <string.h>

#include "base/now.h"
#include "base/options.h"
#include "base/report.h"
#include "base/sigfd.h"
#include "user/maildir_sweep.h"
#include "user/old_users.h"

#define FATAL "vdeloldusers: fatal: "
#define USAGE \
  "vdeloldusers [-d domain] [-a days] [-u days] [-t days] [-m folder]... [-s comment]... [-c|-p|-i] [-rnfv] [--json]"
#define DAYS_DEFAULT 60
#define DAYS_MAX 36500

static int json;
static struct option_word words[] = {{"json", &json}, {0, 0}};
static struct report report;
static struct old_users o = {.days = DAYS_DEFAULT};
static int signals, verbose, code;
static uint64_t told;

static int add_folder(const char *name) {
  return maildir_sweep_folder_ok(name) && strlist_add(&o.folders, name, strlen(name));
}

static int add_spared(const char *comment) {
  return strlist_add(&o.spared, comment, strlen(comment));
}

static void tell(void *ctx, const struct userdb_user *u, const char *what, int64_t days, const struct usage *mail) {
  stralloc line = STRALLOC_INIT;
  struct strerr e;
  int ok = stralloc_catm(&line, u->name.s, "@", u->domain.s, ": ", what, (char *)0);

  (void)ctx;
  ++told;
  if (ok && mail) ok = stralloc_catlit(&line, ", ") && stralloc_cati64(&line, mail->count) && stralloc_catlit(&line, " messages, ") &&
                       stralloc_cati64(&line, mail->bytes) && stralloc_catlit(&line, " bytes");
  if (ok) ok = stralloc_catlit(&line, "; no login for ") && stralloc_cati64(&line, days) && stralloc_catlit(&line, " days");
  if (!ok) strerr_die_nomem(FATAL);
  progress_clear(&o.progress);
  report_item(&report);
  report_text(&report, "user", 0, u->name.s);
  report_text(&report, "domain", 0, u->domain.s);
  report_text(&report, "what", 0, what);
  report_number(&report, "days", 0, days);
  if (mail) report_number(&report, "messages", 0, mail->count);
  if (mail) report_number(&report, "bytes", 0, mail->bytes);
  report_line(&report, line.s);
  if (report_show(&report, 1, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  stralloc_free(&line);
}

static void fault(void *ctx, const struct strerr *e) {
  (void)ctx;
  progress_clear(&o.progress);
  strerr_warn("vdeloldusers: warning: ", e);
  code = 111;
}

/* SIGUSR1: after the user that is under way. */
static int stop(void *ctx) {
  (void)ctx;
  return sigfd_next(signals) == SIGUSR1;
}

/* One of -p, -i, -c; -r and -n only say what would be done. */
static void choose_action(int purge, int inactivate, int clean, int dry) {
  if (purge + inactivate + clean > 1) strerr_die_usage(USAGE);
  o.action = purge ? OLD_PURGE : inactivate ? OLD_INACTIVATE : clean ? OLD_CLEAN : OLD_REPORT;
  if (dry || o.action == OLD_REPORT) o.dry = 1;
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e, unwritten;
  int purge = 0, inactivate = 0, clean = 0, dry = 0, r;
  int64_t unread = -1;
  const struct option options[] = {
      {'d', OPTION_STRING, &o.domain, 0},
      {'a', OPTION_U64, &o.days, DAYS_MAX},
      {'u', OPTION_I64, &unread, 0},
      {'t', OPTION_U64, &o.trash, DAYS_MAX},
      {'m', OPTION_CALL, (void *)(uintptr_t)add_folder, 0},
      {'s', OPTION_CALL, (void *)(uintptr_t)add_spared, 0},
      {'c', OPTION_FLAG, &clean, 1},
      {'p', OPTION_FLAG, &purge, 1},
      {'i', OPTION_FLAG, &inactivate, 1},
      {'r', OPTION_FLAG, &dry, 1},
      {'n', OPTION_FLAG, &dry, 1},
      {'f', OPTION_FLAG, &o.force, 1},
      {'v', OPTION_COUNT, &verbose, 0},
      {'-', OPTION_WORDS, words, 0},
      {0, OPTION_FLAG, 0, 0},
  };

  options_or_die(argc, argv, options, USAGE, 0, 0);
  choose_action(purge, inactivate, clean, dry);
  if (!o.days || unread < -1 || !unread || unread > DAYS_MAX || (o.folders.len && !o.trash)) strerr_die_usage(USAGE);
  o.unread = unread == -1 ? 0 : (uint64_t)unread;
  if (!o.folders.len && !add_folder("Trash")) strerr_die_nomem(FATAL);
  if (o.domain && site_domain(o.domain, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  o.now = wall_now();
  o.tell = tell;
  o.fault = fault;
  o.stop = stop;
  report_start(&report, json, 1, 0);
  signals = sigfd_open(SIGUSR1, 0);
  if (signals == -1) strerr_diem_sys(111, FATAL, "unable to wait for signals", (char *)0);
  if (site_load(&s, &e) == -1) strerr_die(site_code(&e), FATAL, &e);
  r = old_users_run(&s, &o, &e);
  if (report_finish(&report, 1, &unwritten) == -1) strerr_die(site_code(&unwritten), FATAL, &unwritten);
  if (r == -1) strerr_die(site_code(&e), FATAL, &e);
  if (verbose && o.dry && told) strerr_warnm("vdeloldusers: ", "nothing was changed", (char *)0);
  strlist_free(&o.folders);
  strlist_free(&o.spared);
  site_close(&s);
  return code;
}
