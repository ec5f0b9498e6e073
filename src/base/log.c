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

/* Our own words are words, and end no line either. */
static char own(char c, int keep_blank) {
  return (unsigned char)c < ' ' || c == 127 || (c == ' ' && !keep_blank) ? '_' : c;
}

static int is_ours(char kind) {
  return kind == 's' || kind == 'p';
}

static void add_text(struct out *o, char kind, const char *s, size_t most) {
  for (; *s && most; ++s, --most) add(o, is_ours(kind) ? own(*s, kind == 'p') : escape(*s, kind == 't'));
}

/* What text from outside may take where not all of it fits: each field the same, so that the
 * fields behind it are there. */
static size_t most_of_a_text(size_t size, enum log_event event, const struct log_arg *arg, size_t args) {
  const char *template = log_rows[event].template;
  size_t texts = 0, all = 0, rest = strlen(template);

  for (const char *t = template; (t = strchr(t, '{')) != 0 && args; ++t, ++arg, --args) {
    size_t n = t[1] == 'u' || t[1] == 'i' ? FMT_U64 : strlen(arg->s ? arg->s : "");

    if (t[1] == 'x' || t[1] == 't') ++texts;
    *(t[1] == 'x' || t[1] == 't' ? &all : &rest) += n;
  }
  if (all + rest <= size || !texts) return SIZE_MAX;
  return rest < size ? (size - rest) / texts : 0;
}

size_t log_format(char *buf, size_t size, enum log_event event, const struct log_arg *arg,
                  size_t args) {
  struct out o = {buf, 0, size};
  size_t most = most_of_a_text(size, event, arg, args);

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
    else add_text(&o, kind, arg->s ? arg->s : "", is_ours(kind) ? SIZE_MAX : most);
    ++arg;
    --args;
  }
  return o.n;
}

int log_fields(const char *template) {
  int n = 0;

  for (const char *t = template; *t; ++t) {
    if (*t != '{') continue;
    if (!strchr("uispxt", t[1]) || t[2] != ':') return -1;
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
