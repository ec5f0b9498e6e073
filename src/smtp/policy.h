/* policy: runs the checks of checks.def.  A check looks and gives a verdict; only
 * the engine replies and logs. */
#ifndef SMTP_POLICY_H
#define SMTP_POLICY_H

#include "smtp/session.h"

enum verdict {
  VERDICT_NEXT,    /* nothing against it */
  VERDICT_ACCEPT,  /* accepted: the rest of this stage is not asked */
  VERDICT_DEFER,   /* refused for now, as the reply says */
  VERDICT_REJECT,  /* refused */
  VERDICT_DISCARD, /* accepted and thrown away: this recipient, at other stages the message */
  VERDICT_FAILED,  /* a lookup failed; the row says what that means */
};

struct policy_reply {
  unsigned code;
  const char *enhanced; /* of our own making */
  stralloc text;        /* what the client is told; on VERDICT_FAILED what the log is told */
  int penalty;          /* wait before replying */
  uint64_t pause;       /* whatever the verdict is: seconds to wait before replying */
  void (*notice)(const struct session *s); /* when refused: somebody hears of it by mail; or null */
  unsigned marks;       /* whatever the verdict is: what the transaction is from now on */
};

/* Fills the reply; gives verdict, so that a check can end with it. */
enum verdict policy_say(struct policy_reply *r, enum verdict verdict, unsigned code, const char *enhanced,
                        const char *text);

/* VERDICT_ACCEPT when the address is in the list, VERDICT_NEXT when not, VERDICT_FAILED (r filled)
 * when that cannot be told. */
enum verdict policy_listed(const struct connection *c, enum list_id id, const stralloc *address, struct policy_reply *r);

/* CUGMAIL: VERDICT_NEXT, or a refusal of an address that is not in our domains. */
enum verdict policy_closed_group(const struct conf *conf, const struct smtp_path *p, struct policy_reply *r);

/* BADHELOCHECK is set, or BADHELO names a list. */
int policy_looks_at_helo(const struct conf *conf);

/* dnscheck is set, and NODNSCHECK is not. */
int policy_looks_in_dns(const struct conf *conf);

enum policy_stage { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT, STAGE_DATA };

/* Runs the checks of a stage, where there are any for this protocol: 1 to go on, 0 when refused, which is logged, with what the client
 * is to be told in *r (zeroed before, its text freed by the caller).  May wait. */
int policy_decide(struct session *s, enum policy_stage stage, struct policy_reply *r) MUST_CHECK;
/* The same, and the client is told. */
int policy_run(struct session *s, enum policy_stage stage) MUST_CHECK;

typedef enum verdict (*policy_check)(const struct connection *c, const struct transaction *t,
                                     const struct conf *conf, struct policy_reply *r);

struct policy_row {
  const char *name;
  enum policy_stage stage;
  policy_check check;
  const char *settings;
  unsigned exempt;
  enum verdict failure;
  int event;
  int may;
  const char *meaning;
};
#define POLICY_MAY_SWITCH 1 /* of may */
extern const struct policy_row policy_rows[];
extern const size_t policy_count;

/* How a row was looked at. */
enum policy_seen {
  SEEN_JUDGED,
  SEEN_WARN,   /* judged, and made warn-only */
  SEEN_OFF,    /* switched off */
  SEEN_EXEMPT, /* not for this client or sender */
};

/* Who wants to know of every row of a session: told right after it, in their order.  The
 * verdict of a row that was not judged is VERDICT_NEXT. */
struct policy_trace {
  void (*note)(void *ctx, const struct session *s, const struct policy_row *row, enum policy_seen how,
               enum verdict verdict, const struct policy_reply *r);
  void *ctx;
};

/* What control/policy says of a row: "off", "warn" or "". */
const char *policy_switched(const struct conf *conf, const struct policy_row *row);

/* Which row decides, without replying: what policy_run and an explanation share.
 * The row, or null when nothing stood against it. */
const struct policy_row *policy_judge(const struct session *s, enum policy_stage stage, enum verdict *verdict,
                                      struct policy_reply *r);
/* control/policy: each line "name:off" or "name:warn" of a check that may be.  0, or
 * -1 with e filled. */
int policy_valid(const struct conf *conf, struct strerr *e) MUST_CHECK;

#endif
