/* log: writes the lines of events.def, each with one write(2) of at most PIPE_BUF
 * bytes, so that lines of several processes on one pipe never mix. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

/* Of the grammar of events.def: goes up when a line or a field of one is renamed, moved or taken
 * away; a new line does not count. */
#define LOG_GRAMMAR 1

enum log_event {
#define EVENT(name, template, meaning) LOG_##name,
#include "base/events.def"
#undef EVENT
  LOG_EVENTS
};

struct log_row {
  const char *name;
  const char *template;
  const char *meaning;
};
extern const struct log_row log_rows[LOG_EVENTS];

/* The argument's kind is the template's business: numbers and texts only. */
struct log_arg {
  uint64_t u;
  const char *s; /* null for a number */
};

static inline struct log_arg log_u(uint64_t u) {
  return (struct log_arg){u, 0};
}
static inline struct log_arg log_s(const char *s) {
  return (struct log_arg){0, s ? s : ""};
}

/* Arguments in the order of the template's fields.  prefix (may be "") stands
 * before the line: "qmail-smtpd: ".  Errors of writing are ignored: a log that is
 * full must not stop the mail. */
void log_write(int fd, const char *prefix, enum log_event event, const struct log_arg *arg,
               size_t args);
#define LOG(fd, prefix, event, ...)                                           \
  log_write((fd), (prefix), LOG_##event, (const struct log_arg[]){__VA_ARGS__}, \
            sizeof((const struct log_arg[]){__VA_ARGS__}) / sizeof(struct log_arg))

/* The line, without prefix and LF, into buf: its length.  For tests. */
size_t log_format(char *buf, size_t size, enum log_event event, const struct log_arg *arg,
                  size_t args);
/* Number of fields of a template, or -1 if it is malformed. */
int log_fields(const char *template);

#endif
