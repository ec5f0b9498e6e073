/* check_lineends: a message whose lines two servers could read differently is how
 * one message is smuggled inside another. */
#include "smtp/checks.h"

/* BODY=BINARYMIME: the rest has been made lines (mail/binary_mime.h). */
static enum verdict refuse_binary(enum binary_kept kept, struct policy_reply *r) {
  static const struct {
    const char *status, *text;
  } why[] = {
      [BINARY_IS_HEADER] = {"5.6.0", "bare CR, bare LF or NUL in the header of the message or a part"},
      [BINARY_IS_BETWEEN] = {"5.6.0", "bare CR, bare LF or NUL outside the parts of a multipart"},
      [BINARY_IS_UNSAID] = {"5.6.0", "bare CR, bare LF or NUL in a part whose encoding is not binary"},
      [BINARY_IS_SIGNED] = {"5.6.3", "binary data in multipart/signed cannot be kept; encode it before it is signed"},
      [BINARY_IS_FRAGMENT] = {"5.6.3", "binary data in a part of type message cannot be kept"},
      [BINARY_IS_UNCLEAR] = {"5.6.0", "binary data in a part whose header can be read in two ways"},
  };

  return policy_say(r, VERDICT_REJECT, 554, why[kept].status, why[kept].text);
}

enum verdict check_lineends(const struct connection *c, const struct transaction *t, const struct conf *conf,
                            struct policy_reply *r) {
  unsigned flaws = t->data.flaws;

  if (!flaws) return VERDICT_NEXT;
  if (t->binary) return refuse_binary(t->kept, r);
  return policy_say(r, VERDICT_REJECT, 554, "5.6.0",
                    flaws & DATA_BARE_LF   ? "bare LF in the message; lines end with CR LF"
                    : flaws & DATA_BARE_CR ? "bare CR in the message; lines end with CR LF"
                                           : "NUL byte in the message");
}
