/* lookup_proto: see lookup_proto.h. */
#include "user/lookup_proto.h"

#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/fmt.h"
#include "base/netstring.h"

#define ANYONE LOOKUP_ANYONE
#define DELIVERY LOOKUP_DELIVERY
#define VERIFY LOOKUP_VERIFY
#define QUICK LOOKUP_QUICK
#define SLOW LOOKUP_SLOW
#define KEPT LOOKUP_KEPT
#define WAITS LOOKUP_WAITS
const struct lookup_op_row lookup_ops[LOOKUP_OPS] = {
#define LOOKUP_OP(id, name, arguments, right, pool, away, answer) {name, arguments, right, pool, away, answer},
#include "user/lookup_ops.def"
#undef LOOKUP_OP
};

static const char *const statuses[LOOKUP_STATUSES] = {
    [LOOKUP_STATUS_ok] = "ok",   [LOOKUP_STATUS_kept] = "kept", [LOOKUP_STATUS_none] = "none",     [LOOKUP_STATUS_temporary] = "temporary",
    [LOOKUP_STATUS_bad] = "bad", [LOOKUP_STATUS_denied] = "denied",
};

const char *lookup_status_name(enum lookup_status status) {
  return statuses[status];
}

static const char version[] = "IL1";
static const char version_fifo[] = "IL1F";

int lookup_op_find(const char *name, size_t n) {
  for (int i = 0; i < LOOKUP_OPS; ++i)
    if (bytes_equal(name, n, lookup_ops[i].name, strlen(lookup_ops[i].name))) return i;
  return -1;
}

static long netstring(const char *s, size_t n, size_t max, struct lookup_field *f) {
  return netstring_parse(s, n, max, &f->s, &f->n);
}

long lookup_frame(const char *buf, size_t n, size_t max) {
  struct lookup_field f;

  return netstring(buf, n, max, &f);
}

/* Is msg one whole netstring?  Its content in f. */
static int is_whole(const char *msg, size_t n, size_t max, struct lookup_field *f) {
  return n && netstring(msg, n, max, f) == (long)n;
}

/* The next field of a content that is whole: 1, 0 at the end, -1. */
static int next_field(const char **s, size_t *n, struct lookup_field *f) {
  long took;

  if (!*n) return 0;
  took = netstring(*s, *n, *n, f);
  if (took <= 0) return -1;
  *s += took;
  *n -= (size_t)took;
  return 1;
}

static int is(const struct lookup_field *f, const char *s) {
  return bytes_equal(f->s, f->n, s, strlen(s));
}

const char *lookup_request_parse(const char *msg, size_t n, struct lookup_request *r) {
  struct lookup_field whole, f;
  const char *s;
  int op;

  memset(r, 0, sizeof *r);
  if (!is_whole(msg, n, LOOKUP_REQUEST_MAX, &whole)) return "not a message";
  s = whole.s;
  n = whole.n;
  if (next_field(&s, &n, &f) != 1) return "not a message";
  if (is(&f, version_fifo)) {
    if (next_field(&s, &n, &r->reply) != 1 || r->reply.n > LOOKUP_NAME_MAX || r->reply.s[0] == '.' ||
        !file_name_ok(r->reply.s, r->reply.n))
      return "bad name of a reply FIFO";
  } else if (!is(&f, version)) {
    return "unknown version";
  }
  if (next_field(&s, &n, &f) != 1 || (op = lookup_op_find(f.s, f.n)) == -1) return "unknown operation";
  r->op = (enum lookup_op)op;
  for (size_t i = 0; i < lookup_ops[op].arguments; ++i)
    if (next_field(&s, &n, &r->arg[i]) != 1) return "missing argument";
    else if (bytes_chr(r->arg[i].s, r->arg[i].n, 0) != r->arg[i].n) return "NUL in an argument";
  return n ? "too many arguments" : 0;
}

static int puts_field(stralloc *sa, const char *s) {
  return netstring_cat(sa, s, strlen(s));
}

int lookup_request_fmt(stralloc *msg, const char *reply, enum lookup_op op, const char *const *arg) {
  stralloc fields = STRALLOC_INIT;
  int ok = puts_field(&fields, reply ? version_fifo : version) && (!reply || puts_field(&fields, reply)) &&
           puts_field(&fields, lookup_ops[op].name);

  for (size_t i = 0; ok && i < lookup_ops[op].arguments; ++i) ok = puts_field(&fields, arg[i]);
  ok = ok && fields.len + 8 <= LOOKUP_REQUEST_MAX && netstring_cat(msg, fields.s, fields.len);
  stralloc_wipe(&fields);
  return ok;
}

int lookup_answer_start(stralloc *fields, enum lookup_status status) {
  stralloc_cut(fields, 0);
  return puts_field(fields, version) && puts_field(fields, statuses[status]);
}

int lookup_answer_put(stralloc *fields, const char *s, size_t n) {
  return netstring_cat(fields, s, n);
}

int lookup_answer_putu(stralloc *fields, unsigned long u) {
  char buf[FMT_U64];

  return netstring_cat(fields, buf, fmt_u64(buf, u));
}

int lookup_answer_end(stralloc *msg, const stralloc *fields) {
  return fields->len + 8 <= LOOKUP_ANSWER_MAX && netstring_cat(msg, fields->s, fields->len);
}

int lookup_answer_parse(const char *msg, size_t n, struct lookup_reader *r) {
  struct lookup_field whole, f;

  if (!is_whole(msg, n, LOOKUP_ANSWER_MAX, &whole)) return -1;
  r->s = whole.s;
  r->n = whole.n;
  if (lookup_answer_next(r, &f) != 1 || !is(&f, version) || lookup_answer_next(r, &f) != 1) return -1;
  for (int i = 0; i < LOOKUP_STATUSES; ++i)
    if (is(&f, statuses[i])) return i;
  return -1;
}

int lookup_answer_next(struct lookup_reader *r, struct lookup_field *f) {
  return next_field(&r->s, &r->n, f);
}
