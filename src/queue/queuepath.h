/* queuepath: names of the files of a queue, relative to its directory. */
#ifndef QUEUE_QUEUEPATH_H
#define QUEUE_QUEUEPATH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define QUEUE_SPLIT 23
#define QUEUE_PATH 48 /* bytes that hold any of these names and a NUL */
#define QUEUE_TRIGGER "lock/trigger"
#define QUEUE_SENDMUTEX "lock/sendmutex"
#define QUEUE_IMPORT ".import" /* behind the name of an envelope that is not ours yet */
#define QUEUE_SEND_DIR "send" /* qmail-send's own: its socket and its orders */
#define QUEUE_ORDERS "send/orders"
#define QUEUE_TRASH "trash"     /* where it exists, removed messages are kept there */
#define QUEUE_RATES "ratelimit" /* rates of destinations */

enum queue_file {
#define QUEUE_FILE(name, split, owner, dirmode, filemode, writer, holds) QUEUE_##name,
#include "queue/states.def"
#undef QUEUE_FILE
  QUEUE_FILES
};

struct queue_file_row {
  const char *name;
  int split;
  const char *owner;
  mode_t dirmode, filemode;
  const char *writer, *holds;
};
extern const struct queue_file_row queue_files[QUEUE_FILES];

enum queue_recovery { QUEUE_NOTHING, QUEUE_SWEEP, QUEUE_DELIVER, QUEUE_KEEP };
struct queue_state_row {
  const char *name;
  char file[QUEUE_FILES]; /* + - ? ~ in the order of queue_files */
  const char *actors;
  enum queue_recovery recovery;
  const char *meaning;
};
extern const struct queue_state_row queue_states[];
extern const size_t queue_states_n;
/* The row that describes these files (each + - or ~), or null: not a legal state. */
const struct queue_state_row *queue_state(const char file[QUEUE_FILES]);

/* "mess/7/1760000000000000" with NUL; its length. */
size_t queuepath(char buf[QUEUE_PATH], enum queue_file file, uint64_t id);
/* The directory the file lies in: "mess/7". */
size_t queuepath_dir(char buf[QUEUE_PATH], enum queue_file file, uint64_t id);
/* The name of an envelope whose message is not ours yet, which is no id. */
size_t queuepath_importing(char buf[QUEUE_PATH + sizeof QUEUE_IMPORT], uint64_t id);
/* Only the part below mess/, as spawners get it: "7/176...". */
size_t queuepath_below(char buf[QUEUE_PATH], uint64_t id);
/* An id as text: a file name in a split directory.  1 or 0. */
int queuepath_id(const char *s, size_t n, uint64_t *id);
/* "S/ID" with S right for ID: 1 or 0. */
int queuepath_scan_below(const char *s, size_t n, uint64_t *id);

#endif
