/* checker: what the programs that check a password by the checkpassword interface share.
 *
 * Descriptor 3 gives at most 512 bytes, fields that each end with a NUL:
 *   a check    user, password (or challenge), response, and perhaps a byte for the mechanism
 *   a change   user, old password, new password; or, the older form, user, old password
 *              (or challenge), response, new password
 * A program that does not know the user, or for whom the password is wrong, runs the next one
 * with the same bytes.  What was read is overwritten before the program ends. */
#ifndef USER_CHECKER_H
#define USER_CHECKER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "base/strerr.h"

#define CHECKER_FD 3
#define CHECKER_INPUT 512

/* Exit codes of the interface. */
enum { CHECKER_REFUSED = 1, CHECKER_MISUSE = 2, CHECKER_NO_RELAY = 3, CHECKER_TEMPORARY = 111 };

struct checker {
  char text[CHECKER_INPUT + 1];
  size_t len;
  const char *user, *password, *response; /* in text */
  const char *fresh;                      /* of a change: the new password */
};

/* Take c->text apart: 0, or CHECKER_MISUSE when it is none of that form. */
int checker_parse(struct checker *c) MUST_CHECK;
int checker_parse_change(struct checker *c) MUST_CHECK;
/* Everything descriptor 3 has, parsed: the same. */
int checker_read(struct checker *c, int (*parse)(struct checker *)) MUST_CHECK;
/* Is it a password, rather than a challenge with its response? */
int checker_is_plain(const struct checker *c);

struct checker_account {
  stralloc user, home;
  uid_t uid;
  gid_t gid;
  int no_relay; /* right, but may not send mail on */
};
void checker_account_free(struct checker_account *a);

enum checker_verdict {
  CHECK_RIGHT,
  CHECK_WRONG,    /* or nobody we know: another program may know better */
  CHECK_BARRED,   /* right, but this user may not: nobody else is asked */
  CHECK_TEMPFAIL, /* could not be found out */
};
/* Judges a user and a password that are not empty; a is to be filled when it is right, e for
 * anything worth saying. */
typedef enum checker_verdict (*checker_judge)(void *ctx, const struct checker *c, struct checker_account *a, struct strerr *e);

struct checker_program {
  const char *name; /* for messages */
  checker_judge judge;
  void *ctx;
  int native; /* argv is run when the password is right, as Dovecot wants it */
  const char *postauth; /* program to run for a user who is let in, else; null or "": none.  Its code is ours: other
                           than 0 keeps the user out */
};
/* All of it: reads descriptor 3, judges, runs the next program of argv or the one for a user who is
 * let in.  The exit code. */
int checker_main(const struct checker_program *p, char **argv);
/* The next program gets what was read; without one, or with a last one named true (which ends a
 * classic chain as success), it is a refusal.  c is wiped; name is ours, for messages.  The exit code. */
int checker_next(const char *name, struct checker *c, char **argv);
void checker_wipe(struct checker *c);

/* The other side: such a program is asked.  With its standard input, and output unless that is wanted, at
 * /dev/null. */
struct checker_question {
  char *const *argv;
  char *const *envp; /* as in struct spawn */
  const stralloc *text;     /* for descriptor 3: not more than a pipe holds, 65536 bytes */
  stralloc *answer;         /* what it says on this descriptor, cut at 255 bytes; or null */
  int answer_fd;
  deadline when; /* it is killed then */
};
/* Its exit code, or -1 with e filled.  Waits as base/wait.h does. */
int checker_run(const struct checker_question *q, struct strerr *e) MUST_CHECK;
/* The same with n fields, each to be ended by a NUL, and an answer on standard output.  Also -1, with e
 * permanent, when they are more than 512 bytes. */
int checker_ask(struct checker_question *q, const char *const *field, size_t n, struct strerr *e) MUST_CHECK;

#endif
