/* Which notices a sender gets besides bounces. */
#include "send/notice.h"

#include "check.h"
#include "mail/dsn.h"

static void wanted(void) {
  static const struct {
    const char *sender, *notify;
    int success, delay;
  } cases[] = {
      {"a@b", "", 0, 0},
      {"a@b", "NOTIFY=NEVER", 0, 0},
      {"a@b", "NOTIFY=FAILURE", 0, 0},
      {"a@b", "ORCPT=rfc822;x", 0, 0},
      {"a@b", "NOTIFY=SUCCESS", 1, 0},
      {"a@b", "NOTIFY=delay,failure", 0, 1},
      {"a@b", "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x", 1, 1},
      {"a@b", "nonsense", 0, 0},
      {"", "NOTIFY=SUCCESS,DELAY", 0, 0},
      {"#@[]", "NOTIFY=SUCCESS,DELAY", 0, 0},
      {"a-@b-@[]", "NOTIFY=SUCCESS", 1, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct message *m = message_new(1, 1000);

    message_set_head(m, cases[i].sender, "", "");
    message_add_recipient(m, CHANNEL_LOCAL, 0, "x@y");
    message_set_notify(m, cases[i].notify);
    CHECK_CASE(notice_wanted(m, &m->recipient[0], DSN_SUCCESS) == cases[i].success, cases[i].notify);
    CHECK_CASE(notice_wanted(m, &m->recipient[0], DSN_DELAY) == cases[i].delay, cases[i].notify);
    message_free(m);
  }
}

static void traced(void) {
  static const struct {
    const char *sender, *notify;
    enum channel channel;
    int want;
  } cases[] = {
      {"a@b", "", CHANNEL_REMOTE, 1},        {"a@b", "NOTIFY=FAILURE", CHANNEL_REMOTE, 1}, {"a@b", "NOTIFY=NEVER", CHANNEL_REMOTE, 0},
      {"a@b", "", CHANNEL_LOCAL, 0},         {"", "", CHANNEL_REMOTE, 0},                  {"#@[]", "", CHANNEL_REMOTE, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
    for (uint8_t trace = 0; trace < 2; ++trace) {
      struct message *m = message_new(1, 1000);

      message_set_head(m, cases[i].sender, "", "");
      message_add_recipient(m, cases[i].channel, 0, "x@y");
      message_set_notify(m, cases[i].notify);
      m->by_trace = trace;
      CHECK_CASE(notice_traced(m, &m->recipient[0]) == (trace && cases[i].want), cases[i].notify);
      message_free(m);
    }
}

static void success(void) {
  static const struct {
    const char *report;
    enum channel channel;
    int tell;
    enum bounce_action action;
  } cases[] = {
      {"did 1+0+0\n", CHANNEL_LOCAL, 1, BOUNCE_DELIVERED},
      {"did 0+0+1\n", CHANNEL_LOCAL, 1, BOUNCE_DELIVERED},
      {"did 0+0+0\n", CHANNEL_LOCAL, 1, BOUNCE_DELIVERED},
      {"did 0+2+0\nqp 7\n", CHANNEL_LOCAL, 1, BOUNCE_EXPANDED},
      {"did 0+1+0\nqp 7\n", CHANNEL_LOCAL, 1, BOUNCE_RELAYED},
      {"did 0+10+0\nqp 7\n", CHANNEL_LOCAL, 1, BOUNCE_EXPANDED},
      {"did 0+1+0\nqp 7\nnotices of it are asked of the next\n", CHANNEL_LOCAL, 0, BOUNCE_RELAYED},
      {"did 0+2+0\nqp 7\nnotices of it are asked of the next\n", CHANNEL_LOCAL, 1, BOUNCE_EXPANDED},
      {"did 0+1+1\nqp 7\n", CHANNEL_LOCAL, 1, BOUNCE_DELIVERED},
      {"did 0+12+1\nqp 7\n", CHANNEL_LOCAL, 1, BOUNCE_DELIVERED},
      {"did 1+1+0\nqp 7\n", CHANNEL_LOCAL, 1, BOUNCE_DELIVERED},
      {"", CHANNEL_LOCAL, 1, BOUNCE_DELIVERED},
      {"1.2.3.4 accepted message.\nRemote host said: 250 ok\n", CHANNEL_REMOTE, 1, BOUNCE_RELAYED},
      {"1.2.3.4 accepted message and will send notices.\nRemote host said: 250 ok\n", CHANNEL_REMOTE, 0, BOUNCE_RELAYED},
      {"1.2.3.4 accepted message.\nRemote host said: 250 1.2.3.4 accepted message and will send notices.\n", CHANNEL_REMOTE, 1,
       BOUNCE_RELAYED},
      {"", CHANNEL_REMOTE, 1, BOUNCE_RELAYED},
      {"did 1+0+0\n", CHANNEL_REMOTE, 1, BOUNCE_RELAYED},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    enum bounce_action action;

    CHECK_CASE(notice_success(cases[i].channel, cases[i].report, &action) == cases[i].tell, cases[i].report);
    CHECK_CASE(action == cases[i].action, cases[i].report);
  }
}

static void late(void) {
  CHECK(notice_is_late(100, 200, 100) && !notice_is_late(100, 199, 100));
  CHECK(!notice_is_late(100, 1000000, 0) && !notice_is_late(200, 100, 1));
  CHECK(!notice_is_late(0, INT64_MAX, UINT64_MAX) && notice_is_late(0, INT64_MAX, INT64_MAX));
}

int main(void) {
  wanted();
  traced();
  success();
  late();
  return check_done();
}
