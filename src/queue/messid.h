/* messid: the id a message has from the connection it comes by to its last delivery, in logs,
 * Received fields and $MESSID: 1763703601000000.10000005, a time in microseconds and who made
 * it.  It says which lines belong together and nothing else: files are named after the
 * queue's own ids, which are numbers and so never mistaken for one of these.  A message that
 * comes without it has the number of its queue for an id. */
#ifndef QUEUE_MESSID_H
#define QUEUE_MESSID_H

#include <stddef.h>
#include <stdint.h>

#define MESSID_MAX 64
#define MESSID_SIZE (MESSID_MAX + 1)

/* May it be one, when somebody outside says so?  Letters, digits, dots, dashes and underscores,
 * not digits alone, at most MESSID_MAX: it can end no field and no log line.  Nothing says that
 * it is the only one of its name. */
int messid_valid(const char *s, size_t n);
/* A new one; who is the number of the connection or of our process. */
void messid_make(char out[MESSID_SIZE], uint64_t who);
/* Of a message that has this one (may be empty or null) and that number in its queue. */
const char *messid_of(const char *given, uint64_t id, char buf[MESSID_SIZE]);

#endif
