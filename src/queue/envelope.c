/* envelope: see envelope.h. */
#include "queue/envelope.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/scan.h"
#include "queue/crc32.h"

static int put_number(stralloc *out, char type, uint64_t u) {
  return stralloc_append(out, type) && stralloc_catu64(out, u) && stralloc_append(out, 0);
}

static int put_text(stralloc *out, char type, const stralloc *s) {
  return stralloc_append(out, type) && stralloc_catz(out, s->s, s->len);
}

int envelope_format(const struct envelope *env, stralloc *out) {
  char sum[8];

  stralloc_cut(out, 0);
  if (!put_number(out, 'u', env->uid) || !put_number(out, 'p', env->qp) ||
      !put_number(out, 't', env->birth) || !put_number(out, 's', env->size) ||
      !put_text(out, 'F', &env->sender))
    return 0;
  for (size_t i = 0; i < env->recipients.len; ++i)
    if (!put_text(out, 'T', &env->recipients.item[i])) return 0;
  if (env->extra.len && !put_text(out, 'e', &env->extra)) return 0;
  if (env->captured.len && !put_text(out, 'h', &env->captured)) return 0;
  fmt_hex64_pad(sum, crc32(0, out->s, out->len), sizeof sum);
  return stralloc_append(out, '.') && stralloc_catz(out, sum, sizeof sum);
}

/* The records in their order; T may repeat, e and h may be missing. */
static const char order[] = "uptsFTeh.";

/* Takes one record; 1, 0 malformed, -1 no memory. */
static int take(struct envelope *env, char type, const char *s, size_t n) {
  switch (type) {
    case 'u': return scan_u64(s, n, &env->uid);
    case 'p': return scan_u64(s, n, &env->qp);
    case 't': return scan_u64(s, n, &env->birth);
    case 's': return scan_u64(s, n, &env->size);
    case 'F': return stralloc_copyb(&env->sender, s, n) ? 1 : -1;
    case 'T': return strlist_add(&env->recipients, s, n) ? 1 : -1;
    case 'e': return stralloc_copyb(&env->extra, s, n) ? 1 : -1;
    case 'h': return stralloc_copyb(&env->captured, s, n) ? 1 : -1;
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

enum envelope_verdict envelope_parse(struct envelope *env, const char *s, size_t n) {
  size_t pos = 0;
  size_t at = 0; /* in order: the earliest type that may come now */

  envelope_clear(env);
  while (pos < n) {
    size_t len = bytes_chr(s + pos, n - pos, 0);
    const char *type;
    int r;

    if (pos + len == n) return ENVELOPE_INCOMPLETE;
    type = len ? strchr(order + at, s[pos]) : 0;
    if (!type || (at < 5 && type != order + at)) return ENVELOPE_BAD;
    at = (size_t)(type - order) + (*type != 'T');
    if (*type == '.') return check_end(s, pos, s + pos + 1, len - 1, n - pos - len - 1);
    r = take(env, *type, s + pos + 1, len - 1);
    if (r == -1) return ENVELOPE_NOMEM;
    if (r == 0) return ENVELOPE_BAD;
    pos += len + 1;
  }
  return ENVELOPE_INCOMPLETE;
}

enum { WANT_SENDER, WANT_RECIPIENT, AT_END };

enum envelope_wire envelope_read(struct envelope_reader *r, struct envelope *env, const char *s,
                                 size_t n, size_t *used) {
  *used = 0;
  while (*used < n) {
    size_t len = bytes_chr(s + *used, n - *used, 0);
    int whole = *used + len < n;

    if (r->state == AT_END) return WIRE_END;
    if (r->record.len + len > ENVELOPE_ADDRESS_MAX + 1) return WIRE_LONG;
    if (!stralloc_catb(&r->record, s + *used, len)) return WIRE_NOMEM;
    *used += len + (size_t)whole;
    if (!whole) return WIRE_MORE;
    if (r->state == WANT_SENDER) {
      if (!r->record.len || r->record.s[0] != 'F') return WIRE_BAD;
      if (!stralloc_copyb(&env->sender, r->record.s + 1, r->record.len - 1)) return WIRE_NOMEM;
      r->state = WANT_RECIPIENT;
    } else if (!r->record.len) {
      r->state = AT_END;
      return WIRE_END;
    } else {
      if (r->record.s[0] != 'T') return WIRE_BAD;
      if (!strlist_add(&env->recipients, r->record.s + 1, r->record.len - 1)) return WIRE_NOMEM;
    }
    stralloc_cut(&r->record, 0);
  }
  return WIRE_MORE;
}

void envelope_reader_free(struct envelope_reader *r) {
  stralloc_free(&r->record);
  r->state = WANT_SENDER;
}

void envelope_clear(struct envelope *env) {
  env->uid = env->qp = env->birth = env->size = 0;
  stralloc_cut(&env->sender, 0);
  stralloc_cut(&env->extra, 0);
  stralloc_cut(&env->captured, 0);
  strlist_clear(&env->recipients);
}

void envelope_free(struct envelope *env) {
  stralloc_free(&env->sender);
  stralloc_free(&env->extra);
  stralloc_free(&env->captured);
  strlist_free(&env->recipients);
}
