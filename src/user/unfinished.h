/* unfinished: the note users/.unfinished that a program writes before it changes a name or a
 * place in several steps, and removes after the last.  Where one is found, the program that
 * wrote it was killed: its steps can all be repeated, and the next program that wants to make
 * such a change, or vdominfo --repair, does so first.  Callers hold the lock of site_lock. */
#ifndef USER_UNFINISHED_H
#define USER_UNFINISHED_H

#include "user/site.h"

/* Write a note of these words, up to a null pointer (no LF in them).  0 or -1. */
int unfinished_write(const char *const *words, struct strerr *e) MUST_CHECK;
/* 1 with the words of the note, 0 there is none, -1. */
int unfinished_read(struct strlist *words, struct strerr *e) MUST_CHECK;
int unfinished_clear(struct strerr *e) MUST_CHECK;
/* Carry out what a note says, if there is one: 1 there was one, 0, -1.  2: what it says could not be done, for the
 * reason in e, and was taken back: there is no note any more. */
int unfinished_finish(struct site *s, struct strerr *e) MUST_CHECK;

/* What can be unfinished, by the first word of the note: user/domain_rename.c,
 * user/account_move.c.  0, -1, or 1: taken back, e says why. */
#define UNFINISHED_DOMAIN_WORDS 3 /* domain, old, new */
int domain_rename_steps(struct site *s, const struct strlist *words, struct strerr *e) MUST_CHECK;
#define UNFINISHED_USER_WORDS 7 /* user, name, domain, home, new name, new domain, new home */
int account_move_steps(struct site *s, const struct strlist *words, struct strerr *e) MUST_CHECK;

#endif
