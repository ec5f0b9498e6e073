/* What a mail store says to a proxy that logs in: the first byte chooses the protocol. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/store.h"

#define MOST 60000 /* less than a socket holds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct store_place place = {.tls = STORE_PLAIN, .client = STORE_CLIENT_SAID};
  const struct store_user user = {"joe@example.com", "secret", "192.0.2.1", "7"};
  struct store s = STORE_INIT;
  struct strerr e = {.sys = 0};
  enum store_verdict v;
  int p[2];

  if (!size || size > MOST || socketpair(AF_UNIX, SOCK_STREAM, 0, p) == -1) return 0;
  if (write(p[1], data + 1, size - 1) != (ssize_t)size - 1 || shutdown(p[1], SHUT_WR) == -1) abort();
  s.fd = p[0];
  s.when = deadline_in(5);
  v = (*data & 1 ? store_imap : store_pop3)(&s, &place, &user, &e);
  if (v == STORE_TEMPFAIL && !*e.text) abort();
  if (v != STORE_TEMPFAIL && !s.line.s) abort();
  store_close(&s);
  close(p[1]);
  return 0;
}
