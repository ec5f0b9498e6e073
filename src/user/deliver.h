/* deliver: how a delivery ended.  The values are the exit codes that qmail-local's
 * callers and .qmail programs speak, so a program may hand them on as they are. */
#ifndef USER_DELIVER_H
#define USER_DELIVER_H

enum deliver_result {
  DELIVER_OK = 0,
  DELIVER_PERM = 100, /* bounce: trying again will not help */
  DELIVER_TEMP = 111, /* nothing is lost, try again */
};

#endif
