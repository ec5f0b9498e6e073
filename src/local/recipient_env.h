/* recipient_env: the environment a delivery program sees (qmail-command(8)), and the
 * lines that go before the message. */
#ifndef LOCAL_RECIPIENT_ENV_H
#define LOCAL_RECIPIENT_ENV_H

#include "base/env.h"
#include "base/stralloc.h"
#include "local/delivery.h"

struct recipient_env {
  struct env env;
  stralloc recipient;  /* local@host */
  stralloc dtline;     /* Delivered-To: local@host LF */
  stralloc rpline;     /* Return-Path: <sender> LF */
  stralloc ufline;     /* From sender date LF */
  stralloc newsender;  /* sender of forwarded copies */
};

/* has_owner, has_owner_default: which .qmail...-owner files there are. 1 or 0. */
int recipient_env_init(struct recipient_env *r, const struct delivery_job *job, int has_owner,
                       int has_owner_default) MUST_CHECK;
void recipient_env_free(struct recipient_env *r);

#endif
