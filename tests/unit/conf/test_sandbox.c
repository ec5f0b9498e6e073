/* Each sandbox, entered in a child: what it is for goes on, what it forbids is refused. */
#include "conf/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static char dir[] = "/tmp/test_sandbox.XXXXXX";

static const char *const names[] = {
#define SANDBOX(program, groups, meaning) #program,
#include "conf/sandbox.def"
};

static int refused(long r, int how) {
  return r == -1 && errno == how;
}

static int may_write(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT, 0600);

  if (fd != -1) close(fd);
  return fd != -1;
}

/* Which of the groups of sandbox.def a program keeps. */
static const struct kept {
  int callers, listeners, sockets, children, here;
} kept[SANDBOXES] = {
    [SANDBOX_qmail_tlsd] = {.sockets = 1},
    [SANDBOX_inlookup] = {.sockets = 1},
    [SANDBOX_inlookup_mysql] = {.sockets = 1, .callers = 1},
    [SANDBOX_todo_proc] = {.here = 1},
    [SANDBOX_qmail_clean] = {.here = 1},
    [SANDBOX_qmail_smtpd] = {.sockets = 1, .callers = 1, .listeners = 1, .children = 1},
};

static int reads(const char *path) {
  int fd = open(path, O_RDONLY);

  if (fd != -1) close(fd);
  return fd != -1;
}

/* Bits of what went wrong. */
static int probe(enum sandbox_program program) {
  const struct kept *k = &kept[program];
  char name[] = "true";
  char *const argv[] = {name, 0};
  struct strerr e;
  pid_t parent = getppid();
  int bad = 0;

  if (chdir(dir) == -1 || sandbox_enter(program, 0, &e) != 0) return 255;
  if (!refused(execve("/bin/true", argv, argv), EPERM)) bad |= 1;
  if (refused(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0), EPERM) == k->callers || !refused(ptrace(PTRACE_TRACEME, 0, 0, 0), EPERM)) bad |= 2;
  if (!refused(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), EPERM) || !refused(setuid(65534), EPERM) || !refused(kill(getpid(), 0), EPERM)) bad |= 4;
  if (refused(syscall(SYS_recvfrom, -1, 0, 0, 0, 0, 0), EBADF) != k->sockets) bad |= 8;
  if (may_write("/tmp/test_sandbox.outside") || errno != EACCES) bad |= 16;
  if (may_write("here") != k->here) bad |= 32;
  if (!reads("/etc/passwd") || (reads("/proc/self/maps") && program == SANDBOX_qmail_smtpd)) bad |= 64;
  /* Signals and limits are for ourselves. */
  if (syscall(SYS_tgkill, getpid(), gettid(), 0) == -1 || !refused(syscall(SYS_tgkill, parent, parent, 0), EPERM) ||
      syscall(SYS_prlimit64, 0, 0, 0, 0) == -1 || !refused(syscall(SYS_prlimit64, parent, 0, 0, 0), EPERM))
    bad |= 128;
  if (refused(syscall(SYS_listen, -1, 1), EBADF) != k->listeners) bad |= 8;
  if (!refused(fcntl(0, F_SETOWN, parent), EPERM) || !refused(fcntl(0, F_SETSIG, SIGKILL), EPERM) || fcntl(0, F_GETFL) == -1) bad |= 128;
  if (!refused(ioctl(0, FIOSETOWN, &parent), EPERM) || !refused(ioctl(0, SIOCSPGRP, &parent), EPERM)) bad |= 128;
  if (refused(ioctl(-1, FIONREAD, &bad), EBADF) != k->callers) bad |= 128;
  if (refused(waitpid(-1, 0, WNOHANG), ECHILD) != k->children) bad |= 128;
  return bad;
}

/* Which sockets can be made, by a program that makes some. */
static int kinds(enum sandbox_program program) {
  static const struct {
    int family, type, protocol, made;
  } cases[] = {
      {AF_INET, SOCK_STREAM, 0, 1},
      {AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP, 1},
      {AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP, 1},
      {AF_UNIX, SOCK_STREAM, 0, 1},
      {AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 1},
      {AF_UNIX, SOCK_DGRAM, 0, 0},
      {AF_INET, SOCK_STREAM, 262, 0}, /* MPTCP */
      {AF_INET6, SOCK_STREAM, 262, 0},
      {AF_INET, SOCK_STREAM, IPPROTO_SCTP, 0},
      {AF_INET, SOCK_DGRAM, IPPROTO_ICMP, 0},
      {AF_INET, SOCK_RAW, IPPROTO_TCP, 0},
      {AF_NETLINK, SOCK_RAW, 0, 0},
      {AF_NETLINK, SOCK_DGRAM, 0, 0},
      {AF_PACKET, SOCK_RAW, 0, 0},
      {AF_ALG, SOCK_SEQPACKET, 0, 0},
      {AF_VSOCK, SOCK_STREAM, 0, 0},
  };
  struct strerr e;

  if (sandbox_enter(program, 0, &e) != 0) return 255;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    int fd = socket(cases[i].family, cases[i].type, cases[i].protocol);

    if (cases[i].made ? fd == -1 : !refused(fd, EPERM)) return (int)i + 1;
    if (fd != -1) close(fd);
  }
  return 0;
}

/* Whom it reaches beside connect(2): nobody by data that opens a connection, nobody at a socket without a file. */
static int ways_around(enum sandbox_program program) {
  const struct sandbox_places places = {.tcp_port = 1};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(2), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0test_sandbox"};
  struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof to};
  struct strerr e;
  int fd, scoped = syscall(444, 0, 0, 1u) >= 6, there = socket(AF_UNIX, SOCK_STREAM, 0);

  if (bind(there, (struct sockaddr *)&abstract, sizeof abstract) == -1 || listen(there, 1) == -1 || sandbox_enter(program, &places, &e) != 0) return 255;
  fd = socket(AF_INET, SOCK_STREAM, 0);
  if (!refused(sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to), EPERM)) return 1;
  if (!refused(sendmsg(fd, &m, MSG_FASTOPEN | MSG_NOSIGNAL), EPERM)) return 2;
  if (!refused(sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to), EPIPE)) return 3; /* goes through to the kernel */
  fd = socket(AF_UNIX, SOCK_STREAM, 0);
  return !scoped || refused(connect(fd, (struct sockaddr *)&abstract, sizeof abstract), EPERM) ? 0 : 4;
}

static int in_child(int (*what)(enum sandbox_program program), enum sandbox_program program) {
  int status;
  pid_t pid = fork();

  if (pid == 0) _exit(what(program));
  if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

/* A kernel that has no landlock: that is told, and the rest is in force. */
static int older(enum sandbox_program program) {
  struct sock_filter f[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 444},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const struct sock_fprog filter = {4, f};
  char name[] = "true";
  char *const argv[] = {name, 0};
  struct strerr e;

  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == -1) return 255;
  if (sandbox_enter(program, 0, &e) != 1 || !strstr(e.text, "landlock")) return 1;
  return refused(execve("/bin/true", argv, argv), EPERM) ? 0 : 2;
}

static int also(enum sandbox_program program) {
  struct strerr e;

  const struct sandbox_places places = {.change = dir};

  if (chdir(dir) == -1 || sandbox_enter(program, &places, &e) != 0) return 255;
  return may_write("here") && rename("here", "there") == 0 && unlink("there") == 0 ? 0 : 1;
}

/* Where is a server told to call?  It answers whatever errno tells. */
static int call(uint16_t port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM, 0), r = connect(fd, (struct sockaddr *)&to, sizeof to);

  r = r == -1 ? errno : 0;
  close(fd);
  return r;
}

/* One port is left, for calls alone; files to read are added to the table's. */
static int more(enum sandbox_program program) {
  struct sockaddr_in any = {.sin_family = AF_INET};
  struct strlist read = {0};
  const struct sandbox_places places = {.read = &read, .tcp_port = 1};
  struct strerr e;

  if (!strlist_add(&read, dir, strlen(dir)) || !may_write("here") || sandbox_enter(program, &places, &e) != 0) return 255;
  if (!reads("here") || may_write("here")) return 1;
  return call(1) == ECONNREFUSED && call(2) == EACCES && refused(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&any, sizeof any), EACCES)
             ? 0
             : 2;
}

int main(void) {
  CHECK(mkdtemp(dir) != 0);
  setenv("QMAILHOME", dir, 1);
  for (int i = 0; i < SANDBOXES; ++i) {
    int r = in_child(probe, (enum sandbox_program)i);

    CHECK_CASE(r == 0, names[i]);
    CHECK_CASE(in_child(older, (enum sandbox_program)i) == 0, names[i]);
    CHECK_CASE(in_child(also, (enum sandbox_program)i) == 0, names[i]);
  }
  CHECK(chdir(dir) == 0);
  CHECK(in_child(more, SANDBOX_qmail_smtpd) == 0);
  CHECK(in_child(kinds, SANDBOX_qmail_smtpd) == 0);
  CHECK(in_child(kinds, SANDBOX_inlookup_mysql) == 0);
  CHECK(in_child(ways_around, SANDBOX_qmail_smtpd) == 0);
  unlink("here");
  CHECK(rmdir(dir) == 0);
  return check_done();
}
