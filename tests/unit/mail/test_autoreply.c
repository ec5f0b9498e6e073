/* What is answered, and with what. */
#include "mail/autoreply.h"

#include <string.h>

#include "check.h"

#define US "To: \"Joe, here\" <Joe@Example.COM>\n"

/* Fields, each with its folds: null when it is to be answered. */
static const char *judge(const char *sender, const char *header, int lax) {
  struct autoreply a = {.sender = sender, .recipient = "joe@example.com", .lax = lax};
  const char *why;

  while (*header) {
    size_t n = 0;

    do n += strcspn(header + n, "\n") + 1;
    while (header[n] == ' ' || header[n] == '\t');
    CHECK(autoreply_field(&a, header, n));
    header += n;
  }
  why = autoreply_against(&a);
  autoreply_free(&a);
  return why;
}

static void judged(void) {
  static const struct {
    const char *sender, *header;
    int answered;
  } cases[] = {
      {"a@b.example", US, 1},
      {"a@b.example", "Cc: x@y.example,\n  joe@example.com\n", 1},
      {"a@b.example", "Resent-To: joe@example.com (Joe)\n", 1},
      {"a@b.example", "To: joe@example.org\n", 0},
      {"a@b.example", "Subject: joe@example.com\n", 0},
      {"a@b.example", "To: \"joe@example.com\" <x@example.com>\n", 0},
      {"a@b.example", "To: (\n", 0},
      {"", US, 0},
      {"#@[]", US, 0},
      {"a", US, 0},
      {"@b.example", US, 0},
      {"a@", US, 0},
      {"joe@example.com", US, 0},
      {"MAILER-DAEMON@b.example", US, 0},
      {"owner-list@b.example", US, 0},
      {"list-request@b.example", US, 0},
      {"No-Reply@b.example", US, 0},
      {"noreplyguy@b.example", US, 1},
      {"a@b.example", US "Auto-Submitted: auto-replied\n", 0},
      {"a@b.example", US "Auto-Submitted: no\n", 1},
      {"a@b.example", US "auto-submitted:\n NO (really)\n", 0}, /* folded: not unfolded here, and so not known */
      {"a@b.example", US "Auto-Submitted: notified\n", 0},
      {"a@b.example", US "Precedence: bulk\n", 0},
      {"a@b.example", US "Precedence: List\n", 0},
      {"a@b.example", US "Precedence: first-class\n", 1},
      {"a@b.example", US "List-Id: <x>\n", 0},
      {"a@b.example", US "X-Bogosity: Yes, tests=bogofilter\n", 0},
      {"a@b.example", US "X-Bogosity: No, tests=bogofilter\n", 1},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
    CHECK_CASE((judge(cases[i].sender, cases[i].header, 0) == 0) == cases[i].answered, cases[i].header);
  CHECK(judge("a@b.example", "", 1) == 0);
  CHECK(judge("a@b.example", "Precedence: bulk\n", 1) != 0);
}

static void composed(void) {
  struct autoreply a = {.sender = "a b@x.example", .recipient = "joe@example.com"};
  struct autoreply_answer w = {.from = "", .name = "", .prefix = "Re:", .type = "text/plain", .host = "mail.example.com", .now = 1795663470, .unique = 7};
  static const char want[] = "Date: 26 Nov 2026 03:24:30 +0000\nFrom: joe@example.com\nTo: \"a b\"@x.example\nSubject: Re: Hi there\n"
                             "Message-ID: <1795663470.7.autoreply@mail.example.com>\nIn-Reply-To: <2@x>\nReferences: <1@x> <2@x>\n"
                             "Auto-Submitted: auto-replied\nPrecedence: bulk\nMIME-Version: 1.0\nContent-Type: text/plain\n"
                             "Content-Transfer-Encoding: 8bit\n\nAbout Hi there: 100%, a b@x.example to joe@example.com %x%\n";
  static const char text[] = "About %S: 100%%, %r to %R %x%";
  stralloc out = STRALLOC_INIT;

  CHECK(autoreply_field(&a, "Subject: Hi\n there\n", 19) && autoreply_field(&a, "Message-ID: <2@x>\n", 18) && autoreply_field(&a, "References: <1@x>\n", 18));
  CHECK(autoreply_field(&a, "no field\n", 9));
  CHECK(autoreply_compose(&a, &w, text, strlen(text), &out));
  CHECK(stralloc_equals(&out, want));
  if (!stralloc_equals(&out, want)) puts(stralloc_cstr(&out));
  stralloc_cut(&out, 0);
  w.subject = "Away";
  w.name = "Joe";
  w.from = "office@example.com";
  CHECK(autoreply_compose(&a, &w, "", 0, &out) && strstr(out.s, "\nFrom: Joe <office@example.com>\n") && strstr(out.s, "\nSubject: Away\n"));
  stralloc_free(&out);
  autoreply_free(&a);
}

static void recipients(void) {
  static const struct {
    const char *given, *want;
  } cases[] = {
      {"joe@example.com", "joe@example.com"},
      {"example.com-joe@example.com", "joe@example.com"},
      {"Example.COM-joe-x@example.com", "joe-x@example.com"},
      {"example.com-@example.com", "example.com-@example.com"},
      {"example.comjoe@example.com", "example.comjoe@example.com"},
      {"example.net-joe@example.com", "example.net-joe@example.com"},
      {"joe@", "joe@"},
      {"@", "@"},
      {"-@", "-@"},
      {"", ""},
      {"joe", "joe"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) CHECK_CASE(!strcmp(autoreply_recipient(cases[i].given), cases[i].want), cases[i].given);
}

int main(void) {
  recipients();
  judged();
  composed();
  return check_done();
}
