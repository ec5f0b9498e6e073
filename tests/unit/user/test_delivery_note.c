/* Notes of what was done with a message: for this file and this address only, each thing as often as it was done. */
#include "user/delivery_note.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "check.h"

static char home[] = "/tmp/delivery_note.XXXXXX";
static struct strerr e;

static int message(const char *name, const char *text) {
  stralloc path = STRALLOC_INIT;
  int fd;

  CHECK(stralloc_catm(&path, home, "/", name, (char *)0));
  fd = open(path.s, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  CHECK(fd != -1 && fd_write_all(fd, text, strlen(text)) == 0);
  stralloc_free(&path);
  return fd;
}

/* A delivery: what of the words (each with its mark) was not done before is done; then it is put off, or not.  Gives
 * what was done. */
static const char *deliver(int fd, const char *address, const char *const *words, int again, stralloc *done) {
  struct delivery_note n;

  stralloc_cut(done, 0);
  delivery_note_open(&n, home, fd, address);
  for (; *words; ++words) {
    if (delivery_note_take(&n, **words, *words + 1)) continue;
    CHECK(stralloc_catm(done, *words, " ", (char *)0) && delivery_note_add(&n, **words, *words + 1));
  }
  CHECK(delivery_note_finish(&n, again, &e) == 0);
  delivery_note_free(&n);
  return stralloc_cstr(done);
}
#define WORDS(...) (const char *const[]){__VA_ARGS__, 0}

static int notes(void) {
  stralloc path = STRALLOC_INIT;
  int there;

  CHECK(stralloc_catm(&path, home, "/" DELIVERY_NOTES, (char *)0));
  there = access(path.s, F_OK) == 0;
  stralloc_free(&path);
  return there;
}

int main(void) {
  stralloc done = STRALLOC_INIT, command = STRALLOC_INIT;
  struct delivery_note n;
  int one, other, p[2];

  CHECK(mkdtemp(home) != 0);
  one = message("one", "x\n");
  other = message("other", "x\n");

  CHECK(!strcmp(deliver(one, "a@x", WORDS("|p", "&b@y", "|p"), 1, &done), "|p &b@y |p ") && notes());
  /* another message, and another address of this one, know nothing of it */
  CHECK(!strcmp(deliver(other, "a@x", WORDS("|p"), 1, &done), "|p ") && !strcmp(deliver(one, "b@x", WORDS("|p"), 1, &done), "|p "));
  /* as often as it was done, with its mark; what is new is added, what is no longer asked for forgotten */
  CHECK(!strcmp(deliver(one, "a@x", WORDS("|p", "|p", "|p", "&p", "!p", "/c/"), 1, &done), "|p &p !p /c/ "));
  CHECK(!strcmp(deliver(one, "a@x", WORDS("&b@y", "/c/", "/d"), 1, &done), "&b@y /d "));
  CHECK(!strcmp(deliver(one, "a@x", WORDS("/c/", "/c", "/"), 0, &done), "/c / "));
  CHECK(!strcmp(deliver(one, "a@x", WORDS("/c/"), 0, &done), "/c/ ") && notes());
  /* nothing was done: nothing to note */
  delivery_note_open(&n, home, one, "c@x");
  CHECK(delivery_note_works(&n) && delivery_note_finish(&n, 1, &e) == 0);
  delivery_note_free(&n);
  CHECK(!strcmp(deliver(other, "a@x", WORDS("|p"), 0, &done), "") && !strcmp(deliver(one, "b@x", WORDS("|p"), 0, &done), "") && !notes());

  /* the same name again is another message */
  CHECK(!strcmp(deliver(one, "a@x", WORDS("|p"), 1, &done), "|p "));
  CHECK(stralloc_catm(&command, home, "/one", (char *)0) && unlink(command.s) == 0);
  close(one);
  one = message("one", "x\n");
  CHECK(!strcmp(deliver(one, "a@x", WORDS("|p"), 0, &done), "|p "));

  /* no memory of what comes through a pipe, of a file without a name, or without a home; where it cannot be written */
  CHECK(pipe(p) == 0);
  delivery_note_open(&n, home, p[0], "a@x");
  CHECK(!delivery_note_works(&n) && !delivery_note_take(&n, '|', "p") && delivery_note_add(&n, '|', "p") && delivery_note_finish(&n, 1, &e) == 0);
  delivery_note_free(&n);
  delivery_note_open(&n, "", other, "a@x");
  CHECK(!delivery_note_works(&n));
  delivery_note_open(&n, 0, other, "a@x");
  CHECK(!delivery_note_works(&n));
  CHECK(unlink(command.s) == 0);
  delivery_note_open(&n, home, one, "a@x");
  CHECK(!delivery_note_works(&n));
  delivery_note_open(&n, "/nonexistent", other, "a@x");
  CHECK(delivery_note_works(&n) && delivery_note_add(&n, '|', "p") && delivery_note_finish(&n, 1, &e) == -1);
  delivery_note_free(&n);
  delivery_note_free(&n);

  stralloc_cut(&command, 0);
  CHECK(stralloc_catm(&command, "rm -rf ", home, (char *)0) && system(command.s) == 0);
  stralloc_free(&done);
  stralloc_free(&command);
  return check_done();
}
