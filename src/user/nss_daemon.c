/* nss_daemon: see nss_daemon.h. */
#include "user/nss_daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sigfd.h"
#include "base/task.h"
#include "base/wait.h"
#include "user/lookup.h"
#include "user/name.h"
#include "user/nss_proto.h"

#define NAME "nssd: "
#define STACK 131072
#define ASK_SECONDS 2    /* for a client to say what it wants */
#define LOOKUP_SECONDS 4 /* for inlookup */
#define ASKING_MAX 256
#define BATCH 16
#define SHELL "/usr/sbin/nologin" /* nobody logs in to this host as a virtual user */

struct server {
  const struct nss_daemon *d;
  struct loop loop;
  struct tasks tasks;
  struct loop_io listener, signals;
  struct lookup_shelf shelf;
};

struct client {
  struct server *s;
  int fd;
};

/* user+anything is delivered to user, and is nobody's account. */
static int is_own_name(const char *asked, const struct lookup_account *a) {
  struct address address = {STRALLOC_INIT, STRALLOC_INIT};
  int own = address_parse(&address, asked, strlen(asked)) == 1 && stralloc_equals(&address.user, stralloc_cstr(&a->user));

  address_free(&address);
  return own;
}

static int found_answer(stralloc *out, const struct lookup_account *a) {
  stralloc name = STRALLOC_INIT;
  struct nss_account n = {.comment = stralloc_cstr(&a->gecos), .home = stralloc_cstr(&a->home), .shell = SHELL, .uid = a->uid, .gid = a->gid};
  int ok = stralloc_catm(&name, stralloc_cstr(&a->user), "@", stralloc_cstr(&a->domain), (char *)0);

  n.name = stralloc_cstr(&name);
  ok = ok && nss_answer_format(out, a->uid ? NSS_FOUND : NSS_NONE, &n);
  stralloc_free(&name);
  return ok;
}

static int answer(struct server *s, const char *name, stralloc *out) {
  struct lookup l = {.fd = -1, .slow = -1, .shelf = &s->shelf};
  struct lookup_account a = {.inactive = 0};
  struct strlist alias = {0};
  struct strerr e;
  enum lookup_verdict v = lookup_account(&l, name, deadline_in(LOOKUP_SECONDS), &a, &alias, &e);
  int ok;

  lookup_close(&l);
  if (v == LOOKUP_TEMPFAIL) LOG(2, NAME, warning, log_s(e.text));
  if (v == LOOKUP_FOUND && is_own_name(name, &a)) ok = found_answer(out, &a);
  else ok = nss_answer_format(out, v == LOOKUP_TEMPFAIL ? NSS_UNAVAILABLE : NSS_NONE, 0);
  if (s->d->verbose) LOG(2, NAME, info, log_s(v == LOOKUP_FOUND ? "found" : v == LOOKUP_NONE ? "none" : "unavailable"));
  lookup_account_free(&a);
  strlist_free(&alias);
  return ok;
}

/* In a task of its own. */
static void serve(void *ctx) {
  struct client *c = ctx;
  char question[NSS_QUESTION_MAX + 1];
  stralloc out = STRALLOC_INIT;
  const char *name = 0;
  ssize_t n;

  if (wait_fd(c->fd, POLLIN, deadline_in(ASK_SECONDS)) == 0 && (n = recv(c->fd, question, sizeof question, MSG_DONTWAIT)) > 0)
    name = nss_question_parse(question, (size_t)n);
  if (name && answer(c->s, name, &out)) (void)!send(c->fd, out.s, out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
  stralloc_free(&out);
  wait_forget(c->fd);
  fd_close(c->fd);
  free(c);
}

/* Whoever is too many is turned away at once, and told so by the end of the connection. */
static void take(struct server *s, int fd) {
  struct client *c = s->tasks.running < ASKING_MAX ? malloc(sizeof *c) : 0;

  if (c) {
    *c = (struct client){s, fd};
    if (task_start(&s->tasks, fd, serve, c) == 0) return;
    free(c);
  }
  fd_close(fd);
}

static void on_connect(void *ctx, int listener, unsigned events) {
  for (int i = 0; i < BATCH; ++i) {
    int fd = accept4(listener, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd == -1) return;
    take(ctx, fd);
  }
}

static void on_signal(void *ctx, int fd, unsigned events) {
  struct server *s = ctx;
  int sig;

  while ((sig = sigfd_next(fd)) > 0)
    if (sig != SIGHUP) loop_stop(&s->loop);
}

int nss_daemon_run(const struct nss_daemon *d, struct strerr *e) {
  struct server s = {.d = d};
  int r = -1, signals = sigfd_open(SIGTERM, SIGINT, SIGHUP, 0);

  sig_ignore_pipe();
  if (signals != -1 && loop_init(&s.loop) == 0) {
    s.tasks.loop = &s.loop;
    s.tasks.stack = STACK;
    if (loop_io_add(&s.loop, &s.listener, d->listener, LOOP_READ, on_connect, &s) == 0 &&
        loop_io_add(&s.loop, &s.signals, signals, LOOP_READ, on_signal, &s) == 0)
      r = loop_run(&s.loop);
  }
  if (r == -1) strerr_sys(e, "unable to serve", (char *)0);
  return r;
}
