/* domain_files: the parts of a virtual domain that are files: its directory with .qmail-default,
 * the directories of its mailboxes, its line in users/assign, the control files that name it.
 * Each step may be repeated.  Callers hold the lock of site_lock.  0, or -1 with e filled,
 * where nothing else is said. */
#ifndef USER_DOMAIN_FILES_H
#define USER_DOMAIN_FILES_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strlist.h"
#include "user/identity.h"

/* The directory of a domain, below PATH_DOMAINS where below is "". */
int domain_dir(const char *below, const char *name, stralloc *path, struct strerr *e) MUST_CHECK;

/* The directory itself, of the domain's user and the group of the mail user: by that inlookup looks into
 * it, and new files inherit it.  One that is there is given these. */
int domain_dir_make(const char *dir, const struct identity *owner, struct strerr *e) MUST_CHECK;
/* Is it so?  1, 0, 2 there is none, -1. */
int domain_dir_ok(const char *dir, const struct identity *owner, struct strerr *e) MUST_CHECK;

struct domain_default {
  int filter;          /* vfilter rather than vdelivermail */
  const char *handler; /* as vdeliver_action_ok wants it */
};
int domain_default_write(const char *dir, const struct domain_default *d, const struct identity *owner, struct strerr *e) MUST_CHECK;
/* There has to be a program vfilter, or all mail would wait: 0, or -1 (permanent). */
int domain_filter_check(struct strerr *e) MUST_CHECK;
/* -1 (permanent) too for a file that an administrator wrote. */
int domain_default_read(const char *dir, int *filter, stralloc *handler, struct strerr *e) MUST_CHECK;

/* Users a directory from now on. */
int domain_per_level_write(const char *dir, uint64_t number, const struct identity *owner, struct strerr *e) MUST_CHECK;

int domain_trees_make(const char *base, const char *name, const struct identity *owner, struct strerr *e) MUST_CHECK;
int domain_trees_remove(const char *base, const char *name, struct strerr *e) MUST_CHECK;
int domain_trees_rename(const char *base, const char *old, const char *new, struct strerr *e) MUST_CHECK;
/* Renamed already, or nothing there to rename, is success. */
int domain_path_rename(const char *old, const char *new, struct strerr *e) MUST_CHECK;

/* compile: make users/cdb of it too. */
int domain_assign_add(const char *name, const char *dir, const struct identity *owner, int compile, struct strerr *e) MUST_CHECK;
/* 1 there was a line, 0 there was none, -1. */
int domain_assign_remove(const char *name, struct strerr *e) MUST_CHECK;

int domain_controls_add(const char *name, int check_rcpt, struct strerr *e) MUST_CHECK;
/* 1 if the domain stood in one of them, 0, -1. */
int domain_controls_remove(const char *name, struct strerr *e) MUST_CHECK;
/* Is it listed among those whose recipients are checked?  1, 0, -1. */
int domain_checks_rcpt(const char *name, struct strerr *e) MUST_CHECK;

#endif
