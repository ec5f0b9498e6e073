/* fsorder: does the file system of the current directory keep the order in which names were
 * made and removed, across a power loss? */
#ifndef QUEUE_FSORDER_H
#define QUEUE_FSORDER_H

/* said: "yes" or "no" of the administrator, anything else: the system is asked.  1 or 0; 0
 * also where nobody can tell. */
int fsorder_kept(const char *said);

#endif
