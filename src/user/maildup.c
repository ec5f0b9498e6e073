/* maildup: see maildup.h. */
#include "user/maildup.h"

#include <errno.h>
#include <sha2.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/fmt.h"
#include "base/lock.h"
#include "base/scan.h"
#include "base/substdio.h"
#include "mail/header.h"

#define FIELD_MAX (SIZE_MAX / 4) /* as long as the message may be */
#define FILE_MAX 1048576 /* some 13000 messages */

static const char *const of_the_way[] = {"received", "delivered-to", "x-delivered-to", "return-path"};

static int is_of_the_way(const char *s, size_t n) {
  size_t body, name = header_name(s, n, &body);

  for (size_t i = 0; i < sizeof of_the_way / sizeof *of_the_way; ++i)
    if (name == strlen(of_the_way[i]) && bytes_caseequal(s, of_the_way[i], name)) return 1;
  return 0;
}

static void digest_text(SHA2_CTX *c, const char *s, size_t n) {
  SHA256Update(c, (const uint8_t *)s, n);
}

static int read_message(SHA2_CTX *c, substdio *in) {
  struct header_reader h = {.ahead = STRALLOC_INIT};
  stralloc field = STRALLOC_INIT;
  char buf[8192];
  enum header_line line;
  ssize_t n = 0;

  while ((line = header_next(&h, in, &field, FIELD_MAX)) == HEADER_FIELD)
    if (!is_of_the_way(field.s, field.len)) digest_text(c, field.s, field.len);
  if (line == HEADER_END) {
    digest_text(c, "\n", 1);
    digest_text(c, stralloc_cstr(&field), field.len);
    while ((n = substdio_get(in, buf, sizeof buf)) > 0) digest_text(c, buf, (size_t)n);
  }
  header_reader_free(&h);
  stralloc_free(&field);
  if (line == HEADER_NOMEM) errno = ENOMEM;
  return line == HEADER_END && n == 0 ? 0 : -1;
}

int maildup_digest(int fd, char digest[MAILDUP_DIGEST + 1], struct strerr *e) {
  unsigned char raw[SHA256_DIGEST_LENGTH];
  char buf[8192];
  substdio in;
  SHA2_CTX c;

  errno = 0;
  SHA256Init(&c);
  substdio_initfd_read(&in, fd, buf, sizeof buf);
  if (lseek(fd, 0, SEEK_SET) == -1 || read_message(&c, &in) == -1) return strerr_sys(e, "unable to read the message", (char *)0);
  SHA256Final(raw, &c);
  for (size_t i = 0; i < sizeof raw; ++i) fmt_hex64_pad(digest + 2 * i, raw[i], 2);
  digest[MAILDUP_DIGEST] = 0;
  return 0;
}

int maildup_line(const char *s, size_t n, size_t *at, int64_t *when, const char **digest) {
  while (*at < n) {
    const char *line = s + *at;
    size_t len = bytes_chr(line, n - *at, '\n');
    size_t blank = bytes_chr(line, len, ' ');

    *at += len < n - *at ? len + 1 : len;
    if (blank == len || len - blank - 1 != MAILDUP_DIGEST || !scan_i64(line, blank, when)) continue;
    *digest = line + blank + 1;
    return 1;
  }
  return 0;
}

int maildup_open(struct maildup *m, const char *dir, struct strerr *e) {
  stralloc path = STRALLOC_INIT;

  *m = (struct maildup){-1, STRALLOC_INIT};
  errno = ENOMEM;
  if (stralloc_catm(&path, dir, "/" MAILDUP_FILE, (char *)0)) m->fd = fd_open_among(path.s, 0600);
  if (m->fd != -1 && lock_ex(m->fd) == -1) m->fd = fd_close(m->fd);
  if (m->fd != -1 && (lseek(m->fd, 0, SEEK_SET) == -1 || fd_slurp(m->fd, &m->text, FILE_MAX) == -1) && errno != EFBIG) m->fd = fd_close(m->fd);
  if (m->fd == -1) strerr_sys(e, "unable to use ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  return m->fd == -1 ? -1 : 0;
}

/* A clock that was set back makes no message last for ever. */
static int is_young(int64_t when, int64_t now, int64_t age) {
  return when <= now && now - when <= age;
}

int maildup_has(const struct maildup *m, const char *digest, int64_t now, int64_t age) {
  const char *d;
  int64_t when;

  for (size_t at = 0; maildup_line(m->text.s, m->text.len, &at, &when, &d);)
    if (is_young(when, now, age) && !memcmp(d, digest, MAILDUP_DIGEST)) return 1;
  return 0;
}

static int add_entry(stralloc *out, int64_t when, const char *digest) {
  return stralloc_cati64(out, when) && stralloc_append(out, ' ') && stralloc_catb(out, digest, MAILDUP_DIGEST) && stralloc_append(out, '\n');
}

int maildup_add(struct maildup *m, const char *digest, int64_t now, int64_t age, struct strerr *e) {
  stralloc out = STRALLOC_INIT;
  const char *d;
  int64_t when;
  int ok = 1;

  for (size_t at = 0; ok && out.len < FILE_MAX / 2 && maildup_line(m->text.s, m->text.len, &at, &when, &d);)
    if (is_young(when, now, age) && memcmp(d, digest, MAILDUP_DIGEST) != 0) ok = add_entry(&out, when, d);
  ok = ok && add_entry(&out, now, digest);
  if (!ok) errno = ENOMEM;
  ok = ok && lseek(m->fd, 0, SEEK_SET) == 0 && ftruncate(m->fd, 0) == 0 && fd_write_all(m->fd, out.s, out.len) == 0;
  stralloc_free(&out);
  return ok ? 0 : strerr_sys(e, "unable to write " MAILDUP_FILE, (char *)0);
}

void maildup_close(struct maildup *m) {
  m->fd = fd_close(m->fd);
  stralloc_free(&m->text);
}
