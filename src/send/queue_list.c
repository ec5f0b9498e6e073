/* queue_list: see queue_list.h. */
#include "send/queue_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mail/date.h"
#include "queue/collection.h"
#include "queue/transition.h"
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

struct printer {
  const char *queue;
  struct route_table table;
  substdio *out;
  struct envelope env;
  stralloc marks, routed, line;
};

static int put_json_string(stralloc *out, const char *s, size_t n) {
  if (!stralloc_append(out, '"')) return 0;
  for (size_t i = 0; i < n; ++i) {
    unsigned char c = (unsigned char)s[i];
    char hex[6] = {'\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};

    if (c == '"' || c == '\\' ? !stralloc_append(out, '\\') || !stralloc_append(out, s[i])
        : c < 32 || c > 126  ? !stralloc_catb(out, hex, 6)
                             : !stralloc_append(out, s[i]))
      return 0;
  }
  return stralloc_append(out, '"');
}

static const char *channel_of(struct printer *p, const stralloc *recipient) {
  enum channel channel;

  if (!route_address(&p->table, recipient->s, recipient->len, &p->routed, &channel)) return 0;
  return channel == CHANNEL_LOCAL ? "local" : "remote";
}

static int is_done(const struct printer *p, size_t i) {
  return i < p->marks.len && p->marks.s[i] == 'D';
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

/* "date GMT  #id  size  <sender>", then "\tlocal\taddress" or "  done\t..." */
static int print_text(struct printer *p, uint64_t id) {
  char date[DATE_TEXT];

  date_fmt(date, (int64_t)p->env.birth, "GMT");
  if (!stralloc_catm(&p->line, date, "  #", (char *)0) || !stralloc_catu64(&p->line, id) ||
      !stralloc_catlit(&p->line, "  ") || !stralloc_catu64(&p->line, p->env.size) ||
      !stralloc_catlit(&p->line, "  <") || !put_masked(&p->line, &p->env.sender) ||
      !stralloc_catm(&p->line, ">  ", p->queue, "\n", (char *)0))
    return 0;
  for (size_t i = 0; i < p->env.recipients.len; ++i) {
    const char *channel = channel_of(p, &p->env.recipients.item[i]);

    if (!channel || !stralloc_catm(&p->line, is_done(p, i) ? "  done" : "", "\t", channel, "\t", (char *)0) ||
        !put_masked(&p->line, &p->env.recipients.item[i]) || !stralloc_append(&p->line, '\n'))
      return 0;
  }
  return 1;
}

static int print_json(struct printer *p, uint64_t id, int64_t tried) {
  if (!stralloc_catlit(&p->line, "{\"id\":") || !stralloc_catu64(&p->line, id) ||
      !stralloc_catm(&p->line, ",\"queue\":\"", p->queue, "\",\"birth\":", (char *)0) ||
      !stralloc_catu64(&p->line, p->env.birth) || !stralloc_catlit(&p->line, ",\"tried\":") ||
      !stralloc_cati64(&p->line, tried) || !stralloc_catlit(&p->line, ",\"size\":") ||
      !stralloc_catu64(&p->line, p->env.size) || !stralloc_catlit(&p->line, ",\"sender\":") ||
      !put_json_string(&p->line, p->env.sender.s, p->env.sender.len) || !stralloc_catlit(&p->line, ",\"recipients\":["))
    return 0;
  for (size_t i = 0; i < p->env.recipients.len; ++i) {
    const stralloc *r = &p->env.recipients.item[i];
    const char *channel = channel_of(p, r);

    if (!channel || !stralloc_cats(&p->line, i ? ",{\"address\":" : "{\"address\":") ||
        !put_json_string(&p->line, r->s, r->len) ||
        !stralloc_catm(&p->line, ",\"channel\":\"", channel, "\",\"done\":", is_done(p, i) ? "true}" : "false}", (char *)0))
      return 0;
  }
  return stralloc_catlit(&p->line, "]}\n");
}

static int print_one(struct printer *p, uint64_t id, int json, struct strerr *e) {
  int64_t tried;
  int got = queue_load(id, &p->env, QUEUE_ANNOUNCED);

  if (got == 0) return 0;
  if (got == -1) {
    strerr_warnm_sys("qmail-qread: warning: ", "unable to read an envelope", (char *)0);
    return 0;
  }
  /* The marks are qmails' own: who may not read them sees every recipient as waiting. */
  if (queue_marks(id, &p->marks, &tried) == -1) tried = 0;
  stralloc_cut(&p->line, 0);
  if (json ? !print_json(p, id, tried) : !print_text(p, id)) return strerr_sys(e, "unable to print", (char *)0);
  return substdio_put(p->out, p->line.s, p->line.len) == -1 ? strerr_sys(e, "unable to print", (char *)0) : 0;
}

int queue_list_print(const struct conf *conf, const char *queue, int json, substdio *out, struct strerr *e) {
  struct printer p = {.queue = queue, .out = out};
  struct ids ids = {0};
  int r = 0;

  p.table.envnoathost = conf_line(conf, SET_envnoathost);
  p.table.locals = conf_lines(conf, SET_locals);
  p.table.percenthack = conf_lines(conf, SET_percenthack);
  p.table.virtualdomains = conf_lines(conf, SET_virtualdomains);
  if (queue_walk(QUEUE_info, collect, &ids) == -1) r = strerr_sys(e, "unable to read ", queue, "/info", (char *)0);
  if (ids.n) qsort(ids.id, ids.n, sizeof *ids.id, by_age);
  for (size_t i = 0; i < ids.n && r == 0; ++i) r = print_one(&p, ids.id[i], json, e);
  free(ids.id);
  envelope_free(&p.env);
  stralloc_free(&p.marks);
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
