/* account: see account.h. */
#include "super/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/scan.h"

int account_find(const char *name, struct account *a, struct strerr *e) {
  struct passwd *pw;
  uint64_t number;

  errno = 0;
  pw = getpwnam(name);
  if (!pw && errno && errno != ENOENT && errno != ESRCH)
    return strerr_sys(e, "unable to look up account ", name, (char *)0);
  if (!pw && scan_u64_max(name, strlen(name), UINT32_MAX - 1, &number)) {
    a->uid = (uid_t)number;
    a->gid = getgid();
    a->groups = 0;
    return 1;
  }
  if (!pw) {
    strerr_set(e, "unknown account ", name, (char *)0);
    return 0;
  }
  a->uid = pw->pw_uid;
  a->gid = pw->pw_gid;
  a->groups = 0;
  if (stralloc_copys(&a->name, pw->pw_name) && stralloc_copys(&a->home, pw->pw_dir)) return 1;
  return strerr_set(e, "out of memory", (char *)0);
}

static int add_group(struct account *a, gid_t gid, struct strerr *e) {
  for (size_t i = 0; i < a->groups; ++i)
    if (a->group[i] == gid) return 0;
  if (a->groups == ACCOUNT_GROUPS) return strerr_set(e, "too many groups", (char *)0);
  a->group[a->groups++] = gid;
  return 0;
}

int account_own_groups(struct account *a, struct strerr *e) {
  gid_t own[ACCOUNT_GROUPS];
  int n = ACCOUNT_GROUPS;

  if (!a->name.len) return 0;
  if (getgrouplist(a->name.s, a->gid, own, &n) == -1)
    return strerr_set(e, "too many groups of ", a->name.s, (char *)0);
  for (int i = 0; i < n; ++i)
    if (add_group(a, own[i], e) == -1) return -1;
  return 0;
}

static int find_group(const char *name, gid_t *gid, struct strerr *e) {
  struct group *g;
  uint64_t number;

  errno = 0;
  g = getgrnam(name);
  if (g) {
    *gid = g->gr_gid;
    return 0;
  }
  if (scan_u64_max(name, strlen(name), UINT32_MAX - 1, &number)) {
    *gid = (gid_t)number;
    return 0;
  }
  if (errno && errno != ENOENT && errno != ESRCH)
    return strerr_sys(e, "unable to look up group ", name, (char *)0);
  return strerr_set(e, "unknown group ", name, (char *)0);
}

int account_add_groups(struct account *a, const char *list, int first_is_gid, struct strerr *e) {
  stralloc name = STRALLOC_INIT;
  int r = 0;

  while (r == 0) {
    size_t len = bytes_chr(list, strlen(list), ',');
    gid_t gid = 0;

    if (!stralloc_copyb(&name, list, len)) {
      r = strerr_set(e, "out of memory", (char *)0);
      break;
    }
    r = find_group(name.s, &gid, e);
    if (r == 0 && first_is_gid) a->gid = gid;
    first_is_gid = 0;
    if (r == 0) r = add_group(a, gid, e);
    if (!list[len]) break;
    list += len + 1;
  }
  stralloc_free(&name);
  return r;
}

int account_become(const struct account *a) {
  if (setgroups(a->groups, a->group) == -1) return -1;
  if (setresgid(a->gid, a->gid, a->gid) == -1) return -1;
  return setresuid(a->uid, a->uid, a->uid);
}

void account_free(struct account *a) {
  stralloc_free(&a->name);
  stralloc_free(&a->home);
}
