/* rehearsal: a session of the real server without a client: it says what it is told to say, and
 * every check that is asked is printed, with what it saw and how it judged.  Nothing is queued,
 * nobody is made to wait; the DNS and inlookup are asked as ever.  smtp-explain(8) reads it.
 *
 * Output, fields separated by TABs, control characters written as ?:
 *   row NAME STAGE HOW VERDICT CODE STATUS TEXT   a check: HOW is on, warn, off or exempt
 *   in NAME VALUE                                 what of client and message it could see
 *   set ID ORIGIN WHERE VALUE                     a setting of it: default, file or variable
 *   reply COMMAND TEXT                            what the client is told
 * in and set stand behind their row. */
#ifndef SMTP_REHEARSAL_H
#define SMTP_REHEARSAL_H

/* "qmail-smtpd --explain" and what stands behind it (argv[0] is --explain): the table of checks
 * with their settings, or with options a rehearsal.  The exit status. */
int rehearsal_main(int argc, char **argv);

#endif
