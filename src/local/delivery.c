/* delivery: see delivery.h. */
#include "local/delivery.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/now.h"
#include "base/program.h"
#include "base/substdio.h"
#include "local/builtin.h"
#include "local/dotqmail.h"
#include "local/instruction.h"
#include "local/recipient_env.h"
#include "mail/dsn.h"
#include "queue/qqclient.h"
#include "queue/spawn_proto.h"
#include "user/maildir.h"
#include "user/mbox.h"

#define MBOX_LOCK_SECONDS 30
#define HEADER_LINE_MAX 65536

struct run {
  const struct delivery_job *job;
  const struct conf *conf;
  struct recipient_env env;
  struct strlist forwards;
  stralloc head; /* lines before a stored message */
  unsigned files, programs;
  unsigned forwarded; /* by a program of ours in this process */
  int alone;          /* there is one instruction */
  int forward_only, stop;
  int passed_on; /* who has the forwarded mail knows what the sender asked */
  struct strerr *e;
};

static int fail(struct run *r, int code, const char *text, const char *more) {
  strerr_set(r->e, text, more, (char *)0);
  return code;
}

static int no_memory(struct run *r) {
  return fail(r, 111, "Out of memory. (#4.3.0)", "");
}

/* --- before anything is delivered --- */

static int check_home(struct run *r) {
  struct stat st;

  if (chdir(r->job->home) == -1 || stat(".", &st) == -1) {
    strerr_sys(r->e, "Unable to enter home directory ", r->job->home, (char *)0);
    return 111;
  }
  if (st.st_mode & 002) return fail(r, 111, "Home directory is writable by everybody. (#4.7.0)", "");
  if (st.st_mode & 01000) return fail(r, 111, "Home directory is sticky: its owner is editing .qmail. (#4.2.1)", "");
  return 0;
}

/* Reads on from *pos, and leaves the descriptor's own place alone. */
struct reader {
  int fd;
  off_t pos;
};

static ssize_t read_on(void *ctx, char *buf, size_t len) {
  struct reader *in = ctx;
  ssize_t n;

  do n = pread(in->fd, buf, len, in->pos);
  while (n == -1 && errno == EINTR);
  if (n > 0) in->pos += n;
  return n;
}

/* The message must not have been here before. */
static int check_loop(struct run *r) {
  struct reader from = {r->job->message, 0};
  char buf[4096];
  stralloc line = STRALLOC_INIT;
  uint64_t seen = 0;
  substdio in;
  int match = 1;
  int code = 0;

  substdio_init(&in, read_on, &from, buf, sizeof buf);
  while (match) {
    stralloc_cut(&line, 0);
    if (getln(&in, &line, &match, '\n', HEADER_LINE_MAX) == -1) break; /* too long for a Delivered-To of ours */
    if (line.len <= 1) break;
    if (line.len == r->env.dtline.len && bytes_caseequal(line.s, r->env.dtline.s, line.len)) ++seen;
  }
  if (seen > conf_number(r->conf, SET_maxdeliveredto))
    code = fail(r, 100, "This message is looping: it already has my Delivered-To line. (#5.4.6)", "");
  stralloc_free(&line);
  return code;
}

/* --- kinds of instructions --- */

static int say(struct run *r, const char *what, const char *arg, size_t n) {
  stralloc line = STRALLOC_INIT;

  if (stralloc_catm(&line, what, " ", (char *)0) && stralloc_catb(&line, arg, n) && stralloc_append(&line, '\n'))
    (void)!fd_write_all(1, line.s, line.len);
  stralloc_free(&line);
  (void)r;
  return 0;
}

static int judge_store(struct run *r, enum deliver_result result) {
  switch (result) {
    case DELIVER_OK: r->files++; return 0;
    case DELIVER_TEMP: return 111;
    case DELIVER_PERM: return 100;
  }
  return 111;
}

static int store_maildir(struct run *r, const char *path) {
  return judge_store(r, maildir_deliver(path, r->job->message, r->head.s, r->head.len, r->job->messid, r->e));
}

static int store_mbox(struct run *r, const char *path) {
  return judge_store(r, mbox_deliver(path, r->job->message, r->env.ufline.s, r->head.s, r->head.len,
                                     deadline_in(MBOX_LOCK_SECONDS), r->e));
}

/* Exit codes that mean there is no point in trying again. */
static int is_permanent(int code) {
  static const int codes[] = {100, 64, 65, 70, 76, 77, 78, 112};

  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; ++i)
    if (code == codes[i]) return 1;
  return 0;
}

static int judge_program(struct run *r, int code) {
  r->programs++;
  if (code == 99) r->stop = 1;
  if (code == 0 || code == 99) return 0;
  return fail(r, is_permanent(code) ? 100 : 111, "", ""); /* it has said why itself */
}

/* What it did counts as if instructions here had said it. */
static int judge_builtin(struct run *r, const struct vdeliver_done *done, int code) {
  code = judge_program(r, code);
  if (code || !(done->files || done->forwards || done->programs)) return code;
  r->programs += done->programs - 1;
  r->files += done->files;
  r->forwarded += done->forwards;
  r->passed_on = done->passed_on;
  return code;
}

#define ARGS 64
static int start_program(struct run *r, const char *command, const struct strlist *words) {
  char *argv[ARGS + 1] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)command, 0};
  struct spawn s = {.path = "/bin/sh", .argv = argv, .envp = env_vector(&r->env.env)};
  int code;

  if (words->len && words->len <= ARGS) {
    for (size_t i = 0; i < words->len; ++i) argv[i] = words->item[i].s;
    argv[words->len] = 0;
    s.path = argv[0];
  }
  if (!s.envp) return no_memory(r);
  if (lseek(r->job->message, 0, SEEK_SET) == -1) return fail(r, 111, "Unable to rewind message. (#4.3.0)", "");
  spawn_move(&s, r->job->message, 0);
  code = program_run(&s, 0, 0, DEADLINE_NEVER, r->e);
  return code == -1 ? 111 : judge_program(r, code);
}

static int run_program(struct run *r, const char *command) {
  struct strlist words = {0};
  struct vdeliver_done done = {0};
  struct builtin_call call = {&words, &r->env.env, r->job->message, r->conf, r->job->lookup, r->alone, &done};
  int plain = instruction_words(command, &words);
  int code;

  if (plain == -1) return no_memory(r);
  if (plain && builtin_run(&call, &code)) code = judge_builtin(r, &done, code);
  else code = start_program(r, command, &words);
  strlist_free(&words);
  return code;
}

static int add_forward(struct run *r, const char *address, size_t n) {
  return strlist_add(&r->forwards, address, n) ? 0 : no_memory(r);
}

/* The copies go out under the sender's name: what it asked goes with them (RFC 3461 section
 * 5.2.7).  From an owner's address they are new mail. */
static void put_recipients(struct run *r, struct qqclient *q) {
  const struct delivery_job *job = r->job;
  int same = !strcmp(stralloc_cstr(&r->env.newsender), job->sender);
  int several = r->forwards.len > 1 || r->files || r->programs || r->forwarded;
  stralloc asked = STRALLOC_INIT;

  qqclient_from(q, r->env.newsender.s, r->env.newsender.len);
  if (same && !dsn_mail_forward(&asked, job->dsn, strlen(job->dsn))) qqclient_fail(q);
  qqclient_from_dsn(q, asked.s, asked.len);
  stralloc_cut(&asked, 0);
  if (same && !dsn_rcpt_forward(&asked, job->notify, strlen(job->notify), several)) qqclient_fail(q);
  for (size_t i = 0; i < r->forwards.len; ++i) {
    qqclient_to(q, r->forwards.item[i].s, r->forwards.item[i].len);
    qqclient_to_dsn(q, asked.s, asked.len);
  }
  r->passed_on = asked.len && !several && q->takes_dsn;
  stralloc_free(&asked);
}

/* All forwards go in one message, after everything else went well. */
static int send_forwards(struct run *r, stralloc *qp) {
  struct qqclient q;
  struct qqresult result;
  struct reader from = {r->job->message, 0};
  char buf[8192];
  substdio in;
  ssize_t n;
  int sent;
  int code = 0;

  if (qqclient_open(&q, &r->env.env, 0, r->e) == -1) return 111;
  qqclient_put(&q, r->env.dtline.s, r->env.dtline.len);
  qqclient_puts(&q, r->job->extra);
  substdio_init(&in, read_on, &from, buf, sizeof buf);
  while ((n = substdio_feed(&in)) > 0) {
    qqclient_put(&q, substdio_peek(&in), (size_t)n);
    substdio_take(&in, (size_t)n);
  }
  if (n < 0) qqclient_fail(&q);
  put_recipients(r, &q);
  sent = qqclient_close(&q, &result);
  if (sent == -1) {
    strerr_set(r->e, "Unable to forward message: ", stralloc_cstr(&result.text), (char *)0);
    code = result.verdict == 'D' ? 100 : 111;
  } else if (!stralloc_catlit(qp, "qp ") || !stralloc_catu64(qp, q.qp) || !stralloc_cats(qp, r->passed_on ? SPAWN_DSN_FORWARDED : "\n")) {
    stralloc_cut(qp, 0);
  }
  qqresult_free(&result);
  return code;
}

/* --- the file as a whole --- */

static const char *const dry_word[] = {
    [INSTRUCTION_PROGRAM] = "program", [INSTRUCTION_MAILDIR] = "maildir",
    [INSTRUCTION_MBOX] = "mbox",       [INSTRUCTION_FORWARD] = "forward",
};

static int carry_out(struct run *r, enum instruction kind, const char *arg, size_t n) {
  stralloc text = STRALLOC_INIT;
  int code;

  if (r->forward_only && kind != INSTRUCTION_FORWARD)
    return fail(r, 111, "A .qmail file for forwarding only has a file or program line. (#4.7.0)", "");
  if (r->job->dry) return say(r, dry_word[kind], arg, n);
  if (!stralloc_copyb(&text, arg, n)) return no_memory(r);
  switch (kind) {
    case INSTRUCTION_PROGRAM: code = run_program(r, text.s); break;
    case INSTRUCTION_MAILDIR: code = store_maildir(r, text.s); break;
    case INSTRUCTION_MBOX: code = store_mbox(r, text.s); break;
    case INSTRUCTION_FORWARD: code = add_forward(r, text.s, text.len); break;
    case INSTRUCTION_NOTHING:
    case INSTRUCTION_LIST:
    case INSTRUCTION_BAD_FIRST: code = 0; break;
  }
  stralloc_free(&text);
  return code;
}

static int is_alone(const char *s, size_t n) {
  unsigned count = 0;
  const char *arg;
  size_t argn, len;

  for (; n; s += len, n -= len) {
    size_t end = bytes_chr(s, n, '\n');

    len = end < n ? end + 1 : end;
    while (end && (s[end - 1] == ' ' || s[end - 1] == '\t')) --end;
    if (instruction_classify(s, end, 0, &arg, &argn) != INSTRUCTION_NOTHING) ++count;
  }
  return count == 1;
}

static int carry_out_all(struct run *r, const char *s, size_t n) {
  int first = 1;
  int code = 0;

  while (n && code == 0 && !r->stop) {
    size_t len = bytes_chr(s, n, '\n');
    size_t next = len < n ? len + 1 : len;
    const char *arg;
    size_t argn;

    while (len && (s[len - 1] == ' ' || s[len - 1] == '\t')) --len;
    switch (instruction_classify(s, len, first, &arg, &argn)) {
      case INSTRUCTION_NOTHING: break;
      case INSTRUCTION_LIST: r->forward_only = 1; break;
      case INSTRUCTION_BAD_FIRST:
        code = fail(r, 111, "The first line of the .qmail file is blank: it is being edited. (#4.2.1)", "");
        break;
      case INSTRUCTION_PROGRAM: code = carry_out(r, INSTRUCTION_PROGRAM, arg, argn); break;
      case INSTRUCTION_MAILDIR: code = carry_out(r, INSTRUCTION_MAILDIR, arg, argn); break;
      case INSTRUCTION_MBOX: code = carry_out(r, INSTRUCTION_MBOX, arg, argn); break;
      case INSTRUCTION_FORWARD: code = carry_out(r, INSTRUCTION_FORWARD, arg, argn); break;
    }
    first = 0;
    s += next;
    n -= next;
  }
  return code;
}

static int finish(struct run *r) {
  stralloc text = STRALLOC_INIT;
  stralloc qp = STRALLOC_INIT;
  int code = 0;

  if (r->forwards.len && !r->job->dry) code = send_forwards(r, &qp);
  if (code == 0 && !r->job->dry && stralloc_copylit(&text, "did ") && stralloc_catu64(&text, r->files) &&
      stralloc_append(&text, '+') && stralloc_catu64(&text, r->forwards.len + r->forwarded) && stralloc_append(&text, '+') &&
      stralloc_catu64(&text, r->programs) && stralloc_append(&text, '\n') &&
      (!r->forwarded || !r->passed_on || stralloc_cats(&text, SPAWN_DSN_FORWARDED + 1)) && stralloc_cat(&text, &qp))
    (void)!fd_write_all(1, text.s, text.len);
  stralloc_free(&text);
  stralloc_free(&qp);
  return code;
}

/* Whose instructions, and then carry them out. */
static int follow(struct run *r, struct dotqmail_file *f) {
  const struct delivery_job *job = r->job;
  enum dotqmail found = dotqmail_find(job->dash, job->ext, f, r->e);
  const char *text = job->defaultdelivery;
  size_t n = strlen(text);
  int owner, owner_default;
  int code;

  if (found == DOTQMAIL_TEMP) return 111;
  if (found == DOTQMAIL_NONE && *job->dash) return fail(r, 100, "Sorry, no mailbox here by that name. (#5.1.1)", "");
  owner = *job->dash ? dotqmail_exists(job->dash, job->ext, "-owner", r->e) : 0;
  owner_default = owner == 1 ? dotqmail_exists(job->dash, job->ext, "-owner-default", r->e) : 0;
  if (owner == -1 || owner_default == -1) return 111;
  if (!recipient_env_init(&r->env, job, owner, owner_default)) return no_memory(r);
  if (f->is_default && !env_set(&r->env.env, "DEFAULT", stralloc_cstr(&f->matched))) return no_memory(r);
  if (!stralloc_cat(&r->head, &r->env.rpline) || !stralloc_cat(&r->head, &r->env.dtline) ||
      !stralloc_cats(&r->head, job->extra))
    return no_memory(r);
  code = check_loop(r);
  if (code) return code;
  if (found == DOTQMAIL_FOUND && f->text.len) {
    r->forward_only = f->forward_only;
    text = f->text.s;
    n = f->text.len;
  }
  r->alone = is_alone(text, n);
  return carry_out_all(r, text, n);
}

int delivery_run(const struct delivery_job *job, const struct conf *conf, struct strerr *e) {
  struct run r = {.job = job, .conf = conf, .e = e};
  struct dotqmail_file f = {0};
  int code;

  e->text[0] = 0;
  code = check_home(&r);
  if (code == 0) code = follow(&r, &f);
  if (code == 0) code = finish(&r);
  dotqmail_free(&f);
  recipient_env_free(&r.env);
  strlist_free(&r.forwards);
  stralloc_free(&r.head);
  return code;
}
