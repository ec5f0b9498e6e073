/* vfilter: delivers to a virtual user by rules.  Stands in a domain's .qmail-default where vdelivermail
 * would, with the same arguments; or, with an address, says what it would do. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/scan.h"
#include "base/program.h"
#include "base/strerr.h"
#include "base/substdio.h"
#include "base/words.h"
#include "conf/conf.h"
#include "mail/attachment.h"
#include "mail/filter.h"
#include "mail/header.h"
#include "user/delivery_note.h"
#include "user/vdeliver.h"
#include "user/vdeliver_run.h"

#define FATAL "vfilter: "
#define USAGE "vfilter '' delete|bounce-no-mailbox|address|/path|domain:host:port | vfilter user@domain"
#define FIELD_MAX 1048576
#define PARTS_MAX 1048576 /* bytes of fields of parts */
#define LINE_MAX_BYTES 4096 /* of a longer line the beginning */
#define PARTS 6
#define MDA_WORDS 32

static char outbuf[1024];
static substdio out;

/* A rule as inlookup tells it. */
struct rule {
  const char *group; /* whose: prefilt, user, postfilt */
  struct filter_rule match;
  const char *folder, *action;
};

static void temporary(const struct strerr *e) {
  strerr_die(111, FATAL, e);
}

/* All of it; of a field that is too long its beginning. */
static void read_header(int fd, struct filter_message *m) {
  struct header_reader h = {.cuts = 1};
  stralloc field = STRALLOC_INIT;
  char buf[4096];
  substdio in;
  enum header_line line;

  if (lseek(fd, 0, SEEK_SET) == -1 && errno != ESPIPE) strerr_diem_sys(111, FATAL, "unable to rewind the message", (char *)0);
  substdio_initfd_read(&in, fd, buf, sizeof buf);
  while ((line = header_next(&h, &in, &field, FIELD_MAX)) == HEADER_FIELD)
    if (!filter_field(m, field.s, field.len)) strerr_die_nomem(FATAL);
  if (line == HEADER_NOMEM) strerr_die_nomem(FATAL);
  if (line == HEADER_ERROR) strerr_diem_sys(111, FATAL, "unable to read the message", (char *)0);
  header_reader_free(&h);
  stralloc_free(&field);
}

/* What says what a part is: a name it has otherwise, such as Subject in a message inside, is not the message's. */
static int take_part_field(void *ctx, const char *s, size_t n) {
  struct filter_message *m = ctx;

  return !bytes_casestarts(s, n, "content-") || m->text.len > FIELD_MAX + PARTS_MAX || filter_field(m, s, n);
}

static void no_name(void *ctx, const char *name, size_t n) {
}

/* The fields of the parts of a message in MIME. */
static void read_parts(int fd, struct filter_message *m) {
  struct attachment_scan a = {.field_fn = take_part_field, .field_ctx = m};
  stralloc line = STRALLOC_INIT;
  char buf[8192];
  ssize_t n;
  int whole = 1, ok = 1;

  if (lseek(fd, 0, SEEK_SET) == -1) strerr_diem_sys(111, FATAL, "unable to rewind the message", (char *)0);
  while (ok && (n = read(fd, buf, sizeof buf)) > 0)
    for (ssize_t i = 0; ok && i < n; ++i) {
      if (buf[i] != '\n') {
        if (line.len < LINE_MAX_BYTES) ok = stralloc_append(&line, buf[i]);
        else whole = 0;
        continue;
      }
      if (line.len && line.s[line.len - 1] == '\r') stralloc_cut(&line, line.len - 1);
      ok = attachment_line(&a, stralloc_cstr(&line), line.len, whole, no_name, 0);
      stralloc_cut(&line, 0);
      whole = 1;
    }
  if (!ok || !attachment_line(&a, stralloc_cstr(&line), line.len, whole, no_name, 0) || !attachment_line(&a, "", 0, 1, no_name, 0)) strerr_die_nomem(FATAL);
  if (n == -1) strerr_diem_sys(111, FATAL, "unable to read the message", (char *)0);
  attachment_free(&a);
  stralloc_free(&line);
}

/* The text's lines, in place: 1, or 0 when it is no rule. */
static int parse(stralloc *text, struct rule *r) {
  const char *part[PARTS];
  char *s = text->s, *end;
  uint32_t how;

  for (int i = 0; i < PARTS; ++i, s = end + 1) {
    end = memchr(s, '\n', (size_t)(text->s + text->len - s));
    if (!end) return 0;
    *end = 0;
    part[i] = s;
  }
  if (!scan_u32(part[2], strlen(part[2]), &how) || how >= FILTER_COMPARISONS) return 0;
  *r = (struct rule){part[0], {(enum filter_comparison)how, part[1], part[3]}, part[4], part[5]};
  return 1;
}

/* Has the mailbox the file that switches these rules off?  For those of the user there is none. */
static int switched_off(const stralloc *home, const char *group) {
  stralloc path = STRALLOC_INIT;
  int off;

  if (!home->len || !strcmp(group, "user")) return 0;
  if (!stralloc_catm(&path, home->s, "/Maildir/no", group, (char *)0)) strerr_die_nomem(FATAL);
  off = access(path.s, F_OK) == 0;
  stralloc_free(&path);
  return off;
}

/* The first rule that matches: 1 with r filled, which borrows from rules; 0. */
static int find(const struct vdeliver *v, const char *recipient, struct strlist *rules, struct rule *r) {
  struct filter_message m = {.recipient = recipient};
  stralloc home = STRALLOC_INIT;
  struct strerr e;
  enum lookup_verdict found = lookup_filters(v->lookup, recipient, deadline_in(v->seconds), &home, rules, &e);
  int match = 0, parts = 0;

  if (found == LOOKUP_TEMPFAIL) temporary(&e);
  if (found == LOOKUP_FOUND) read_header(v->msgfd, &m);
  for (size_t i = 0; !match && i < rules->len; ++i) {
    if (!parse(&rules->item[i], r) || switched_off(&home, r->group)) continue;
    if (!parts && bytes_casestarts(r->match.header, strlen(r->match.header), "content-")) {
      read_parts(v->msgfd, &m);
      parts = 1;
    }
    match = filter_matches(&m, &r->match);
  }
  filter_message_free(&m);
  stralloc_free(&home);
  return match;
}

static void say(const struct rule *r) {
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  if (!r ? substdio_puts(&out, "no rule matches\n") == -1
         : substdio_puts(&out, "folder ") == -1 || substdio_puts(&out, r->folder) == -1 || substdio_puts(&out, ", action ") == -1 ||
               substdio_puts(&out, r->action) == -1 || substdio_puts(&out, "\n") == -1)
    strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

/* "&address", "address" or "|command". */
static enum deliver_result pass_on(const struct vdeliver *v, const char *where, struct strerr *e) {
  struct strlist to = {0};
  enum deliver_result r;
  int code;

  if (*where == '|') {
    code = vdeliver_program(v, where + 1, e);
    return code == VDELIVER_STOP ? DELIVER_OK : (enum deliver_result)code;
  }
  if (*where == '&') ++where;
  if (!strlist_add(&to, where, strlen(where))) strerr_die_nomem(FATAL);
  r = vdeliver_forward(v, &to, 0, e);
  strlist_free(&to);
  return r;
}

/* Unless it went there when the mailbox could not take it. */
static enum deliver_result pass_on_once(const struct vdeliver *v, const char *where, struct delivery_note *note, struct strerr *e) {
  stralloc name = STRALLOC_INIT;
  enum deliver_result r = DELIVER_OK;

  if (!stralloc_catm(&name, "vfilter ", v->user, "@", v->domain, (char *)0)) strerr_die_nomem(FATAL);
  delivery_note_open(note, env_get("HOME"), v->msgfd, name.s);
  if (!delivery_note_take(note, '&', where)) {
    r = pass_on(v, where, e);
    if (r == DELIVER_OK) (void)!delivery_note_add(note, '&', where);
  }
  stralloc_free(&name);
  return r;
}

/* By $MDA, with our arguments behind its own. */
static enum deliver_result run_mda(const struct vdeliver *v, char *command, struct strerr *e) {
  char *argv[MDA_WORDS + 3];
  struct env env = {.inherit = 0};
  struct spawn s = {.argv = argv};
  size_t n = words_split(command, argv, MDA_WORDS);
  int code;

  if (!n) strerr_diem(100, FATAL, "MDA is no command", (char *)0);
  argv[n] = (char *)"";
  argv[n + 1] = (char *)(uintptr_t)v->action;
  argv[n + 2] = 0;
  s.path = argv[0];
  if (!env_import(&env) || (v->folder && !env_set(&env, "MAILDIRFOLDER", v->folder)) || (v->by_rule && !env_set(&env, "SPAMFOLDER", "")) || !(s.envp = env_vector(&env))) strerr_die_nomem(FATAL);
  if (lseek(v->msgfd, 0, SEEK_SET) == -1) strerr_diem_sys(111, FATAL, "unable to rewind the message", (char *)0);
  spawn_move(&s, v->msgfd, 0);
  code = program_run(&s, 0, 0, DEADLINE_NEVER, e);
  env_free(&env);
  if (code == -1) return DELIVER_TEMP;
  return code == 0 || code == VDELIVER_STOP ? DELIVER_OK : vdeliver_failed(argv[0], code, e);
}

static enum deliver_result hand_over(const struct vdeliver *v, struct strerr *e) {
  const char *mda = env_get("MDA");
  stralloc command = STRALLOC_INIT;
  enum deliver_result r;

  if (!mda || !*mda) return vdeliver(v, e);
  if (!stralloc_copys(&command, mda)) strerr_die_nomem(FATAL);
  r = run_mda(v, command.s, e);
  stralloc_free(&command);
  return r;
}

/* Into the folder (null: not at all). */
static enum deliver_result keep(struct vdeliver *v, const char *folder, struct strerr *e) {
  if (!folder) return DELIVER_OK;
  v->folder = strcmp(folder, "Inbox") != 0 ? folder : 0;
  v->by_rule = 1;
  return hand_over(v, e);
}

/* On to somebody else, into the folder, back to the sender, as the rule says.  The mailbox is last: when the way
 * on fails for now, nothing is there twice after the next try, nor goes on twice when the mailbox must wait; when it
 * is refused, the mailbox has the message. */
static int carry_out(struct vdeliver *v, const struct rule *r) {
  const char kind = *r->action;
  const int wanted = kind != '1' && kind != '3';
  struct delivery_note note = {.was = 0};
  struct strerr e, later, ignored;
  enum deliver_result passed = DELIVER_OK, kept;

  if ((kind == '2' || kind == '3') && r->action[1]) passed = pass_on_once(v, r->action + 1, &note, &e);
  if (passed == DELIVER_TEMP) return vdeliver_exit(passed, &e);
  kept = keep(v, wanted && strcmp(r->folder, "/NoDeliver") != 0 ? r->folder : 0, &later);
  (void)!delivery_note_finish(&note, kept == DELIVER_TEMP, &ignored); /* else it may go on again */
  delivery_note_free(&note);
  if (kept != DELIVER_OK) return vdeliver_exit(kept, &later);
  if (passed != DELIVER_OK) return vdeliver_exit(passed, &e);
  if (wanted) return 0;
  strerr_set(&e, "the recipient does not want this message (#5.7.1)", (char *)0);
  return vdeliver_exit(DELIVER_PERM, &e);
}

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 1, 2);
  int asking = argc - i == 1;
  char *at = strrchr(argv[i], '@');
  struct lookup lookup = LOOKUP_INIT;
  stralloc head = STRALLOC_INIT, recipient = STRALLOC_INIT;
  struct strlist rules = {0};
  struct vdeliver v = {.lookup = &lookup};
  struct rule r;
  struct conf conf;
  struct strerr e;

  if (asking && (!at || at == argv[i] || !at[1])) strerr_die_usage(USAGE);
  if (!asking && (*argv[i] || !vdeliver_action_ok(argv[i + 1]))) strerr_die_usage(USAGE);
  if (asking) {
    *at = 0;
    v.user = argv[i];
    v.domain = at + 1;
    v.msgfd = fd_seekable(0);
    if (v.msgfd == -1) strerr_diem_sys(111, FATAL, "unable to keep the message in /tmp", (char *)0);
  } else {
    v.action = argv[i + 1];
    if (vdeliver_environment(&v, &head, &e) == -1) strerr_die(e.permanent ? 100 : 111, FATAL, &e);
  }
  if (conf_load(&conf, CONF_LOCAL, &e) == -1) temporary(&e);
  vdeliver_settings(&v, &conf);
  if (!stralloc_catm(&recipient, *v.user ? v.user : "postmaster", "@", v.domain, (char *)0)) strerr_die_nomem(FATAL);
  if (!find(&v, recipient.s, &rules, &r)) {
    if (!asking) return vdeliver_exit(hand_over(&v, &e), &e);
    say(0);
    return 0;
  }
  if (!asking) return carry_out(&v, &r);
  say(&r);
  return 0;
}
