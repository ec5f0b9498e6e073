/* Orders that stay: noted, saved, loaded, whatever a crash or a hand has left in the file; and
 * who may give them. */
#include "send/orders.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"
#include "send/control.h"

static enum orders_outcome note(struct orders *o, const char *line) {
  struct control_request r = {0};
  enum orders_outcome done;

  CHECK_CASE(control_request_parse(&r, line, strlen(line)) == CONTROL_OK, line);
  done = orders_note(o, &r);
  control_request_free(&r);
  return done;
}

static void put(const char *name, const char *text) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

  CHECK(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
  close(fd);
}

/* The message is there as long as its file is: ids below 20. */
static void make_queue(void) {
  char name[64];

  CHECK(mkdir("send", 0700) == 0 && mkdir("mess", 0700) == 0);
  for (unsigned id = 1; id < 20; ++id) {
    snprintf(name, sizeof name, "mess/%u", id);
    CHECK(mkdir(name, 0700) == 0);
    snprintf(name, sizeof name, "mess/%u/%u", id, id);
    put(name, "");
  }
}

static void stays(void) {
  struct orders o = {0}, again = {0};
  struct strerr e;
  size_t strange;

  CHECK(orders_load(&o, &strange, &e) == 0 && strange == 0);
  CHECK(note(&o, "hold id 5") == ORDERS_NOTED && note(&o, "hold id 5") == ORDERS_SAME);
  CHECK(note(&o, "hold id 6") == ORDERS_NOTED && note(&o, "expire id 6") == ORDERS_NOTED);
  CHECK(note(&o, "hold domain Far.example") == ORDERS_NOTED && note(&o, "hold domain far.example") == ORDERS_SAME);
  CHECK(note(&o, "hold sender -") == ORDERS_NOTED && note(&o, "hold sender a@b") == ORDERS_NOTED);
  CHECK(note(&o, "release sender a@b") == ORDERS_NOTED && note(&o, "release sender a@b") == ORDERS_SAME);
  CHECK(note(&o, "hold id 777") == ORDERS_NOTED); /* such a message there will not be when it is loaded */
  CHECK(orders_save(&o) == 0 && orders_save(&o) == 0);
  CHECK(orders_load(&again, &strange, &e) == 0 && strange == 0);
  CHECK(idset_has(&again.held, 5) && !idset_has(&again.held, 6) && idset_has(&again.expired, 6) && again.held.n == 1);
  CHECK(again.domains.len == 1 && again.senders.len == 1 && orders_holds_sender(&again, "") && !orders_holds_sender(&again, "a@b"));
  orders_forget(&again, 5);
  CHECK(again.held.n == 0 && orders_release_all(&again) && orders_save(&again) == 0);
  orders_free(&o);
  CHECK(orders_load(&o, &strange, &e) == 0 && o.domains.len == 0 && o.senders.len == 0 && o.expired.n == 1);
  orders_free(&o);
  orders_free(&again);
}

static void damaged(void) {
  static const struct {
    const char *text;
    size_t strange, held, domains;
  } cases[] = {
      {"hold id 5\nhold id 6", 0, 1, 0},
      {"hold id 5\nhold id", 0, 1, 0},
      {"garbage\nhold id 5\n\nremove id 5\nrelease all\n", 4, 1, 0},
      {"hold id 5\nrelease id 5\nhold domain x\n", 0, 0, 1},
      {"hold id 99\nhold id 5\n", 0, 1, 0},
      {"\xff\xff\n", 1, 0, 0},
      {"", 0, 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct orders o = {0};
    struct strerr e;
    size_t strange;

    put(ORDERS_FILE, cases[i].text);
    CHECK_CASE(orders_load(&o, &strange, &e) == 0 && strange == cases[i].strange, cases[i].text);
    CHECK_CASE(o.held.n == cases[i].held && o.domains.len == cases[i].domains, cases[i].text);
    CHECK(note(&o, "hold id 7") == ORDERS_NOTED && orders_save(&o) == 0); /* not behind half a line */
    orders_free(&o);
    CHECK(orders_load(&o, &strange, &e) == 0 && strange == 0 && idset_has(&o.held, 7));
    orders_free(&o);
  }
}

/* The file does not grow for ever, and neither does the memory. */
static void bounds(void) {
  struct orders o = {0};
  struct stat st;
  char line[64];

  for (int i = 0; i < 2500; ++i) CHECK(note(&o, i % 2 ? "release id 5" : "hold id 5") == ORDERS_NOTED && orders_save(&o) == 0);
  CHECK(stat(ORDERS_FILE, &st) == 0 && st.st_size < 30000);
  for (unsigned i = 0; i < ORDERS_NAMES_MAX; ++i) {
    snprintf(line, sizeof line, "hold domain d%u", i);
    CHECK(note(&o, line) == ORDERS_NOTED);
  }
  CHECK(note(&o, "hold domain one.more") == ORDERS_FULL && note(&o, "release domain d5") == ORDERS_NOTED);
  CHECK(note(&o, "hold domain one.more") == ORDERS_NOTED);
  orders_free(&o);
}

static void rights(void) {
  static const struct {
    uid_t uid;
    gid_t gid;
    int order, ask;
  } cases[] = {{0, 0, 1, 1}, {100, 200, 1, 1}, {100, 7, 1, 1}, {101, 200, 0, 1}, {101, 201, 0, 0}, {101, 0, 0, 0}};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    CHECK(control_may_order(cases[i].uid, 100) == cases[i].order);
    CHECK(control_may_ask(cases[i].uid, cases[i].gid, 100, 200) == cases[i].ask);
  }
}

int main(void) {
  char dir[] = "/tmp/ordersXXXXXX";
  char name[64];

  CHECK(mkdtemp(dir) && chdir(dir) == 0);
  make_queue();
  stays();
  damaged();
  bounds();
  rights();
  for (unsigned id = 1; id < 20; ++id) {
    snprintf(name, sizeof name, "mess/%u/%u", id, id);
    CHECK(remove(name) == 0);
    snprintf(name, sizeof name, "mess/%u", id);
    CHECK(remove(name) == 0);
  }
  CHECK(remove(ORDERS_FILE) == 0 && rmdir("send") == 0 && rmdir("mess") == 0 && chdir("/") == 0 && rmdir(dir) == 0);
  return check_done();
}
