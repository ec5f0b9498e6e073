/* spawn_proto: what qmail-send and its spawners say to each other.
 *
 * A spawner first writes two bytes, the number of deliveries it can run at once,
 * little-endian.  Command: two bytes delivery number, little-endian, then strings ended
 * by NUL: S/ID of the message below mess/, its id (queue/messid.h), sender, extra header lines
 * (QQEH), captured header lines (ENVHEADERS), DSN parameters of MAIL (mail/dsn.h); one or more
 * times a recipient and its DSN parameters; and an empty string.  Report: two
 * bytes delivery number, then K, Z or D and a text, ended by NUL; one for each recipient
 * of the command, in its order, so the delivery is over with the last one. */
#ifndef QUEUE_SPAWN_PROTO_H
#define QUEUE_SPAWN_PROTO_H

#include <stdint.h>

#include "base/stralloc.h"

#define SPAWN_LIMIT 500       /* deliveries a spawner runs at once */
#define SPAWN_TEXT_MAX 10000  /* longer report texts are cut */
#define SPAWN_COMMAND_MAX 1048576
#define SPAWN_RECIPIENTS_MAX 500 /* in one command */
/* At the end of the first line of a K report, before what a server replied: that server will
 * send the notices the sender asked for (RFC 3461). */
#define SPAWN_DSN_TAKEN " accepted message and will send notices."

/* At the end of a K report of a local delivery: a forward, and nothing else, to one address that
 * took over what the sender asked. */
#define SPAWN_DSN_FORWARDED "\nnotices of it are asked of the next\n"

struct spawn_command {
  uint16_t delivery;
  uint64_t id;
  const char *messid, *sender, *extra, *captured, *dsn; /* borrowed, like the recipients */
  size_t n; /* recipients, at least one, none of them empty */
  const char *recipient[SPAWN_RECIPIENTS_MAX];
  const char *notify[SPAWN_RECIPIENTS_MAX]; /* DSN parameters of each, or "" */
};

struct spawn_report {
  uint16_t delivery;
  char result;      /* K, Z, D; anything else counts as Z */
  const char *text; /* borrowed */
};

int spawn_command_format(stralloc *out, const struct spawn_command *c) MUST_CHECK;
int spawn_report_format(stralloc *out, uint16_t delivery, char result, const char *text, size_t n)
    MUST_CHECK;

/* Reading, in pieces of any size: add bytes, then take what is complete. */
struct spawn_reader {
  stralloc buf;
  size_t taken; /* bytes of buf that the last record used */
  int skipping; /* the rest of a report that was cut */
};
int spawn_reader_add(struct spawn_reader *r, const char *s, size_t n) MUST_CHECK;
/* 1 taken, 0 more bytes are needed, -1 malformed or too long: the stream cannot be
 * trusted any more.  What is borrowed lives until the next call. */
int spawn_command_take(struct spawn_reader *r, struct spawn_command *c) MUST_CHECK;
/* The same, but nothing is malformed: of a text that is longer than SPAWN_TEXT_MAX the
 * beginning is given, and the rest is dropped as it comes.  1 or 0. */
int spawn_report_take(struct spawn_reader *r, struct spawn_report *rep) MUST_CHECK;
void spawn_reader_free(struct spawn_reader *r);

#endif
