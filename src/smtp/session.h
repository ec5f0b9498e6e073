/* session: one SMTP connection, on descriptors 0 and 1 of a process of its own or on one
 * of many of a resident server's.
 *
 * What belongs to the connection and what belongs to the message under way are two
 * structs: RSET, EHLO and the end of DATA clear the second.  Checks see both as
 * const.  Replies go out when the input is used up, so a pipelined batch costs one
 * write. */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include "base/env.h"
#include "base/iodeadline.h"
#include "base/substdio.h"
#include "conf/conf.h"
#include "mail/batv.h"
#include "mail/binary_mime.h"
#include "mail/data_reader.h"
#include "mail/smtp_syntax.h"
#include "net/tls_client.h"
#include "queue/qqclient.h"
#include "smtp/plugins.h"
#include "smtp/settings.h"
#include "user/lookup.h"

#define SESSION_INPUT 4096
#define SESSION_WIDE_INPUT 65536 /* in a message that is longer than SESSION_WIDE_FROM */
#define SESSION_WIDE_FROM 32768
#define SESSION_OUTPUT 1024
#define SESSION_QUIT 2
#define SESSION_AUTH_LINE 12288 /* longest line of a login, RFC 4954 section 4 */

/* Bits, so that a verb can name several. */
enum session_state {
  STATE_NEW = 1,
  STATE_READY = 2,
  STATE_MAIL = 4,
  STATE_RCPT = 8,
  STATE_REFUSED = 16,
  STATE_CHUNK = 32,
};

/* What the client may say of others; bits. */
enum session_belief { BELIEVE_XCLIENT = 1, BELIEVE_XFORWARD = 2 };

enum session_protocol { SPEAKS_SMTP, SPEAKS_LMTP, SPEAKS_QMTP, SPEAKS_QMQP };

struct connection {
  uint64_t number; /* in the log: our process, or what tcpserver calls the connection */
  enum session_protocol speaks;
  int input; /* descriptor; -1: there is no client (smtp/rehearsal.h) */
  /* Of the environment; never null. */
  const char *ip, *host, *info, *local_ip, *local_host;
  unsigned believed; /* of enum session_belief: of who is really connected */
  unsigned char proxied; /* XCLIENT has said for whom */
  const char *relay; /* $RELAYCLIENT; null when not set */
  stralloc helo;     /* as said, "" before HELO */
  stralloc user;     /* who logged in */
  struct tls_info tls_info; /* its bindings only while there may be a login */
  unsigned char extended; /* EHLO */
  unsigned char tls;
  unsigned char authenticated, auth_may_relay;
  unsigned short errors; /* commands that made no sense */
  unsigned short auth_failures;
  uint64_t rcpt_errors; /* recipients refused for good */
  struct lookup *lookup;  /* of users, opened when first needed; may be null */
  const struct lists *lists;
  const struct content_rules *content_rules;
  const struct plugins *plugins;   /* may be null: none */
  struct plugin_host *plugin_host; /* the process that asks them */
};

/* What a check found out about a transaction that others act on. */
enum transaction_mark {
  MARK_RELAY = 1,         /* its sender may relay */
  MARK_NO_SPAMFILTER = 2, /* $SPAMFILTER is not for it */
};

struct transaction {
  struct smtp_path sender;
  uint64_t size;      /* announced; 0: not */
  struct smtp_path recipient; /* the one being judged */
  enum batv_verdict tag; /* it had */
  stralloc recipients; /* accepted, each with a NUL behind it */
  stralloc dsn;       /* parameters of MAIL that go with it (mail/dsn.h) */
  stralloc notify;    /* those of the recipient being judged */
  stralloc notifies;  /* those of the accepted ones, in their order, each with a NUL behind it */
  size_t accepted;
  size_t tried;       /* recipients judged, whatever became of them */
  struct data_reader data;
  struct content content; /* what was found in it */
  struct intake *chunks; /* begun by BDAT and not at its end; else null */
  int utf8;           /* SMTPUTF8 */
  int requiretls;     /* REQUIRETLS */
  int binary;         /* BODY=BINARYMIME */
  uint64_t received;  /* bytes of such a message as the client sent it, which databytes is about */
  enum binary_kept kept; /* what its first flaw is in */
  int discard;        /* take it and throw it away */
  int dropped;        /* the recipient being judged is accepted and thrown away */
  unsigned marks;     /* of enum transaction_mark */
};

/* Of all sessions of a process: how they come to an end when the service does.  A session that
 * waits for a command then ends with 421, any other one when its command is done. */
struct session_stop {
  int asked;
  struct session *waiting;
};
void session_stop_all(struct session_stop *stop);

struct policy_trace; /* smtp/policy.h */

struct session {
  struct connection c;
  struct transaction t;
  const struct conf *conf;
  const struct env *env;
  /* For settings of a transaction's own (smtp/overlay.h): where they come from, or null; what to go
   * back to; what they are. */
  struct settings_source *settings;
  struct settings base, overlay;
  struct env overlay_env;
  struct settings rcpt_base, rcpt_overlay; /* the same for the recipient being judged */
  struct env rcpt_env;
  struct env *own_env; /* what env is, once the client is not who it seemed; else null */
  struct qqclient_pool *queue;
  struct plugin_host plugin_host;
  const struct policy_trace *trace; /* a rehearsal (smtp/rehearsal.h): nothing is queued, nobody waits; else null */
  char messid[MESSID_SIZE]; /* of the message under way, or of the next one: queue/messid.h */
  enum session_state state;
  int over; /* no more commands: 1 the connection ends, SESSION_QUIT because of QUIT */
  char *const *auth; /* our name, the authentication program, its arguments; null: no AUTH */
  struct session_stop *stop;
  struct session *waiting_next, **waiting_at; /* in stop->waiting */
  stralloc line;
  struct iodeadline io_in, io_out;
  substdio in, out;
  char *wide; /* the buffer of in, within a long message; else null */
  char inbuf[SESSION_INPUT], outbuf[SESSION_OUTPUT];
};

/* What stands in front of each line of the log: the program that speaks this protocol. */
const char *session_prefix(const struct connection *c);
/* Where a session runs.  All of it is the caller's and outlives the session. */
struct session_place {
  int in, out; /* descriptors; may be the same */
  uint64_t number;
  const struct settings *settings;
  struct settings_source *source; /* of settings for some messages, or null */
  const struct env *env; /* variables of the connection */
  struct lookup *lookup;
  struct qqclient_pool *queue; /* or null */
  struct session_stop *stop;   /* or null */
  char *const *auth; /* our name, the authentication program, its arguments; or null */
};
void session_init(struct session *s, const struct session_place *at);
/* Greet, serve, say goodbye.  0 after QUIT, 1 otherwise. */
int session_run(struct session *s);
void session_free(struct session *s);

/* For the verbs. */
void session_read_environment(struct session *s); /* who the client is, from s->env */
void session_reset(struct session *s); /* forget the transaction */
void session_greet(struct session *s); /* a client has come: judge it, and greet */
void session_next_message(struct session *s); /* what comes now has another id */
void session_deadline(struct session *s); /* a new command or block begins */
/* Wait that long (a penalty), replies so far sent first. */
void session_pause(struct session *s, uint64_t seconds);

/* More is read at a time until the transaction ends (without memory for it, it is not). */
void session_widen(struct session *s);

/* The next bytes of a message, at substdio_peek(&s->in): how many; 0 when the client is lost, which
 * is told, and the session over.  They come in blocks with a deadline each: *block, 0 at first,
 * counts what is taken. */
size_t session_more(struct session *s, size_t *block);

enum line_result {
  LINE_READ,     /* in s->line, without its CR LF */
  LINE_TOO_LONG, /* read to its end and dropped */
  LINE_BAD,      /* the same: a bare LF or CR, or a NUL */
  LINE_LOST,     /* end of input, timeout or flood: the session is over */
};
enum line_result session_line(struct session *s, size_t max);
int session_may_relay(const struct connection *c);
/* Of the message, as far as it has come, for databytes. */
uint64_t session_message_bytes(const struct transaction *t);
/* By the checks; else whoever may connect may send. */
int session_is_judged(const struct connection *c);

#endif
