/* imap_command: one IMAP command before login, taken apart (RFC 3501 9: tag, command,
 * astrings).  Pure: literals are announced by the parser and put in by the caller. */
#ifndef USER_IMAP_COMMAND_H
#define USER_IMAP_COMMAND_H

#include <stdint.h>

#include "base/stralloc.h"

#define IMAP_ARGS_MAX 24     /* kept; more are only counted */
#define IMAP_TAG_MAX 64
#define IMAP_LITERAL_MAX 1024

struct imap_command {
  stralloc tag, name;
  stralloc arg[IMAP_ARGS_MAX];
  unsigned args;
};

enum imap_parsed {
  IMAP_DONE,    /* the command is complete */
  IMAP_LITERAL, /* the line ends by announcing a literal: *size bytes; *sync: the client
                   waits to be told to go on */
  IMAP_BAD,     /* malformed; the tag is there if it could be read */
  IMAP_NOMEM,
};

/* Forget the last command (its arguments may hold a password). */
void imap_command_clear(struct imap_command *c);
/* The first line of a command. */
enum imap_parsed imap_command_line(struct imap_command *c, const char *line, size_t n, uint64_t *size,
                                   int *sync) MUST_CHECK;
/* The literal announced, then the line that follows it. */
enum imap_parsed imap_command_literal(struct imap_command *c, const char *literal, size_t len, const char *line,
                                      size_t n, uint64_t *size, int *sync) MUST_CHECK;
void imap_command_free(struct imap_command *c);

#endif
