/* warnings: see warnings.h. */
#include "smtp/warnings.h"

static const enum setting warnings[] = {
    SET_warnmail,  SET_warnmail1, SET_warnmail2, SET_warnmail3, SET_warnmail4,
    SET_warnmail5, SET_warnmail6, SET_warnmail7, SET_warnmail8, SET_warnmail9,
};

int warnings_append(const struct conf *conf, stralloc *out) {
  for (size_t i = 0; i < sizeof warnings / sizeof *warnings; ++i) {
    const char *text = conf_line(conf, warnings[i]);

    if (*text && !stralloc_catm(out, "X-Spam-Warning: ", text, "\n", (char *)0)) return 0;
  }
  return 1;
}
