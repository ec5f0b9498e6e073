/* What reports say about a destination: those qmail-remote writes, and replies of servers. */
#include "send/feedback.h"

#include "check.h"

int main(void) {
  static const struct {
    char result;
    const char *text;
    enum feedback want;
  } cases[] = {
      {'K', "192.0.2.1 accepted message.\nRemote host said: 250 ok\n", FEEDBACK_ALIVE},
      {'D', "192.0.2.1 does not like recipient.\nRemote host said: 550 no\n", FEEDBACK_ALIVE},
      {'D', "Unable to run qmail-remote. (#5.3.5)\n", FEEDBACK_NOTHING},
      {'Z', "No server of a.example would take the message; the last, 192.0.2.1: unable to connect: Connection refused. (#4.4.1)\n",
       FEEDBACK_UNREACHABLE},
      {'Z', "No server of a.example would take the message; the last, 192.0.2.1: greeting failed: 421 busy. (#4.4.1)\n",
       FEEDBACK_SLOW},
      {'Z', "Name lookup failed temporarily for a.example. (#4.4.3)\n", FEEDBACK_UNREACHABLE},
      {'Z', "There is no host of that name: relay r of smtproutes. (#4.4.4)\n", FEEDBACK_UNREACHABLE},
      {'Z', "Connected to 192.0.2.1 but the connection was closed. (#4.4.2)\n", FEEDBACK_SLOW},
      {'Z', "192.0.2.1 but sender was rejected.\nRemote host said: 421 4.7.0 too many connections\n", FEEDBACK_SLOW},
      {'Z', "192.0.2.1 does not like recipient.\nRemote host said: 450 4.7.1 rate limit\n", FEEDBACK_SLOW},
      {'Z', "192.0.2.1 does not like recipient.\nRemote host said: 451-4.7.1 x\n451 4.7.1 rate limit\n", FEEDBACK_SLOW},
      {'Z', "192.0.2.1 does not like recipient.\nRemote host said: 452 4.3.1 no space\n", FEEDBACK_SLOW},
      {'Z', "192.0.2.1 does not like recipient.\nRemote host said: 452 4.5.3 too many recipients\n", FEEDBACK_ALIVE},
      {'Z', "192.0.2.1 does not like recipient.\nRemote host said: 451 4.7.1 Greylisted, come back\n", FEEDBACK_ALIVE},
      {'Z', "192.0.2.1 does not like recipient.\nRemote host said: 450 4.2.2 mailbox full\n", FEEDBACK_ALIVE},
      {'Z', "192.0.2.1 does not like recipient.\nRemote host said: 450 try user 421 later\n", FEEDBACK_ALIVE},
      {'Z', "qmail-remote crashed. (#4.3.0)\n", FEEDBACK_NOTHING},
      {'Z', "The delivery took too long and was ended. (#4.4.7)\n", FEEDBACK_SLOW},
      {'Z', "", FEEDBACK_NOTHING},
      {0, "garbage", FEEDBACK_NOTHING},
      {'x', "garbage", FEEDBACK_NOTHING},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
    CHECK_CASE(feedback_of(cases[i].result, cases[i].text) == cases[i].want, cases[i].text);
  return check_done();
}
