/* check_rcpthosts: no relaying.  Mail is taken for the domains of rcpthosts and
 * morercpthosts.cdb and no others; without either file, for none.  An address without
 * a domain is this host's own. */
#include <string.h>

#include "base/bytes.h"
#include "base/cdb.h"
#include "conf/paths.h"
#include "smtp/checks.h"

/* The domain, then each .suffix: 1, 0, -1 with errno. */
static int find(struct cdb *db, const char *domain, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    int found = i && domain[i] != '.' ? 0 : cdb_find(db, domain + i, n - i);

    if (found) return found;
  }
  return 0;
}

static int in_more(const char *domain, size_t n) {
  stralloc path = STRALLOC_INIT, key = STRALLOC_INIT;
  struct cdb db;
  int r = -1;

  if (stralloc_copyb(&key, domain, n) && paths_file(PATH_CONTROL, "morercpthosts.cdb", &path)) {
    bytes_lower(key.s, key.len);
    r = cdb_open(&db, path.s);
    if (r == 1) {
      r = find(&db, key.s, key.len);
      cdb_free(&db);
    }
  }
  stralloc_free(&path);
  stralloc_free(&key);
  return r;
}

enum verdict check_rcpthosts(const struct connection *c, const struct transaction *t, const struct conf *conf,
                             struct policy_reply *r) {
  size_t n;
  const char *domain = smtp_path_domain(&t->recipient, &n);
  int ours = !n || conf_has_domain(conf_lines(conf, SET_rcpthosts), domain, n);

  if (!ours) ours = in_more(domain, n);
  if (ours == 1) return VERDICT_NEXT;
  if (ours == -1) return policy_say(r, VERDICT_FAILED, 0, "", "unable to read morercpthosts.cdb");
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "no relaying: that domain is not one of ours");
}
