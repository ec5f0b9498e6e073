/* plugin_proto: what qmail-smtpd asks plugins, and what they say.
 *
 * A question is a netstring: the letter of a hook and its fields, each with a NUL behind it.  The
 * answer is a netstring too: K, nothing against it; R and what the plugin wants the client to be told; or F
 * and why the plugins cannot be asked.  Both come from code that is not ours, so neither is trusted to
 * be what it should be. */
#ifndef SMTP_PLUGIN_PROTO_H
#define SMTP_PLUGIN_PROTO_H

#include "base/stralloc.h"

#define PLUGIN_FIELDS 4
#define PLUGIN_QUESTION_MAX 8192
#define PLUGIN_ANSWER_MAX 4096 /* bytes of an answer; a plugin's reply is cut to fit */
#define PLUGIN_TEXT_MAX 400    /* bytes of what the client is told */
#define PLUGIN_STATUS_MAX 12   /* of its status code, with the NUL */

enum plugin_hook { PLUGIN_MAIL, PLUGIN_RCPT, PLUGIN_DATA };
#define PLUGIN_HOOKS 3

/* Of smtpd_plugin.h, in its order. */
struct plugin_question {
  enum plugin_hook hook;
  const char *field[PLUGIN_FIELDS]; /* as many as plugin_fields says */
};
/* How many fields a hook has; its name. */
size_t plugin_fields(enum plugin_hook hook);
const char *plugin_hook_name(enum plugin_hook hook);

/* The whole netstring, appended: 1, or 0 without memory or when it is longer than
 * PLUGIN_QUESTION_MAX. */
int plugin_question_build(stralloc *out, const struct plugin_question *q) MUST_CHECK;
/* The content of one; the fields point into it: 1, or 0. */
int plugin_question_parse(const char *s, size_t n, struct plugin_question *q) MUST_CHECK;

enum plugin_kind { PLUGIN_ACCEPTS = 'K', PLUGIN_REFUSES = 'R', PLUGIN_FAILS = 'F' };
/* The whole netstring, appended; the text is cut to fit: 1, or 0 without memory. */
int plugin_answer_build(stralloc *out, enum plugin_kind kind, const char *text) MUST_CHECK;
/* The content of one; the text points into it: 1, or 0. */
int plugin_answer_parse(const char *s, size_t n, enum plugin_kind *kind, const char **text, size_t *text_n) MUST_CHECK;

/* What a client is told: printable ASCII on one line, several being joined by a blank. */
struct plugin_reply {
  unsigned code; /* 400 to 599 */
  char enhanced[PLUGIN_STATUS_MAX]; /* of the code's class: the plugin's, else 4.7.1 or 5.7.1 */
  char text[PLUGIN_TEXT_MAX + 1]; /* cut when it is longer */
};
/* Lines "550-text", the last "550 text", each ended by LF or CR LF but perhaps the last; a status code
 * (RFC 3463) may begin the text: 1, or 0 when it is not that. */
int plugin_reply_parse(const char *s, size_t n, struct plugin_reply *r) MUST_CHECK;

#endif
