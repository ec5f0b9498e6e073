/* queuepath: see queuepath.h. */
#include "queue/queuepath.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/scan.h"

const struct queue_file_row queue_files[QUEUE_FILES] = {
#define QUEUE_FILE(name, split, owner, dirmode, filemode, writer, holds) \
  {#name, split, owner, dirmode, filemode, writer, holds},
#include "queue/states.def"
#undef QUEUE_FILE
};

#define NOTHING QUEUE_NOTHING
#define SWEEP QUEUE_SWEEP
#define DELIVER QUEUE_DELIVER
#define KEEP QUEUE_KEEP
const struct queue_state_row queue_states[] = {
#define QUEUE_STATE(name, mess, info, done, bounce, actors, recovery, meaning) \
  {#name, {mess, info, done, bounce}, actors, recovery, meaning},
#include "queue/states.def"
#undef QUEUE_STATE
};
const size_t queue_states_n = sizeof queue_states / sizeof queue_states[0];

const struct queue_state_row *queue_state(const char file[QUEUE_FILES]) {
  for (size_t i = 0; i < queue_states_n; ++i) {
    int f = 0;

    while (f < QUEUE_FILES && (queue_states[i].file[f] == '?' || queue_states[i].file[f] == file[f])) ++f;
    if (f == QUEUE_FILES) return &queue_states[i];
  }
  return 0;
}

size_t queuepath_dir(char buf[QUEUE_PATH], enum queue_file file, uint64_t id) {
  size_t n = strlen(queue_files[file].name);

  memcpy(buf, queue_files[file].name, n);
  if (queue_files[file].split) {
    buf[n++] = '/';
    n += fmt_u64(buf + n, id % QUEUE_SPLIT);
  }
  buf[n] = 0;
  return n;
}

size_t queuepath(char buf[QUEUE_PATH], enum queue_file file, uint64_t id) {
  size_t n = queuepath_dir(buf, file, id);

  buf[n++] = '/';
  n += fmt_u64(buf + n, id);
  buf[n] = 0;
  return n;
}

size_t queuepath_below(char buf[QUEUE_PATH], uint64_t id) {
  size_t n = fmt_u64(buf, id % QUEUE_SPLIT);

  buf[n++] = '/';
  n += fmt_u64(buf + n, id);
  buf[n] = 0;
  return n;
}

size_t queuepath_importing(char buf[QUEUE_PATH + sizeof QUEUE_IMPORT], uint64_t id) {
  size_t n = queuepath(buf, QUEUE_info, id);

  memcpy(buf + n, QUEUE_IMPORT, sizeof QUEUE_IMPORT);
  return n + sizeof QUEUE_IMPORT - 1;
}

int queuepath_id(const char *s, size_t n, uint64_t *id) {
  if (n > 1 && s[0] == '0') return 0; /* one name per id */
  return scan_u64(s, n, id);
}

int queuepath_scan_below(const char *s, size_t n, uint64_t *id) {
  size_t slash = bytes_chr(s, n, '/');
  uint64_t split, got;

  if (slash == n || !scan_u64(s, slash, &split)) return 0;
  if (!queuepath_id(s + slash + 1, n - slash - 1, &got) || got % QUEUE_SPLIT != split) return 0;
  *id = got;
  return 1;
}
