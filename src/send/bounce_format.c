/* bounce_format: see bounce_format.h. */
#include "send/bounce_format.h"

#include <string.h>

#include "base/bytes.h"
#include "mail/address.h"
#include "mail/date.h"
#include "mail/dsn.h"
#include "send/bounce_text.h"

#define VALUE_MAX 800 /* bytes of a field of ours: its line stays below 998 */

int bounce_format_path(stralloc *out, const stralloc *sender) {
  return stralloc_catlit(out, "Return-Path: <") && address_quote(stralloc_cstr(sender), sender->len, out) &&
         stralloc_catlit(out, ">\n");
}

static int put_date(stralloc *out, const char *field, int64_t when) {
  char date[DATE_TEXT];

  date_fmt(date, when, "-0000");
  return stralloc_catm(out, field, ": ", date, "\n", (char *)0);
}

/* --- the header and what people read --- */

/* Whose failure it is about, for programs that look no further. */
static int put_bounced_address(stralloc *out, const struct bounce_letter *l) {
  struct bounce_failure f;
  size_t pos = 0;

  if (l->kind != BOUNCE_OF_FAILURE) return 1;
  if (!bounce_text_next(stralloc_cstr(l->text), l->text->len, &pos, &f) || !f.recipient_n) return 1;
  return stralloc_catlit(out, "X-Bounced-Address: ") && address_quote(f.recipient, f.recipient_n, out) &&
         stralloc_append(out, '\n');
}

static int put_header(stralloc *out, const struct bounce_letter *l) {
  return put_date(out, "Date", l->now) && stralloc_catlit(out, "Message-ID: <") &&
         stralloc_cati64(out, l->now) && stralloc_append(out, '.') && stralloc_catu64(out, l->id) &&
         stralloc_catm(out, ".bounce@", l->host, ">\n", (char *)0) && put_bounced_address(out, l) &&
         stralloc_catm(out, "From: ", l->from, "@", l->host, "\nTo: ", (char *)0) &&
         address_quote(stralloc_cstr(l->to), l->to->len, out) &&
         stralloc_catm(out, "\nAuto-Submitted: auto-replied\nSubject: ", l->subject, "\n", (char *)0);
}

/* What a notice is about: behind "at HOST.", and in one sentence of our own. */
static const struct {
  const char *words, *preamble;
} kinds[BOUNCE_KINDS] = {
    [BOUNCE_OF_FAILURE] = {"Your message could not be delivered to the following addresses.\n"
                           "I have given up; nothing more will be tried.\n\n",
                           "that could not be delivered"},
    [BOUNCE_OF_SUCCESS] = {"You asked to be told when your message has arrived. It was delivered to the following\n"
                           "addresses, or, where it says relayed or expanded, passed on to where nobody may tell you more.\n\n",
                           "that was delivered"},
    [BOUNCE_OF_DELAY] = {"Your message has not been delivered to the following addresses yet.\n"
                         "It will be tried further; you need not send it again.\n\n",
                         "that is late"},
};

static int put_intro(stralloc *out, const struct bounce_letter *l) {
  size_t n = l->kind == BOUNCE_OF_FAILURE ? strlen(l->message) : 0;

  if (n) return stralloc_catb(out, l->message, n) && (l->message[n - 1] == '\n' || stralloc_append(out, '\n')) && stralloc_append(out, '\n');
  return stralloc_catm(out, "Hi. This is the IndiMail delivery program at ", l->host,
                       l->is_double ? ".\nI could not tell the sender of a message what became of it:\n"
                                      "the notice itself came back.\n\n"
                                    : ".\n",
                       l->is_double ? "" : kinds[l->kind].words, (char *)0);
}

/* --- parts of a report --- */

static int put_part(stralloc *out, const struct bounce_letter *l, const char *type, int eight_bit) {
  return stralloc_catm(out, "--", l->scan->boundary, "\nContent-Type: ", type, "\nContent-Transfer-Encoding: ",
                       eight_bit ? "8bit" : "7bit", "\n\n", (char *)0);
}

/* Bytes that would not be text of the kind announced become question marks. */
static void mask(stralloc *s, size_t from, int keep_8bit) {
  for (size_t i = from; i < s->len; ++i)
    if ((unsigned char)s->s[i] > 127 && !keep_8bit) s->s[i] = '?';
}

/* Does it hold 8-bit text that is UTF-8? */
static int international(const char *s, size_t n) {
  int eight_bit;

  return bounce_utf8(s, n, &eight_bit) && eight_bit;
}

static int put_notice(stralloc *out, const struct bounce_letter *l) {
  stralloc notice = STRALLOC_INIT;
  int utf8;
  int ok = put_intro(&notice, l) && stralloc_cat(&notice, l->text);

  utf8 = ok && international(notice.s, notice.len);
  if (ok && !utf8) mask(&notice, 0, 0);
  ok = ok && put_part(out, l, utf8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii", utf8) &&
       stralloc_cat(out, &notice);
  stralloc_free(&notice);
  return ok;
}

/* A value on one line: line ends as blanks, control bytes masked, cut when it is too long. */
static int put_value(stralloc *out, const char *s, size_t n, int keep_8bit) {
  size_t from = out->len;

  if (n > VALUE_MAX) n = VALUE_MAX;
  while (n < VALUE_MAX && n && (s[n - 1] == ' ' || s[n - 1] == '\n')) --n;
  if (!stralloc_catb(out, s, n)) return 0;
  for (size_t i = from; i < out->len; ++i) {
    unsigned char c = (unsigned char)out->s[i];

    if (c == '\n' || c == '\t') out->s[i] = ' ';
    else if (c < 32 || c == 127) out->s[i] = '?';
  }
  /* A character that was cut in two is no UTF-8. */
  mask(out, from, keep_8bit && international(out->s + from, out->len - from));
  return stralloc_append(out, '\n');
}

static int put_original(stralloc *out, const struct bounce_failure *f) {
  size_t type = bytes_chr(f->original, f->original_n, ';');

  if (!f->original_n || type == f->original_n) return 1;
  return stralloc_catlit(out, "Original-Recipient: ") && stralloc_catb(out, f->original, type) &&
         stralloc_catlit(out, "; ") && put_value(out, f->original + type + 1, f->original_n - type - 1, 0);
}

static int put_final(stralloc *out, const struct bounce_failure *f) {
  stralloc address = STRALLOC_INIT;
  int utf8 = international(f->recipient, f->recipient_n);
  int ok = address_quote(f->recipient, f->recipient_n, &address) &&
           stralloc_catm(out, "Final-Recipient: ", utf8 ? "utf-8" : "rfc822", "; ", (char *)0) &&
           put_value(out, stralloc_cstr(&address), address.len, utf8);

  stralloc_free(&address);
  return ok;
}

static int put_mta(stralloc *out, const struct bounce_facts *facts) {
  int is_name = 0;

  if (!facts->mta_n) return 1;
  for (size_t i = 0; i < facts->mta_n; ++i) is_name |= !strchr("0123456789abcdefABCDEF.:", facts->mta[i]);
  return stralloc_catm(out, "Remote-MTA: dns; ", is_name ? "" : "[", (char *)0) &&
         stralloc_catb(out, facts->mta, facts->mta_n) && stralloc_cats(out, is_name ? "\n" : "]\n");
}

/* The status where the report says none of the kind. */
static void fit_status(enum bounce_action action, struct bounce_facts *facts) {
  static const char class[BOUNCE_ACTIONS] = {[BOUNCE_DELIVERED] = '2', [BOUNCE_RELAYED] = '2', [BOUNCE_EXPANDED] = '2',
                                             [BOUNCE_DELAYED] = '4'};

  if (!class[action] || facts->status[0] == class[action]) return;
  memcpy(facts->status, "x.0.0", 6);
  facts->status[0] = class[action];
}

static int put_recipient(stralloc *out, const struct bounce_letter *l, const struct bounce_failure *f, int global) {
  struct bounce_facts facts;

  bounce_facts(f->report, f->report_n, &facts);
  fit_status(f->action, &facts);
  if (!stralloc_append(out, '\n') || !put_original(out, f) || !put_final(out, f) ||
      !stralloc_catm(out, "Action: ", bounce_action_name(f->action), "\nStatus: ", facts.status, "\n", (char *)0) ||
      !put_mta(out, &facts))
    return 0;
  if (facts.said_n && !(stralloc_catlit(out, "Diagnostic-Code: smtp; ") && put_value(out, facts.said, facts.said_n, global)))
    return 0;
  return f->action != BOUNCE_DELAYED || put_date(out, "Will-Retry-Until", l->until);
}

static int put_envelope_id(stralloc *out, const struct bounce_letter *l) {
  struct dsn_mail d;

  if (!dsn_mail_parse(l->dsn, l->dsn_n, &d) || !d.envid_n) return 1;
  return stralloc_catlit(out, "Original-Envelope-Id: ") && dsn_xtext_decode(out, d.envid, d.envid_n) &&
         stralloc_append(out, '\n');
}

static int put_status(stralloc *out, const struct bounce_letter *l) {
  const char *s = stralloc_cstr(l->text);
  struct bounce_failure f;
  int global = 0;
  size_t pos;

  for (pos = 0; bounce_text_next(s, l->text->len, &pos, &f);) global |= international(f.recipient, f.recipient_n);
  if (!put_part(out, l, global ? "message/global-delivery-status" : "message/delivery-status", global) ||
      !stralloc_catm(out, "Reporting-MTA: dns; ", l->me, "\n", (char *)0) || !put_envelope_id(out, l) ||
      !put_date(out, "Arrival-Date", l->birth))
    return 0;
  for (pos = 0; bounce_text_next(s, l->text->len, &pos, &f);)
    if (f.recipient && !put_recipient(out, l, &f, global)) return 0;
  return stralloc_append(out, '\n');
}

static int put_report(stralloc *out, const struct bounce_letter *l) {
  const struct bounce_scan *b = l->scan;
  int global = b->header_8bit && !b->header_bad;
  int text_8bit, body_8bit = b->header_8bit || (!l->only_header && b->body_8bit);
  const char *type = l->only_header ? global ? "message/global-headers" : "text/rfc822-headers"
                     : global       ? "message/global"
                                    : "message/rfc822";

  text_8bit = international(stralloc_cstr(l->text), l->text->len) || international(l->message, strlen(l->message));
  return stralloc_catm(out, "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=",
                       "delivery-status;\n boundary=\"", b->boundary, "\"\n",
                       text_8bit || body_8bit ? "Content-Transfer-Encoding: 8bit\n" : "",
                       "\nThis is a report about a message ", kinds[l->kind].preamble, ".\n\n", (char *)0) &&
         put_notice(out, l) && put_status(out, l) && put_part(out, l, type, body_8bit);
}

int bounce_format_head(stralloc *out, const struct bounce_letter *l) {
  if (!put_header(out, l)) return 0;
  if (!l->qsbmf) return put_report(out, l);
  return stralloc_append(out, '\n') && put_intro(out, l) && stralloc_cat(out, l->text) &&
         stralloc_cats(out, l->sender->len ? "--- Below this line is the message.\n\n"
                                           : "--- Below this line is the notice that came back.\n\n");
}

int bounce_format_tail(stralloc *out, const struct bounce_letter *l, int cut) {
  if (l->qsbmf) return !cut || stralloc_catlit(out, "\n\n--- End of message cut here.\n");
  return stralloc_catm(out, "\n--", l->scan->boundary, "--\n", (char *)0);
}
