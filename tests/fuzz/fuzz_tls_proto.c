/* A request comes out of the formatter as it went in; a status line never upsets
 * the parser. */
#include "net/tls_proto.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char buf[TLS_REQUEST_MAX], line[TLS_STATUS_MAX];
  struct tls_wire w, again;
  struct tls_info info = {0};
  stralloc error = STRALLOC_INIT;

  if (tls_request_parse((const char *)data, size, &w)) {
    size_t n = tls_request_fmt(buf, &w);

    if (!n || !tls_request_parse(buf, n, &again)) abort();
    if (again.role != w.role || again.verify != w.verify || again.ms != w.ms || strcmp(again.name, w.name)) abort();
  }
  if (tls_status_parse((const char *)data, size, &info, &error) == 1) {
    size_t n = tls_status_fmt(line, &info, 0);

    if (n >= TLS_STATUS_MAX || line[n - 1] != '\n') abort();
  }
  stralloc_free(&error);
  tls_info_free(&info);
  return 0;
}
