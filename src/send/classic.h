/* classic: takes the messages of a classic queue (mess, info, local, remote, todo, intd,
 * bounce) over into ours. */
#ifndef SEND_CLASSIC_H
#define SEND_CLASSIC_H

#include "base/strerr.h"
#include "conf/conf.h"
#include "queue/transition.h"

struct classic_counts {
  size_t taken;      /* messages that are ours now */
  size_t unaccepted; /* never accepted, left alone */
  size_t damaged;    /* left alone, a person must look */
};

/* Takes over what is in the directory behind descriptor dir into the current queue;
 * conf says which local addresses belong to virtual domains. Each message goes away there
 * when it is here. May be ended at any moment and begun again: no message is lost, none
 * taken twice, even if our qmail-send ran in between. 0, or -1 with e. */
int classic_import(int dir, const struct conf *conf, const struct queue_owner owner[QUEUE_FILES],
                   struct classic_counts *counts, struct strerr *e) MUST_CHECK;

#endif
