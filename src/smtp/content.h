/* content: looks into a message while it is read, line by line: rules of bodycheck, and names of
 * attachments in badext.  What it finds is judged by the checks at the end. */
#ifndef SMTP_CONTENT_H
#define SMTP_CONTENT_H

#include "base/now.h"
#include "base/strlist.h"
#include "conf/conf.h"
#include "mail/attachment.h"
#include "mail/body_rules.h"
#include "mail/signatures.h"
#include "smtp/list.h"

/* What to look for, of one snapshot of settings. */
struct content_rules {
  struct body_rules body;
  struct signatures signatures;
};
int content_rules_open(struct content_rules *r, const struct conf *conf, struct strerr *e) MUST_CHECK;
void content_rules_close(struct content_rules *r);

/* What was found in one message.  Zeroed before use. */
struct content {
  stralloc line;
  int cut;        /* the line's beginning has been looked at and is gone */
  int in_body;
  size_t rule;    /* number of the first rule that matched, + 1 */
  stralloc name;  /* of the first attachment that is listed */
  struct strlist names; /* of attachments, where the user database holds lines of badext too: asked at the end */
  int too_many_names;
  const char *name_failed; /* why it could not be told whether one is; or null */
  int rule_failed;      /* a rule took too long */
  struct body_rules_cost cost;
  deadline turn;        /* since when others have waited for us; 0: not known */
  int behind_blank;     /* the line before was empty */
  size_t signature;     /* number of the first one found, + 1 */
  struct attachment_scan attachments;
};

/* Is there anything to look for? */
int content_wanted(const struct content_rules *r, const struct lists *lists);
/* More of the message, lines ended by LF.  May wait, for others to have their turn. */
void content_feed(struct content *c, const struct content_rules *r, const struct lists *lists, const char *s, size_t n);
/* The message is over. */
void content_end(struct content *c, const struct content_rules *r, const struct lists *lists);
void content_free(struct content *c);

#endif
