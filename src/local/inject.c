/* inject: see inject.h.
 *
 * The header is read whole, each field judged by the table below, what is missing is
 * made, and everything goes to qmail-queue.  The body streams through. */
#include "local/inject.h"

#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/now.h"
#include "base/substdio.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/header.h"
#include "queue/domainqueue.h"
#include "queue/qqclient.h"

#define FIELD_MAX (1u << 20)

enum what {
  KEEP = 0,
  ADDRESSES = 1,  /* complete them */
  RECIPIENTS = 2, /* and send to them */
  DROP = 4,
  RESENT = 8, /* its presence makes the message a forwarded one */
  IS_DATE = 16,
  IS_ID = 32,
  IS_FROM = 64,
  IS_RETURN_PATH = 128,
  IS_TO = 256, /* a recipient field that stays */
};

static const struct {
  const char *name;
  unsigned what;
} fields[] = {
    {"From", ADDRESSES | IS_FROM},
    {"To", ADDRESSES | RECIPIENTS | IS_TO},
    {"Cc", ADDRESSES | RECIPIENTS | IS_TO},
    {"Bcc", ADDRESSES | RECIPIENTS | DROP},
    {"Apparently-To", ADDRESSES | RECIPIENTS | IS_TO},
    {"Reply-To", ADDRESSES},
    {"Sender", ADDRESSES},
    {"Errors-To", ADDRESSES},
    {"Return-Receipt-To", ADDRESSES},
    {"Date", IS_DATE},
    {"Message-ID", IS_ID},
    {"Return-Path", ADDRESSES | DROP | IS_RETURN_PATH},
    {"Content-Length", DROP},
    {"Resent-From", ADDRESSES | RESENT | IS_FROM},
    {"Resent-To", ADDRESSES | RECIPIENTS | RESENT | IS_TO},
    {"Resent-Cc", ADDRESSES | RECIPIENTS | RESENT | IS_TO},
    {"Resent-Bcc", ADDRESSES | RECIPIENTS | DROP | RESENT},
    {"Resent-Reply-To", ADDRESSES | RESENT},
    {"Resent-Sender", ADDRESSES | RESENT},
    {"Resent-Date", RESENT | IS_DATE},
    {"Resent-Message-ID", RESENT | IS_ID},
};

struct run {
  const struct inject_job *job;
  const struct conf *conf;
  struct address_defaults defaults;
  struct strlist plain, resent; /* recipients found in the header */
  stralloc header;              /* as it will be */
  stralloc sender;
  stralloc leftover; /* first line of a body that no empty line announced */
  unsigned seen, resent_seen;
  int is_resent, have_return_path;
  char letters[8]; /* of $QMAILINJECT */
  struct strerr *e;
};

static int refuse(struct run *r, const char *a, const char *b) {
  strerr_set(r->e, a, b, (char *)0);
  return 100;
}

static int no_memory(struct run *r) {
  strerr_set(r->e, "out of memory", (char *)0);
  return 111;
}

static int has_letter(const struct run *r, char c) {
  return strchr(r->letters, c) != 0;
}

static const char *first_set(const char *const *names) {
  for (; *names; ++names) {
    const char *v = env_get(*names);

    if (v && *v) return v;
  }
  return 0;
}

/* --- who sends --- */

static const char *const user_names[] = {"QMAILUSER", "MAILUSER", "USER", "LOGNAME", 0};
static const char *const host_names[] = {"QMAILHOST", "MAILHOST", 0};
static const char *const name_names[] = {"QMAILNAME", "MAILNAME", "NAME", 0};

static const char *user_name(void) {
  const char *user = first_set(user_names);

  return user ? user : "anonymous";
}

static const char *host_name(const struct run *r) {
  const char *host = first_set(host_names);

  return host ? host : r->defaults.host;
}

static int default_sender(struct run *r) {
  const char *user = env_get("QMAILSUSER");
  const char *host = env_get("QMAILSHOST");

  stralloc_cut(&r->sender, 0);
  return stralloc_catm(&r->sender, user && *user ? user : user_name(), "@", host && *host ? host : host_name(r), (char *)0);
}

/* An address given on the command line, completed like those of the header. */
static int complete(struct run *r, const char *s, struct strlist *out) {
  stralloc text = STRALLOC_INIT;
  int got = address_rewrite(s, strlen(s), &r->defaults, &text, out);

  stralloc_free(&text);
  return got;
}

static int choose_sender(struct run *r) {
  struct strlist one = {0};
  int got;

  if (!r->job->sender) return r->have_return_path || default_sender(r) ? 0 : no_memory(r);
  stralloc_cut(&r->sender, 0);
  if (!*r->job->sender || !strcmp(r->job->sender, "<>")) return 0;
  got = complete(r, r->job->sender, &one);
  if (got == 0 || (got == 1 && one.len && !stralloc_copy(&r->sender, &one.item[0]))) return no_memory(r);
  got = got == 1 && one.len == 1;
  strlist_free(&one);
  return got ? 0 : refuse(r, "this is no sender address: ", r->job->sender);
}

/* --- the header that came --- */

static int take_return_path(struct run *r, const char *s, size_t n) {
  struct strlist one = {0};
  stralloc text = STRALLOC_INIT;
  int got = address_rewrite(s, n, &r->defaults, &text, &one);
  int ok = got != 0;

  if (got == 1 && !has_letter(r, 's')) {
    ok = one.len ? stralloc_copy(&r->sender, &one.item[0]) : (stralloc_cut(&r->sender, 0), 1);
    r->have_return_path = 1;
  }
  strlist_free(&one);
  stralloc_free(&text);
  return ok;
}

static unsigned what_of(const char *s, size_t n) {
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; ++i)
    if (strlen(fields[i].name) == n && bytes_caseequal(fields[i].name, s, n)) return fields[i].what;
  return KEEP;
}

static int take_field(struct run *r, const stralloc *field) {
  size_t body = 0;
  size_t name = header_name(field->s, field->len, &body);
  unsigned what = what_of(field->s, name);
  struct strlist *to = what & RECIPIENTS ? (what & RESENT ? &r->resent : &r->plain) : 0;
  stralloc text = STRALLOC_INIT;
  int got = 1;
  int code = 0;

  if (what & RESENT) r->is_resent = 1;
  if ((what & IS_FROM && has_letter(r, 'f')) || (what & IS_ID && has_letter(r, 'i'))) return 0;
  if (what & IS_RETURN_PATH) return take_return_path(r, field->s + body, field->len - body) ? 0 : no_memory(r);
  if (!stralloc_copyb(&text, field->s, body)) got = 0;
  if (got && what & ADDRESSES) got = address_rewrite(field->s + body, field->len - body, &r->defaults, &text, to);
  else if (got) got = stralloc_catb(&text, field->s + body, field->len - body);
  if (got == -1) {
    stralloc_cut(&text, name);
    code = refuse(r, "there is no telling the addresses in this field: ", stralloc_cstr(&text));
  } else if (got == 0) {
    code = no_memory(r);
  } else if (!(what & DROP)) {
    if (what & RESENT) r->resent_seen |= what;
    else r->seen |= what;
    if (!stralloc_cat(&r->header, &text)) code = no_memory(r);
  }
  stralloc_free(&text);
  return code;
}

static int read_header(struct run *r, substdio *in) {
  struct header_reader h = {0};
  stralloc field = STRALLOC_INIT;
  int code = 0;

  while (code == 0) {
    enum header_line got = header_next(&h, in, &field, FIELD_MAX);

    if (got == HEADER_FIELD) {
      code = take_field(r, &field);
      continue;
    }
    if (got == HEADER_NOMEM) code = no_memory(r);
    if (got == HEADER_ERROR) {
      strerr_sys(r->e, "unable to read the message", (char *)0);
      code = 111;
    }
    if (got == HEADER_END && !stralloc_copy(&r->leftover, &field)) code = no_memory(r);
    break;
  }
  header_reader_free(&h);
  stralloc_free(&field);
  return code;
}

/* --- what is missing --- */

static int add_without(stralloc *out, const char *s, const char *unwanted) {
  for (; *s; ++s)
    if (!strchr(unwanted, *s) && !stralloc_append(out, *s)) return 0;
  return 1;
}

static int add_from(struct run *r, stralloc *out, const char *prefix) {
  const char *name = first_set(name_names);
  stralloc address = STRALLOC_INIT;
  stralloc quoted = STRALLOC_INIT;
  int ok = stralloc_catm(&address, user_name(), "@", host_name(r), (char *)0) &&
           address_quote(address.s, address.len, &quoted) && stralloc_catm(out, prefix, "From: ", (char *)0);

  if (ok && name && has_letter(r, 'c'))
    ok = stralloc_cat(out, &quoted) && stralloc_catlit(out, " (") && add_without(out, name, "()\\\n\r") && stralloc_append(out, ')');
  else if (ok && name)
    ok = stralloc_append(out, '"') && add_without(out, name, "\"\\\n\r") && stralloc_catlit(out, "\" <") && stralloc_cat(out, &quoted) &&
         stralloc_append(out, '>');
  else ok = ok && stralloc_cat(out, &quoted);
  stralloc_free(&address);
  stralloc_free(&quoted);
  return ok && stralloc_append(out, '\n');
}

static int add_missing(struct run *r) {
  const char *prefix = r->is_resent ? "Resent-" : "";
  unsigned seen = r->is_resent ? r->resent_seen : r->seen;
  int64_t now = wall_now();
  stralloc head = STRALLOC_INIT;
  char date[DATE_TEXT];
  int ok = 1;

  date_fmt(date, now, "-0000");
  if (!(seen & IS_DATE)) ok = ok && stralloc_catm(&head, prefix, "Date: ", date, "\n", (char *)0);
  if (!(seen & IS_ID))
    ok = ok && stralloc_catm(&head, prefix, "Message-ID: <", (char *)0) && stralloc_cati64(&head, wall_now_us()) &&
         stralloc_append(&head, '.') && stralloc_cati64(&head, getpid()) &&
         stralloc_catm(&head, ".qmail@", conf_line(r->conf, SET_idhost), ">\n", (char *)0);
  if (!(seen & IS_FROM)) ok = ok && add_from(r, &head, prefix);
  if (!(seen & IS_TO) && !r->is_resent) ok = ok && stralloc_catlit(&head, "Cc: recipient list not shown: ;\n");
  ok = ok && stralloc_cat(&head, &r->header) && stralloc_copy(&r->header, &head);
  stralloc_free(&head);
  return ok ? 0 : no_memory(r);
}

static int choose_recipients(struct run *r, struct strlist *to) {
  enum inject_recipients which = r->job->recipients;
  const struct strlist *header = r->is_resent ? &r->resent : &r->plain;
  uint64_t max = conf_number(r->conf, SET_maxrecipients);

  if (which == INJECT_EITHER) which = r->job->arguments.len ? INJECT_ARGUMENTS : INJECT_HEADER;
  if (which != INJECT_HEADER)
    for (size_t i = 0; i < r->job->arguments.len; ++i) {
      int got = complete(r, r->job->arguments.item[i].s, to);

      if (got == 0) return no_memory(r);
      if (got == -1) return refuse(r, "this is no recipient address: ", r->job->arguments.item[i].s);
    }
  if (which != INJECT_ARGUMENTS)
    for (size_t i = 0; i < header->len; ++i)
      if (!strlist_add(to, header->item[i].s, header->item[i].len)) return no_memory(r);
  if (!to->len) return refuse(r, "no recipients", "");
  if (max && to->len > max) return refuse(r, "too many recipients", "");
  return 0;
}

/* --- out --- */

/* A place the finished message goes to: the queue, or fd 1. */
struct sink {
  struct qqclient *q;
  substdio *out;
};

static void put(struct sink *s, const char *text, size_t n) {
  if (s->q) qqclient_put(s->q, text, n);
  else (void)!substdio_put(s->out, text, n);
}

/* 0, 100 too big, 111 cannot be read. */
static int put_all(struct run *r, struct sink *s, substdio *in) {
  uint64_t limit = conf_number(r->conf, SET_databytes);
  uint64_t size = r->header.len + 1 + r->leftover.len;
  ssize_t n;

  put(s, r->header.s, r->header.len);
  put(s, "\n", 1);
  put(s, stralloc_cstr(&r->leftover), r->leftover.len);
  while ((n = substdio_feed(in)) > 0) {
    size += (uint64_t)n;
    if (limit && size > limit) return refuse(r, "the message is too big", "");
    put(s, substdio_peek(in), (size_t)n);
    substdio_take(in, (size_t)n);
  }
  if (n == 0) return 0;
  strerr_sys(r->e, "unable to read the message", (char *)0);
  return 111;
}

/* The environment of the queue program: ours, with what control/domainqueue says. */
static int choose_queue(struct run *r, const struct strlist *to, struct env *env) {
  const struct strlist *rules = conf_lines(r->conf, SET_domainqueue);
  const char *what = 0;

  if (!env_import(env)) return no_memory(r);
  if (!rules->len || env_get("QUEUEDIR")) return 0;
  for (size_t i = to->len; i-- > 0 && !what;)
    if (!domainqueue_find(rules, to->item[i].s, to->item[i].len, &what)) return no_memory(r);
  if (!what) return 0;
  switch (domainqueue_apply(what, env)) {
    case DOMAINQUEUE_OK: return 0;
    case DOMAINQUEUE_NOMEM: return no_memory(r);
    case DOMAINQUEUE_BAD: break;
  }
  strerr_set(r->e, "control/domainqueue: no assignments of a queue: ", what, (char *)0);
  return 111;
}

static int queue(struct run *r, const struct strlist *to, substdio *in) {
  struct qqclient q;
  struct qqresult result;
  struct sink s = {&q, 0};
  struct env env = {0};
  int code;

  code = choose_queue(r, to, &env);
  if (code == 0 && qqclient_open(&q, &env, 0, r->e) == -1) code = 111;
  env_free(&env);
  if (code) return code;
  code = put_all(r, &s, in);
  if (code) qqclient_fail(&q);
  qqclient_from(&q, stralloc_cstr(&r->sender), r->sender.len);
  for (size_t i = 0; i < to->len; ++i) qqclient_to(&q, to->item[i].s, to->item[i].len);
  if (qqclient_close(&q, &result) == -1 && code == 0) {
    strerr_set(r->e, stralloc_cstr(&result.text), (char *)0);
    code = result.verdict == 'D' ? 100 : 111;
  }
  qqresult_free(&result);
  return code;
}

static int print(struct run *r, substdio *in) {
  char buf[4096];
  substdio out;
  struct sink s = {0, &out};
  int code;

  substdio_initfd_write(&out, 1, buf, sizeof buf);
  code = put_all(r, &s, in);
  if (code == 0 && substdio_flush(&out) == -1) {
    strerr_sys(r->e, "unable to print the message", (char *)0);
    code = 111;
  }
  return code;
}

int inject_run(const struct inject_job *job, const struct conf *conf, struct strerr *e) {
  struct run r = {.job = job, .conf = conf, .e = e};
  const char *letters = env_get("QMAILINJECT");
  struct strlist to = {0};
  char buf[8192];
  substdio in;
  int code;

  r.defaults.host = conf_line(conf, SET_defaulthost);
  r.defaults.domain = conf_line(conf, SET_defaultdomain);
  r.defaults.plus = conf_line(conf, SET_plusdomain);
  for (size_t n = 0; letters && *letters && n + 1 < sizeof r.letters; ++letters)
    if (strchr("csfi", *letters)) r.letters[n++] = *letters;
  substdio_initfd_read(&in, job->message, buf, sizeof buf);
  code = read_header(&r, &in);
  if (code == 0) code = choose_sender(&r);
  if (code == 0) code = choose_recipients(&r, &to);
  if (code == 0) code = add_missing(&r);
  if (code == 0) code = job->dry ? print(&r, &in) : queue(&r, &to, &in);
  strlist_free(&to);
  strlist_free(&r.plain);
  strlist_free(&r.resent);
  stralloc_free(&r.header);
  stralloc_free(&r.sender);
  stralloc_free(&r.leftover);
  return code;
}
