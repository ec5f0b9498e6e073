/* delivery_env: header fields kept with the envelope (ENVHEADERS) as variables of delivery
 * programs. */
#ifndef QUEUE_DELIVERY_ENV_H
#define QUEUE_DELIVERY_ENV_H

#include "base/env.h"

/* Of lines "Name: value": the name in capitals, - as _.  A variable that is set already stays: no
 * message changes PATH.  1, or 0 when memory ran out. */
int delivery_env_add(struct env *env, const char *captured) MUST_CHECK;

#endif
