/* file: whole files, read and replaced. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/stralloc.h"

/* Put the file's bytes into sa (replacing what was there): 1, 0 if it does not
 * exist, -1 with errno (EFBIG when larger than max). */
int file_read(const char *path, stralloc *sa, size_t max) MUST_CHECK;
/* Replace path by buf so that a reader, or a crash, sees the old or the new file
 * and nothing else: path.PID.tmp, fsync, rename, fsync of the directory.  An
 * existing file's owner is kept where we may. 0 or -1 with errno. */
int file_replace(const char *path, const char *buf, size_t len, mode_t mode) MUST_CHECK;
/* Removes what file_replace left of path when its process was killed: nothing of a process that lives. */
void file_sweep(const char *path);
/* mkdir that takes an existing directory as success. */
int file_mkdir(const char *path, mode_t mode) MUST_CHECK;
/* The directory part of path into dir ("." when there is none). */
int file_dirname(const char *path, stralloc *dir) MUST_CHECK;
/* h changed by everything that tells one state of the file at path from another (or from none):
 * a number to compare.  Start from FILE_STAMP. */
#define FILE_STAMP UINT64_C(14695981039346656037)
uint64_t file_stamp(uint64_t h, const char *path);
/* A name that may be one component of a path: not empty, no slash, no NUL in
 * n bytes, not . or .., at most 255 bytes. */
int file_name_ok(const char *s, size_t n);

#endif
