/* valias: shows and changes the aliases of a virtual domain. */
#include <string.h>

#include "base/bytes.h"
#include "base/options.h"
#include "base/substdio.h"
#include "user/alias_change.h"
#include "user/alias_line.h"

#define FATAL "valias: fatal: "
#define USAGE "valias [-vm] -s|-S|-i line|-d line|-u old -i new user@domain|@domain"

static char outbuf[4096];
static substdio out;

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

static void print(const char *a, const char *between, const char *b) {
  if (substdio_puts(&out, a) == -1 || substdio_puts(&out, between) == -1 || substdio_puts(&out, b) == -1 ||
      substdio_putlit(&out, "\n") == -1)
    strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

/* FOUND is success; anything else ends us. */
static void want(enum userdb_result r, const struct strerr *e, const char *none) {
  switch (r) {
    case USERDB_FOUND: return;
    case USERDB_NONE: strerr_diem(1, FATAL, none, (char *)0);
    case USERDB_EXISTS: strerr_diem(1, FATAL, "the alias has this line already", (char *)0);
    case USERDB_TEMPFAIL: die(e);
  }
}

static void check_line(const char *line) {
  const char *why = alias_line_fault(line);

  if (why) strerr_diem(100, FATAL, line, ": ", why, (char *)0);
}

static void show(struct site *s, const char *user, const char *domain) {
  struct strlist list = {0};
  struct strerr e;

  if (*user) {
    want(userdb_alias_get(&s->db, user, domain, &list, &e), &e, "there is no such alias");
    for (size_t i = 0; i < list.len; ++i) print(user, " -> ", list.item[i].s);
  } else {
    want(userdb_alias_list(&s->db, domain, &list, &e), &e, "there are no aliases");
    for (size_t i = 0; i + 1 < list.len; i += 2) print(list.item[i].s, " -> ", list.item[i + 1].s);
  }
  strlist_free(&list);
}

static void find(struct site *s, const char *address) {
  struct strlist list = {0};
  struct strerr e;

  want(userdb_alias_find(&s->db, address, &list, &e), &e, "no alias delivers to that address");
  for (size_t i = 0; i + 1 < list.len; i += 2) print(list.item[i].s, "@", list.item[i + 1].s);
  strlist_free(&list);
}

/* user@domain, @domain, or domain alone; a name to be added must be fit for one. */
static void take_apart(const char *arg, int adding, struct address *a) {
  size_t n = strlen(arg);
  size_t at = bytes_rchr(arg, n, '@');
  const char *domain = at == n ? arg : arg + at + 1;
  const char *why = name_domain_fault(domain, strlen(domain));

  if (!why && at && at < n && adding) why = name_user_fault(arg, at);
  if (why) strerr_diem(100, FATAL, arg, ": ", why, (char *)0);
  if (!stralloc_copyb(&a->user, arg, at < n ? at : 0) || !stralloc_copys(&a->domain, domain)) strerr_die_nomem(FATAL);
  bytes_lower(a->user.s, a->user.len);
}

int main(int argc, char **argv) {
  struct site s;
  struct address a = {STRALLOC_INIT, STRALLOC_INIT};
  struct strerr e;
  const char *insert = 0, *delete = 0, *old = 0;
  int showing = 0, finding = 0, ignored = 0;
  const struct option options[] = {
      {'s', OPTION_FLAG, &showing, 1}, {'S', OPTION_FLAG, &finding, 1}, {'i', OPTION_STRING, &insert, 0},
      {'d', OPTION_STRING, &delete, 0}, {'u', OPTION_STRING, &old, 0},  {'v', OPTION_COUNT, &ignored, 0},
      {'m', OPTION_COUNT, &ignored, 0}, {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 1, 1);

  if (showing + finding + !!insert + !!delete != 1 || (old && !insert)) strerr_die_usage(USAGE);
  take_apart(argv[i], insert && !old, &a);
  if (!a.user.len && !showing) strerr_die_usage(USAGE);
  if (insert) check_line(insert);
  if (site_load(&s, &e) == -1 || site_open_db(&s, 0, &e) == -1) die(&e);
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  if (showing) show(&s, a.user.s, a.domain.s);
  else if (finding) find(&s, argv[i]);
  else {
    const struct alias_change c = {a.user.s, a.domain.s, old ? old : delete, insert};

    want(alias_change(&s, &c, &e), &e, insert && !old ? "there is no such domain" : "there is no such line");
  }
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  address_free(&a);
  site_close(&s);
  return 0;
}
