/* secret: see secret.h. */
#include "user/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/substdio.h"
#include "crypt/password.h"
#include "crypt/password_import.h"
#include "crypt/scram.h"

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

static int prompt(int tty, const char *text, stralloc *line, struct strerr *e) {
  if (fd_write_all(tty, text, strlen(text)) == -1) return strerr_sys(e, "unable to ask", (char *)0);
  if (read_line(tty, line, e) == -1) return -1;
  return fd_write_all(tty, "\n", 1);
}

/* Twice, without echo. */
static int ask(int tty, stralloc *password, struct strerr *e) {
  stralloc again = STRALLOC_INIT;
  struct termios was, silent;
  int r;

  if (tcgetattr(tty, &was) == -1) return strerr_sys(e, "unable to use the terminal", (char *)0);
  silent = was;
  silent.c_lflag &= ~(tcflag_t)ECHO;
  tcsetattr(tty, TCSAFLUSH, &silent);
  r = prompt(tty, "New password: ", password, e);
  if (r == 0) r = prompt(tty, "Once more: ", &again, e);
  tcsetattr(tty, TCSAFLUSH, &was);
  if (r == 0 && !stralloc_equals(&again, stralloc_cstr(password))) r = refuse(e, "the passwords differ");
  stralloc_wipe(&again);
  return r;
}

static int obtain(char *arg, stralloc *password, struct strerr *e) {
  int tty, r;

  if (arg && strcmp(arg, "-") != 0) {
    r = stralloc_copys(password, arg) ? 0 : strerr_sys(e, "unable to keep a password", (char *)0);
    explicit_bzero(arg, strlen(arg));
    return r;
  }
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

static int derive(const char *method, const struct conf *conf, const stralloc *password, struct secret *out,
                  struct strerr *e) {
  enum password_scheme scheme;

  if (!password_scheme_find(method, &scheme)) {
    strerr_set(e, "unknown or unsafe hash method ", method, (char *)0);
    e->permanent = 1;
    return -1;
  }
  if (password_hash(scheme, stralloc_cstr(password), &out->hash, e) == -1) return -1;
  return scram_credentials(conf_line(conf, SET_scram_mechanisms), conf_number(conf, SET_scram_iterations),
                           stralloc_cstr(password), &out->scram, e);
}

int secret_make(const struct secret_options *o, const struct conf *conf, char *arg, struct secret *out,
                struct strerr *e) {
  stralloc password = STRALLOC_INIT;
  const char *method = o->method ? o->method : conf_line(conf, SET_hash_method);
  int r;

  if (o->random && (arg || o->crypted)) return refuse(e, "-r makes up the password itself");
  r = o->random ? password_random(o->random, &password, e) : obtain(arg, &password, e);
  if (r == 0) r = o->crypted ? keep_hash(&password, out, e) : derive(method, conf, &password, out, e);
  if (r == 0 && o->random) r = print(&password, e);
  stralloc_wipe(&password);
  return r;
}

void secret_free(struct secret *s) {
  stralloc_wipe(&s->hash);
  stralloc_wipe(&s->scram);
  stralloc_free(&s->hash);
  stralloc_free(&s->scram);
}
