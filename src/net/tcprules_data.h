/* tcprules_data: what a rule of tcpserver says (super/tcprules.h), as the cdb has it: D NUL for
 * deny, +NAME=value NUL for each variable. */
#ifndef NET_TCPRULES_DATA_H
#define NET_TCPRULES_DATA_H

#include <stddef.h>

/* Walk the data of a rule: *pos starts at 0.  Gives 'D', '+' with a borrowed
 * NAME=value, 0 at the end, -1 when the data is damaged. */
int tcprules_next(const char *data, size_t n, size_t *pos, const char **var);

#endif
