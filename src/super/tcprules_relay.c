/* tcprules_relay: see tcprules_relay.h. */
#include "super/tcprules_relay.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/cdb.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "net/ip.h"
#include "super/tcprules.h"

#define RELAY "RELAYCLIENT="

static int system_error(struct strerr *e) {
  return strerr_sys(e, "unable to write the rules", (char *)0);
}

static int add_rule(void *ctx, const char *key, size_t klen, const char *data, size_t dlen) {
  return cdb_make_add(ctx, key, klen, data, dlen);
}

static int compile(const char *text, size_t n, struct cdb_make *m, struct strerr *e) {
  const struct tcprules_sink sink = {add_rule, m};
  char digits[FMT_U64 + 1];
  struct strerr why = {.text = "unable to write"};
  uint64_t number = 1;

  for (size_t i = 0; i < n; ++number) {
    size_t len = bytes_chr(text + i, n - i, '\n');

    if (tcprules_compile(text + i, len, &sink, &why) == -1) {
      strerr_set(e, "line ", fmt_u64_z(digits, number), ": ", why.text, (char *)0);
      e->permanent = why.permanent;
      return -1;
    }
    i += len + 1;
  }
  return 0;
}

/* The rules alone, to ask them. */
static int open_rules(struct cdb *c, const char *text, size_t n, struct strerr *e) {
  struct cdb_make m;
  int fd = memfd_create("rules", MFD_CLOEXEC), r;

  if (fd == -1 || cdb_make_start(&m, fd) == -1) r = system_error(e);
  else {
    r = compile(text, n, &m, e);
    if (r == 0 && (cdb_make_finish(&m) == -1 || cdb_init(c, fd) == -1)) r = system_error(e);
    cdb_make_free(&m);
  }
  fd_close(fd);
  return r;
}

/* The variables of the rule the address has: 1 with RELAYCLIENT added, 0 it is denied or may relay
 * anyway, -1. */
static int data_of(struct cdb *c, const char *ip, stralloc *key, stralloc *data) {
  const struct tcprules_client who = {ip, 0, 0};
  int found = tcprules_find(c, &who, key);
  const char *var;
  int what;

  if (found == -1) return -1;
  stralloc_cut(data, 0);
  for (size_t pos = 0; found == 1 && (what = tcprules_next(cdb_data(c), c->dlen, &pos, &var)) != 0;) {
    if (what == -1) return -1;
    if (what == 'D' || !strncmp(var, RELAY, sizeof RELAY - 1)) return 0;
    if (!stralloc_append(data, '+') || !stralloc_catb(data, var, strlen(var) + 1)) return -1;
  }
  return stralloc_catb(data, "+" RELAY, sizeof RELAY + 1) ? 1 : -1;
}

/* An address's key with these data. */
struct record {
  struct cdb_make *m;
  const stralloc *data;
};
static int add_record(void *ctx, const char *key, size_t klen, const char *data, size_t dlen) {
  const struct record *r = ctx;

  (void)data;
  (void)dlen;
  return cdb_make_add(r->m, key, klen, r->data->s, r->data->len);
}

static int add_addresses(struct cdb *c, const struct strlist *addresses, struct cdb_make *m, size_t *added, struct strerr *e) {
  stralloc key = STRALLOC_INIT, data = STRALLOC_INIT, line = STRALLOC_INIT;
  const struct record record = {m, &data};
  const struct tcprules_sink sink = {add_record, (void *)(uintptr_t)&record};
  struct ip ip;
  int r = 0;

  for (size_t i = 0; r == 0 && i < addresses->len; ++i) {
    const stralloc *a = &addresses->item[i];
    int wanted = ip_scan(a->s, a->len, &ip) ? data_of(c, a->s, &key, &data) : 0;

    if (wanted == -1) r = system_error(e);
    if (wanted != 1) continue;
    stralloc_cut(&line, 0);
    if (!stralloc_catm(&line, a->s, ":allow", (char *)0)) r = system_error(e);
    else if (tcprules_compile(line.s, line.len, &sink, e) == -1) r = system_error(e);
    ++*added;
  }
  stralloc_free(&key);
  stralloc_free(&data);
  stralloc_free(&line);
  return r;
}

/* The addresses come first: of two records of a key the first counts. */
int tcprules_relay(const char *text, size_t n, const struct strlist *addresses, int fd, size_t *added, struct strerr *e) {
  struct cdb c = {.map = 0};
  struct cdb_make m;
  int r;

  *added = 0;
  errno = ENOMEM;
  if (open_rules(&c, text, n, e) == -1) return -1;
  if (cdb_make_start(&m, fd) == -1) {
    r = system_error(e);
  } else {
    r = add_addresses(&c, addresses, &m, added, e);
    if (r == 0) r = compile(text, n, &m, e);
    if (r == 0 && cdb_make_finish(&m) == -1) r = system_error(e);
    cdb_make_free(&m);
  }
  cdb_free(&c);
  return r;
}
