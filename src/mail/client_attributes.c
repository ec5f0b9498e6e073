/* client_attributes: see client_attributes.h. */
#include "mail/client_attributes.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"
#include "mail/dsn.h"
#include "mail/smtp_syntax.h"
#include "net/ip.h"

#define TEXT_MAX 255

/* Each judges a value that is known, and may write it as we do: 1, 0 no good, -1 no memory. */

static int is_text(stralloc *v) {
  return v->len <= TEXT_MAX;
}

static int is_address(stralloc *v) {
  static const char tag[] = "IPv6:";
  size_t skip = bytes_casestarts(v->s, v->len, tag) ? sizeof tag - 1 : 0;
  char text[IP_TEXT];
  struct ip ip;

  if (!ip_scan(v->s + skip, v->len - skip, &ip) || (memchr(v->s + skip, ':', v->len - skip) != 0) != (skip > 0)) return 0;
  ip_fmt(text, &ip);
  return stralloc_copys(v, text) ? 1 : -1;
}

static int is_port(stralloc *v) {
  uint16_t port;

  return scan_port(v->s, v->len, &port);
}

static int is_protocol(stralloc *v) {
  return str_caseequal(v->s, "SMTP") || str_caseequal(v->s, "ESMTP");
}

static int is_source(stralloc *v) {
  return str_caseequal(v->s, "LOCAL") || str_caseequal(v->s, "REMOTE");
}

static const struct {
  const char *name;
  int (*judge)(stralloc *v);
} attributes[CLIENT_ATTRIBUTES] = {
    [CLIENT_NAME] = {"NAME", is_text},           [CLIENT_ADDR] = {"ADDR", is_address},    [CLIENT_PORT] = {"PORT", is_port},
    [CLIENT_LOGIN] = {"LOGIN", is_text},         [CLIENT_DESTADDR] = {"DESTADDR", is_address},
    [CLIENT_DESTPORT] = {"DESTPORT", is_port},   [CLIENT_PROTO] = {"PROTO", is_protocol}, [CLIENT_HELO] = {"HELO", is_text},
    [CLIENT_IDENT] = {"IDENT", is_text},         [CLIENT_SOURCE] = {"SOURCE", is_source},
};

const char *client_attribute_name(enum client_attribute which) {
  return attributes[which].name;
}

static int same(const char *s, size_t n, const char *word) {
  return n == strlen(word) && bytes_caseequal(s, word, n);
}

static int take(const struct smtp_parameter *p, unsigned allowed, struct client_attributes *a) {
  for (size_t i = 0; i < CLIENT_ATTRIBUTES; ++i) {
    stralloc *v = &a->value[i];

    if (!(allowed & 1u << i) || !same(p->keyword, p->keyword_n, attributes[i].name)) continue;
    if (!p->value || a->given & 1u << i) return 0;
    a->given |= 1u << i;
    stralloc_cut(v, 0);
    if (same(p->value, p->value_n, "[UNAVAILABLE]") || same(p->value, p->value_n, "[TEMPUNAVAIL]")) return 1;
    if (!dsn_xtext_decode(v, p->value, p->value_n)) return -1;
    return attributes[i].judge(v);
  }
  return 0;
}

int client_attributes_parse(const char *s, size_t n, unsigned allowed, struct client_attributes *a) {
  struct smtp_parameter p;
  int got;

  while ((got = smtp_parameter_next(&s, &n, &p)) == 1) {
    int r = take(&p, allowed, a);

    if (r != 1) return r;
  }
  return got == 0 && a->given;
}

void client_attributes_free(struct client_attributes *a) {
  for (size_t i = 0; i < CLIENT_ATTRIBUTES; ++i) stralloc_free(&a->value[i]);
  a->given = 0;
}
