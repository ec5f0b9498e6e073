/* bounce: see bounce.h. */
#include "send/bounce.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/now.h"
#include "mail/address.h"
#include "mail/date.h"
#include "queue/qqclient.h"
#include "queue/queuepath.h"
#include "queue/transition.h"

int bounce_paragraph(stralloc *out, const char *recipient, const char *report) {
  size_t start;

  if (!stralloc_append(out, '<')) return 0;
  start = out->len;
  if (!stralloc_catm(out, recipient, ">:\n", (char *)0)) return 0;
  for (size_t i = start; i + 1 < out->len; ++i)
    if (out->s[i] == '\n') out->s[i] = '_';
  for (const char *s = report; *s; ++s) {
    /* A blank line would end the paragraph. */
    if (s[0] == '\n' && s[1] == '\n' && !stralloc_catlit(out, "\n/")) return 0;
    else if (!(s[0] == '\n' && s[1] == '\n') && !stralloc_append(out, *s)) return 0;
  }
  if (out->s[out->len - 1] != '\n' && !stralloc_append(out, '\n')) return 0;
  return stralloc_append(out, '\n');
}

/* Who gets it, and in whose name. */
struct parties {
  const char *from; /* envelope sender of the bounce */
  stralloc to;
  int is_double;
};

/* 1 filled, 0 to be discarded, -1 no memory. */
static int choose_parties(const struct conf *conf, const struct message *m, struct parties *p) {
  const char *to = conf_line(conf, SET_doublebounceto);
  const char *sender = message_sender(m);

  if (!strcmp(sender, "#@[]")) return 0;
  if (*sender) {
    size_t n = strlen(sender);

    p->from = "";
    /* VERP: owner-@host-@[] stands for owner-@host. */
    if (n > 4 && !memcmp(sender + n - 4, "-@[]", 4)) n -= 4;
    return stralloc_copyb(&p->to, sender, n) ? 1 : -1;
  }
  if (!*to || *to == '@') return 0;
  p->is_double = 1;
  p->from = "#@[]";
  return stralloc_copys(&p->to, to) && stralloc_catm(&p->to, "@", conf_line(conf, SET_doublebouncehost), (char *)0)
             ? 1
             : -1;
}

/* An address as a header has it; without memory no bounce goes out now. */
static void put_address(struct qqclient *q, const char *address) {
  stralloc quoted = STRALLOC_INIT;

  if (!address_quote(address, strlen(address), &quoted)) qqclient_fail(q);
  qqclient_put(q, stralloc_cstr(&quoted), quoted.len);
  stralloc_free(&quoted);
}

static void put_head(struct qqclient *q, const struct conf *conf, const struct parties *p) {
  char date[DATE_TEXT];

  date_fmt(date, wall_now(), "-0000");
  qqclient_puts(q, "Date: ");
  qqclient_puts(q, date);
  qqclient_puts(q, "\nFrom: ");
  qqclient_puts(q, conf_line(conf, SET_bouncefrom));
  qqclient_puts(q, "@");
  qqclient_puts(q, conf_line(conf, SET_bouncehost));
  qqclient_puts(q, "\nTo: ");
  put_address(q, stralloc_cstr(&p->to));
  qqclient_puts(q, "\nAuto-Submitted: auto-replied\nSubject: ");
  qqclient_puts(q, conf_line(conf, p->is_double ? SET_doublebouncesubject : SET_bouncesubject));
  qqclient_puts(q, "\n\nHi. This is the IndiMail delivery program at ");
  qqclient_puts(q, conf_line(conf, SET_bouncehost));
  qqclient_puts(q, p->is_double ? ".\nI could not tell the sender of a message what became of it:\n"
                                  "the notice itself came back.\n\n"
                                : ".\nYour message could not be delivered to the following addresses.\n"
                                  "I have given up; nothing more will be tried.\n\n");
}

/* The message, up to bouncemaxbytes. */
static int put_message(struct qqclient *q, const struct conf *conf, const struct message *m,
                       struct strerr *e) {
  uint64_t left = conf_number(conf, SET_bouncemaxbytes);
  char path[QUEUE_PATH];
  char buf[4096];
  substdio in;
  int cut = 0;
  ssize_t n;
  int fd;

  queuepath(path, QUEUE_mess, m->id);
  fd = fd_open_read(path);
  if (fd == -1) return strerr_sys(e, "unable to open ", path, (char *)0);
  if (!left) left = UINT64_MAX;
  qqclient_puts(q, *message_sender(m) ? "--- Below this line is the message.\n\nReturn-Path: <"
                                 : "--- Below this line is the notice that came back.\n\nReturn-Path: <");
  put_address(q, message_sender(m));
  qqclient_puts(q, ">\n");
  substdio_initfd_read(&in, fd, buf, sizeof buf);
  while (!cut && (n = substdio_feed(&in)) > 0) {
    if ((uint64_t)n > left) {
      cut = 1;
      n = (ssize_t)left;
    }
    qqclient_put(q, substdio_peek(&in), (size_t)n);
    substdio_take(&in, (size_t)n);
    left -= (uint64_t)n;
  }
  fd_close(fd);
  if (n < 0) return strerr_sys(e, "unable to read ", path, (char *)0);
  if (cut) qqclient_puts(q, "\n\n--- End of message cut here.\n");
  return 0;
}

static enum bounce_outcome inject(const struct conf *conf, const struct message *m,
                                  const struct parties *p, const stralloc *text, uint64_t *qp,
                                  struct strerr *e) {
  struct qqclient q;
  struct qqresult r;
  int sent;

  if (qqclient_open(&q, 0, e) == -1) return BOUNCE_LATER;
  put_head(&q, conf, p);
  qqclient_put(&q, text->s, text->len);
  if (put_message(&q, conf, m, e) == -1) qqclient_fail(&q);
  qqclient_from(&q, p->from, strlen(p->from));
  qqclient_to(&q, p->to.s, p->to.len);
  sent = qqclient_close(&q, &r);
  *qp = q.qp;
  if (sent == -1 && r.verdict != 'K') strerr_set(e, stralloc_cstr(&r.text), (char *)0);
  qqresult_free(&r);
  return sent == 0 ? BOUNCE_SENT : BOUNCE_LATER;
}

enum bounce_outcome bounce_send(const struct conf *conf, const struct message *m, uint64_t *qp,
                                struct strerr *e) {
  struct parties p = {0};
  stralloc text = STRALLOC_INIT;
  enum bounce_outcome outcome = BOUNCE_NOTHING;
  int got = queue_bounce_read(m->id, &text);
  int who;

  if (got == -1) {
    strerr_sys(e, "unable to read the bounce text", (char *)0);
    outcome = BOUNCE_LATER;
  } else if (got == 1) {
    who = choose_parties(conf, m, &p);
    if (who == -1) strerr_sys(e, "unable to build a bounce", (char *)0);
    outcome = who == -1 ? BOUNCE_LATER : who == 0 ? BOUNCE_DISCARDED : inject(conf, m, &p, &text, qp, e);
  }
  if ((outcome == BOUNCE_SENT || outcome == BOUNCE_DISCARDED) && queue_bounce_remove(m->id) == -1)
    outcome = BOUNCE_LATER;
  stralloc_free(&text);
  stralloc_free(&p.to);
  return outcome;
}
