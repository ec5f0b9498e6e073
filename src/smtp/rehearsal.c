/* rehearsal: see rehearsal.h. */
#include "smtp/rehearsal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "smtp/check_table.h"

#define FATAL "qmail-smtpd: fatal: "
#define USAGE "qmail-smtpd --explain [-m] [-h helo] [-f sender -t recipient] [-u user] [-s]"
#define MESSAGE_MAX (64u << 20)
#define LINE_MAX_BYTES 1000
#define STEPS 5

struct rehearsal {
  const char *helo, *sender, *recipient, *user;
  int tls, has_message;
  stralloc step[STEPS]; /* what the client says, each time it is asked */
  size_t steps, next;
  size_t spoken; /* bytes of the step before next */
  size_t login; /* the client has logged in, and uses TLS, before this step */
  struct session *s;
  stralloc said; /* what it was told since it last spoke */
  stralloc out;
  int nomem;
};

static void keep(struct rehearsal *r, int ok) {
  if (!ok) r->nomem = 1;
}

static void put_input(struct rehearsal *r, const char *name, const char *value) {
  keep(r, stralloc_catm(&r->out, "in\t", name, "\t", (char *)0) && check_field(&r->out, value, strlen(value)) && stralloc_append(&r->out, '\n'));
}

static void put_inputs(struct rehearsal *r, const struct session *s, enum policy_stage stage) {
  put_input(r, "ip", s->c.ip);
  put_input(r, "host", s->c.host);
  put_input(r, "relay", s->c.relay ? "yes" : "no");
  if (stage >= STAGE_HELO) put_input(r, "helo", stralloc_cstr(&s->c.helo));
  if (stage >= STAGE_MAIL) put_input(r, "tls", s->c.tls ? "yes" : "no");
  if (stage >= STAGE_MAIL) put_input(r, "user", s->c.authenticated ? stralloc_cstr(&s->c.user) : "-");
  if (stage >= STAGE_MAIL) put_input(r, "sender", stralloc_cstr(&s->t.sender.address));
  if (stage == STAGE_RCPT) put_input(r, "recipient", stralloc_cstr(&s->t.recipient.address));
}

static void note(void *ctx, const struct session *s, const struct policy_row *row, enum policy_seen how, enum verdict verdict,
                 const struct policy_reply *reply) {
  struct rehearsal *r = ctx;
  int speaks = verdict == VERDICT_DEFER || verdict == VERDICT_REJECT;

  keep(r, stralloc_catm(&r->out, "row\t", row->name, "\t", check_stage_word(row->stage), "\t", check_seen_word(how), "\t",
                        check_verdict_word(verdict), "\t", (char *)0) &&
              stralloc_catu64(&r->out, speaks ? reply->code : 0) &&
              stralloc_catm(&r->out, "\t", speaks ? reply->enhanced : "", "\t", (char *)0) &&
              check_field(&r->out, stralloc_cstr(&reply->text), speaks ? reply->text.len : 0) && stralloc_append(&r->out, '\n'));
  put_inputs(r, s, row->stage);
  keep(r, check_settings(&r->out, s->conf, row));
}

/* The last line of a reply, which ends in CR LF, begins behind the CR LF before it. */
static const char *last_line(const stralloc *said, size_t *n) {
  size_t end = said->len >= 2 ? said->len - 2 : 0;
  size_t i = bytes_rchr(said->s, end, '\n');

  i = i == end ? 0 : i + 1;
  *n = end - i;
  return said->s + i;
}

static const char *command(const struct rehearsal *r, size_t *n) {
  const stralloc *step = r->next ? &r->step[r->next - 1] : 0;
  int is_message = r->next == STEPS;

  *n = !step ? 7 : is_message ? 7 : bytes_chr(step->s, step->len, '\r');
  return !step ? "CONNECT" : is_message ? "MESSAGE" : step->s;
}

/* What it was told goes on record: 1 when it may go on. */
static int hear(struct rehearsal *r) {
  size_t n, c;
  const char *line, *what = command(r, &c);
  int pass;

  if (!r->said.len) return 0;
  line = last_line(&r->said, &n);
  pass = n && (*line == '2' || *line == '3');
  keep(r, stralloc_cats(&r->out, "reply\t") && check_field(&r->out, what, c) && stralloc_append(&r->out, '\t') &&
              check_field(&r->out, line, n) && stralloc_append(&r->out, '\n'));
  stralloc_cut(&r->said, 0);
  return pass;
}

static ssize_t hear_op(void *ctx, char *buf, size_t len) {
  struct rehearsal *r = ctx;

  keep(r, stralloc_catb(&r->said, buf, len));
  return (ssize_t)len;
}

static void log_in(struct rehearsal *r) {
  struct connection *c = &r->s->c;

  if (r->tls) c->tls = 1;
  if (!r->user) return;
  c->authenticated = c->auth_may_relay = 1;
  keep(r, stralloc_copys(&c->user, r->user));
}

/* The client speaks when it is asked to: one step, as much of it as there is room for. */
static ssize_t speak_op(void *ctx, char *buf, size_t len) {
  struct rehearsal *r = ctx;
  const stralloc *step;
  size_t n;

  if (substdio_flush(&r->s->out) == -1) return -1;
  if (r->said.len) {
    if (!hear(r) || r->next == r->steps) return 0;
    if (r->next == r->login) log_in(r);
    ++r->next;
    r->spoken = 0;
  }
  if (r->nomem || !r->next) return 0;
  step = &r->step[r->next - 1];
  n = step->len - r->spoken < len ? step->len - r->spoken : len;
  memcpy(buf, step->s + r->spoken, n);
  r->spoken += n;
  return (ssize_t)n;
}

static int add_step(struct rehearsal *r, const char *what, const char *value, const char *end) {
  return stralloc_catm(&r->step[r->steps++], what, value, end, "\r\n", (char *)0);
}

/* With CR LF, and dots doubled. */
static int add_message(struct rehearsal *r, const stralloc *text) {
  stralloc *to = &r->step[r->steps++];
  int start = 1;

  for (size_t i = 0; i < text->len; ++i) {
    char c = text->s[i];
    int bare = c == '\n' && (!i || text->s[i - 1] != '\r');

    if (start && c == '.' && !stralloc_append(to, '.')) return 0;
    if ((bare && !stralloc_append(to, '\r')) || !stralloc_append(to, c)) return 0;
    start = c == '\n';
  }
  return stralloc_cats(to, start ? ".\r\n" : "\r\n.\r\n");
}

static int write_part(struct rehearsal *r) {
  stralloc text = STRALLOC_INIT;
  int ok = add_step(r, "EHLO ", r->helo, "");

  r->login = r->steps;
  if (r->sender && r->recipient) {
    ok = ok && add_step(r, "MAIL FROM:<", r->sender, ">") && add_step(r, "RCPT TO:<", r->recipient, ">");
    ok = ok && add_step(r, "DATA", "", "");
    if (r->has_message && fd_slurp(0, &text, MESSAGE_MAX) == -1) strerr_diem_sys(111, FATAL, "unable to read the message", (char *)0);
    if (!r->has_message) ok = ok && stralloc_copys(&text, "Subject: a rehearsal\n\n");
    ok = ok && add_message(r, &text);
  }
  stralloc_free(&text);
  return ok;
}

static void play(struct rehearsal *r, const struct settings *settings, struct settings_source *source, const struct env *env) {
  struct lookup lookup = LOOKUP_INIT;
  const struct session_place at = {.in = -1, .out = -1, .number = (uint64_t)getpid(), .settings = settings, .source = source, .env = env, .lookup = &lookup};
  const struct policy_trace trace = {note, r};
  struct session s;

  session_init(&s, &at);
  r->s = &s;
  s.trace = &trace;
  s.c.tls = conf_flag(settings->conf, SET_smtps);
  substdio_init(&s.in, speak_op, r, s.inbuf, sizeof s.inbuf);
  substdio_init(&s.out, hear_op, r, s.outbuf, sizeof s.outbuf);
  (void)session_run(&s);
  (void)hear(r);
  session_free(&s);
  lookup_close(&lookup);
}

static void check_line(const char *s) {
  if (s && (strpbrk(s, "\r\n") || strlen(s) > LINE_MAX_BYTES))
    strerr_diem(100, FATAL, "a name or an address is one line, and not that long: ", s, (char *)0);
}

static void run(struct rehearsal *r, int list) {
  const struct env env = {.inherit = 1};
  struct settings_source source;
  struct settings settings;
  struct strerr e;

  settings_source_init(&source, 0, policy_valid);
  if (settings_get(&source, &env, &settings, &e) == -1) strerr_die(e.permanent ? 100 : 111, FATAL, &e);
  if (list) keep(r, check_table(&r->out, settings.conf));
  else keep(r, write_part(r));
  if (!list && !r->nomem) play(r, &settings, &source, &env);
  settings_put(&source, &settings);
  settings_source_free(&source);
}

int rehearsal_main(int argc, char **argv) {
  struct rehearsal r = {.helo = "localhost"};
  int list = argc == 1;
  const struct option table[] = {{'h', OPTION_STRING, &r.helo, 0},      {'f', OPTION_STRING, &r.sender, 0}, {'t', OPTION_STRING, &r.recipient, 0},
                                 {'u', OPTION_STRING, &r.user, 0},      {'s', OPTION_FLAG, &r.tls, 1},      {'m', OPTION_FLAG, &r.has_message, 1},
                                 {0, OPTION_FLAG, 0, 0}};

  (void)options_or_die(argc, argv, table, USAGE, 0, 0);
  check_line(r.helo);
  check_line(r.sender);
  check_line(r.recipient);
  sig_ignore_pipe();
  run(&r, list);
  if (r.nomem) strerr_die_nomem(FATAL);
  if (fd_write_all(1, r.out.s, r.out.len) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  for (size_t i = 0; i < STEPS; ++i) stralloc_free(&r.step[i]);
  stralloc_free(&r.said);
  stralloc_free(&r.out);
  return 0;
}
