/* our_domains: see our_domains.h. */
#include "smtp/our_domains.h"

#include "base/bytes.h"
#include "base/cdb.h"
#include "conf/paths.h"

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

int our_domains_has(const struct conf *conf, const char *domain, size_t n) {
  return !n || conf_has_domain(conf_lines(conf, SET_rcpthosts), domain, n) ? 1 : in_more(domain, n);
}
