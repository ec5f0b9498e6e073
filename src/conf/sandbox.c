/* sandbox: see sandbox.h.  A filter is the table turned into a classic BPF program: one comparison
 * for each call that is allowed.  The kernel keeps the answers for calls that are allowed whatever
 * their arguments are, so the length of the list costs nothing later. */
#include "conf/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "conf/paths.h"

enum {
  BASE = 1,
  FILES = 2,
  CHANGES = 4,
  SOCKETS = 8,
  CALLERS = 16,
  CHILDREN = 32,
  LISTENERS = 64,
};

struct call {
  unsigned group, number;
  int own; /* for our own process */
};

static const struct call calls[] = {
#define CALL(name, group) {group, __NR_##name, 0},
#define OWN_CALL(name, group) {group, __NR_##name, 1},
#include "conf/sandbox.def"
};
#define CALLS (sizeof calls / sizeof *calls)

static const struct call old_calls[] = {
#define OLD_CALL(name, group, number) {group, number, 0},
#include "conf/sandbox.def"
};
#define OLD_CALLS (sizeof old_calls / sizeof *old_calls)

static const struct exception {
  unsigned number;
  unsigned char argument;
  unsigned short how;
  uint32_t what;
} exceptions[] = {
#define VALUE BPF_JEQ
#define FLAGS BPF_JSET
#define EXCEPT(name, call, argument, how, what) {__NR_##call, argument, how, what},
#include "conf/sandbox.def"
};
#define EXCEPTIONS (sizeof exceptions / sizeof *exceptions)

static const struct kind {
  uint32_t family, type, protocol;
} kinds[] = {
#define SOCKET(name, family, type, protocol) {family, type, protocol},
#include "conf/sandbox.def"
};
#define KINDS (sizeof kinds / sizeof *kinds)

static const unsigned groups_of[SANDBOXES] = {
#define SANDBOX(program, groups, meaning) [SANDBOX_##program] = groups,
#include "conf/sandbox.def"
};

/* What the kernel calls the machines we know. */
static const struct machine {
  const char *name;
  uint32_t arch;
  size_t old_calls;
} machines[] = {{"x86_64", AUDIT_ARCH_X86_64, OLD_CALLS}, {"aarch64", AUDIT_ARCH_AARCH64, 0}};

static const struct machine *our_machine(void) {
  struct utsname u;

  if (uname(&u) == -1 || sizeof(void *) != 8) return 0;
  for (size_t i = 0; i < sizeof machines / sizeof *machines; ++i)
    if (!strcmp(machines[i].name, u.machine)) return &machines[i];
  return 0;
}

/* --- files --- */

/* Of linux/landlock.h, which may be older than the kernel. */
#define FS_EXECUTE (1u << 0)
#define FS_WRITE_FILE (1u << 1)
#define FS_READ_FILE (1u << 2)
#define FS_READ_DIR (1u << 3)
#define FS_REMOVE (3u << 4)
#define FS_MAKE (127u << 6)
#define FS_REFER (1u << 13)
#define FS_TRUNCATE (1u << 14)
#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446
#define RULE_PATH_BENEATH 1
#define VERSION 1u

#define READ (FS_READ_FILE | FS_READ_DIR)
#define WRITE (READ | FS_WRITE_FILE | FS_TRUNCATE)
#define CHANGE (WRITE | FS_REMOVE | FS_MAKE | FS_REFER)
#define OF_A_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

#define RULE_PORT 2
#define NET_BIND_TCP 1u
#define NET_CONNECT_TCP 2u

#define SCOPE_ABSTRACT_SOCKET 1u

struct handled {
  uint64_t files, net, scoped;
};

struct port_rule {
  uint64_t rights, port;
};

struct path_rule {
  uint64_t rights;
  int32_t parent;
} __attribute__((packed));

/* A place is a number of conf/paths.h, or text. */
struct place {
  enum sandbox_program program;
  int path; /* -1: text */
  const char *text;
  unsigned rights;
};
#define HERE "."
#define PLACE_OF(place) _Generic((place), char *: -1, const char *: -1, default: (place))
#define TEXT_OF(place) _Generic((place), char *: (place), const char *: (place), default: 0)

static const struct place places[] = {
#define PLACE(name, program, place, rights) {SANDBOX_##program, PLACE_OF(place), TEXT_OF(place), rights},
#include "conf/sandbox.def"
};
#define PLACES (sizeof places / sizeof *places)

/* What is not there is no place. */
static int allow(int ruleset, const char *path, unsigned rights, unsigned known, struct strerr *e) {
  struct path_rule rule = {rights & known, open(path, O_PATH | O_CLOEXEC)};
  struct stat st;
  long r;

  if (rule.parent == -1) return errno == ENOENT || errno == EACCES ? 0 : strerr_sys(e, "unable to open ", path, (char *)0);
  if (fstat(rule.parent, &st) == 0 && !S_ISDIR(st.st_mode)) rule.rights &= OF_A_FILE;
  r = syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
  if (r == -1) strerr_sys(e, "unable to keep ", path, (char *)0);
  fd_close(rule.parent);
  return r == -1 ? -1 : 0;
}

static int allow_place(int ruleset, const struct place *p, unsigned known, struct strerr *e) {
  stralloc path = STRALLOC_INIT;
  int r = -1;

  errno = ENOMEM;
  if (p->path == -1 ? stralloc_copys(&path, p->text) : paths_get((enum path)p->path, &path)) r = allow(ruleset, path.s, p->rights, known, e);
  else strerr_sys(e, "unable to restrict files", (char *)0);
  stralloc_free(&path);
  return r;
}

static int allow_more(int ruleset, const struct sandbox_places *also, unsigned known, struct strerr *e) {
  int r = also->change ? allow(ruleset, also->change, CHANGE, known, e) : 0;

  for (size_t i = 0; r == 0 && also->read && i < also->read->len; ++i) r = allow(ruleset, also->read->item[i].s, READ, known, e);
  return r;
}

static int allow_port(int ruleset, uint16_t port, struct strerr *e) {
  struct port_rule rule = {NET_CONNECT_TCP, port};

  if (syscall(ADD_RULE, ruleset, RULE_PORT, &rule, 0) == 0) return 0;
  return strerr_sys(e, "unable to keep a port", (char *)0);
}

/* What all rules together decide about, as far as this kernel knows it. */
static struct handled handled_by(long version, const struct sandbox_places *also) {
  struct handled h = {CHANGE | FS_EXECUTE, 0, 0};

  if (version < 2) h.files &= ~(uint64_t)FS_REFER;
  if (version < 3) h.files &= ~(uint64_t)FS_TRUNCATE;
  if (version >= 4 && also && also->tcp_port) h.net = NET_CONNECT_TCP | NET_BIND_TCP;
  if (version >= 6) h.scoped = SCOPE_ABSTRACT_SOCKET; /* sockets without a file */
  return h;
}

/* As much of it as this kernel knows. */
static size_t size_of(const struct handled *h) {
  return h->scoped ? sizeof *h : h->net ? offsetof(struct handled, scoped) : offsetof(struct handled, net);
}

static int restrict_files(enum sandbox_program program, const struct sandbox_places *also, struct strerr *e) {
  long version = syscall(CREATE_RULESET, 0, 0, VERSION);
  struct handled h = handled_by(version, also);
  int ruleset, r = 0;

  if (version < 1) {
    strerr_sys(e, "the kernel restricts no files (landlock)", (char *)0);
    return 1;
  }
  ruleset = (int)syscall(CREATE_RULESET, &h, size_of(&h), 0);
  if (ruleset == -1) return strerr_sys(e, "unable to restrict files", (char *)0);
  for (size_t i = 0; r == 0 && i < PLACES; ++i)
    if (places[i].program == program) r = allow_place(ruleset, &places[i], (unsigned)h.files, e);
  if (r == 0 && also) r = allow_more(ruleset, also, (unsigned)h.files, e);
  if (r == 0 && h.net) r = allow_port(ruleset, also->tcp_port, e);
  if (r == 0 && syscall(RESTRICT_SELF, ruleset, 0) == -1) r = strerr_sys(e, "unable to restrict files", (char *)0);
  fd_close(ruleset);
  if (r == 0 && also && also->tcp_port && !h.net) {
    strerr_set(e, "the kernel restricts no calls over TCP (landlock 4)", (char *)0);
    return 1;
  }
  return r;
}

/* --- system calls --- */

#define HEAD 4
#define TAIL 1
#define A_CALL 6 /* at most */
#define A_KIND 9
#define AN_EXCEPTION 2
#define SOCKET_TYPE 15 /* behind it stand SOCK_CLOEXEC and SOCK_NONBLOCK */
#define STATEMENT(code, k) ((struct sock_filter){(code), 0, 0, (k)})
#define JUMP(code, k, yes, no) ((struct sock_filter){(code), (yes), (no), (k)})
#define ALLOW STATEMENT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define DENY STATEMENT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define LOAD(what) STATEMENT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))

/* What stands behind the number of a call that has exceptions; 0 where it has none. Arguments are those halves
 * that count: both kinds of machines are little-endian. */
static unsigned short allow_but(struct sock_filter *f, unsigned number) {
  unsigned short n = 1, left = 0;

  for (size_t i = 0; i < EXCEPTIONS; ++i) left += exceptions[i].number == number;
  if (!left) return 0;
  for (size_t i = 0; i < EXCEPTIONS; ++i) {
    if (exceptions[i].number != number) continue;
    --left;
    f[n++] = LOAD(args[exceptions[i].argument]);
    f[n++] = JUMP(BPF_JMP | exceptions[i].how | BPF_K, exceptions[i].what, (unsigned char)(2 * left + 1), 0);
  }
  f[n++] = ALLOW;
  f[n++] = DENY;
  f[0] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, (unsigned char)(n - 1));
  return n;
}

/* socket(2), which any other call skips. */
static unsigned short allow_kinds(struct sock_filter *f) {
  unsigned short n = 1;

  for (size_t i = 0; i < KINDS; ++i) {
    f[n++] = LOAD(args[0]);
    f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, kinds[i].family, 0, 7);
    f[n++] = LOAD(args[1]);
    f[n++] = STATEMENT(BPF_ALU | BPF_AND | BPF_K, SOCKET_TYPE);
    f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, kinds[i].type, 0, 4);
    f[n++] = LOAD(args[2]);
    f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, kinds[i].protocol, 1, 0);
    f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    f[n++] = ALLOW;
  }
  f[n++] = DENY;
  f[0] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, (unsigned char)(n - 1));
  return n;
}

static unsigned short allow_one(struct sock_filter *f, const struct call *call) {
  unsigned short n = allow_but(f, call->number);

  if (n) return n;
  if (call->number == __NR_socket) return allow_kinds(f);
  if (!call->own) {
    f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 1);
    f[n++] = ALLOW;
    return n;
  }
  f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 5);
  f[n++] = LOAD(args[0]);
  f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
  f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1);
  f[n++] = ALLOW;
  f[n++] = DENY;
  return n;
}

static unsigned short allow_calls(struct sock_filter *f, const struct call *call, size_t count, unsigned groups) {
  unsigned short n = 0;

  for (size_t i = 0; i < count; ++i)
    if (call[i].group & groups) n += allow_one(f + n, &call[i]);
  return n;
}

static unsigned short fill(struct sock_filter *f, const struct machine *m, unsigned groups) {
  unsigned short n = 0;

  f[n++] = LOAD(arch);
  f[n++] = JUMP(BPF_JMP | BPF_JEQ | BPF_K, m->arch, 1, 0);
  f[n++] = STATEMENT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  f[n++] = LOAD(nr);
  n += allow_calls(f + n, calls, CALLS, groups);
  n += allow_calls(f + n, old_calls, m->old_calls, groups);
  f[n++] = DENY;
  return n;
}

static int restrict_calls(enum sandbox_program program, struct strerr *e) {
  struct sock_filter f[HEAD + A_CALL * (CALLS + OLD_CALLS) + A_KIND * KINDS + AN_EXCEPTION * EXCEPTIONS + TAIL];
  const struct machine *m = our_machine();
  const struct sock_fprog filter = {m ? fill(f, m, groups_of[program]) : 0, f};

  if (m && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) return 0;
  strerr_set(e, "the kernel restricts no system calls (seccomp)", (char *)0);
  return 1;
}

int sandbox_enter(enum sandbox_program program, const struct sandbox_places *also, struct strerr *e) {
  int files, number;

  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) return strerr_sys(e, "unable to give up rights", (char *)0);
  files = restrict_files(program, also, e);
  if (files == -1) return -1;
  number = restrict_calls(program, e);
  return files | number;
}

void sandbox_start(enum sandbox_program program, int wanted, const struct sandbox_places *also, const char *prefix) {
  struct strerr e;

  if (wanted && sandbox_enter(program, also, &e) != 0 && prefix) strerr_warnm(prefix, "warning: not in a full sandbox: ", e.text, (char *)0);
}
