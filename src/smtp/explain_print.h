/* explain_print: an explanation for people, or as one JSON object. */
#ifndef SMTP_EXPLAIN_PRINT_H
#define SMTP_EXPLAIN_PRINT_H

#include "smtp/explain.h"

struct explain_print {
  int json;
  stralloc out; /* the caller's to write and to free */
  int nomem;
  size_t changes;
};

/* In this order; memory that runs out is remembered in nomem. */
void explain_print_begin(struct explain_print *p, int json);
void explain_print_rows(struct explain_print *p, const struct explanation *now);
/* The tell of a struct explain_teller, ctx the printer. */
void explain_print_change(void *p, const char *what, int helps, const struct explanation *then);
void explain_print_end(struct explain_print *p, const struct explanation *now);

#endif
