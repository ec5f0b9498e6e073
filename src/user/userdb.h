/* userdb: users, domains and aliases in the database.  Opened only by inlookup and by
 * the administrator's programs; everybody else asks inlookup (user/lookup.h).
 *
 * What could not be found out is USERDB_TEMPFAIL with e filled, never USERDB_NONE.
 * Each change is one transaction: all of it or nothing. */
#ifndef USER_USERDB_H
#define USER_USERDB_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "sql/sql.h"
#include "user/quota.h"

enum userdb_result { USERDB_FOUND, USERDB_NONE, USERDB_EXISTS, USERDB_TEMPFAIL };

/* Service flags of a user; the values are those of the classic pw_gid column. */
enum {
  USER_NO_PASSWD_CHANGE = 0x1,
  USER_NO_POP = 0x2,
  USER_NO_WEBMAIL = 0x4,
  USER_NO_IMAP = 0x8,
  USER_BOUNCE_MAIL = 0x10,
  USER_NO_RELAY = 0x20,
  USER_NO_DIALUP = 0x40,
  USER_DOMAIN_ADMIN = 0x80,
  USER_NO_SMTP = 0x100,
  USER_V_USER0 = 0x200,
  USER_V_USER1 = 0x400,
  USER_V_USER2 = 0x800,
  USER_V_USER3 = 0x1000,
  USER_OVERRIDE_LIMITS = 0x2000,
};

struct userdb {
  struct sql sql;
};

struct userdb_user {
  stralloc name, domain; /* the real domain */
  stralloc hash, scram;  /* never leave the process that opened the database */
  stralloc gecos, home;
  struct quota quota;
  uint32_t flags;
  uint32_t uid, gid; /* owner of the domain's mailboxes */
  int active;
  int64_t created;
};

struct userdb_domain {
  stralloc domain, dir, base; /* base "": PATH_MAIL */
  uint32_t uid, gid;
  int64_t created;
};

/* Which database the site's settings name: MariaDB where host.mysql is set, else SQLite in the file
 * of userdb or QMAILHOME/userdb/users.db. */
struct userdb_place {
  const struct sql_driver *driver;
  stralloc where; /* the driver's; may hold a password */
  int is_file;    /* where is its path */
  uint64_t retry; /* seconds between attempts to open it, once some have failed */
};
/* Of the settings of CONF_USER: 0, or -1 with e filled. */
int userdb_place_find(struct userdb_place *p, const struct conf *conf, struct strerr *e) MUST_CHECK;
/* The same of the kind that is named, sqlite or mysql, whichever the site uses. */
int userdb_place_named(struct userdb_place *p, const struct conf *conf, const char *engine, struct strerr *e) MUST_CHECK;
/* A database on another server, which is described as in host.mysql; what that leaves open, and how to speak
 * to it, are the site's settings. */
int userdb_place_old(struct userdb_place *p, const struct conf *conf, const char *host, const char *database, struct strerr *e) MUST_CHECK;
void userdb_place_free(struct userdb_place *p);
/* flags are SQL_CREATE and so on; a file's directory is created too.  0 or -1. */
int userdb_open(struct userdb *db, const struct userdb_place *place, unsigned flags, struct strerr *e) MUST_CHECK;
void userdb_close(struct userdb *db);

enum userdb_result userdb_domain_get(struct userdb *db, const char *domain, struct userdb_domain *d,
                                     struct strerr *e) MUST_CHECK;
/* The real domain of an alias domain, or the domain itself. */
enum userdb_result userdb_domain_real(struct userdb *db, const char *domain, stralloc *real,
                                      struct strerr *e) MUST_CHECK;
/* With all its users and aliases. */
enum userdb_result userdb_domain_delete(struct userdb *db, const char *domain, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_domain_list(struct userdb *db, struct strlist *names, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_domain_users(struct userdb *db, const char *domain, int64_t *users,
                                       int64_t *active, struct strerr *e) MUST_CHECK;

/* Other names of a domain.  EXISTS: the name is taken. */
enum userdb_result userdb_alias_domain_add(struct userdb *db, const char *alias, const char *domain, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_alias_domain_delete(struct userdb *db, const char *alias, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_alias_domain_list(struct userdb *db, const char *domain, struct strlist *names, struct strerr *e) MUST_CHECK;

/* domain may be an alias domain.  Found only if the user itself exists. */
enum userdb_result userdb_user_get(struct userdb *db, const char *name, const char *domain,
                                   struct userdb_user *u, struct strerr *e) MUST_CHECK;
/* The same, and the lines of an alias of that name, if there are any. */
enum userdb_result userdb_account_get(struct userdb *db, const char *name, const char *domain, struct userdb_user *u,
                                      struct strlist *lines, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_user_state(struct userdb *db, const char *name, const char *domain,
                                     int *active, int *bounce, struct strerr *e) MUST_CHECK;
struct userdb_new_user {
  const char *name, *domain, *hash, *scram, *gecos;
  struct quota quota;
  int active;
  const char *home;   /* null: one is chosen, as the next two say */
  const char *base;   /* directory the homes of this domain are below */
  uint64_t per_level; /* users a directory (user/dirhash.h) */
  const int64_t *max_users; /* the domain may have; null: any number.  Beyond: TEMPFAIL, e permanent */
};
/* Gives the home chosen for it.  EXISTS: there is such a user; NONE: no such domain. */
enum userdb_result userdb_user_add(struct userdb *db, const struct userdb_new_user *n, stralloc *home,
                                   struct strerr *e) MUST_CHECK;
/* The same within a transaction of the caller's, where after a failure the rest of it still stands (EXISTS)
 * or the transaction is to be taken back. */
enum userdb_result userdb_user_add_more(struct userdb *db, const struct userdb_new_user *n, stralloc *home,
                                        struct strerr *e) MUST_CHECK;
/* A domain with its postmaster (whose name and domain stand in n), and aliases that
 * deliver to it, ended by a null pointer.  EXISTS: the domain is there already. */
enum userdb_result userdb_domain_add(struct userdb *db, const struct userdb_domain *d,
                                     const struct userdb_new_user *n, const char *const *aliases,
                                     struct strerr *e) MUST_CHECK;
/* With its aliases, and the alias lines of others that name it. */
enum userdb_result userdb_user_delete(struct userdb *db, const char *name, const char *domain,
                                      struct strerr *e) MUST_CHECK;
enum userdb_result userdb_user_passwd(struct userdb *db, const char *name, const char *domain,
                                      const char *hash, const char *scram, struct strerr *e) MUST_CHECK;
/* Credentials (crypt/scram.h) for one who has none, made of the password that has this
 * hash.  NONE: the user has some now, or another password. */
enum userdb_result userdb_user_scram(struct userdb *db, const char *name, const char *domain, const char *hash,
                                     const char *scram, struct strerr *e) MUST_CHECK;
/* What may change of a user who is there: comment, quota, flags, active. */
enum userdb_result userdb_user_modify(struct userdb *db, const struct userdb_user *u, struct strerr *e) MUST_CHECK;
/* Another hash of the same password, in place of this one.  NONE: it is another by now. */
enum userdb_result userdb_user_rehash(struct userdb *db, const char *name, const char *domain, const char *old,
                                      const char *hash, struct strerr *e) MUST_CHECK;
enum userdb_result userdb_user_activate(struct userdb *db, const char *name, const char *domain,
                                        struct strerr *e) MUST_CHECK;
/* Calls fn for each user of the domain, by name, until it gives non-zero. */
typedef int (*userdb_user_fn)(void *ctx, const char *name, const char *home, int active);
enum userdb_result userdb_user_each(struct userdb *db, const char *domain, userdb_user_fn fn, void *ctx,
                                    struct strerr *e) MUST_CHECK;
/* Pairs: name and comment of the users who are groups (user/account.h), of a real domain. */
enum userdb_result userdb_group_list(struct userdb *db, const char *domain, struct strlist *pairs, struct strerr *e) MUST_CHECK;
void userdb_user_free(struct userdb_user *u);
void userdb_domain_free(struct userdb_domain *d);

enum userdb_result userdb_alias_get(struct userdb *db, const char *alias, const char *domain,
                                    struct strlist *lines, struct strerr *e) MUST_CHECK;
/* What table atrn_map lets the user fetch: domains, or several in one, by commas. */
enum userdb_result userdb_atrn_list(struct userdb *db, const char *name, const char *domain, struct strlist *domains,
                                    struct strerr *e) MUST_CHECK;
/* Pairs: alias, line, alias, line ... */
enum userdb_result userdb_alias_list(struct userdb *db, const char *domain, struct strlist *pairs,
                                     struct strerr *e) MUST_CHECK;
/* Pairs alias, domain of the aliases that deliver to the address. */
enum userdb_result userdb_alias_find(struct userdb *db, const char *address, struct strlist *pairs,
                                     struct strerr *e) MUST_CHECK;
enum userdb_result userdb_alias_add(struct userdb *db, const char *alias, const char *domain,
                                    const char *line, struct strerr *e) MUST_CHECK;
/* An alias of these lines, in this order (domain is the real one).  EXISTS: there is one with other lines. */
enum userdb_result userdb_alias_take(struct userdb *db, const char *alias, const char *domain, const struct strlist *lines,
                                     struct strerr *e) MUST_CHECK;
/* The same within a transaction of the caller's; there: it had these lines already. */
enum userdb_result userdb_alias_take_more(struct userdb *db, const char *alias, const char *domain, const struct strlist *lines, int *there,
                                          struct strerr *e) MUST_CHECK;
enum userdb_result userdb_alias_change(struct userdb *db, const char *alias, const char *domain,
                                       const char *old, const char *line, struct strerr *e) MUST_CHECK;
/* line null: all lines of the alias. */
enum userdb_result userdb_alias_delete(struct userdb *db, const char *alias, const char *domain,
                                       const char *line, struct strerr *e) MUST_CHECK;

/* Random text that belongs to this database, the same for ever once it was asked for. */
enum userdb_result userdb_secret(struct userdb *db, const char *id, stralloc *value, struct strerr *e) MUST_CHECK;

/* Remember an event (add, pass, imap, pop3, smtp, webm); one newer than
 * not_within seconds is left as it is. */
enum userdb_result userdb_lastauth_set(struct userdb *db, const char *name, const char *domain,
                                       const char *service, const char *ip, int64_t not_within,
                                       struct strerr *e) MUST_CHECK;
/* One that was at that time. */
enum userdb_result userdb_lastauth_at(struct userdb *db, const char *name, const char *domain, const char *service, const char *ip, int64_t at,
                                      int64_t not_within, struct strerr *e) MUST_CHECK;
typedef int (*userdb_lastauth_fn)(void *ctx, const char *service, const char *ip, int64_t at);
enum userdb_result userdb_lastauth_each(struct userdb *db, const char *name, const char *domain,
                                        userdb_lastauth_fn fn, void *ctx, struct strerr *e) MUST_CHECK;

#endif
