/* lookup: the client side of inlookup.  Network-facing programs and delivery agents
 * never open the user database: they ask here, over the Unix sockets RUN/inlookup/
 * socket and, for passwords, RUN/inlookup/verify (user/lookup_proto.h has the
 * messages).  Failure of any kind is LOOKUP_TEMPFAIL with e filled, never "no such
 * user".  Calls block until the answer or the deadline.  Not for use by two processes
 * at once: call lookup_close in a child that goes on without exec. */
#ifndef USER_LOOKUP_H
#define USER_LOOKUP_H

#include <stdint.h>

#include "base/now.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "base/strlist.h"

enum lookup_verdict { LOOKUP_FOUND, LOOKUP_NONE, LOOKUP_TEMPFAIL };

/* Connections that a resident program keeps between its sessions. */
#define LOOKUP_SHELF 16
struct lookup_shelf {
  int fd[LOOKUP_SHELF];
  size_t n;
};

/* Connections; zeroed before first use, opened by the first query and again after
 * a failure. */
struct lookup {
  int fd;   /* -1 or 0 when closed: use LOOKUP_INIT */
  int slow; /* the same, to the workers that hash passwords */
  int64_t patience; /* of fd: base/iodeadline.h */
  struct lookup_shelf *shelf; /* where closed ones go and new ones come from, or null */
  const char *here; /* the address of ours a client has come to: who logs in without a domain is of the
                       domain it belongs to (vipmap); null or "": not known */
  int kept; /* of the last answer: the database cannot be asked, and it is what was so a while ago */
};
#define LOOKUP_INIT {-1, -1, 0, 0, 0, 0}
/* Path of inlookup's socket, of the one for passwords when slow: 1 or 0 (memory). */
int lookup_socket_path(int slow, stralloc *path) MUST_CHECK;

enum lookup_state { LOOKUP_ACTIVE, LOOKUP_INACTIVE, LOOKUP_OVERQUOTA, LOOKUP_ALIAS };

/* Does the address (or an alias of that name) exist?  For RCPT. */
enum lookup_verdict lookup_user(struct lookup *l, const char *addr, deadline when,
                                enum lookup_state *state, struct strerr *e);

struct lookup_account {
  stralloc user, domain; /* real domain */
  stralloc gecos, home;
  stralloc quota;    /* user/quota.h: "1000S,50C", "NOQUOTA" */
  uint32_t uid, gid; /* owner of the mailbox */
  uint32_t flags;    /* USER_NO_POP ... of user/userdb.h */
  int inactive;
};
/* The account, without any secret, and the lines of an alias of the same name, if there is
 * one.  For delivery. */
enum lookup_verdict lookup_account(struct lookup *l, const char *addr, deadline when,
                                   struct lookup_account *a, struct strlist *alias, struct strerr *e);
/* The mailbox of this user holds so many bytes, more than it may; or, 0, no longer.  FOUND: it is noted; NONE: there was
 * nothing to note. */
enum lookup_verdict lookup_overquota(struct lookup *l, const char *addr, uint64_t bytes, deadline when, struct strerr *e);
/* When the account of this user was made, and when its password was last set: seconds since 1970, 0 where nobody knows. */
struct lookup_times {
  uint64_t added, password;
};
enum lookup_verdict lookup_times(struct lookup *l, const char *addr, deadline when, struct lookup_times *t, struct strerr *e);
/* Lines of an alias (valias), where there is no account: LOOKUP_NONE when there are none. */
enum lookup_verdict lookup_alias(struct lookup *l, const char *addr, deadline when,
                                 struct strlist *lines, struct strerr *e);
/* What table atrn_map lets the user fetch (ATRN), by commas in each: LOOKUP_NONE when nothing. */
enum lookup_verdict lookup_atrn(struct lookup *l, const char *addr, deadline when,
                                struct strlist *domains, struct strerr *e);
/* The real domain of an alias domain (or the domain itself). */
enum lookup_verdict lookup_domain(struct lookup *l, const char *domain, deadline when,
                                  stralloc *real, struct strerr *e);
/* Is the password right, for this service (smtp imap pop3 webmail)?  inlookup does
 * the hashing: no hash leaves it.  FOUND: right, the account filled; NONE: wrong
 * user or password, e is ""; or right, but it may not come in, as e says. */
enum lookup_verdict lookup_verify(struct lookup *l, const char *addr, const char *password,
                                  const char *service, const char *ip, deadline when,
                                  struct lookup_account *a, struct strerr *e);

/* May this user, whom the caller has found to be who it is (a token), use the service now?  The login
 * is recorded.  FOUND, the account filled; NONE. */
enum lookup_verdict lookup_session(struct lookup *l, const char *addr, const char *service, const char *ip, deadline when,
                                   struct lookup_account *a, struct strerr *e);

/* Give a user who knows the password another one.  NONE: wrong user or password; FOUND with why set:
 * right, and it stays as it was, for that reason (the user may not, or nobody should have the new one). */
enum lookup_verdict lookup_passwd(struct lookup *l, const char *addr, const char *password, const char *fresh,
                                  const char *ip, deadline when, stralloc *why, struct strerr *e);

/* A login by SCRAM (RFC 5802), whose messages the caller exchanges with the client; the keys
 * stay with inlookup.  mechanism has no -PLUS.  First what the client is told, in any case:
 * FOUND; whether there is such a user does not show. */
struct lookup_scram {
  stralloc salt; /* base64 */
  uint64_t iterations;
};
enum lookup_verdict lookup_scram_first(struct lookup *l, const char *addr, const char *mechanism, deadline when,
                                       struct lookup_scram *s, struct strerr *e);
/* Then the proof (base64) over the text signed: FOUND, with the server's signature (base64)
 * and the account; NONE as for lookup_verify. */
struct lookup_proof {
  const char *addr, *mechanism, *service, *ip, *text, *proof;
};
enum lookup_verdict lookup_scram_final(struct lookup *l, const struct lookup_proof *p, deadline when,
                                       stralloc *signature, struct lookup_account *a, struct strerr *e);
/* What a list kept in the user database says of an address, or of a name where is_name is set: FOUND
 * with *back, when it is listed or taken back; NONE; TEMPFAIL. */
enum lookup_verdict lookup_listed(struct lookup *l, const char *list, int is_name, const char *subject, size_t n, deadline when,
                                  int *back, struct strerr *e);
/* The rules of vfilter for an address, in the order they are tried, a text for each: whose it is (prefilt, user,
 * postfilt), header, comparison (a number), keyword, folder, action, each ended by a LF; home: the user's, ""
 * where the address is no user's.  NONE: there are no rules. */
enum lookup_verdict lookup_filters(struct lookup *l, const char *addr, deadline when, stralloc *home, struct strlist *rules, struct strerr *e);
/* Has somebody logged in from this IP address of late?  Who, in user. */
enum lookup_verdict lookup_relay(struct lookup *l, const char *ip, deadline when, stralloc *user, struct strerr *e);
void lookup_account_free(struct lookup_account *a);
void lookup_close(struct lookup *l);

#endif
