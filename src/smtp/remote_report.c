/* remote_report: see remote_run.h. */
#include <string.h>

#include "smtp/remote_run.h"

void remote_put(struct remote_run *r, const char *s, size_t n) {
  if (!stralloc_catb(r->report, s, n)) r->no_memory = 1;
}

/* Control bytes masked, so no report can look like two. */
void remote_put_masked(struct remote_run *r, const char *s, size_t n) {
  size_t start = r->report->len;

  remote_put(r, s, n);
  for (size_t i = start; i < r->report->len; ++i) {
    unsigned char ch = (unsigned char)r->report->s[i];

    if ((ch < 32 && ch != '\n') || ch == 127) r->report->s[i] = '?';
  }
}

void remote_puts(struct remote_run *r, char letter, const char *a, const char *b, const char *c) {
  remote_put(r, &letter, 1);
  remote_put(r, a, strlen(a));
  remote_put_masked(r, b, strlen(b));
  remote_put(r, c, strlen(c));
}

void remote_put_said(struct remote_run *r, size_t max) {
  const stralloc *said = &r->k->c.reply;

  remote_puts(r, '\n', "Remote host said: ", "", "");
  remote_put_masked(r, stralloc_cstr(said), said->len < max ? said->len : max);
  if (said->len > max) remote_put(r, "...\n", 4);
}

void remote_end_report(struct remote_run *r) {
  remote_put(r, "", 1);
}
