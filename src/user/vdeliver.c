/* vdeliver: see vdeliver.h. */
#include "user/vdeliver.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/file.h"
#include "user/delivery_note.h"
#include "user/mailbox_rules.h"
#include "user/maildir.h"
#include "user/maildirsize.h"
#include "user/maildup.h"
#include "user/name.h"
#include "user/spam_mark.h"
#include "user/userdb.h"
#include "user/vdeliver_run.h"

#define QMAIL_MAX 65536
#define GROUP "MailGroup "
#define FOLDER_MAX 200

/* What inlookup says of an address, its account apart. */
struct answer {
  enum lookup_verdict account, alias;
  struct strlist lines; /* of the alias */
  int kept;             /* what was so a while ago (lookup.h) */
};

/* The delivery under way. */
struct job {
  const struct vdeliver *v;
  struct address address; /* whom it is for */
  stralloc full;          /* the same as one text */
  struct lookup_account account;
  struct answer answer;
  uint64_t size;          /* of the message */
  struct strlist forward; /* addresses collected, sent last */
  struct vdeliver_done done;
  int own;                /* it is the mailbox of the account that is delivered to */
  int others;             /* than those of the forwards get it here, or got it at an earlier try */
  struct delivery_note note; /* of the lines that are followed */
  struct strerr *e;
};

static enum deliver_result temporary(struct job *j) {
  j->e->permanent = 0;
  return DELIVER_TEMP;
}

static enum deliver_result no_memory(struct job *j) {
  errno = ENOMEM;
  strerr_sys(j->e, "unable to deliver", (char *)0);
  return temporary(j);
}

static enum deliver_result refuse(struct job *j, const char *what, const char *why) {
  strerr_set(j->e, what, why, (char *)0);
  j->e->permanent = 1;
  return DELIVER_PERM;
}

/* --- the Maildir */

/* It does not fit, or not today. */
static enum deliver_result full(struct job *j, const struct mailbox *m, const char *what) {
  stralloc why = STRALLOC_INIT;
  const int holds = mailbox_holds(m);
  enum deliver_result r;

  if (!stralloc_catm(&why, ": the mailbox ", what, holds ? ", the message waits (#4.2.2)" : " (#5.2.2)", (char *)0)) r = no_memory(j);
  else if (!holds) r = refuse(j, j->full.s, why.s);
  else {
    strerr_set(j->e, j->full.s, why.s, (char *)0);
    r = temporary(j);
  }
  stralloc_free(&why);
  return r;
}

/* The database is away, and that the name is no user's is not kept.  Lines of an alias are: where there are some,
 * they are followed whether it is a user's name or not. */
static int ask_kept_alias(struct job *j, struct answer *a) {
  const struct vdeliver *v = j->v;
  struct strerr ignored;

  if (v->no_alias || v->lookup->fd <= 0) return -1; /* it was inlookup that did not answer */
  a->alias = lookup_alias(v->lookup, j->full.s, deadline_in(v->seconds), &a->lines, &ignored);
  a->kept = v->lookup->kept;
  if (a->alias != LOOKUP_FOUND) return -1;
  a->account = LOOKUP_NONE;
  return 0;
}

static int ask(struct job *j, struct lookup_account *account, struct answer *a) {
  const struct vdeliver *v = j->v;

  a->alias = LOOKUP_NONE;
  a->account = lookup_account(v->lookup, j->full.s, deadline_in(v->seconds), account, &a->lines, j->e);
  a->kept = v->lookup->kept;
  if (a->account == LOOKUP_TEMPFAIL) return ask_kept_alias(j, a);
  if (v->no_alias) strlist_clear(&a->lines);
  else if (a->account == LOOKUP_NONE) a->alias = lookup_alias(v->lookup, j->full.s, deadline_in(v->seconds), &a->lines, j->e);
  return a->alias == LOOKUP_TEMPFAIL ? -1 : 0;
}

static int same_lines(const struct strlist *a, const struct strlist *b) {
  size_t i = 0;

  while (i < a->len && i < b->len && stralloc_equals(&a->item[i], stralloc_cstr(&b->item[i]))) ++i;
  return a->len == b->len && i == a->len;
}

/* A home that is not there is one that nobody has used yet, or one whose user has been moved or removed since we
 * asked: mail in it would be nobody's. */
static int still_so(struct job *j) {
  struct lookup_account account = {0};
  struct answer now = {0};
  int r = ask(j, &account, &now);

  if (r == 0 && now.kept)
    r = strerr_set(j->e, j->full.s, ": the home is not there, and the user database cannot be asked now (#4.3.0)", (char *)0);
  else if (r == 0 && (now.account != j->answer.account || now.alias != j->answer.alias || !same_lines(&now.lines, &j->answer.lines) ||
                 !stralloc_equals(&account.home, stralloc_cstr(&j->account.home))))
    r = strerr_set(j->e, j->full.s, ": the user is being moved or removed (#4.2.1)", (char *)0);
  lookup_account_free(&account);
  strlist_free(&now.lines);
  return r;
}

/* With what it lies in. */
static int create(struct job *j, const char *maildir) {
  stralloc home = STRALLOC_INIT;
  int r = file_dirname(maildir, &home);

  if (r == -1) no_memory(j);
  if (r == 0 && access(home.s, F_OK) == -1) r = still_so(j);
  stralloc_free(&home);
  return r == 0 ? maildir_create(maildir, 0700, 1, j->e) : -1;
}

/* With the file that marks it as one (Maildir++). */
static int make_folder(struct job *j, const char *maildir, const char *path) {
  stralloc mark = STRALLOC_INIT;
  int fd = -1, r = access(maildir, F_OK) == 0 ? 0 : create(j, maildir);

  if (r == 0 && access(path, F_OK) == -1) r = maildir_create(path, 0700, 0, j->e);
  if (r == 0) {
    errno = ENOMEM;
    if (stralloc_catm(&mark, path, "/maildirfolder", (char *)0)) fd = open(mark.s, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd == -1) r = strerr_sys(j->e, "unable to make the folder ", path, (char *)0);
    fd_close(fd);
  }
  stralloc_free(&mark);
  return r;
}

/* Delivers; a Maildir that is not there is made first. */
static enum deliver_result deliver(struct job *j, const char *maildir) {
  const char *head = j->v->head;
  enum deliver_result r = maildir_deliver(maildir, j->v->msgfd, head, strlen(head), mailbox_variable(j->v->env, "MESSID"), j->e);

  if (r != DELIVER_TEMP || j->e->sys != ENOENT) return r;
  if (create(j, maildir) == -1) return temporary(j);
  return maildir_deliver(maildir, j->v->msgfd, head, strlen(head), mailbox_variable(j->v->env, "MESSID"), j->e);
}

#define CLEAR_BYTES 1024000 /* so much room, or a tenth of the quota, and mail is let in again */

static int is_over(const struct quota *q, const struct usage *u) {
  return (q->bytes && (uint64_t)u->bytes >= q->bytes) || (q->count && (uint64_t)u->count >= q->count);
}

static int has_room(const struct quota *q, const struct usage *u) {
  const uint64_t clear = q->bytes / 10 < CLEAR_BYTES ? q->bytes / 10 : CLEAR_BYTES;

  return (!q->bytes || (uint64_t)u->bytes + clear < q->bytes) && (!q->count || (uint64_t)u->count + 1 < q->count);
}

/* The mailbox is full, whatever comes, or no longer so: then servers are told before they have sent the message
 * (userdb_overquota.h).  Only a change is said; that it could not be said does not matter. */
static void tell_state(struct job *j, const struct mailbox *m, const struct usage *u, int fits) {
  const int flagged = (j->account.flags & USER_BOUNCE_MAIL) != 0;
  const int full = !fits && is_over(m->quota, u);
  struct strerr ignored;

  if (!j->own || j->answer.kept || (full ? mailbox_holds(m) : !flagged || !fits || !has_room(m->quota, u))) return;
  (void)lookup_overquota(j->v->lookup, j->full.s, full ? (uint64_t)u->bytes + !u->bytes : 0, deadline_in(j->v->seconds), &ignored);
}

/* Room for it in the quota: 1; 0 when there is none, *r says what comes of it. */
static int find_room(struct job *j, const struct mailbox *m, struct usage *u, enum deliver_result *r) {
  int fits = maildirsize_fits(m->maildir, m->quota, &j->v->rules, m->size, 1, u, j->e);

  if (fits == -1 && j->e->sys == ENOENT && create(j, m->maildir) == 0)
    fits = maildirsize_fits(m->maildir, m->quota, &j->v->rules, m->size, 1, u, j->e);
  if (fits != -1) tell_state(j, m, u, fits);
  if (fits == 0) {
    mailbox_tell_full(m, u);
    if (mailbox_takes_small(m)) return 1;
  }
  if (fits != 1) *r = fits == -1 ? temporary(j) : full(j, m, "is full");
  return fits == 1;
}

/* Delivers what there is room for, and adds it to the sums. */
static enum deliver_result deliver_counted(struct job *j, const struct mailbox *m, const char *where, struct delivery_count *day) {
  struct usage u = {0, 0};
  struct strerr ignored;
  enum deliver_result r = DELIVER_TEMP;

  if (quota_none(m->quota)) r = deliver(j, where);
  else if (find_room(j, m, &u, &r)) {
    r = deliver(j, where);
    /* A sum that could not be written is put right by the next count.  What does not count must fit all the
     * same, or a rule could fill the disk. */
    if (r == DELIVER_OK && maildirsize_counts(where == m->maildir ? 0 : strrchr(where, '/') + 1, &j->v->rules))
      (void)!maildirsize_add(m->maildir, (int64_t)m->size, 1, &ignored);
    if (r == DELIVER_OK) mailbox_warn(m, &u);
  }
  if (r == DELIVER_OK && day->fd != -1) (void)!delivery_count_add(day, m->size, &ignored);
  return r;
}

/* Within the limits of a day. */
static enum deliver_result deliver_today(struct job *j, const struct mailbox *m, const char *where) {
  struct delivery_count day;
  enum deliver_result r;
  int room = mailbox_day(m, &day, j->e);

  if (room == -1 && j->e->sys == ENOENT && create(j, m->maildir) == 0) room = mailbox_day(m, &day, j->e);
  if (room == 1) r = deliver_counted(j, m, where, &day);
  else r = room ? temporary(j) : full(j, m, "has got its mail for today");
  delivery_count_close(&day);
  return r;
}

/* Once, however often the same message comes within the time: noted when it is delivered. */
static enum deliver_result deliver_once(struct job *j, const struct mailbox *m, const char *where) {
  char digest[MAILDUP_DIGEST + 1];
  struct strerr ignored;
  struct maildup d;
  enum deliver_result r = DELIVER_OK;

  if (maildup_digest(j->v->msgfd, digest, j->e) == -1) return temporary(j);
  if (maildup_open(&d, m->maildir, j->e) == -1 && (j->e->sys != ENOENT || create(j, m->maildir) == -1 || maildup_open(&d, m->maildir, j->e) == -1))
    return temporary(j);
  if (!maildup_has(&d, digest, wall_now(), j->v->dups)) {
    r = deliver_today(j, m, where);
    if (r == DELIVER_OK) (void)!maildup_add(&d, digest, wall_now(), j->v->dups, &ignored);
  }
  maildup_close(&d);
  return r;
}

/* To where (the Maildir or a folder of it), by the rules of the mailbox. */
static enum deliver_result deliver_within(struct job *j, const char *maildir, const char *where, const struct quota *q) {
  const struct mailbox m = {j->v->env, j->full.s, maildir, q, j->size + strlen(j->v->head)};
  const enum deliver_result r = j->v->dups ? deliver_once(j, &m, where) : deliver_today(j, &m, where);

  if (r == DELIVER_OK) ++j->done.files;
  return r;
}

/* A Maildir named by an alias line: the quota its own maildirsize states, if any. */
static enum deliver_result deliver_path(struct job *j, const char *path) {
  stralloc file = STRALLOC_INIT, text = STRALLOC_INIT, maildir = STRALLOC_INIT;
  struct quota q = {0, 0};
  enum deliver_result r = DELIVER_TEMP;

  if (!stralloc_copys(&maildir, path)) r = no_memory(j);
  while (maildir.len > 1 && maildir.s[maildir.len - 1] == '/') stralloc_cut(&maildir, maildir.len - 1);
  if (!stralloc_catm(&file, stralloc_cstr(&maildir), "/maildirsize", (char *)0)) {
    r = no_memory(j);
  } else {
    if (file_read(file.s, &text, MAILDIRSIZE_FILE_MAX) == 1) {
      size_t line = bytes_chr(text.s, text.len, '\n');

      (void)quota_parse(text.s, line, &q);
    }
    r = deliver_within(j, maildir.s, maildir.s, &q);
  }
  stralloc_free(&file);
  stralloc_free(&text);
  stralloc_free(&maildir);
  return r;
}

/* A folder's name as one component below a Maildir, with its dot.  What could lead elsewhere is none. */
static int folder_name(const char *s, size_t n, int strict, stralloc *name) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

  while (n && *s == '.') ++s, --n;
  if (!n || n > FOLDER_MAX) return 0;
  for (size_t i = 0; i < n; ++i) {
    int inner = s[i] == '.' && i + 1 < n && s[i + 1] != '.'; /* between two levels */

    if (strict ? !memchr(plain, s[i], sizeof plain - 1) : s[i] == '/' || (unsigned char)s[i] < ' ' || (s[i] == '.' && !inner)) return 0;
  }
  return stralloc_copys(name, "/.") && stralloc_catb(name, s, n);
}

/* The folder behind the + as it was written, where there is one, else in lower case: 1 with where filled, 0, -1. */
static int find_detail(struct job *j, const char *maildir, stralloc *where) {
  const stralloc *user = &j->address.user;
  const size_t plus = bytes_chr(user->s, user->len, '+');
  const char *const written = j->v->user + (*j->v->user == '"'); /* as long as the other, but for quotes */
  const char *const ways[] = {written, user->s};
  stralloc name = STRALLOC_INIT;
  int r = 0;

  if (plus == user->len || plus != j->account.user.len) return 0;
  for (size_t i = 0; r == 0 && i < sizeof ways / sizeof *ways; ++i) {
    if (!folder_name(ways[i] + plus + 1, user->len - plus - 1, 1, &name)) break;
    stralloc_cut(where, 0);
    r = stralloc_catm(where, maildir, name.s, (char *)0) ? access(where->s, F_OK) == 0 : -1;
  }
  if (r == -1) no_memory(j);
  stralloc_free(&name);
  return r;
}

/* What is asked for; else where spam goes, when it is some; "" nothing, null with e filled. */
static const char *choose_folder(struct job *j) {
  const char *asked = j->v->folder ? j->v->folder : "", *spam = j->v->spam_folder ? j->v->spam_folder : "";
  int marked;

  if (*asked || !*spam || j->v->by_rule) return asked;
  marked = spam_mark_find(j->v->msgfd, j->e);
  return marked == -1 ? 0 : marked ? spam : "";
}

/* The folder that is asked for, made if need be, or the one of the address: 1 with where filled; 0 the Maildir
 * itself; -1 with e filled. */
static int find_folder(struct job *j, const char *maildir, stralloc *where) {
  const char *asked = choose_folder(j);
  stralloc name = STRALLOC_INIT;
  int r;

  if (!asked) return -1;
  if (!*asked) return find_detail(j, maildir, where);
  r = folder_name(asked, strlen(asked), 0, &name);
  if (r && !stralloc_catm(where, maildir, name.s, (char *)0)) {
    no_memory(j);
    r = -1;
  }
  if (r == 1 && make_folder(j, maildir, where->s) == -1) r = -1;
  stralloc_free(&name);
  return r;
}

static enum deliver_result deliver_to(struct job *j, const char *maildir, const struct quota *q) {
  stralloc where = STRALLOC_INIT;
  int folder = find_folder(j, maildir, &where);
  enum deliver_result r = folder == -1 ? temporary(j) : deliver_within(j, maildir, folder ? where.s : maildir, q);

  stralloc_free(&where);
  return r;
}

static enum deliver_result deliver_mailbox(struct job *j) {
  stralloc maildir = STRALLOC_INIT;
  struct quota q = {0, 0};
  struct stat st;
  enum deliver_result r;

  if (!quota_parse(stralloc_cstr(&j->account.quota), j->account.quota.len, &q)) {
    strerr_set(j->e, j->full.s, ": the quota of this user is malformed", (char *)0);
    return temporary(j);
  }
  if (j->account.flags & USER_BOUNCE_MAIL && quota_none(&q)) return refuse(j, j->full.s, ": the mailbox is closed (#5.2.1)");
  if (!stralloc_catm(&maildir, j->account.home.s, "/Maildir", (char *)0)) return no_memory(j);
  /* A sticky home is being worked on. */
  if (stat(j->account.home.s, &st) == 0 && st.st_mode & S_ISVTX) {
    strerr_set(j->e, j->full.s, ": the home directory is sticky: the user is being changed (#4.2.1)", (char *)0);
    r = temporary(j);
  } else {
    j->own = 1;
    r = deliver_to(j, maildir.s, &q);
    j->own = 0;
  }
  stralloc_free(&maildir);
  return r;
}

/* --- lines of aliases and of .qmail */

/* Does the line name the mailbox of the user himself, as HOME/Maildir/, as .qmail files of others have it, or
 * by his address? */
static int is_own_path(const struct job *j, const char *path) {
  const stralloc *home = &j->account.home;

  if (!strcmp(path, "./Maildir/")) return home->len != 0;
  return home->len && !strncmp(path, home->s, home->len) && !strcmp(path + home->len, "/Maildir/");
}

static int is_own_address(const struct job *j, const char *s) {
  const size_t n = strlen(s), user = j->account.user.len, domain = j->account.domain.len;

  if (!user) return 0;
  if (n == j->full.len && bytes_caseequal(s, j->full.s, n)) return 1;
  return n == user + 1 + domain && s[user] == '@' && bytes_caseequal(s, j->account.user.s, user) &&
         bytes_caseequal(s + user + 1, j->account.domain.s, domain);
}

/* What was done with the message, by its mark in the note. */
#define NOTE_PROGRAM '|'
#define NOTE_STOP '!' /* a program that wanted nothing to follow */
#define NOTE_FORWARD '&'
#define NOTE_MAILDIR '/'
#define NOTE_OWN '='

static int was_done(struct job *j, char mark, const char *what) {
  const int was = delivery_note_take(&j->note, mark, what);

  j->others |= was;
  return was;
}

/* Without memory it may be done again, when the rest is tried again. */
static void note_done(struct job *j, char mark, const char *what) {
  (void)!delivery_note_add(&j->note, mark, what);
}

static int run_program(struct job *j, const char *command) {
  int r;

  if (was_done(j, NOTE_STOP, command)) return VDELIVER_STOP;
  if (was_done(j, NOTE_PROGRAM, command)) return DELIVER_OK;
  r = vdeliver_program(j->v, command, j->e);
  if (r == DELIVER_OK || r == VDELIVER_STOP) ++j->done.programs;
  if (r == DELIVER_OK || r == VDELIVER_STOP) note_done(j, r == DELIVER_OK ? NOTE_PROGRAM : NOTE_STOP, command);
  return r;
}

/* To the addresses that were collected. */
static enum deliver_result forward(struct job *j) {
  const int alone = j->v->alone && j->forward.len == 1 && !j->done.files && !j->done.programs && !j->others;
  enum deliver_result r = vdeliver_forward(j->v, &j->forward, alone ? &j->done.passed_on : 0, j->e);

  if (r == DELIVER_OK) j->done.forwards += (unsigned)j->forward.len;
  for (size_t i = 0; r == DELIVER_OK && i < j->forward.len; ++i) note_done(j, NOTE_FORWARD, j->forward.item[i].s);
  return r;
}

/* What a line asks for, and of whom. */
enum line { LINE_NOTHING, LINE_PROGRAM, LINE_MAILDIR, LINE_OWN, LINE_FORWARD };

static enum line line_kind(const struct job *j, const stralloc *line, const char **what) {
  const char *s = stralloc_cstr(line);

  while (*s == ' ' || *s == '\t') ++s;
  *what = s;
  if (!*s || *s == '#') return LINE_NOTHING;
  if (is_own_path(j, s)) return LINE_OWN;
  if (*s == '/') return LINE_MAILDIR;
  *what = s + (*s == '|' || *s == '&');
  if (*s == '|') return LINE_PROGRAM;
  while (**what == ' ') ++*what;
  /* a message for himself that came back would go round until it is refused; a group has no mailbox to send to */
  if (is_own_address(j, *what)) return stralloc_starts(&j->account.gecos, GROUP) ? LINE_NOTHING : LINE_OWN;
  return LINE_FORWARD;
}

/* Programs in their order, and the addresses to forward to collected.  *end: how many lines count; a program
 * that wants nothing to follow stands for itself, and what the lines before it asked for is done. */
static enum deliver_result run_lines(struct job *j, const struct strlist *lines, size_t *end) {
  const char *what;
  int r = DELIVER_OK;

  for (size_t i = 0; i < *end && r == DELIVER_OK; ++i) {
    const enum line kind = line_kind(j, &lines->item[i], &what);

    if (kind == LINE_PROGRAM) r = run_program(j, what);
    else if (kind == LINE_FORWARD && !was_done(j, NOTE_FORWARD, what) && !strlist_add(&j->forward, what, strlen(what))) r = no_memory(j);
    j->others |= kind == LINE_MAILDIR || kind == LINE_OWN;
    if (r == VDELIVER_STOP) *end = i;
  }
  return r == VDELIVER_STOP ? DELIVER_OK : (enum deliver_result)r;
}

/* r, and what there was before: a refusal is kept while the others get their mail. */
struct verdict {
  enum deliver_result r;
  struct strerr e;
};

static void add_verdict(struct job *j, struct verdict *v, enum deliver_result r) {
  if (r == DELIVER_OK || (r == DELIVER_PERM && v->r != DELIVER_OK)) return;
  v->r = r;
  v->e = *j->e;
}

/* A Maildir (null: his own), unless it has the message. */
static enum deliver_result deliver_noted(struct job *j, const char *path) {
  const char mark = path ? NOTE_MAILDIR : NOTE_OWN;
  const char *what = path ? path : j->full.s;
  enum deliver_result r;

  if (was_done(j, mark, what)) return DELIVER_OK;
  r = path ? deliver_path(j, path) : deliver_mailbox(j);
  if (r == DELIVER_OK) note_done(j, mark, what);
  return r;
}

/* Programs, the forwards as one message, then Maildirs, which fail the least: where it cannot be noted what was
 * done, what fails for now and is tried again repeats it. */
static enum deliver_result follow(struct job *j, const struct strlist *lines) {
  struct verdict v = {.r = DELIVER_OK};
  size_t end = lines->len;
  const char *path;
  int own = 0; /* once, however often it is named */

  v.r = run_lines(j, lines, &end);
  if (v.r != DELIVER_OK) return v.r;
  if (j->forward.len) add_verdict(j, &v, forward(j));
  for (size_t i = 0; i < end && (v.r != DELIVER_TEMP || delivery_note_works(&j->note)); ++i) {
    const enum line kind = line_kind(j, &lines->item[i], &path);

    if (kind == LINE_MAILDIR) add_verdict(j, &v, deliver_noted(j, path));
    else if (kind == LINE_OWN && !own++) add_verdict(j, &v, deliver_noted(j, 0));
  }
  if (v.r != DELIVER_OK) *j->e = v.e;
  return v.r;
}

/* All of them, each once even when the message is tried again. */
static enum deliver_result deliver_lines(struct job *j, const struct strlist *lines) {
  enum deliver_result r;
  struct strerr ignored; /* then it may be done again */

  if (lines->len > 1) delivery_note_open(&j->note, mailbox_variable(j->v->env, "HOME"), j->v->msgfd, j->full.s);
  r = follow(j, lines);
  (void)!delivery_note_finish(&j->note, r == DELIVER_TEMP, &ignored);
  delivery_note_free(&j->note);
  return r;
}

/* Adds the lines of HOME/.qmail.  1 there is one, 0 not, -1. */
static int read_qmail(struct job *j, struct strlist *lines) {
  stralloc path = STRALLOC_INIT, text = STRALLOC_INIT;
  int r = stralloc_catm(&path, j->account.home.s, "/.qmail", (char *)0) ? file_read(path.s, &text, QMAIL_MAX) : -1;

  if (r == -1) strerr_sys(j->e, "unable to read ", stralloc_cstr(&path), (char *)0);
  for (size_t i = 0; r == 1 && i < text.len;) {
    size_t n = bytes_chr(text.s + i, text.len - i, '\n');
    const char *s = text.s + i;
    size_t len = n;

    while (len && memchr(" \t\r", s[len - 1], 3)) --len;
    if (len && !strlist_add(lines, s, len)) r = -1;
    i += n + 1;
  }
  stralloc_free(&path);
  stralloc_free(&text);
  return r;
}

/* --- whom it is for */

void vdeliver_settings(struct vdeliver *v, const struct conf *conf) {
  const char *once = mailbox_variable(v->env, "ELIMINATE_DUPS");

  v->seconds = (int64_t)conf_number(conf, SET_timeoutread);
  v->rules = maildirsize_rules(conf);
  v->spam_folder = conf_line(conf, SET_spamfolder);
  v->dups = *once && strcmp(once, "0") != 0 ? (int64_t)conf_number(conf, SET_eliminate_dups_int) : 0;
}

int vdeliver_action_ok(const char *a) {
  const char *colon = strchr(a, ':');

  if (!*a || *a == '-' ||
      a[strspn(a, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")])
    return 0;
  if (!strcmp(a, "delete") || !strcmp(a, "bounce-no-mailbox") || *a == '/' || strchr(a, '@')) return 1;
  return colon && strchr(colon + 1, ':') && !strchr(strchr(colon + 1, ':') + 1, ':');
}

static enum deliver_result default_action(struct job *j, const char *why) {
  const char *action = j->v->action;
  const char *colon = strchr(action, ':');

  if (!strcmp(action, "delete")) return DELIVER_OK;
  if (!strcmp(action, "bounce-no-mailbox")) return refuse(j, j->full.s, why);
  if (*action == '/') return deliver_path(j, action);
  if (colon && !strchr(action, '@')) {
    ++j->done.programs; /* qmail-remote */
    return vdeliver_route(j->v, colon + 1, j->full.s, j->e);
  }
  if (!strlist_add(&j->forward, action + (*action == '&'), strlen(action) - (*action == '&'))) return no_memory(j);
  return forward(j);
}

static enum deliver_result deliver_user(struct job *j, const struct strlist *aliases) {
  struct strlist lines = {0};
  int has;
  enum deliver_result r;

  if (aliases->len) return deliver_lines(j, aliases);
  has = read_qmail(j, &lines);
  if (has == -1) r = temporary(j);
  else if (has == 1) r = deliver_lines(j, &lines);
  else if (stralloc_starts(&j->account.gecos, GROUP)) r = DELIVER_OK; /* a group without members */
  else r = deliver_mailbox(j);
  strlist_free(&lines);
  return r;
}

static enum deliver_result find_and_deliver(struct job *j) {
  const struct answer *a = &j->answer;

  if (ask(j, &j->account, &j->answer) == -1) return temporary(j);
  if (a->account == LOOKUP_FOUND && j->account.inactive && !j->v->allow_inactive) return default_action(j, ": the account is inactive (#5.2.1)");
  if (a->account == LOOKUP_FOUND) return deliver_user(j, &a->lines);
  if (a->alias == LOOKUP_FOUND) return deliver_lines(j, &a->lines);
  return default_action(j, ": there is no mailbox of that name here (#5.1.1)");
}

enum deliver_result vdeliver(const struct vdeliver *v, struct strerr *e) {
  struct job j = {.v = v, .e = e};
  struct stat st;
  enum deliver_result r;
  int parsed;

  e->permanent = e->sys = 0;
  if (fstat(v->msgfd, &st) == -1) {
    strerr_sys(e, "unable to read message", (char *)0);
    return DELIVER_TEMP;
  }
  if (!st.st_size) return DELIVER_OK;
  j.size = (uint64_t)st.st_size;
  if (!stralloc_catm(&j.full, *v->user ? v->user : "postmaster", "@", v->domain, (char *)0)) {
    r = no_memory(&j);
  } else {
    parsed = address_parse(&j.address, j.full.s, j.full.len);
    if (parsed == 0) r = refuse(&j, j.full.s, ": there is no mailbox of that name here (#5.1.1)");
    else if (parsed == -1 || !stralloc_copy(&j.full, &j.address.user) ||
             !stralloc_catm(&j.full, "@", j.address.domain.s, (char *)0))
      r = no_memory(&j);
    else r = find_and_deliver(&j);
  }
  if (v->done) *v->done = j.done;
  address_free(&j.address);
  stralloc_free(&j.full);
  lookup_account_free(&j.account);
  strlist_free(&j.answer.lines);
  strlist_free(&j.forward);
  return r;
}
