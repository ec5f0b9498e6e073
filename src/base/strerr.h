/* strerr: error texts.  Libraries fill a struct strerr with what they tried, on
 * which object, and the system's reason, and return -1; only a main prints it and
 * exits.  The text is cut to fit; it never contains a control character. */
#ifndef BASE_STRERR_H
#define BASE_STRERR_H

#include <stddef.h>

#include "base/attr.h"

struct strerr {
  char text[512];
  int sys;       /* errno, or 0 when the system has no part in it */
  int permanent; /* trying again will not help: exit 100 rather than 111 */
};

/* Concatenate the strings (ended by a null pointer).  strerr_sys adds ": " and
 * the text of errno.  Both give -1 so that "return strerr_sys(...)" reads well. */
int strerr_set(struct strerr *e, ...) __attribute__((sentinel));
int strerr_sys(struct strerr *e, ...) __attribute__((sentinel));

/* Print "prefix text\n" on fd 2 with one write. */
void strerr_warn(const char *prefix, const struct strerr *e);
/* The same from strings; _sys adds the text of errno. */
void strerr_warnm(const char *prefix, ...) __attribute__((sentinel));
void strerr_warnm_sys(const char *prefix, ...) __attribute__((sentinel));
/* ... and _exit: for mains only. */
void strerr_die(int code, const char *prefix, const struct strerr *e) __attribute__((noreturn));
void strerr_diem(int code, const char *prefix, ...) __attribute__((noreturn, sentinel));
void strerr_diem_sys(int code, const char *prefix, ...) __attribute__((noreturn, sentinel));
void strerr_die_nomem(const char *prefix) __attribute__((noreturn));
/* One line "usage: ..." on fd 2 and exit 100. */
void strerr_die_usage(const char *usage) __attribute__((noreturn));

#endif
