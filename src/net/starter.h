/* starter: a process that starts programs for one that has given up the right to (conf/sandbox.h).
 *
 * starter_begin forks it while we still may: from then on spawn_start of ours asks it, over a
 * SOCK_SEQPACKET pair, with the descriptors of the moves.  What it starts are our children all the
 * same, which we wait for; it starts nothing that the rules it was given do not allow, whatever has
 * become of us, and kills none but what it started.  It ends with us.
 *
 *   request  each of these with a NUL behind it: "S", flags (1 a process group of its own, 2 a
 *            session, 4 stay in the working directory, 8 with the starter's environment), bits of
 *            the signals held, number of moves, what each moves to (with a "n" before it: /dev/null,
 *            for which no descriptor comes), working directory, path, number of arguments, the
 *            arguments, the variables
 *            "K" NUL pid NUL
 *   answer   pid NUL errno NUL text of the error NUL; K has none */
#ifndef NET_STARTER_H
#define NET_STARTER_H

#include "base/env.h"
#include "base/spawn.h"
#include "base/stralloc.h"
#include "base/strerr.h"

#define STARTER_REQUEST_MAX 131072
#define STARTER_ARGS_MAX 64
#define STARTER_VARS_MAX 1024

/* What may be started.  Called in the starter, with all of it checked for form only; s->envp is not
 * null.  1, or 0 with e filled. */
struct starter_rules {
  int (*may)(void *ctx, const struct spawn *s, struct strerr *e);
  void *ctx;
};

/* lost is called (in us) when the starter is found gone: nothing can be started any more.  0, or -1
 * with e filled.  To be called once, with no threads, and before there are secrets in memory: they
 * would be in the starter's too. */
int starter_begin(const struct starter_rules *rules, void (*lost)(void), struct strerr *e) MUST_CHECK;

/* The codec.  set_ids, keep_signals and record_fd cannot be asked for. */
int starter_format(stralloc *out, const struct spawn *s) MUST_CHECK; /* 1; 0 no memory, or it does not fit */
struct starter_request {
  struct spawn s; /* all of it points into the text; move[].from is to be filled where it is -1 */
  char *argv[STARTER_ARGS_MAX + 1];
  char *envp[STARTER_VARS_MAX + 1];
};
/* 1 or 0: it is none, or its moves are not those of exactly fds descriptors. */
int starter_parse(const char *text, size_t n, size_t fds, struct starter_request *r);

#endif
