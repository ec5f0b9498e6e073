/* data_reader: what follows DATA (RFC 5321 4.5.2) or BDAT (RFC 3030), as a state machine fed
 * with any number of bytes at a time.
 *
 * Only CR LF . CR LF ends the message.  Dots at the start of a line are taken off,
 * line ends come out as LF, and Received and Delivered-To fields are counted.  A bare
 * LF, a bare CR or a NUL is noted, for the caller to refuse the message at its end;
 * a dot alone on a line that others might take for the end is said at once, because
 * nothing behind it can be trusted to be what the client meant.
 *
 * Bytes of chunks have no end of their own and no dots taken off; else the same holds. */
#ifndef MAIL_DATA_READER_H
#define MAIL_DATA_READER_H

#include <stddef.h>
#include <stdint.h>

#define DATA_BARE_LF 1u
#define DATA_BARE_CR 2u
#define DATA_NUL 4u

enum data_verdict {
  DATA_MORE,
  DATA_END,
  DATA_AMBIGUOUS, /* LF . LF, LF . CR LF, CR LF . LF and the like */
};

enum data_state {
  DATA_AT_START = 0, /* after CR LF */
  DATA_AT_START_BAD, /* after a bare LF or CR */
  DATA_DOT,
  DATA_DOT_CR,
  DATA_DOT_BAD,
  DATA_DOT_BAD_CR,
  DATA_TEXT,
  DATA_TEXT_CR,
};

/* Zeroed before use. */
struct data_reader {
  enum data_state state;
  unsigned flaws;  /* DATA_ bits */
  uint64_t bytes;  /* given to the sink */
  uint64_t hops;   /* Received and Delivered-To fields */
  int in_body;
  size_t column;   /* in a header line */
  unsigned fields; /* names the line's start still fits */
};

typedef void (*data_sink)(void *ctx, const char *s, size_t n);

/* Takes up to n bytes; *used says how many (all of them on DATA_MORE). */
enum data_verdict data_feed(struct data_reader *r, const char *s, size_t n, size_t *used, data_sink sink,
                            void *ctx);

/* Takes bytes of chunks, all of them, or of a message whose length is told beforehand: no dot ends it
 * and none is taken off; where one chunk ends and the next begins means nothing. */
void data_feed_chunk(struct data_reader *r, const char *s, size_t n, data_sink sink, void *ctx);
/* The last one is over: a CR that waited for its LF was a bare one. */
void data_end_chunks(struct data_reader *r, data_sink sink, void *ctx);
/* The same of a message whose lines end in LF. */
void data_feed_lines(struct data_reader *r, const char *s, size_t n, data_sink sink, void *ctx);
/* Of a message that is taken as it is, whatever its bytes: only counts the fields of its header. */
void data_count_hops(struct data_reader *r, const char *s, size_t n);

#endif
