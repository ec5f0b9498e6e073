/* The table of unreachable servers, of any content: records that make sense survive the codec,
 * notes stay inside the table, and a success always lets the next one try. */
#include "queue/tcpto.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  unsigned char table[TCPTO_BYTES] = {0};
  struct ip ip = {.family = AF_INET, .b = {192, 0, 2, 1}};

  (void)tcpto_look(data, size, &ip, 1000, 3600);
  memcpy(table, data, size < sizeof table ? size : sizeof table);
  for (size_t i = 0; i < TCPTO_RECORDS; ++i) {
    struct tcpto_record r, again;
    unsigned char out[TCPTO_RECORD];

    if (!tcpto_parse(table + i * TCPTO_RECORD, &r)) continue;
    tcpto_format(out, &r);
    if (!tcpto_parse(out, &again) || again.count != r.count || again.when != r.when || !ip_equal(&again.ip, &r.ip)) abort();
    ip = r.ip;
  }
  if (tcpto_note(table, &ip, 1, 1000, 120) >= TCPTO_RECORDS || tcpto_note(table, &ip, 0, 1000, 120) >= TCPTO_RECORDS) abort();
  if (size >= 3 && tcpto_look(table, sizeof table, &ip, 1000, 3600) == TCPTO_LEAVE_ALONE) {
    /* only another record of the same address can say so */
    for (int n = 0; n < TCPTO_RECORDS; ++n) (void)!tcpto_note(table, &ip, 0, 1000, 120);
    if (tcpto_look(table, sizeof table, &ip, 1000, 3600) != TCPTO_UNKNOWN) abort();
  }
  return 0;
}
