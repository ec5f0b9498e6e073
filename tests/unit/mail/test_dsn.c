/* DSN parameters as text: what is taken, what comes out again, xtext. */
#include "mail/dsn.h"

#include "check.h"

static void mail(void) {
  static const struct {
    const char *text;
    int want;
    const char *again; /* null: as it was */
  } cases[] = {
      {"", 1, 0},
      {"RET=FULL", 1, 0},
      {"RET=HDRS ENVID=QQ+2B314", 1, 0},
      {"envid=x ret=full", 1, "RET=FULL ENVID=x"},
      {"RET=SOME", 0, 0},
      {"RET=", 0, 0},
      {"RET", 0, 0},
      {"RET=FULL RET=FULL", 0, 0},
      {"SMTPUTF8", 1, 0},
      {"ENVID=x SMTPUTF8 REQUIRETLS MT-PRIORITY=-9 HOLDUNTIL=1795663470 BY=1795663471;R", 1, 0},
      {"by=7;n mt-priority=9 requiretls", 1, "REQUIRETLS MT-PRIORITY=9 BY=7;N"},
      {"MT-PRIORITY=0", 1, ""},
      {"SMTPUTF8=", 0, 0},
      {"SMTPUTF8=1", 0, 0},
      {"SMTPUTF8 SMTPUTF8", 0, 0},
      {"REQUIRETLS=YES", 0, 0},
      {"MT-PRIORITY=10", 0, 0},
      {"MT-PRIORITY=--1", 0, 0},
      {"MT-PRIORITY=-", 0, 0},
      {"MT-PRIORITY", 0, 0},
      {"MT-PRIORITY=0 MT-PRIORITY=1", 0, 0},
      {"HOLDUNTIL=", 0, 0},
      {"HOLDUNTIL", 0, 0},
      {"HOLDUNTIL=-1", 0, 0},
      {"HOLDUNTIL=9223372036854775808", 0, 0},
      {"HOLDUNTIL=9223372036854775807", 1, 0},
      {"BY=", 0, 0},
      {"BY", 0, 0},
      {"BY=1;", 0, 0},
      {"BY=1;T", 0, 0},
      {"BY=1;RT", 1, 0},
      {"BY=1;nt", 1, "BY=1;NT"},
      {"BY=1;TR", 0, 0},
      {"BY=1;RTT", 0, 0},
      {"BY=1;TT", 0, 0},
      {"BY=;R", 0, 0},
      {"=x", 0, 0},
      {"ENVID=a ENVID=b", 0, 0},
      {"ENVID=a=b", 0, 0},
      {"ENVID=a+2", 0, 0},
      {"ENVID=a+zz", 0, 0},
      {"ENVID=\001", 0, 0},
      {"ENVID=a  RET=FULL", 0, 0},
      {" RET=FULL", 0, 0},
      {"RET=FULL ", 0, 0},
      {"NOTIFY=NEVER", 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const char *t = cases[i].text;
    stralloc out = STRALLOC_INIT;
    struct dsn_mail d;

    CHECK_CASE(dsn_mail_parse(t, strlen(t), &d) == cases[i].want, t);
    if (cases[i].want) CHECK_CASE(dsn_mail_format(&out, &d) && stralloc_equals(&out, cases[i].again ? cases[i].again : t), t);
    stralloc_free(&out);
  }
}

static void rcpt(void) {
  static const struct {
    const char *text;
    int want, tell;
    const char *again;
  } cases[] = {
      {"", 1, 1, 0},
      {"NOTIFY=NEVER", 1, 0, 0},
      {"NOTIFY=SUCCESS", 1, 0, 0},
      {"NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@x", 1, 1, 0},
      {"NOTIFY=delay,failure", 1, 1, "NOTIFY=FAILURE,DELAY"},
      {"ORCPT=rfc822;b+20c", 1, 1, 0},
      {"ORCPT=utf-8;\\x{fc}@x", 1, 1, 0},
      {"NOTIFY=NEVER,FAILURE", 0, 1, 0},
      {"NOTIFY=FAILURE,FAILURE", 0, 1, 0},
      {"NOTIFY=", 0, 1, 0},
      {"NOTIFY=FAILURE,", 0, 1, 0},
      {"NOTIFY=OFTEN", 0, 1, 0},
      {"ORCPT=bob@x", 0, 1, 0},
      {"ORCPT=;bob", 0, 1, 0},
      {"ORCPT=rfc822;", 0, 1, 0},
      {"ORCPT=rf c822;b", 0, 1, 0},
      {"ORCPT=a;b ORCPT=a;b", 0, 1, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const char *t = cases[i].text;
    stralloc out = STRALLOC_INIT;
    struct dsn_rcpt d;

    CHECK_CASE(dsn_rcpt_parse(t, strlen(t), &d) == cases[i].want, t);
    CHECK_CASE(dsn_tell_failure(t, strlen(t)) == cases[i].tell, t);
    if (cases[i].want) CHECK_CASE(dsn_rcpt_format(&out, &d) && stralloc_equals(&out, cases[i].again ? cases[i].again : t), t);
    stralloc_free(&out);
  }
}

static void forwarded(void) {
  static const struct {
    const char *text, *one, *several;
  } cases[] = {
      {"", "", ""},
      {"NOTIFY=SUCCESS", "NOTIFY=SUCCESS", "NOTIFY=NEVER"},
      {"NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@x", "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@x", "NOTIFY=DELAY ORCPT=rfc822;a@x"},
      {"NOTIFY=NEVER", "NOTIFY=NEVER", "NOTIFY=NEVER"},
      {"ORCPT=rfc822;a@x", "ORCPT=rfc822;a@x", "ORCPT=rfc822;a@x"},
      {"NOTIFY=OFTEN", "", ""},
  };
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    const char *t = cases[i].text;

    CHECK_CASE(dsn_rcpt_forward(&out, t, strlen(t), 0) && stralloc_equals(&out, cases[i].one), t);
    CHECK_CASE(dsn_rcpt_forward(&out, t, strlen(t), 1) && stralloc_equals(&out, cases[i].several), t);
  }
  CHECK(dsn_mail_forward(&out, "RET=HDRS ENVID=1 HOLDUNTIL=17 SMTPUTF8", 38) && stralloc_equals(&out, "RET=HDRS ENVID=1 SMTPUTF8"));
  CHECK(dsn_mail_forward(&out, "RET=WHAT", 8) && out.len == 0);
  stralloc_free(&out);
}

static void lengths(void) {
  char text[700];
  struct dsn_rcpt r;
  struct dsn_mail m;

  memset(text, 'a', sizeof text);
  memcpy(text, "ENVID=", 6);
  CHECK(dsn_mail_parse(text, 6 + DSN_ENVID_MAX, &m) && !dsn_mail_parse(text, 7 + DSN_ENVID_MAX, &m));
  memcpy(text, "ORCPT=x;", 8);
  CHECK(dsn_rcpt_parse(text, 6 + DSN_ORCPT_MAX, &r) && !dsn_rcpt_parse(text, 7 + DSN_ORCPT_MAX, &r));
}

static void xtext(void) {
  stralloc coded = STRALLOC_INIT, plain = STRALLOC_INIT;

  CHECK(dsn_xtext_encode(&coded, "a+b =c\n\377", 8) && stralloc_equals(&coded, "a+2Bb+20+3Dc+0A+FF"));
  CHECK(dsn_xtext_decode(&plain, coded.s, coded.len) && stralloc_equals(&plain, "a+b =c??"));
  stralloc_cut(&plain, 0);
  CHECK(dsn_xtext_decode(&plain, "a+4", 3) && stralloc_equals(&plain, "a+4"));
  stralloc_free(&coded);
  stralloc_free(&plain);
}

int main(void) {
  mail();
  rcpt();
  forwarded();
  lengths();
  xtext();
  return check_done();
}
