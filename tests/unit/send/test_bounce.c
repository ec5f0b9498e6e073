/* Bounces: the text in bounce/ID written and read back, what is found in a report, what is
 * learned of the message, and the letter around it. */
#include "send/bounce_format.h"
#include "send/bounce_text.h"

#include "check.h"

static void paragraphs(void) {
  static const struct {
    const char *recipient, *notify, *report, *want;
    enum bounce_action action;
  } cases[] = {
      {"a@b", 0, "No. (#5.1.1)\n", "<a@b>:\nNo. (#5.1.1)\n\n", BOUNCE_FAILED},
      {"a@b", 0, "no end", "<a@b>:\nno end\n\n", BOUNCE_FAILED},
      {"a@b", 0, "", "<a@b>:\n\n", BOUNCE_FAILED},
      {"a@b", 0, "one\n\ntwo\n", "<a@b>:\none\n/\ntwo\n\n", BOUNCE_FAILED},
      {"a@b", 0, "\n\n\nx", "<a@b>:\n/\n/\n/\nx\n\n", BOUNCE_FAILED},
      {"a\nb@c", 0, "x", "<a_b@c>:\nx\n\n", BOUNCE_FAILED},
      {"a@b", "NOTIFY=FAILURE ORCPT=rfc822;A+2Bx@b", "no\n", "<a@b>:\nOriginal recipient: rfc822;A+x@b\nno\n\n", BOUNCE_FAILED},
      {"a@b", "NOTIFY=FAILURE", "Original recipient: x;y\n", "<a@b>:\n Original recipient: x;y\n\n", BOUNCE_FAILED},
      {"a@b", "nonsense", "no\n", "<a@b>:\nno\n\n", BOUNCE_FAILED},
      {"a@b", 0, "did 1+0+0\n", "<a@b>:\nAction: delivered\ndid 1+0+0\n\n", BOUNCE_DELIVERED},
      {"a@b", "ORCPT=rfc822;x", "busy\n", "<a@b>:\nAction: delayed\nOriginal recipient: rfc822;x\nbusy\n\n", BOUNCE_DELAYED},
      {"a@b", 0, "Action: delayed\n", "<a@b>:\nAction: relayed\n Action: delayed\n\n", BOUNCE_RELAYED},
      {"a@b", 0, "Action: delayed\n", "<a@b>:\n Action: delayed\n\n", BOUNCE_FAILED},
  };
  stralloc all = STRALLOC_INIT;
  struct bounce_failure f;
  size_t pos = 0;

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    stralloc out = STRALLOC_INIT;

    CHECK_CASE(bounce_paragraph(&out, cases[i].action, cases[i].recipient, cases[i].notify, cases[i].report), cases[i].want);
    CHECK_CASE(stralloc_equals(&out, cases[i].want), out.s);
    CHECK(stralloc_cat(&all, &out));
    stralloc_free(&out);
  }
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    CHECK_CASE(bounce_text_next(all.s, all.len, &pos, &f), cases[i].want);
    CHECK_CASE(f.recipient_n == strlen(cases[i].recipient) && f.action == cases[i].action, cases[i].want);
    CHECK_CASE((f.original_n != 0) == (strstr(cases[i].notify ? cases[i].notify : "", "ORCPT") != 0), cases[i].want);
  }
  CHECK(!bounce_text_next(all.s, all.len, &pos, &f));
  stralloc_free(&all);
}

static void split(void) {
  static const struct {
    const char *text, *successes, *others;
  } cases[] = {
      {"", "", ""},
      {"<a>:\nno\n\n", "", "<a>:\nno\n\n"},
      {"<a>:\nno\n\n<b>:\nAction: delivered\ndid\n\n<c>:\nno\n\n<d>:\nAction: relayed\n\n",
       "<b>:\nAction: delivered\ndid\n\n<d>:\nAction: relayed\n\n", "<a>:\nno\n\n<c>:\nno\n\n"},
      {"<a>:\nAction: delayed\nno\n\n", "", "<a>:\nAction: delayed\nno\n\n"},
      {"<a>:\nAction: failed\n\n", "", "<a>:\nAction: failed\n\n"},
      {"\n\nanything", "", "anything"},
      {"<a>:\nAction: delivered\n\n<a>:", "<a>:\nAction: delivered\n\n", "<a>:"},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    stralloc successes = STRALLOC_INIT, others = STRALLOC_INIT;

    CHECK_CASE(bounce_text_split(cases[i].text, strlen(cases[i].text), &successes, &others), cases[i].text);
    CHECK_CASE(stralloc_equals(&successes, cases[i].successes) && stralloc_equals(&others, cases[i].others), cases[i].text);
    stralloc_free(&successes);
    stralloc_free(&others);
  }
}

/* Whatever stands in the file. */
static void any_text(void) {
  static const struct {
    const char *text;
    int want;
    size_t recipient_n, report_n;
  } cases[] = {
      {"", 0, 0, 0}, {"\n\n", 0, 0, 0}, {"hello\n", 1, 0, 6}, {"<a>:", 1, 0, 4}, {"<a>:\n", 1, 1, 0}, {"<>:\nx", 1, 0, 1},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct bounce_failure f;
    size_t pos = 0;

    CHECK_CASE(bounce_text_next(cases[i].text, strlen(cases[i].text), &pos, &f) == cases[i].want, cases[i].text);
    CHECK_CASE(f.recipient_n == cases[i].recipient_n && f.report_n == cases[i].report_n, cases[i].text);
  }
}

static void facts(void) {
  static const struct {
    const char *report, *status, *said, *mta;
  } cases[] = {
      {"Sorry, no mailbox here by that name. (#5.1.1)\n", "5.1.1", "", ""},
      {"what?\n", "5.0.0", "", ""},
      {"(#5.1) (#55.1.1) (#5.1.1 (#3.1.1)\n", "5.0.0", "", ""},
      {"delivered (#2.0.0)\n", "5.0.0", "", ""},
      {"CNAME failed. (#4.4.3)\nI have tried for too long.\n", "4.4.3", "", ""},
      {"(#4.4.1) then (#5.4.12)", "5.4.12", "", ""},
      {"10.1.2.3 does not like recipient.\nRemote host said: 550 5.7.1 go away\nGiving up on 10.1.2.3.\n", "5.7.1",
       "550 5.7.1 go away", "10.1.2.3"},
      {"10.1.2.3 does not like recipient.\nRemote host said: 550-5.1.1 one\n550 5.1.1 two\nGiving up\n", "5.1.1",
       "550-5.1.1 one\n550 5.1.1 two", "10.1.2.3"},
      {"::1 failed.\nRemote host said: 554 no code\n", "5.0.0", "554 no code", "::1"},
      {"mx.example.org: no\nRemote host said: 450 4.2.2 x", "4.2.2", "450 4.2.2 x", "mx.example.org"},
      {"Connected to 1.2.3.4 but my name was rejected.\nRemote host said: 550 2.1.1 odd\n", "5.0.0", "550 2.1.1 odd", "1.2.3.4"},
      {"Remote host said: hello (#5.5.0)", "5.5.0", "hello (#5.5.0)", ""},
      {"Remote host said: \n", "5.0.0", "", ""},
      {"nobody\nRemote host said: 550", "5.0.0", "550", ""},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct bounce_facts f;

    bounce_facts(cases[i].report, strlen(cases[i].report), &f);
    CHECK_CASE(!strcmp(f.status, cases[i].status), cases[i].report);
    CHECK_CASE(f.said_n == strlen(cases[i].said) && !memcmp(f.said_n ? f.said : "", cases[i].said, f.said_n), cases[i].report);
    CHECK_CASE(f.mta_n == strlen(cases[i].mta) && !memcmp(f.mta_n ? f.mta : "", cases[i].mta, f.mta_n), cases[i].report);
  }
}

static void scan(size_t step) {
  static const struct {
    const char *text;
    uint64_t header;
    int h8, bad, b8, found;
  } cases[] = {
      {"A: b\n\nbody\n", 6, 0, 0, 0, 0},
      {"A: b\n", 5, 0, 0, 0, 0},
      {"\nbody", 1, 0, 0, 0, 0},
      {"A: \303\274\n\nbody", 7, 1, 0, 0, 0},
      {"A: \374\n\nbody", 6, 1, 1, 0, 0},
      {"A: \303\n\n", 6, 1, 1, 0, 0},
      {"A: b\n\n\374", 6, 0, 0, 1, 0},
      {"A: =_0", 6, 0, 0, 0, 0},
      {"A: ==_01\n", 9, 0, 0, 0, 1},
      {"A: b\n\n--=_0=_01--", 6, 0, 0, 0, 1},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const char *t = cases[i].text;
    size_t n = strlen(t);
    struct bounce_scan b;

    bounce_scan_init(&b, "=_01");
    for (size_t j = 0; j < n; j += step) bounce_scan_feed(&b, t + j, step < n - j ? step : n - j);
    CHECK_CASE(b.size == n && b.header_size == cases[i].header, t);
    CHECK_CASE(b.header_8bit == cases[i].h8 && b.header_bad == cases[i].bad, t);
    CHECK_CASE(b.body_8bit == cases[i].b8 && b.found == cases[i].found, t);
  }
}

static void utf8(void) {
  static const struct {
    const char *text;
    int want, eight;
  } cases[] = {{"", 1, 0}, {"abc", 1, 0}, {"\303\274", 1, 1}, {"\303", 0, 1}, {"\300\200", 0, 1}, {"\355\240\200", 0, 1},
               {"\342\202\254", 1, 1}, {"\360\237\230\200", 1, 1}, {"\364\220\200\200", 0, 1}, {"\200", 0, 1}};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    int eight;

    CHECK_CASE(bounce_utf8(cases[i].text, strlen(cases[i].text), &eight) == cases[i].want, cases[i].text);
    CHECK_CASE(eight == cases[i].eight, cases[i].text);
  }
}

/* The letter: each case names what must be in it, and what must not. */
static void letters(void) {
  static const struct {
    const char *name, *header, *text, *dsn;
    int qsbmf, only_header;
    const char *in[6], *out[3];
  } cases[] = {
      {"report", "A: b\n\n", "<a@b>:\nno (#5.1.1)\n\n", "ENVID=Q+2B1", 0, 0,
       {"report-type=delivery-status;\n boundary=\"=_0001", "\nContent-Type: text/plain; charset=us-ascii\n",
        "\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: 7bit\n\nReporting-MTA: dns; me.example\n"
        "Original-Envelope-Id: Q+1\nArrival-Date: ",
        "\n\nFinal-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.1.1\n\n", "\nContent-Type: message/rfc822\n", "From: D@h\n"},
       {"Original-Recipient", "Diagnostic", "8bit"}},
      {"orcpt, reply", "A: b\n\n",
       "<a@b>:\nOriginal recipient: rfc822;c@d\n1.2.3.4 no.\nRemote host said: 550-5.2.1 x\n550 5.2.1 y\n\n", "", 0, 1,
       {"\nOriginal-Recipient: rfc822; c@d\nFinal-Recipient: rfc822; a@b\nAction: failed\nStatus: 5.2.1\n"
        "Remote-MTA: dns; [1.2.3.4]\nDiagnostic-Code: smtp; 550-5.2.1 x 550 5.2.1 y\n",
        "\nContent-Type: text/rfc822-headers\n"},
       {"message/rfc822", "Original-Envelope-Id"}},
      {"utf-8", "A: \303\274\n\n", "<\303\274@b>:\nno\n\n", "", 0, 0,
       {"charset=utf-8\nContent-Transfer-Encoding: 8bit\n", "message/global-delivery-status", "Final-Recipient: utf-8; \303\274@b\n",
        "Content-Type: message/global\n"}, {"us-ascii"}},
      {"utf-8 header", "A: \303\274\n\n", "<a@b>:\nno\n\n", "", 0, 1,
       {"message/delivery-status", "Content-Type: message/global-headers\nContent-Transfer-Encoding: 8bit"}, {0}},
      {"8 bit, not UTF-8", "A: \374\n\n", "<\374@b>:\nno\n\n", "", 0, 0,
       {"message/delivery-status", "Final-Recipient: rfc822; ?@b\n", "message/rfc822\nContent-Transfer-Encoding: 8bit", "<?@b>:"}, {"global"}},
      {"qsbmf", "A: b\n\n", "<a@b>:\nno\n\n", "", 1, 0, {"\n\nHi. This is the ", "<a@b>:\nno\n\n--- Below this line is the message.\n\n"},
       {"MIME-Version", "boundary"}},
  };
  static const unsigned char random[16] = {0, 1};
  char boundary[BOUNCE_BOUNDARY];

  bounce_boundary(boundary, random);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    stralloc sender = STRALLOC_INIT, text = STRALLOC_INIT, out = STRALLOC_INIT;
    struct bounce_scan b;
    struct bounce_letter l = {.qsbmf = cases[i].qsbmf, .only_header = cases[i].only_header, .from = "D", .host = "h",
                              .me = "me.example", .subject = "s", .message = "", .to = &sender, .sender = &sender, .text = &text,
                              .dsn = cases[i].dsn, .dsn_n = strlen(cases[i].dsn), .scan = &b};

    CHECK(stralloc_copys(&sender, "s@x") && stralloc_copys(&text, cases[i].text));
    bounce_scan_init(&b, boundary);
    bounce_scan_feed(&b, cases[i].header, strlen(cases[i].header));
    CHECK(bounce_format_head(&out, &l) && bounce_format_tail(&out, &l, 1));
    for (size_t j = 0; j < 6 && cases[i].in[j]; ++j) CHECK_CASE(strstr(out.s, cases[i].in[j]), cases[i].in[j]);
    for (size_t j = 0; j < 3 && cases[i].out[j]; ++j) CHECK_CASE(!strstr(out.s, cases[i].out[j]), cases[i].name);
    for (long n = 1;; ++n) {
      int ok;

      stralloc_free(&out);
      check_nomem(n);
      ok = bounce_format_head(&out, &l) && bounce_format_tail(&out, &l, 1);
      if (check_allocs() < n) break;
      CHECK_CASE(!ok, cases[i].name);
    }
    check_nomem(0);
    stralloc_free(&sender);
    stralloc_free(&text);
    stralloc_free(&out);
  }
}

int main(void) {
  paragraphs();
  split();
  any_text();
  facts();
  scan(1);
  scan(3);
  scan(1000);
  utf8();
  letters();
  return check_done();
}
