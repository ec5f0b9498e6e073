/* recipients_program: see recipients_program.h. */
#include "smtp/recipients_program.h"

#include <string.h>

#include "smtp/ask_program.h"

int recipients_program(const char *command, const char *address, struct strerr *e) {
  stralloc question = STRALLOC_INIT;
  int code = -1;

  if (stralloc_catz(&question, address, strlen(address)) && stralloc_append(&question, 0) && stralloc_append(&question, 0))
    code = ask_program(command, &question, 0, e);
  else strerr_set(e, "out of memory", (char *)0);
  stralloc_free(&question);
  return code == -1 ? -1 : code == 0;
}
