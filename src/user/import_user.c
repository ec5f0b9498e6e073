/* import_user: one user of an import (user/import_part.h). */
#include <string.h>

#include "base/bytes.h"
#include "base/now.h"
#include "crypt/password_import.h"
#include "user/import_part.h"
#include "user/user_line.h"

#define FLAGS 14
#define NOBODYS "*" /* in place of a hash: no password fits */

void import_user_free(struct import_user *u) {
  stralloc_free(&u->name);
  stralloc_free(&u->domain);
  stralloc_wipe(&u->hash);
  stralloc_wipe(&u->scram);
  stralloc_free(&u->gecos);
  stralloc_free(&u->home);
}

/* Of a text that is no hash.  What somebody put before a hash, or in its place, to lock the user out must
 * not become a password: only who knows says that such texts are passwords. */
static int replace_hash(struct import_work *w, struct import_user *u, const char **finding, struct strerr *e) {
  stralloc password = STRALLOC_INIT;
  int r;

  *finding = u->hash.len ? "taken without a password, for what stands there is no hash: vpasswd sets one" : "has no password: vpasswd sets one";
  if (!w->im->clear || !u->hash.len || u->hash.len > PASSWORD_MAX) return stralloc_copylit(&u->hash, NOBODYS) ? 0 : import_no_memory(e);
  *finding = 0;
  r = stralloc_copy(&password, &u->hash) ? password_hash(w->scheme, password.s, &u->hash, e) : import_no_memory(e);
  stralloc_wipe(&password);
  return r;
}

static int fit(struct import_work *w, const char *table, const char *address, struct import_user *u, struct strerr *e) {
  stralloc scram = STRALLOC_INIT;
  const char *hash = stralloc_cstr(&u->hash), *finding = 0;
  int r = 0;

  if (!password_is_hash(hash) && !password_is_imported(hash) && !password_is_old_hash(hash)) r = replace_hash(w, u, &finding, e);
  if (r == 0 && finding) import_tell(w, table, address, finding, 0);
  if (r == 0 && !import_gecos(&u->gecos)) import_tell(w, table, address, "its comment was too long, or had a colon or a control character", 0);
  if (r == 0) {
    int kept = import_scram(stralloc_cstr(&u->scram), &scram);

    if (kept == -1 || !stralloc_copy(&u->scram, &scram)) r = import_no_memory(e);
    else if (kept == 0) import_tell(w, table, address, "its secret is left aside: it is none of SCRAM", 0);
  }
  stralloc_wipe(&scram);
  return r;
}

static enum sql_verdict insert(struct import_work *w, const struct import_user *u, struct strerr *e) {
  const int64_t at = u->at > 0 ? u->at : wall_now();
  struct sql_value v[11 + FLAGS] = {
      sql_tn(u->name.s, u->name.len),   sql_tn(u->domain.s, u->domain.len), sql_tn(u->hash.s, u->hash.len),
      sql_tn(u->scram.s, u->scram.len), sql_tn(u->gecos.s, u->gecos.len),   sql_tn(u->home.s, u->home.len),
      sql_i((int64_t)u->quota.bytes),   sql_i((int64_t)u->quota.count),     sql_i(u->active),
  };

  for (int bit = 0; bit < FLAGS; ++bit) v[9 + bit] = sql_i(u->flags >> bit & 1); /* in the order of their columns */
  v[9 + FLAGS] = v[10 + FLAGS] = sql_i(at);
  return sql_do(&w->s->db.sql, QUERY_in_users, v, 11 + FLAGS, e);
}

static int same(const stralloc *a, const stralloc *b) {
  return bytes_equal(a->s, a->len, b->s, b->len);
}

/* Of one who is there: a password that was hashed here is another text each time, and a login makes secrets
 * where there are none. */
static int equals(const struct userdb_user *there, const struct import_user *u, int hash_counts) {
  return (!hash_counts || same(&there->hash, &u->hash)) && (!u->scram.len || same(&there->scram, &u->scram)) && same(&there->gecos, &u->gecos) &&
         same(&there->home, &u->home) && there->quota.bytes == u->quota.bytes && there->quota.count == u->quota.count && there->flags == u->flags &&
         there->active == u->active;
}

/* Why it was not inserted: there is one. */
static enum import_outcome compare(struct import_work *w, const char *table, const char *address, const struct import_user *u, int hash_counts,
                                   struct strerr *e) {
  struct userdb_user there = {0};
  enum userdb_result r = userdb_user_get(&w->s->db, u->name.s, u->domain.s, &there, e);
  enum import_outcome o = IMPORT_FAILED;

  if (r == USERDB_FOUND && equals(&there, u, hash_counts)) o = IMPORT_THERE;
  else if (r == USERDB_FOUND && there.active != u->active)
    o = import_left(w, table, address, u->active ? "there is such a user, but inactive, who stays as he is" : "there is such a user, an active one, who stays as he is");
  else if (r == USERDB_FOUND) o = import_left(w, table, address, "there is such a user, otherwise than here, who stays as he is");
  else if (r == USERDB_NONE) o = import_left(w, table, address, "no such domain");
  userdb_user_free(&there);
  return o;
}

static const char *fault(const struct import_user *u) {
  const char *why = name_user_fault(stralloc_cstr(&u->name), u->name.len);

  if (!why) why = user_home_fault(stralloc_cstr(&u->home), u->name.s);
  if (!why && (u->quota.bytes > INT64_MAX || u->quota.count > INT64_MAX)) why = "its quota is out of range";
  return why;
}

enum import_outcome import_user_take(struct import_work *w, const char *table, struct import_user *u, struct strerr *e) {
  stralloc address = STRALLOC_INIT;
  const char *why;
  enum import_outcome o = IMPORT_FAILED;
  int has, hash_counts;

  bytes_lower(u->name.s, u->name.len);
  why = fault(u);
  hash_counts = password_is_hash(stralloc_cstr(&u->hash)) || password_is_imported(stralloc_cstr(&u->hash)) || password_is_old_hash(stralloc_cstr(&u->hash));
  has = import_has_domain(w, stralloc_cstr(&u->domain), e);
  if (!stralloc_catm(&address, stralloc_cstr(&u->name), "@", stralloc_cstr(&u->domain), (char *)0)) {
    import_no_memory(e);
  } else if (has == 0 || (has == 1 && why)) {
    o = import_left(w, table, address.s, why ? why : "users/assign has no such domain");
  } else if (has == 1 && fit(w, table, address.s, u, e) == 0) {
    enum sql_verdict v = insert(w, u, e);

    o = v == SQL_EXISTS ? compare(w, table, address.s, u, hash_counts, e) : import_outcome(v);
    if ((o == IMPORT_TAKEN || o == IMPORT_THERE) && !strlist_add(&w->homes, u->home.s, u->home.len)) {
      import_no_memory(e);
      o = IMPORT_FAILED;
    }
  }
  stralloc_free(&address);
  return o;
}
