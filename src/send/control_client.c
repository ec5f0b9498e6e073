/* control_client: see control_client.h. */
#include "send/control_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/iodeadline.h"
#include "base/json.h"
#include "base/scan.h"
#include "net/connect.h"

static int send_all(struct iodeadline *io, const stralloc *s) {
  size_t done = 0;

  while (done < s->len) {
    ssize_t w = iodeadline_write(io, s->s + done, s->len - done);

    if (w == -1) return -1;
    done += (size_t)w;
  }
  return 0;
}

/* What has come whole: how many answers ended, in *ended.  0 or -1 with e filled. */
static int take_records(struct control_reader *reader, size_t *ended, control_record_fn fn, void *ctx, struct strerr *e) {
  struct control_record record = {0};
  int r = 0;

  while (r == 0) {
    const char *s;
    size_t n;
    enum control_take take = control_take_line(reader, &s, &n);
    enum control_verdict v = take == CONTROL_LINE ? control_record_parse(&record, s, n) : CONTROL_BAD;

    if (take == CONTROL_MORE) break;
    if (v != CONTROL_OK) r = strerr_set(e, "the answer of qmail-send makes no sense", (char *)0);
    else r = fn(ctx, *ended, &record, e);
    *ended += record.kind == CONTROL_RECORD_ok || record.kind == CONTROL_RECORD_error;
  }
  control_record_free(&record);
  return r;
}

static int hear(struct iodeadline *io, size_t n, control_record_fn fn, void *ctx, struct strerr *e) {
  struct control_reader reader = {0};
  size_t ended = 0;
  int r = 0;

  while (r == 0 && ended < n) {
    char buf[16384];
    ssize_t got = iodeadline_read(io, buf, sizeof buf);

    if (got == -1) r = strerr_sys(e, "no answer from qmail-send", (char *)0);
    else if (got == 0) r = strerr_set(e, "qmail-send hung up: it is busy, or we may not ask", (char *)0);
    else if (!control_reader_add(&reader, buf, (size_t)got)) r = strerr_sys(e, "no answer from qmail-send", (char *)0);
    else r = take_records(&reader, &ended, fn, ctx, e);
  }
  control_reader_free(&reader);
  return r;
}

int control_ask(const stralloc *requests, size_t n, control_record_fn fn, void *ctx, struct strerr *e) {
  struct iodeadline io = {.fd = -1, .when = deadline_in(CONTROL_WAIT), .session = DEADLINE_NEVER};
  int r;

  io.fd = connect_unix(CONTROL_SOCKET, SOCK_STREAM);
  if (io.fd == -1) {
    if (errno == ENOENT || errno == ECONNREFUSED) return 0;
    return strerr_sys(e, "unable to reach " CONTROL_SOCKET, (char *)0);
  }
  if (send_all(&io, requests) == -1) r = strerr_sys(e, "unable to ask qmail-send", (char *)0);
  else r = hear(&io, n, fn, ctx, e);
  fd_close(io.fd);
  return r == 0 ? 1 : -1;
}

/* A host may look like a number and is none. */
static int put_value(stralloc *out, const char *column, size_t n, const stralloc *value) {
  uint64_t u;
  int text = (n == 4 && !memcmp(column, "host", n)) || (n == 4 && !memcmp(column, "text", n));

  if (!value->len) return stralloc_catlit(out, "null");
  if (!text && scan_u64(value->s, value->len, &u)) return stralloc_cat(out, value);
  return json_string(out, value->s, value->len);
}

int control_record_json(stralloc *out, const struct control_record *r) {
  const char *s = control_records[r->kind].columns;

  if (!stralloc_append(out, '{')) return 0;
  for (size_t i = 0; i < r->word.len; ++i) {
    size_t n = strcspn(s, " ");

    if ((i && !stralloc_append(out, ',')) || !json_string(out, s, n) || !stralloc_append(out, ':') ||
        !put_value(out, s, n, &r->word.item[i]))
      return 0;
    s += n + (s[n] == ' ');
  }
  return stralloc_append(out, '}');
}
