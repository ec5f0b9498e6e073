/* journal_record: how accepted messages stand in a segment of a queue's journal.
 *
 * A segment begins with a block of JOURNAL_BLOCK bytes: "IMjournl", the number of the
 * first batch that counts (8 bytes, little-endian like all numbers), a checksum of these
 * (4).  Behind it come batches, each beginning at a multiple of JOURNAL_BLOCK, so that
 * nothing that was synced is written again.  A batch is records, each: "IMrecord", batch
 * number (8), boot (8, which run of the system wrote it), id of the message (8), length of
 * the envelope (4) and of the message (4), checksum of all of this, envelope and message
 * (4), zero (4), then the envelope in the form of a file (envelope.h) and the message,
 * then zeros up to a multiple of 8. */
#ifndef QUEUE_JOURNAL_RECORD_H
#define QUEUE_JOURNAL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/stralloc.h"

#define JOURNAL_BLOCK 4096
#define JOURNAL_RECORD_HEAD 48

struct journal_record {
  uint64_t batch, boot, id;
  const char *envelope, *message; /* borrowed */
  size_t envelope_n, message_n;
};

/* Append a record: 1, or 0 (no memory, or too long). */
int journal_record_format(stralloc *out, const struct journal_record *r) MUST_CHECK;
/* Append zeros up to the next block: 1 or 0. */
int journal_pad(stralloc *out) MUST_CHECK;
/* The segment's first block. */
int journal_head_format(stralloc *out, uint64_t first_batch) MUST_CHECK;
int journal_head_parse(const char *s, size_t n, uint64_t *first_batch);

/* Walk a segment: *pos is 0 at first, *last the batch of the record before.  1 with r
 * filled, 0 at the end: what is torn, or left from an earlier use, is behind the end. */
int journal_next(const char *s, size_t n, uint64_t first_batch, size_t *pos, uint64_t *last, struct journal_record *r);

#endif
