/* vacation: see vacation.h.  Files of the home are changed as its owner. */
#include "user/vacation.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/utf8.h"
#include "conf/paths.h"
#include "user/limits.h"
#include "user/maildir.h"
#include "user/userdb.h"

#define QMAIL_MAX 65536
#define GROUP "MailGroup "

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to change the vacation reply", (char *)0);
}

/* As one word of the shell that runs program lines: names of users may hold quotes and dollars. */
static int quote(stralloc *out, const char *a, const char *b) {
  const char *const parts[] = {a, b};

  if (!stralloc_append(out, '\'')) return 0;
  for (int k = 0; k < 2; ++k)
    for (const char *s = parts[k]; *s; ++s)
      if (*s == '\'' ? !stralloc_cats(out, "'\\''") : !stralloc_append(out, *s)) return 0;
  return stralloc_append(out, '\'');
}

/* The end of our line, which tells it from all others. */
static int tail(stralloc *out, const char *home) {
  return stralloc_append(out, ' ') && quote(out, home, VACATION_MESSAGE) && stralloc_append(out, ' ') && quote(out, home, VACATION_ANSWERED);
}

static int add_line(stralloc *out, const char *program, const char *charset, const stralloc *end) {
  int ok = stralloc_catm(out, "| ", program, " -q", (char *)0);

  if (charset) ok = ok && stralloc_catm(out, " -T 'text/plain; charset=", charset, "'", (char *)0);
  return ok && stralloc_cat(out, end) && stralloc_append(out, '\n');
}

/* A line as we write it; of this home, or of one that the user had before (moved by another program than ours, or
 * by an older one).  Sets home to what it names, where that is written without a quote in it. */
static int is_ours(const char *s, size_t n, const stralloc *end, const char **home, size_t *len) {
  static const char program[] = "autoresponder -q ", middle[] = VACATION_MESSAGE "' '", last[] = VACATION_ANSWERED "'";
  const char *m;

  *len = 0;
  if (n > end->len && *s == '|' && !memcmp(s + n - end->len, end->s, end->len)) return 1;
  if (n < sizeof last || *s != '|' || memcmp(s + n - sizeof last + 1, last, sizeof last - 1) != 0 || !memmem(s, n, program, sizeof program - 1)) return 0;
  m = memmem(s, n, middle, sizeof middle - 1);
  if (!m) return 0;
  *home = m + sizeof middle - 1;
  *len = (size_t)(s + n - sizeof last + 1 - *home);
  return *len && **home == '/' && (size_t)(m - s) > *len && m[-(ptrdiff_t)*len - 1] == '\'' && !memcmp(m - *len, *home, *len);
}

/* "HOME/Maildir/" of that home? */
static int is_mailbox(const char *s, size_t n, const char *home, size_t len) {
  static const char maildir[] = "/Maildir/";

  return len && n == len + sizeof maildir - 1 && !memcmp(s, home, len) && !memcmp(s + len, maildir, sizeof maildir - 1);
}

/* Adds the lines of text that are not ours; tells whether one was.  The mailbox of a home that ours named is then
 * that of this one. */
static int add_others(const stralloc *text, const stralloc *end, const stralloc *mailbox, stralloc *out, int *had) {
  const char *old = 0, *home;
  size_t old_len = 0, len;
  int ok = 1;

  for (size_t i = 0; ok && i < text->len;) {
    const char *s = text->s + i;
    size_t n = bytes_chr(s, text->len - i, '\n');

    i += n + 1;
    if (is_ours(s, n, end, &home, &len)) {
      *had = 1;
      if (len) {
        old = home;
        old_len = len;
      }
    } else if (old && is_mailbox(s, n, old, old_len)) ok = stralloc_cat(out, mailbox);
    else ok = stralloc_catb(out, s, n) && stralloc_append(out, '\n');
  }
  return ok;
}

int vacation_edit(const stralloc *text, const char *home, const char *program, const char *charset, stralloc *out) {
  stralloc end = STRALLOC_INIT, mailbox = STRALLOC_INIT;
  int had = 0, r = -1;

  stralloc_cut(out, 0);
  if (tail(&end, home) && stralloc_catm(&mailbox, home, "/Maildir/\n", (char *)0) && (!program || add_line(out, program, charset, &end)) &&
      (text ? add_others(text, &end, &mailbox, out, &had) : !program || stralloc_cat(out, &mailbox)))
    r = program || (text && !(had && stralloc_equals(out, mailbox.s)));
  stralloc_free(&end);
  stralloc_free(&mailbox);
  return r;
}

int vacation_charset_ok(const char *charset) {
  size_t n = strspn(charset, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:+");

  return n && !charset[n] && n <= 64;
}

/* --- the files, as their owner */

struct files {
  stralloc qmail, message, answered, maildir;
};

static int find_files(const char *home, struct files *f) {
  return stralloc_catm(&f->qmail, home, "/.qmail", (char *)0) && stralloc_catm(&f->message, home, VACATION_MESSAGE, (char *)0) &&
         stralloc_catm(&f->answered, home, VACATION_ANSWERED, (char *)0) && stralloc_catm(&f->maildir, home, "/Maildir", (char *)0);
}

static int edit_qmail(const struct files *f, const char *home, const char *program, const char *charset, struct strerr *e) {
  stralloc old = STRALLOC_INIT, new = STRALLOC_INIT;
  int there = file_read(f->qmail.s, &old, QMAIL_MAX), r, keep;

  file_sweep(f->qmail.s);
  if (there == -1) {
    r = strerr_sys(e, "unable to read ", f->qmail.s, (char *)0);
  } else {
    keep = vacation_edit(there ? &old : 0, home, program, charset, &new);
    r = keep == -1 ? no_memory(e) : keep ? file_replace(f->qmail.s, stralloc_cstr(&new), new.len, 0600) : unlink(f->qmail.s);
    if (keep == 0 && r == -1 && errno == ENOENT) r = 0;
    if (r == -1 && keep != -1) strerr_sys(e, "unable to change ", f->qmail.s, (char *)0);
  }
  stralloc_free(&old);
  stralloc_free(&new);
  return r;
}

/* The text stands before the line that needs it. */
static int switch_on(const struct files *f, const char *home, const stralloc *text, const char *charset, struct strerr *e) {
  stralloc program = STRALLOC_INIT;
  int r = paths_program("autoresponder", &program) ? maildir_create(f->maildir.s, 0700, 1, e) : no_memory(e);

  file_sweep(stralloc_cstr(&f->message));
  if (r == 0 && file_replace(f->message.s, text->s, text->len, 0600) == -1) r = strerr_sys(e, "unable to write ", f->message.s, (char *)0);
  if (r == 0) r = tree_remove(f->answered.s, e);
  if (r == 0) r = edit_qmail(f, home, program.s, charset, e);
  stralloc_free(&program);
  return r;
}

static int switch_off(const struct files *f, const char *home, struct strerr *e) {
  if (edit_qmail(f, home, 0, 0, e) == -1) return -1;
  if (unlink(f->message.s) == -1 && errno != ENOENT) return strerr_sys(e, "unable to remove ", f->message.s, (char *)0);
  return tree_remove(f->answered.s, e);
}

static const char *text_fault(const stralloc *text, const char *charset) {
  if (!text->len) return "the text is empty";
  if (bytes_chr(text->s, text->len, 0) != text->len) return "the text has a byte 0";
  return charset || utf8_valid(text->s, text->len) ? 0 : "the text is not UTF-8: CHARSET has to say what it is";
}

/* Null when it comes to .qmail. */
static const char *mail_goes_elsewhere(const struct userdb_user *u, const struct strlist *aliases) {
  if (stralloc_starts(&u->gecos, GROUP)) return "a group has no mailbox and answers nobody";
  return aliases->len ? "there is an alias of that name, which takes all mail: a line of it would have to answer" : 0;
}

/* --- what the domain's limits say */

/* Homes where others of the domain may answer; limit -1: nobody counts. */
struct others {
  struct strlist homes;
  const char *own;
  int64_t limit;
  uint32_t refused; /* bits of enum limit_perm */
  int failed;
};

static int note_home(void *ctx, const char *name, const char *home, int active) {
  struct others *o = ctx;

  (void)active;
  if (strcmp(name, o->own) != 0 && !strlist_add(&o->homes, home, strlen(home))) o->failed = 1;
  return o->failed;
}

/* With the database open: 0 or -1. */
static int find_limits(struct site *s, const struct userdb_user *u, struct others *o, struct strerr *e) {
  struct userdb_domain d = {0};
  struct limits l;
  int r = userdb_domain_get(&s->db, u->domain.s, &d, e) == USERDB_FOUND ? 0 : -1;

  if (r == 0) r = limits_in_force(s, u->domain.s, stralloc_cstr(&d.dir), u->name.s, &l, e);
  if (r == 0) {
    o->limit = l.v[LIMIT_AUTORESPONDERS];
    o->refused = (uint32_t)l.v[LIMIT_PERM_AUTORESPONDER];
    o->own = u->name.s;
  }
  if (r == 0 && o->limit > 0 && userdb_user_each(&s->db, u->domain.s, note_home, o, e) == USERDB_TEMPFAIL) r = -1;
  if (r == 0 && o->failed) r = no_memory(e);
  userdb_domain_free(&d);
  return r;
}

/* How many of them answer; as their owner. */
static int64_t count_answering(const struct others *o) {
  stralloc path = STRALLOC_INIT;
  int64_t n = 0;

  for (size_t i = 0; i < o->homes.len; ++i) {
    stralloc_cut(&path, 0);
    n += !stralloc_catm(&path, o->homes.item[i].s, VACATION_MESSAGE, (char *)0) || access(path.s, F_OK) == 0;
  }
  stralloc_free(&path);
  return n;
}

/* Null, or why not; as the owner. */
static const char *limit_fault(const struct others *o, const struct files *f, int on) {
  const int has = access(f->message.s, F_OK) == 0;

  if (!on) return has && o->refused & LIMIT_DELETE ? "the limits of the domain do not allow to end vacation replies" : 0;
  if (has) return o->refused & LIMIT_MODIFY ? "the limits of the domain do not allow another vacation reply" : 0;
  if (o->refused & LIMIT_CREATE) return "the limits of the domain do not allow vacation replies";
  return o->limit >= 0 && count_answering(o) >= o->limit ? "the domain has as many vacation replies as its limits allow" : 0;
}

int vacation_set(struct site *s, const struct address *a, const stralloc *text, const char *charset, struct strerr *e) {
  struct userdb_user u = {0};
  struct strlist aliases = {0};
  struct files f = {.qmail = STRALLOC_INIT};
  const char *why = text ? text_fault(text, charset) : 0;
  enum userdb_result found = USERDB_NONE;
  struct others others = {.limit = -1};
  struct identity owner;
  int r = why ? site_permanent(e, a->user.s, why) : site_open_db(s, 0, e);

  if (r == 0) {
    found = userdb_account_get(&s->db, a->user.s, a->domain.s, &u, &aliases, e);
    if (found == USERDB_NONE) site_permanent(e, a->user.s, "there is no such user");
    else if (found == USERDB_FOUND && text && (why = mail_goes_elsewhere(&u, &aliases)) != 0) site_permanent(e, a->user.s, why);
    if (found != USERDB_FOUND || why) r = -1;
    if (r == 0 && !(u.flags & USER_OVERRIDE_LIMITS)) r = find_limits(s, &u, &others, e);
  }
  r = identity_back(r, e);
  owner = (struct identity){u.uid, u.gid};
  if (r == 0) r = find_files(u.home.s, &f) ? identity_enter(&owner, e) : no_memory(e);
  if (r == 0 && (why = limit_fault(&others, &f, text != 0)) != 0) r = site_permanent(e, a->user.s, why);
  if (r == 0) r = text ? switch_on(&f, u.home.s, text, charset, e) : access(u.home.s, F_OK) == 0 ? switch_off(&f, u.home.s, e) : 0;
  r = identity_back(r, e);
  userdb_user_free(&u);
  strlist_free(&aliases);
  strlist_free(&others.homes);
  stralloc_free(&f.qmail);
  stralloc_free(&f.message);
  stralloc_free(&f.answered);
  stralloc_free(&f.maildir);
  return r;
}

int vacation_read(const char *file, stralloc *text, struct strerr *e) {
  const int from_input = !strcmp(file, "+");
  int r;

  if (!strcmp(file, "-")) return 0;
  r = from_input ? fd_slurp(0, text, VACATION_TEXT_MAX) : file_read(file, text, VACATION_TEXT_MAX);
  if (r == -1) return strerr_sys(e, "unable to read ", from_input ? "the text" : file, (char *)0);
  return r == 0 && !from_input ? site_permanent(e, file, "there is no such file") : 1;
}
