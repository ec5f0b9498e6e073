/* maildir_name: see maildir_name.h. */
#include "user/maildir_name.h"

#include <string.h>

#include "base/cdb.h"
#include "base/scan.h"

#define TIME_DIGITS_MIN 15 /* of microseconds since 1970: 2001 and later */
#define TIME_DIGITS_MAX 17

static int add_host(stralloc *name, const char *host) {
  for (; *host; ++host) {
    const char *escaped = *host == '/' ? "\\057" : *host == ':' ? "\\072" : 0;

    if (escaped ? !stralloc_cats(name, escaped) : !stralloc_append(name, *host)) return 0;
  }
  return 1;
}

static int format(stralloc *name, int64_t us, uint64_t p, uint64_t q, const char *host) {
  stralloc_cut(name, 0);
  return stralloc_cati64(name, us / 1000000) && stralloc_catlit(name, ".M") && stralloc_cati64(name, us % 1000000) &&
         stralloc_append(name, 'P') && stralloc_catu64(name, p) && stralloc_append(name, 'Q') && stralloc_catu64(name, q) &&
         stralloc_append(name, '.') && add_host(name, host);
}

int maildir_name(stralloc *name, int64_t now_us, pid_t pid, unsigned n, const char *host) {
  return format(name, now_us, (uint64_t)pid, n, host);
}

int maildir_name_timed(const char *messid, int64_t *us) {
  const size_t digits = strspn(messid, "0123456789");
  uint64_t u;

  if (digits < TIME_DIGITS_MIN || digits > TIME_DIGITS_MAX || !scan_u64(messid, digits, &u)) return 0;
  *us = (int64_t)u;
  return 1;
}

int maildir_name_of(stralloc *name, const char *messid, const char *head, size_t headlen, unsigned n, const char *host) {
  int64_t us = 0;

  (void)maildir_name_timed(messid, &us);
  return format(name, us, cdb_hash(messid, strlen(messid)), (uint64_t)cdb_hash(head, headlen) + n, host);
}
