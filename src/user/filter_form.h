/* filter_form: what a rule of vfilter(8) may be, whoever brings it.  Pure. */
#ifndef USER_FILTER_FORM_H
#define USER_FILTER_FORM_H

#include "user/userdb_filter.h"

/* Null when it makes sense, else why not. */
const char *filter_form_fault(const struct userdb_filter *f);

#endif
