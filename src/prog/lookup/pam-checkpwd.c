/* pam-checkpwd: checks a password through PAM, by the checkpassword interface (user/checker.h).
 * Which modules are asked stands in the file of the service; no session is opened. */
#include <security/pam_appl.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "base/options.h"
#include "conf/conf.h"
#include "user/checker.h"
#include "user/system_account.h"

#define FATAL "pam-checkpwd: fatal: "
#define USAGE "pam-checkpwd [-deH] [-s service] [-i name] [--] [program [argument ...]]"

struct setup {
  const char *name; /* for messages */
  const char *service, *directory;
  int native, debug;
};

/* What a module asks for without echo is the password; with echo, the name.  PAM frees the answers. */
static int answer(int n, const struct pam_message **message, struct pam_response **out, void *ctx) {
  const struct checker *c = ctx;
  struct pam_response *r = n > 0 && n <= PAM_MAX_NUM_MSG ? calloc((size_t)n, sizeof *r) : 0;

  if (!r) return PAM_BUF_ERR;
  for (int i = 0; i < n; ++i) {
    int style = message[i]->msg_style;

    if (style != PAM_PROMPT_ECHO_OFF && style != PAM_PROMPT_ECHO_ON) continue;
    r[i].resp = strdup(style == PAM_PROMPT_ECHO_OFF ? c->password : c->user);
    if (r[i].resp) continue;
    while (i-- > 0)
      if (r[i].resp) {
        explicit_bzero(r[i].resp, strlen(r[i].resp));
        free(r[i].resp);
      }
    free(r);
    return PAM_BUF_ERR;
  }
  *out = r;
  return PAM_SUCCESS;
}

/* Who guesses is made to wait by the server that runs us. */
static void no_delay(int result, unsigned microseconds, void *ctx) {
  return;
}

/* What a result of the first, or of the later step means; what is not listed could not be found out. */
static const struct {
  int result;
  enum checker_verdict password, account;
} results[] = {
    {PAM_SUCCESS, CHECK_RIGHT, CHECK_RIGHT},
    {PAM_AUTH_ERR, CHECK_WRONG, CHECK_BARRED},
    {PAM_USER_UNKNOWN, CHECK_WRONG, CHECK_BARRED},
    {PAM_MAXTRIES, CHECK_WRONG, CHECK_BARRED},
    {PAM_PERM_DENIED, CHECK_WRONG, CHECK_BARRED},
    {PAM_ACCT_EXPIRED, CHECK_BARRED, CHECK_BARRED},
    {PAM_CRED_EXPIRED, CHECK_BARRED, CHECK_BARRED},
    {PAM_AUTHTOK_EXPIRED, CHECK_BARRED, CHECK_BARRED},
    {PAM_NEW_AUTHTOK_REQD, CHECK_BARRED, CHECK_BARRED},
};

static enum checker_verdict meaning(int result, int account) {
  for (size_t i = 0; i < sizeof results / sizeof *results; ++i)
    if (results[i].result == result) return account ? results[i].account : results[i].password;
  return CHECK_TEMPFAIL;
}

static int start(const struct setup *s, const struct checker *c, const struct pam_conv *conversation, pam_handle_t **h) {
  const char *ip = env_get("TCPREMOTEIP");
  union {
    void (*function)(int, unsigned, void *);
    const void *item;
  } delay = {no_delay};
  int r = *s->directory ? pam_start_confdir(s->service, c->user, conversation, s->directory, h)
                        : pam_start(s->service, c->user, conversation, h);

  if (r == PAM_SUCCESS) r = pam_set_item(*h, PAM_FAIL_DELAY, delay.item);
  if (r == PAM_SUCCESS && ip) r = pam_set_item(*h, PAM_RHOST, ip);
  return r;
}

static enum checker_verdict ask(const struct setup *s, const struct checker *c, struct strerr *e) {
  struct pam_conv conversation = {answer, (void *)c};
  pam_handle_t *h = 0;
  enum checker_verdict v = CHECK_TEMPFAIL;
  int r = start(s, c, &conversation, &h);

  if (r == PAM_SUCCESS) {
    r = pam_authenticate(h, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    v = meaning(r, 0);
  }
  if (v == CHECK_RIGHT) {
    r = pam_acct_mgmt(h, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    v = meaning(r, 1);
  }
  strerr_set(e, "service ", s->service, ": ", pam_strerror(h, r), (char *)0);
  if (s->debug) strerr_warnm(s->name, ": ", e->text, (char *)0);
  if (h) pam_end(h, r);
  return v;
}

static enum checker_verdict judge(void *ctx, const struct checker *c, struct checker_account *a, struct strerr *e) {
  const struct setup *s = ctx;
  struct system_account found = {.uid = 0};
  int known = system_account_passwd(c->user, &found, e);
  enum checker_verdict v = known == -1 ? CHECK_TEMPFAIL : known && found.uid == 0 ? CHECK_WRONG : ask(s, c, e);

  if (v == CHECK_RIGHT && s->native && !known) {
    strerr_set(e, "the account is not in the password file: no program can be run for it", (char *)0);
    v = CHECK_TEMPFAIL;
  }
  a->uid = found.uid;
  a->gid = found.gid;
  if (v == CHECK_RIGHT && (!stralloc_copys(&a->user, c->user) || !stralloc_copy(&a->home, &found.home))) {
    strerr_set(e, "out of memory", (char *)0);
    v = CHECK_TEMPFAIL;
  }
  system_account_free(&found);
  return v;
}

int main(int argc, char **argv) {
  struct setup s = {.name = "pam-checkpwd"};
  int stay = 0;
  const struct option options[] = {
      {'s', OPTION_STRING, &s.service, 0}, {'i', OPTION_STRING, &s.name, 0}, {'d', OPTION_FLAG, &s.debug, 1},
      {'e', OPTION_FLAG, &s.native, 1},    {'H', OPTION_FLAG, &stay, 1},     {0, OPTION_FLAG, 0, 0},
  };
  int i = options_or_die(argc, argv, options, USAGE, 0, -1);
  struct checker_program p = {.judge = judge, .ctx = &s};
  struct conf conf;
  struct strerr e;

  if (conf_load(&conf, CONF_LOGIN, &e) == -1) strerr_die(CHECKER_TEMPORARY, FATAL, &e);
  if (!s.service) s.service = conf_line(&conf, SET_pam_service);
  if (!*s.service || strchr(s.service, '/')) strerr_die_usage(USAGE);
  s.directory = conf_line(&conf, SET_pam_confdir);
  s.native |= conf_flag(&conf, SET_native_checkpassword);
  p.name = s.name;
  p.native = s.native;
  return checker_main(&p, argv + i);
}
