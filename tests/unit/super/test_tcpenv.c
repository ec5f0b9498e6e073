/* The environment of one connection after another: exact, and nothing left of the last. */
#include "super/tcpenv.h"

#include <stdlib.h>
#include <unistd.h>

#include "check.h"

static const char *get(struct tcpenv *t, const char *name) {
  size_t n = strlen(name);
  const char *value = 0;
  int times = 0;

  for (char *const *v = tcpenv_vector(t); *v; ++v)
    if (!strncmp(*v, name, n) && (*v)[n] == '=') {
      value = *v + n + 1;
      ++times;
    }
  CHECK_CASE(times <= 1, name);
  return value;
}

static int is(struct tcpenv *t, const char *name, const char *want) {
  const char *have = get(t, name);

  return want ? have && !strcmp(have, want) : !have;
}

static void connection(struct tcpconn *c, const char *local, const char *remote) {
  memset(c, 0, sizeof *c);
  CHECK(ip_scan(local, strlen(local), &c->local) && ip_scan(remote, strlen(remote), &c->remote));
  c->local_port = 25;
  c->remote_port = 65535;
  tcpconn_texts(c);
}

int main(void) {
  static const char *outer[] = {"PATH=/bin", "TCPREMOTEIP=old", "TCPREMOTEHOST=old", "TCPREMOTEINFO=old", "TCPPARANOID=",
                          "PROTO=old", "TCP6REMOTEIP=old", "X=outer", "TCPDIR=/etc/tcp", "TCPRULES=old", 0};
  struct tcpenv t;
  struct tcpconn c;

  environ = (char **)outer;
  CHECK(tcpenv_init(&t, "me.example", "/etc/tcp/smtp.cdb"));
  connection(&c, "192.0.2.1", "198.51.100.200");
  CHECK(tcpenv_begin(&t, &c) && tcpenv_add(&t, "X=rule") && tcpenv_add(&t, "Y=1") && tcpenv_add(&t, "TCPREMOTEINFO=joe"));
  CHECK(is(&t, "PROTO", "TCP") && is(&t, "TCPLOCALIP", "192.0.2.1") && is(&t, "TCPLOCALPORT", "25"));
  CHECK(is(&t, "TCPREMOTEIP", "198.51.100.200") && is(&t, "TCPREMOTEPORT", "65535"));
  CHECK(is(&t, "TCPLOCALHOST", "me.example") && is(&t, "TCPREMOTEHOST", 0) && is(&t, "TCPREMOTEINFO", "joe"));
  CHECK(is(&t, "TCP6REMOTEIP", 0) && is(&t, "TCPPARANOID", 0));
  CHECK(is(&t, "PATH", "/bin") && is(&t, "TCPDIR", "/etc/tcp") && is(&t, "TCPRULES", "/etc/tcp/smtp.cdb") && is(&t, "X", "rule") && is(&t, "Y", "1"));
  connection(&c, "2001:db8::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
  CHECK(tcpenv_begin(&t, &c));
  CHECK(is(&t, "PROTO", "TCP6") && is(&t, "TCPREMOTEIP", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
  CHECK(is(&t, "TCP6LOCALIP", "2001:db8::1") && is(&t, "TCP6LOCALPORT", "25") && is(&t, "TCP6REMOTEPORT", "65535"));
  CHECK(is(&t, "TCP6INTERFACE", "") && is(&t, "X", "outer") && is(&t, "Y", 0) && is(&t, "TCPREMOTEINFO", 0));
  connection(&c, "::ffff:192.0.2.1", "::ffff:192.0.2.2"); /* IPv4 on an IPv6 socket */
  CHECK(tcpenv_begin(&t, &c) && is(&t, "PROTO", "TCP") && is(&t, "TCPREMOTEIP", "192.0.2.2"));
  memset(&c, 0, sizeof c);
  CHECK(tcpenv_begin(&t, &c) && is(&t, "PROTO", "UNIX") && is(&t, "TCPREMOTEIP", 0));
  tcpenv_free(&t);
  tcpenv_free(&t);
  return check_done();
}
