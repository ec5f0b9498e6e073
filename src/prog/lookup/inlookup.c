/* inlookup: answers questions about users for programs that must not open the user
 * database themselves. */
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "conf/paths.h"
#include "crypt/scram.h"
#include "user/lookup_daemon.h"

#define FATAL "inlookup: fatal: "
#define USAGE "inlookup [-v] [-i workers] [-p password workers] [-f fifo]"

static void trust(uid_t *list, size_t *n, uid_t uid) {
  for (size_t i = 0; i < *n; ++i)
    if (list[i] == uid) return;
  if (*n < LOOKUP_TRUSTED_MAX) list[(*n)++] = uid;
}

/* An account of the mail system, if it exists here. */
static void trust_account(uid_t *list, size_t *n, const char *account) {
  struct identity id;
  struct strerr e;
  int r = identity_find(account, &id, &e);

  if (r == -1) strerr_die(111, FATAL, &e);
  if (r == 1) trust(list, n, id.uid);
}

static void who_may_ask(struct lookup_daemon *d) {
  struct lookup_service *s = &d->service;

  trust(s->trusted, &s->trusted_n, 0);
  trust(s->trusted, &s->trusted_n, d->mail.uid);
  trust_account(s->trusted, &s->trusted_n, "qmaild");
  trust_account(s->delivery, &s->delivery_n, "qmails");
}

int main(int argc, char **argv) {
  struct lookup_daemon d = {0};
  struct conf conf;
  struct strerr e;
  struct userdb_place place;
  stralloc dir = STRALLOC_INIT;
  uint64_t quick = 2, slow = 2, ignored;
  const struct option options[] = {
      {'i', OPTION_U64, &quick, 32},
      {'p', OPTION_U64, &slow, 32},
      {'f', OPTION_STRING, &d.fifo, 0},
      {'v', OPTION_COUNT, &d.verbose, 0},
      {'c', OPTION_U64, &ignored, 0},
      {0, OPTION_FLAG, 0, 0},
  };

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (!quick || !slow || (d.fifo && (!*d.fifo || strchr(d.fifo, '/')))) strerr_die_usage(USAGE);
  if (conf_load(&conf, CONF_USER, &e) == -1) strerr_die(111, FATAL, &e);
  if (userdb_place_find(&place, &conf, &e) == -1) strerr_die(111, FATAL, &e);
  if (!paths_file(PATH_RUN, "inlookup", &dir)) strerr_die_nomem(FATAL);
  if (identity_mail(conf_line(&conf, SET_mailuser), &d.mail, &e) == -1) strerr_die(111, FATAL, &e);
  if (!d.fifo) d.fifo = conf_line(&conf, SET_infifo);
  if (!*d.fifo || strchr(d.fifo, '/')) strerr_diem(111, FATAL, "INFIFO must be a name without a slash", (char *)0);
  d.dir = dir.s;
  d.quick = (unsigned)quick;
  d.slow = (unsigned)slow;
  d.service.place = &place;
  d.service.default_domain = conf_line(&conf, SET_default_domain);
  d.service.scram_mechanisms = conf_line(&conf, SET_scram_mechanisms);
  d.service.scram_iterations = conf_number(&conf, SET_scram_iterations);
  d.service.plus = conf_flag(&conf, SET_plusaddress);
  d.service.open_smtp = conf_flag(&conf, SET_open_smtp) && !conf_flag(&conf, SET_norelay);
  d.service.stale_seconds = (int64_t)conf_number(&conf, SET_lookup_stale);
  d.service.no_lastauth = conf_flag(&conf, SET_nolastauth);
  d.service.admission.limits_everywhere = conf_flag(&conf, SET_domain_limits);
  d.service.admission.login_interval = conf_number(&conf, SET_min_login_interval);
  d.service.relay_seconds = 60 * conf_number(&conf, SET_relay_clear_minutes);
  d.service.password_min = conf_number(&conf, SET_password_min);
  if (!password_scheme_find(conf_line(&conf, SET_hash_method), &d.service.scheme))
    strerr_diem(111, FATAL, "unknown or unsafe hash method ", conf_line(&conf, SET_hash_method), (char *)0);
  if (scram_settings_ok(d.service.scram_mechanisms, d.service.scram_iterations, &e) == -1) strerr_die(111, FATAL, &e);
  d.sandbox = conf_flag(&conf, SET_sandbox);
  who_may_ask(&d);
  if (lookup_daemon_run(&d, &e) == -1) strerr_die(111, FATAL, &e);
  return 0;
}
