/* envelope: see envelope.h. */
#include "queue/envelope.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/scan.h"
#include "queue/crc32.h"
#include "queue/messid.h"

static int put_number(stralloc *out, char type, uint64_t u) {
  return stralloc_append(out, type) && stralloc_catu64(out, u) && stralloc_append(out, 0);
}

static int put_text(stralloc *out, char type, const stralloc *s) {
  return stralloc_append(out, type) && stralloc_catz(out, s->s, s->len);
}

static int put_checksum(stralloc *out, char type, uint32_t sum) {
  char text[8];

  fmt_hex64_pad(text, sum, sizeof text);
  return stralloc_append(out, type) && stralloc_catz(out, text, sizeof text);
}

/* Parameters of the recipient added last; those before it without any get empty ones. */
static int set_notify(struct envelope *env, const char *s, size_t n) {
  while (env->notify.len + 1 < env->recipients.len)
    if (!strlist_add(&env->notify, "", 0)) return 0;
  return strlist_add(&env->notify, s, n);
}

int envelope_add(struct envelope *env, const char *address, size_t n, const char *dsn, size_t dsn_n) {
  return strlist_add(&env->recipients, address, n) && (!dsn_n || set_notify(env, dsn, dsn_n));
}

const char *envelope_notify(const struct envelope *env, size_t i, size_t *n) {
  *n = i < env->notify.len ? env->notify.item[i].len : 0;
  return *n ? env->notify.item[i].s : "";
}

/* All records but the last. */
static int put_records(const struct envelope *env, stralloc *out) {
  stralloc_cut(out, 0);
  if (!put_number(out, 'u', env->uid) || !put_number(out, 'p', env->qp) || !put_number(out, 't', env->birth) ||
      !put_number(out, 's', env->size) || !put_checksum(out, 'c', (uint32_t)env->checksum) ||
      !put_text(out, 'F', &env->sender) || (env->messid.len && !put_text(out, 'i', &env->messid)) ||
      (env->dsn.len && !put_text(out, 'd', &env->dsn)))
    return 0;
  for (size_t i = 0; i < env->recipients.len; ++i) {
    if (!put_text(out, 'T', &env->recipients.item[i])) return 0;
    if (i < env->notify.len && env->notify.item[i].len && !put_text(out, 'n', &env->notify.item[i])) return 0;
  }
  if (env->extra.len && !put_text(out, 'e', &env->extra)) return 0;
  return !env->captured.len || put_text(out, 'h', &env->captured);
}

int envelope_format(const struct envelope *env, stralloc *out) {
  return put_records(env, out) && put_checksum(out, '.', crc32(0, out->s, out->len));
}

int envelope_link_format(const struct envelope *env, stralloc *out, int *fits) {
  stralloc records = STRALLOC_INIT;
  int ok = put_records(env, &records);

  stralloc_cut(out, 0);
  for (size_t i = 0; ok && i < records.len; ++i) {
    char c = records.s[i];

    if (c == '\n') ok = stralloc_catlit(out, "%0A");
    else if (c == '%') ok = stralloc_catlit(out, "%25");
    else ok = stralloc_append(out, c ? c : '\n');
  }
  *fits = ok && out->len <= ENVELOPE_LINK_MAX;
  stralloc_free(&records);
  return ok;
}

/* The records in their order; T may repeat, each with an n behind it; i, d, e and h
 * may be missing. */
static const char order[] = "uptscFidTneh.";
#define MUST_COME 6 /* the first so many */

/* Takes one record; 1, 0 malformed, -1 no memory. */
static int take(struct envelope *env, char type, const char *s, size_t n) {
  switch (type) {
    case 'u': return scan_u64(s, n, &env->uid);
    case 'p': return scan_u64(s, n, &env->qp);
    case 't': return scan_u64(s, n, &env->birth);
    case 's': return scan_u64(s, n, &env->size);
    case 'c': return n == 8 && scan_hex64(s, n, &env->checksum);
    case 'F': return stralloc_copyb(&env->sender, s, n) ? 1 : -1;
    case 'T': return strlist_add(&env->recipients, s, n) ? 1 : -1;
    case 'i': return !messid_valid(s, n) ? 0 : stralloc_copyb(&env->messid, s, n) ? 1 : -1;
    case 'd': return stralloc_copyb(&env->dsn, s, n) ? 1 : -1;
    case 'n': return set_notify(env, s, n) ? 1 : -1;
    case 'e': return n > ENVELOPE_LINES_MAX ? 0 : stralloc_copyb(&env->extra, s, n) ? 1 : -1;
    case 'h': return n > ENVELOPE_LINES_MAX ? 0 : stralloc_copyb(&env->captured, s, n) ? 1 : -1;
  }
  return 0;
}

static enum envelope_verdict check_end(const char *all, size_t before, const char *s, size_t n,
                                       size_t rest) {
  uint64_t sum;

  if (n != 8 || !scan_hex64(s, n, &sum)) return ENVELOPE_BAD;
  if (rest || sum != crc32(0, all, before)) return ENVELOPE_BAD;
  return ENVELOPE_OK;
}

/* The place in order after this record, or 0 when it may not come now.  Behind a T stands
 * the place of n, where another T may come as well. */
static size_t next_place(size_t at, const char *s, size_t n) {
  const char *type = n ? strchr(order + at, s[0]) : 0;

  if (n && s[0] == 'T' && order[at] == 'n') return at;
  if (!type || !*type || (at < MUST_COME && type != order + at)) return 0;
  if (*type == 'n') return order[at] == 'n' ? (size_t)(type - order) - 1 : 0;
  return (size_t)(type - order) + 1;
}

enum envelope_verdict envelope_parse(struct envelope *env, const char *s, size_t n) {
  size_t pos = 0;
  size_t at = 0; /* in order: the earliest type that may come now */

  envelope_clear(env);
  while (pos < n) {
    size_t len = bytes_chr(s + pos, n - pos, 0);
    int r;

    if (pos + len == n) return ENVELOPE_INCOMPLETE;
    at = next_place(at, s + pos, len);
    if (!at) return ENVELOPE_BAD;
    if (s[pos] == '.') return check_end(s, pos, s + pos + 1, len - 1, n - pos - len - 1);
    r = take(env, s[pos], s + pos + 1, len - 1);
    if (r == -1) return ENVELOPE_NOMEM;
    if (r == 0) return ENVELOPE_BAD;
    pos += len + 1;
  }
  return ENVELOPE_INCOMPLETE;
}

/* Undoes %0A and %25.  0 for any other use of %. */
static int unescape(stralloc *record) {
  size_t to = 0;

  for (size_t i = 0; i < record->len; ++i) {
    char c = record->s[i];

    if (c == '%') {
      if (record->len - i < 3) return 0;
      if (!memcmp(record->s + i, "%0A", 3)) c = '\n';
      else if (memcmp(record->s + i, "%25", 3)) return 0;
      i += 2;
    }
    record->s[to++] = c;
  }
  stralloc_cut(record, to);
  return 1;
}

enum envelope_verdict envelope_link_parse(struct envelope *env, const char *s, size_t n) {
  stralloc record = STRALLOC_INIT;
  enum envelope_verdict verdict = ENVELOPE_OK;
  size_t at = 0;

  envelope_clear(env);
  while (n && verdict == ENVELOPE_OK) {
    size_t len = bytes_chr(s, n, '\n');
    int r = 0;

    if (len == n || bytes_chr(s, len, 0) != len) verdict = ENVELOPE_BAD;
    else if (!stralloc_copyb(&record, s, len)) verdict = ENVELOPE_NOMEM;
    else if (!unescape(&record) || !(at = next_place(at, record.s, record.len))) verdict = ENVELOPE_BAD;
    else if ((r = take(env, record.s[0], record.s + 1, record.len - 1)) != 1) verdict = r ? ENVELOPE_NOMEM : ENVELOPE_BAD;
    s += len + (len < n);
    n -= len + (len < n);
  }
  stralloc_free(&record);
  return verdict == ENVELOPE_OK && at < MUST_COME ? ENVELOPE_BAD : verdict;
}

enum { WANT_SENDER, AFTER_SENDER, AFTER_ID, WANT_RECIPIENT, AFTER_RECIPIENT, AT_END };

/* One record of the wire form. */
static enum envelope_wire take_wire(struct envelope_reader *r, struct envelope *env) {
  const char *s = r->record.s + 1;
  char type = r->record.len ? r->record.s[0] : 0;
  size_t n = r->record.len - (type != 0);
  int ok = 1;

  if (r->state == WANT_SENDER) {
    if (type != 'F') return WIRE_BAD;
    ok = stralloc_copyb(&env->sender, s, n);
    r->state = AFTER_SENDER;
  } else if (!type) {
    r->state = AT_END;
    return WIRE_END;
  } else if (type == 'T') {
    ok = strlist_add(&env->recipients, s, n);
    r->state = AFTER_RECIPIENT;
  } else if (type == 'i' && r->state == AFTER_SENDER) {
    if (!messid_valid(s, n)) return WIRE_BAD;
    ok = stralloc_copyb(&env->messid, s, n);
    r->state = AFTER_ID;
  } else if (type == 'd' && r->state <= AFTER_ID) {
    ok = stralloc_copyb(&env->dsn, s, n);
    r->state = WANT_RECIPIENT;
  } else if (type == 'n' && r->state == AFTER_RECIPIENT) {
    ok = set_notify(env, s, n);
    r->state = WANT_RECIPIENT;
  } else {
    return WIRE_BAD;
  }
  return ok ? WIRE_MORE : WIRE_NOMEM;
}

enum envelope_wire envelope_read(struct envelope_reader *r, struct envelope *env, const char *s,
                                 size_t n, size_t *used) {
  *used = 0;
  while (*used < n) {
    size_t len = bytes_chr(s + *used, n - *used, 0);
    int whole = *used + len < n;
    enum envelope_wire got;

    if (r->state == AT_END) return WIRE_END;
    if (r->record.len + len > ENVELOPE_ADDRESS_MAX + 1) return WIRE_LONG;
    if (!stralloc_catb(&r->record, s + *used, len)) return WIRE_NOMEM;
    *used += len + (size_t)whole;
    if (!whole) return WIRE_MORE;
    got = take_wire(r, env);
    if (got != WIRE_MORE) return got;
    stralloc_cut(&r->record, 0);
  }
  return WIRE_MORE;
}

void envelope_reader_free(struct envelope_reader *r) {
  stralloc_free(&r->record);
  r->state = WANT_SENDER;
}

void envelope_clear(struct envelope *env) {
  env->uid = env->qp = env->birth = env->size = env->checksum = 0;
  stralloc_cut(&env->sender, 0);
  stralloc_cut(&env->extra, 0);
  stralloc_cut(&env->captured, 0);
  stralloc_cut(&env->messid, 0);
  stralloc_cut(&env->dsn, 0);
  strlist_clear(&env->recipients);
  strlist_clear(&env->notify);
}

void envelope_free(struct envelope *env) {
  stralloc_free(&env->sender);
  stralloc_free(&env->extra);
  stralloc_free(&env->captured);
  stralloc_free(&env->messid);
  stralloc_free(&env->dsn);
  strlist_free(&env->recipients);
  strlist_free(&env->notify);
}
