/* iauth: answers for PAM, as the program of a line with pam_exec(8): may this virtual user in, by
 * this password?  inlookup is asked. */
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/options.h"
#include "user/pam_backend.h"

#define FATAL "iauth: fatal: "
#define USAGE "iauth [-d] [-s service]"
#define PASSWORD_LINE 512

static const char *or_empty(const char *s) {
  return s ? s : "";
}

/* What pam_exec writes: the password and a NUL; by hand a line. */
static const char *read_password(stralloc *text) {
  if (fd_slurp(0, text, PASSWORD_LINE) == -1) strerr_diem_sys(111, FATAL, "unable to read the password", (char *)0);
  stralloc_cut(text, bytes_chr(stralloc_cstr(text), text->len, 0));
  stralloc_cut(text, bytes_chr(stralloc_cstr(text), text->len, '\n'));
  return stralloc_cstr(text);
}

int main(int argc, char **argv) {
  struct pam_backend b = {0, 0};
  int debug = 0;
  const struct option options[] = {{'s', OPTION_STRING, &b.service, 0}, {'d', OPTION_FLAG, &debug, 1}, {0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 0, 0);
  const char *type = or_empty(env_get("PAM_TYPE"));
  struct pam_question q = {or_empty(env_get("PAM_USER")), "", or_empty(env_get("PAM_SERVICE")), or_empty(env_get("PAM_RHOST"))};
  stralloc password = STRALLOC_INIT;
  struct strerr e;
  enum pam_verdict v = PAM_BACKEND_NO;

  if (i != argc || !*q.user) strerr_diem(100, FATAL, "PAM_USER is not set: run me by pam_exec", (char *)0);
  if (!strcmp(type, "account")) {
    v = pam_backend_account(&b, &q, &e);
  } else if (!*type || !strcmp(type, "auth")) {
    q.password = read_password(&password);
    if (*q.password) v = pam_backend_password(&b, &q, &e);
  } else {
    strerr_diem(100, FATAL, "PAM_TYPE is neither auth nor account", (char *)0);
  }
  stralloc_wipe(&password);
  if (v == PAM_BACKEND_TEMPFAIL) strerr_die(111, "iauth: ", &e);
  if (debug) strerr_warnm("iauth: ", q.user, v == PAM_BACKEND_YES ? ": yes" : ": no", (char *)0);
  return v != PAM_BACKEND_YES;
}
