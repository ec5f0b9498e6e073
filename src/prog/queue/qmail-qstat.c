/* qmail-qstat: how many messages the queues hold, and what their qmail-send says. */
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/options.h"
#include "base/scan.h"
#include "base/strerr.h"
#include "send/control_client.h"
#include "send/queue_list.h"

#define FATAL "qmail-qstat: fatal: "
#define USAGE "qmail-qstat [-d] [--json]"

static int json;
static int destinations;

static struct {
  struct queue_counts counts;
  uint64_t held;
  stralloc rows; /* of the queues */
} total;

/* What the qmail-send of one queue answered. */
struct answer {
  uint64_t held;
  stralloc total, destinations; /* as text or JSON */
};

static uint64_t column(const struct control_record *r, const char *name) {
  const char *s = control_column(r, name);
  uint64_t u = 0;

  scan_u64(s, strlen(s), &u);
  return u;
}

static int add_total(struct answer *a, const struct control_record *r) {
  a->held = column(r, "held");
  if (json) return control_record_json(&a->total, r);
  return stralloc_catm(&a->total, ", ", control_column(r, "held"), " held; local ", control_column(r, "local"), "/",
                       control_column(r, "local_limit"), " remote ", control_column(r, "remote"), "/",
                       control_column(r, "remote_limit"), (char *)0);
}

static int add_destination(struct answer *a, const struct control_record *r) {
  const char *next = control_column(r, "next");
  const char *hold = control_column(r, "hold");

  if (json) return (!a->destinations.len || stralloc_append(&a->destinations, ',')) && control_record_json(&a->destinations, r);
  if (!destinations) return 1;
  return stralloc_catm(&a->destinations, "  ", control_column(r, "channel"), " ",
                       *control_column(r, "host") ? control_column(r, "host") : "-", ": ", control_column(r, "messages"),
                       " messages, ", control_column(r, "recipients"), " recipients, oldest ", control_column(r, "oldest"),
                       " s, under way ", control_column(r, "running"), "/", control_column(r, "limit"),
                       *next ? ", next in " : "", next, *next ? " s" : "", *hold ? ", held: " : "", hold, "\n", (char *)0);
}

static int take(void *ctx, size_t i, const struct control_record *r, struct strerr *e) {
  struct answer *a = ctx;
  int ok = 1;

  (void)i;
  if (r->kind == CONTROL_RECORD_total) ok = add_total(a, r);
  if (r->kind == CONTROL_RECORD_destination) ok = add_destination(a, r);
  return ok ? 0 : strerr_sys(e, "unable to take in an answer", (char *)0);
}

/* Without an answer the disk's numbers are shown all the same. */
static void ask(struct answer *a) {
  struct control_request status = {.command = CONTROL_status};
  stralloc line = STRALLOC_INIT;
  struct strerr e;

  if (control_request_format(&line, &status) && control_ask(&line, 1, take, a, &e) == -1)
    strerr_warn("qmail-qstat: warning: ", &e);
  stralloc_free(&line);
}

static int put_json_row(stralloc *out, const char *queue, const struct queue_counts *c, const struct answer *a) {
  if ((out->len && !stralloc_append(out, ',')) || !stralloc_catlit(out, "{\"queue\":") ||
      !json_string(out, queue, strlen(queue)) || !stralloc_catlit(out, ",\"messages\":") ||
      !stralloc_catu64(out, c->messages) || !stralloc_catlit(out, ",\"untried\":") || !stralloc_catu64(out, c->untried) ||
      !stralloc_catlit(out, ",\"unaccepted\":") || !stralloc_catu64(out, c->unaccepted))
    return 0;
  if (!a->total.len) return stralloc_catlit(out, ",\"send\":null}");
  return stralloc_catm(out, ",\"send\":{\"total\":", a->total.s, ",\"destinations\":[", stralloc_cstr(&a->destinations),
                       "]}}", (char *)0);
}

static int put_row(stralloc *out, const char *queue, const struct queue_counts *c, const struct answer *a) {
  if (json) return put_json_row(out, queue, c, a);
  return stralloc_catm(out, queue, ": ", (char *)0) && stralloc_catu64(out, c->messages) &&
         stralloc_catlit(out, " messages, ") && stralloc_catu64(out, c->untried) && stralloc_catlit(out, " not yet tried, ") &&
         stralloc_catu64(out, c->unaccepted) &&
         stralloc_catm(out, " being received", a->total.len ? a->total.s : "; qmail-send does not answer", "\n",
                       stralloc_cstr(&a->destinations), (char *)0);
}

static int add(void *ctx, const char *queue, struct strerr *e) {
  struct queue_counts c;
  struct answer a = {0};
  int ok;

  (void)ctx;
  if (queue_list_count(&c, e) == -1) return -1;
  ask(&a);
  total.counts.messages += c.messages;
  total.counts.untried += c.untried;
  total.counts.unaccepted += c.unaccepted;
  total.held += a.held;
  ok = put_row(&total.rows, queue, &c, &a);
  stralloc_free(&a.total);
  stralloc_free(&a.destinations);
  return ok ? 0 : strerr_sys(e, "unable to print", (char *)0);
}

static int format(stralloc *out) {
  const struct {
    const char *text, *json;
    uint64_t n;
  } rows[] = {
      {"messages in queue: ", "{\"messages\":", total.counts.messages},
      {"messages in queue but not yet tried: ", ",\"untried\":", total.counts.untried},
      {"messages being received: ", ",\"unaccepted\":", total.counts.unaccepted},
      {"messages held: ", ",\"held\":", total.held},
  };

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i)
    if (!stralloc_cats(out, json ? rows[i].json : rows[i].text) || !stralloc_catu64(out, rows[i].n) ||
        !stralloc_cats(out, json ? "" : "\n"))
      return 0;
  return stralloc_catm(out, json ? ",\"queues\":[" : "", stralloc_cstr(&total.rows), json ? "]}\n" : "", (char *)0);
}

static struct option_word words[] = {{"json", &json}, {0, 0}};

int main(int argc, char **argv) {
  static const struct option options[] = {{'d', OPTION_FLAG, &destinations, 1},
                                          {'-', OPTION_WORDS, words, 0},
                                          {0, 0, 0, 0}};
  stralloc out = STRALLOC_INIT;
  struct conf conf;
  struct strerr e;

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (conf_load(&conf, CONF_ADMIN | CONF_SEND, &e) == -1 || queue_list_each(&conf, add, 0, &e) == -1)
    strerr_die(111, FATAL, &e);
  if (!format(&out)) strerr_die_nomem(FATAL);
  if (fd_write_all(1, out.s, out.len) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return 0;
}
