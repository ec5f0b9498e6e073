/* The lines of send/control: requests and records, each way; lines whole and byte by byte. */
#include "send/control_proto.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static void requests(void) {
  static const struct {
    const char *line;
    enum control_verdict want;
    enum control_command command;
    enum control_by by;
    uint64_t id;
    const char *text;
  } cases[] = {
      {"status", CONTROL_OK, CONTROL_status, CONTROL_BY_NOTHING, 0, ""},
      {"message id 5", CONTROL_OK, CONTROL_message, CONTROL_BY_ID, 5, ""},
      {"retry all", CONTROL_OK, CONTROL_retry, CONTROL_BY_ALL, 0, ""},
      {"retry id 18446744073709551615", CONTROL_OK, CONTROL_retry, CONTROL_BY_ID, UINT64_MAX, ""},
      {"hold domain far.example", CONTROL_OK, CONTROL_hold, CONTROL_BY_DOMAIN, 0, "far.example"},
      {"hold sender -", CONTROL_OK, CONTROL_hold, CONTROL_BY_SENDER, 0, ""},
      {"release sender a%20b@c", CONTROL_OK, CONTROL_release, CONTROL_BY_SENDER, 0, "a b@c"},
      {"hold sender %2D", CONTROL_OK, CONTROL_hold, CONTROL_BY_SENDER, 0, "-"},
      {"hold sender -a", CONTROL_OK, CONTROL_hold, CONTROL_BY_SENDER, 0, "-a"},
      {"hold sender %E4@c", CONTROL_OK, CONTROL_hold, CONTROL_BY_SENDER, 0, "\xe4@c"},
      {"remove id 7", CONTROL_OK, CONTROL_remove, CONTROL_BY_ID, 7, ""},
      {"expire id 7", CONTROL_OK, CONTROL_expire, CONTROL_BY_ID, 7, ""},
      {"", CONTROL_BAD, 0, 0, 0, 0},
      {" status", CONTROL_BAD, 0, 0, 0, 0},
      {"status ", CONTROL_BAD, 0, 0, 0, 0},
      {"status all", CONTROL_BAD, 0, 0, 0, 0},
      {"statu", CONTROL_BAD, 0, 0, 0, 0},
      {"retry", CONTROL_BAD, 0, 0, 0, 0},
      {"retry id", CONTROL_BAD, 0, 0, 0, 0},
      {"retry id 0", CONTROL_BAD, 0, 0, 0, 0},
      {"retry id -1", CONTROL_BAD, 0, 0, 0, 0},
      {"retry id 5 ", CONTROL_BAD, 0, 0, 0, 0},
      {"retry id 5 6", CONTROL_BAD, 0, 0, 0, 0},
      {"retry id 18446744073709551616", CONTROL_BAD, 0, 0, 0, 0},
      {"retry  id 5", CONTROL_BAD, 0, 0, 0, 0},
      {"retry all 5", CONTROL_BAD, 0, 0, 0, 0},
      {"hold all", CONTROL_BAD, 0, 0, 0, 0},
      {"remove sender a@b", CONTROL_BAD, 0, 0, 0, 0},
      {"hold sender %", CONTROL_BAD, 0, 0, 0, 0},
      {"hold sender %2", CONTROL_BAD, 0, 0, 0, 0},
      {"hold sender %zz", CONTROL_BAD, 0, 0, 0, 0},
      {"hold sender %00", CONTROL_BAD, 0, 0, 0, 0},
      {"hold sender a\tb", CONTROL_BAD, 0, 0, 0, 0},
      {"hold sender \xe4", CONTROL_BAD, 0, 0, 0, 0},
  };

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    struct control_request r = {0};
    stralloc again = STRALLOC_INIT;

    CHECK_CASE(control_request_parse(&r, cases[i].line, strlen(cases[i].line)) == cases[i].want, cases[i].line);
    if (cases[i].want == CONTROL_OK) {
      CHECK_CASE(r.command == cases[i].command && r.by == cases[i].by, cases[i].line);
      CHECK_CASE(r.id == cases[i].id && stralloc_equals(&r.text, cases[i].text), cases[i].line);
      CHECK(control_request_format(&again, &r));
      stralloc_chomp(&again);
      CHECK_CASE(stralloc_equals(&again, cases[i].line), cases[i].line);
    }
    stralloc_free(&again);
    control_request_free(&r);
  }
}

static void records(void) {
  static const struct {
    const char *line;
    enum control_verdict want;
  } cases[] = {
      {"ok 5", CONTROL_OK},
      {"error no%20such%20thing", CONTROL_OK},
      {"destination remote far.example 1 2 3 0 5 - unreachable 60", CONTROL_OK},
      {"destination remote far.example 1 2 3 0 5 - unreachable", CONTROL_BAD},
      {"ok", CONTROL_BAD},
      {"ok 5 6", CONTROL_BAD},
      {"ok  5", CONTROL_BAD},
      {"okay 5", CONTROL_BAD},
      {"", CONTROL_BAD},
  };
  struct control_record r = {0};
  stralloc out = STRALLOC_INIT;

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
    CHECK_CASE(control_record_parse(&r, cases[i].line, strlen(cases[i].line)) == cases[i].want, cases[i].line);
  CHECK(control_record_parse(&r, cases[2].line, strlen(cases[2].line)) == CONTROL_OK);
  CHECK(!strcmp(control_column(&r, "host"), "far.example") && !strcmp(control_column(&r, "next"), ""));
  CHECK(!strcmp(control_column(&r, "until"), "60") && !strcmp(control_column(&r, "hos"), ""));
  CHECK(control_begin(&out, CONTROL_RECORD_error) && control_word(&out, "a % b\n") && control_end(&out));
  CHECK(stralloc_equals(&out, "error a%20%25%20b%0A\n"));
  CHECK(control_record_parse(&r, out.s, out.len - 1) == CONTROL_OK && !strcmp(control_column(&r, "text"), "a % b\n"));
  stralloc_free(&out);
  control_record_free(&r);
}

static void lines(void) {
  static const char stream[] = "status\n\nretry all\nhalf";
  static const char *const want[] = {"status", "", "retry all"};

  for (size_t step = 1; step <= sizeof stream; ++step) {
    struct control_reader r = {0};
    size_t got = 0;
    const char *s;
    size_t n;

    for (size_t i = 0; i < sizeof stream - 1; i += step) {
      CHECK(control_reader_add(&r, stream + i, sizeof stream - 1 - i < step ? sizeof stream - 1 - i : step));
      while (control_take_line(&r, &s, &n) == CONTROL_LINE) {
        CHECK(got < 3 && strlen(want[got]) == n && !memcmp(want[got], s, n));
        ++got;
      }
    }
    CHECK(got == 3 && control_take_line(&r, &s, &n) == CONTROL_MORE);
    control_reader_free(&r);
  }
}

static void long_lines(void) {
  struct control_reader r = {0};
  const char *s;
  size_t n;

  for (size_t i = 0; i < CONTROL_LINE_MAX - 1; ++i) CHECK(control_reader_add(&r, "x", 1));
  CHECK(control_take_line(&r, &s, &n) == CONTROL_MORE);
  CHECK(control_reader_add(&r, "\n", 1) && control_take_line(&r, &s, &n) == CONTROL_LINE && n == CONTROL_LINE_MAX - 1);
  for (size_t i = 0; i < CONTROL_LINE_MAX; ++i) CHECK(control_reader_add(&r, "x", 1));
  CHECK(control_take_line(&r, &s, &n) == CONTROL_LONG);
  control_reader_free(&r);
}

static void table(void) {
  CHECK(control_command_named("remove") == CONTROL_remove && control_command_named("remov") == -1);
  CHECK(control_by_named("sender") == CONTROL_BY_SENDER && control_by_named("") == -1);
  for (int c = 0; c < CONTROL_COMMANDS; ++c) {
    int any = 0;

    for (int by = 0; by < CONTROL_BYS; ++by) any |= control_allows((enum control_command)c, (enum control_by)by);
    CHECK_CASE(any, control_commands[c].name);
  }
}

int main(void) {
  requests();
  records();
  lines();
  long_lines();
  table();
  return check_done();
}
