/* tcpto: the table of addresses that could not be reached, lock/tcpto of a queue, shared by its
 * remote deliveries, so that not every message waits for the same dead server.
 *
 * 64 records of 32 bytes: byte 0 address family (2 IPv4, 10 IPv6), byte 4 how often it failed in
 * a row (0: the record is free), bytes 8 to 11 time of the last failure that counted, seconds
 * since 1970, little-endian, bytes 16 on the address.  Nothing depends on what the table says
 * but when a server is tried: a record that makes no sense counts as free, a missing table as
 * empty. */
#ifndef QUEUE_TCPTO_H
#define QUEUE_TCPTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "net/ip.h"

#define TCPTO_FILE "lock/tcpto" /* below the queue's directory */
#define TCPTO_RECORDS 64
#define TCPTO_RECORD 32
#define TCPTO_BYTES (TCPTO_RECORDS * TCPTO_RECORD)
#define TCPTO_COUNT_MAX 10
#define TCPTO_ENOUGH 2 /* so many failures, and it is left alone */

struct tcpto_record {
  struct ip ip; /* family 0: free */
  unsigned count;
  uint32_t when;
};

/* The codec, of TCPTO_RECORD bytes: 1, or 0 for a free or senseless record. */
int tcpto_parse(const unsigned char *s, struct tcpto_record *r);
void tcpto_format(unsigned char *s, const struct tcpto_record *r);

/* Policy, on the n bytes of a table (n may be anything): may this address be tried at the time
 * now?  It is left alone for penalty seconds after its last failure; 0: never. */
enum tcpto_verdict { TCPTO_UNKNOWN, TCPTO_FAILED_BEFORE, TCPTO_LEAVE_ALONE };
enum tcpto_verdict tcpto_look(const unsigned char *table, size_t n, const struct ip *ip, int64_t now, uint64_t penalty);
/* Note a failure, or a success, in a whole table (TCPTO_BYTES).  A failure within tolerance
 * seconds of the last one is the same failure.  The record to be written, or -1: none. */
int tcpto_note(unsigned char *table, const struct ip *ip, int failed, int64_t now, uint64_t tolerance);

/* The same on the file below the current directory; whatever cannot be done is not done. */
enum tcpto_verdict tcpto_file_look(const struct ip *ip, int64_t now, uint64_t penalty);
void tcpto_file_note(const struct ip *ip, int failed, int64_t now, uint64_t tolerance);
/* Forget everything: 0, or -1 with errno. */
int tcpto_clear(void);
/* Read it: the number of bytes, or -1 with errno. */
int tcpto_read(unsigned char table[TCPTO_BYTES]);

#endif
