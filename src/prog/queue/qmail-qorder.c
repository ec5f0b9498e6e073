/* qmail-qorder: give orders to the qmail-send of each queue, or ask it. */
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/options.h"
#include "base/scan.h"
#include "base/strerr.h"
#include "send/control_client.h"
#include "send/order_give.h"
#include "send/queue_list.h"

#define FATAL "qmail-qorder: fatal: "
#define USAGE "qmail-qorder [--json] status | retry | hold | release | expire | remove | message [all | id ID... | domain NAME... | sender ADDRESS...]"

static int json;

struct job {
  struct control_request *request;
  char **what;          /* as they were named */
  unsigned char *taken; /* somebody did it */
  size_t n;
  const char *queue;
  int failed;
};

static int print(stralloc *line, int ok, struct strerr *e) {
  if (!ok || fd_write_all(1, line->s, line->len) == -1) ok = 0;
  stralloc_free(line);
  return ok ? 0 : strerr_sys(e, "unable to print", (char *)0);
}

/* A message is in one queue: that the others do not know it is no failure. */
static void refused(struct job *j, const struct control_request *r, const char *why) {
  if (r->by == CONTROL_BY_ID && !strncmp(why, "no such message", 15)) return;
  strerr_warnm("qmail-qorder: ", j->queue, ": ", why, (char *)0);
  j->failed = 1;
}

static int on_result(void *ctx, size_t i, uint64_t n, const char *error, struct strerr *e) {
  struct job *j = ctx;
  const struct control_request *r = &j->request[i];
  stralloc line = STRALLOC_INIT;
  int ok;

  if (error) {
    refused(j, r, error);
    return 0;
  }
  j->taken[i] = 1;
  ok = stralloc_catm(&line, j->queue, ": ", control_commands[r->command].name, " ", control_by_names[r->by],
                     r->by == CONTROL_BY_ALL ? "" : " ", r->by == CONTROL_BY_ALL ? "" : j->what[i], ": ", (char *)0) &&
       stralloc_catu64(&line, n) && stralloc_append(&line, '\n');
  return print(&line, ok, e);
}

static int put_text(stralloc *line, const struct control_record *r) {
  const char *s = control_records[r->kind].columns;

  if (!stralloc_cats(line, control_records[r->kind].name)) return 0;
  for (size_t i = 0; i < r->word.len; ++i) {
    size_t n = strcspn(s, " ");

    if (!stralloc_append(line, ' ') || !stralloc_catb(line, s, n) || !stralloc_append(line, '=') ||
        !stralloc_cats(line, r->word.item[i].len ? r->word.item[i].s : "-"))
      return 0;
    s += n + (s[n] == ' ');
  }
  return 1;
}

static int on_record(void *ctx, size_t i, const struct control_record *r, struct strerr *e) {
  struct job *j = ctx;
  stralloc line = STRALLOC_INIT;
  int ok;

  if (r->kind == CONTROL_RECORD_error) refused(j, &j->request[i], control_column(r, "text"));
  if (r->kind == CONTROL_RECORD_error || r->kind == CONTROL_RECORD_ok) return 0;
  j->taken[i] = 1;
  ok = json ? stralloc_catm(&line, "{\"queue\":\"", j->queue, "\",\"", control_records[r->kind].name, "\":", (char *)0) &&
                  control_record_json(&line, r) && stralloc_catlit(&line, "}\n")
            : stralloc_catm(&line, j->queue, ": ", (char *)0) && put_text(&line, r) && stralloc_append(&line, '\n');
  return print(&line, ok, e);
}

static int ask(struct job *j, struct strerr *e) {
  stralloc lines = STRALLOC_INIT;
  int r = 1;

  for (size_t i = 0; i < j->n && r == 1; ++i)
    if (!control_request_format(&lines, &j->request[i])) r = strerr_sys(e, "unable to ask", (char *)0);
  if (r == 1) r = control_ask(&lines, j->n, on_record, j, e);
  stralloc_free(&lines);
  if (r == 0) refused(j, &j->request[0], "qmail-send does not run");
  return r == -1 ? -1 : 0;
}

/* One queue that cannot be asked does not keep the others from it. */
static int one_queue(void *ctx, const char *queue, struct strerr *e) {
  struct job *j = ctx;
  int asks = control_commands[j->request[0].command].right == CONTROL_STATUS;

  j->queue = queue;
  if ((asks ? ask(j, e) : order_give(j->request, j->n, on_result, j, e)) == 0) return 0;
  strerr_warnm("qmail-qorder: ", queue, ": ", e->text, (char *)0);
  j->failed = 1;
  return 0;
}

static int parse_what(struct control_request *r, const char *s) {
  if (r->by == CONTROL_BY_ID) return scan_u64(s, strlen(s), &r->id) && r->id;
  if (!stralloc_copys(&r->text, s)) strerr_die_nomem(FATAL);
  return 1;
}

static void parse(struct job *j, int argc, char **argv) {
  int command = argc > 0 ? control_command_named(argv[0]) : -1;
  int by = argc > 1 ? control_by_named(argv[1]) : CONTROL_BY_NOTHING;
  int names = by == CONTROL_BY_ID || by == CONTROL_BY_DOMAIN || by == CONTROL_BY_SENDER;

  if (command == -1 || by == -1 || !control_allows((enum control_command)command, (enum control_by)by) ||
      (names ? argc < 3 : argc > 2))
    strerr_die_usage(USAGE);
  j->n = names ? (size_t)argc - 2 : 1;
  if (j->n > CONTROL_ASK_MAX) strerr_diem(100, FATAL, "at most 200 at once", (char *)0);
  j->what = argv + 2;
  j->request = calloc(j->n, sizeof *j->request);
  j->taken = calloc(j->n, 1);
  if (!j->request || !j->taken) strerr_die_nomem(FATAL);
  for (size_t i = 0; i < j->n; ++i) {
    j->request[i].command = (enum control_command)command;
    j->request[i].by = (enum control_by)by;
    if (names && !parse_what(&j->request[i], j->what[i])) strerr_die_usage(USAGE);
  }
}

static struct option_word words[] = {{"json", &json}, {0, 0}};

int main(int argc, char **argv) {
  static const struct option options[] = {{'-', OPTION_WORDS, words, 0}, {0, 0, 0, 0}};
  int first = options_or_die(argc, argv, options, USAGE, 1, -1);
  struct job j = {0};
  struct conf conf;
  struct strerr e;

  parse(&j, argc - first, argv + first);
  if (conf_load(&conf, CONF_ADMIN | CONF_SEND, &e) == -1 || queue_list_each(&conf, one_queue, &j, &e) == -1)
    strerr_die(111, FATAL, &e);
  for (size_t i = 0; i < j.n; ++i)
    if (!j.taken[i] && j.request[i].by == CONTROL_BY_ID) {
      strerr_warnm("qmail-qorder: no such message: ", j.what[i], (char *)0);
      j.failed = 1;
    }
  return j.failed ? 111 : 0;
}
