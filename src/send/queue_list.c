/* queue_list: see queue_list.h. */
#include "send/queue_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/json.h"
#include "mail/date.h"
#include "queue/collection.h"
#include "queue/messid.h"
#include "queue/found.h"
#include "queue/transition.h"
#include "send/control_client.h"
#include "send/route.h"

struct ids {
  uint64_t *id;
  size_t n, a;
};

static int collect(void *ctx, uint64_t id) {
  struct ids *l = ctx;

  if (l->n == l->a) {
    size_t a = l->a ? l->a * 2 : 256;
    uint64_t *more = reallocarray(l->id, a, sizeof *more);

    if (!more) return -1;
    l->id = more;
    l->a = a;
  }
  l->id[l->n++] = id;
  return 0;
}

static int by_age(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a;
  uint64_t y = *(const uint64_t *)b;

  return x < y ? -1 : x > y;
}

/* What the running qmail-send says of a message. */
struct live {
  stralloc state, attempts, next, hold; /* empty: it does not know it; next may be empty too */
};

struct printer {
  const char *queue;
  enum queue_list_form form;
  struct route_table table;
  substdio *out;
  stralloc routed, line;
};

static const char *channel_of(struct printer *p, const stralloc *recipient) {
  enum channel channel;

  if (!route_address(&p->table, recipient->s, recipient->len, &p->routed, &channel)) return 0;
  return channel == CHANNEL_LOCAL ? "local" : "remote";
}

int queue_entry_is_done(const struct queue_entry *q, size_t i) {
  return i < q->marks.len && q->marks.s[i] == 'D';
}

/* Text from outside: control characters masked, so that no address looks like a line
 * of ours or commands a terminal. */
static int put_masked(stralloc *out, const stralloc *s) {
  size_t start = out->len;

  if (!stralloc_catb(out, s->s, s->len)) return 0;
  for (size_t i = start; i < out->len; ++i)
    if ((unsigned char)out->s[i] < 32 || out->s[i] == 127) out->s[i] = '?';
  return 1;
}

/* The id it has in logs. */
static const char *messid(const struct queue_entry *q, char buf[MESSID_SIZE]) {
  return messid_of(q->env.messid.len ? q->env.messid.s : 0, q->id, buf);
}

static int print_live(struct printer *p, const struct live *l) {
  if (!l->state.len) return 1;
  if (p->form == QUEUE_LIST_SHORT) return stralloc_equals(&l->state, "held") ? stralloc_catlit(&p->line, "  held") : 1;
  return stralloc_catm(&p->line, "  ", l->state.s, l->hold.len ? " by " : "", stralloc_cstr(&l->hold), ", attempts ",
                       stralloc_cstr(&l->attempts), l->next.len ? ", next in " : "", stralloc_cstr(&l->next),
                       l->next.len ? " s" : "", (char *)0);
}

/* "date GMT  #id  size  <sender>", then "\tlocal\taddress" or "  done\t..." */
static int print_text(struct printer *p, const struct queue_entry *q, const struct live *l) {
  const struct envelope *env = &q->env;
  char date[DATE_TEXT], buf[MESSID_SIZE];

  date_fmt(date, (int64_t)env->birth, "GMT");
  if (!stralloc_catm(&p->line, date, "  #", (char *)0) || !stralloc_catu64(&p->line, q->id) ||
      !stralloc_catlit(&p->line, "  ") || !stralloc_catu64(&p->line, env->size) || !stralloc_catlit(&p->line, "  <") ||
      !put_masked(&p->line, &env->sender) || !stralloc_catm(&p->line, ">  ", p->queue, (char *)0) || !print_live(p, l) ||
      (p->form == QUEUE_LIST_LONG && !stralloc_catm(&p->line, "  id ", messid(q, buf), (char *)0)) ||
      !stralloc_append(&p->line, '\n'))
    return 0;
  for (size_t i = 0; i < env->recipients.len; ++i) {
    const char *channel = channel_of(p, &env->recipients.item[i]);

    if (!channel || !stralloc_catm(&p->line, queue_entry_is_done(q, i) ? "  done" : "", "\t", channel, "\t", (char *)0) ||
        !put_masked(&p->line, &env->recipients.item[i]) || !stralloc_append(&p->line, '\n'))
      return 0;
  }
  return 1;
}

static int put_json_live(stralloc *out, const struct live *l) {
  if (!l->state.len) return stralloc_catlit(out, ",\"state\":null");
  return stralloc_catm(out, ",\"state\":\"", l->state.s, "\",\"hold\":", l->hold.len ? "\"" : "null",
                       stralloc_cstr(&l->hold), l->hold.len ? "\"" : "", ",\"attempts\":", stralloc_cstr(&l->attempts),
                       ",\"next\":", l->next.len ? l->next.s : "null", (char *)0);
}

static int print_json(struct printer *p, const struct queue_entry *q, const struct live *l) {
  const struct envelope *env = &q->env;
  char buf[MESSID_SIZE];

  if (!stralloc_catlit(&p->line, "{\"id\":") || !stralloc_catu64(&p->line, q->id) ||
      !stralloc_catm(&p->line, ",\"queue\":", (char *)0) || !json_string(&p->line, p->queue, strlen(p->queue)) ||
      !stralloc_catlit(&p->line, ",\"birth\":") || !stralloc_catu64(&p->line, env->birth) ||
      !stralloc_catlit(&p->line, ",\"tried\":") || !stralloc_cati64(&p->line, q->tried) ||
      !stralloc_catlit(&p->line, ",\"size\":") || !stralloc_catu64(&p->line, env->size) || !put_json_live(&p->line, l) ||
      !stralloc_catm(&p->line, ",\"messid\":\"", messid(q, buf), "\"", (char *)0) || !stralloc_catlit(&p->line, ",\"sender\":") || !json_string(&p->line, env->sender.s, env->sender.len) ||
      !stralloc_catlit(&p->line, ",\"recipients\":["))
    return 0;
  for (size_t i = 0; i < env->recipients.len; ++i) {
    const stralloc *r = &env->recipients.item[i];
    const char *channel = channel_of(p, r);

    if (!channel || !stralloc_cats(&p->line, i ? ",{\"address\":" : "{\"address\":") || !json_string(&p->line, r->s, r->len) ||
        !stralloc_catm(&p->line, ",\"channel\":\"", channel, "\",\"done\":", queue_entry_is_done(q, i) ? "true}" : "false}",
                       (char *)0))
      return 0;
  }
  return stralloc_catlit(&p->line, "]}\n");
}

/* --- what qmail-send knows --- */

static int take_live(void *ctx, size_t i, const struct control_record *r, struct strerr *e) {
  struct live *l = (struct live *)ctx + i;

  if (r->kind != CONTROL_RECORD_message) return 0;
  if (stralloc_copys(&l->state, control_column(r, "state")) && stralloc_copys(&l->attempts, control_column(r, "attempts")) &&
      stralloc_copys(&l->next, control_column(r, "next")) && stralloc_copys(&l->hold, control_column(r, "hold")))
    return 0;
  return strerr_sys(e, "unable to ask", (char *)0);
}

/* Nobody there, or not for us: what the disk shows is shown all the same.  0: do not ask again. */
static int ask_live(struct live *live, const uint64_t *id, size_t n) {
  stralloc lines = STRALLOC_INIT;
  struct strerr e;
  int ok = 1;

  for (size_t i = 0; i < n; ++i) {
    struct control_request r = {.command = CONTROL_message, .by = CONTROL_BY_ID, .id = id[i]};

    stralloc_cut(&live[i].state, 0);
    ok = ok && control_request_format(&lines, &r);
  }
  ok = ok && control_ask(&lines, n, take_live, live, &e) == 1;
  stralloc_free(&lines);
  return ok;
}

/* --- the list --- */

static int load_entry(struct queue_entry *q, uint64_t id, size_t *unread) {
  int got = queue_load(id, &q->env, QUEUE_ANNOUNCED);
  char number[FMT_U64 + 1];

  if (got == -1) strerr_warnm_sys("warning: ", "unable to read the envelope of ", fmt_u64_z(number, id), (char *)0);
  *unread += got == -1;
  if (got != 1) return 0;
  q->id = id;
  /* The marks are qmails' own: who may not read them sees every recipient as waiting. */
  if (queue_marks(id, &q->marks, &q->tried) == -1) q->tried = 0;
  return 1;
}

static void entry_free(struct queue_entry *q) {
  envelope_free(&q->env);
  stralloc_free(&q->marks);
}

static int collect_sorted(struct ids *ids, struct strerr *e) {
  if (queue_walk(QUEUE_info, collect, ids) == -1) return strerr_sys(e, "unable to read info of the queue", (char *)0);
  if (ids->n) qsort(ids->id, ids->n, sizeof *ids->id, by_age);
  return 0;
}

int queue_list_entries(queue_entry_fn fn, void *ctx, size_t *unread, struct strerr *e) {
  struct queue_entry q = {0};
  struct ids ids = {0};
  int r = collect_sorted(&ids, e);

  for (size_t i = 0; i < ids.n && r == 0; ++i)
    if (load_entry(&q, ids.id[i], unread)) r = fn(ctx, &q, e);
  free(ids.id);
  entry_free(&q);
  return r;
}

static int print_one(struct printer *p, const struct queue_entry *q, const struct live *l, struct strerr *e) {
  stralloc_cut(&p->line, 0);
  if (p->form == QUEUE_LIST_JSON ? !print_json(p, q, l) : !print_text(p, q, l))
    return strerr_sys(e, "unable to print", (char *)0);
  return substdio_put(p->out, p->line.s, p->line.len) == -1 ? strerr_sys(e, "unable to print", (char *)0) : 0;
}

static int print_all(struct printer *p, const struct ids *ids, size_t *unread, struct strerr *e) {
  struct live *live = calloc(CONTROL_ASK_MAX, sizeof *live);
  struct queue_entry q = {0};
  int asking = 1;
  int r = live ? 0 : strerr_sys(e, "unable to print", (char *)0);

  for (size_t i = 0; i < ids->n && r == 0; ++i) {
    size_t k = i % CONTROL_ASK_MAX;

    if (k == 0 && asking)
      asking = ask_live(live, ids->id + i, ids->n - i < CONTROL_ASK_MAX ? ids->n - i : CONTROL_ASK_MAX);
    if (!asking) stralloc_cut(&live[k].state, 0);
    if (load_entry(&q, ids->id[i], unread)) r = print_one(p, &q, &live[k], e);
  }
  for (size_t k = 0; live && k < CONTROL_ASK_MAX; ++k) {
    stralloc_free(&live[k].state);
    stralloc_free(&live[k].attempts);
    stralloc_free(&live[k].next);
    stralloc_free(&live[k].hold);
  }
  free(live);
  entry_free(&q);
  return r;
}

int queue_list_print(const struct conf *conf, const char *queue, enum queue_list_form form, substdio *out,
                     size_t *unread, struct strerr *e) {
  struct printer p = {.queue = queue, .form = form, .out = out};
  struct ids ids = {0};
  int r = collect_sorted(&ids, e);

  p.table.envnoathost = conf_line(conf, SET_envnoathost);
  p.table.locals = conf_lines(conf, SET_locals);
  p.table.percenthack = conf_lines(conf, SET_percenthack);
  p.table.virtualdomains = conf_lines(conf, SET_virtualdomains);
  if (r == 0) r = print_all(&p, &ids, unread, e);
  free(ids.id);
  stralloc_free(&p.routed);
  stralloc_free(&p.line);
  return r;
}

static int count_mess(void *ctx, uint64_t id) {
  struct queue_counts *c = ctx;

  (void)id;
  c->unaccepted++;
  return 0;
}

int queue_list_count(struct queue_counts *c, struct strerr *e) {
  struct ids info = {0};
  int r = 0;

  memset(c, 0, sizeof *c);
  if (queue_walk(QUEUE_mess, count_mess, c) == -1 || queue_walk(QUEUE_info, collect, &info) == -1)
    r = strerr_sys(e, "unable to read the queue", (char *)0);
  c->messages = info.n;
  c->unaccepted -= c->unaccepted < info.n ? c->unaccepted : info.n;
  for (size_t i = 0; i < info.n && r == 0; ++i) {
    char path[QUEUE_PATH];

    queuepath(path, QUEUE_done, info.id[i]);
    if (access(path, F_OK) == -1) c->untried++;
  }
  free(info.id);
  return r;
}

static int one_queue(const char *dir, queue_list_fn fn, void *ctx, struct strerr *e) {
  if (chdir(dir) == -1) return errno == ENOENT ? 0 : strerr_sys(e, "unable to enter ", dir, (char *)0);
  return fn(ctx, collection_name(dir), e);
}

int queue_list_each(const struct conf *conf, queue_list_fn fn, void *ctx, struct strerr *e) {
  struct collection c;
  stralloc dir = STRALLOC_INIT;
  int r = collection_load(&c, conf, e);

  if (r == 0 && *conf_line(conf, SET_queuedir)) {
    r = one_queue(conf_line(conf, SET_queuedir), fn, ctx, e);
  } else {
    for (uint64_t i = 0; r == 0 && i < c.count; ++i)
      r = collection_queue(&c, i, &dir) ? one_queue(dir.s, fn, ctx, e) : strerr_sys(e, "unable to list queues", (char *)0);
  }
  collection_free(&c);
  stralloc_free(&dir);
  return r;
}
