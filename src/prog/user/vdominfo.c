/* vdominfo: prints what is known of a virtual domain, or of all. */
#include <string.h>

#include "base/fmt.h"
#include "base/options.h"
#include "base/substdio.h"
#include "user/site.h"

#define FATAL "vdominfo: fatal: "
#define USAGE "vdominfo [-anugdbt] [domain]"
#define COLUMN 14

static const struct {
  char letter;
  const char *name;
} columns[] = {{'n', "domain"}, {'u', "uid"}, {'g', "gid"}, {'d', "domain dir"}, {'b', "base dir"}, {'t', "users"}};
#define COLUMNS (sizeof columns / sizeof *columns)

static char outbuf[4096];
static substdio out;

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void put(const char *s) {
  if (substdio_puts(&out, s) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

static void line(const char *name, const char *value) {
  put(name);
  for (size_t n = strlen(name); n < COLUMN; ++n) put(" ");
  put(": ");
  put(value);
  put("\n");
}

static const char *text_of(uint64_t u, char buf[FMT_U64 + 1]) {
  return fmt_u64_z(buf, u);
}

/* The value of one column. */
static void print_column(struct site *s, const struct userdb_domain *d, char letter, const char *name) {
  char buf[FMT_U64 + 1], active_buf[FMT_U64 + 1];
  stralloc text = STRALLOC_INIT;
  int64_t users, active;
  struct strerr e;

  switch (letter) {
    case 'n': line(name, d->domain.s); break;
    case 'u': line(name, text_of(d->uid, buf)); break;
    case 'g': line(name, text_of(d->gid, buf)); break;
    case 'd': line(name, stralloc_cstr(&d->dir)); break;
    case 'b':
      if (site_base(stralloc_cstr(&d->base), &text, &e) == -1) die(&e);
      line(name, text.s);
      break;
    default:
      if (userdb_domain_users(&s->db, d->domain.s, &users, &active, &e) != USERDB_FOUND) die(&e);
      if (!stralloc_catm(&text, text_of((uint64_t)users, buf), " (", text_of((uint64_t)active, active_buf), " active)",
                         (char *)0))
        strerr_die_nomem(FATAL);
      line(name, text.s);
      break;
  }
  stralloc_free(&text);
}

/* 1 if there is such a domain. */
static int print_domain(struct site *s, const char *name, const int *chosen) {
  struct userdb_domain d = {0};
  stralloc real = STRALLOC_INIT;
  struct strerr e;
  enum userdb_result r = userdb_domain_real(&s->db, name, &real, &e);

  if (r == USERDB_FOUND) r = userdb_domain_get(&s->db, real.s, &d, &e);
  if (r == USERDB_TEMPFAIL || r == USERDB_EXISTS) die(&e);
  for (size_t i = 0; r == USERDB_FOUND && i < COLUMNS; ++i)
    if (chosen[i]) print_column(s, &d, columns[i].letter, columns[i].name);
  userdb_domain_free(&d);
  stralloc_free(&real);
  return r == USERDB_FOUND;
}

static void print_all(struct site *s, const int *chosen) {
  struct strlist names = {0};
  struct strerr e;

  if (userdb_domain_list(&s->db, &names, &e) == USERDB_TEMPFAIL) die(&e);
  for (size_t i = 0; i < names.len; ++i) {
    if (i) put("\n");
    print_domain(s, names.item[i].s, chosen);
  }
  strlist_free(&names);
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  int chosen[COLUMNS] = {0}, all = 0, any = 0;
  struct option options[COLUMNS + 2] = {{0}};
  int i;

  for (size_t k = 0; k < COLUMNS; ++k) options[k] = (struct option){columns[k].letter, OPTION_FLAG, &chosen[k], 1};
  options[COLUMNS] = (struct option){'a', OPTION_FLAG, &all, 1};
  i = options_or_die(argc, argv, options, USAGE, 0, 1);
  for (size_t k = 0; k < COLUMNS; ++k) any |= chosen[k];
  for (size_t k = 0; k < COLUMNS; ++k) chosen[k] |= all || !any;
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) die(&e);
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  if (i == argc) print_all(&s, chosen);
  else if (!print_domain(&s, argv[i], chosen)) strerr_diem(1, FATAL, argv[i], ": there is no such domain", (char *)0);
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  site_close(&s);
  return 0;
}
