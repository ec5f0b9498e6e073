/* policy: see policy.h. */
#include "smtp/policy.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/scan.h"
#include "smtp/checks.h"
#include "smtp/our_domains.h"
#include "smtp/rates.h"
#include "smtp/reply.h"


/* Words of the columns of checks.def. */
#define CONNECT STAGE_CONNECT
#define HELO STAGE_HELO
#define MAIL STAGE_MAIL
#define RCPT STAGE_RCPT
#define DATA STAGE_DATA
#define RELAY 1u
#define AUTH 2u
#define NULL_SENDER 4u
#define PROXY 8u
#define NONE VERDICT_FAILED
#define DEFER VERDICT_DEFER
#define NEXT VERDICT_NEXT
#define FIXED 0
#define OFF POLICY_MAY_SWITCH

const struct policy_row policy_rows[] = {
#define CHECK(name, stage, function, settings, exempt, failure, event, may, meaning) \
  {#name, stage, function, settings, exempt, failure, LOG_##event, may, meaning},
#include "smtp/checks.def"
#undef CHECK
};
const size_t policy_count = sizeof policy_rows / sizeof *policy_rows;

enum verdict policy_say(struct policy_reply *r, enum verdict verdict, unsigned code, const char *enhanced,
                        const char *text) {
  r->code = code;
  r->enhanced = enhanced;
  if (!stralloc_copys(&r->text, text)) stralloc_cut(&r->text, 0);
  return verdict;
}

enum verdict policy_listed(const struct connection *c, enum list_id id, const stralloc *address, struct policy_reply *r) {
  struct strerr e;

  switch (list_match(c->lists, id, stralloc_cstr(address), address->len, c->lookup, &e)) {
    case LIST_NO: break;
    case LIST_YES: return VERDICT_ACCEPT;
    case LIST_FAILED: return policy_say(r, VERDICT_FAILED, 0, "", e.text);
  }
  return VERDICT_NEXT;
}

enum verdict policy_closed_group(const struct conf *conf, const struct smtp_path *p, struct policy_reply *r) {
  size_t n;
  const char *domain = smtp_path_domain(p, &n);
  int ours = conf_flag(conf, SET_cugmail) ? our_domains_has(conf, domain, n) : 1;

  if (ours == 1) return VERDICT_NEXT;
  if (ours == -1) return policy_say(r, VERDICT_FAILED, 0, "", "unable to read morercpthosts.cdb");
  return policy_say(r, VERDICT_REJECT, 553, "5.7.1", "only mail between users of this system is accepted");
}

int policy_looks_at_helo(const struct conf *conf) {
  return conf_flag(conf, SET_badhelocheck) || conf->v[SET_badhelo].origin == CONF_FROM_VARIABLE;
}

int policy_looks_in_dns(const struct conf *conf) {
  return conf_flag(conf, SET_dnscheck) && !conf_flag(conf, SET_nodnscheck_at_all);
}

static int exempt(const struct session *s, unsigned who) {
  if (who & RELAY && s->c.relay) return 1;
  if (who & AUTH && s->c.authenticated && s->c.auth_may_relay) return 1;
  if (who & PROXY && s->c.believed & BELIEVE_XCLIENT && !s->c.proxied) return 1;
  return who & NULL_SENDER && !s->t.sender.address.len;
}

const char *policy_switched(const struct conf *conf, const struct policy_row *row) {
  const char *how = row->may == OFF ? conf_map(conf_lines(conf, SET_policy), row->name, strlen(row->name)) : 0;

  return how ? how : "";
}

static const struct policy_row *find(const char *name, size_t n) {
  for (size_t i = 0; i < policy_count; ++i)
    if (strlen(policy_rows[i].name) == n && !memcmp(policy_rows[i].name, name, n)) return &policy_rows[i];
  return 0;
}

static int greetdelay_valid(const struct conf *conf, struct strerr *e) {
  const char *text = conf_line(conf, SET_greetdelay);
  int64_t seconds;

  if (scan_i64(text, strlen(text), &seconds)) return 0;
  strerr_set(e, stralloc_cstr(&conf->v[SET_greetdelay].where), ": a number of seconds is wanted, perhaps negative: ", text, (char *)0);
  e->permanent = 1;
  return -1;
}

int policy_valid(const struct conf *conf, struct strerr *e) {
  const struct strlist *l = conf_lines(conf, SET_policy);

  for (size_t i = 0; i < l->len; ++i) {
    const char *line = l->item[i].s;
    const char *colon = strchr(line, ':');
    const struct policy_row *row = colon ? find(line, (size_t)(colon - line)) : 0;

    if (row && row->may == OFF && (!strcmp(colon, ":off") || !strcmp(colon, ":warn"))) continue;
    strerr_set(e, stralloc_cstr(&conf->v[SET_policy].where), ": not check:off or check:warn of a check that may be: ", line,
               (char *)0);
    e->permanent = 1;
    return -1;
  }
  return greetdelay_valid(conf, e) == -1 ? -1 : rates_valid(conf, e);
}

static const char *text_or_dash(const stralloc *sa) {
  return sa->len ? sa->s : "-";
}

static void log_verdict(const struct session *s, int event, const struct policy_row *row, const struct policy_reply *r) {
  const struct log_arg arg[] = {log_s(s->c.ip),
                                log_u(s->c.number),
                                log_s(row->name),
                                log_u(r->code),
                                log_s(r->enhanced),
                                log_s(text_or_dash(&s->c.user)),
                                log_s(text_or_dash(&s->c.helo)),
                                log_s(stralloc_cstr(&s->t.sender.address)),
                                log_s(stralloc_cstr(&s->t.recipient.address)),
                                log_s(s->messid)};

  log_write(2, session_prefix(&s->c), (enum log_event)event, arg, sizeof arg / sizeof *arg);
}

/* A lookup that failed is never an answer: the row says what to do without one. */
static enum verdict failed(const struct session *s, const struct policy_row *row, struct policy_reply *r) {
  LOG(2, session_prefix(&s->c), smtp_lookup_failed, log_s(s->c.ip), log_u(s->c.number), log_s(row->name),
      log_s(stralloc_cstr(&r->text)));
  if (row->failure == VERDICT_NEXT) return VERDICT_NEXT;
  return policy_say(r, VERDICT_DEFER, 451, *r->enhanced == '4' ? r->enhanced : "4.3.0", "unable to check that now, please try again later");
}

static void note(const struct session *s, const struct policy_row *row, enum policy_seen how, enum verdict verdict,
                 const struct policy_reply *r) {
  if (s->trace) s->trace->note(s->trace->ctx, s, row, how, verdict, r);
}

static enum policy_seen seen(const struct session *s, const struct policy_row *row) {
  const char *how = policy_switched(s->conf, row);

  if (exempt(s, row->exempt)) return SEEN_EXEMPT;
  if (!strcmp(how, "off")) return SEEN_OFF;
  return *how ? SEEN_WARN : SEEN_JUDGED;
}

static enum verdict judge(const struct session *s, const struct policy_row *row, struct policy_reply *r) {
  enum verdict verdict;

  r->penalty = 0;
  r->notice = 0;
  r->enhanced = "";
  verdict = row->check(&s->c, &s->t, s->conf, r);
  return verdict == VERDICT_FAILED ? failed(s, row, r) : verdict;
}

/* What a check that is only to warn has found: logged, and without any effect. */
static void warn_only(const struct session *s, const struct policy_row *row, enum verdict verdict, unsigned marks, uint64_t pause,
                      struct policy_reply *r) {
  int acts = verdict != VERDICT_NEXT || r->marks != marks || r->pause != pause;

  r->marks = marks;
  r->pause = pause;
  if (verdict == VERDICT_NEXT || verdict == VERDICT_ACCEPT || verdict == VERDICT_DISCARD) policy_say(r, verdict, 250, "2.0.0", "");
  if (acts) log_verdict(s, LOG_smtp_warn, row, r);
}

const struct policy_row *policy_judge(const struct session *s, enum policy_stage stage, enum verdict *verdict,
                                      struct policy_reply *r) {
  for (size_t i = 0; i < policy_count; ++i) {
    const struct policy_row *row = &policy_rows[i];
    unsigned marks = r->marks;
    uint64_t pause = r->pause;
    enum policy_seen how;

    if (row->stage != stage) continue;
    how = seen(s, row);
    *verdict = how == SEEN_EXEMPT || how == SEEN_OFF ? VERDICT_NEXT : judge(s, row, r);
    note(s, row, how, *verdict, r);
    if (how == SEEN_WARN) warn_only(s, row, *verdict, marks, pause, r);
    else if (*verdict != VERDICT_NEXT) return row;
  }
  *verdict = VERDICT_NEXT;
  return 0;
}

/* A recipient goes alone, anything else takes the message with it. */
static void discard(struct session *s, enum policy_stage stage, const struct policy_row *row, struct policy_reply *r) {
  r->code = 250;
  r->enhanced = "2.0.0";
  log_verdict(s, LOG_smtp_discard, row, r);
  if (stage == STAGE_RCPT) s->t.dropped = 1;
  else s->t.discard = 1;
}

int policy_decide(struct session *s, enum policy_stage stage, struct policy_reply *r) {
  enum verdict verdict;
  const struct policy_row *row;

  if (!session_is_judged(&s->c)) return 1;
  row = policy_judge(s, stage, &verdict, r);
  s->t.marks |= r->marks;
  s->t.dropped = 0;
  if (stage == STAGE_RCPT) ++s->t.tried;
  if (r->pause) session_pause(s, r->pause);
  switch (verdict) {
    case VERDICT_NEXT:
    case VERDICT_ACCEPT: return 1;
    case VERDICT_DISCARD: discard(s, stage, row, r); return 1;
    case VERDICT_DEFER:
    case VERDICT_REJECT:
    case VERDICT_FAILED: break;
  }
  if (stage == STAGE_RCPT && verdict == VERDICT_REJECT) ++s->c.rcpt_errors;
  log_verdict(s, row->event, row, r);
  if (r->notice && !s->trace) r->notice(s);
  if (r->penalty) session_pause(s, conf_number(s->conf, SET_penalty));
  return 0;
}

int policy_run(struct session *s, enum policy_stage stage) {
  struct policy_reply r = {0};
  int pass = policy_decide(s, stage, &r);

  if (!pass) {
    reply(s, r.code, stage == STAGE_CONNECT && r.code != 421 ? 0 : r.enhanced, stralloc_cstr(&r.text));
    if (r.code == 421) s->over = 1;
  }
  stralloc_free(&r.text);
  return pass;
}
