/* bounce_scan: what a bounce must know of the message it returns before it writes its
 * first line: how long header and message are, whether there are bytes above 127, and that
 * the boundary between the parts does not occur.  Fed in pieces of any size.  Pure. */
#ifndef SEND_BOUNCE_SCAN_H
#define SEND_BOUNCE_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* "=_" and hexadecimal digits: only its first byte is a =, so a search for it never has
 * to step back. */
#define BOUNCE_BOUNDARY 36

struct bounce_scan {
  const char *boundary;
  uint64_t size, header_size; /* the header ends with its empty line */
  int header_8bit, header_bad; /* bytes above 127, and such as are no UTF-8 */
  int body_8bit;
  int found; /* the boundary */
  /* inside */
  int in_body, at_start, need;
  unsigned char low, high;
  size_t matched;
};

void bounce_scan_init(struct bounce_scan *b, const char *boundary);
void bounce_scan_feed(struct bounce_scan *b, const char *s, size_t n);
/* The boundary from 16 random bytes. */
void bounce_boundary(char out[BOUNCE_BOUNDARY], const unsigned char random[16]);
/* Is all of it UTF-8?  *eight_bit: are there bytes above 127 at all? */
int bounce_utf8(const char *s, size_t n, int *eight_bit);

#endif
