/* reply: see reply.h. */
#include "smtp/reply.h"

#include <unistd.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/log.h"
#include "smtp/verbs.h"

#define ERRORS_MAX 20

static void put(struct session *s, const char *text) {
  if (substdio_puts(&s->out, text) == -1) s->over = 1;
}

/* Text that came from a file, a program or the client cannot end the line. */
static void put_clean(struct session *s, const char *text) {
  for (; *text; ++text) {
    char c = *text < ' ' || *text == 127 ? '?' : *text;

    if (substdio_put(&s->out, &c, 1) == -1) s->over = 1;
  }
}

void reply_line(struct session *s, unsigned code, const char *enhanced, int last, const char *text) {
  char number[FMT_U64 + 1];

  put(s, fmt_u64_z(number, code));
  put(s, last ? " " : "-");
  if (enhanced) {
    put(s, enhanced);
    put(s, " ");
  }
  put_clean(s, text);
  put(s, "\r\n");
}

void reply(struct session *s, unsigned code, const char *enhanced, const char *text) {
  reply_line(s, code, enhanced, 1, text);
}

void reply_flush(struct session *s) {
  if (substdio_flush(&s->out) == -1) s->over = 1;
}

/* What the log may show of a line: a login's secret comes behind AUTH, or as a line
 * of one unknown word from a client that did not wait for our no. */
static const char *loggable(struct session *s) {
  const char *line = stralloc_cstr(&s->line);
  struct smtp_command c;

  smtp_command_split(line, s->line.len, &c);
  if (bytes_casestarts(line, s->line.len, "AUTH"))
    stralloc_cut(&s->line, (size_t)(c.arg - line) + bytes_chr(c.arg, c.arg_n, ' '));
  else if (!verbs_known(c.verb, c.verb_n) && bytes_chr(line, s->line.len, ' ') == s->line.len)
    return "?";
  return stralloc_cstr(&s->line);
}

void reply_refuse(struct session *s, unsigned code, const char *enhanced, const char *text) {
  LOG(2, session_prefix(&s->c), smtp_refused, log_s(s->c.ip), log_u(s->c.number), log_u(code), log_s(enhanced),
      log_s(s->messid), log_s(loggable(s)));
  reply(s, code, enhanced, text);
  if (++s->c.errors >= ERRORS_MAX) reply_close(s, "4.7.0", "too many errors, goodbye");
}

void reply_close(struct session *s, const char *enhanced, const char *text) {
  LOG(2, session_prefix(&s->c), smtp_closed, log_s(s->c.ip), log_u(s->c.number), log_s(text));
  reply(s, 421, enhanced, text);
  s->over = 1;
}
