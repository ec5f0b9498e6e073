/* pam_backend: see pam_backend.h. */
#include "user/pam_backend.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/program.h"
#include "base/scan.h"
#include "base/strlist.h"
#include "base/words.h"
#include "crypt/password.h"
#include "user/lookup.h"

#define SECONDS 20
#define WORDS 32
#define OUTPUT_MAX 1024
#define LIBRARY "iauth.so"

/* Services of PAM that are known to inlookup by another name. */
static const struct {
  const char *pam, *service;
} services[] = {
    {"imap", "imap"}, {"imaps", "imap"}, {"pop", "pop3"},         {"pop3", "pop3"},
    {"pop3s", "pop3"}, {"smtp", "smtp"}, {"submission", "smtp"}, {"webmail", "webmail"},
};

static const char *service_of(const struct pam_backend *b, const struct pam_question *q) {
  if (b->service) return b->service;
  for (size_t i = 0; i < sizeof services / sizeof *services; ++i)
    if (!strcmp(q->service, services[i].pam)) return services[i].service;
  return "imap";
}

static int ends_in(const char *s, const char *end) {
  size_t n = strlen(s), m = strlen(end);

  return n >= m && !strcmp(s + n - m, end);
}

int pam_backend_parse(struct pam_backend *b, int argc, const char *const *argv, struct strerr *e) {
  *b = (struct pam_backend){0, 0};
  for (int i = 0; i < argc; ++i) {
    const char *value = i + 1 < argc ? argv[i + 1] : 0;

    if (!strcmp(argv[i], "args") || !strcmp(argv[i], "-d")) continue;
    if (!strncmp(argv[i], "service=", 8) && argv[i][8]) {
      b->service = argv[i] + 8;
    } else if (!strcmp(argv[i], "-c") && value && *value == '/') {
      b->command = argv[++i];
    } else if (!strcmp(argv[i], "-s") && value && ends_in(value, LIBRARY)) {
      ++i;
    } else if (!strcmp(argv[i], "-m")) {
      return strerr_set(e, "-m is not offered: statements for a database belong in a command (-c)", (char *)0);
    } else {
      return strerr_set(e, "argument ", argv[i], " is not known, lacks its value, or that is no path", (char *)0);
    }
  }
  return 0;
}

int pam_word(const char *word, const char *user, stralloc *out) {
  const char *at = strrchr(user, '@');
  size_t n = at ? (size_t)(at - user) : strlen(user);

  stralloc_cut(out, 0);
  for (; *word; ++word) {
    int ok = 0;

    if (*word != '%') {
      ok = stralloc_append(out, *word);
    } else {
      switch (*++word) {
        case 'u':
        case 'U': ok = stralloc_catb(out, user, n); break;
        case 'd':
        case 'D': ok = stralloc_cats(out, at ? at + 1 : ""); break;
        case '%': ok = stralloc_append(out, '%'); break;
        default: break;
      }
    }
    if (!ok) return 0;
  }
  return 1;
}

/* A name that begins with a dash would be an option of the command. */
static int is_safe(const char *user) {
  if (*user == '-') return 0;
  for (const char *p = user; *p; ++p)
    if ((unsigned char)*p < 32 || *p == 127) return 0;
  return 1;
}

/* What the command prints of the user, its first line: YES; UNKNOWN when it ends with 1; TEMPFAIL. */
static enum pam_verdict run(char *const *argv, stralloc *line, struct strerr *e) {
  /* Not what the program that asks PAM was started with: that may be anybody's. */
  char *const environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", 0};
  struct spawn s = {.path = argv[0], .argv = argv, .envp = environment};
  int code;

  spawn_move(&s, SPAWN_NULL, 0);
  spawn_move(&s, SPAWN_NULL, 2);
  code = program_ask(&s, 1, line, OUTPUT_MAX + 1, deadline_in(SECONDS), e);
  if ((code == 0 || code == 1) && line->len <= OUTPUT_MAX) {
    stralloc_cut(line, bytes_chr(stralloc_cstr(line), line->len, '\n'));
    return code == 0 && line->len ? PAM_BACKEND_YES : PAM_BACKEND_UNKNOWN;
  }
  if (code != -1) strerr_set(e, argv[0], " failed or said too much", (char *)0);
  return PAM_BACKEND_TEMPFAIL;
}

static enum pam_verdict ask_command(const struct pam_backend *b, const struct pam_question *q, stralloc *line, struct strerr *e) {
  stralloc command = STRALLOC_INIT, word = STRALLOC_INIT;
  struct strlist words = {0};
  char *cut[WORDS + 1], *argv[WORDS + 1];
  enum pam_verdict v = PAM_BACKEND_TEMPFAIL;
  size_t n = 0;
  int ok = stralloc_copys(&command, b->command);

  strerr_set(e, "the command of -c has no words, too many, or another % than %u %d %U %D %%", (char *)0);
  if (ok) n = words_split(command.s, cut, WORDS);
  for (size_t i = 0; ok && i < n; ++i) ok = pam_word(cut[i], q->user, &word) && strlist_add(&words, word.s ? word.s : "", word.len);
  if (ok && n) {
    for (size_t i = 0; i < n; ++i) argv[i] = words.item[i].s;
    argv[n] = 0;
    v = is_safe(q->user) ? run(argv, line, e) : PAM_BACKEND_UNKNOWN;
  }
  strlist_free(&words);
  stralloc_free(&command);
  stralloc_free(&word);
  return v;
}

static enum pam_verdict command_password(const struct pam_backend *b, const struct pam_question *q, struct strerr *e) {
  stralloc hash = STRALLOC_INIT;
  enum pam_verdict v = ask_command(b, q, &hash, e);
  int right;

  if (v == PAM_BACKEND_UNKNOWN) password_waste(q->password);
  if (v == PAM_BACKEND_YES) {
    right = password_verify(q->password, hash.s, e);
    v = right == 1 ? PAM_BACKEND_YES : right == 0 ? PAM_BACKEND_NO : PAM_BACKEND_TEMPFAIL;
  }
  stralloc_wipe(&hash);
  stralloc_free(&hash);
  return v;
}

enum pam_verdict pam_backend_password(const struct pam_backend *b, const struct pam_question *q, struct strerr *e) {
  struct lookup l = LOOKUP_INIT;
  struct lookup_account a = {.inactive = 0};
  enum lookup_verdict v;

  if (b->command) return command_password(b, q, e);
  v = lookup_verify(&l, q->user, q->password, service_of(b, q), q->ip, deadline_in(SECONDS), &a, e);
  lookup_close(&l);
  lookup_account_free(&a);
  return v == LOOKUP_FOUND ? PAM_BACKEND_YES : v == LOOKUP_NONE ? PAM_BACKEND_NO : PAM_BACKEND_TEMPFAIL;
}

/* Of one of the two numbers: 1 it is over, 0 it is not, -1 malformed. */
static int is_over(const char *s, size_t n, int64_t now) {
  int64_t until;

  if (!n) return 0;
  if (!scan_i64(s, n, &until)) return -1;
  return until >= 0 && now >= until;
}

enum pam_verdict pam_expiry(const char *text, int64_t now) {
  size_t comma = strcspn(text, ",");
  const char *second = text[comma] ? text + comma + 1 : text + comma;
  int account = is_over(text, comma, now), password = is_over(second, strlen(second), now);

  if (account == -1 || password == -1) return PAM_BACKEND_TEMPFAIL;
  return account ? PAM_BACKEND_EXPIRED : password ? PAM_BACKEND_OLD : PAM_BACKEND_YES;
}

enum pam_verdict pam_backend_account(const struct pam_backend *b, const struct pam_question *q, struct strerr *e) {
  struct lookup l = LOOKUP_INIT;
  enum lookup_state state;
  enum lookup_verdict v;
  stralloc line = STRALLOC_INIT;
  enum pam_verdict answer;

  if (b->command) {
    answer = ask_command(b, q, &line, e);
    if (answer == PAM_BACKEND_YES && (answer = pam_expiry(line.s, wall_now())) == PAM_BACKEND_TEMPFAIL)
      strerr_set(e, b->command, " did not print two times", (char *)0);
    stralloc_free(&line);
    return answer;
  }
  v = lookup_user(&l, q->user, deadline_in(SECONDS), &state, e);
  lookup_close(&l);
  if (v == LOOKUP_FOUND && state != LOOKUP_ALIAS) return PAM_BACKEND_YES;
  return v == LOOKUP_TEMPFAIL ? PAM_BACKEND_TEMPFAIL : PAM_BACKEND_UNKNOWN;
}
