/* bounce_tag: tags of mail/batv.h in what clients say, and on what we send. */
#ifndef SMTP_BOUNCE_TAG_H
#define SMTP_BOUNCE_TAG_H

#include "smtp/session.h"

/* Takes a tag of ours off an address in our domains; v tells what was there, BATV_NONE where there is no
 * key or the domain is not ours.  1, or 0 without memory. */
int bounce_tag_take(const struct conf *conf, struct smtp_path *p, enum batv_verdict *v) MUST_CHECK;
/* Append the sender as it goes to this host: with a tag where there is a key, the domain is ours, and
 * neither is excepted.  1, or 0 without memory. */
int bounce_tag_put(const struct conf *conf, const char *sender, const char *host, stralloc *out) MUST_CHECK;

#endif
