/* remote: see remote.h. */
#include "smtp/remote.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "mail/address.h"
#include "net/connect.h"
#include "net/tls_client.h"
#include "smtp/client.h"
#include "smtp/target.h"

#define DNS_SECONDS 120

/* What became of one server. */
enum outcome {
  OVER,        /* reports are written */
  NEXT_SERVER, /* nothing was sent: the next one may be tried */
  NO_TLS,      /* the handshake failed: once more without */
};

struct run {
  const struct remote_job *job;
  const struct conf *conf;
  substdio *report;
  struct smtp_client c;
  const struct target *t;
  char address[IP_TEXT];
  int has_8bit;
  uint64_t size;
  int write_failed;
  struct strerr e; /* why the last server would not do */
};

/* --- reports --- */

static void put(struct run *r, const char *s, size_t n) {
  if (!r->write_failed && substdio_put(r->report, s, n) == -1) r->write_failed = 1;
}

/* Text from outside: control bytes masked, so no report can look like two. */
static void put_masked(struct run *r, const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    char ch = s[i];

    if ((unsigned char)ch < 32 && ch != '\n') ch = '?';
    put(r, &ch, 1);
  }
}

static void put_reports(struct run *r, char letter, const char *a, const char *b, const char *c) {
  put(r, &letter, 1);
  put(r, a, strlen(a));
  put_masked(r, b, strlen(b));
  put(r, c, strlen(c));
}

static void put_said(struct run *r) {
  put_reports(r, '\n', "Remote host said: ", stralloc_cstr(&r->c.reply), "");
}

static void end_report(struct run *r) {
  put(r, "", 1);
}

/* A message report without recipient reports: letter, text, and what the server said. */
static enum outcome give_up(struct run *r, char letter, const char *what, const char *code) {
  put_reports(r, letter, r->address, what, code);
  if (r->c.reply.len) put_said(r);
  else put(r, "\n", 1);
  end_report(r);
  return OVER;
}

/* --- one session --- */

static enum outcome connection_lost(struct run *r, const char *when) {
  put_reports(r, 'Z', "Connected to ", r->address, " but ");
  put_masked(r, r->e.text, strlen(r->e.text));
  put(r, when, strlen(when));
  put(r, "\n", 1);
  end_report(r);
  return OVER;
}

static int try_tls(struct run *r) {
  struct tls_request request = {TLS_CLIENT, r->t->name.s, 0};
  struct tls_info info = {0};
  uint64_t timeout = conf_number(r->conf, SET_timeoutremote);
  int code = smtp_client_command(&r->c, "STARTTLS", "", &r->e);
  int fd;

  if (code == -1 || code >= 300) return code == -1 ? -1 : 0;
  fd = tls_start(r->c.fd, &request, deadline_in((int64_t)timeout), &info, &r->e);
  tls_info_free(&info);
  r->c.fd = -1;
  if (fd == -1) return -1;
  smtp_client_close(&r->c);
  smtp_client_init(&r->c, fd, timeout);
  return smtp_client_hello(&r->c, conf_line(r->conf, SET_helohost), &r->e) == -1 ? -1 : 0;
}

/* The queue keeps addresses plain; in a command they are quoted where the grammar wants it. */
static int path(stralloc *line, const char *keyword, const char *address) {
  return stralloc_copys(line, keyword) && stralloc_append(line, '<') && address_quote(address, strlen(address), line) &&
         stralloc_append(line, '>');
}

static int mail_command(struct run *r, stralloc *line) {
  if (!path(line, "FROM:", r->job->sender)) return 0;
  if (r->c.capabilities & SMTP_SIZE && (!stralloc_catlit(line, " SIZE=") || !stralloc_catu64(line, r->size))) return 0;
  return !(r->has_8bit && r->c.capabilities & SMTP_8BITMIME) || stralloc_catlit(line, " BODY=8BITMIME");
}

static int send_rcpt(struct run *r, size_t i) {
  stralloc line = STRALLOC_INIT;
  int ok = path(&line, "TO:", r->job->recipient[i]) && smtp_client_send(&r->c, "RCPT ", line.s, &r->e) == 0;

  stralloc_free(&line);
  return ok ? 0 : -1;
}

/* Replies to all RCPTs, reported as they come: how many were accepted, or -1. */
static long read_rcpts(struct run *r, int pipelining) {
  long accepted = 0;

  for (size_t i = 0; i < r->job->recipients; ++i) {
    int code;

    if (!pipelining && send_rcpt(r, i) == -1) return -1;
    code = smtp_client_reply(&r->c, &r->e);
    if (code == -1) return -1;
    if (code < 300) {
      put(r, "r", 1);
      ++accepted;
    } else {
      put_reports(r, code >= 500 ? 'h' : 's', r->address, " does not like recipient.", "");
      put_said(r);
    }
    end_report(r);
  }
  return accepted;
}

static void quit(struct run *r) {
  struct strerr e;

  /* Politeness only: what the server says to it changes nothing. */
  if (smtp_client_send(&r->c, "QUIT", "", &e) == 0) (void)!substdio_flush(&r->c.out);
}

static enum outcome send_data(struct run *r) {
  int code;

  if (smtp_client_message(&r->c, r->job->extra, r->job->message, &r->e) == -1) return connection_lost(r, " in the middle of the message. (#4.4.2)");
  code = smtp_client_reply(&r->c, &r->e);
  if (code == -1) return connection_lost(r, " after the message: a possible duplicate! (#4.4.2)");
  if (code >= 500) return give_up(r, 'D', " failed after I sent the message.", "");
  if (code >= 400) return give_up(r, 'Z', " failed after I sent the message.", "");
  put_reports(r, 'K', r->address, " accepted message.", "");
  put_said(r);
  end_report(r);
  quit(r);
  return OVER;
}

/* MAIL, RCPTs and DATA, in one go where the server takes that. */
static enum outcome transaction(struct run *r) {
  int pipelining = (r->c.capabilities & SMTP_PIPELINING) != 0;
  stralloc mail = STRALLOC_INIT;
  long accepted;
  int sent, code;

  if (r->c.size_limit && r->size > r->c.size_limit) {
    stralloc_cut(&r->c.reply, 0);
    return give_up(r, 'D', " takes no message of this size. (#5.3.4)", "");
  }
  sent = mail_command(r, &mail) ? smtp_client_send(&r->c, "MAIL ", mail.s, &r->e) : -1;
  stralloc_free(&mail);
  for (size_t i = 0; sent == 0 && pipelining && i < r->job->recipients; ++i) sent = send_rcpt(r, i);
  if (sent == 0 && pipelining) sent = smtp_client_send(&r->c, "DATA", "", &r->e);
  if (sent == -1) return connection_lost(r, ". (#4.4.2)");
  code = smtp_client_reply(&r->c, &r->e);
  if (code == -1) return connection_lost(r, ". (#4.4.2)");
  if (code >= 300) return give_up(r, code >= 500 ? 'D' : 'Z', " but sender was rejected.", "");
  accepted = read_rcpts(r, pipelining);
  if (accepted == -1) return connection_lost(r, ". (#4.4.2)");
  if (!pipelining && accepted && smtp_client_send(&r->c, "DATA", "", &r->e) == -1) return connection_lost(r, ". (#4.4.2)");
  if (pipelining || accepted) {
    code = smtp_client_reply(&r->c, &r->e);
    if (code == -1) return connection_lost(r, ". (#4.4.2)");
  }
  if (!accepted) {
    /* A server that says 354 all the same must be sent an empty message: closing is enough. */
    put_reports(r, 'D', "Giving up on ", r->address, ".\n");
    end_report(r);
    return OVER;
  }
  if (code >= 400) return give_up(r, code >= 500 ? 'D' : 'Z', " failed on DATA command.", "");
  return send_data(r);
}

static int wants_tls(const struct run *r, int allowed) {
  return allowed && r->c.capabilities & SMTP_STARTTLS &&
         !conf_has_domain(conf_lines(r->conf, SET_notlshosts), r->t->name.s, r->t->name.len) && tls_available();
}

static enum outcome session(struct run *r, int tls_allowed) {
  int code = smtp_client_reply(&r->c, &r->e);

  if (code == -1) return NEXT_SERVER;
  if (code >= 500) return give_up(r, 'D', " connected, but greeting failed.", "");
  if (code >= 400) {
    strerr_set(&r->e, "greeting failed: ", stralloc_cstr(&r->c.reply), (char *)0);
    return NEXT_SERVER;
  }
  code = smtp_client_hello(&r->c, conf_line(r->conf, SET_helohost), &r->e);
  if (code == -1) return NEXT_SERVER;
  if (code >= 300) return give_up(r, code >= 500 ? 'D' : 'Z', " connected, but my name was rejected.", "");
  if (wants_tls(r, tls_allowed) && try_tls(r) == -1) return NO_TLS;
  return transaction(r);
}

/* --- all servers --- */

static int our_address(const struct conf *conf, struct ip *from) {
  const char *s = conf_line(conf, SET_outgoingip);

  return *s && ip_scan(s, strlen(s), from);
}

static enum outcome try_server(struct run *r, const struct target *t, int tls_allowed) {
  struct ip from;
  const struct ip *source = our_address(r->conf, &from) ? &from : 0;
  enum outcome o;
  int fd;

  r->t = t;
  ip_fmt(r->address, &t->ip);
  fd = connect_tcp(&t->ip, t->port, source, deadline_in((int64_t)conf_number(r->conf, SET_timeoutconnect)));
  if (fd == -1) {
    strerr_sys(&r->e, "unable to connect", (char *)0);
    return NEXT_SERVER;
  }
  smtp_client_init(&r->c, fd, conf_number(r->conf, SET_timeoutremote));
  o = session(r, tls_allowed);
  smtp_client_close(&r->c);
  return o;
}

/* A line end in an address would begin a command of its own. */
static int has_control(const char *address) {
  for (; *address; ++address)
    if ((unsigned char)*address < 32 || *address == 127) return 1;
  return 0;
}

static int addresses_ok(const struct remote_job *job) {
  int bad = has_control(job->sender);

  for (size_t i = 0; i < job->recipients; ++i) bad |= has_control(job->recipient[i]);
  return !bad;
}

static void look_at_message(struct run *r) {
  unsigned char buf[8192];
  struct stat st;
  off_t pos = 0;
  ssize_t n;

  if (fstat(r->job->message, &st) == 0) r->size = (uint64_t)st.st_size + strlen(r->job->extra);
  while (!r->has_8bit && (n = pread(r->job->message, buf, sizeof buf, pos)) > 0) {
    for (ssize_t i = 0; i < n; ++i) r->has_8bit |= buf[i] > 127;
    pos += n;
  }
}

static void try_all(struct run *r, const struct target_list *l) {
  for (size_t i = 0; i < l->n; ++i) {
    enum outcome o = try_server(r, &l->t[i], 1);

    if (o == NO_TLS) o = try_server(r, &l->t[i], 0);
    if (o == OVER) return;
  }
  put_reports(r, 'Z', "No server of ", r->job->host, " would take the message; the last, ");
  put_masked(r, r->address, strlen(r->address));
  put(r, ": ", 2);
  put_masked(r, r->e.text, strlen(r->e.text));
  put(r, ". (#4.4.1)\n", 11);
  end_report(r);
}

static void find_and_try(struct run *r) {
  struct target_list l;

  switch (target_find(&l, r->job->host, r->conf, deadline_in(DNS_SECONDS), &r->e)) {
    case TARGET_OK: try_all(r, &l); break;
    case TARGET_PERM:
      put_reports(r, 'D', "", r->e.text, "\n");
      end_report(r);
      break;
    case TARGET_TEMP:
      put_reports(r, 'Z', "", r->e.text, "\n");
      end_report(r);
      break;
  }
  target_list_free(&l);
}

int remote_deliver(const struct remote_job *job, const struct conf *conf, substdio *report) {
  struct run r;

  memset(&r, 0, sizeof r);
  r.job = job;
  r.conf = conf;
  r.report = report;
  look_at_message(&r);
  if (addresses_ok(job)) {
    find_and_try(&r);
  } else {
    put_reports(&r, 'D', "An address with a control character cannot be sent by SMTP. (#5.1.3)\n", "", "");
    end_report(&r);
  }
  if (r.write_failed || substdio_flush(report) == -1) return -1;
  return 0;
}
