/* found: what the files of a queue say of a message, in its directory, which must be the current one: the
 * row of states.def it is in, its envelope, whether it is whole.  Nothing is changed here; queue/transition.h
 * does that. */
#ifndef QUEUE_FOUND_H
#define QUEUE_FOUND_H

#include <stdint.h>

#include "queue/envelope.h"
#include "queue/queuepath.h"

/* In which row of states.def is this message?  0; -1 with errno: EPROTO when it is in none, as one whose
 * envelope is damaged.  The struct is zeroed before its first use. */
struct queue_found {
  struct envelope env; /* where file[QUEUE_info] is + */
  char file[QUEUE_FILES];
  const struct queue_state_row *row;
};
int queue_find(uint64_t id, struct queue_found *found) MUST_CHECK;
void queue_found_free(struct queue_found *found);

/* Read an envelope: 1, 0 if there is no such message or it is not accepted yet, -1
 * with errno (EPROTO: damaged).  QUEUE_ANNOUNCED: the message was announced, so it is
 * whole on disk.  QUEUE_FOUND: it was found by looking; it may be on its way in still
 * (locked), or its bytes may have been lost in a crash before it was accepted, so they
 * are compared with the envelope's checksum.  QUEUE_TRIED: it was found too, but it has
 * marks, so it was found whole before; if it was tried when it had been there for a while,
 * its bytes are on disk since then and are not looked at, which a long queue at the start of
 * its daemons could not afford. */
enum queue_trust { QUEUE_ANNOUNCED, QUEUE_FOUND, QUEUE_TRIED };
int queue_load(uint64_t id, struct envelope *env, enum queue_trust trust) MUST_CHECK;

/* What the disk shows of a message that has this envelope: GONE when its envelope is not
 * there; UNKNOWN with errno. */
enum queue_sight { QUEUE_WHOLE, QUEUE_TORN, QUEUE_GONE, QUEUE_UNKNOWN };
enum queue_sight queue_looks(uint64_t id, const struct envelope *env) MUST_CHECK;
/* Has it a file of this kind (lstat); is it importing?  1, 0, or -1 with errno. */
int queue_has(uint64_t id, enum queue_file file) MUST_CHECK;
int queue_importing(uint64_t id) MUST_CHECK;
/* Its envelope alone: 1, 0 there is none that is whole, -1 with errno (EPROTO: damaged). */
int queue_read_info(uint64_t id, struct envelope *env) MUST_CHECK;

/* Call fn for every file of a kind (name that is no id: skipped).  fn gives 0 to go
 * on.  0, fn's value, or -1 with errno. */
typedef int (*queue_walk_fn)(void *ctx, uint64_t id);
int queue_walk(enum queue_file file, queue_walk_fn fn, void *ctx) MUST_CHECK;
/* A number that is another one when files of this kind, in split directories, came or went. */
uint64_t queue_changed(enum queue_file file);

#endif
