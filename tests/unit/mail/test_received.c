/* The trace field: its forms, and that nothing from outside breaks out of it. */
#include "mail/received.h"

#include "check.h"

static const struct {
  const char *name;
  struct received in;
  const char *want;
} cases[] = {
    {"plain", {.remote_ip = "192.0.2.1", .local = "mx.example", .protocol = "SMTP"},
     "Received: from unknown (192.0.2.1)\n  by mx.example with SMTP; 1 Jan 1970 00:00:00 -0000\n"},
    {"helo differs",
     {.remote_host = "a.example", .helo = "b.example", .remote_ip = "192.0.2.1", .local = "mx", .protocol = "ESMTP"},
     "Received: from a.example (HELO b.example) (192.0.2.1)\n  by mx with ESMTP; 1 Jan 1970 00:00:00 -0000\n"},
    {"helo the same",
     {.remote_host = "a.example", .helo = "A.Example", .remote_ip = "192.0.2.1", .local = "mx", .protocol = "ESMTP"},
     "Received: from a.example (192.0.2.1)\n  by mx with ESMTP; 1 Jan 1970 00:00:00 -0000\n"},
    {"user, TLS",
     {.remote_ip = "::1", .remote_info = "joe@x", .local = "mx", .protocol = "ESMTPSA", .tls_version = "TLSv1.3",
      .tls_cipher = "TLS_AES"},
     "Received: from unknown (joe@x@::1)\n  by mx with ESMTPSA (TLSv1.3 TLS_AES); 1 Jan 1970 00:00:00 -0000\n"},
    {"id", {.remote_ip = "192.0.2.1", .local = "mx", .protocol = "SMTP", .id = "17.4"},
     "Received: from unknown (192.0.2.1)\n  by mx with SMTP id 17.4; 1 Jan 1970 00:00:00 -0000\n"},
    {"hidden", {.remote_host = "a", .remote_ip = "1.2.3.4", .helo = "x", .local = "mx", .protocol = "ESMTP", .hide = 1},
     "Received: by mx with ESMTP; 1 Jan 1970 00:00:00 -0000\n"},
    {"hostile",
     {.remote_ip = "1.2.3.4", .helo = "x) by evil\r\nSubject: \x80;\"\\", .local = "mx", .protocol = "SMTP"},
     "Received: from unknown (HELO x?" "?by?evil?" "?Subject:?" "?" "?" "?" "?) (1.2.3.4)\n  by mx with SMTP; 1 Jan 1970 00:00:00 -0000\n"},
};

int main(void) {
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    stralloc_cut(&out, 0);
    CHECK_CASE(received_build(&out, &cases[i].in), cases[i].name);
    CHECK_CASE(stralloc_equals(&out, cases[i].want), cases[i].name);
  }
  stralloc_free(&out);
  for (long n = 1; n < 4; ++n) {
    check_nomem(n);
    (void)!received_build(&out, &cases[3].in);
    check_nomem(0);
    stralloc_free(&out);
  }
  return check_done();
}
