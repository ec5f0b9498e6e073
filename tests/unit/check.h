/* check: what unit tests say.  A failing CHECK names its case and goes on; main
 * returns check_done().  check_nomem(n) makes the n-th allocation from now fail. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

extern int check_failed, check_passed;
void check_report(int ok, const char *file, int line, const char *what, const char *name);
int check_done(void);
/* The n-th allocation from now (1 the next) fails once; 0 switches it off.
 * check_allocs gives how many were made since. */
void check_nomem(long n);
long check_allocs(void);

#define CHECK(cond) check_report(!!(cond), __FILE__, __LINE__, #cond, "")
/* With the name of the table row. */
#define CHECK_CASE(cond, name) check_report(!!(cond), __FILE__, __LINE__, #cond, (name))

#endif
