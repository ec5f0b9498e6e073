/* Lines of .qmail files taken as lines of aliases: what is taken can be written and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "user/alias_files.h"
#include "user/alias_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct strlist lines = {0}, again = {0};
  stralloc text = STRALLOC_INIT;
  const char *why = 0;
  int r = alias_lines_parse((const char *)data, size, "/dir", &lines, &why);

  require(r == 1 || (r == 0 && why));
  for (size_t i = 0; r && i < lines.len; ++i) require(!alias_line_fault(lines.item[i].s) && lines.item[i].len == strlen(lines.item[i].s));
  if (r) {
    require(alias_lines_format(&lines, &text));
    require(alias_lines_parse(text.s, text.len, "/elsewhere", &again, &why) == 1 && again.len == lines.len);
    for (size_t i = 0; i < lines.len; ++i) require(bytes_equal(lines.item[i].s, lines.item[i].len, again.item[i].s, again.item[i].len));
  }
  strlist_free(&lines);
  strlist_free(&again);
  stralloc_free(&text);
  return 0;
}
