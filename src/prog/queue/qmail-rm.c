/* qmail-rm: remove, hold, release, expire or retry the messages of the queues that match. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/options.h"
#include "base/scan.h"
#include "base/strerr.h"
#include "send/idset.h"
#include "send/order_give.h"
#include "send/queue_list.h"

#define FATAL "qmail-rm: fatal: "
#define USAGE "qmail-rm [-nxHuR] [--json] -a | [-i id]... [-s sender] [-r recipient]"

/* What the options say. */
static int dry, all, json;
static int command = CONTROL_remove;
static const char *sender, *recipient;
static struct idset ids;

/* What matches in one queue, and what became of it. */
struct found {
  const char *queue;
  struct control_request *request;
  stralloc *sender;
  size_t n, a;
};
static size_t matched, failed;

static int add_id(const char *s) {
  uint64_t id;

  if (!scan_u64(s, strlen(s), &id) || !id) return 0;
  if (idset_add(&ids, id) == -1) strerr_die_nomem(FATAL);
  return 1;
}

static int matches(const char *pattern, const stralloc *address) {
  return fnmatch(pattern, stralloc_cstr(address), FNM_CASEFOLD | FNM_NOESCAPE) == 0;
}

/* Of the recipients those count that wait still. */
static int wanted(const struct queue_entry *q) {
  if (ids.n && !idset_has(&ids, q->id)) return 0;
  if (sender && !matches(sender, &q->env.sender)) return 0;
  if (!recipient) return 1;
  for (size_t i = 0; i < q->env.recipients.len; ++i)
    if (!queue_entry_is_done(q, i) && matches(recipient, &q->env.recipients.item[i])) return 1;
  return 0;
}

static int grow(struct found *f) {
  size_t a = f->a ? 2 * f->a : 64;
  struct control_request *request = reallocarray(f->request, a, sizeof *request);
  stralloc *senders = reallocarray(f->sender, a, sizeof *senders);

  if (request) f->request = request;
  if (senders) f->sender = senders;
  if (!request || !senders) return 0;
  f->a = a;
  return 1;
}

static int collect(void *ctx, const struct queue_entry *q, struct strerr *e) {
  struct found *f = ctx;

  if (!wanted(q)) return 0;
  if (f->n == f->a && !grow(f)) return strerr_sys(e, "unable to collect messages", (char *)0);
  f->request[f->n] = (struct control_request){.command = (enum control_command)command, .by = CONTROL_BY_ID, .id = q->id};
  f->sender[f->n] = (stralloc)STRALLOC_INIT;
  if (!stralloc_copy(&f->sender[f->n], &q->env.sender)) return strerr_sys(e, "unable to collect messages", (char *)0);
  f->n++;
  return 0;
}

/* Text from outside goes to a terminal. */
static int put_masked(stralloc *out, const stralloc *s) {
  size_t start = out->len;

  if (!stralloc_cat(out, s)) return 0;
  for (size_t i = start; i < out->len; ++i)
    if ((unsigned char)out->s[i] < 32 || out->s[i] == 127) out->s[i] = '?';
  return 1;
}

static int put_json(stralloc *out, const struct found *f, size_t i, const char *error) {
  return stralloc_catlit(out, "{\"queue\":") && json_string(out, f->queue, strlen(f->queue)) && stralloc_catlit(out, ",\"id\":") &&
         stralloc_catu64(out, f->request[i].id) && stralloc_catlit(out, ",\"sender\":") &&
         json_string(out, stralloc_cstr(&f->sender[i]), f->sender[i].len) &&
         stralloc_catm(out, ",\"action\":\"", control_commands[command].name, "\",\"dry\":", dry ? "true" : "false",
                       ",\"error\":", (char *)0) &&
         (error ? json_string(out, error, strlen(error)) : stralloc_catlit(out, "null")) && stralloc_catlit(out, "}\n");
}

static int put_text(stralloc *out, const struct found *f, size_t i, const char *error) {
  return stralloc_catm(out, f->queue, "  #", (char *)0) && stralloc_catu64(out, f->request[i].id) &&
         stralloc_catlit(out, "  <") && put_masked(out, &f->sender[i]) &&
         stralloc_catm(out, ">  ", control_commands[command].name, dry ? ": would be done" : error ? ": " : ": done",
                       error ? error : "", "\n", (char *)0);
}

static int report(void *ctx, size_t i, uint64_t n, const char *error, struct strerr *e) {
  const struct found *f = ctx;
  stralloc line = STRALLOC_INIT;
  int ok = json ? put_json(&line, f, i, error) : put_text(&line, f, i, error);

  (void)n;
  failed += error != 0;
  if (ok) ok = fd_write_all(1, line.s, line.len) == 0;
  stralloc_free(&line);
  return ok ? 0 : strerr_sys(e, "unable to print", (char *)0);
}

static int one_queue(void *ctx, const char *queue, struct strerr *e) {
  struct found f = {.queue = queue};
  int r = queue_list_entries(collect, &f, &failed, e); /* it may be one that is meant */

  (void)ctx;
  matched += f.n;
  if (r == 0 && dry) {
    for (size_t i = 0; i < f.n && r == 0; ++i) r = report(&f, i, 1, 0, e);
  } else if (r == 0 && f.n) {
    r = order_give(f.request, f.n, report, &f, e);
  }
  for (size_t i = 0; i < f.n; ++i) stralloc_free(&f.sender[i]);
  free(f.request);
  free(f.sender);
  return r;
}

static struct option_word words[] = {{"json", &json}, {0, 0}};

int main(int argc, char **argv) {
  static const struct option options[] = {
      {'n', OPTION_FLAG, &dry, 1},
      {'a', OPTION_FLAG, &all, 1},
      {'x', OPTION_FLAG, &command, CONTROL_expire},
      {'H', OPTION_FLAG, &command, CONTROL_hold},
      {'u', OPTION_FLAG, &command, CONTROL_release},
      {'R', OPTION_FLAG, &command, CONTROL_retry},
      {'i', OPTION_CALL, (void *)(uintptr_t)add_id, 0},
      {'s', OPTION_STRING, &sender, 0},
      {'r', OPTION_STRING, &recipient, 0},
      {'-', OPTION_WORDS, words, 0},
      {0, 0, 0, 0},
  };
  struct conf conf;
  struct strerr e;

  options_or_die(argc, argv, options, USAGE, 0, 0);
  if (all == (ids.n || sender || recipient)) strerr_die_usage(USAGE); /* neither nothing nor both */
  if (conf_load(&conf, CONF_ADMIN | CONF_SEND, &e) == -1 || queue_list_each(&conf, one_queue, 0, &e) == -1)
    strerr_die(111, FATAL, &e);
  return failed ? 111 : matched ? 0 : 1;
}
