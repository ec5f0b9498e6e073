/* task: see task.h.
 *
 * A stack begins its life through makecontext and is then entered and left by
 * _setjmp and _longjmp, which make no system call.  When its function returns, it
 * waits on the idle list for another one. */
#undef _FORTIFY_SOURCE /* which forbids a longjmp to another stack */
#include "base/task.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define IDLE_MAX 64

struct task {
  struct tasks *of;
  jmp_buf here;   /* where the task goes on */
  jmp_buf caller; /* where whoever resumed it goes on */
  char *stack;
  void (*fn)(void *ctx);
  void *ctx;
  struct loop_io usual; /* the descriptor it waits for most, watched all the time */
  struct loop_io other; /* another one, while it is waited for */
  struct loop_timer timer;
  int waiting;          /* for this descriptor; -1: none */
  int outcome;          /* errno of the wait, 0: ready */
  struct task *next;
  void *fake_stack, *caller_fake_stack; /* the address sanitizer's */
  const void *caller_stack;
  size_t caller_size;
};

static struct task *current;

struct task *task_current(void) {
  return current;
}

/* Where the address sanitizer is linked in, it must know which stack we are on. */
void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size) __attribute__((weak));
void __sanitizer_finish_switch_fiber(void *saved, const void **bottom, size_t *size) __attribute__((weak));

static void leaving(void **save, const void *bottom, size_t size) {
  if (__sanitizer_start_switch_fiber) __sanitizer_start_switch_fiber(save, bottom, size);
}

static void arrived(void *saved, const void **bottom, size_t *size) {
  if (__sanitizer_finish_switch_fiber) __sanitizer_finish_switch_fiber(saved, bottom, size);
}

/* --- switching ----------------------------------------------------------------------------------- */

/* Back to whoever resumed us; returns when we are resumed. */
static void yield(struct task *t) {
  if (_setjmp(t->here) == 0) {
    leaving(&t->fake_stack, t->caller_stack, t->caller_size);
    _longjmp(t->caller, 1);
  }
  arrived(t->fake_stack, &t->caller_stack, &t->caller_size);
}

static void resume(struct task *t) {
  struct task *volatile self = t;

  current = t;
  if (_setjmp(t->caller) == 0) {
    leaving(&t->caller_fake_stack, t->stack, t->of->stack);
    _longjmp(t->here, 1);
  }
  arrived(self->caller_fake_stack, 0, 0);
  current = 0;
}

/* The life of a stack. */
static void run(unsigned high, unsigned low) {
  struct task *t = (struct task *)((uintptr_t)high << 16 << 16 | low);

  arrived(0, &t->caller_stack, &t->caller_size);
  for (;;) {
    t->fn(t->ctx);
    loop_io_remove(t->of->loop, &t->usual);
    t->fn = 0;
    yield(t);
  }
}

static void enter_first(struct task *t) {
  uintptr_t p = (uintptr_t)t;
  ucontext_t new, old;

  getcontext(&new);
  new.uc_stack.ss_sp = t->stack;
  new.uc_stack.ss_size = t->of->stack;
  new.uc_link = 0;
  makecontext(&new, (void (*)(void))run, 2, (unsigned)(p >> 16 >> 16), (unsigned)p);
  current = t;
  if (_setjmp(t->caller) == 0) {
    leaving(&t->caller_fake_stack, t->stack, t->of->stack);
    swapcontext(&old, &new);
  }
  arrived(t->caller_fake_stack, 0, 0);
  current = 0;
}

/* --- stacks -------------------------------------------------------------------------------------- */

static size_t page(void) {
  return (size_t)sysconf(_SC_PAGESIZE);
}

static struct task *new_task(struct tasks *of) {
  struct task *t = calloc(1, sizeof *t);
  char *map;

  if (!t) return 0;
  map = mmap(0, of->stack + page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (map == MAP_FAILED || mprotect(map, page(), PROT_NONE) == -1) {
    if (map != MAP_FAILED) munmap(map, of->stack + page());
    free(t);
    errno = ENOMEM;
    return 0;
  }
  t->of = of;
  t->stack = map + page(); /* grows down to the guard */
  return t;
}

static void free_task(struct task *t) {
  munmap(t->stack - page(), t->of->stack + page());
  free(t);
}

/* After it ran: has it ended? */
static void retire(struct task *t) {
  struct tasks *of = t->of;

  if (t->fn) return;
  of->running--;
  if (of->idle_n == IDLE_MAX) {
    free_task(t);
    return;
  }
  t->next = of->idle;
  of->idle = t;
  of->idle_n++;
}

int task_start(struct tasks *of, int fd, void (*fn)(void *ctx), void *ctx) {
  struct task *outer = current; /* a task may start others */
  struct task *t = of->idle;
  int fresh = !t;

  if (t) {
    of->idle = t->next;
    of->idle_n--;
  } else if (!(t = new_task(of))) {
    return -1;
  }
  t->fn = fn;
  t->ctx = ctx;
  t->usual.fd = fd;
  of->running++;
  if (fresh) enter_first(t);
  else resume(t);
  retire(t);
  current = outer;
  return 0;
}

void task_undivided(void (*fn)(void *ctx), void *ctx) {
  struct task *t = current;

  current = 0; /* base/wait.h then takes us for an ordinary process */
  fn(ctx);
  current = t;
}

void tasks_free(struct tasks *of) {
  while (of->idle) {
    struct task *t = of->idle;

    of->idle = t->next;
    free_task(t);
  }
  of->idle_n = 0;
}

/* --- waiting ------------------------------------------------------------------------------------- */

static void wake(struct task *t, int outcome) {
  t->outcome = outcome;
  t->waiting = -1;
  resume(t);
  retire(t);
}

static void on_event(void *ctx, int fd, unsigned events) {
  struct task *t = ctx;

  (void)events;
  if (t->waiting == fd) wake(t, 0);
  else loop_io_remove(t->of->loop, &t->usual); /* not now: it is looked at again when it is wanted */
}

static void on_time(void *ctx) {
  wake(ctx, ETIMEDOUT);
}

/* The usual descriptor stays watched, so that a wait for it costs no call of its own. */
static int watch(struct task *t, int fd, unsigned events) {
  struct loop *l = t->of->loop;

  if (t->usual.fd != fd) return loop_io_add(l, &t->other, fd, events, on_event, t);
  if (t->usual.active) return loop_io_set(l, &t->usual, events);
  return loop_io_add(l, &t->usual, fd, events, on_event, t);
}

int task_wait(int fd, short events, deadline when) {
  struct task *t = current;
  unsigned wanted = (events & POLLIN ? LOOP_READ : 0) | (events & POLLOUT ? LOOP_WRITE : 0);

  if (fd != -1 && watch(t, fd, wanted) == -1) return -1;
  if (when != DEADLINE_NEVER && loop_timer_set(t->of->loop, &t->timer, when, on_time, t) == -1) {
    loop_io_remove(t->of->loop, &t->other);
    errno = ENOMEM;
    return -1;
  }
  t->waiting = fd;
  yield(t);
  loop_timer_cancel(t->of->loop, &t->timer);
  loop_io_remove(t->of->loop, &t->other);
  if (!t->outcome) return 0;
  errno = t->outcome;
  return -1;
}

void task_forget(int fd) {
  struct task *t = current;

  if (t->usual.fd == fd) loop_io_remove(t->of->loop, &t->usual);
}
