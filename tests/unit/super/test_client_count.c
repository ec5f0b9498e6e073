/* Servers that count together: what each has, what both have, and that a dead one has nothing. */
#include "super/client_count.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "check.h"

static char dir[] = "/tmp/client-count.XXXXXX";
static char path[64];

static struct ip address(const char *text) {
  struct ip ip;

  CHECK_CASE(ip_scan(text, strlen(text), &ip), text);
  return ip;
}

/* Another server, with so many connections of a client, that lives until it is killed. */
static pid_t other(const struct ip *ip, int connections) {
  int p[2];
  char ready;
  pid_t pid;

  if (fd_pipe(p) == -1) abort();
  pid = fork();
  if (pid == 0) {
    struct client_count c;
    struct strerr e;

    if (client_count_open(&c, path, &e) == -1) _exit(1);
    for (int i = 0; i < connections; ++i) client_count_add(&c, ip);
    if (write(p[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  CHECK(read(p[0], &ready, 1) == 1);
  close(p[0]);
  close(p[1]);
  return pid;
}

static void end(pid_t pid) {
  CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, 0, 0) == pid);
}

static void alone(void) {
  static const char *const clients[] = {"192.0.2.1", "192.0.2.2", "2001:db8:1:2::1", "2001:db8:1:3::1", "0.0.0.0", "::"};
  struct client_count c;
  struct strerr e;
  struct ip a = address("2001:db8:1:2::1"), same = address("2001:db8:1:2:ffff::9");

  CHECK(client_count_open(&c, path, &e) == 0);
  for (size_t i = 0; i < sizeof clients / sizeof *clients; ++i) {
    struct ip ip = address(clients[i]);

    for (size_t k = 0; k <= i; ++k) client_count_add(&c, &ip);
  }
  for (size_t i = 0; i < sizeof clients / sizeof *clients; ++i) {
    struct ip ip = address(clients[i]);

    CHECK_CASE(client_count_of(&c, &ip) == i + 1, clients[i]);
  }
  CHECK(client_count_of(&c, &same) == client_count_of(&c, &a));
  for (int i = 0; i < 5; ++i) client_count_remove(&c, &a); /* never below nothing */
  CHECK(client_count_of(&c, &a) == 0);
  client_count_close(&c);
  client_count_close(&c);
  CHECK(client_count_of(&c, &a) == 0);
  CHECK(client_count_open(&c, path, &e) == 0);
  a = address("192.0.2.2");
  CHECK(client_count_of(&c, &a) == 0); /* the column begins anew */
  client_count_close(&c);
}

static void together(void) {
  struct ip ip = address("192.0.2.7"), stranger = address("192.0.2.8");
  struct client_count c;
  struct strerr e;
  pid_t one, two;

  CHECK(client_count_open(&c, path, &e) == 0);
  client_count_add(&c, &ip);
  one = other(&ip, 2);
  two = other(&ip, 3);
  CHECK(client_count_of(&c, &ip) == 6);
  CHECK(client_count_of(&c, &stranger) == 0);
  end(one);
  CHECK(client_count_of(&c, &ip) == 4);
  one = other(&stranger, 1); /* takes the dead one's column */
  CHECK(client_count_of(&c, &ip) == 4 && client_count_of(&c, &stranger) == 1);
  end(two);
  end(one);
  CHECK(client_count_of(&c, &ip) == 1);
  client_count_close(&c);
}

static void too_many(void) {
  struct client_count c[CLIENT_COUNT_COLUMNS + 1];
  struct ip ip = address("192.0.2.9");
  struct strerr e;

  for (size_t i = 0; i < CLIENT_COUNT_COLUMNS; ++i) {
    CHECK(client_count_open(&c[i], path, &e) == 0);
    client_count_add(&c[i], &ip);
  }
  CHECK(client_count_of(&c[0], &ip) == CLIENT_COUNT_COLUMNS);
  CHECK(client_count_open(&c[CLIENT_COUNT_COLUMNS], path, &e) == -1);
  for (size_t i = 0; i < CLIENT_COUNT_COLUMNS; ++i) client_count_close(&c[i]);
}

/* What is no table, or not ours to trust. */
static void files(void) {
  struct client_count c;
  struct strerr e;
  int fd = fd_open_trunc(path, 0600);

  CHECK(fd_write_all(fd, "nonsense", 8) == 0);
  close(fd);
  CHECK(client_count_open(&c, path, &e) == 0);
  client_count_close(&c);
  CHECK(chmod(path, 0666) == 0);
  CHECK(client_count_open(&c, path, &e) == -1 && !c.table);
  CHECK(unlink(path) == 0 && mkfifo(path, 0600) == 0);
  CHECK(client_count_open(&c, path, &e) == -1);
  CHECK(unlink(path) == 0 && symlink("/dev/null", path) == 0);
  CHECK(client_count_open(&c, path, &e) == -1);
  CHECK(client_count_open(&c, "/nonexistent/count", &e) == -1);
}

int main(void) {
  if (!mkdtemp(dir)) return 1;
  snprintf(path, sizeof path, "%s/connections", dir);
  alone();
  together();
  too_many();
  files();
  unlink(path);
  rmdir(dir);
  return check_done();
}
