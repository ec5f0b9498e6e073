/* manager_control: what is asked of a running qmail-send and ordered through send/control,
 * by the table control.def; and the messages by their ids.  See manager_state.h.
 *
 * An order that outlives a restart is on disk (orders.h) before it is confirmed. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/fmt.h"
#include "queue/transition.h"
#include "send/manager_state.h"

#define SURVEY_SHARE 20 /* of our time a survey takes at most this part */

static const char *const channel_name[CHANNELS] = {[CHANNEL_LOCAL] = "local", [CHANNEL_REMOTE] = "remote"};

/* --- messages by their ids --- */

static uint64_t hash_of(uint64_t id) {
  return hash_mix(id, 1);
}

static struct message *find(const struct manager *m, uint64_t id) {
  uint64_t hash = hash_of(id);

  for (struct hash_link *l = hashtab_chain(&m->messages, hash); l; l = l->next) {
    struct message *msg = RING_OWNER(l, struct message, link);

    if (msg->id == id) return msg;
  }
  return 0;
}

int manager_register(struct manager *m, struct message *msg) {
  if (idset_has(&m->orders.held, msg->id)) msg->held |= HELD_BY_ID;
  if (orders_holds_sender(&m->orders, message_sender(msg))) msg->held |= HELD_BY_SENDER;
  msg->expired = (uint8_t)idset_has(&m->orders.expired, msg->id);
  m->held += msg->held != 0;
  return hashtab_add(&m->messages, &msg->link, hash_of(msg->id));
}

void manager_unregister(struct manager *m, struct message *msg) {
  m->held -= msg->held != 0;
  hashtab_remove(&m->messages, &msg->link);
  orders_forget(&m->orders, msg->id);
}

/* Call fn for each message, which may not remove it. */
static size_t each(struct manager *m, void (*fn)(struct manager *, struct message *, int64_t now), const char *sender) {
  int64_t now = manager_now(m);
  size_t n = 0;

  for (size_t i = 0; i < m->messages.a; ++i)
    for (struct hash_link *l = m->messages.bucket[i]; l; l = l->next) {
      struct message *msg = RING_OWNER(l, struct message, link);

      if (msg->finishing || (sender && strcasecmp(message_sender(msg), sender))) continue;
      fn(m, msg, now);
      ++n;
    }
  return n;
}

/* --- answers --- */

static int say_ok(stralloc *out, size_t n) {
  return control_begin(out, CONTROL_RECORD_ok) && control_number(out, (int64_t)n) && control_end(out);
}

static int say_error(stralloc *out, const char *text) {
  return control_begin(out, CONTROL_RECORD_error) && control_word(out, text) && control_end(out);
}

static int say_unknown(stralloc *out) {
  return say_error(out, "no such message is known to qmail-send");
}

/* Seconds from now, or - for never. */
static int put_wait(stralloc *out, int64_t when, int64_t now) {
  if (when == INT64_MAX) return control_word(out, "");
  return control_number(out, when > now ? when - now : 0);
}

static const char *hold_of(const struct destination *d) {
  if (d->held_by_order) return "order";
  if (!d->opens.slot) return "";
  return d->held_for_all ? "rate" : "unreachable";
}

static int put_destination(const struct manager *m, const struct destination *d, int64_t now, stralloc *out) {
  uint32_t limit = destination_limit(d, KIND_FRESH, m->sched.host_max);
  const struct sched_channel *c = &m->sched.channel[d->channel];
  int64_t opens = d->held_by_order ? INT64_MAX : d->opens.slot ? d->opens.time : INT64_MIN;
  int64_t next = d->survey.next > opens ? d->survey.next : opens;

  if (limit > c->limit) limit = (uint32_t)c->limit;
  return control_begin(out, CONTROL_RECORD_destination) && control_word(out, channel_name[d->channel]) &&
         control_word(out, d->name) && control_number(out, d->bundles) && control_number(out, d->survey.recipients) &&
         control_number(out, d->survey.oldest < now ? now - d->survey.oldest : 0) && control_number(out, d->running) &&
         control_number(out, limit) && put_wait(out, next, now) && control_word(out, hold_of(d)) &&
         put_wait(out, d->opens.slot && !d->held_by_order ? d->opens.time : INT64_MAX, now) && control_end(out);
}

static void survey_one(struct manager *m, struct message *msg, int64_t now) {
  (void)m;
  (void)now;
  sched_survey(msg);
}

static int put_destinations(struct manager *m, stralloc *out, size_t *n) {
  int64_t now = manager_now(m);

  sched_survey_begin(&m->sched);
  each(m, survey_one, 0);
  for (size_t i = 0; i < m->sched.destinations.hosts.a; ++i)
    for (struct hash_link *l = m->sched.destinations.hosts.bucket[i]; l; l = l->next) {
      const struct destination *d = RING_OWNER(l, struct destination, link);

      if (!d->bundles && !d->held_by_order) continue;
      if (!put_destination(m, d, now, out)) return 0;
      ++*n;
    }
  return 1;
}

static int put_survey(struct manager *m, stralloc *out) {
  const struct sched_channel *l = &m->sched.channel[CHANNEL_LOCAL];
  const struct sched_channel *r = &m->sched.channel[CHANNEL_REMOTE];
  stralloc list = STRALLOC_INIT;
  size_t n = 0;
  int ok = put_destinations(m, &list, &n) && control_begin(out, CONTROL_RECORD_total) &&
           control_number(out, (int64_t)m->messages.n) && control_number(out, (int64_t)m->held) &&
           control_number(out, (int64_t)l->running) && control_number(out, (int64_t)l->limit) &&
           control_number(out, (int64_t)r->running) && control_number(out, (int64_t)r->limit) &&
           control_number(out, (int64_t)n) && control_end(out) && stralloc_cat(out, &list) && say_ok(out, n);

  stralloc_free(&list);
  return ok;
}

/* A survey looks at each message: a long queue's is shown again for a while, so that whoever
 * asks all the time cannot stop us. */
static int control_status(struct manager *m, struct control_request *r, stralloc *out) {
  deadline start = mono_now();

  (void)r;
  if (!m->survey.len || start >= m->survey_until) {
    stralloc_cut(&m->survey, 0);
    if (!put_survey(m, &m->survey)) {
      stralloc_free(&m->survey);
      return 0;
    }
    m->survey_until = start + SURVEY_SHARE * (mono_now() - start);
  }
  return stralloc_cat(out, &m->survey);
}

static int control_message(struct manager *m, struct control_request *r, stralloc *out) {
  const struct message *msg = find(m, r->id);
  int64_t now = manager_now(m);
  int64_t next = INT64_MAX;
  unsigned attempts = 0;
  int active = 0;
  const char *state;

  if (!msg) return say_unknown(out);
  for (uint32_t i = 0; i < msg->bundles; ++i) {
    const struct bundle *b = &msg->bundle[i];

    if (b->tried > attempts) attempts = b->tried;
    if (b->standing == STAND_WAITING && b->timer.time < next) next = b->timer.time;
    if (b->standing == STAND_ACTIVE) next = INT64_MIN;
    active |= b->standing == STAND_ACTIVE || b->standing == STAND_DRAINING;
  }
  state = msg->finishing ? "ending" : msg->held ? "held" : active ? "active" : "waiting";
  return control_begin(out, CONTROL_RECORD_message) && control_number(out, (int64_t)msg->id) && control_word(out, state) &&
         control_number(out, attempts) && put_wait(out, next, now) && control_number(out, sched_running(msg)) &&
         control_number(out, msg->left) &&
         control_word(out, msg->held & HELD_FOR_REMOVAL ? "remove"
                           : msg->held & HELD_BY_ID     ? "id"
                           : msg->held & HELD_BY_SENDER ? "sender"
                                                        : "") &&
         control_end(out) && say_ok(out, 1);
}

/* --- orders --- */

static void set_held(struct manager *m, struct message *msg, uint8_t held, int64_t now) {
  m->held += (held != 0) - (msg->held != 0);
  sched_hold(&m->sched, msg, held, now);
}

static void hold_sender(struct manager *m, struct message *msg, int64_t now) {
  set_held(m, msg, msg->held | HELD_BY_SENDER, now);
}

static void release_sender(struct manager *m, struct message *msg, int64_t now) {
  if (msg->held & HELD_BY_SENDER) set_held(m, msg, msg->held & (uint8_t)~HELD_BY_SENDER, now);
}

static void release_any(struct manager *m, struct message *msg, int64_t now) {
  if (msg->held) set_held(m, msg, msg->held & HELD_FOR_REMOVAL, now);
}

static void retry_one(struct manager *m, struct message *msg, int64_t now) {
  sched_retry(&m->sched, msg, now);
}

/* 1, or 0 when memory ran out; *n rises by the messages for it. */
static int order_domain(struct manager *m, const char *domain, int held, size_t *n) {
  for (int ch = 0; ch < CHANNELS; ++ch) {
    const struct destination *d;

    if (!sched_order_destination(&m->sched, (enum channel)ch, domain, held, manager_now(m))) return 0;
    d = destination_find(&m->sched.destinations, (enum channel)ch, domain);
    if (d) *n += d->bundles;
  }
  return 1;
}

/* Into orders: 1 done, 0 the answer was given (or *ok is 0). */
static int note(struct manager *m, const struct control_request *r, stralloc *out, int *ok) {
  switch (orders_note(&m->orders, r)) {
    case ORDERS_NOTED:
    case ORDERS_SAME: return 1;
    case ORDERS_FULL: *ok = say_error(out, "too many orders"); return 0;
    case ORDERS_NOMEM: *ok = 0; return 0;
  }
  return 0;
}

static int hold_or_release(struct manager *m, struct control_request *r, stralloc *out, int hold) {
  struct message *msg = r->by == CONTROL_BY_ID ? find(m, r->id) : 0;
  const char *text = stralloc_cstr(&r->text);
  size_t n = 0;
  int ok = 1;

  if (r->by == CONTROL_BY_ID && (!msg || msg->finishing)) return say_unknown(out);
  if (!note(m, r, out, &ok)) return ok;
  if (msg) {
    set_held(m, msg, hold ? msg->held | HELD_BY_ID : msg->held & (uint8_t)~HELD_BY_ID, manager_now(m));
    n = 1;
  } else if (r->by == CONTROL_BY_DOMAIN) {
    if (!order_domain(m, text, hold, &n)) return 0;
  } else {
    n = each(m, hold ? hold_sender : release_sender, text);
  }
  return say_ok(out, n);
}

static int control_hold(struct manager *m, struct control_request *r, stralloc *out) {
  return hold_or_release(m, r, out, 1);
}

static int control_release(struct manager *m, struct control_request *r, stralloc *out) {
  size_t n = m->held;

  if (r->by != CONTROL_BY_ALL) return hold_or_release(m, r, out, 0);
  for (size_t i = 0; i < m->orders.domains.len; ++i)
    if (!order_domain(m, stralloc_cstr(&m->orders.domains.item[i]), 0, &n)) return 0;
  if (!orders_release_all(&m->orders)) return 0;
  each(m, release_any, 0);
  return say_ok(out, n);
}

static int control_retry(struct manager *m, struct control_request *r, stralloc *out) {
  const char *text = stralloc_cstr(&r->text);
  struct message *msg;
  size_t n = 0;

  switch (r->by) {
    case CONTROL_BY_ALL:
      manager_everything_now(m);
      n = m->messages.n;
      break;
    case CONTROL_BY_ID:
      msg = find(m, r->id);
      if (!msg) return say_unknown(out);
      retry_one(m, msg, manager_now(m));
      n = 1;
      break;
    case CONTROL_BY_DOMAIN:
      for (int ch = 0; ch < CHANNELS; ++ch)
        n += sched_retry_destination(&m->sched, (enum channel)ch, text, manager_now(m));
      break;
    case CONTROL_BY_SENDER: n = each(m, retry_one, text); break;
    case CONTROL_BY_NOTHING:
    case CONTROL_BYS: break;
  }
  return say_ok(out, n);
}

/* Whoever may talk to us may ask for that, so it is done for those alone for whom it is meant, and
 * nothing of ours is left behind by it. */
static int control_turn(struct manager *m, struct control_request *r, stralloc *out) {
  const char *text = stralloc_cstr(&r->text);
  const struct destination *d;

  if (!conf_has_domain(conf_lines(m->conf, SET_etrnhosts), text, r->text.len) &&
      !conf_has_domain(conf_lines(m->conf, SET_odmrhosts), text, r->text.len))
    return control_begin(out, CONTROL_RECORD_error) && control_word(out, "not for this domain") && control_end(out);
  sched_retry_destination(&m->sched, CHANNEL_REMOTE, text, manager_now(m));
  d = destination_find(&m->sched.destinations, CHANNEL_REMOTE, text);
  return say_ok(out, d ? d->bundles : 0);
}

static int control_expire(struct manager *m, struct control_request *r, stralloc *out) {
  struct message *msg = find(m, r->id);
  int ok = 1;

  if (!msg || msg->finishing) return say_unknown(out);
  if (!note(m, r, out, &ok)) return ok;
  set_held(m, msg, msg->held & (uint8_t)~HELD_BY_ID, manager_now(m));
  sched_expire(&m->sched, msg, manager_now(m));
  return say_ok(out, 1);
}

void manager_discard(struct manager *m, struct message *msg) {
  sched_remove(&m->sched, msg, manager_now(m));
  manager_ask_clean(m, msg);
}

static int control_remove(struct manager *m, struct control_request *r, stralloc *out) {
  struct message *msg = find(m, r->id);

  if (!msg || msg->finishing) return say_unknown(out);
  set_held(m, msg, msg->held | HELD_FOR_REMOVAL, manager_now(m));
  if (!sched_running(msg)) manager_discard(m, msg);
  return say_ok(out, 1);
}

static void log_order(struct manager *m, const struct control_request *r) {
  char number[FMT_U64 + 1];

  MLOG(m, order, log_s(control_commands[r->command].name), log_s(control_by_names[r->by]),
       log_s(r->by == CONTROL_BY_ID ? fmt_u64_z(number, r->id) : stralloc_cstr(&r->text)), log_s(m->queue));
}

/* --- the socket --- */

static int answer(void *ctx, struct control_request *r, stralloc *out) {
  static int (*const function[CONTROL_COMMANDS])(struct manager *, struct control_request *, stralloc *) = {
#define CONTROL_COMMAND(name, by, right, function, meaning) [CONTROL_##name] = function,
#include "send/control.def"
#undef CONTROL_COMMAND
  };
  struct manager *m = ctx;

  if (control_commands[r->command].right != CONTROL_STATUS) {
    log_order(m, r);
    m->ordered = 1;
    m->survey_until = 0;
  }
  return function[r->command](m, r, out);
}

static int commit(void *ctx) {
  struct manager *m = ctx;
  int r;

  if (!m->ordered) return 0;
  m->ordered = 0;
  r = orders_save(&m->orders);
  if (r == -1) MLOG(m, alert, log_s("unable to write " ORDERS_FILE ": orders are lost at the next restart"));
  delivery_start_all(m);
  manager_end_if_idle(m);
  return r;
}

/* Without the socket, or with orders that cannot be read, mail is delivered all the same:
 * 0, or -1 when memory ran out. */
int manager_control_start(struct manager *m) {
  struct strerr e;
  size_t strange, n = 0;

  m->control.answer = answer;
  m->control.commit = commit;
  m->control.ctx = m;
  if (control_listen(&m->control, &m->loop, &e) == -1) MLOG(m, warning, log_s(e.text));
  if (orders_load(&m->orders, &strange, &e) == -1) MLOG(m, alert, log_s(e.text));
  if (strange) MLOG(m, warning, log_s("lines of " ORDERS_FILE " make no sense and were left out"));
  for (size_t i = 0; i < m->orders.domains.len; ++i)
    if (!order_domain(m, stralloc_cstr(&m->orders.domains.item[i]), 1, &n)) return -1;
  return 0;
}
