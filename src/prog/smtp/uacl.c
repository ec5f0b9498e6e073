/* uacl: what control/accesslist says of a sender and a recipient, by the rules of
 * smtp/accesslist.h. */
#include <string.h>

#include "base/fd.h"
#include "base/options.h"
#include "conf/conf.h"
#include "smtp/accesslist.h"

#define FATAL "uacl: fatal: "
#define USAGE "uacl sender recipient"
#define CHECK_NAME "accesslist"

static void read_address(const char *s, struct smtp_path *p) {
  if (!strcmp(s, "<>")) s = "";
  switch (smtp_path_plain(s, strlen(s), p)) {
    case SMTP_OK: return;
    case SMTP_NO_MEMORY: strerr_die_nomem(FATAL);
    case SMTP_SYNTAX:
    case SMTP_TOO_LONG: break;
  }
  strerr_diem(100, FATAL, "not an address: ", s, (char *)0);
}

/* A rule that refuses nobody because the check is switched off would mislead. */
static void warn_of_policy(const struct conf *conf) {
  const char *how = conf_map(conf_lines(conf, SET_policy), CHECK_NAME, sizeof CHECK_NAME - 1);

  if (how) strerr_warnm("uacl: ", "control/policy has " CHECK_NAME ":", how, ": the server refuses nothing by these rules", (char *)0);
}

static void say(const char *verdict, const char *rule) {
  stralloc line = STRALLOC_INIT;

  if (!stralloc_catm(&line, verdict, rule ? " by " : ", no rule is about them", rule ? rule : "", "\n", (char *)0)) strerr_die_nomem(FATAL);
  if (fd_write_all(1, line.s, line.len) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  stralloc_free(&line);
}

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  int first = options_or_die(argc, argv, table, USAGE, 2, 2);
  struct smtp_path sender = {0}, recipient = {0};
  struct accesslist_question q = {.sender = &sender.address, .recipient = &recipient};
  enum accesslist_verdict verdict;
  const char *rule;
  struct conf conf;
  struct strerr e;

  read_address(argv[first], &sender);
  read_address(argv[first + 1], &recipient);
  if (conf_load(&conf, CONF_SMTPD, &e) == -1) strerr_die(111, FATAL, &e);
  q.rules = conf_lines(&conf, SET_accesslist);
  q.regex = conf_flag(&conf, SET_qregex);
  verdict = accesslist_ask(&q, &rule, &e);
  if (verdict == ACCESSLIST_FAILED) strerr_die(111, FATAL, &e);
  say(verdict == ACCESSLIST_ALLOWED ? "allowed" : "denied", rule);
  if (verdict == ACCESSLIST_DENIED) warn_of_policy(&conf);
  smtp_path_free(&sender);
  smtp_path_free(&recipient);
  conf_free(&conf);
  return verdict == ACCESSLIST_ALLOWED ? 0 : 100;
}
