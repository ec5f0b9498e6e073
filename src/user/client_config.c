/* client_config: see client_config.h. */
#include "user/client_config.h"

/* The services, the best first.  What clients call TLS from the first byte, and STARTTLS. */
static const struct service {
  const char *srv;    /* name in the DNS */
  const char *type;   /* in autoconfig */
  const char *outlook; /* in autodiscover */
  int outgoing, tls;
  unsigned port, priority;
} services[] = {
    {"imaps", "imap", "IMAP", 0, 1, 993, 0}, {"imap", "imap", 0, 0, 0, 143, 10},
    {"pop3s", "pop3", "POP3", 0, 1, 995, 20}, {"pop3", "pop3", 0, 0, 0, 110, 30},
    {"submissions", "smtp", "SMTP", 1, 1, 465, 0}, {"submission", "smtp", 0, 1, 0, 587, 10},
};
#define SERVICES (sizeof services / sizeof *services)

static int cat_escaped(stralloc *out, const char *s) {
  for (; *s; ++s) {
    const char *as = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '"' ? "&quot;" : 0;

    if (as ? !stralloc_cats(out, as) : !stralloc_append(out, *s)) return 0;
  }
  return 1;
}

/* <name>text</name>, so far in. */
static int element(stralloc *out, const char *in, const char *name, const char *text) {
  return stralloc_catm(out, in, "<", name, ">", (char *)0) && cat_escaped(out, text) && stralloc_catm(out, "</", name, ">\n", (char *)0);
}

static int number(stralloc *out, const char *in, const char *name, unsigned n) {
  return stralloc_catm(out, in, "<", name, ">", (char *)0) && stralloc_catu64(out, n) && stralloc_catm(out, "</", name, ">\n", (char *)0);
}

int client_config_records(const struct client_config *c, stralloc *out) {
  for (size_t i = 0; i < SERVICES; ++i)
    if (!stralloc_catm(out, "_", services[i].srv, "._tcp.", c->domain, ". IN SRV ", (char *)0) || !stralloc_catu64(out, services[i].priority) ||
        !stralloc_cats(out, " 1 ") || !stralloc_catu64(out, services[i].port) || !stralloc_catm(out, " ", c->host, ".\n", (char *)0))
      return 0;
  return stralloc_catm(out, "autoconfig.", c->domain, ". IN CNAME ", c->host, ".\nautodiscover.", c->domain, ". IN CNAME ", c->host, ".\n", (char *)0);
}

static int autoconfig_server(stralloc *out, const struct client_config *c, const struct service *s) {
  const char *name = s->outgoing ? "outgoingServer" : "incomingServer";

  return stralloc_catm(out, "    <", name, " type=\"", s->type, "\">\n", (char *)0) && element(out, "      ", "hostname", c->host) &&
         number(out, "      ", "port", s->port) && element(out, "      ", "socketType", s->tls ? "SSL" : "STARTTLS") &&
         element(out, "      ", "authentication", "password-cleartext") && element(out, "      ", "username", "%EMAILADDRESS%") &&
         stralloc_catm(out, "    </", name, ">\n", (char *)0);
}

int client_config_autoconfig(const struct client_config *c, stralloc *out) {
  if (!stralloc_cats(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n  <emailProvider id=\"") ||
      !cat_escaped(out, c->domain) || !stralloc_cats(out, "\">\n") || !element(out, "    ", "domain", c->domain) ||
      !element(out, "    ", "displayName", c->domain) || !element(out, "    ", "displayShortName", c->domain))
    return 0;
  for (size_t i = 0; i < SERVICES; ++i)
    if (!autoconfig_server(out, c, &services[i])) return 0;
  return stralloc_cats(out, "  </emailProvider>\n</clientConfig>\n");
}

static int autodiscover_protocol(stralloc *out, const struct client_config *c, const struct service *s) {
  return stralloc_cats(out, "      <Protocol>\n") && element(out, "        ", "Type", s->outlook) && element(out, "        ", "Server", c->host) &&
         number(out, "        ", "Port", s->port) && element(out, "        ", "DomainRequired", "off") && element(out, "        ", "SPA", "off") &&
         element(out, "        ", "SSL", "on") && element(out, "        ", "AuthRequired", "on") && stralloc_cats(out, "      </Protocol>\n");
}

int client_config_autodiscover(const struct client_config *c, stralloc *out) {
  static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                             "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n"
                             "  <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">\n"
                             "    <Account>\n      <AccountType>email</AccountType>\n      <Action>settings</Action>\n";

  if (!stralloc_cats(out, head)) return 0;
  for (size_t i = 0; i < SERVICES; ++i)
    if (services[i].outlook && !autodiscover_protocol(out, c, &services[i])) return 0;
  return stralloc_cats(out, "    </Account>\n  </Response>\n</Autodiscover>\n");
}
