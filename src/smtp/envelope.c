/* envelope: see envelope.h. */
#include "smtp/envelope.h"

#include "smtp/reply.h"

int envelope_path(struct session *s, const char *arg, size_t n, const char *keyword, struct smtp_path *p,
                  const char *syntax, const char **rest, size_t *rest_n) {
  switch (smtp_path_argument(arg, n, keyword, p, rest, rest_n)) {
    case SMTP_OK: break;
    case SMTP_SYNTAX: reply_refuse(s, 501, syntax, "syntax error in the address"); return 0;
    case SMTP_TOO_LONG: reply_refuse(s, 501, syntax, "address too long"); return 0;
    case SMTP_NO_MEMORY: reply_close(s, "4.3.0", "out of memory"); return 0;
  }
  if (!p->eight_bit) return 1;
  reply_refuse(s, 553, "5.6.7", "addresses beyond ASCII are not accepted");
  return 0;
}

int envelope_complete_sender(struct session *s) {
  struct smtp_path *p = &s->t.sender;

  if (!p->address.len || p->at < p->address.len) return 1;
  return stralloc_catm(&p->address, "@", conf_line(s->conf, SET_envnoathost), (char *)0);
}

/* The address as it goes into the queue. */
static int complete(struct session *s, struct smtp_path *p) {
  if (p->at == p->address.len &&
      !stralloc_catm(&p->address, "@", conf_line(s->conf, SET_envnoathost), (char *)0))
    return 0;
  return !s->c.relay || stralloc_cats(&p->address, s->c.relay);
}

int envelope_add_recipient(struct session *s) {
  struct smtp_path *p = &s->t.recipient;

  if (!complete(s, p)) return 0;
  ++s->t.accepted;
  if (s->t.dropped) return 1;
  return stralloc_catz(&s->t.recipients, p->address.s, p->address.len) &&
         stralloc_catz(&s->t.notifies, stralloc_cstr(&s->t.notify), s->t.notify.len);
}
