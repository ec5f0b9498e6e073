/* manager_bounce: what happens with a message whose recipients are all done.  See
 * manager_state.h.
 *
 * The administrator's program may take its time, so each bounce is made in a task of its own and
 * everything else goes on meanwhile; those that are too many wait.  A message is out of the
 * scheduler's and the orders' hands (finishing) from here on, so it stays as it is until its
 * bounce is made; the settings do too. */
#include "send/bounce.h"
#include "send/manager_state.h"

#define STACK (256 * 1024)

int bounces_use(const struct manager *m, const struct conf *conf) {
  for (size_t i = 0; i < BOUNCES_AT_ONCE; ++i)
    if (m->bounce[i].m && m->bounce[i].conf == conf) return 1;
  return 0;
}

static void over(struct manager *m, struct message *msg, enum bounce_outcome outcome, uint64_t qp, const struct strerr *e) {
  char messid[MESSID_SIZE];

  switch (outcome) {
    case BOUNCE_NOTHING: break;
    case BOUNCE_SENT: MLOG(m, bounce_msg, log_u(msg->id), log_u(qp), log_s(m->queue), log_s(message_messid(msg, messid))); break;
    case BOUNCE_DISCARDED: MLOG(m, triple_bounce, log_u(msg->id), log_s(m->queue)); break;
    case BOUNCE_DROPPED: MLOG(m, bounce_dropped, log_u(msg->id), log_s(m->queue)); break;
    case BOUNCE_LATER: manager_put_off(m, msg, e->text); return;
  }
  manager_ask_clean(m, msg);
}

static void make(struct bouncing *b) {
  struct manager *m = b->manager;
  struct message *msg = b->m;
  struct conf *conf = m->conf;
  struct strerr e;
  uint64_t qp = 0;
  enum bounce_outcome outcome;

  b->conf = conf;
  manager_sync_marks(m); /* before the sender is told anything */
  log_buffer_flush(&m->log);
  outcome = bounce_send(conf, msg, &qp, &e);
  b->m = 0;
  manager_release_conf(m, conf);
  over(m, msg, outcome, qp, &e);
  log_buffer_flush(&m->log);
}

/* The task: one bounce, then those that wait. */
static void make_all(void *ctx) {
  struct bouncing *b = ctx;
  struct manager *m = b->manager;

  make(b);
  while (m->to_bounce.n && m->code == 0 && !m->exitasap) {
    b->m = message_list_take(&m->to_bounce);
    make(b);
  }
  m->bouncing--;
  manager_end_if_idle(m);
}

static void begin(struct manager *m, struct message *msg) {
  struct bouncing *b = m->bounce;

  while (b->m) ++b;
  *b = (struct bouncing){m, msg, 0};
  m->bouncing++;
  m->tasks.loop = &m->loop;
  m->tasks.stack = STACK;
  if (task_start(&m->tasks, -1, make_all, b) == 0) return;
  b->m = 0;
  m->bouncing--;
  manager_put_off(m, msg, "no memory for a bounce, will try again");
}

void manager_finish(struct manager *m, struct message *msg) {
  msg->finishing = 1;
  if (!bounce_needed(msg)) manager_ask_clean(m, msg);
  else if (m->bouncing == BOUNCES_AT_ONCE) message_list_add(&m->to_bounce, msg);
  else begin(m, msg);
}
