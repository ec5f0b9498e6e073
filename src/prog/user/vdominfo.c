/* vdominfo: prints what is known of a virtual domain, or of all; checks whether it fits together, and
 * mends it. */
#include <string.h>

#include "base/options.h"
#include "base/report.h"
#include "user/client_config.h"
#include "user/domain_report.h"
#include "user/site_check.h"

#define FATAL "vdominfo: fatal: "
#define PORTS (void *)(uintptr_t)"ports of mail stores: there is one, and qmail-send delivers to it without a port"
#define USAGE \
  "vdominfo [-anugdbtl] [--json] [domain] | vdominfo --check|--repair [--json] [domain] | vdominfo --client-config [--json] domain"
#define COLUMN 14

static int json, check, repair, client;
static struct option_word words[] = {{"json", &json}, {"check", &check}, {"repair", &repair}, {"client-config", &client}, {0, 0}};

static void die(const struct strerr *e) {
  strerr_die(site_code(e), FATAL, e);
}

/* --- what is known */

static const struct {
  char letter;
  unsigned bits;
} letters[] = {{'a', DOMAIN_SHOW_ALL}, {'n', DOMAIN_SHOW_NAME}, {'u', DOMAIN_SHOW_UID},   {'g', DOMAIN_SHOW_GID},
               {'d', DOMAIN_SHOW_DIR}, {'b', DOMAIN_SHOW_BASE}, {'t', DOMAIN_SHOW_USERS}, {'l', DOMAIN_SHOW_LIMITS}};
#define LETTERS (sizeof letters / sizeof *letters)

/* 1 if there is such a domain. */
static int print_domain(struct site *s, const char *name, unsigned what, struct report *r) {
  struct userdb_domain d = {0};
  stralloc real = STRALLOC_INIT;
  struct strerr e;
  enum userdb_result v = userdb_domain_real(&s->db, name, &real, &e);

  if (v == USERDB_FOUND) v = userdb_domain_get(&s->db, real.s, &d, &e);
  if (v == USERDB_TEMPFAIL || v == USERDB_EXISTS) die(&e);
  if (v == USERDB_FOUND) report_record(r);
  if (v == USERDB_FOUND && domain_report(s, &d, what, r, &e) == -1) die(&e);
  userdb_domain_free(&d);
  stralloc_free(&real);
  return v == USERDB_FOUND;
}

static void print_all(struct site *s, unsigned what, struct report *r) {
  struct strlist names = {0};
  struct strerr e;

  if (userdb_domain_list(&s->db, &names, &e) == USERDB_TEMPFAIL) die(&e);
  for (size_t i = 0; i < names.len; ++i) print_domain(s, names.item[i].s, what, r);
  strlist_free(&names);
}

static void inform(struct site *s, const char *domain, unsigned what) {
  struct report r;
  struct strerr e;

  if (site_open_db(s, 0, &e) == -1) die(&e);
  report_start(&r, json, !domain, COLUMN);
  if (!domain) print_all(s, what, &r);
  else if (!print_domain(s, domain, what, &r)) strerr_diem(1, FATAL, domain, ": there is no such domain", (char *)0);
  if (report_finish(&r, 1, &e) == -1) die(&e);
}

/* --- what does not fit */

static void tell(void *ctx, const char *object, const char *finding, enum check_outcome outcome) {
  static const struct {
    const char *key, *text;
  } outcomes[] = {[CHECK_MENDED] = {"mended", ": mended"},
                  [CHECK_MENDABLE] = {"mendable", ""},
                  [CHECK_PERSON] = {"person", " (nothing that --repair decides)"}};
  struct report *r = ctx;
  stralloc line = STRALLOC_INIT;

  if (json) {
    report_record(r);
    report_text(r, "object", 0, object);
    report_text(r, "finding", 0, finding);
    report_text(r, "outcome", 0, outcomes[outcome].key);
  } else {
    if (!stralloc_catm(&line, object, ": ", finding, outcomes[outcome].text, (char *)0)) strerr_die_nomem(FATAL);
    report_line(r, line.s);
  }
  stralloc_free(&line);
}

/* What was found is printed also where it could not go on.  1 where something is left to be done. */
static int examine(struct site *s, const char *domain) {
  struct report r;
  struct site_check c = {.repair = repair, .tell = tell, .ctx = &r};
  struct strerr e, other;
  int failed;

  report_start(&r, json, 1, 0);
  failed = site_check_run(s, domain, &c, &e) == -1;
  if (report_finish(&r, 1, &other) == -1) die(&other);
  if (failed) die(&e);
  return c.left > 0;
}

/* --- what clients are told */

static int give_client_config(struct site *s, const char *domain) {
  const struct client_config c = {domain, conf_line(&s->conf, SET_me)};
  const struct {
    int (*make)(const struct client_config *, stralloc *);
    const char *key, *heading;
  } documents[] = {
      {client_config_records, "records", "; records for the DNS"},
      {client_config_autoconfig, "autoconfig", "<!-- at http://autoconfig.DOMAIN/mail/config-v1.1.xml -->"},
      {client_config_autodiscover, "autodiscover", "<!-- at https://autodiscover.DOMAIN/autodiscover/autodiscover.xml -->"},
  };
  struct report r;
  struct strerr e;

  if (!*c.host) strerr_diem(100, FATAL, "control/me is not set: which host clients find is not known", (char *)0);
  report_start(&r, json, 0, 0);
  report_record(&r);
  for (size_t i = 0; i < sizeof documents / sizeof *documents; ++i) {
    stralloc text = STRALLOC_INIT;

    if (!documents[i].make(&c, &text)) strerr_die_nomem(FATAL);
    report_line(&r, documents[i].heading);
    if (json) report_text(&r, documents[i].key, 0, text.s);
    else report_line(&r, text.s);
    stralloc_free(&text);
  }
  if (report_finish(&r, 1, &e) == -1) die(&e);
  return 0;
}

int main(int argc, char **argv) {
  struct site s;
  struct strerr e;
  int given[LETTERS] = {0}, code = 0, i;
  unsigned what = 0;
  struct option options[LETTERS + 3] = {{'-', OPTION_WORDS, words, 0}};

  for (size_t k = 0; k < LETTERS; ++k) options[k + 1] = (struct option){letters[k].letter, OPTION_FLAG, &given[k], 1};
  options[LETTERS + 1] = (struct option){'p', OPTION_REFUSED, PORTS, 0};
  i = options_or_die(argc, argv, options, USAGE, 0, 1);
  for (size_t k = 0; k < LETTERS; ++k) what |= given[k] ? letters[k].bits : 0;
  if (check + repair + client > 1 || ((check || repair || client) && what) || (client && i == argc)) strerr_die_usage(USAGE);
  if (i < argc && (check || repair || client) && site_domain(argv[i], &e) == -1) die(&e);
  if (site_load(&s, &e) == -1) die(&e);
  if (client) code = give_client_config(&s, argv[i]);
  else if (check || repair) code = examine(&s, i < argc ? argv[i] : 0);
  else inform(&s, i < argc ? argv[i] : 0, what ? what : DOMAIN_SHOW_ALL);
  site_close(&s);
  return code;
}
