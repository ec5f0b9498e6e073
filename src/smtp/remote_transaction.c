/* remote_transaction: see remote_run.h. */
#include <string.h>

#include "mail/address.h"
#include "mail/dsn.h"
#include "queue/spawn_proto.h"
#include "smtp/bounce_tag.h"
#include "smtp/remote_run.h"

/* Commands sent ahead of their replies: few enough that the replies fit what the network holds
 * while we write, or both sides would wait for ever. */
#define WINDOW 100
/* What a report quotes of a reply: to the message, and to one recipient of many. */
#define SAID_MAX 5000
#define SAID_EACH_MAX 1000

#define LOST 421 /* the server says it is closing the connection */

enum remote_outcome remote_give_up(struct remote_run *r, char letter, const char *what) {
  remote_puts(r, letter, r->address, what, "");
  if (r->k->c.reply.len) remote_put_said(r, SAID_MAX);
  else remote_put(r, "\n", 1);
  remote_end_report(r);
  return OVER;
}

static enum remote_outcome connection_lost(struct remote_run *r, const char *when) {
  remote_puts(r, 'Z', "Connected to ", r->address, " but ");
  remote_put_masked(r, r->e.text, strlen(r->e.text));
  remote_put(r, when, strlen(when));
  remote_put(r, "\n", 1);
  remote_end_report(r);
  return OVER;
}

/* Lost while the server cannot have taken the message: if the connection was an old one, that
 * says nothing about the server. */
static enum remote_outcome lost_before_message(struct remote_run *r, const char *when) {
  r->left = LEFT_BROKEN;
  return r->reused ? STALE : connection_lost(r, when);
}

/* The queue keeps addresses plain; in a command they are quoted where the grammar wants it. */
static int path(stralloc *line, const char *keyword, const char *address) {
  return stralloc_copys(line, keyword) && stralloc_append(line, '<') && address_quote(address, strlen(address), line) &&
         stralloc_append(line, '>');
}

/* What the sender asks of notices goes on to a server that offers to send them (RFC 3461 5.2.1);
 * from our own words, not those that came. */
static int passes_dsn(const struct remote_run *r) {
  return (r->k->c.capabilities & SMTP_DSN) != 0;
}

/* Seconds that are left; what is to be returned has some, or we would not be here. */
static int deliver_by(const struct remote_run *r, stralloc *line) {
  const struct dsn_mail *d = &r->asked;
  uint64_t now = (uint64_t)wall_now();
  int late = now > d->by;

  if (d->by_mode == DSN_BY_NONE || !(r->k->c.capabilities & SMTP_DELIVERBY)) return 1;
  return stralloc_cats(line, late ? " BY=-" : " BY=") && stralloc_catu64(line, late ? now - d->by : d->by - now) &&
         stralloc_cats(line, d->by_mode == DSN_BY_RETURN ? ";R" : ";N") && (!d->by_trace || stralloc_append(line, 'T'));
}

/* Of what the sender asks of the message, what this server knows. */
static int asked(const struct remote_run *r, stralloc *line) {
  unsigned capabilities = r->k->c.capabilities;
  struct dsn_mail d = r->asked;
  stralloc text = STRALLOC_INIT;
  int ok;

  if (!(capabilities & SMTP_DSN)) {
    d.ret = DSN_RET_NONE;
    d.envid_n = 0;
  }
  d.utf8 = r->needs_utf8;
  d.hold_until = 0;
  d.by_mode = DSN_BY_NONE;
  if (!(capabilities & SMTP_MT_PRIORITY)) d.priority = 0;
  ok = dsn_mail_format(&text, &d) && (!text.len || (stralloc_append(line, ' ') && stralloc_cat(line, &text)));
  stralloc_free(&text);
  return ok && deliver_by(r, line);
}

static int dsn_rcpt(const struct remote_run *r, size_t i, stralloc *line) {
  const char *s = r->job->notify ? r->job->notify[i] : "";
  stralloc text = STRALLOC_INIT;
  struct dsn_rcpt d;
  int ok;

  if (!passes_dsn(r) || !*s || !dsn_rcpt_parse(s, strlen(s), &d)) return 1;
  ok = dsn_rcpt_format(&text, &d) && (!text.len || (stralloc_append(line, ' ') && stralloc_cat(line, &text)));
  stralloc_free(&text);
  return ok;
}

static int passed_something(const struct remote_run *r) {
  for (size_t i = 0; passes_dsn(r) && r->job->notify && i < r->job->recipients; ++i)
    if (*r->job->notify[i]) return 1;
  return 0;
}

static int mail_line(struct remote_run *r, stralloc *line) {
  unsigned capabilities = r->k->c.capabilities;
  stralloc sender = STRALLOC_INIT;
  int ok = bounce_tag_put(r->conf, r->job->sender, r->job->host, &sender) && path(line, "FROM:", sender.s);

  stralloc_free(&sender);
  if (!ok) return 0;
  if (capabilities & SMTP_SIZE && (!stralloc_catlit(line, " SIZE=") || !stralloc_catu64(line, r->size))) return 0;
  if (r->has_8bit && capabilities & SMTP_8BITMIME && !stralloc_catlit(line, " BODY=8BITMIME")) return 0;
  return asked(r, line);
}

static int send_mail(struct remote_run *r, stralloc *line) {
  struct smtp_client *c = &r->k->c;

  if (r->k->unfinished && smtp_client_send(c, "RSET", "", &r->e) == -1) return -1;
  if (!mail_line(r, line)) return strerr_set(&r->e, "out of memory", (char *)0);
  return smtp_client_send(c, "MAIL ", line->s, &r->e);
}

/* The next recipients, as many as may be under way at once; behind the last one DATA, where the
 * server takes commands ahead. */
static int send_rcpts(struct remote_run *r, size_t *sent, stralloc *line) {
  struct smtp_client *c = &r->k->c;
  int pipelining = (c->capabilities & SMTP_PIPELINING) != 0;
  size_t end = *sent + (pipelining ? WINDOW : 1);

  for (; *sent < r->job->recipients && *sent < end; ++*sent) {
    if (!path(line, "TO:", r->job->recipient[*sent]) || !dsn_rcpt(r, *sent, line)) return strerr_set(&r->e, "out of memory", (char *)0);
    if (smtp_client_send(c, "RCPT ", line->s, &r->e) == -1) return -1;
  }
  return pipelining && *sent == r->job->recipients ? smtp_client_send(c, "DATA", "", &r->e) : 0;
}

static void report_rcpt(struct remote_run *r, int code) {
  if (code < 300) {
    remote_put(r, "r", 1);
  } else {
    remote_puts(r, code >= 500 ? 'h' : 's', r->address, " does not like recipient.", "");
    remote_put_said(r, r->job->recipients > 1 ? SAID_EACH_MAX : SAID_MAX);
  }
  remote_end_report(r);
}

/* Replies to all RCPTs, reported as they come: how many were accepted, or -1 when the connection
 * is lost, or is being closed. */
static long read_rcpts(struct remote_run *r, size_t sent, stralloc *line) {
  long accepted = 0;

  for (size_t i = 0; i < r->job->recipients; ++i) {
    int code;

    if (i == sent && send_rcpts(r, &sent, line) == -1) return -1;
    code = smtp_client_reply(&r->k->c, &r->e);
    if (code == -1 || (code == LOST && r->reused)) return -1;
    report_rcpt(r, code);
    accepted += code < 300;
  }
  return accepted;
}

/* No recipient is left.  A server that says 354 all the same would take what comes next for the
 * message: such a connection is closed without another word. */
static enum remote_outcome nobody_left(struct remote_run *r, int pipelining) {
  int code = pipelining ? smtp_client_reply(&r->k->c, &r->e) : 0;

  r->left = !pipelining || (code >= 400 && code != LOST) ? LEFT_UNFINISHED : LEFT_BROKEN;
  remote_puts(r, 'D', "Giving up on ", r->address, ".\n");
  remote_end_report(r);
  return OVER;
}

static enum remote_outcome send_message(struct remote_run *r) {
  struct smtp_client *c = &r->k->c;
  int code;

  if (smtp_client_message(c, &r->message, &r->e) == -1) return lost_before_message(r, " in the middle of the message. (#4.4.2)");
  r->left = LEFT_BROKEN;
  code = smtp_client_reply(c, &r->e);
  if (code == -1) return connection_lost(r, " after the message: a possible duplicate! (#4.4.2)");
  if (code == LOST && r->reused) return STALE; /* it says that it did not take it */
  if (code != LOST) r->left = LEFT_CLEAN;
  if (code >= 300) return remote_give_up(r, code >= 500 ? 'D' : 'Z', " failed after I sent the message.");
  remote_puts(r, 'K', r->address, passed_something(r) ? SPAWN_DSN_TAKEN : " accepted message.", "");
  remote_put_said(r, SAID_MAX);
  remote_end_report(r);
  return OVER;
}

static enum remote_outcome data(struct remote_run *r, int pipelining) {
  struct smtp_client *c = &r->k->c;
  int code = pipelining ? smtp_client_reply(c, &r->e) : smtp_client_command(c, "DATA", "", &r->e);

  if (code == -1 || (code == LOST && r->reused)) return lost_before_message(r, ". (#4.4.2)");
  if (code >= 300 && code < 400) return send_message(r);
  r->left = code >= 400 && code != LOST ? LEFT_UNFINISHED : LEFT_BROKEN;
  return remote_give_up(r, code >= 500 ? 'D' : 'Z', " failed on DATA command.");
}

/* The reply to MAIL, and to RSET before it: 1, or 0 with the outcome.  A refusal over an old
 * connection may be one of the connection (so many messages are enough). */
static int sender_accepted(struct remote_run *r, enum remote_outcome *o) {
  struct smtp_client *c = &r->k->c;
  int code = r->k->unfinished ? smtp_client_reply(c, &r->e) : 250;

  r->left = LEFT_BROKEN;
  if (code != -1 && code < 300) {
    r->k->unfinished = 0;
    code = smtp_client_reply(c, &r->e);
    if (code != -1 && code < 300) return 1;
  }
  if (code == -1) *o = lost_before_message(r, ". (#4.4.2)");
  else if (r->reused) *o = STALE;
  else *o = remote_give_up(r, code >= 500 ? 'D' : 'Z', " but sender was rejected.");
  return 0;
}

static enum remote_outcome dialogue(struct remote_run *r, stralloc *line) {
  int pipelining = (r->k->c.capabilities & SMTP_PIPELINING) != 0;
  enum remote_outcome o;
  size_t sent = 0;
  long accepted;

  if (send_mail(r, line) == -1 || (pipelining && send_rcpts(r, &sent, line) == -1)) return lost_before_message(r, ". (#4.4.2)");
  if (!sender_accepted(r, &o)) return o;
  accepted = read_rcpts(r, sent, line);
  if (accepted == -1) return lost_before_message(r, ". (#4.4.2)");
  return accepted ? data(r, pipelining) : nobody_left(r, pipelining);
}

/* What the server says of itself is reason enough. */
static enum remote_outcome refuse_it(struct remote_run *r, const char *why) {
  stralloc_cut(&r->k->c.reply, 0);
  r->left = r->k->unfinished ? LEFT_UNFINISHED : LEFT_CLEAN;
  return remote_give_up(r, 'D', why);
}

enum remote_outcome remote_transaction(struct remote_run *r) {
  struct smtp_client *c = &r->k->c;
  stralloc line = STRALLOC_INIT;
  enum remote_outcome o;

  if (c->size_limit && r->size > c->size_limit) return refuse_it(r, " takes no message of this size. (#5.3.4)");
  if (r->needs_utf8 && !(c->capabilities & SMTP_UTF8)) return refuse_it(r, " takes no addresses or headers in UTF-8. (#5.6.7)");
  if (r->asked.requiretls && !(r->k->verified && c->capabilities & SMTP_REQUIRETLS))
    return refuse_it(r, " does not keep mail private that must be (REQUIRETLS). (#5.7.30)");
  if (r->asked.by_mode == DSN_BY_RETURN && !(c->capabilities & SMTP_DELIVERBY))
    return refuse_it(r, " cannot promise when the message is delivered. (#5.3.3)");
  o = dialogue(r, &line);
  stralloc_free(&line);
  return o;
}
