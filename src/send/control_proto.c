/* control_proto: see control_proto.h. */
#include "send/control_proto.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"

#define STATUS CONTROL_STATUS
#define ORDER CONTROL_ORDER
#define TURN CONTROL_TURN_RIGHT
const struct control_command_row control_commands[CONTROL_COMMANDS] = {
#define CONTROL_COMMAND(name, by, right, function, meaning) [CONTROL_##name] = {#name, by, right},
#include "send/control.def"
#undef CONTROL_COMMAND
};
#undef STATUS
#undef ORDER

const struct control_record_row control_records[CONTROL_RECORDS] = {
#define CONTROL_RECORD(name, columns, meaning) [CONTROL_RECORD_##name] = {#name, columns},
#include "send/control.def"
#undef CONTROL_RECORD
};

const char *const control_by_names[CONTROL_BYS] = {"", "all", "id", "domain", "sender"};
static const char by_letters[CONTROL_BYS] = {'-', 'a', 'i', 'd', 's'};

int control_command_named(const char *name) {
  for (int i = 0; i < CONTROL_COMMANDS; ++i)
    if (!strcmp(control_commands[i].name, name)) return i;
  return -1;
}

int control_by_named(const char *name) {
  for (int i = CONTROL_BY_ALL; i < CONTROL_BYS; ++i)
    if (!strcmp(control_by_names[i], name)) return i;
  return -1;
}

int control_allows(enum control_command c, enum control_by by) {
  return strchr(control_commands[c].by, by_letters[by]) != 0;
}

/* --- words --- */

static int put_escaped(stralloc *out, const char *s, size_t n) {
  if (!n) return stralloc_append(out, '-');
  for (size_t i = 0; i < n; ++i) {
    unsigned char c = (unsigned char)s[i];
    char hex[3] = {'%', "0123456789ABCDEF"[c >> 4], "0123456789ABCDEF"[c & 15]};
    int plain = c > 32 && c < 127 && c != '%' && !(n == 1 && c == '-');

    if (plain ? !stralloc_append(out, s[i]) : !stralloc_catb(out, hex, 3)) return 0;
  }
  return 1;
}

/* Bytes that put_escaped would write otherwise are refused where they could do harm: a raw
 * control byte, and a NUL in any form. */
static enum control_verdict get_escaped(stralloc *out, const char *s, size_t n) {
  if (!n) return CONTROL_BAD;
  if (n == 1 && s[0] == '-') return stralloc_copylit(out, "") ? CONTROL_OK : CONTROL_NOMEM;
  if (!stralloc_copylit(out, "")) return CONTROL_NOMEM;
  for (size_t i = 0; i < n; ++i) {
    unsigned char c = (unsigned char)s[i];

    if (c <= 32 || c >= 127) return CONTROL_BAD;
    if (c == '%') {
      int hi = n - i > 2 ? scan_hexdigit(s[i + 1]) : -1;
      int lo = n - i > 2 ? scan_hexdigit(s[i + 2]) : -1;

      if (hi == -1 || lo == -1 || hi + lo == 0) return CONTROL_BAD;
      c = (unsigned char)(hi << 4 | lo);
      i += 2;
    }
    if (!stralloc_append(out, (char)c)) return CONTROL_NOMEM;
  }
  return CONTROL_OK;
}

/* Cuts the next word off: 1, or 0 at the end. */
static int next_word(const char **s, size_t *n, const char **word, size_t *len) {
  if (!*n) return 0;
  *word = *s;
  *len = bytes_chr(*s, *n, ' ');
  *s += *len;
  *n -= *len;
  if (*n) { /* a blank at the end of a line begins an empty word, which is none */
    ++*s;
    --*n;
    if (!*n) *len = 0;
  }
  return 1;
}

static int is_word(const char *word, size_t len, const char *name) {
  return strlen(name) == len && !memcmp(word, name, len);
}

/* --- requests --- */

int control_request_format(stralloc *out, const struct control_request *r) {
  size_t was = out->len;
  int ok = stralloc_cats(out, control_commands[r->command].name);

  if (ok && r->by != CONTROL_BY_NOTHING) ok = stralloc_catm(out, " ", control_by_names[r->by], (char *)0);
  if (ok && r->by == CONTROL_BY_ID) ok = stralloc_append(out, ' ') && stralloc_catu64(out, r->id);
  if (ok && (r->by == CONTROL_BY_DOMAIN || r->by == CONTROL_BY_SENDER))
    ok = stralloc_append(out, ' ') && put_escaped(out, r->text.s, r->text.len);
  ok = ok && stralloc_append(out, '\n');
  if (!ok) stralloc_cut(out, was);
  return ok;
}

static enum control_verdict parse_what(struct control_request *r, const char *s, size_t n) {
  switch (r->by) {
    case CONTROL_BY_NOTHING:
    case CONTROL_BY_ALL:
    case CONTROL_BYS: return CONTROL_BAD;
    case CONTROL_BY_ID: return scan_u64(s, n, &r->id) && r->id ? CONTROL_OK : CONTROL_BAD;
    case CONTROL_BY_DOMAIN:
    case CONTROL_BY_SENDER: return get_escaped(&r->text, s, n);
  }
  return CONTROL_BAD;
}

enum control_verdict control_request_parse(struct control_request *r, const char *s, size_t n) {
  const char *word;
  size_t len;
  int found = 0;

  if (!next_word(&s, &n, &word, &len)) return CONTROL_BAD;
  for (int i = 0; i < CONTROL_COMMANDS; ++i)
    if (is_word(word, len, control_commands[i].name)) {
      r->command = (enum control_command)i;
      found = 1;
    }
  if (!found) return CONTROL_BAD;
  r->by = CONTROL_BY_NOTHING;
  if (next_word(&s, &n, &word, &len)) {
    for (int i = CONTROL_BY_ALL; i < CONTROL_BYS; ++i)
      if (is_word(word, len, control_by_names[i])) r->by = (enum control_by)i;
    if (r->by == CONTROL_BY_NOTHING) return CONTROL_BAD;
  }
  if (!control_allows(r->command, r->by)) return CONTROL_BAD;
  if (r->by == CONTROL_BY_NOTHING || r->by == CONTROL_BY_ALL) return n ? CONTROL_BAD : CONTROL_OK;
  if (!next_word(&s, &n, &word, &len) || n) return CONTROL_BAD;
  return parse_what(r, word, len);
}

void control_request_free(struct control_request *r) {
  stralloc_free(&r->text);
}

/* --- records --- */

int control_begin(stralloc *out, enum control_record_kind kind) {
  return stralloc_cats(out, control_records[kind].name);
}

int control_word(stralloc *out, const char *s) {
  return stralloc_append(out, ' ') && put_escaped(out, s, strlen(s));
}

int control_number(stralloc *out, int64_t n) {
  return stralloc_append(out, ' ') && stralloc_cati64(out, n);
}

int control_end(stralloc *out) {
  return stralloc_append(out, '\n');
}

static size_t columns_of(enum control_record_kind kind) {
  size_t n = 1;

  for (const char *s = control_records[kind].columns; *s; ++s) n += *s == ' ';
  return n;
}

enum control_verdict control_record_parse(struct control_record *r, const char *s, size_t n) {
  stralloc word = STRALLOC_INIT;
  enum control_verdict v = CONTROL_BAD;
  const char *w;
  size_t len;

  strlist_clear(&r->word);
  if (!next_word(&s, &n, &w, &len)) return CONTROL_BAD;
  for (int i = 0; i < CONTROL_RECORDS; ++i)
    if (is_word(w, len, control_records[i].name)) {
      r->kind = (enum control_record_kind)i;
      v = CONTROL_OK;
    }
  while (v == CONTROL_OK && next_word(&s, &n, &w, &len)) {
    v = r->word.len < columns_of(r->kind) ? get_escaped(&word, w, len) : CONTROL_BAD;
    if (v == CONTROL_OK && !strlist_add(&r->word, stralloc_cstr(&word), word.len)) v = CONTROL_NOMEM;
  }
  stralloc_free(&word);
  return v == CONTROL_OK && r->word.len != columns_of(r->kind) ? CONTROL_BAD : v;
}

const char *control_column(const struct control_record *r, const char *name) {
  const char *s = control_records[r->kind].columns;

  for (size_t i = 0; i < r->word.len; ++i) {
    size_t len = strcspn(s, " ");

    if (is_word(s, len, name)) return stralloc_cstr(&r->word.item[i]);
    s += len + (s[len] == ' ');
  }
  return "";
}

void control_record_free(struct control_record *r) {
  strlist_free(&r->word);
}

/* --- lines --- */

int control_reader_add(struct control_reader *r, const char *s, size_t n) {
  stralloc_shift(&r->buf, r->taken);
  r->taken = 0;
  return stralloc_catb(&r->buf, s, n);
}

enum control_take control_take_line(struct control_reader *r, const char **s, size_t *n) {
  size_t left = r->buf.len - r->taken;
  size_t len = left ? bytes_chr(r->buf.s + r->taken, left, '\n') : 0;

  if (len >= CONTROL_LINE_MAX) return CONTROL_LONG;
  if (len == left) return CONTROL_MORE;
  *s = r->buf.s + r->taken;
  *n = len;
  r->taken += len + 1;
  return CONTROL_LINE;
}

void control_reader_free(struct control_reader *r) {
  stralloc_free(&r->buf);
  r->taken = 0;
}
