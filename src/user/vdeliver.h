/* vdeliver: delivers one message to one virtual user: aliases, the user's .qmail, the
 * Maildir with its quota, or the domain's default action.  Used by vdelivermail and by
 * a resident worker: nothing is global, all there is to know comes as arguments.  The
 * database is not opened: inlookup is asked. */
#ifndef USER_VDELIVER_H
#define USER_VDELIVER_H

#include "base/env.h"
#include "base/now.h"
#include "base/strerr.h"
#include "conf/conf.h"
#include "user/deliver.h"
#include "user/lookup.h"
#include "user/maildirsize.h"

/* What was done with the message, in qmail-local's terms. */
struct vdeliver_done {
  unsigned files, forwards, programs;
  int passed_on; /* to one address, which took over what the sender asked about notices */
};

struct vdeliver {
  int msgfd;          /* seekable; read from offset 0 */
  const char *user;   /* local part within the domain; "" postmaster */
  const char *domain; /* as the mail was addressed: maybe an alias domain */
  const char *sender; /* envelope sender */
  const char *head;   /* lines put before the message: RPLINE, DTLINE, QQEH */
  const char *action; /* default action: delete, bounce-no-mailbox, an address, /path,
                         domain:host:port */
  const char *folder; /* of the mailbox, made when it is not there (MAILDIRFOLDER); null or "": none */
  const char *spam_folder; /* for what is marked as spam (user/spam_mark.h), where folder does not say; null or "": none */
  int by_rule;        /* a rule has said where it goes: no other reason counts */
  int no_alias;       /* deliver to the mailbox even where there are aliases */
  int allow_inactive; /* inactive users get mail too */
  int64_t dups;       /* seconds for which the same message is delivered once (ELIMINATE_DUPS); 0: always */
  struct maildirsize_rules rules; /* of the quota */
  struct env *env;    /* for programs: that of a .qmail program line; rules of mailboxes (user/mailbox_rules.h) */
  struct lookup *lookup;
  int64_t seconds; /* at most so long for each query */
  int alone;       /* nothing else is done with the message: of its success a single forward may tell (RFC 3461) */
  struct vdeliver_done *done; /* filled; null: nobody asks */
};

/* What the settings (CONF_LOCAL) and variables of v->env say: seconds, dups, rules, spam_folder (borrowed). */
void vdeliver_settings(struct vdeliver *v, const struct conf *conf);
/* Is this a default action, and a word the shell leaves as it is? */
int vdeliver_action_ok(const char *action);
/* e->text is for the sender (or the log) unless the result is DELIVER_OK.  May block
 * for as long as programs of alias lines run. */
enum deliver_result vdeliver(const struct vdeliver *v, struct strerr *e) MUST_CHECK;

#endif
