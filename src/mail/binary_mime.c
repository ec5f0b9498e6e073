/* binary_mime: see binary_mime.h.
 *
 * Only CR LF ends a line here, as in MIME; what else other programs might take for a line end is a byte
 * of a body like any other, and is encoded with it or refused.  The CR LF in front of a delimiter is the
 * delimiter's (RFC 2046 5.1.1), so each waits for the line behind it. */
#include "mail/binary_mime.h"

#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "mail/header.h"

#define GROUP 57             /* bytes in a line of base64 */
#define OUT_MAX 16384
#define DELIMITER_MAX (MIME_BOUNDARY_MAX + 256) /* with the blanks that may stand behind it */

struct writer {
  struct binary_mime *b;
  data_sink sink;
  void *ctx;
};

static void check(struct binary_mime *b, int ok) {
  if (!ok) b->failed = 1;
}

/* --- what goes out --- */

static void flush(struct writer *w) {
  if (w->b->out.len) w->sink(w->ctx, w->b->out.s, w->b->out.len);
  stralloc_cut(&w->b->out, 0);
}

/* Bytes as they came. */
static void pass(struct writer *w, const char *s, size_t n) {
  flush(w);
  if (n) w->sink(w->ctx, s, n);
}

static void encode_line(struct writer *w, const char *s, size_t n) {
  stralloc *out = &w->b->out;

  check(w->b, base64_encode(out, s, n) && stralloc_catlit(out, "\r\n"));
  if (out->len >= OUT_MAX) flush(w);
}

static void encode(struct writer *w, const char *s, size_t n) {
  stralloc *begun = &w->b->held;

  while (n) {
    size_t take = GROUP - begun->len < n ? GROUP - begun->len : n;

    if (take == GROUP) encode_line(w, s, GROUP);
    else {
      check(w->b, stralloc_catb(begun, s, take));
      if (begun->len == GROUP) encode_line(w, begun->s, GROUP);
      if (begun->len == GROUP || w->b->failed) stralloc_cut(begun, 0);
    }
    s += take;
    n -= take;
  }
}

/* The encoding, where the field that said binary was taken out; the last of the header. */
static void label(struct writer *w, const char *encoding) {
  if (w->b->says_binary) check(w->b, stralloc_catm(&w->b->out, "Content-Transfer-Encoding: ", encoding, "\r\n", (char *)0));
  w->b->says_binary = 0;
}

static void header_ends(struct writer *w, const char *encoding) {
  label(w, encoding);
  check(w->b, stralloc_catlit(&w->b->out, "\r\n"));
}

static void begin_encoding(struct writer *w) {
  w->b->at = BINARY_ENCODE;
  ++w->b->encoded;
  header_ends(w, "base64");
}

/* The text that was held, with what has come behind it, is encoded. */
static void encode_text(struct writer *w) {
  stralloc text = w->b->held;

  memset(&w->b->held, 0, sizeof w->b->held);
  begin_encoding(w);
  encode(w, stralloc_cstr(&text), text.len);
  stralloc_free(&text);
}

/* Bytes of a body. */
static void content(struct writer *w, const char *s, size_t n) {
  struct binary_mime *b = w->b;

  if (b->at == BINARY_HOLD && n > BINARY_HELD - b->held.len) encode_text(w);
  switch (b->at) {
    case BINARY_HEADER:
    case BINARY_KEEP: pass(w, s, n); break;
    case BINARY_HOLD: check(b, stralloc_catb(&b->held, s, n)); break;
    case BINARY_ENCODE: encode(w, s, n); break;
  }
}

/* What waited is the body's. */
static void release(struct writer *w) {
  size_t n = (size_t)w->b->waits;

  w->b->waits = BINARY_NOTHING;
  content(w, "\r\n", n);
}

/* --- where a body ends --- */

/* What text may be called that can be kept as lines, or null; a delimiter behind it ends its last line. */
static const char *kept_as(const stralloc *text, int delimited) {
  const char *s = stralloc_cstr(text);
  size_t column = 0;
  int eight_bit = 0;

  for (size_t i = 0; i < text->len; ++i) {
    if (s[i] == '\r' && s[i + 1] == '\n') { /* behind the last byte stands a NUL */
      ++i;
      column = 0;
      continue;
    }
    if (s[i] == '\r' || s[i] == '\n' || !s[i] || ++column > BINARY_LINE) return 0;
    eight_bit |= (unsigned char)s[i] >= 128;
  }
  if (column && !delimited) return 0;
  return eight_bit ? "8bit" : "7bit";
}

static void settle_text(struct writer *w, int delimited) {
  struct binary_mime *b = w->b;
  const char *encoding = kept_as(&b->held, delimited);

  if (!encoding) {
    encode_text(w);
    return;
  }
  header_ends(w, encoding);
  b->at = BINARY_KEEP;
  b->kept = BINARY_IS_UNSAID;
  pass(w, stralloc_cstr(&b->held), b->held.len);
  stralloc_cut(&b->held, 0);
}

static void body_ends(struct writer *w, int delimited) {
  struct binary_mime *b = w->b;

  if (!delimited) release(w);
  if (b->at == BINARY_HOLD) settle_text(w, delimited);
  if (b->at != BINARY_ENCODE) {
    release(w);
    return;
  }
  if (b->held.len) encode_line(w, b->held.s, b->held.len);
  stralloc_cut(&b->held, 0);
  b->waits = BINARY_NOTHING; /* the last line of base64 has its own */
}

/* --- delimiters --- */

struct delimiter {
  size_t level; /* of the multipart, 1 the outermost; 0: it is none */
  size_t from, to; /* its entry in boundaries */
  int closes;
};

/* The line ends the part, of the innermost multipart first. */
static struct delimiter find_delimiter(const struct binary_mime *b) {
  struct delimiter d = {0};
  const char *line = stralloc_cstr(&b->line), *all = stralloc_cstr(&b->boundaries);
  size_t n = b->line.len, level = 0;

  if (n < 3 || n > DELIMITER_MAX || line[0] != '-' || line[1] != '-') return d;
  if (line[n - 2] == '\r' && line[n - 1] == '\n') n -= 2;
  while (line[n - 1] == ' ' || line[n - 1] == '\t') --n;
  for (size_t i = 0, len; i < b->boundaries.len; i += len + 2) {
    len = strlen(all + i + 1);
    ++level;
    if (n < 2 + len || memcmp(line + 2, all + i + 1, len)) continue;
    if (n == 2 + len || (n == 4 + len && line[n - 2] == '-' && line[n - 1] == '-'))
      d = (struct delimiter){level, i, i + len + 2, n != 2 + len};
  }
  return d;
}

static void begin_header(struct binary_mime *b, enum mime_kind kind) {
  mime_entity_free(&b->entity);
  b->entity.kind = kind;
  b->at = BINARY_HEADER;
  b->kept = BINARY_IS_HEADER;
  b->field_any = b->says_binary = 0;
  b->field_kind = MIME_FIELD_OTHER;
}

static void begin_body(struct binary_mime *b, enum binary_kept kept) {
  b->at = BINARY_KEEP;
  b->kept = kept;
  b->at_start = 1;
}

/* The line does, and goes out. */
static void delimit(struct writer *w, const struct delimiter *d) {
  struct binary_mime *b = w->b;
  int digest = b->boundaries.s[d->from] == 'd';

  begin_body(b, BINARY_IS_BETWEEN);
  pass(w, b->line.s, b->line.len);
  stralloc_cut(&b->line, 0);
  stralloc_cut(&b->boundaries, d->closes ? d->from : d->to);
  b->depth = d->level - (d->closes ? 1 : 0);
  if (!d->closes) begin_header(b, digest ? MIME_MESSAGE : MIME_TEXT);
}

/* --- the body, where it is no delimiter --- */

/* The line so far is none, and belongs to the body. */
static void no_delimiter(struct writer *w) {
  struct binary_mime *b = w->b;
  const char *s = stralloc_cstr(&b->line);
  size_t n = b->line.len;

  release(w);
  if (n >= 2 && s[n - 2] == '\r' && s[n - 1] == '\n') b->waits = BINARY_CRLF;
  else if (n && s[n - 1] == '\r') b->waits = BINARY_CR;
  b->at_start = b->waits == BINARY_CRLF;
  content(w, s, n - (size_t)b->waits);
  stralloc_cut(&b->line, 0);
}

/* A byte at the start of a line, or of one that may become a delimiter: was it taken? */
static size_t perhaps_delimiter(struct writer *w, char c) {
  struct binary_mime *b = w->b;
  struct delimiter d;
  size_t n;

  if (!b->depth || (b->line.len < 2 && c != '-')) {
    no_delimiter(w);
    return 0;
  }
  check(b, stralloc_append(&b->line, c));
  n = b->line.len;
  if (n >= 2 && b->line.s[n - 2] == '\r' && c == '\n') {
    d = find_delimiter(b);
    if (d.level) {
      body_ends(w, 1);
      delimit(w, &d);
    } else no_delimiter(w);
  } else if (n > DELIMITER_MAX || (n >= 2 && b->line.s[n - 2] == '\r')) no_delimiter(w);
  return 1;
}

/* How many bytes were taken. */
static size_t body(struct writer *w, const char *s, size_t n) {
  struct binary_mime *b = w->b;
  size_t i;

  if (b->at_start) return perhaps_delimiter(w, *s);
  if (b->waits == BINARY_CR) {
    b->waits = *s == '\n' ? BINARY_CRLF : BINARY_CR;
    b->at_start = *s == '\n';
    if (!b->at_start) release(w);
    return (size_t)b->at_start;
  }
  i = bytes_chr(s, n, '\r');
  content(w, s, i);
  if (i < n) b->waits = BINARY_CR;
  return i < n ? i + 1 : n;
}

/* --- the header --- */

static enum binary_kept why_kept(const struct mime_entity *e) {
  if (e->unclear) return BINARY_IS_UNCLEAR;
  switch (e->kind) {
    case MIME_TEXT:
    case MIME_SINGLE: return BINARY_IS_UNSAID;
    case MIME_SIGNED: return BINARY_IS_SIGNED;
    case MIME_FRAGMENT: return BINARY_IS_FRAGMENT;
    case MIME_MULTIPART:
    case MIME_MESSAGE: break;
  }
  return BINARY_IS_UNCLEAR; /* encoded, or without a boundary, or too deep */
}

static void enter_multipart(struct writer *w) {
  struct binary_mime *b = w->b;

  header_ends(w, "8bit");
  check(b, stralloc_append(&b->boundaries, b->entity.digest ? 'd' : 'm') &&
               stralloc_catz(&b->boundaries, b->entity.boundary.s, b->entity.boundary.len));
  ++b->depth;
  begin_body(b, BINARY_IS_BETWEEN);
}

/* A blank line has come. */
static void header_is_whole(struct writer *w) {
  struct binary_mime *b = w->b;
  const struct mime_entity *e = &b->entity;
  int open = !e->unclear && e->encoding != MIME_ENCODED;
  int binary = !e->unclear && e->encoding == MIME_BINARY;

  if (open && e->kind == MIME_MESSAGE) {
    header_ends(w, "8bit");
    begin_header(b, MIME_TEXT);
  } else if (open && e->kind == MIME_MULTIPART && e->boundary.len && b->depth < BINARY_DEPTH) enter_multipart(w);
  else if (binary && e->kind == MIME_TEXT) {
    begin_body(b, BINARY_IS_UNSAID);
    b->at = BINARY_HOLD;
  } else if (binary && e->kind == MIME_SINGLE) {
    begin_body(b, BINARY_IS_UNSAID);
    begin_encoding(w);
  } else {
    begin_body(b, why_kept(e));
    header_ends(w, b->kept == BINARY_IS_UNCLEAR ? "binary" : "8bit");
  }
}

/* One of the two fields has come to its end. */
static void end_field(struct writer *w) {
  struct binary_mime *b = w->b;
  struct mime_entity *e = &b->entity;
  size_t colon = bytes_chr(stralloc_cstr(&b->field), b->field.len, ':') + 1;
  int binary = 0;

  if (b->field_kind == MIME_FIELD_OTHER) return;
  if (b->field_kind == MIME_FIELD_TYPE) check(b, mime_entity_type(e, b->field.s + colon, b->field.len - colon));
  else {
    check(b, mime_entity_encoding(e, b->field.s + colon, b->field.len - colon));
    binary = e->encoding == MIME_BINARY && !e->unclear;
  }
  if (binary) b->says_binary = 1;
  else pass(w, b->field.s, b->field.len);
  b->field_kind = MIME_FIELD_OTHER;
}

/* The field is longer than we look: it goes through. */
static void give_up_field(struct writer *w) {
  if (w->b->field_kind == MIME_FIELD_OTHER) return;
  w->b->entity.unclear = 1;
  w->b->field_kind = MIME_FIELD_OTHER;
  pass(w, w->b->field.s, w->b->field.len);
}

/* More of the field under way. */
static void add_to_field(struct writer *w) {
  struct binary_mime *b = w->b;

  if (b->field.len + b->line.len > BINARY_FIELD) give_up_field(w);
  if (b->field_kind == MIME_FIELD_OTHER) pass(w, b->line.s, b->line.len);
  else check(b, stralloc_cat(&b->field, &b->line));
}

/* The line is neither field nor fold, so the header ends in front of it, for some readers; nothing said in
 * it can be relied on. */
static void header_breaks(struct writer *w) {
  struct binary_mime *b = w->b;

  end_field(w);
  label(w, "binary");
  begin_body(b, BINARY_IS_UNCLEAR);
  no_delimiter(w);
}

/* Does the line go on with the field before it? */
static int folds(const struct binary_mime *b) {
  return b->field_any && (b->line.s[0] == ' ' || b->line.s[0] == '\t');
}

/* A line, or the beginning of one that is too long to be a delimiter. */
static void header_line(struct writer *w) {
  struct binary_mime *b = w->b;
  struct delimiter d = find_delimiter(b);
  size_t text, name;

  if (d.level) {
    end_field(w);
    label(w, "7bit"); /* there is no body */
    delimit(w, &d);
    return;
  }
  if (folds(b)) add_to_field(w);
  else if ((name = header_name(b->line.s, b->line.len, &text)) != 0) {
    end_field(w);
    b->field_any = 1;
    b->field_kind = mime_field_kind(b->line.s, name);
    stralloc_cut(&b->field, 0);
    add_to_field(w);
  } else header_breaks(w);
  stralloc_cut(&b->line, 0);
}

/* The rest of a line that is too long: how many bytes were taken. */
static size_t long_line(struct writer *w, const char *s, size_t n) {
  struct binary_mime *b = w->b;
  size_t i = bytes_chr(s, n, '\n');

  b->long_line = i == n || !(i ? s[i - 1] == '\r' : b->long_cr);
  if (i < n) ++i;
  b->long_cr = s[i - 1] == '\r';
  pass(w, s, i);
  return i;
}

/* How many bytes were taken. */
static size_t header(struct writer *w, const char *s, size_t n) {
  struct binary_mime *b = w->b;
  size_t room = BINARY_HEADER_LINE - b->line.len, i, len;

  if (b->long_line) return long_line(w, s, n);
  if (n > room) n = room;
  i = bytes_chr(s, n, '\n');
  if (i < n) ++i;
  check(b, stralloc_catb(&b->line, s, i));
  len = b->line.len;
  if (len >= 2 && b->line.s[len - 2] == '\r' && b->line.s[len - 1] == '\n') {
    if (len > 2) header_line(w);
    else {
      stralloc_cut(&b->line, 0);
      end_field(w);
      header_is_whole(w);
    }
  } else if (len == BINARY_HEADER_LINE) {
    b->long_cr = b->line.s[len - 1] == '\r';
    header_line(w);
    give_up_field(w);
    b->long_line = b->at == BINARY_HEADER;
  }
  return i;
}

void binary_mime_feed(struct binary_mime *b, const char *s, size_t n, data_sink sink, void *ctx) {
  struct writer w = {b, sink, ctx};

  while (n && !b->failed) {
    size_t used = b->at == BINARY_HEADER ? header(&w, s, n) : body(&w, s, n);

    s += used;
    n -= used;
  }
  flush(&w);
}

/* A message that ends within a header: its last line may have no end. */
static void end_in_header(struct writer *w) {
  struct binary_mime *b = w->b;

  if (b->line.len && !folds(b)) end_field(w);
  if (b->says_binary && b->long_line) pass(w, "\r\n", 2); /* what was taken out comes behind it */
  if (b->says_binary && b->line.len) check(b, stralloc_catlit(&b->line, "\r\n"));
  if (b->line.len) header_line(w);
  if (b->at != BINARY_HEADER) return;
  end_field(w);
  label(w, "7bit");
}

void binary_mime_end(struct binary_mime *b, data_sink sink, void *ctx) {
  struct writer w = {b, sink, ctx};

  if (b->failed) return;
  if (b->at == BINARY_HEADER) end_in_header(&w);
  else {
    struct delimiter d = find_delimiter(b);

    if (d.level) {
      body_ends(&w, 1);
      delimit(&w, &d);
    } else no_delimiter(&w);
  }
  if (b->at != BINARY_HEADER) body_ends(&w, 0);
  flush(&w);
}

void binary_mime_free(struct binary_mime *b) {
  mime_entity_free(&b->entity);
  stralloc_free(&b->line);
  stralloc_free(&b->field);
  stralloc_free(&b->held);
  stralloc_free(&b->out);
  stralloc_free(&b->boundaries);
  memset(b, 0, sizeof *b);
}
