/* ldap_login: see ldap_login.h. */
#include "user/ldap_login.h"

#include <ldap.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "base/scan.h"
#include "user/ldap_filter.h"

#define SECONDS 10 /* for each step */

struct directory {
  LDAP *ld;
  const struct conf *conf;
  char *dn; /* of the entry found */
};

static int failed(struct directory *d, const char *what, int code, struct strerr *e) {
  char *text = 0;

  if (d->ld) ldap_get_option(d->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
  strerr_set(e, "unable to ", what, ": ", ldap_err2string(code), text && *text ? ": " : "", text ? text : "", (char *)0);
  ldap_memfree(text);
  return -1;
}

static const struct {
  const char *name, *scheme;
  int port;
  int starttls;
} ways[] = {
    {"starttls", "ldap", 389, 1},
    {"ldaps", "ldaps", 636, 0},
    {"none", "ldap", 389, 0},
};
#define WAYS (sizeof ways / sizeof *ways)

static const struct {
  const char *name;
  int scope;
} scopes[] = {{"sub", LDAP_SCOPE_SUBTREE}, {"one", LDAP_SCOPE_ONELEVEL}, {"base", LDAP_SCOPE_BASE}};
#define SCOPES (sizeof scopes / sizeof *scopes)

/* The certificate must be valid, whatever ldap.conf says. */
static int set_options(LDAP *ld, const char *ca) {
  const struct timeval limit = {SECONDS, 0};
  const int version = LDAP_VERSION3, want = LDAP_OPT_X_TLS_HARD, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0;
  int r = ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);

  if (!r) r = ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
  if (!r) r = ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &limit);
  if (!r) r = ldap_set_option(ld, LDAP_OPT_TIMEOUT, &limit);
  if (!r) r = ldap_set_option(ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &want);
  if (!r) r = ldap_set_option(ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least);
  if (!r && *ca) r = ldap_set_option(ld, LDAP_OPT_X_TLS_CACERTFILE, ca);
  if (!r) r = ldap_set_option(ld, LDAP_OPT_X_TLS_NEWCTX, &client);
  return r;
}

static int connect_to(struct directory *d, struct strerr *e) {
  const char *way = conf_line(d->conf, SET_ldap_tls);
  uint64_t port = conf_number(d->conf, SET_ldap_port);
  stralloc url = STRALLOC_INIT;
  size_t i = 0;
  int r = LDAP_NO_MEMORY;

  while (i < WAYS && strcasecmp(way, ways[i].name) != 0) ++i;
  if (i == WAYS) return strerr_set(e, "ldap_tls is starttls, ldaps or none", (char *)0);
  if (stralloc_catm(&url, ways[i].scheme, "://", conf_line(d->conf, SET_ldap_host), ":", (char *)0) &&
      stralloc_catu64(&url, port ? port : (uint64_t)ways[i].port))
    r = ldap_initialize(&d->ld, url.s);
  stralloc_free(&url);
  if (!r) r = set_options(d->ld, conf_line(d->conf, SET_ldap_ca));
  if (r) return failed(d, "use the LDAP library", r, e);
  if (ways[i].starttls) r = ldap_start_tls_s(d->ld, 0, 0);
  return r ? failed(d, "start TLS with the LDAP server", r, e) : 0;
}

/* An answer of LDAP, not -1. */
static int login_as(struct directory *d, const char *dn, const char *password) {
  struct berval credentials = {strlen(password), (char *)password};

  return ldap_sasl_bind_s(d->ld, dn, LDAP_SASL_SIMPLE, &credentials, 0, 0, 0);
}

/* A name without a password would be an anonymous login that succeeds. */
static int login_as_ourselves(struct directory *d, struct strerr *e) {
  const char *dn = conf_line(d->conf, SET_ldap_bind_dn), *password = conf_line(d->conf, SET_ldap_bind_passwd);
  int r;

  if (!*dn) return 0;
  if (!*password) return strerr_set(e, "ldap_bind_dn is set, ldap_bind_passwd is not", (char *)0);
  r = login_as(d, dn, password);
  return r ? failed(d, "log in to the LDAP server", r, e) : 0;
}

/* A numeric or textual attribute that has one value: 1, or 0. */
static int attribute(struct directory *d, LDAPMessage *entry, enum setting name, stralloc *out) {
  struct berval **v = ldap_get_values_len(d->ld, entry, conf_line(d->conf, name));
  int ok = v && ldap_count_values_len(v) == 1 && stralloc_copyb(out, v[0]->bv_val, v[0]->bv_len) && !memchr(out->s, 0, out->len);

  ldap_value_free_len(v);
  return ok;
}

static int number(struct directory *d, LDAPMessage *entry, enum setting name, uint32_t *id) {
  stralloc text = STRALLOC_INIT;
  int ok = attribute(d, entry, name, &text) && scan_u32(text.s, text.len, id);

  stralloc_free(&text);
  return ok;
}

static int search(struct directory *d, const char *filter, LDAPMessage **found, struct strerr *e) {
  char *attributes[] = {(char *)conf_line(d->conf, SET_ldap_field_uid), (char *)conf_line(d->conf, SET_ldap_field_gid),
                        (char *)conf_line(d->conf, SET_ldap_field_home), 0};
  struct timeval limit = {SECONDS, 0};
  size_t i = 0;
  int r;

  while (i < SCOPES && strcasecmp(conf_line(d->conf, SET_ldap_scope), scopes[i].name) != 0) ++i;
  if (i == SCOPES) return strerr_set(e, "ldap_scope is sub, one or base", (char *)0);
  r = ldap_search_ext_s(d->ld, conf_line(d->conf, SET_ldap_base), scopes[i].scope, filter, attributes, 0, 0, 0, &limit, 2, found);
  return r ? failed(d, "search the LDAP directory", r, e) : 0;
}

/* The one entry of the user: 1, 0 there is none, -1. */
static int find(struct directory *d, const char *user, struct checker_account *a, int *has_ids, struct strerr *e) {
  stralloc filter = STRALLOC_INIT;
  LDAPMessage *found = 0, *entry;
  uint32_t uid = 0, gid = 0;
  int n = -1;

  if (!ldap_filter(conf_line(d->conf, SET_ldap_filter), user, conf_line(d->conf, SET_default_domain), &filter))
    strerr_set(e, "ldap_filter may have %u, %h, %e and %%, or memory ran out", (char *)0);
  else if (search(d, filter.s, &found, e) == 0) n = ldap_count_entries(d->ld, found);
  if (n > 1) n = strerr_set(e, "more than one entry of the LDAP directory is the user's", (char *)0);
  if (n == 1) {
    entry = ldap_first_entry(d->ld, found);
    d->dn = ldap_get_dn(d->ld, entry);
    *has_ids = number(d, entry, SET_ldap_field_uid, &uid) && number(d, entry, SET_ldap_field_gid, &gid) && uid &&
               attribute(d, entry, SET_ldap_field_home, &a->home);
    a->uid = uid;
    a->gid = gid;
    if (!d->dn || !*d->dn) n = strerr_set(e, "the entry of the LDAP directory has no name", (char *)0);
  }
  ldap_msgfree(found);
  stralloc_free(&filter);
  return n;
}

/* What the directory answers to the user's password. */
static enum checker_verdict judge(struct directory *d, const char *password, struct strerr *e) {
  int r = login_as(d, d->dn, password);

  switch (r) {
    case LDAP_SUCCESS: return CHECK_RIGHT;
    case LDAP_INVALID_CREDENTIALS:
    case LDAP_INAPPROPRIATE_AUTH: /* it has no password */
    case LDAP_NO_SUCH_OBJECT: return CHECK_WRONG;
    default: failed(d, "log in to the LDAP server as the user", r, e); return CHECK_TEMPFAIL;
  }
}

enum checker_verdict ldap_login(const struct conf *conf, const char *user, const char *password, struct checker_account *a,
                                int *has_ids, struct strerr *e) {
  struct directory d = {.conf = conf};
  enum checker_verdict v = CHECK_TEMPFAIL;
  int found = -1;

  *has_ids = 0;
  if (connect_to(&d, e) == 0 && login_as_ourselves(&d, e) == 0) found = find(&d, user, a, has_ids, e);
  if (found == 0) v = CHECK_WRONG;
  if (found == 1) v = judge(&d, password, e);
  if (v == CHECK_RIGHT && !stralloc_copys(&a->user, user)) {
    strerr_set(e, "out of memory", (char *)0);
    v = CHECK_TEMPFAIL;
  }
  ldap_memfree(d.dn);
  if (d.ld) ldap_unbind_ext_s(d.ld, 0, 0);
  return v;
}
