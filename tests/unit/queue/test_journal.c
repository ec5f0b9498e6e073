/* The journal: its records, whole and damaged; what is brought back after a power loss, and
 * what must not be. */
#include "queue/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fmt.h"
#include "check.h"
#include "queue/accept.h"
#include "queue/exitcodes.h"
#include "queue/found.h"
#include "queue/transition.h"

#define BOOT 7
#define MESSAGE "Subject: x\n\nhello\n"
#define ENVELOPE "Fa@b\0Tc@d\0"

static void records(void) {
  struct journal_record r = {5, BOOT, 42, "ENV", "message", 3, 7};
  stralloc s = STRALLOC_INIT, all = STRALLOC_INIT;
  struct journal_record got;
  uint64_t first, last;
  size_t pos = 0;
  int n = 0;

  CHECK(journal_head_format(&all, 5) && all.len == JOURNAL_BLOCK && journal_head_parse(all.s, all.len, &first) && first == 5);
  CHECK(journal_record_format(&s, &r) && journal_record_format(&s, &r) && journal_pad(&s) && s.len == JOURNAL_BLOCK);
  CHECK(stralloc_cat(&all, &s));
  r.batch = 6;
  stralloc_cut(&s, 0);
  CHECK(journal_record_format(&s, &r) && journal_pad(&s) && stralloc_cat(&all, &s));
  while (journal_next(all.s, all.len, first, &pos, &last, &got) == 1) {
    ++n;
    CHECK(got.id == 42 && got.boot == BOOT && got.message_n == 7 && !memcmp(got.message, "message", 7) && !memcmp(got.envelope, "ENV", 3));
  }
  CHECK(n == 3 && last == 6);
  /* Cut anywhere, or with any byte changed, no more than the records before that come out. */
  for (size_t cut = JOURNAL_BLOCK; cut < all.len; ++cut) {
    for (pos = 0, n = 0; journal_next(all.s, cut, first, &pos, &last, &got) == 1;) ++n;
    CHECK(n == (cut >= JOURNAL_BLOCK + 2 * 64) + (cut >= JOURNAL_BLOCK + 64) + (cut >= 2 * JOURNAL_BLOCK + 64) ||
          (cut % JOURNAL_BLOCK > 57 && cut % JOURNAL_BLOCK < 128));
  }
  for (size_t i = JOURNAL_BLOCK; i < JOURNAL_BLOCK + 58; ++i) {
    all.s[i] ^= 1;
    for (pos = 0, n = 0; journal_next(all.s, all.len, first, &pos, &last, &got) == 1;) ++n;
    CHECK(n == 0); /* a batch that is torn is the last one */
    all.s[i] ^= 1;
  }
  /* Records of an earlier use of the segment do not count. */
  for (pos = 0, n = 0; journal_next(all.s, all.len, 6, &pos, &last, &got) == 1;) ++n;
  CHECK(n == 0);
  all.s[8] ^= 1;
  CHECK(!journal_head_parse(all.s, all.len, &first) && !journal_head_parse(all.s, 20, &first));
  stralloc_free(&s);
  stralloc_free(&all);
}

/* --- a queue of our own --- */

static char home[] = "/tmp/test_journal.XXXXXX";

static void make_queue(const char *name) {
  char path[64];

  CHECK(chdir(home) == 0 && mkdir(name, 0755) == 0 && chdir(name) == 0);
  CHECK(mkdir("mess", 0755) == 0 && mkdir("info", 0755) == 0 && mkdir("journal", 0755) == 0);
  for (uint64_t i = 0; i < QUEUE_SPLIT; ++i) {
    queuepath_dir(path, QUEUE_mess, i);
    CHECK(mkdir(path, 0755) == 0);
    queuepath_dir(path, QUEUE_info, i);
    CHECK(mkdir(path, 0755) == 0);
  }
}

/* Takes one message in, by the journal. */
static uint64_t take(struct journal *j) {
  struct accept a;
  struct accept_origin o = {.uid = 1};
  stralloc text = STRALLOC_INIT, envelope = STRALLOC_INIT;

  CHECK(accept_prepare(&a, &o, 0, MESSAGE, sizeof MESSAGE - 1, ENVELOPE, sizeof ENVELOPE, &text) == QQ_queued);
  CHECK(envelope_format(&a.env, &envelope) && journal_add(j, a.id, &envelope, text.s, text.len) && journal_start(j) == 0);
  CHECK(accept_store(&a, &text) == QQ_queued && journal_finish(j) == 0);
  accept_free(&a);
  stralloc_free(&text);
  stralloc_free(&envelope);
  return a.id;
}

static int is_whole(uint64_t id) {
  struct envelope env = {0};
  int r = queue_load(id, &env, QUEUE_FOUND);

  CHECK(r != 1 || (env.recipients.len == 1 && stralloc_equals(&env.recipients.item[0], "c@d") && stralloc_equals(&env.sender, "a@b")));
  envelope_free(&env);
  return r;
}

/* The marker as it was before the last batch reached the disk. */
static void move_mark_back(void) {
  CHECK(rename("journal/0.mark.1", "journal/0.mark.0") == 0);
}

static void lose_content(uint64_t id) {
  char path[QUEUE_PATH];

  queuepath(path, QUEUE_mess, id);
  CHECK(truncate(path, 3) == 0);
}

static void lose_envelope(uint64_t id) {
  char path[QUEUE_PATH];

  queuepath(path, QUEUE_info, id);
  CHECK(unlink(path) == 0);
}

static void lose_both(uint64_t id) {
  CHECK(queue_remove(id) == 0);
}

static void nothing(uint64_t id) {
  (void)id;
}

static void recovery(void) {
  static const struct {
    const char *name;
    void (*lose)(uint64_t id);
    int mark_lost;
    uint64_t boot;
    long restored;
    int whole;
    int unordered;
  } cases[] = {
      {"all-there", nothing, 0, 8, 0, 1, 0},
      {"content", lose_content, 0, 8, 1, 1, 0},
      {"content-and-mark", lose_content, 1, 8, 1, 1, 0},
      {"finished", lose_both, 0, 8, 0, 0, 0},
      {"unordered", lose_both, 0, 8, 1, 1, 1},
      {"finishing", lose_envelope, 0, 8, 0, 0, 0},
      {"names", lose_both, 1, 8, 1, 1, 0},
      {"one-name", lose_envelope, 1, 8, 1, 1, 0},
      {"same-boot", lose_both, 1, BOOT, 0, 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct journal j;
    uint64_t id;

    make_queue(cases[i].name);
    CHECK(journal_open(&j, &(struct journal_era){BOOT, 1}, 1 << 20) == 0);
    id = take(&j);
    CHECK_CASE(is_whole(id) == 1, cases[i].name);
    CHECK(journal_recover(&(struct journal_era){8, 1}) == 0); /* its writer runs: this is no new boot */
    journal_close(&j);
    cases[i].lose(id);
    if (cases[i].mark_lost) move_mark_back();
    CHECK_CASE(journal_recover(&(struct journal_era){cases[i].boot, !cases[i].unordered}) == cases[i].restored, cases[i].name);
    CHECK_CASE(is_whole(id) == cases[i].whole, cases[i].name);
    /* Once is enough: what is finished now stays away. */
    if (cases[i].boot == BOOT) continue;
    CHECK(queue_remove(id) == 0);
    CHECK_CASE(journal_recover(&(struct journal_era){9, 1}) == 0 && is_whole(id) == 0, cases[i].name);
  }
}

/* The writer of the next boot is there before qmail-clean: it brings back what was lost itself. */
static void recovery_by_the_writer(void) {
  struct journal j;
  uint64_t torn, lost, gone;

  make_queue("early");
  CHECK(journal_open(&j, &(struct journal_era){BOOT, 1}, 1 << 20) == 0);
  gone = take(&j);
  torn = take(&j);
  lost = take(&j);
  journal_close(&j);
  CHECK(rename("journal/0.mark.3", "journal/0.mark.2") == 0);
  lose_content(torn);
  lose_both(lost);
  lose_both(gone);
  CHECK(journal_open(&j, &(struct journal_era){8, 1}, 1 << 16) == 0);
  CHECK(is_whole(torn) == 1 && is_whole(lost) == 1 && is_whole(gone) == 0);
  CHECK(queue_remove(torn) == 0 && journal_recover(&(struct journal_era){9, 1}) == 0);
  journal_close(&j);
  CHECK(journal_recover(&(struct journal_era){9, 1}) == 0 && is_whole(torn) == 0 && is_whole(lost) == 1);
}

static void writers(void) {
  struct journal a, b, c;
  uint64_t id[2];

  make_queue("writers");
  CHECK(journal_open(&a, &(struct journal_era){BOOT, 1}, 1 << 20) == 0 && journal_open(&b, &(struct journal_era){BOOT, 1}, 1 << 20) == 0);
  CHECK(a.writer == 0 && b.writer == 1);
  id[0] = take(&a);
  id[1] = take(&b);
  journal_close(&a);
  CHECK(journal_open(&c, &(struct journal_era){BOOT, 1}, 1 << 20) == 0 && c.writer == 0); /* takes over, and counts on */
  CHECK(c.batch >= 1);
  take(&c);
  CHECK(is_whole(id[0]) == 1 && is_whole(id[1]) == 1);
  journal_close(&b);
  journal_close(&c);
}

/* What was begun and cannot be ended as it should comes back with no power loss, and what follows takes its place. */
static void cancelled(void) {
  for (int mark_lost = 0; mark_lost <= 1; ++mark_lost) {
    struct journal j;
    struct accept a;
    struct accept_origin o = {.uid = 1};
    stralloc text = STRALLOC_INIT, envelope = STRALLOC_INIT;
    uint64_t before, after;

    make_queue(mark_lost ? "markless" : "cancelled");
    CHECK(journal_open(&j, &(struct journal_era){BOOT, 1}, 1 << 20) == 0);
    before = take(&j);
    CHECK(accept_prepare(&a, &o, 0, MESSAGE, sizeof MESSAGE - 1, ENVELOPE, sizeof ENVELOPE, &text) == QQ_queued);
    CHECK(envelope_format(&a.env, &envelope) && journal_add(&j, a.id, &envelope, text.s, text.len) && journal_start(&j) == 0);
    if (mark_lost) CHECK(unlink("journal/0.mark.1") == 0 && journal_finish(&j) == -1 && errno == ENOENT);
    else journal_cancel(&j);
    accept_abandon(&a);
    accept_free(&a);
    if (mark_lost) CHECK(close(open("journal/0.mark.1", O_CREAT | O_WRONLY, 0600)) == 0);
    CHECK(j.at == 2 * JOURNAL_BLOCK);
    after = take(&j);
    CHECK(j.at == 3 * JOURNAL_BLOCK && j.marked == 3);
    journal_close(&j);
    lose_content(before);
    lose_content(after);
    CHECK(journal_recover(&(struct journal_era){8, 0}) == 2);
    CHECK(is_whole(before) == 1 && is_whole(after) == 1 && !queue_has(a.id, QUEUE_mess) && !queue_has(a.id, QUEUE_info));
    stralloc_free(&text);
    stralloc_free(&envelope);
  }
}

/* More than all segments hold, while nothing is reaped: the journal says no and loses nothing;
 * once its children are heard of, it goes on. */
static void rotation(void) {
  struct journal j;
  stralloc big = STRALLOC_INIT, envelope = STRALLOC_INIT;
  int committed = 0, reaped = 0, status;
  pid_t pid;

  make_queue("rotation");
  CHECK(journal_open(&j, &(struct journal_era){BOOT, 1}, 1 << 20) == 0);
  for (int i = 0; i < 60000; ++i) CHECK(stralloc_append(&big, 'x'));
  CHECK(stralloc_copys(&envelope, "e"));
  for (;;) {
    CHECK(journal_add(&j, 1, &envelope, big.s, big.len) == 1);
    if (journal_start(&j) == -1) break;
    CHECK(journal_finish(&j) == 0);
    ++committed;
  }
  CHECK(errno == EAGAIN && committed == JOURNAL_SEGMENTS * (((1 << 20) - JOURNAL_BLOCK) / 61440));
  journal_tick(&j, mono_now());
  while ((pid = waitpid(-1, &status, 0)) > 0) reaped += status == 0 && journal_reaped(&j, pid, status);
  CHECK(reaped == JOURNAL_SEGMENTS);
  take(&j);
  CHECK(journal_add(&j, 1, &envelope, big.s, big.len) == 1);
  journal_drop(&j);
  journal_close(&j);
  stralloc_free(&big);
  stralloc_free(&envelope);
}

/* One that was never opened has no descriptors, least of all the first of somebody else. */
static void never_opened(void) {
  struct journal j = {0};
  int fd = open("/dev/null", O_RDONLY);
  int saved = dup(0);

  CHECK(fd != -1 && saved != -1 && dup2(fd, 0) == 0);
  journal_close(&j);
  CHECK(fcntl(0, F_GETFD) != -1);
  dup2(saved, 0);
  close(saved);
  close(fd);
}

int main(void) {
  char command[64];

  records();
  never_opened();
  CHECK(mkdtemp(home) != 0);
  recovery();
  recovery_by_the_writer();
  writers();
  cancelled();
  rotation();
  CHECK(chdir("/") == 0);
  snprintf(command, sizeof command, "rm -rf %s", home);
  CHECK(system(command) == 0);
  return check_done();
}
