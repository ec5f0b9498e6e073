/* What a plugin makes of its process's answers: fields stay inside, a client is told one printable
 * line with a code that refuses; questions come back as they were. */
#include <stdlib.h>
#include <string.h>

#include "base/netstring.h"
#include "smtp/plugin_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void question(const char *s, size_t n) {
  struct plugin_question q;
  stralloc again = STRALLOC_INIT;
  const char *content;
  size_t len;

  if (!plugin_question_parse(s, n, &q)) return;
  if (!plugin_question_build(&again, &q) || netstring_parse(again.s, again.len, again.len, &content, &len) <= 0) abort();
  if (len != n || memcmp(content, s, n)) abort();
  stralloc_free(&again);
}

static void reply(const char *s, size_t n) {
  struct plugin_reply r;

  if (!plugin_reply_parse(s, n, &r)) return;
  if (r.code < 400 || r.code > 599 || r.enhanced[0] != (r.code < 500 ? '4' : '5') || strlen(r.enhanced) >= sizeof r.enhanced) abort();
  if (strlen(r.text) > PLUGIN_TEXT_MAX) abort();
  for (const char *c = r.text; *c; ++c)
    if (*c < ' ' || *c > '~') abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *s = malloc(size + 1); /* so that a byte behind the end is seen */
  enum plugin_kind kind;
  const char *text;
  size_t n;

  if (!s) return 0;
  if (size) memcpy(s, data, size);
  s[size] = 0;
  question(s, size);
  if (plugin_answer_parse(s, size, &kind, &text, &n) && (text != s + 1 || n != size - 1)) abort();
  reply(s, size);
  free(s);
  return 0;
}
