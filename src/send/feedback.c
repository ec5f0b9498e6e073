/* feedback: see feedback.h. */
#include "send/feedback.h"

#include <stddef.h>
#include <string.h>

/* What a deferral's text holds, the first that fits.  (#x.y.z) is ours, at the end of what
 * qmail-remote found itself; the others are replies of servers, which begin their line. */
static const struct {
  const char *text;
  int reply; /* behind "said: ", or at the start of a line */
  enum feedback means;
} rules[] = {
    {"greylist", 0, FEEDBACK_ALIVE}, /* asks for this message later, not for fewer */
    {"graylist", 0, FEEDBACK_ALIVE},
    {"greeting failed: 4", 0, FEEDBACK_SLOW},
    {"(#4.4.1)", 0, FEEDBACK_UNREACHABLE}, /* no server took the connection */
    {"(#4.4.3)", 0, FEEDBACK_UNREACHABLE}, /* its name cannot be looked up now */
    {"(#4.4.4)", 0, FEEDBACK_UNREACHABLE}, /* no route */
    {"(#4.4.2)", 0, FEEDBACK_SLOW},        /* the connection broke */
    {"(#4.4.7)", 0, FEEDBACK_SLOW},        /* the delivery did not end */
    {"(#4.3.", 0, FEEDBACK_NOTHING},       /* our own system */
    {"421", 1, FEEDBACK_SLOW},             /* closing: busy, too many connections */
    {"450 4.7.", 1, FEEDBACK_SLOW},        /* 4.7: policy, that is rates and greylists */
    {"451 4.7.", 1, FEEDBACK_SLOW},
    {"452 4.7.", 1, FEEDBACK_SLOW},
    {"450 4.3.2", 1, FEEDBACK_SLOW}, /* takes no messages now */
    {"451 4.3.2", 1, FEEDBACK_SLOW},
    {"452 4.3.2", 1, FEEDBACK_SLOW},
    {"450 4.4.5", 1, FEEDBACK_SLOW}, /* congestion */
    {"451 4.4.5", 1, FEEDBACK_SLOW},
    {"452 4.4.5", 1, FEEDBACK_SLOW},
    {"451 4.3.1", 1, FEEDBACK_SLOW}, /* its disk is full */
    {"452 4.3.1", 1, FEEDBACK_SLOW},
    {"452 4.5.3", 1, FEEDBACK_ALIVE}, /* too many recipients in one transaction */
};

static int begins_reply(const char *text, const char *at) {
  static const char said[] = "said: ";
  size_t n = sizeof said - 1;

  return at == text || at[-1] == '\n' || ((size_t)(at - text) >= n && !memcmp(at - n, said, n));
}

static int fits(const char *text, const char *what, int reply) {
  for (const char *at = strcasestr(text, what); at; at = strcasestr(at + 1, what))
    if (!reply || begins_reply(text, at)) return 1;
  return 0;
}

enum feedback feedback_of(char result, const char *text) {
  if (result == 'K') return FEEDBACK_ALIVE;
  if (result == 'D') return strstr(text, "(#5.3.5)") ? FEEDBACK_NOTHING : FEEDBACK_ALIVE;
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; ++i)
    if (fits(text, rules[i].text, rules[i].reply)) return rules[i].means;
  return strstr(text, "said: 4") ? FEEDBACK_ALIVE : FEEDBACK_NOTHING;
}
