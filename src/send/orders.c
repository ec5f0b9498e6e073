/* orders: see orders.h. */
#include "send/orders.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "queue/transition.h"

#define ORDERS_BYTES_MAX (128u << 20)
#define SPARE_LINES 1000 /* more lines than twice what matters, and the file is written anew */

/* --- in memory --- */

static enum orders_outcome note_id(struct idset *s, uint64_t id, int in) {
  if (!in) {
    if (!idset_has(s, id)) return ORDERS_SAME;
    idset_remove(s, id);
    return ORDERS_NOTED;
  }
  if (s->n >= ORDERS_IDS_MAX && !idset_has(s, id)) return ORDERS_FULL;
  switch (idset_add(s, id)) {
    case 1: return ORDERS_NOTED;
    case 0: return ORDERS_SAME;
    default: return ORDERS_NOMEM;
  }
}

static void drop(struct strlist *l, size_t at) {
  stralloc gone = l->item[at];

  l->item[at] = l->item[--l->len];
  stralloc_free(&gone);
}

static enum orders_outcome note_name(struct strlist *l, const stralloc *name, int in) {
  long at = strlist_find(l, stralloc_cstr(name), name->len);

  if (!in) {
    if (at < 0) return ORDERS_SAME;
    drop(l, (size_t)at);
    return ORDERS_NOTED;
  }
  if (at >= 0) return ORDERS_SAME;
  if (l->len >= ORDERS_NAMES_MAX) return ORDERS_FULL;
  return strlist_add(l, stralloc_cstr(name), name->len) ? ORDERS_NOTED : ORDERS_NOMEM;
}

static enum orders_outcome apply(struct orders *o, const struct control_request *r) {
  int in = r->command != CONTROL_release;

  switch (r->by) {
    case CONTROL_BY_ID:
      if (r->command != CONTROL_expire) return note_id(&o->held, r->id, in);
      (void)note_id(&o->held, r->id, 0);
      return note_id(&o->expired, r->id, 1);
    case CONTROL_BY_DOMAIN: return note_name(&o->domains, &r->text, in);
    case CONTROL_BY_SENDER: return note_name(&o->senders, &r->text, in);
    case CONTROL_BY_NOTHING:
    case CONTROL_BY_ALL:
    case CONTROL_BYS: return ORDERS_SAME;
  }
  return ORDERS_SAME;
}

static int belongs_here(const struct control_request *r) {
  return (r->command == CONTROL_hold || r->command == CONTROL_release || r->command == CONTROL_expire) &&
         r->by != CONTROL_BY_ALL;
}

enum orders_outcome orders_note(struct orders *o, const struct control_request *r) {
  enum orders_outcome done = apply(o, r);

  if (done == ORDERS_NOTED && !control_request_format(&o->unsaved, r)) return ORDERS_NOMEM;
  return done;
}

static size_t live(const struct orders *o) {
  return o->held.n + o->expired.n + o->domains.len + o->senders.len;
}

/* --- on disk --- */

static int put_ids(stralloc *out, enum control_command c, const struct idset *s) {
  struct control_request r = {.command = c, .by = CONTROL_BY_ID};

  for (size_t i = 0; i < s->a; ++i) {
    r.id = s->slot[i];
    if (r.id && !control_request_format(out, &r)) return 0;
  }
  return 1;
}

static int put_names(stralloc *out, enum control_by by, const struct strlist *l) {
  for (size_t i = 0; i < l->len; ++i) {
    struct control_request r = {.command = CONTROL_hold, .by = by, .text = l->item[i]};

    if (!control_request_format(out, &r)) return 0;
  }
  return 1;
}

/* A tool of root's may make the file, but qmail-send must be able to read it. */
static void give_away(void) {
  struct stat st;

  if (stat(QUEUE_SEND_DIR, &st) == 0 && st.st_uid != geteuid()) (void)!lchown(ORDERS_FILE, st.st_uid, st.st_gid);
}

static int write_anew(struct orders *o) {
  stralloc all = STRALLOC_INIT;
  int r = -1;

  errno = ENOMEM;
  if (put_ids(&all, CONTROL_hold, &o->held) && put_ids(&all, CONTROL_expire, &o->expired) &&
      put_names(&all, CONTROL_BY_DOMAIN, &o->domains) && put_names(&all, CONTROL_BY_SENDER, &o->senders))
    r = file_replace(ORDERS_FILE, stralloc_cstr(&all), all.len, 0600);
  stralloc_free(&all);
  if (r == -1) return -1;
  give_away();
  o->lines = live(o);
  stralloc_cut(&o->unsaved, 0);
  return 0;
}

static size_t count_lines(const stralloc *s) {
  size_t n = 0;

  for (size_t i = 0; i < s->len; ++i) n += s->s[i] == '\n';
  return n;
}

int orders_save(struct orders *o) {
  size_t more = count_lines(&o->unsaved);
  int fd, r;

  if (!more && o->lines < SIZE_MAX / 2) return 0;
  if (o->lines + more > 2 * live(o) + SPARE_LINES) return write_anew(o);
  fd = fd_open_append(ORDERS_FILE, 0600);
  if (fd == -1) return -1;
  r = fd_write_all(fd, o->unsaved.s, o->unsaved.len);
  if (r == 0) r = fsync(fd);
  if (r == 0 && !o->lines) r = fd_syncdir(QUEUE_SEND_DIR); /* it may be a new name */
  fd_close(fd);
  give_away();
  stralloc_cut(&o->unsaved, 0);
  o->lines = r == 0 ? o->lines + more : SIZE_MAX / 2; /* after half a line: anew the next time */
  return r;
}

/* What matters still: a message is in the queue as long as its file is there. */
static int still_there(uint64_t id) {
  char path[QUEUE_PATH];

  queuepath(path, QUEUE_mess, id);
  return access(path, F_OK) == 0 || errno != ENOENT;
}

static int read_line(struct orders *o, const char *s, size_t n, size_t *strange, struct strerr *e) {
  struct control_request r = {0};
  enum control_verdict v = control_request_parse(&r, s, n);
  enum orders_outcome done = ORDERS_SAME;

  if (v == CONTROL_OK && belongs_here(&r)) {
    if (r.command == CONTROL_release || r.by != CONTROL_BY_ID || still_there(r.id)) done = apply(o, &r);
  } else if (v != CONTROL_NOMEM) {
    ++*strange;
  }
  control_request_free(&r);
  if (v != CONTROL_NOMEM && done != ORDERS_NOMEM) return 0;
  errno = ENOMEM;
  return strerr_sys(e, "unable to take in ", ORDERS_FILE, (char *)0);
}

int orders_load(struct orders *o, size_t *strange, struct strerr *e) {
  stralloc all = STRALLOC_INIT;
  int got = file_read(ORDERS_FILE, &all, ORDERS_BYTES_MAX);
  size_t at = 0;
  int r = got == -1 ? strerr_sys(e, "unable to read ", ORDERS_FILE, (char *)0) : 0;

  *strange = 0;
  while (r == 0 && at < all.len) {
    size_t n = bytes_chr(all.s + at, all.len - at, '\n');

    if (at + n == all.len) break; /* half a line: never confirmed to anybody */
    r = read_line(o, all.s + at, n, strange, e);
    at += n + 1;
  }
  if (r == 0 && all.len && write_anew(o) == -1) r = strerr_sys(e, "unable to write ", ORDERS_FILE, (char *)0);
  stralloc_free(&all);
  return r;
}

int orders_release_all(struct orders *o) {
  stralloc out = STRALLOC_INIT;
  int ok = put_ids(&out, CONTROL_release, &o->held);

  for (size_t i = 0; ok && i < o->domains.len + o->senders.len; ++i) {
    int domain = i < o->domains.len;
    struct control_request r = {.command = CONTROL_release, .by = domain ? CONTROL_BY_DOMAIN : CONTROL_BY_SENDER};

    r.text = domain ? o->domains.item[i] : o->senders.item[i - o->domains.len];
    ok = control_request_format(&out, &r);
  }
  ok = ok && stralloc_cat(&o->unsaved, &out);
  stralloc_free(&out);
  if (!ok) return 0;
  idset_free(&o->held);
  strlist_clear(&o->domains);
  strlist_clear(&o->senders);
  return 1;
}

void orders_forget(struct orders *o, uint64_t id) {
  idset_remove(&o->held, id);
  idset_remove(&o->expired, id);
}

int orders_holds_sender(const struct orders *o, const char *sender) {
  return o->senders.len && strlist_find(&o->senders, sender, strlen(sender)) >= 0;
}

void orders_free(struct orders *o) {
  idset_free(&o->held);
  idset_free(&o->expired);
  strlist_free(&o->domains);
  strlist_free(&o->senders);
  stralloc_free(&o->unsaved);
}
