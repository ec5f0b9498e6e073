/* maildup: has the same message been delivered here of late?  The file dupmd5 of a mailbox has a
 * line "TIME DIGEST" for each message of the last while.
 *
 * The same is what has the same text and header, but for what the way it took has added: Received,
 * Delivered-To, X-Delivered-To, Return-Path. */
#ifndef USER_MAILDUP_H
#define USER_MAILDUP_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"

#define MAILDUP_FILE "dupmd5"
#define MAILDUP_DIGEST 64 /* hexadecimal digits */

/* Of the message fd has from its start; where that is at afterwards is not said.  0, or -1 with e filled. */
int maildup_digest(int fd, char digest[MAILDUP_DIGEST + 1], struct strerr *e) MUST_CHECK;

struct maildup {
  int fd; /* the file, locked: who else has the same message waits */
  stralloc text;
};
/* Waits for the lock.  0, or -1 with e filled. */
int maildup_open(struct maildup *m, const char *dir, struct strerr *e) MUST_CHECK;
/* Is it there, and no older than age? */
int maildup_has(const struct maildup *m, const char *digest, int64_t now, int64_t age);
/* Note it, and forget what is older: 0, or -1 with e filled. */
int maildup_add(struct maildup *m, const char *digest, int64_t now, int64_t age, struct strerr *e) MUST_CHECK;
void maildup_close(struct maildup *m);

/* The next line of the text that has the form, from *at on: 1 with its parts, or 0. */
int maildup_line(const char *s, size_t n, size_t *at, int64_t *when, const char **digest);

#endif
