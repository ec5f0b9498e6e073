/* The text in bounce/ID, any bytes: read to its end, its facts found inside it, and a letter
 * made of it whose boundary lines are ours alone.  A report put into a paragraph comes out
 * as one. */
#include "send/bounce_format.h"
#include "send/bounce_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static void one_paragraph(enum bounce_action action, const char *report) {
  stralloc out = STRALLOC_INIT;
  struct bounce_failure f;
  size_t pos = 0;

  require(bounce_paragraph(&out, action, "a@b", 0, report));
  require(bounce_text_next(out.s, out.len, &pos, &f) && f.recipient_n == 3 && !f.original_n && f.action == action);
  require(!bounce_text_next(out.s, out.len, &pos, &f));
  stralloc_free(&out);
}

static void whole_text(const char *s, size_t n) {
  struct bounce_failure f;
  size_t pos = 0, before = 0;

  while (bounce_text_next(s, n, &pos, &f)) {
    struct bounce_facts facts;

    require(pos > before && pos <= n && f.report >= s && f.report + f.report_n <= s + n);
    before = pos;
    bounce_facts(f.report, f.report_n, &facts);
    require(strlen(facts.status) >= 5);
    require(!facts.said_n || (facts.said >= f.report && facts.said + facts.said_n <= f.report + f.report_n));
  }
}

/* Every paragraph is in one of the two, and reads the same there. */
static void split(const char *s, size_t n) {
  stralloc part[2] = {STRALLOC_INIT, STRALLOC_INIT};
  struct bounce_failure f, g;
  size_t pos = 0, at[2] = {0, 0};

  require(bounce_text_split(s, n, &part[0], &part[1]));
  while (bounce_text_next(s, n, &pos, &f)) {
    int i = !bounce_is_success(f.action);

    require(bounce_text_next(part[i].s, part[i].len, &at[i], &g) && g.action == f.action);
    require(g.recipient_n == f.recipient_n && g.original_n == f.original_n);
  }
  for (int i = 0; i < 2; ++i) {
    require(!bounce_text_next(stralloc_cstr(&part[i]), part[i].len, &at[i], &g));
    stralloc_free(&part[i]);
  }
}

static void letter(const stralloc *text) {
  static const char boundary[] = "=_0123456789abcdef0123456789abcdef";
  stralloc out = STRALLOC_INIT;
  struct bounce_scan whole, bytes;
  struct bounce_letter l = {.from = "D", .host = "h", .me = "m", .subject = "s", .message = "", .to = text, .sender = text,
                            .text = text, .dsn = stralloc_cstr(text), .dsn_n = text->len, .scan = &whole};

  bounce_scan_init(&whole, boundary);
  bounce_scan_init(&bytes, boundary);
  bounce_scan_feed(&whole, text->s, text->len);
  for (size_t i = 0; i < text->len; ++i) bounce_scan_feed(&bytes, text->s + i, 1);
  require(whole.header_size == bytes.header_size && whole.found == bytes.found && whole.header_bad == bytes.header_bad);
  for (int i = 0; i < 2 * BOUNCE_KINDS; ++i) {
    l.only_header = i % 2;
    l.kind = (enum bounce_kind)(i / 2);
    stralloc_cut(&out, 0);
    require(bounce_format_head(&out, &l));
  }
  stralloc_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  stralloc text = STRALLOC_INIT;

  require(stralloc_copyb(&text, (const char *)data, size));
  for (int a = 0; a < BOUNCE_ACTIONS; ++a) one_paragraph((enum bounce_action)a, stralloc_cstr(&text));
  whole_text(text.s, text.len);
  split(text.s, text.len);
  letter(&text);
  stralloc_free(&text);
  return 0;
}
