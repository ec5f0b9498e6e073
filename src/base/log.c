/* log: see log.h. */
#include "base/log.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"

const struct log_row log_rows[LOG_EVENTS] = {
#define EVENT(name, template, meaning) {#name, template, meaning},
#include "base/events.def"
#undef EVENT
};

struct out {
  char *buf;
  size_t n, size;
};

static void add(struct out *o, char c) {
  if (o->n < o->size) o->buf[o->n++] = c;
}

static void add_number(struct out *o, char kind, uint64_t u) {
  char buf[FMT_U64 + 1];
  size_t n = kind == 'i' ? fmt_i64(buf, (int64_t)u) : fmt_u64(buf, u);

  for (size_t i = 0; i < n; ++i) add(o, buf[i]);
}

static char escape(char c, int keep_blank) {
  if (c == '\n') return '/';
  if (c == ' ' && keep_blank) return c;
  return c <= ' ' || c > 126 || c == '%' ? '_' : c;
}

static void add_text(struct out *o, char kind, const char *s) {
  for (; *s; ++s) add(o, kind == 's' ? *s : escape(*s, kind == 't'));
}

size_t log_format(char *buf, size_t size, enum log_event event, const struct log_arg *arg,
                  size_t args) {
  struct out o = {buf, 0, size};

  for (const char *t = log_rows[event].template; *t; ++t) {
    char kind;

    if (*t != '{') {
      add(&o, *t);
      continue;
    }
    kind = t[1];
    t = strchr(t, '}');
    if (!args) continue;
    if (kind == 'u' || kind == 'i') add_number(&o, kind, arg->u);
    else add_text(&o, kind, arg->s ? arg->s : "");
    ++arg;
    --args;
  }
  return o.n;
}

int log_fields(const char *template) {
  int n = 0;

  for (const char *t = template; *t; ++t) {
    if (*t != '{') continue;
    if (!strchr("uisxt", t[1]) || t[2] != ':') return -1;
    t = strchr(t, '}');
    if (!t) return -1;
    ++n;
  }
  return n;
}

void log_write(int fd, const char *prefix, enum log_event event, const struct log_arg *arg,
               size_t args) {
  char line[PIPE_BUF];
  size_t n = strlen(prefix);

  if (n > 256) n = 256;
  memcpy(line, prefix, n);
  n += log_format(line + n, sizeof line - 1 - n, event, arg, args);
  line[n++] = '\n';
  (void)!write(fd, line, n);
}
