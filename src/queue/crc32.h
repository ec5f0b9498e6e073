/* crc32: the checksum that tells a whole record from a torn one (IEEE 802.3). */
#ifndef QUEUE_CRC32_H
#define QUEUE_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32(uint32_t crc, const char *s, size_t n); /* start with 0 */

#endif
