/* outcome: see outcome.h. */
#include "user/outcome.h"

#include "user/site.h"

void outcome_want(enum userdb_result r, const struct outcome_words *w, const struct strerr *e) {
  switch (r) {
    case USERDB_FOUND: return;
    case USERDB_NONE: strerr_diem(w->code, w->fatal, w->none, (char *)0);
    case USERDB_EXISTS: strerr_diem(w->code, w->fatal, w->exists, (char *)0);
    case USERDB_TEMPFAIL: strerr_die(site_code(e), w->fatal, e);
  }
}
