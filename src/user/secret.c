/* secret: see secret.h. */
#include "user/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/sigfd.h"
#include "base/substdio.h"
#include "crypt/password.h"
#include "crypt/password_import.h"
#include "crypt/scram.h"
#include "conf/paths.h"
#include "user/assign.h"

#define METHOD_MAX 64

static int refuse(struct strerr *e, const char *why) {
  strerr_set(e, why, (char *)0);
  e->permanent = 1;
  return -1;
}

/* One line of a descriptor, byte by byte: what follows is the next reader's. */
static int read_line(int fd, stralloc *line, struct strerr *e) {
  char c;
  int r;

  stralloc_cut(line, 0);
  while ((r = fd_read_all(fd, &c, 1)) == 1 && c != '\n') {
    if (!c) return refuse(e, "a password cannot hold a NUL");
    if (line->len >= 1024) return refuse(e, "the password is too long");
    if (!stralloc_append(line, c)) return strerr_sys(e, "unable to read a password", (char *)0);
  }
  if (r == -1) return strerr_sys(e, "unable to read a password", (char *)0);
  if (line->len && line->s[line->len - 1] == '\r') stralloc_cut(line, line->len - 1);
  return 0;
}

/* Until a line is typed: 0; the signal that came before; -1. */
static int wait_line(int tty, int signals) {
  struct pollfd p[] = {{tty, POLLIN, 0}, {signals, POLLIN, 0}};

  for (;;) {
    if (poll(p, 2, -1) == -1 && errno != EINTR) return -1;
    if (p[1].revents & POLLIN) {
      const int sig = sigfd_next(signals);

      if (sig > 0 && sig != SIGTSTP) return sig;
    }
    if (p[0].revents) return 0;
  }
}

/* 0, -1, or the signal that came instead of a line. */
static int prompt(int tty, int signals, const char *text, stralloc *line, struct strerr *e) {
  int r = fd_write_all(tty, text, strlen(text)) == -1 ? -1 : wait_line(tty, signals);

  if (r == -1) return strerr_sys(e, "unable to ask", (char *)0);
  if (r == 0) r = read_line(tty, line, e);
  (void)!fd_write_all(tty, "\n", 1);
  return r;
}

/* Twice, without echo.  Who is interrupted, or told to stop, leaves the terminal as it was first. */
static int ask(int tty, stralloc *password, struct strerr *e) {
  stralloc again = STRALLOC_INIT;
  struct termios was, silent;
  sigset_t mask;
  int signals, r;

  if (tcgetattr(tty, &was) == -1 || sigprocmask(SIG_SETMASK, 0, &mask) == -1) return strerr_sys(e, "unable to use the terminal", (char *)0);
  signals = sigfd_open(SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, 0);
  silent = was;
  silent.c_lflag &= ~(tcflag_t)ECHO;
  tcsetattr(tty, TCSAFLUSH, &silent);
  r = prompt(tty, signals, "New password: ", password, e);
  if (r == 0) r = prompt(tty, signals, "Once more: ", &again, e);
  tcsetattr(tty, TCSAFLUSH, &was);
  fd_close(signals);
  (void)sigprocmask(SIG_SETMASK, &mask, 0);
  if (r > 0) {
    raise(r);
    r = refuse(e, "interrupted"); /* where the signal is ignored */
  }
  if (r == 0 && !stralloc_equals(&again, stralloc_cstr(password))) r = refuse(e, "the passwords differ");
  stralloc_wipe(&again);
  return r;
}

static int from_argument(char *arg, stralloc *password, struct strerr *e) {
  int r = stralloc_copys(password, arg) ? 0 : strerr_sys(e, "unable to keep a password", (char *)0);

  explicit_bzero(arg, strlen(arg));
  return r;
}

static int obtain(const struct secret_options *o, char *arg, stralloc *password, struct strerr *e) {
  int tty, r;

  if (o->fd) return read_line((int)o->fd, password, e);
  if (arg && strcmp(arg, "-") != 0) return from_argument(arg, password, e);
  if (arg || !isatty(0)) return read_line(0, password, e);
  tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (tty == -1) return strerr_sys(e, "unable to open the terminal", (char *)0);
  r = ask(tty, password, e);
  fd_close(tty);
  return r;
}

static int print(const stralloc *password, struct strerr *e) {
  stralloc line = STRALLOC_INIT;
  int r = stralloc_catm(&line, "password: ", password->s, "\n", (char *)0) ? fd_write_all(1, line.s, line.len) : -1;

  if (r == -1) strerr_sys(e, "unable to print the password", (char *)0);
  stralloc_wipe(&line);
  return r;
}

static int keep_hash(const stralloc *text, struct secret *out, struct strerr *e) {
  if (!password_is_hash(stralloc_cstr(text)) && !password_is_imported(stralloc_cstr(text)))
    return refuse(e, "with -e a hash of yescrypt, SHA-512, SHA-256 or bcrypt is wanted, or {SCHEME} and a hash");
  stralloc_cut(&out->scram, 0);
  return stralloc_copy(&out->hash, text) ? 0 : strerr_sys(e, "unable to keep a hash", (char *)0);
}

static int derive(const struct secret_options *o, const char *method, const struct conf *conf, const stralloc *password, struct secret *out,
                  struct strerr *e) {
  enum password_scheme scheme;

  if (!password_scheme_find(method, &scheme)) {
    strerr_set(e, "unknown or unsafe hash method ", method, (char *)0);
    e->permanent = 1;
    return -1;
  }
  if (password_hash(scheme, stralloc_cstr(password), &out->hash, e) == -1) return -1;
  return scram_credentials(o->mechanism ? o->mechanism : conf_line(conf, SET_scram_mechanisms),
                           o->iterations ? o->iterations : conf_number(conf, SET_scram_iterations),
                           stralloc_cstr(password), &out->scram, e);
}

/* The method of the domain, from the file hash_method of its directory: 1, 0 it has none, -1. */
static int domain_method(const char *domain, stralloc *method, struct strerr *e) {
  struct assign_user u = {0};
  stralloc cdb = STRALLOC_INIT, key = STRALLOC_INIT;
  int r = paths_file(PATH_USERS, "cdb", &cdb) && stralloc_catm(&key, domain, "-", (char *)0)
              ? assign_find(cdb.s, key.s, key.len, &u, e)
              : strerr_sys(e, "unable to look up the domain", (char *)0);

  stralloc_cut(&cdb, 0);
  if (r == 1) {
    r = stralloc_catm(&cdb, u.home, "/hash_method", (char *)0) ? file_read(cdb.s, method, METHOD_MAX) : -1;
    if (r == -1) strerr_sys(e, "unable to read ", stralloc_cstr(&cdb), (char *)0);
  }
  stralloc_chomp(method);
  assign_user_free(&u);
  stralloc_free(&cdb);
  stralloc_free(&key);
  return r == 1 && !method->len ? 0 : r;
}

/* -h, else PASSWORD_HASH, else the domain's, else control/hash_method. */
static int choose_method(const struct secret_options *o, const struct conf *conf, stralloc *method, struct strerr *e) {
  const char *given = o->method ? o->method : conf_line(conf, SET_hash_method);
  int r = 0;

  if (!o->method && o->domain && conf->v[SET_hash_method].origin != CONF_FROM_VARIABLE)
    r = domain_method(o->domain, method, e);
  if (r == 0) r = stralloc_copys(method, given) ? 1 : strerr_sys(e, "unable to choose a hash", (char *)0);
  return r == 1 ? 0 : -1;
}

/* What contradicts itself or is not done here. */
static int check(const struct secret_options *o, const char *arg, struct strerr *e) {
  if (o->clear || (o->mechanism && !strcmp(o->mechanism, "CRAM")))
    return refuse(e, "a password is never stored as it is: CRAM and -C are not offered, use SCRAM");
  if (o->salt) return refuse(e, "-S: every password gets a fresh salt of its own");
  if (o->random && (arg || o->crypted || o->fd)) return refuse(e, "-r makes up the password itself");
  if (o->fd && arg) return refuse(e, "with -F the password is no argument");
  return 0;
}

int secret_make(const struct secret_options *o, const struct conf *conf, char *arg, struct secret *out,
                struct strerr *e) {
  stralloc password = STRALLOC_INIT, method = STRALLOC_INIT;
  int r = check(o, arg, e);

  if (r == 0 && !o->crypted) r = choose_method(o, conf, &method, e);
  if (r == 0) r = o->random ? password_random(o->random, &password, e) : obtain(o, arg, &password, e);
  if (r == 0) r = o->crypted ? keep_hash(&password, out, e) : derive(o, method.s, conf, &password, out, e);
  if (r == 0 && o->random) r = print(&password, e);
  stralloc_wipe(&password);
  stralloc_free(&password);
  stralloc_free(&method);
  return r;
}

void secret_free(struct secret *s) {
  stralloc_wipe(&s->hash);
  stralloc_wipe(&s->scram);
  stralloc_free(&s->hash);
  stralloc_free(&s->scram);
}
