/* Requests to start a program: what is taken is whole, within bounds, and says the same when it is said again. */
#include "net/starter.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static size_t descriptors(const struct spawn *s) {
  size_t n = 0;

  for (size_t i = 0; i < s->moves; ++i) n += s->move[i].from != SPAWN_NULL;
  return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct starter_request r, again;
  stralloc text = STRALLOC_INIT;

  if (size > 1 && starter_parse((const char *)data + 1, size - 1, data[0] % 6, &r)) {
    require(descriptors(&r.s) == data[0] % 6 && r.s.moves <= SPAWN_MOVES && r.s.path[0] && r.s.argv[0] && !r.s.set_ids && !r.s.record_fd);
    for (char *const *v = r.s.envp; v && *v; ++v) require(strchr(*v, '=') > *v);
    if (starter_format(&text, &r.s)) {
      require(starter_parse(text.s, text.len, descriptors(&r.s), &again));
      require(!strcmp(again.s.path, r.s.path) && !again.s.envp == !r.s.envp && again.s.held == r.s.held);
    }
  }
  stralloc_free(&text);
  return 0;
}
