/* bounce_text: the text in bounce/ID, one paragraph for each recipient that failed:
 *   <recipient>:
 *   Action: delivered                     (or relayed, delayed; not where it failed)
 *   Original recipient: type;address      (only where the sender gave ORCPT)
 *   report, as many lines as it has
 *   (an empty line)
 * It is all a bounce is made of, besides the envelope and the message.  Notices of success and of
 * delay are made of the same text; it comes into bounce/ID only where a notice of success could
 * not be sent at once.  Pure. */
#ifndef SEND_BOUNCE_TEXT_H
#define SEND_BOUNCE_TEXT_H

#include <stddef.h>

#include "base/stralloc.h"

enum bounce_action { BOUNCE_FAILED, BOUNCE_DELIVERED, BOUNCE_RELAYED, BOUNCE_EXPANDED, BOUNCE_DELAYED, BOUNCE_ACTIONS };
/* As RFC 3464 calls it. */
const char *bounce_action_name(enum bounce_action action);
int bounce_is_success(enum bounce_action action);

/* Append the paragraph for one recipient.  notify: its DSN parameters, or null.  1 or 0. */
int bounce_paragraph(stralloc *out, enum bounce_action action, const char *recipient, const char *notify, const char *report)
    MUST_CHECK;

/* What a paragraph says; all borrowed from the text, lengths 0 where it says nothing. */
struct bounce_failure {
  enum bounce_action action;
  const char *recipient, *original, *report;
  size_t recipient_n, original_n, report_n;
};
/* The next paragraph: 1, or 0 at the end.  *pos is 0 at first.  Any text is taken; one that
 * does not begin as above is all report. */
int bounce_text_next(const char *s, size_t n, size_t *pos, struct bounce_failure *f);

/* Append each paragraph to one of two texts: 1, or 0 when memory ran out. */
int bounce_text_split(const char *s, size_t n, stralloc *successes, stralloc *others) MUST_CHECK;

/* What a report tells a machine.  status is like "5.1.1"; said is what the remote server
 * replied, with its code, and mta who that was: an address, or a name.  Borrowed. */
#define BOUNCE_STATUS 16
struct bounce_facts {
  char status[BOUNCE_STATUS];
  const char *said, *mta;
  size_t said_n, mta_n;
};
void bounce_facts(const char *report, size_t n, struct bounce_facts *f);

#endif
