/* rates: the limits of the settings against the table (smtp/rate_table.h). */
#ifndef SMTP_RATES_H
#define SMTP_RATES_H

#include "smtp/policy.h"
#include "smtp/rate_table.h"

/* Are all limits of these settings well formed?  0, or -1 with e filled. */
int rates_valid(const struct conf *conf, struct strerr *e) MUST_CHECK;
/* A connection, message or recipient (what, one letter) of the client's address, and of its network;
 * limits by these settings.  VERDICT_NEXT, or a refusal for now with this text. */
enum verdict rates_client(const struct connection *c, const struct conf *conf, char what, enum setting by_address, enum setting by_network,
                          unsigned code, const char *text, struct policy_reply *r);
/* The same of who has logged in. */
enum verdict rates_account(const struct connection *c, const struct conf *conf, char what, enum setting limit, const char *text,
                           struct policy_reply *r);

#endif
