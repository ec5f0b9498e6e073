/* Templates of tables: what passes has one statement's worth of text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct sql_table t;

  if (sql_table_parse(s, size, &t)) return 0;
  if (t.name < s || t.namen < 1 || t.namen > 64 || t.name + t.namen > t.columns || t.columns + t.columnsn > s + size) abort();
  if (t.columns[0] != '(' || t.columns[t.columnsn - 1] != ')' || memchr(t.columns, 0, t.columnsn)) abort();
  return 0;
}
