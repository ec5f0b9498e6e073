/* The messages of inlookup: there and back, byte by byte, and everything malformed. */
#include "user/lookup_proto.h"

#include <stdlib.h>

#include "check.h"

/* The content of a message; the frame is put around it. */
static const struct {
  const char *content;
  const char *fault; /* null: fine */
} requests[] = {
    {"3:IL1,4:user,3:a@b,", 0},
    {"4:IL1F,5:reply,4:user,3:a@b,", 0},
    {"3:IL1,6:verify,3:a@b,6:secret,4:imap,7:1.2.3.4,", 0},
    {"3:IL2,4:user,3:a@b,", "version"},
    {"3:IL1,4:uses,2:ab,", "operation"},
    {"", "message"},
    {"no netstring", "message"},
    {"3:IL1,", "operation"},
    {"3:IL1,4:user,", "missing"},
    {"3:IL1,4:user,3:a@b,1:x,", "too many"},
    {"3:IL1,4:user,3:a@b,x", "too many"},
    {"3:IL1,4:user,9:a@b,", "missing"},
    {"4:IL1F,7:../path,4:user,3:a@b,", "reply FIFO"},
    {"4:IL1F,1:.,4:user,3:a@b,", "reply FIFO"},
    {"4:IL1F,0:,4:user,3:a@b,", "reply FIFO"},
    {"4:IL1F,3:a/b,4:user,3:a@b,", "reply FIFO"},
};

static const struct {
  const char *s;
  long want;
} frames[] = {
    {"", 0},     {"1", 0},      {"12", 0},   {"1:", 0},     {"1:x", 0},  {"1:x,", 4}, {"1:x,more", 4}, {"0:,", 3},
    {"1:xy", -1}, {"x", -1},    {":", -1},   {"01:x,", -1}, {"-1:x,", -1}, {"95:", 0},  {"96:", 0},      {"97:", -1},
    {"12345678", -1}, {"1234567", -1}, {" 1:x,", -1}, {"1 :x,", -1},
};

static void framing(void) {
  for (size_t i = 0; i < sizeof frames / sizeof *frames; ++i)
    CHECK_CASE(lookup_frame(frames[i].s, strlen(frames[i].s), 100) == frames[i].want, frames[i].s);
}

static void parsing(void) {
  for (size_t i = 0; i < sizeof requests / sizeof *requests; ++i) {
    struct lookup_request r;
    char msg[128];
    size_t n = (size_t)snprintf(msg, sizeof msg, "%zu:%s,", strlen(requests[i].content), requests[i].content);
    const char *fault = lookup_request_parse(msg, n, &r);

    CHECK_CASE((fault == 0) == (requests[i].fault == 0), msg);
    if (fault && requests[i].fault) CHECK_CASE(strstr(fault, requests[i].fault) != 0, fault);
    if (fault) continue;
    /* Cut short it needs more; changed anywhere it never reads outside. */
    for (size_t cut = 0; cut < n; ++cut) {
      CHECK_CASE(lookup_frame(msg, cut, LOOKUP_REQUEST_MAX) == 0, msg);
      CHECK_CASE(lookup_request_parse(msg, cut, &r) != 0, msg);
    }
    for (size_t at = 0; at < n; ++at) {
      char *copy = malloc(n); /* exact, so that a sanitizer sees a step too far */

      memcpy(copy, msg, n);
      copy[at] = (char)(copy[at] ^ 1);
      (void)lookup_request_parse(copy, n, &r);
      (void)lookup_frame(copy, n, LOOKUP_REQUEST_MAX);
      free(copy);
    }
  }
}

static void round_trip(void) {
  const char *arg[] = {"alice@example.com", "pass,word:1", "imap", "", "n=x,r=y", "cHJvb2Y="};
  struct lookup_request r;
  stralloc m = STRALLOC_INIT;

  for (int op = 0; op < LOOKUP_OPS; ++op)
    for (int fifo = 0; fifo < 2; ++fifo) {
      stralloc_cut(&m, 0);
      CHECK(lookup_request_fmt(&m, fifo ? "0123abcd" : 0, (enum lookup_op)op, arg));
      CHECK(lookup_frame(m.s, m.len, LOOKUP_REQUEST_MAX) == (long)m.len);
      CHECK_CASE(lookup_request_parse(m.s, m.len, &r) == 0, lookup_ops[op].name);
      CHECK((int)r.op == op && r.reply.n == (fifo ? 8u : 0u));
      for (size_t i = 0; i < lookup_ops[op].arguments; ++i)
        CHECK(r.arg[i].n == strlen(arg[i]) && !memcmp(r.arg[i].s, arg[i], r.arg[i].n));
      CHECK(lookup_op_find(lookup_ops[op].name, strlen(lookup_ops[op].name)) == op);
    }
  CHECK(lookup_op_find("", 0) == -1 && lookup_op_find("use", 3) == -1 && lookup_op_find("users", 5) == -1);
  for (long n = 1; n < 4; ++n) {
    stralloc_free(&m);
    check_nomem(n);
    (void)!lookup_request_fmt(&m, 0, LOOKUP_OP_user, arg);
    check_nomem(0);
    CHECK(!m.len || lookup_request_parse(m.s, m.len, &r) == 0);
  }
  stralloc_free(&m);
}

static void too_long(void) {
  char *big = malloc(LOOKUP_REQUEST_MAX + 1);
  const char *arg[] = {big};
  stralloc m = STRALLOC_INIT;
  struct lookup_request r;

  memset(big, 'x', LOOKUP_REQUEST_MAX);
  big[LOOKUP_REQUEST_MAX] = 0;
  CHECK(!lookup_request_fmt(&m, 0, LOOKUP_OP_user, arg));
  big[LOOKUP_REQUEST_MAX - 100] = 0;
  stralloc_cut(&m, 0);
  CHECK(lookup_request_fmt(&m, 0, LOOKUP_OP_user, arg) && m.len <= LOOKUP_REQUEST_MAX);
  CHECK(lookup_request_parse(m.s, m.len, &r) == 0);
  free(big);
  stralloc_free(&m);
}

static void answers(void) {
  stralloc fields = STRALLOC_INIT, m = STRALLOC_INIT;
  struct lookup_reader r;
  struct lookup_field f;

  for (int status = 0; status < LOOKUP_STATUSES; ++status) {
    stralloc_cut(&m, 0);
    CHECK(lookup_answer_start(&fields, (enum lookup_status)status));
    CHECK(lookup_answer_put(&fields, "one", 3) && lookup_answer_put(&fields, "", 0) &&
          lookup_answer_putu(&fields, 4294967295ul) && lookup_answer_end(&m, &fields));
    CHECK(lookup_answer_parse(m.s, m.len, &r) == status);
    CHECK(lookup_answer_next(&r, &f) == 1 && f.n == 3 && !memcmp(f.s, "one", 3));
    CHECK(lookup_answer_next(&r, &f) == 1 && f.n == 0);
    CHECK(lookup_answer_next(&r, &f) == 1 && f.n == 10);
    CHECK(lookup_answer_next(&r, &f) == 0);
    for (size_t cut = 0; cut < m.len; ++cut) CHECK(lookup_answer_parse(m.s, cut, &r) == -1);
  }
  CHECK(lookup_answer_parse("14:3:IL1,4:what,,", 17, &r) == -1);
  CHECK(lookup_answer_parse("11:3:IL2,2:ok,,", 15, &r) == -1);
  CHECK(lookup_answer_parse("6:3:IL1,,", 9, &r) == -1);
  CHECK(lookup_answer_parse("14:3:IL1,2:ok,9:,,", 18, &r) == LOOKUP_STATUS_ok && lookup_answer_next(&r, &f) == -1);
  stralloc_cut(&m, 0);
  CHECK(lookup_answer_start(&fields, LOOKUP_STATUS_ok));
  while (fields.len <= LOOKUP_ANSWER_MAX) CHECK(lookup_answer_put(&fields, "0123456789012345678901234567890123456789", 40));
  CHECK(!lookup_answer_end(&m, &fields));
  stralloc_free(&fields);
  stralloc_free(&m);
}

int main(void) {
  framing();
  parsing();
  round_trip();
  too_long();
  answers();
  return check_done();
}
