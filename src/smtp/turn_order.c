/* turn_order: see turn.h. */
#include "base/program.h"
#include "base/scan.h"
#include "conf/paths.h"
#include "smtp/turn.h"

#define SECONDS 60
#define ANSWER_MAX 64

static int understand(const stralloc *answer, uint64_t *messages) {
  return answer->len > 1 && answer->s[answer->len - 1] == '\n' && scan_u64(answer->s, answer->len - 1, messages);
}

int turn_order(const struct strlist *domains, uint64_t *messages, struct strerr *e) {
  char *argv[TURN_DOMAINS + 2] = {(char *)(uintptr_t) "qmail-turn"};
  struct spawn s = {.argv = argv};
  stralloc program = STRALLOC_INIT, answer = STRALLOC_INIT;
  int r = -1;

  for (size_t i = 0; i < domains->len && i < TURN_DOMAINS; ++i) argv[i + 1] = domains->item[i].s;
  spawn_move(&s, SPAWN_NULL, 0);
  if (!paths_program("qmail-turn", &program)) {
    strerr_set(e, "out of memory", (char *)0);
  } else {
    s.path = program.s;
    r = program_ask(&s, 1, &answer, ANSWER_MAX, deadline_in(SECONDS), e);
    if (r > 0 || (r == 0 && !understand(&answer, messages))) r = strerr_set(e, "qmail-turn failed", (char *)0);
  }
  stralloc_free(&program);
  stralloc_free(&answer);
  return r;
}
