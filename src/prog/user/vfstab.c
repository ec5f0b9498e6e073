/* vfstab: shows and changes the file systems mailboxes are on, and chooses that for the next. */
#include <string.h>

#include "base/options.h"
#include "base/report.h"
#include "net/ip.h"
#include "user/fstab.h"
#include "user/outcome.h"

#define FATAL "vfstab: fatal: "
#define USAGE "vfstab [-v] -s [--json] [-m host] | -l fs | -b [--json] | -i|-u -n users -q size [-m host] fs | -d [-m host] fs | -o 0|1 [-m host] fs"
#define FS_MAX 255
#define HOST_MAX 64

static struct {
  int show, local, balance, insert, update, delete, verbose, json;
  uint64_t users, online;
  const char *size, *host;
} opt = {.online = 2};
static struct option_word words[] = {{"json", &opt.json}, {0, 0}};

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void want(enum userdb_result r, const struct strerr *e, const char *none) {
  outcome_want(r, &(struct outcome_words){FATAL, 1, none, "the file system is there already"}, e);
}

static void print(struct report *r, const struct fstab_row *row) {
  stralloc text = STRALLOC_INIT;

  if (!stralloc_catlit(&text, " users ") || !stralloc_cati64(&text, row->cur_users) || !stralloc_append(&text, '/') ||
      !stralloc_cati64(&text, row->max_users) || !stralloc_catlit(&text, " free ") || !stralloc_cati64(&text, row->cur_size) || !stralloc_append(&text, '/') || !stralloc_cati64(&text, row->max_size))
    strerr_die_nomem(FATAL);
  report_item(r);
  report_text(r, "filesystem", 0, row->filesystem.s);
  report_text(r, "host", 0, row->host.s);
  report_flag(r, "online", row->online);
  report_number(r, "users", 0, row->cur_users);
  report_number(r, "max_users", 0, row->max_users);
  report_number(r, "free_bytes", 0, row->cur_size);
  report_number(r, "max_bytes", 0, row->max_size);
  report_words(r, row->filesystem.s, " ", row->host.s, row->online ? " online" : " offline", text.s, (char *)0);
  stralloc_free(&text);
}

static void show(struct site *s) {
  struct fstab f = {0, 0};
  struct report r;
  struct strerr e;

  want(fstab_read(&s->db, opt.host ? opt.host : "", &f, &e), &e, "there are no file systems");
  report_start(&r, opt.json, 1, 0);
  for (size_t i = 0; i < f.len; ++i) print(&r, &f.row[i]);
  if (report_finish(&r, 1, &e) == -1) die(&e);
  fstab_free(&f);
}

/* The one that was chosen. */
static void say_chosen(const struct fstab_row *row) {
  struct report r;
  struct strerr e;

  report_start(&r, opt.json, 0, 0);
  if (opt.json) print(&r, row);
  else report_line(&r, row->filesystem.s);
  if (report_finish(&r, 1, &e) == -1) die(&e);
}

static void balance(struct site *s) {
  struct fstab f = {0, 0};
  const struct fstab_row *chosen;
  struct strerr e;

  if (fstab_balance(s, &f, &chosen, &e) == -1) strerr_die(e.permanent ? 1 : 111, FATAL, &e);
  say_chosen(chosen);
  fstab_free(&f);
}

/* With the sizes it has: another one, or new ones. */
static void take_local(struct site *s, struct fstab_row *r, int64_t bytes) {
  uint64_t average = conf_number(&s->conf, SET_avg_user_quota);
  enum userdb_result v;
  struct strerr e;

  r->max_size = r->cur_size = bytes;
  r->max_users = (int64_t)((uint64_t)bytes / (average ? average : 1));
  v = fstab_add(&s->db, r, &e);
  if (v == USERDB_EXISTS) v = fstab_set_limits(&s->db, r, &e);
  want(v, &e, "there is no such file system");
}

static void check(const char *fs, struct fstab_row *r) {
  const char *host = opt.host ? opt.host : FSTAB_HERE;
  size_t n = strlen(fs);
  struct quota size = {0, 0};
  struct ip ip;

  while (n > 1 && fs[n - 1] == '/') --n;
  if (*fs != '/' || n > FS_MAX || strpbrk(fs, "\r\n:") || strstr(fs, "/../")) strerr_diem(100, FATAL, fs, ": the absolute path of a file system is wanted", (char *)0);
  if (strlen(host) > HOST_MAX || (!ip_scan(host, strlen(host), &ip) && name_domain_fault(host, strlen(host))))
    strerr_diem(100, FATAL, host, ": a host is an IP address or a name", (char *)0);
  if (opt.size && (!quota_parse(opt.size, strlen(opt.size), &size) || size.count || !size.bytes || size.bytes > INT64_MAX))
    strerr_diem(100, FATAL, opt.size, ": a size in bytes is wanted, or with k, M, G", (char *)0);
  *r = (struct fstab_row){.online = opt.online != 0, .max_users = (int64_t)opt.users, .max_size = (int64_t)size.bytes, .cur_size = (int64_t)size.bytes};
  if (!stralloc_copyb(&r->filesystem, fs, n) || !stralloc_copys(&r->host, host)) strerr_die_nomem(FATAL);
}

int main(int argc, char **argv) {
  struct site s;
  struct fstab_row r = {.online = 1};
  struct strerr e;
  int64_t bytes = 0;
  const struct option options[] = {
      {'s', OPTION_FLAG, &opt.show, 1},   {'l', OPTION_FLAG, &opt.local, 1},  {'b', OPTION_FLAG, &opt.balance, 1},    {'i', OPTION_FLAG, &opt.insert, 1},
      {'u', OPTION_FLAG, &opt.update, 1}, {'d', OPTION_FLAG, &opt.delete, 1}, {'n', OPTION_U64, &opt.users, INT64_MAX}, {'q', OPTION_STRING, &opt.size, 0},
      {'m', OPTION_STRING, &opt.host, 0}, {'o', OPTION_U64, &opt.online, 1},  {'v', OPTION_COUNT, &opt.verbose, 0},   {'-', OPTION_WORDS, words, 0},
      {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 0, 1);
  int switching = opt.online != 2, wants_fs = !opt.show && !opt.balance;

  if (opt.show + opt.local + opt.balance + opt.insert + opt.update + opt.delete + switching != 1 || argc - i != wants_fs ||
      ((opt.insert || opt.update) != !!opt.size) || (opt.users && !opt.size) || (opt.host && (opt.local || opt.balance)) || (opt.json && wants_fs))
    strerr_die_usage(USAGE);
  if (wants_fs) check(argv[i], &r);
  if (opt.local && fstab_free_bytes(r.filesystem.s, &bytes, &e) == -1) die(&e);
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) die(&e);
  if (opt.show) show(&s);
  else if (opt.balance) balance(&s);
  else if (opt.local) take_local(&s, &r, bytes);
  else if (opt.insert) want(fstab_add(&s.db, &r, &e), &e, "there is no such file system");
  else if (opt.update) want(fstab_set_limits(&s.db, &r, &e), &e, "there is no such file system");
  else if (opt.delete) want(fstab_delete(&s.db, &r, &e), &e, "there is no such file system");
  else want(fstab_set_online(&s.db, &r, &e), &e, "there is no such file system");
  if (opt.verbose && wants_fs) strerr_warnm("", "changed ", r.filesystem.s, (char *)0);
  stralloc_free(&r.filesystem);
  stralloc_free(&r.host);
  site_close(&s);
  return 0;
}
