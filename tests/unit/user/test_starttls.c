/* What a client is told before TLS. */
#include "user/starttls.h"

#include "check.h"

static const struct {
  const char *protocol, *line, *want;
  enum starttls_next next;
} cases[] = {
    {"smtp", "EHLO x", "250-h\r\n250 STARTTLS\r\n", STARTTLS_STAY},
    {"smtp", "helo x", "250 h\r\n", STARTTLS_STAY},
    {"smtp", "StartTLS", "220 2.0.0 begin TLS negotiation now\r\n", STARTTLS_BEGIN},
    {"smtp", "STARTTLSX", "530 5.7.0 say STARTTLS first\r\n", STARTTLS_FAULT},
    {"smtp", "START", "530 5.7.0 say STARTTLS first\r\n", STARTTLS_FAULT},
    {"smtp", "AUTH PLAIN xxx", "530 5.7.0 say STARTTLS first\r\n", STARTTLS_FAULT},
    {"smtp", "", "530 5.7.0 say STARTTLS first\r\n", STARTTLS_FAULT},
    {"smtp", "quit", "221 2.0.0 goodbye\r\n", STARTTLS_END},
    {"pop3", "CAPA", "+OK what I can do\r\nSTLS\r\n.\r\n", STARTTLS_STAY},
    {"pop3", "stls", "+OK begin TLS negotiation now\r\n", STARTTLS_BEGIN},
    {"pop3", "USER joe", "-ERR say STLS first\r\n", STARTTLS_FAULT},
    {"pop3", "QUIT", "+OK goodbye\r\n", STARTTLS_END},
    {"imap", "a1 CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done\r\n", STARTTLS_STAY},
    {"imap", "a2 starttls", "a2 OK begin TLS negotiation now\r\n", STARTTLS_BEGIN},
    {"imap", "a3 LOGIN joe secret", "a3 NO [PRIVACYREQUIRED] say STARTTLS first\r\n", STARTTLS_FAULT},
    {"imap", "a4 LOGOUT", "* BYE goodbye\r\na4 OK done\r\n", STARTTLS_END},
    {"imap", "STARTTLS", "* BAD malformed command\r\n", STARTTLS_FAULT},
    {"imap", "a5 ", "* BAD malformed command\r\n", STARTTLS_FAULT},
    {"imap", "", "* BAD malformed command\r\n", STARTTLS_FAULT},
    {"imap", " STARTTLS", "* BAD malformed command\r\n", STARTTLS_FAULT},
    {"imap", "%h STARTTLS", "* BAD malformed command\r\n", STARTTLS_FAULT},
    {"imap", "a\x01 STARTTLS", "* BAD malformed command\r\n", STARTTLS_FAULT},
};

static const struct {
  const char *protocol, *line;
  int ends;
} greetings[] = {
    {"smtp", "220 host ESMTP", 1}, {"smtp", "220-host", 0}, {"smtp", "220", 1}, {"smtp", "", 1},
    {"pop3", "+OK-", 1},           {"imap", "* OK", 1},     {"imap", "220-x", 1},
};

int main(void) {
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    stralloc_cut(&out, 0);
    CHECK_CASE(starttls_command(starttls_find(cases[i].protocol), cases[i].line, "h", &out) == cases[i].next, cases[i].line);
    CHECK_CASE(stralloc_equals(&out, cases[i].want), cases[i].line);
  }
  for (size_t i = 0; i < sizeof greetings / sizeof *greetings; ++i)
    CHECK_CASE(starttls_greeting_ends(starttls_find(greetings[i].protocol), greetings[i].line) == greetings[i].ends, greetings[i].line);
  CHECK(!starttls_find("") && !starttls_find("SMTP") && !starttls_find("nntp"));
  stralloc_free(&out);
  return check_done();
}
