/* manager_rate: asks the rates (rate.h) before mail for a destination is handed out.
 * See manager_state.h. */
#include <errno.h>
#include <string.h>

#include "base/fmt.h"
#include "send/manager_state.h"

#define BUSY_SECONDS 1     /* another queue has the file */
#define TROUBLE_SECONDS 60 /* a limit that cannot be kept is not overstepped */

static void complain(struct manager *m, const char *name, int error) {
  stralloc text = STRALLOC_INIT;

  if (stralloc_catm(&text, "rate file ", name, ": ", error ? strerror(error) : "makes no sense",
                    "; mail that it concerns waits", (char *)0))
    MLOG(m, warning, log_s(text.s));
  stralloc_free(&text);
}

static int64_t ask(void *ctx, const char *host, uint32_t n) {
  struct manager *m = ctx;
  struct rate_record r;
  char name[RATE_NAME], current[RATE_NUMBER];
  int64_t now = wall_now();
  int64_t wait;

  switch (rates_ask(&m->rates, host, n, now, 1, &r, &wait, name)) {
    case RATES_GO: return 0;
    case RATES_BUSY: return BUSY_SECONDS;
    case RATES_WAIT:
      rate_current(current, &r, now);
      MLOG(m, rate_exceeded, log_u(r.count), log_s(current), log_s(r.text), log_u((uint64_t)wait), log_s(host),
           log_s(m->queue));
      return wait;
    case RATES_TROUBLE:
      complain(m, name, errno);
      return TROUBLE_SECONDS;
  }
  return TROUBLE_SECONDS;
}

int manager_rate_start(struct manager *m, const char *fallback, struct strerr *e) {
  const char *dir = conf_line(m->conf, SET_ratelimit_dir);

  if (!*dir) dir = fallback;
  if (!*dir) return 0;
  if (rates_open(&m->rates, dir, (int64_t)conf_number(m->conf, SET_ratelimit_interval), e) == -1) return -1;
  m->sched.rate = ask;
  m->sched.rate_ctx = m;
  return 0;
}
