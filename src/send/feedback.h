/* feedback: what the report of a remote delivery says about the destination, whatever it
 * says about the recipient.  Pure. */
#ifndef SEND_FEEDBACK_H
#define SEND_FEEDBACK_H

/* In rising order: of the reports of one transaction the highest counts. */
enum feedback {
  FEEDBACK_NOTHING,     /* it failed on our side */
  FEEDBACK_ALIVE,       /* it answered, with yes or no */
  FEEDBACK_SLOW,        /* it answered that we send too much at once, or hung up on us */
  FEEDBACK_UNREACHABLE, /* nobody answered */
};

/* result is K, Z or D, text the report. */
enum feedback feedback_of(char result, const char *text);

#endif
