/* pam-multi: a module of PAM.  It asks inlookup about virtual users, or a command that knows hashes;
 * it runs inside programs of others, so it neither exits nor says anything. */
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <string.h>
#include <syslog.h>

#include "user/pam_backend.h"

#define EXPORT __attribute__((visibility("default")))

struct request {
  struct pam_backend backend;
  struct pam_question question;
};

static const void *item(pam_handle_t *h, int which) {
  const void *text = 0;

  return pam_get_item(h, which, &text) == PAM_SUCCESS && text ? text : "";
}

/* The log of the system is the only place a module may speak in. */
static int unavailable(const struct strerr *e) {
  syslog(LOG_AUTHPRIV | LOG_ERR, "pam-multi: %s", e->text);
  return PAM_AUTHINFO_UNAVAIL;
}

static int prepare(pam_handle_t *h, struct request *r, int argc, const char **argv, struct strerr *e) {
  const char *user;

  if (pam_backend_parse(&r->backend, argc, argv, e) == -1) return PAM_SERVICE_ERR;
  if (pam_get_user(h, &user, 0) != PAM_SUCCESS || !user || !*user) return PAM_USER_UNKNOWN;
  r->question = (struct pam_question){.user = user, .service = item(h, PAM_SERVICE), .ip = item(h, PAM_RHOST), .password = 0};
  return PAM_SUCCESS;
}

/* What the answer of a backend is to PAM. */
static int meaning(enum pam_verdict v, const struct strerr *e) {
  switch (v) {
    case PAM_BACKEND_YES: return PAM_SUCCESS;
    case PAM_BACKEND_NO: return PAM_AUTH_ERR;
    case PAM_BACKEND_UNKNOWN: return PAM_USER_UNKNOWN;
    case PAM_BACKEND_EXPIRED: return PAM_ACCT_EXPIRED;
    case PAM_BACKEND_OLD: return PAM_NEW_AUTHTOK_REQD;
    case PAM_BACKEND_TEMPFAIL: break;
  }
  return unavailable(e);
}

EXPORT int pam_sm_authenticate(pam_handle_t *h, int flags, int argc, const char **argv) {
  struct request r;
  struct strerr e;
  int code = prepare(h, &r, argc, argv, &e);

  if (code == PAM_SERVICE_ERR) unavailable(&e);
  if (code != PAM_SUCCESS) return code;
  code = pam_get_authtok(h, PAM_AUTHTOK, &r.question.password, 0);
  if (code != PAM_SUCCESS) return code;
  if (!r.question.password || !*r.question.password) return PAM_AUTH_ERR;
  return meaning(pam_backend_password(&r.backend, &r.question, &e), &e);
}

EXPORT int pam_sm_setcred(pam_handle_t *h, int flags, int argc, const char **argv) {
  return PAM_SUCCESS;
}

EXPORT int pam_sm_acct_mgmt(pam_handle_t *h, int flags, int argc, const char **argv) {
  struct request r;
  struct strerr e;
  int code = prepare(h, &r, argc, argv, &e);

  if (code == PAM_SERVICE_ERR) unavailable(&e);
  return code == PAM_SUCCESS ? meaning(pam_backend_account(&r.backend, &r.question, &e), &e) : code;
}
