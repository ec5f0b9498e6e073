/* checks: the functions of checks.def, one file each. */
#ifndef SMTP_CHECKS_H
#define SMTP_CHECKS_H

#include "smtp/policy.h"

#define CHECK(name, stage, function, settings, exempt, failure, event, may, meaning)                  \
  enum verdict function(const struct connection *c, const struct transaction *t, const struct conf *conf, \
                        struct policy_reply *r);
#include "smtp/checks.def"
#undef CHECK

#endif
