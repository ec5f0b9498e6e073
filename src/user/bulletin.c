/* bulletin: see bulletin.h. */
#include "user/bulletin.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "crypt/digest.h"
#include "user/account.h"
#include "user/bulletin_wait.h"
#include "user/maildir.h"
#include "user/maildirsize.h"

#define TEXT_MAX (64u << 20)
#define LIST_MAX (64u << 20)
#define SEEN "/BulkMail"
#define SEEN_MAX 65536 /* of what is there the end counts: a thousand bulletins */

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to distribute the bulletin", (char *)0);
}

int bulletin_text_ok(const char *s, size_t n) {
  size_t colon = bytes_chr(s, n, ':');

  if (!colon || colon == n || bytes_chr(s, n, 0) != n) return 0;
  for (size_t i = 0; i < colon; ++i)
    if (s[i] < 33 || s[i] > 126) return 0;
  return s[n - 1] == '\n';
}

int bulletin_open(struct bulletin *b, const char *path, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int r = -1;

  b->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (b->fd == -1 || fd_slurp(b->fd, &text, TEXT_MAX) == -1) {
    strerr_sys(e, "unable to read ", path, (char *)0);
    e->permanent = b->fd == -1;
  } else if (!bulletin_text_ok(stralloc_cstr(&text), text.len)) {
    site_permanent(e, path, "not a message: header fields are wanted first, and LF at the end");
  } else {
    r = digest_sha256_hex(text.s, text.len, &b->digest) ? 0 : no_memory(e);
  }
  stralloc_free(&text);
  return r;
}

int bulletin_list(struct strlist *list, const char *path, struct strerr *e) {
  stralloc text = STRALLOC_INIT;
  int r = file_read(path, &text, LIST_MAX);

  if (r == 0) r = site_permanent(e, path, "is not there");
  else if (r == -1) strerr_sys(e, "unable to read ", path, (char *)0);
  else {
    bytes_lower(text.s, text.len);
    r = strlist_add_lines(list, stralloc_cstr(&text), text.len) ? 0 : no_memory(e);
  }
  if (r == 0 && !list->len) r = site_permanent(e, path, "names nobody");
  for (size_t i = 0; i < list->len; ++i) stralloc_chomp(&list->item[i]);
  strlist_sort(list);
  stralloc_free(&text);
  return r;
}

/* --- one mailbox, as its owner */

/* Did the user get it?  1, 0, -1. */
static int was_seen(const char *maildir, const struct bulletin *b, struct strerr *e) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  int fd = -1, r = -1;

  if (stralloc_catm(&path, maildir, SEEN, (char *)0)) fd = open(path.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  else no_memory(e);
  if (fd == -1 && path.len) r = errno == ENOENT || errno == ELOOP ? 0 : strerr_sys(e, "unable to read ", path.s, (char *)0);
  if (fd != -1) {
    off_t end = lseek(fd, 0, SEEK_END);

    r = end == -1 || lseek(fd, end > SEEN_MAX ? end - SEEN_MAX : 0, SEEK_SET) == -1 || fd_slurp(fd, &text, 2 * SEEN_MAX) == -1
            ? strerr_sys(e, "unable to read ", path.s, (char *)0)
            : strstr(stralloc_cstr(&text), b->digest.s) != 0;
  }
  fd_close(fd);
  stralloc_free(&path);
  stralloc_free(&text);
  return r;
}

static int note_seen(const char *maildir, const struct bulletin *b, struct strerr *e) {
  stralloc path = STRALLOC_INIT, line = STRALLOC_INIT;
  int fd = -1, r = -1;

  errno = ENOMEM;
  if (stralloc_catm(&path, maildir, SEEN, (char *)0) && stralloc_catm(&line, b->digest.s, "\n", (char *)0))
    fd = open(path.s, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (fd != -1) r = fd_write_all(fd, line.s, line.len);
  if (r == -1) strerr_sys(e, "unable to write ", stralloc_cstr(&path), (char *)0);
  fd_close(fd);
  stralloc_free(&path);
  stralloc_free(&line);
  return r;
}

static int put_message(const char *maildir, const char *address, const struct bulletin *b, struct strerr *e) {
  stralloc head = STRALLOC_INIT;
  uint64_t size;
  int r = stralloc_catm(&head, "Return-Path: <>\nDelivered-To: ", address, "\n", (char *)0) ? maildir_create(maildir, 0700, 1, e) : no_memory(e);

  if (r == 0) r = maildir_size(b->fd, head.len, &size, e);
  if (r == 0) r = maildir_deliver(maildir, b->fd, head.s, head.len, "", e) == DELIVER_OK ? 0 : -1;
  if (r == 0) r = maildirsize_add(maildir, (int64_t)size, 1, e);
  if (r == 0) r = note_seen(maildir, b, e);
  stralloc_free(&head);
  return r;
}

/* BULLETIN_SENT, BULLETIN_HAD or -1. */
static int deliver(const struct userdb_user *u, const char *address, const struct bulletin *b, struct strerr *e) {
  const struct identity owner = {u->uid, u->gid};
  stralloc maildir = STRALLOC_INIT;
  int r = stralloc_catm(&maildir, u->home.s, "/Maildir", (char *)0) ? identity_enter(&owner, e) : no_memory(e);

  if (r == 0) r = was_seen(maildir.s, b, e);
  r = r == 1 ? BULLETIN_HAD : r == 0 && !b->dry ? put_message(maildir.s, address, b, e) : r;
  stralloc_free(&maildir);
  return identity_back(r, e);
}

static int wanted(const struct userdb_user *u, const char *address, const struct bulletin *b) {
  return u->active && !account_is_group(u) && strlist_find_sorted(&b->excluded, address) == -1 &&
         (!b->only.len || strlist_find_sorted(&b->only, address) != -1);
}

static int treat(void *ctx, const struct userdb_user *u, struct strerr *e) {
  struct bulletin *b = ctx;
  stralloc address = STRALLOC_INIT;
  int r = -1;

  if (!stralloc_catm(&address, u->name.s, "@", u->domain.s, (char *)0)) return no_memory(e);
  if (wanted(u, address.s, b)) {
    r = deliver(u, address.s, b, e);
    if (r == -1) {
      b->fault(b->ctx, e);
    } else {
      ++b->count[r];
      b->tell(b->ctx, u, (enum bulletin_outcome)r);
    }
  }
  stralloc_free(&address);
  return 0;
}

int bulletin_run(struct site *s, const char *domain, struct bulletin *b, struct strerr *e) {
  return account_each(s, domain, &b->progress, treat, b, e);
}

static int find_domain(struct site *s, const char *domain, struct userdb_domain *d, struct strerr *e) {
  int r = site_enter_db(s, e);

  if (r == 0 && userdb_domain_get(&s->db, domain, d, e) != USERDB_FOUND) r = -1;
  return identity_back(r, e);
}

static int write_file(const char *dir, const char *name, const stralloc *text, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = -1;

  errno = ENOMEM;
  if (stralloc_catm(&path, dir, "/", name, (char *)0)) r = file_mkdir(dir, 0750) == 0 ? file_replace(path.s, text->s, text->len, 0640) : -1;
  if (r == -1) strerr_sys(e, "unable to write ", stralloc_cstr(&path), (char *)0);
  stralloc_free(&path);
  return r;
}

static int leave_in(struct site *s, const char *domain, const stralloc *text, const char *name, struct strerr *e) {
  struct userdb_domain d = {0};
  stralloc dir = STRALLOC_INIT;
  int r = find_domain(s, domain, &d, e);
  const struct identity owner = {d.uid, d.gid};

  if (r == 0 && !bulletin_dir(&s->conf, d.dir.s, &dir)) r = site_permanent(e, "BULK_MAILDIR", "not a name of a directory");
  if (r == 0) r = identity_enter(&owner, e);
  if (r == 0) r = write_file(dir.s, name, text, e);
  userdb_domain_free(&d);
  stralloc_free(&dir);
  return identity_back(r, e);
}

int bulletin_leave(struct site *s, const char *domain, const struct bulletin *b, const char *name, struct strerr *e) {
  const char *why = bulletin_name_fault(name);
  struct strlist domains = {0};
  stralloc text = STRALLOC_INIT;
  int r = why ? site_permanent(e, name, why) : account_domains(s, domain, &domains, e);

  if (r == 0 && (lseek(b->fd, 0, SEEK_SET) == -1 || fd_slurp(b->fd, &text, TEXT_MAX) == -1)) r = strerr_sys(e, "unable to read the bulletin", (char *)0);
  for (size_t i = 0; r == 0 && i < domains.len; ++i) r = leave_in(s, stralloc_cstr(&domains.item[i]), &text, name, e);
  strlist_free(&domains);
  stralloc_free(&text);
  return r;
}

void bulletin_free(struct bulletin *b) {
  b->fd = fd_close(b->fd);
  stralloc_free(&b->digest);
  strlist_free(&b->excluded);
  strlist_free(&b->only);
}
