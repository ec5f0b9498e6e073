/* remote: see remote.h. */
#include "smtp/remote.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "smtp/remote_run.h"

#define DNS_SECONDS 120
#define FRESH_SECONDS 5 /* how long an answer of the DNS is good for the next message */

/* --- the connection that is kept --- */

static void close_kept(struct remote_keeper *k) {
  smtp_client_close(&k->c);
  k->open = 0;
  k->verified = 0;
  k->unfinished = 0;
  k->messages = 0;
}

void remote_keeper_quit(struct remote_keeper *k) {
  struct strerr e;

  if (!k->open) return;
  /* Politeness only: what the server says to it changes nothing. */
  if (smtp_client_send(&k->c, "QUIT", "", &e) == 0) (void)!substdio_flush(&k->c.out);
  close_kept(k);
}

void remote_keeper_forget(struct remote_keeper *k) {
  remote_keeper_quit(k);
  target_list_free(&k->targets);
  stralloc_free(&k->host);
  stralloc_free(&k->at.name);
}

/* After a message: keep the connection, or end it. */
static void settle(struct remote_run *r, int keep) {
  struct remote_keeper *k = r->k;
  uint64_t seconds = conf_number(r->conf, SET_connectionreuse);

  k->open = 1;
  k->messages++;
  k->unfinished = r->left == LEFT_UNFINISHED;
  k->until = deadline_in((int64_t)seconds);
  /* What was not asked for is the server's good-bye. */
  if (r->left == LEFT_BROKEN || substdio_have(&k->c.in)) close_kept(k);
  else if (!keep || !seconds || k->messages >= conf_number(r->conf, SET_connectionmessages)) remote_keeper_quit(k);
}

static int is_kept(const struct remote_keeper *k, const struct target *t) {
  return ip_equal(&k->at.ip, &t->ip) && k->at.port == t->port && stralloc_equals(&t->name, stralloc_cstr(&k->at.name));
}

/* The target the open connection leads to, if it is as good as the first of the list. */
static const struct target *find_kept(const struct remote_keeper *k, const struct target_list *l) {
  for (size_t i = 0; k->open && i < l->n && l->t[i].rank == l->t[0].rank; ++i)
    if (is_kept(k, &l->t[i])) return &l->t[i];
  return 0;
}

/* --- all servers --- */

static void choose_target(struct remote_run *r, const struct target *t) {
  r->t = t;
  ip_fmt(r->address, &t->ip);
}

/* Over the connection of an earlier message: 1 when that is all, 0 to go on with a new one. */
static int try_kept(struct remote_run *r, const struct target_list *l) {
  const struct target *t = find_kept(r->k, l);
  size_t before = r->report->len;
  enum remote_outcome o;

  if (!t || (r->asked.requiretls && !r->k->verified)) {
    remote_keeper_quit(r->k);
    return 0;
  }
  choose_target(r, t);
  r->reused = 1;
  o = remote_transaction(r);
  settle(r, 1);
  r->reused = 0;
  if (o == OVER) return 1;
  stralloc_cut(r->report, before);
  return 0;
}

static enum remote_outcome try_server(struct remote_run *r, const struct target_list *l, size_t i, int tls_allowed) {
  struct remote_keeper *k = r->k;
  enum remote_outcome o;

  choose_target(r, &l->t[i]);
  r->left = LEFT_BROKEN;
  o = remote_connect(r, l, tls_allowed);
  if (o != READY) {
    close_kept(k);
    return o;
  }
  k->at.ip = r->t->ip;
  k->at.port = r->t->port;
  if (!stralloc_copy(&k->at.name, &r->t->name)) r->no_memory = 1;
  o = remote_transaction(r);
  settle(r, tls_allowed && !r->no_memory);
  return o;
}

static void try_all(struct remote_run *r, struct target_list *l) {
  if (r->k->open && try_kept(r, l)) return;
  for (size_t i = 0; i < l->n; ++i) {
    enum remote_outcome o = try_server(r, l, i, 1);

    if (o == NO_TLS && !r->asked.requiretls) o = try_server(r, l, i, 0);
    if (o != OVER) continue;
    if (i) target_list_drop(l, i); /* the next message needs not try them again at once */
    return;
  }
  remote_puts(r, 'Z', "No server of ", r->job->host, " would take the message; the last, ");
  remote_put_masked(r, r->address, strlen(r->address));
  remote_put(r, ": ", 2);
  remote_put_masked(r, r->e.text, strlen(r->e.text));
  remote_put(r, ". (#4.4.1)\n", 11);
  remote_end_report(r);
}

/* --- one message --- */

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

static int eight_bit(const char *s, size_t n) {
  unsigned char all = 0;

  for (size_t i = 0; i < n; ++i) all |= (unsigned char)s[i];
  return all > 127;
}

static ssize_t read_at(int fd, char *buf, size_t n, off_t pos) {
  ssize_t got;

  do got = pread(fd, buf, n, pos);
  while (got == -1 && errno == EINTR);
  return got;
}

/* Reads the beginning, which is most often all, into buf, and looks at the rest.  What cannot be
 * read now will show when the message is sent. */
static void look_at_message(struct remote_run *r, char buf[REMOTE_BLOCK]) {
  struct smtp_message *m = &r->message;
  ssize_t n = read_at(r->job->message, buf, REMOTE_BLOCK, 0);
  struct stat st;

  m->head = r->job->extra;
  m->fd = r->job->message;
  m->text = buf;
  m->have = n > 0 ? (size_t)n : 0;
  m->whole = n >= 0 && n < REMOTE_BLOCK;
  r->has_8bit = eight_bit(m->head, strlen(m->head)) || eight_bit(buf, m->have);
  r->size = m->have + strlen(m->head);
  if (m->whole || fstat(m->fd, &st) == -1) return;
  r->size = (uint64_t)st.st_size + strlen(m->head);
  for (off_t pos = n; !r->has_8bit; pos += n) {
    char more[REMOTE_BLOCK];

    n = read_at(m->fd, more, sizeof more, pos);
    if (n <= 0) break;
    r->has_8bit = eight_bit(more, (size_t)n);
  }
}

/* Of the header we look at what is in memory, which is all but always all. */
static int header_8bit(const struct smtp_message *m) {
  const char *end = memmem(m->text, m->have, "\n\n", 2);

  return eight_bit(m->head, strlen(m->head)) || eight_bit(m->text, end ? (size_t)(end - m->text) : m->have);
}

/* Addresses need SMTPUTF8 whatever was said; a header only when it was, for there were others
 * before it. */
static void look_at_envelope(struct remote_run *r) {
  const struct remote_job *job = r->job;
  int needs = eight_bit(job->sender, strlen(job->sender));

  if (!job->dsn || !dsn_mail_parse(job->dsn, strlen(job->dsn), &r->asked)) memset(&r->asked, 0, sizeof r->asked);
  for (size_t i = 0; i < job->recipients; ++i) needs |= eight_bit(job->recipient[i], strlen(job->recipient[i]));
  r->needs_utf8 = needs || (r->asked.utf8 && r->has_8bit && header_8bit(&r->message));
}

static void report_one(struct remote_run *r, char letter, const char *text) {
  remote_puts(r, letter, "", text, "\n");
  remote_end_report(r);
}

/* The keeper's targets are this host's, and fresh: ask only then. */
static enum target_outcome find_targets(struct remote_run *r) {
  struct remote_keeper *k = r->k;
  enum target_outcome o;

  if (mono_now() < k->fresh && str_caseequal(stralloc_cstr(&k->host), r->job->host)) return TARGET_OK;
  target_list_free(&k->targets);
  o = target_find(&k->targets, r->job->host, r->conf, deadline_in(DNS_SECONDS), &r->e);
  k->fresh = o == TARGET_OK && stralloc_copys(&k->host, r->job->host) ? deadline_in(FRESH_SECONDS) : 0;
  return o;
}

static void find_and_try(struct remote_run *r) {
  if (conf_has_domain(conf_lines(r->conf, SET_odmrhosts), r->job->host, strlen(r->job->host))) {
    remote_turned(r);
    return;
  }
  switch (find_targets(r)) {
    case TARGET_OK: try_all(r, &r->k->targets); break;
    case TARGET_PERM: report_one(r, 'D', r->e.text); break;
    case TARGET_TEMP: report_one(r, 'Z', r->e.text); break;
  }
}

int remote_deliver(const struct remote_job *job, const struct conf *conf, struct remote_keeper *k, stralloc *report) {
  struct remote_run r;
  char buf[REMOTE_BLOCK];

  memset(&r, 0, sizeof r);
  r.job = job;
  r.conf = conf;
  r.k = k;
  r.report = report;
  look_at_message(&r, buf);
  look_at_envelope(&r);
  if (addresses_ok(job)) find_and_try(&r);
  else report_one(&r, 'D', "An address with a control character cannot be sent by SMTP. (#5.1.3)");
  return r.no_memory ? -1 : 0;
}

int remote_bad_settings(stralloc *report, const struct strerr *why) {
  return stralloc_catm(report, "Z", why->text, ". (#4.3.5)\n", (char *)0) && stralloc_append(report, 0) ? 0 : -1;
}
