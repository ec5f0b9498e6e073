/* alias_line: see alias_line.h. */
#include "user/alias_line.h"

#include <string.h>

#include "base/bytes.h"

const char *alias_line_fault(const char *line) {
  size_t n = strlen(line);
  size_t at = bytes_rchr(line, n, '@');

  if (!n || n > ALIAS_LINE_MAX || strpbrk(line, "\n\r")) return "a line has 1 to 1024 characters";
  if (line[0] == '|' || line[0] == '/') return 0;
  if (at == n || at + 1 == n || at == (line[0] == '&') || strpbrk(line, " \t")) return ALIAS_LINE_USAGE;
  return 0;
}
