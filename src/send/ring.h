/* ring: things that take turns.  The link lies in the thing.  Who has had its turn stays at
 * the head until the next one is asked for, so whoever joins meanwhile comes before it. */
#ifndef SEND_RING_H
#define SEND_RING_H

#include <stddef.h>

struct ring {
  struct ring *next, *prev; /* null: in no ring */
};

struct turns {
  struct ring *head; /* null: nobody takes part */
  int served;        /* the head has had its turn */
};

/* The thing of this type around its link. */
#define RING_OWNER(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

/* Join at the end. */
static inline void ring_join(struct turns *t, struct ring *r) {
  if (!t->head) {
    t->head = r->next = r->prev = r;
    t->served = 0;
    return;
  }
  r->next = t->head;
  r->prev = t->head->prev;
  r->prev->next = r;
  t->head->prev = r;
}

static inline void ring_leave(struct turns *t, struct ring *r) {
  int was_head = t->head == r;

  if (r->next == r) {
    t->head = 0;
  } else {
    r->next->prev = r->prev;
    r->prev->next = r->next;
    if (was_head) t->head = r->next;
  }
  if (was_head) t->served = 0;
  r->next = r->prev = 0;
}

/* Whose turn it is now; somebody must take part. */
static inline struct ring *ring_serve(struct turns *t) {
  if (t->served) t->head = t->head->next;
  t->served = 1;
  return t->head;
}

#endif
