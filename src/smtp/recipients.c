/* recipients: see recipients.h. */
#include "smtp/recipients.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cdb.h"
#include "base/strlist.h"
#include "conf/paths.h"
#include "smtp/recipients_program.h"

#define DEFAULT_CDB "users/recipients.cdb"

void recipients_parse(const char *line, struct recipients_line *out) {
  size_t n = strlen(line), end;

  memset(out, 0, sizeof *out);
  out->accept = *line == '!';
  line += out->accept;
  end = out->accept ? strlen(line) : strcspn(line, ":|");
  if (!out->accept && end == n) { /* a database alone */
    out->domain = "*";
    out->domain_n = 1;
    out->source = line;
    return;
  }
  out->program = line[end] == '|';
  out->source = line + end + (line[end] != 0);
  out->exact = *line == '@';
  out->domain = line + out->exact;
  out->domain_n = end - (size_t)out->exact;
}

int recipients_concerns(const struct recipients_line *l, const char *domain, size_t n) {
  if (l->domain_n == 1 && *l->domain == '*') return 1;
  if (l->domain_n > n || !bytes_caseequal(l->domain, domain + n - l->domain_n, l->domain_n)) return 0;
  return l->domain_n == n || (!l->exact && l->domain_n && domain[n - l->domain_n - 1] == '.');
}

/* --- databases --- */

/* Names are below the directory that holds the control directory. */
static int database_path(const char *name, stralloc *path) {
  if (*name == '/') return stralloc_copys(path, name);
  return paths_file(PATH_CONTROL, "../", path) && stralloc_cats(path, name);
}

/* The key of the address, local bytes of its local part: 1, 0, -1. */
static int find(struct cdb *db, const struct smtp_path *p, size_t local, stralloc *key) {
  if (!stralloc_copylit(key, ":") || !stralloc_catb(key, p->address.s, local) ||
      !stralloc_catb(key, p->address.s + p->at, p->address.len - p->at)) {
    errno = ENOMEM;
    return -1;
  }
  bytes_lower(key->s, key->len);
  return cdb_find(db, key->s, key->len);
}

static size_t base_length(const struct smtp_path *p) {
  size_t i = 0;

  while (i < p->at && !memchr("-+=", p->address.s[i], 3)) ++i;
  return i;
}

static enum recipients_verdict ask_database(const char *name, const struct smtp_path *p, struct strerr *e) {
  stralloc path = STRALLOC_INIT, key = STRALLOC_INIT;
  size_t base = base_length(p);
  struct cdb db;
  int r = -1;

  errno = ENOMEM;
  if (database_path(name, &path)) r = cdb_open(&db, path.s);
  if (r == 0) { /* a list that is named and not there is no empty list */
    errno = ENOENT;
    r = -1;
  } else if (r == 1) {
    r = find(&db, p, p->at, &key);
    if (r == 0 && base && base < p->at) r = find(&db, p, base, &key);
    cdb_free(&db);
  }
  if (r == -1) strerr_sys(e, "unable to read ", name, (char *)0);
  stralloc_free(&path);
  stralloc_free(&key);
  return r == -1 ? RECIPIENTS_FAILED : r ? RECIPIENTS_YES : RECIPIENTS_NO;
}

/* --- lines --- */

static enum recipients_verdict ask(const struct recipients_line *l, const struct smtp_path *p, struct strerr *e) {
  if (l->accept) return RECIPIENTS_YES;
  if (!l->program) return ask_database(l->source, p, e);
  switch (recipients_program(l->source, stralloc_cstr(&p->address), e)) {
    case 1: return RECIPIENTS_YES;
    case 0: return RECIPIENTS_NO;
    default: return RECIPIENTS_FAILED;
  }
}

enum recipients_verdict recipients_ask(const struct strlist *lines, const struct smtp_path *p, struct strerr *e) {
  enum recipients_verdict said = RECIPIENTS_UNSAID;
  size_t n;
  const char *domain = smtp_path_domain(p, &n);

  if (!lines->len) return ask_database(DEFAULT_CDB, p, e);
  for (size_t i = 0; i < lines->len; ++i) {
    struct recipients_line l;
    enum recipients_verdict one;

    recipients_parse(lines->item[i].s, &l);
    if (!recipients_concerns(&l, domain, n)) continue;
    one = ask(&l, p, e);
    if (one == RECIPIENTS_YES) return one;
    if (said != RECIPIENTS_FAILED) said = one;
  }
  return said;
}
