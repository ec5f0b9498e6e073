/* control_proto: the lines spoken on send/control, the Unix socket of a running qmail-send.
 *
 * A request is a line, COMMAND [BY [WHAT]]; BY is all, id, domain or sender.  The answer is
 * any number of records and at last an ok or error record, each a line.  Words are separated
 * by one blank; in a word every byte outside 33..126, and %, is written %XX; - alone is an
 * empty word (a - that stands alone is written %2D).  Requests may be sent ahead.
 *
 * The same lines, hold, release and expire only, are kept in send/orders (orders.h). */
#ifndef SEND_CONTROL_PROTO_H
#define SEND_CONTROL_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/stralloc.h"
#include "base/strlist.h"

#define CONTROL_SOCKET "send/control" /* below the queue's directory */
#define CONTROL_LINE_MAX 4096 /* bytes of a line, with its LF */

enum control_command {
#define CONTROL_COMMAND(name, by, right, function, meaning) CONTROL_##name,
#include "send/control.def"
#undef CONTROL_COMMAND
  CONTROL_COMMANDS
};
enum control_right { CONTROL_STATUS, CONTROL_ORDER, CONTROL_TURN_RIGHT };
enum control_by { CONTROL_BY_NOTHING, CONTROL_BY_ALL, CONTROL_BY_ID, CONTROL_BY_DOMAIN, CONTROL_BY_SENDER, CONTROL_BYS };

struct control_command_row {
  const char *name, *by;
  enum control_right right;
};
extern const struct control_command_row control_commands[CONTROL_COMMANDS];
extern const char *const control_by_names[CONTROL_BYS];
/* Index of the command of this name, or -1; and of what it goes by. */
int control_command_named(const char *name);
int control_by_named(const char *name);
/* May this command go by that? */
int control_allows(enum control_command c, enum control_by by);

enum control_record_kind {
#define CONTROL_RECORD(name, columns, meaning) CONTROL_RECORD_##name,
#include "send/control.def"
#undef CONTROL_RECORD
  CONTROL_RECORDS
};
struct control_record_row {
  const char *name, *columns;
};
extern const struct control_record_row control_records[CONTROL_RECORDS];

struct control_request {
  enum control_command command;
  enum control_by by;
  uint64_t id;
  stralloc text; /* domain or sender; an empty sender is the null sender */
};
/* Append the line: 1, or 0 when memory ran out. */
int control_request_format(stralloc *out, const struct control_request *r) MUST_CHECK;
enum control_verdict { CONTROL_OK, CONTROL_BAD, CONTROL_NOMEM };
/* n bytes without the LF.  r is in any case one that can be freed. */
enum control_verdict control_request_parse(struct control_request *r, const char *s, size_t n) MUST_CHECK;
void control_request_free(struct control_request *r);

/* A record is written word by word, its name first, then control_end; all but the name get
 * a blank before them.  Nothing, or everything up to a failure, is appended. */
int control_begin(stralloc *out, enum control_record_kind kind) MUST_CHECK;
int control_word(stralloc *out, const char *s) MUST_CHECK;
int control_number(stralloc *out, int64_t n) MUST_CHECK;
int control_end(stralloc *out) MUST_CHECK;

struct control_record {
  enum control_record_kind kind;
  struct strlist word; /* as many as the record has columns */
};
enum control_verdict control_record_parse(struct control_record *r, const char *s, size_t n) MUST_CHECK;
/* The text of this column, "" if the record has none of that name. */
const char *control_column(const struct control_record *r, const char *name);
void control_record_free(struct control_record *r);

/* Lines out of a stream in pieces of any size. */
struct control_reader {
  stralloc buf;
  size_t taken;
};
int control_reader_add(struct control_reader *r, const char *s, size_t n) MUST_CHECK;
enum control_take { CONTROL_MORE, CONTROL_LINE, CONTROL_LONG };
/* The next line, without its LF; borrowed until the next call.  LONG is final. */
enum control_take control_take_line(struct control_reader *r, const char **s, size_t *n) MUST_CHECK;
void control_reader_free(struct control_reader *r);

#endif
