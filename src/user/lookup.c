/* lookup: see lookup.h.  One connection per pool of workers, kept for the next query.
 * A kept connection may have died with its worker: a query that fails before any
 * byte of its answer is asked once more on a new one. */
#include "user/lookup.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "base/iodeadline.h"
#include "base/scan.h"
#include "base/wait.h"
#include "conf/paths.h"
#include "user/lookup_proto.h"

static const char *const socket_names[] = {[LOOKUP_QUICK] = "inlookup/socket", [LOOKUP_SLOW] = "inlookup/verify"};

int lookup_socket_path(int slow, stralloc *path) {
  return paths_file(PATH_RUN, socket_names[slow ? LOOKUP_SLOW : LOOKUP_QUICK], path);
}

static int *fd_of(struct lookup *l, enum lookup_pool pool) {
  return pool == LOOKUP_SLOW ? &l->slow : &l->fd;
}

static void close_fd(int *fd) {
  if (*fd > 0) close(*fd);
  *fd = -1;
}

/* Connects, waiting where the daemon's queue is full: 0 or -1 with e filled. */
static int connect_pool(struct lookup *l, enum lookup_pool pool, deadline when, struct strerr *e) {
  struct sockaddr_un sa = {.sun_family = AF_UNIX};
  stralloc path = STRALLOC_INIT;
  int fd = -1, r = -1;

  errno = ENOMEM;
  if (lookup_socket_path(pool == LOOKUP_SLOW, &path)) {
    errno = ENAMETOOLONG;
    if (path.len < sizeof sa.sun_path) {
      memcpy(sa.sun_path, path.s, path.len + 1);
      fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
  }
  while (fd != -1 && (r = connect(fd, (struct sockaddr *)&sa, sizeof sa)) == -1 && errno == EAGAIN) {
    if (mono_now() >= when) {
      errno = ETIMEDOUT;
      break;
    }
    wait_until(mono_now() + 5 * NS_PER_MS); /* a full backlog cannot be waited for otherwise */
  }
  if (r == -1) {
    strerr_sys(e, "unable to ask inlookup at ", stralloc_cstr(&path), (char *)0);
    fd = fd_close(fd);
  }
  stralloc_free(&path);
  if (r == 0) fd_block(fd); /* who waits for an answer alone waits in the read */
  *fd_of(l, pool) = fd;
  if (pool == LOOKUP_QUICK) l->patience = 0;
  return r;
}

/* All of it, without a SIGPIPE for a caller who does not expect one. */
static int send_all(int fd, const char *s, size_t n, deadline when) {
  while (n) {
    ssize_t w = send(fd, s, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (w == -1 && (errno == EINTR || (errno == EAGAIN && wait_fd(fd, POLLOUT, when) == 0))) continue;
    if (w == -1) return -1;
    s += w;
    n -= (size_t)w;
  }
  return 0;
}

/* Sends the request and reads one whole answer.  0; -1 failed; -2 failed before any
 * byte came back. */
static int exchange_on(struct iodeadline *io, const stralloc *request, stralloc *answer, struct strerr *e) {
  long whole;

  if (send_all(io->fd, request->s, request->len, io->when) == -1) {
    strerr_sys(e, "unable to ask inlookup", (char *)0);
    return -2;
  }
  stralloc_cut(answer, 0);
  for (;;) {
    ssize_t r;

    if (!stralloc_readyplus(answer, 1024)) return strerr_sys(e, "unable to ask inlookup", (char *)0);
    r = iodeadline_answer(io, answer->s + answer->len, answer->a - 1 - answer->len);
    if (r == 0) strerr_set(e, "inlookup closed the connection", (char *)0);
    if (r == -1) strerr_sys(e, "no answer from inlookup", (char *)0);
    if (r <= 0) return answer->len || (r == -1 && errno == ETIMEDOUT) ? -1 : -2;
    answer->len += (size_t)r;
    answer->s[answer->len] = 0;
    whole = lookup_frame(answer->s, answer->len, LOOKUP_ANSWER_MAX);
    if (whole == (long)answer->len) return 0;
    if (whole) return strerr_set(e, "malformed answer from inlookup", (char *)0);
  }
}

static int exchange(struct lookup *l, enum lookup_pool pool, const stralloc *request, stralloc *answer, deadline when, struct strerr *e) {
  struct iodeadline io = {.fd = *fd_of(l, pool), .when = when, .session = DEADLINE_NEVER};
  int r;

  if (pool == LOOKUP_QUICK) io.patience = l->patience;
  r = exchange_on(&io, request, answer, e);
  if (pool == LOOKUP_QUICK) l->patience = io.patience;
  return r;
}

/* Why not, if that is told. */
static enum lookup_verdict none(struct lookup_reader *r, struct strerr *e) {
  struct lookup_field f = {"", 0};
  stralloc why = STRALLOC_INIT;

  if (r && lookup_answer_next(r, &f) == 1) (void)!stralloc_copyb(&why, f.s, f.n);
  strerr_set(e, stralloc_cstr(&why), (char *)0);
  stralloc_free(&why);
  return LOOKUP_NONE;
}

/* What an answer's status means, its text into e where it is trouble. */
static enum lookup_verdict judge(const stralloc *answer, struct lookup_reader *r, int *kept, struct strerr *e) {
  int status = lookup_answer_parse(answer->s, answer->len, r);
  struct lookup_field f = {"", 0};
  stralloc text = STRALLOC_INIT;

  *kept = status == LOOKUP_STATUS_kept;
  if (status == LOOKUP_STATUS_ok || *kept) return LOOKUP_FOUND;
  if (status == LOOKUP_STATUS_none) return none(r, e);
  if (status == LOOKUP_STATUS_denied) {
    strerr_set(e, "inlookup refuses to tell this user", (char *)0);
    return LOOKUP_TEMPFAIL;
  }
  if (status == -1 || lookup_answer_next(r, &f) != 1) f = (struct lookup_field){"malformed answer", 16};
  (void)!stralloc_copyb(&text, f.s, f.n);
  strerr_set(e, "inlookup: ", stralloc_cstr(&text), (char *)0);
  stralloc_free(&text);
  return LOOKUP_TEMPFAIL;
}

/* One that was kept, if there is any: 1 or 0. */
static int from_shelf(struct lookup *l, enum lookup_pool pool) {
  if (!l->shelf || !l->shelf->n || pool != LOOKUP_QUICK) return 0;
  l->fd = l->shelf->fd[--l->shelf->n];
  l->patience = 0;
  return 1;
}

/* The daemon was started anew: none of them is any good. */
static void clear_shelf(struct lookup *l) {
  while (l->shelf && l->shelf->n) fd_close(l->shelf->fd[--l->shelf->n]);
}

/* Asks; on FOUND the fields are in *r, which points into *answer. */
static enum lookup_verdict ask_as_it_is(struct lookup *l, enum lookup_op op, const char *const *arg, deadline when,
                                        stralloc *answer, struct lookup_reader *r, struct strerr *e) {
  enum lookup_pool pool = lookup_ops[op].pool;
  int *fd = fd_of(l, pool);
  stralloc request = STRALLOC_INIT;
  int kept = *fd > 0 || from_shelf(l, pool);
  int done = -1;

  if (!lookup_request_fmt(&request, 0, op, arg)) {
    strerr_set(e, "the query is too long", (char *)0);
    stralloc_wipe(&request);
    return LOOKUP_TEMPFAIL;
  }
  if (kept || connect_pool(l, pool, when, e) == 0) done = exchange(l, pool, &request, answer, when, e);
  if (done == -2 && kept) {
    close_fd(fd);
    clear_shelf(l);
    done = connect_pool(l, pool, when, e) == 0 ? exchange(l, pool, &request, answer, when, e) : -1;
  }
  stralloc_wipe(&request);
  if (done == 0) return judge(answer, r, &l->kept, e);
  close_fd(fd);
  return LOOKUP_TEMPFAIL;
}

/* Is the first argument the name of a login? */
static int is_login(enum lookup_op op) {
  return op == LOOKUP_OP_verify || op == LOOKUP_OP_session || op == LOOKUP_OP_scram_first || op == LOOKUP_OP_scram_final || op == LOOKUP_OP_atrn;
}

/* A name without a domain goes as name@[address of ours]: inlookup knows the domain. */
static enum lookup_verdict ask(struct lookup *l, enum lookup_op op, const char *const *arg, deadline when,
                               stralloc *answer, struct lookup_reader *r, struct strerr *e) {
  const char *completed[LOOKUP_ARGUMENTS_MAX] = {0};
  stralloc name = STRALLOC_INIT;
  enum lookup_verdict v;

  if (!is_login(op) || !l->here || !*l->here || strchr(arg[0], '@')) return ask_as_it_is(l, op, arg, when, answer, r, e);
  for (size_t i = 1; i < lookup_ops[op].arguments; ++i) completed[i] = arg[i];
  if (stralloc_catm(&name, arg[0], "@[", l->here, "]", (char *)0)) {
    completed[0] = name.s;
    v = ask_as_it_is(l, op, completed, when, answer, r, e);
  } else {
    strerr_set(e, "out of memory", (char *)0);
    v = LOOKUP_TEMPFAIL;
  }
  stralloc_free(&name);
  return v;
}

static enum lookup_verdict malformed(struct strerr *e) {
  strerr_set(e, "malformed answer from inlookup", (char *)0);
  return LOOKUP_TEMPFAIL;
}

/* Would no user have this name?  Then nobody need be asked. */
static int too_long(const char *s) {
  return strlen(s) > 1024;
}

enum lookup_verdict lookup_user(struct lookup *l, const char *addr, deadline when,
                                enum lookup_state *state, struct strerr *e) {
  static const char *const names[] = {
      [LOOKUP_ACTIVE] = "active",
      [LOOKUP_INACTIVE] = "inactive",
      [LOOKUP_OVERQUOTA] = "overquota",
      [LOOKUP_ALIAS] = "alias",
  };
  const char *arg[] = {addr};
  stralloc answer = STRALLOC_INIT;
  struct lookup_reader r;
  struct lookup_field f;
  enum lookup_verdict v;

  if (too_long(addr)) return LOOKUP_NONE;
  v = ask(l, LOOKUP_OP_user, arg, when, &answer, &r, e);
  if (v == LOOKUP_FOUND) {
    v = malformed(e);
    if (lookup_answer_next(&r, &f) == 1)
      for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
        if (bytes_equal(f.s, f.n, names[i], strlen(names[i]))) {
          *state = (enum lookup_state)i;
          v = LOOKUP_FOUND;
        }
  }
  stralloc_free(&answer);
  return v;
}

/* The fields of an account, in the order lookup_ops.def gives. */
static int read_account(struct lookup_reader *r, struct lookup_account *a) {
  stralloc *const text[] = {&a->user, &a->domain, &a->gecos, &a->home, &a->quota};
  uint32_t *const number[] = {&a->uid, &a->gid, &a->flags};
  struct lookup_field f;

  for (size_t i = 0; i < sizeof text / sizeof *text; ++i)
    if (lookup_answer_next(r, &f) != 1 || !stralloc_copyb(text[i], f.s, f.n)) return 0;
  for (size_t i = 0; i < sizeof number / sizeof *number; ++i)
    if (lookup_answer_next(r, &f) != 1 || !scan_u32(f.s, f.n, number[i])) return 0;
  if (lookup_answer_next(r, &f) != 1) return 0;
  a->inactive = !bytes_equal(f.s, f.n, "1", 1);
  return 1;
}

/* The fields that are left. */
static int read_lines(struct lookup_reader *r, struct strlist *lines) {
  struct lookup_field f;
  int more;

  while ((more = lookup_answer_next(r, &f)) == 1)
    if (!strlist_add(lines, f.s, f.n)) return 0;
  return more == 0;
}

static enum lookup_verdict ask_account(struct lookup *l, enum lookup_op op, const char *const *arg, deadline when,
                                       struct lookup_account *a, struct strlist *alias, struct strerr *e) {
  stralloc answer = STRALLOC_INIT;
  struct lookup_reader r;
  enum lookup_verdict v = ask(l, op, arg, when, &answer, &r, e);

  if (v == LOOKUP_FOUND && (!read_account(&r, a) || (alias && !read_lines(&r, alias)))) v = malformed(e);
  stralloc_free(&answer);
  return v;
}

enum lookup_verdict lookup_account(struct lookup *l, const char *addr, deadline when,
                                   struct lookup_account *a, struct strlist *alias, struct strerr *e) {
  const char *arg[] = {addr};

  strlist_clear(alias);
  return too_long(addr) ? LOOKUP_NONE : ask_account(l, LOOKUP_OP_account, arg, when, a, alias, e);
}

enum lookup_verdict lookup_verify(struct lookup *l, const char *addr, const char *password,
                                  const char *service, const char *ip, deadline when,
                                  struct lookup_account *a, struct strerr *e) {
  const char *arg[] = {addr, password, service, ip};

  if (too_long(addr) || too_long(password)) return none(0, e);
  return ask_account(l, LOOKUP_OP_verify, arg, when, a, 0, e);
}

enum lookup_verdict lookup_passwd(struct lookup *l, const char *addr, const char *password, const char *fresh,
                                  const char *ip, deadline when, stralloc *why, struct strerr *e) {
  const char *arg[] = {addr, password, fresh, ip};
  stralloc answer = STRALLOC_INIT;
  struct lookup_reader r;
  struct lookup_field f;
  enum lookup_verdict v;

  stralloc_cut(why, 0);
  if (too_long(addr) || too_long(password) || too_long(fresh)) return LOOKUP_NONE;
  v = ask(l, LOOKUP_OP_passwd, arg, when, &answer, &r, e);
  if (v == LOOKUP_FOUND && (lookup_answer_next(&r, &f) != 1 ||
                            (!bytes_equal(f.s, f.n, "changed", 7) &&
                             (lookup_answer_next(&r, &f) != 1 || !f.n || !stralloc_copyb(why, f.s, f.n)))))
    v = malformed(e);
  stralloc_free(&answer);
  return v;
}

enum lookup_verdict lookup_scram_first(struct lookup *l, const char *addr, const char *mechanism, deadline when,
                                       struct lookup_scram *s, struct strerr *e) {
  const char *arg[] = {addr, mechanism};
  stralloc answer = STRALLOC_INIT;
  struct lookup_reader r;
  struct lookup_field f;
  enum lookup_verdict v = ask(l, LOOKUP_OP_scram_first, arg, when, &answer, &r, e);

  if (v == LOOKUP_FOUND && (lookup_answer_next(&r, &f) != 1 || !stralloc_copyb(&s->salt, f.s, f.n) ||
                            lookup_answer_next(&r, &f) != 1 || !scan_u64(f.s, f.n, &s->iterations)))
    v = malformed(e);
  stralloc_free(&answer);
  return v;
}

enum lookup_verdict lookup_session(struct lookup *l, const char *addr, const char *service, const char *ip, deadline when,
                                   struct lookup_account *a, struct strerr *e) {
  const char *arg[] = {addr, service, ip};

  if (too_long(addr)) return none(0, e);
  return ask_account(l, LOOKUP_OP_session, arg, when, a, 0, e);
}

enum lookup_verdict lookup_scram_final(struct lookup *l, const struct lookup_proof *p, deadline when,
                                       stralloc *signature, struct lookup_account *a, struct strerr *e) {
  const char *arg[] = {p->addr, p->mechanism, p->service, p->ip, p->text, p->proof};
  stralloc answer = STRALLOC_INIT;
  struct lookup_reader r;
  struct lookup_field f;
  enum lookup_verdict v = ask(l, LOOKUP_OP_scram_final, arg, when, &answer, &r, e);

  if (v == LOOKUP_FOUND &&
      (lookup_answer_next(&r, &f) != 1 || !stralloc_copyb(signature, f.s, f.n) || !read_account(&r, a)))
    v = malformed(e);
  stralloc_free(&answer);
  return v;
}

/* Texts of an answer. */
static enum lookup_verdict ask_lines(struct lookup *l, enum lookup_op op, const char *addr, deadline when, struct strlist *lines, struct strerr *e) {
  const char *arg[] = {addr};
  stralloc answer = STRALLOC_INIT;
  struct lookup_reader r;
  enum lookup_verdict v;

  strlist_clear(lines);
  if (too_long(addr)) return LOOKUP_NONE;
  v = ask(l, op, arg, when, &answer, &r, e);
  if (v == LOOKUP_FOUND && !read_lines(&r, lines)) v = malformed(e);
  stralloc_free(&answer);
  return v;
}

enum lookup_verdict lookup_alias(struct lookup *l, const char *addr, deadline when,
                                 struct strlist *lines, struct strerr *e) {
  return ask_lines(l, LOOKUP_OP_alias, addr, when, lines, e);
}

enum lookup_verdict lookup_filters(struct lookup *l, const char *addr, deadline when, stralloc *home, struct strlist *rules, struct strerr *e) {
  const char *arg[] = {addr};
  stralloc answer = STRALLOC_INIT;
  struct lookup_reader r;
  struct lookup_field f;
  enum lookup_verdict v;

  strlist_clear(rules);
  if (too_long(addr)) return LOOKUP_NONE;
  v = ask(l, LOOKUP_OP_filters, arg, when, &answer, &r, e);
  if (v == LOOKUP_FOUND && (lookup_answer_next(&r, &f) != 1 || !stralloc_copyb(home, f.s, f.n) || !read_lines(&r, rules))) v = malformed(e);
  if (v == LOOKUP_FOUND && !rules->len) v = LOOKUP_NONE;
  stralloc_free(&answer);
  return v;
}

enum lookup_verdict lookup_atrn(struct lookup *l, const char *addr, deadline when,
                                struct strlist *domains, struct strerr *e) {
  return ask_lines(l, LOOKUP_OP_atrn, addr, when, domains, e);
}

/* The first field of an answer. */
static enum lookup_verdict ask_one(struct lookup *l, enum lookup_op op, const char *const *arg, deadline when, stralloc *out,
                                   struct strerr *e) {
  stralloc answer = STRALLOC_INIT;
  struct lookup_reader r;
  struct lookup_field f;
  enum lookup_verdict v = ask(l, op, arg, when, &answer, &r, e);

  if (v == LOOKUP_FOUND && (lookup_answer_next(&r, &f) != 1 || !stralloc_copyb(out, f.s, f.n))) v = malformed(e);
  stralloc_free(&answer);
  return v;
}

enum lookup_verdict lookup_listed(struct lookup *l, const char *list, int is_name, const char *subject, size_t n, deadline when,
                                  int *back, struct strerr *e) {
  stralloc text = STRALLOC_INIT, state = STRALLOC_INIT;
  const char *arg[] = {list, is_name ? "name" : "address", ""};
  enum lookup_verdict v = LOOKUP_TEMPFAIL;

  if (!stralloc_copyb(&text, subject, n)) strerr_set(e, "out of memory", (char *)0);
  else {
    arg[2] = stralloc_cstr(&text);
    v = too_long(arg[2]) ? LOOKUP_NONE : ask_one(l, LOOKUP_OP_listed, arg, when, &state, e);
  }
  *back = stralloc_equals(&state, "back");
  if (v == LOOKUP_FOUND && stralloc_equals(&state, "none")) v = LOOKUP_NONE;
  else if (v == LOOKUP_FOUND && !*back && !stralloc_equals(&state, "in")) v = malformed(e);
  stralloc_free(&text);
  stralloc_free(&state);
  return v;
}

enum lookup_verdict lookup_overquota(struct lookup *l, const char *addr, uint64_t bytes, deadline when, struct strerr *e) {
  char text[FMT_U64 + 1];
  const char *arg[] = {addr, fmt_u64_z(text, bytes)};
  stralloc state = STRALLOC_INIT;
  enum lookup_verdict v;

  v = too_long(addr) ? LOOKUP_NONE : ask_one(l, LOOKUP_OP_overquota, arg, when, &state, e);
  if (v == LOOKUP_FOUND && stralloc_equals(&state, "same")) v = LOOKUP_NONE;
  stralloc_free(&state);
  return v;
}

enum lookup_verdict lookup_times(struct lookup *l, const char *addr, deadline when, struct lookup_times *t, struct strerr *e) {
  const char *arg[] = {addr};
  stralloc answer = STRALLOC_INIT;
  struct lookup_reader r;
  struct lookup_field added, password;
  enum lookup_verdict v;

  *t = (struct lookup_times){0, 0};
  v = too_long(addr) ? LOOKUP_NONE : ask(l, LOOKUP_OP_times, arg, when, &answer, &r, e);
  if (v == LOOKUP_FOUND && (lookup_answer_next(&r, &added) != 1 || lookup_answer_next(&r, &password) != 1 ||
                            !scan_u64(added.s, added.n, &t->added) || !scan_u64(password.s, password.n, &t->password)))
    v = malformed(e);
  stralloc_free(&answer);
  return v;
}

enum lookup_verdict lookup_relay(struct lookup *l, const char *ip, deadline when, stralloc *user, struct strerr *e) {
  const char *arg[] = {ip};

  return too_long(ip) ? LOOKUP_NONE : ask_one(l, LOOKUP_OP_relay, arg, when, user, e);
}

enum lookup_verdict lookup_domain(struct lookup *l, const char *domain, deadline when,
                                  stralloc *real, struct strerr *e) {
  const char *arg[] = {domain};

  return too_long(domain) ? LOOKUP_NONE : ask_one(l, LOOKUP_OP_domain, arg, when, real, e);
}

void lookup_account_free(struct lookup_account *a) {
  stralloc_free(&a->user);
  stralloc_free(&a->domain);
  stralloc_free(&a->gecos);
  stralloc_free(&a->home);
  stralloc_free(&a->quota);
}

void lookup_close(struct lookup *l) {
  if (l->fd > 0 && l->shelf && l->shelf->n < LOOKUP_SHELF) {
    l->shelf->fd[l->shelf->n++] = l->fd;
    l->fd = -1;
  }
  close_fd(&l->fd);
  close_fd(&l->slow);
}
