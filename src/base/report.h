/* report: what a reading program has to say, as lines "label : value" for people or as JSON for
 * programs: one object, or a list of them.  Kept in memory until it is whole, so that a program
 * that fails midway has printed nothing. */
#ifndef BASE_REPORT_H
#define BASE_REPORT_H

#include <stdint.h>

#include "base/stralloc.h"
#include "base/strerr.h"
#include "base/strlist.h"

struct report {
  stralloc text;
  int json, list; /* list: records in brackets */
  size_t column;  /* where the colon of people's lines stands */
  int records, fields;
  int failed;     /* memory ran out */
};

void report_start(struct report *r, int json, int list, size_t column);
/* The next record; for people behind an empty line. */
void report_record(struct report *r);
/* The same, for people without one. */
void report_item(struct report *r);
/* A field.  key null: only for people; label null: only for programs. */
void report_text(struct report *r, const char *key, const char *label, const char *value);
void report_number(struct report *r, const char *key, const char *label, int64_t value);
void report_flag(struct report *r, const char *key, int value);
/* One label a line, or an array. */
void report_list(struct report *r, const char *key, const char *label, const struct strlist *values);
/* A line for people alone; in parts, which a null pointer ends. */
void report_line(struct report *r, const char *line);
void report_words(struct report *r, ...) __attribute__((sentinel));
/* What long work has to say so far: people's lines are written at once, JSON when it is whole.  0 or -1. */
int report_show(struct report *r, int fd, struct strerr *e) MUST_CHECK;
/* Write it, and free what it was kept in: 0 or -1. */
int report_finish(struct report *r, int fd, struct strerr *e) MUST_CHECK;

#endif
