/* The values of vlimit's options: what is taken is in the range of its column, what is refused
 * leaves the limits alone, and all of it can be printed. */
#include "user/limits_form.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct limit_option *o;
  struct limits l = {{0}}, before = l;
  struct report r;
  char *text;

  if (!size) return 0;
  o = &limit_options[data[0] % LIMIT_OPTIONS];
  text = calloc(1, size);
  if (!text) return 0;
  memcpy(text, data + 1, size - 1);
  if (limits_form_set(&l, o, text, INT64_C(1800000000))) require(l.v[o->limit] >= -1 && (o->form != FORM_PERM || l.v[o->limit] <= 511));
  else require(!memcmp(&l, &before, sizeof l));
  (void)limits_form_flags(&l, text, data[0] & 1);
  report_start(&r, data[0] & 2, 0, 26);
  report_record(&r);
  limits_form_print(&l, &r);
  require(!r.failed && r.text.len > 0);
  stralloc_free(&r.text);
  free(text);
  return 0;
}
