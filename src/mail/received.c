/* received: see received.h. */
#include "mail/received.h"

#include <string.h>

#include "base/bytes.h"
#include "mail/date.h"

static int there(const char *s) {
  return s && *s;
}

/* Text from outside: nothing that could end the comment or the field. */
static int safe(stralloc *out, const char *s) {
  for (; *s; ++s) {
    char c = *s;

    if (c <= ' ' || c > 126 || strchr("()<>\\\";", c)) c = '?';
    if (!stralloc_append(out, c)) return 0;
  }
  return 1;
}

static int comment(stralloc *out, const char *label, const char *s) {
  return stralloc_catm(out, " (", label, (char *)0) && safe(out, s) && stralloc_append(out, ')');
}

static int client(stralloc *out, const struct received *r) {
  const char *host = there(r->remote_host) ? r->remote_host : "unknown";

  if (!stralloc_catlit(out, "from ") || !safe(out, host)) return 0;
  if (there(r->helo) && !str_caseequal(r->helo, host) && !comment(out, "HELO ", r->helo)) return 0;
  if (!stralloc_catlit(out, " (")) return 0;
  if (there(r->remote_info) && (!safe(out, r->remote_info) || !stralloc_append(out, '@'))) return 0;
  return safe(out, there(r->remote_ip) ? r->remote_ip : "unknown") && stralloc_catlit(out, ")\n  ");
}

int received_build(stralloc *out, const struct received *r) {
  char date[DATE_TEXT];

  if (!stralloc_catlit(out, "Received: ")) return 0;
  if (!r->hide && !client(out, r)) return 0;
  if (!stralloc_catlit(out, "by ") || !safe(out, there(r->local) ? r->local : "unknown")) return 0;
  if (!stralloc_catm(out, " with ", r->protocol, (char *)0)) return 0;
  if (there(r->tls_version) &&
      !(stralloc_catlit(out, " (") && safe(out, r->tls_version) && stralloc_append(out, ' ') &&
        safe(out, there(r->tls_cipher) ? r->tls_cipher : "unknown") && stralloc_append(out, ')')))
    return 0;
  if (there(r->id) && !(stralloc_catlit(out, " id ") && safe(out, r->id))) return 0;
  date_fmt(date, r->when, "-0000");
  return stralloc_catm(out, "; ", date, "\n", (char *)0);
}
