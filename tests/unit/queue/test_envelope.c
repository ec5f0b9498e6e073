/* Both forms of an envelope, the spawners' protocol and the names of queue files. */
#include "queue/envelope.h"

#include "check.h"
#include "queue/crc32.h"
#include "queue/exitcodes.h"
#include "queue/queuepath.h"
#include "queue/spawn_proto.h"

static void wire(size_t step) {
  static const struct {
    const char *name, *bytes;
    size_t n;
    enum envelope_wire want;
    size_t recipients;
  } cases[] = {
      {"two", "Fa@b\0Tc@d\0Te@f\0\0", 16, WIRE_END, 2},
      {"none", "Fa@b\0\0", 6, WIRE_END, 0},
      {"null sender", "F\0Tc@d\0\0", 8, WIRE_END, 1},
      {"cut", "Fa@b\0Tc@d\0", 10, WIRE_MORE, 1},
      {"empty", "", 0, WIRE_MORE, 0},
      {"DSN", "Fa@b\0dRET=FULL\0Tc@d\0nNOTIFY=NEVER\0Te@f\0\0", 43, WIRE_END, 2},
      {"id", "Fa@b\0i17.4\0Tc@d\0\0", 17, WIRE_END, 1},
      {"id and DSN", "Fa@b\0i17.4\0dRET=FULL\0Tc@d\0\0", 27, WIRE_END, 1},
      {"id that is a number", "Fa@b\0i17\0\0", 10, WIRE_BAD, 0},
      {"id with a blank", "Fa@b\0i1 a\0\0", 11, WIRE_BAD, 0},
      {"empty id", "Fa@b\0i\0\0", 8, WIRE_BAD, 0},
      {"two ids", "Fa@b\0i1.1\0i1.1\0\0", 16, WIRE_BAD, 0},
      {"id late", "Fa@b\0dRET=FULL\0i1.1\0\0", 21, WIRE_BAD, 0},
      {"id after T", "Fa@b\0Tc@d\0i1.1\0\0", 16, WIRE_BAD, 1},
      {"d late", "Fa@b\0Tc@d\0dRET=FULL\0\0", 21, WIRE_BAD, 1},
      {"two d", "Fa@b\0d\0d\0\0", 10, WIRE_BAD, 0},
      {"n without T", "Fa@b\0nNOTIFY=NEVER\0\0", 20, WIRE_BAD, 0},
      {"two n", "Fa@b\0Tc@d\0n\0n\0\0", 15, WIRE_BAD, 1},
      {"no F", "a@b\0\0", 5, WIRE_BAD, 0},
      {"no T", "F\0c@d\0\0", 7, WIRE_BAD, 0},
      {"only NUL", "\0", 1, WIRE_BAD, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct envelope_reader r = {0};
    struct envelope env = {0};
    enum envelope_wire got = WIRE_MORE;
    size_t used;

    for (size_t j = 0; j < cases[i].n && got == WIRE_MORE; j += step)
      got = envelope_read(&r, &env, cases[i].bytes + j, step < cases[i].n - j ? step : cases[i].n - j, &used);
    CHECK_CASE(got == cases[i].want, cases[i].name);
    CHECK_CASE(env.recipients.len == cases[i].recipients || got == WIRE_BAD, cases[i].name);
    envelope_reader_free(&r);
    envelope_free(&env);
  }
}

static void longest(void) {
  for (size_t n = ENVELOPE_ADDRESS_MAX - 1; n < ENVELOPE_ADDRESS_MAX + 3; ++n)
    for (size_t step = 1; step < 3000; step += 1499) {
      struct envelope_reader r = {0};
      struct envelope env = {0};
      stralloc in = STRALLOC_INIT;
      enum envelope_wire got = WIRE_MORE;
      size_t used;

      CHECK(stralloc_append(&in, 'F'));
      for (size_t i = 0; i < n; ++i) CHECK(stralloc_append(&in, 'a'));
      CHECK(stralloc_catb(&in, "\0\0", 2));
      for (size_t j = 0; j < in.len && got == WIRE_MORE; j += step)
        got = envelope_read(&r, &env, in.s + j, step < in.len - j ? step : in.len - j, &used);
      CHECK(got == (n <= ENVELOPE_ADDRESS_MAX ? WIRE_END : WIRE_LONG));
      envelope_reader_free(&r);
      envelope_free(&env);
      stralloc_free(&in);
    }
}

static void sample(struct envelope *env) {
  env->uid = 7;
  env->qp = 99;
  env->birth = 1700000000;
  env->size = 1234;
  CHECK(stralloc_copys(&env->sender, "a@b") && stralloc_copys(&env->extra, "X-A: b\n"));
  CHECK(stralloc_copys(&env->dsn, "RET=HDRS") && stralloc_copys(&env->messid, "17.4"));
  CHECK(envelope_add(env, "c@d", 3, "", 0) && envelope_add(env, "", 0, "NOTIFY=NEVER", 12));
}

static void check_notify(const struct envelope *env) {
  size_t n;

  CHECK(!*envelope_notify(env, 0, &n) && !n);
  CHECK(!strcmp(envelope_notify(env, 1, &n), "NOTIFY=NEVER") && n == 12);
  CHECK(!*envelope_notify(env, 2, &n) && !n);
}

/* What older programs wrote is read; what nobody writes is refused. */
static void record_order(void) {
#define FIVE "u1\np1\nt1\ns1\nc00000000\n"
  static const struct {
    const char *text;
    enum envelope_verdict want;
  } cases[] = {
      {FIVE "Fa\n", ENVELOPE_OK},
      {FIVE "Fa\nTb\nTc\ne1\nh2\n", ENVELOPE_OK},
      {FIVE "Fa\ndRET=FULL\nTb\nnNOTIFY=NEVER\nTc\nTd\nnORCPT=a;b\ne1\n", ENVELOPE_OK},
      {FIVE "Fa\ndRET=FULL\n", ENVELOPE_OK},
      {FIVE "Fa\ni17.4\nTb\n", ENVELOPE_OK},
      {FIVE "Fa\ni17.4\ndRET=FULL\n", ENVELOPE_OK},
      {FIVE "Fa\ni17\n", ENVELOPE_BAD},
      {FIVE "Fa\ni1%0A2\n", ENVELOPE_BAD},
      {FIVE "Fa\nTb\ni17.4\n", ENVELOPE_BAD},
      {FIVE "Fa\nTb\ndRET=FULL\n", ENVELOPE_BAD},
      {FIVE "Fa\nd1\nd2\n", ENVELOPE_BAD},
      {FIVE "Fa\nn1\n", ENVELOPE_BAD},
      {FIVE "Fa\nTb\nn1\nn2\n", ENVELOPE_BAD},
      {FIVE "Fa\nTb\ne1\nn2\n", ENVELOPE_BAD},
      {FIVE "Fa\nTb\ne1\nTc\n", ENVELOPE_BAD},
      {FIVE "Fa\nTb\nx1\n", ENVELOPE_BAD},
      {FIVE "d1\nFa\n", ENVELOPE_BAD},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct envelope env = {0};

    CHECK_CASE(envelope_link_parse(&env, cases[i].text, strlen(cases[i].text)) == cases[i].want, cases[i].text);
    envelope_free(&env);
  }
}

static void file_form(void) {
  struct envelope env = {0}, back = {0};
  stralloc out = STRALLOC_INIT;

  sample(&env);
  CHECK(envelope_format(&env, &out));
  CHECK(envelope_parse(&back, out.s, out.len) == ENVELOPE_OK);
  CHECK(back.uid == 7 && back.qp == 99 && back.birth == 1700000000 && back.size == 1234);
  CHECK(stralloc_equals(&back.sender, "a@b") && stralloc_equals(&back.extra, "X-A: b\n") && !back.captured.len);
  CHECK(back.recipients.len == 2 && stralloc_equals(&back.recipients.item[0], "c@d"));
  CHECK(stralloc_equals(&back.dsn, "RET=HDRS") && stralloc_equals(&back.messid, "17.4"));
  check_notify(&back);
  /* Cut anywhere it is incomplete, never whole: a torn write is known. */
  for (size_t n = 0; n < out.len; ++n) CHECK(envelope_parse(&back, out.s, n) == ENVELOPE_INCOMPLETE);
  /* Any byte changed is noticed. */
  for (size_t i = 0; i < out.len; ++i)
    for (int bit = 0; bit < 8; ++bit) {
      out.s[i] ^= (char)(1 << bit);
      /* but for the case of a checksum's digits */
      CHECK(envelope_parse(&back, out.s, out.len) != ENVELOPE_OK || (i > out.len - 10 && bit == 5));
      out.s[i] ^= (char)(1 << bit);
    }
  CHECK(stralloc_append(&out, 'T') && stralloc_append(&out, 0));
  CHECK(envelope_parse(&back, out.s, out.len) == ENVELOPE_BAD);
  for (long n = 1;; ++n) {
    enum envelope_verdict v;

    stralloc_cut(&out, out.len);
    envelope_free(&back);
    stralloc_free(&out);
    check_nomem(0);
    CHECK(envelope_format(&env, &out));
    check_nomem(n);
    v = envelope_parse(&back, out.s, out.len);
    if (check_allocs() < n) {
      CHECK(v == ENVELOPE_OK);
      break;
    }
    CHECK(v == ENVELOPE_NOMEM);
  }
  check_nomem(0);
  envelope_free(&env);
  envelope_free(&back);
  stralloc_free(&out);
}

/* The text of a symbolic link: what has no place in one comes back all the same. */
static void link_form(void) {
  struct envelope env = {0}, back = {0};
  stralloc out = STRALLOC_INIT;
  int fits;

  sample(&env);
  env.checksum = 0xabc;
  CHECK(strlist_add(&env.recipients, "100%\nodd", 8));
  CHECK(envelope_link_format(&env, &out, &fits) && fits && memchr(out.s, 0, out.len) == 0);
  CHECK(envelope_link_parse(&back, out.s, out.len) == ENVELOPE_OK);
  CHECK(back.uid == 7 && back.size == 1234 && back.checksum == 0xabc && back.recipients.len == 3);
  check_notify(&back);
  CHECK(stralloc_equals(&back.recipients.item[2], "100%\nodd") && stralloc_equals(&back.extra, "X-A: b\n"));
  for (size_t n = 0; n < out.len; ++n) {
    enum envelope_verdict v = envelope_link_parse(&back, out.s, n);

    CHECK(v == ENVELOPE_BAD || v == ENVELOPE_OK); /* OK at the end of a record only */
    CHECK(v == ENVELOPE_BAD || out.s[n - 1] == '\n');
  }
  CHECK(envelope_link_parse(&back, "u1\np1\nt1\ns1\nc00000000\nF%41\n", 27) == ENVELOPE_BAD);
  CHECK(envelope_link_parse(&back, "u1\np1\nt1\ns1\nc00000000\nF%2\n", 26) == ENVELOPE_BAD);
  CHECK(envelope_link_parse(&back, "", 0) == ENVELOPE_BAD);
  for (int i = 0; i < 200; ++i) CHECK(strlist_add(&env.recipients, "many@example.org", 16));
  CHECK(envelope_link_format(&env, &out, &fits) && !fits);
  stralloc_free(&out);
  envelope_free(&env);
  envelope_free(&back);
}

static void spawn_protocol(size_t step) {
  struct spawn_command c = {.delivery = 60000, .id = 1700000000000001, .messid = "17.4", .sender = "", .extra = "X: y\n",
                            .captured = "", .dsn = "RET=FULL", .n = 2, .recipient = {"r@h", "second@h"},
                            .notify = {"", "NOTIFY=NEVER"}};
  struct spawn_reader r = {0};
  struct spawn_report rep;
  stralloc out = STRALLOC_INIT;
  int got = 0;

  CHECK(spawn_command_format(&out, &c) && spawn_command_format(&out, &c));
  for (size_t i = 0; i < out.len; i += step) {
    struct spawn_command back;

    CHECK(spawn_reader_add(&r, out.s + i, step < out.len - i ? step : out.len - i));
    while (spawn_command_take(&r, &back) == 1) {
      ++got;
      CHECK(back.delivery == 60000 && back.id == c.id && !*back.sender && !strcmp(back.extra, "X: y\n"));
      CHECK(!strcmp(back.messid, "17.4") && !strcmp(back.dsn, "RET=FULL") && !*back.notify[0] && !strcmp(back.notify[1], "NOTIFY=NEVER"));
      CHECK(back.n == 2 && !strcmp(back.recipient[0], "r@h") && !strcmp(back.recipient[1], "second@h"));
    }
  }
  CHECK(got == 2);
  stralloc_cut(&out, 0);
  CHECK(spawn_report_format(&out, 513, 'K', "fine\n", 5) && spawn_report_format(&out, 1, 'Z', "a\0b", 3));
  spawn_reader_free(&r);
  for (size_t i = 0; i < out.len; ++i) CHECK(spawn_reader_add(&r, out.s + i, 1));
  CHECK(spawn_report_take(&r, &rep) == 1 && rep.delivery == 513 && rep.result == 'K' && !strcmp(rep.text, "fine\n"));
  CHECK(spawn_report_take(&r, &rep) == 1 && rep.delivery == 1 && rep.result == 'Z' && !strcmp(rep.text, "a"));
  CHECK(spawn_report_take(&r, &rep) == 0);
  spawn_reader_free(&r);
  stralloc_free(&out);
}

/* A report of any length is one report: its text is cut, whole or in pieces, and the next one is
 * found. */
static void long_reports(size_t text, size_t step) {
  struct spawn_reader r = {0};
  struct spawn_report rep;
  stralloc in = STRALLOC_INIT;
  size_t got = 0;

  CHECK(stralloc_catb(&in, "\1\0Z", 3));
  for (size_t i = 0; i < text; ++i) CHECK(stralloc_append(&in, 'x'));
  CHECK(stralloc_append(&in, 0) && stralloc_catb(&in, "\2\0Kok", 6));
  for (size_t i = 0; i < in.len; i += step) {
    CHECK(spawn_reader_add(&r, in.s + i, step < in.len - i ? step : in.len - i));
    for (; spawn_report_take(&r, &rep) == 1; ++got) {
      CHECK(rep.delivery == got + 1 && rep.result == (got ? 'K' : 'Z'));
      CHECK(strlen(rep.text) == (got ? 2 : text < SPAWN_TEXT_MAX ? text : SPAWN_TEXT_MAX));
    }
    CHECK(r.buf.len - r.taken <= SPAWN_TEXT_MAX + 4 || step > SPAWN_TEXT_MAX);
  }
  CHECK(got == 2);
  stralloc_free(&in);
  spawn_reader_free(&r);
}

static void bad_commands(void) {
#define BYTES(text) text, sizeof(text) - 1
  static const struct {
    const char *name, *bytes;
    size_t n;
    int want;
  } cases[] = {
      {"right", BYTES("\0\0" "1/24\0\0\0\0\0\0r@h\0\0\0"), 1},
      {"wrong subdirectory", BYTES("\0\0" "2/24\0\0\0\0\0\0r@h\0\0\0"), -1},
      {"path upward", BYTES("\0\0" "../24\0\0\0\0\0\0r@h\0\0\0"), -1},
      {"no id", BYTES("\0\0" "x\0\0\0\0\0\0r@h\0\0\0"), -1},
      {"leading zero", BYTES("\0\0" "1/024\0\0\0\0\0\0r\0\0\0"), -1},
      {"nobody", BYTES("\0\0" "1/24\0\0\0\0\0\0\0"), -1},
      {"no end of recipients", BYTES("\0\0" "1/24\0\0\0\0\0\0r@h\0\0"), 0},
      {"no DSN parameters", BYTES("\0\0" "1/24\0\0\0\0\0\0r@h\0"), 0},
      {"last string unfinished", BYTES("\0\0" "1/24\0\0\0\0\0\0r@h"), 0},
      {"half", BYTES("\0"), 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct spawn_reader r = {0};
    struct spawn_command c;

    CHECK(spawn_reader_add(&r, cases[i].bytes, cases[i].n));
    CHECK_CASE(spawn_command_take(&r, &c) == cases[i].want, cases[i].name);
    spawn_reader_free(&r);
  }
}

static void paths(void) {
  static const struct {
    const char *text;
    int ok;
    uint64_t id;
  } below[] = {{"1/24", 1, 24}, {"2/24", 0, 0}, {"1/", 0, 0}, {"/24", 0, 0}, {"24", 0, 0}, {"0/0", 1, 0}, {"1/24x", 0, 0},
               {"5/18446744073709551615", 1, UINT64_MAX}};
  char buf[QUEUE_PATH];

  for (size_t i = 0; i < sizeof below / sizeof below[0]; ++i) {
    uint64_t id = 5;

    CHECK_CASE(queuepath_scan_below(below[i].text, strlen(below[i].text), &id) == below[i].ok, below[i].text);
    CHECK_CASE(id == (below[i].ok ? below[i].id : 5), below[i].text);
  }
  CHECK(queuepath(buf, QUEUE_mess, UINT64_MAX) == strlen(buf) && !strcmp(buf, "mess/5/18446744073709551615"));
  CHECK(queuepath(buf, QUEUE_bounce, 24) && !strcmp(buf, "bounce/24"));
  CHECK(queuepath_dir(buf, QUEUE_info, 24) && !strcmp(buf, "info/1"));
}

/* Every combination of files is in at most one row of the table, and an accepted message is
 * delivered, not swept. */
static void states(void) {
  static const char kinds[] = "+-~";
  static const char importing[] = {'+', '.', '-', '+'};

  CHECK(queue_state(importing) && queue_state(importing)->recovery == QUEUE_KEEP);
  for (int i = 0; i < 81; ++i) {
    char f[QUEUE_FILES] = {kinds[i % 3], kinds[i / 3 % 3], kinds[i / 9 % 3], kinds[i / 27 % 3]};
    const struct queue_state_row *row = queue_state(f);

    if (f[QUEUE_mess] == '+' && f[QUEUE_info] == '+' && f[QUEUE_done] != '~' && f[QUEUE_bounce] != '~')
      CHECK(row && row->recovery == QUEUE_DELIVER);
    if (row && row->recovery == QUEUE_DELIVER) CHECK(f[QUEUE_mess] == '+' && f[QUEUE_info] == '+');
  }
}

static void codes(void) {
  static const struct {
    int code;
    char letter;
  } cases[] = {{0, 'K'}, {11, 'D'}, {31, 'D'}, {40, 'D'}, {41, 'Z'}, {53, 'Z'}, {115, 'D'}, {1, 'Z'}, {127, 'Z'}, {255, 'Z'}};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) CHECK(exitcodes_reply(cases[i].code)[0] == cases[i].letter);
  CHECK(crc32(0, "123456789", 9) == 0xcbf43926u);
}

int main(void) {
  wire(1);
  wire(3);
  wire(100);
  longest();
  record_order();
  file_form();
  link_form();
  spawn_protocol(1);
  spawn_protocol(1000);
  for (size_t n = SPAWN_TEXT_MAX - 2; n < SPAWN_TEXT_MAX + 4; ++n) {
    long_reports(n, 1);
    long_reports(n, 4096);
    long_reports(n, 1000000);
  }
  long_reports(300000, 4096);
  bad_commands();
  paths();
  states();
  codes();
  return check_done();
}
