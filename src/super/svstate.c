/* svstate: see svstate.h. */
#include "super/svstate.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"

void svstatus_pack(char out[SVSTATUS_SIZE], const struct svstatus *s) {
  tai64n_pack(out, &s->since);
  for (int i = 0; i < 4; ++i) out[12 + i] = (char)(s->pid >> (8 * i));
  out[16] = (char)s->paused;
  out[17] = s->want;
  out[18] = (char)s->wait;
  out[19] = (char)(s->wait >> 8);
  out[20] = (char)s->up;
}

int svstatus_parse(const char *in, size_t n, struct svstatus *s) {
  struct svstatus out;
  const unsigned char *b = (const unsigned char *)in;

  if (n < SVSTATUS_CLASSIC) return 0;
  memset(&out, 0, sizeof out);
  if (!tai64n_unpack(in, &out.since)) return 0;
  for (int i = 0; i < 4; ++i) out.pid |= (uint32_t)b[12 + i] << (8 * i);
  out.paused = b[16] != 0;
  out.want = in[17];
  if (out.want && out.want != 'u' && out.want != 'd') return 0;
  out.up = out.pid != 0;
  if (n >= SVSTATUS_SIZE) {
    out.wait = (uint16_t)(b[18] | b[19] << 8);
    out.up = b[20] != 0;
  }
  *s = out;
  return 1;
}

enum svstate svstatus_state(const struct svstatus *s) {
  if (s->wait) return SVSTATE_WAITING;
  if (!s->pid) return s->want == 'u' ? SVSTATE_WANT_UP : SVSTATE_DOWN;
  if (s->want == 'd') return SVSTATE_WANT_DOWN;
  return s->paused ? SVSTATE_PAUSED : SVSTATE_UP;
}

static int path(stralloc *p, const char *dir, const char *name, struct strerr *e) {
  stralloc_cut(p, 0);
  if (stralloc_catm(p, dir, "/supervise/", name, (char *)0)) return 0;
  errno = ENOMEM;
  return strerr_sys(e, "unable to name a file of ", dir, (char *)0);
}

/* A FIFO of supervise opened for writing: 1, 0 when nobody reads it, -1. */
static int open_fifo(const char *dir, const char *name, int *fd, struct strerr *e) {
  stralloc p = STRALLOC_INIT;
  int r = 1;

  if (path(&p, dir, name, e) == -1) return -1;
  *fd = fd_open_write_nonblock(p.s);
  if (*fd == -1)
    r = errno == ENXIO || errno == ENOENT ? 0 : strerr_sys(e, "unable to open ", p.s, (char *)0);
  stralloc_free(&p);
  return r;
}

int sv_ok(const char *dir, struct strerr *e) {
  int fd, r = open_fifo(dir, "ok", &fd, e);

  if (r == 1) fd_close(fd);
  return r;
}

int sv_control(const char *dir, const char *commands, size_t n, struct strerr *e) {
  int fd, r = open_fifo(dir, "control", &fd, e);

  if (r != 1) return r;
  if (fd_write_all(fd, commands, n) == -1)
    r = strerr_sys(e, "unable to write ", dir, "/supervise/control", (char *)0);
  fd_close(fd);
  return r;
}

int sv_status(const char *dir, struct svstatus *s, struct strerr *e) {
  stralloc p = STRALLOC_INIT, text = STRALLOC_INIT;
  int r = 1;

  if (path(&p, dir, "status", e) == -1) return -1;
  switch (file_read(p.s, &text, 4096)) {
    case 0: errno = ENOENT; /* fall through */
    case -1: r = strerr_sys(e, "unable to read ", p.s, (char *)0); break;
    default:
      if (!svstatus_parse(text.s, text.len, s)) {
        r = strerr_set(e, "bad format of ", p.s, (char *)0);
        e->permanent = 1;
      }
  }
  stralloc_free(&p);
  stralloc_free(&text);
  return r;
}

int sv_has(const char *dir, const char *name) {
  stralloc p = STRALLOC_INIT;
  struct stat st;
  int r = -1;

  if (stralloc_catm(&p, dir, "/", name, (char *)0))
    r = stat(p.s, &st) == 0 ? 1 : errno == ENOENT ? 0 : -1;
  stralloc_free(&p);
  return r;
}

int sv_describe(const struct svstatus *s, int normally_down, int64_t now, stralloc *out) {
  int64_t age = now - tai64n_to_unix(&s->since);
  int ok;

  if (age < 0) age = 0;
  ok = stralloc_cats(out, s->pid ? "up (pid " : "down ");
  if (s->pid) ok = ok && stralloc_catu64(out, s->pid) && stralloc_catlit(out, ") ");
  ok = ok && stralloc_catu64(out, (uint64_t)age) && stralloc_catlit(out, " seconds");
  if (s->pid && normally_down) ok = ok && stralloc_catlit(out, ", normally down");
  if (!s->pid && !normally_down) ok = ok && stralloc_catlit(out, ", normally up");
  if (s->pid && s->paused) ok = ok && stralloc_catlit(out, ", paused");
  if (!s->pid && s->want == 'u') ok = ok && stralloc_catlit(out, ", want up");
  if (s->pid && s->want == 'd') ok = ok && stralloc_catlit(out, ", want down");
  if (s->wait)
    ok = ok && stralloc_catlit(out, ", next start in ") && stralloc_catu64(out, s->wait) &&
         stralloc_catlit(out, " seconds");
  if (s->pid && !s->up) ok = ok && stralloc_catlit(out, ", running init");
  return ok;
}
