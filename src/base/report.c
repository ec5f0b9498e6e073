/* report: see report.h. */
#include "base/report.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"

static void put(struct report *r, int ok) {
  r->failed |= !ok;
}

void report_start(struct report *r, int json, int list, size_t column) {
  memset(r, 0, sizeof *r);
  r->json = json;
  r->list = list;
  r->column = column;
  if (json && list) put(r, stralloc_append(&r->text, '['));
}

static void end_record(struct report *r) {
  if (r->json && r->records) put(r, stralloc_append(&r->text, '}'));
}

static void next(struct report *r, const char *between) {
  end_record(r);
  if (r->records++) put(r, stralloc_cats(&r->text, r->json ? ",\n" : between));
  if (r->json) put(r, stralloc_append(&r->text, '{'));
  r->fields = 0;
}

void report_record(struct report *r) {
  next(r, "\n");
}

void report_item(struct report *r) {
  next(r, "");
}

/* Up to the value: 1 if this field is wanted. */
static int begin(struct report *r, const char *key, const char *label) {
  if (r->json) {
    if (!key) return 0;
    put(r, (!r->fields++ || stralloc_append(&r->text, ',')) && json_string(&r->text, key, strlen(key)) && stralloc_append(&r->text, ':'));
    return 1;
  }
  if (!label) return 0;
  put(r, stralloc_cats(&r->text, label));
  for (size_t n = strlen(label); n < r->column; ++n) put(r, stralloc_append(&r->text, ' '));
  put(r, stralloc_catlit(&r->text, ": "));
  return 1;
}

static void end(struct report *r) {
  if (!r->json) put(r, stralloc_append(&r->text, '\n'));
}

void report_text(struct report *r, const char *key, const char *label, const char *value) {
  if (!begin(r, key, label)) return;
  put(r, r->json ? json_string(&r->text, value, strlen(value)) : stralloc_cats(&r->text, value));
  end(r);
}

void report_number(struct report *r, const char *key, const char *label, int64_t value) {
  if (!begin(r, key, label)) return;
  put(r, stralloc_cati64(&r->text, value));
  end(r);
}

void report_flag(struct report *r, const char *key, int value) {
  if (r->json && begin(r, key, 0)) put(r, stralloc_cats(&r->text, value ? "true" : "false"));
}

void report_list(struct report *r, const char *key, const char *label, const struct strlist *values) {
  int wanted = r->json && begin(r, key, label);

  if (wanted) put(r, stralloc_append(&r->text, '['));
  for (size_t i = 0; i < values->len; ++i) {
    if (!r->json) report_text(r, key, label, stralloc_cstr(&values->item[i]));
    else if (wanted)
      put(r, (!i || stralloc_append(&r->text, ',')) && json_string(&r->text, stralloc_cstr(&values->item[i]), values->item[i].len));
  }
  if (wanted) put(r, stralloc_append(&r->text, ']'));
}

void report_line(struct report *r, const char *line) {
  if (!r->json) put(r, stralloc_catm(&r->text, line, "\n", (char *)0));
}

void report_words(struct report *r, ...) {
  va_list words;

  if (r->json) return;
  va_start(words, r);
  for (const char *w = va_arg(words, const char *); w; w = va_arg(words, const char *)) put(r, stralloc_cats(&r->text, w));
  va_end(words);
  put(r, stralloc_append(&r->text, '\n'));
}

static int write_out(struct report *r, int fd, struct strerr *e) {
  errno = ENOMEM;
  if (!r->failed && fd_write_all(fd, stralloc_cstr(&r->text), r->text.len) == 0) return 0;
  return strerr_sys(e, "unable to write", (char *)0);
}

int report_show(struct report *r, int fd, struct strerr *e) {
  if (r->json) return 0;
  if (write_out(r, fd, e) == -1) return -1;
  stralloc_cut(&r->text, 0);
  return 0;
}

int report_finish(struct report *r, int fd, struct strerr *e) {
  int w;

  end_record(r);
  if (r->json) put(r, stralloc_cats(&r->text, r->list ? "]\n" : "\n"));
  w = write_out(r, fd, e);
  stralloc_free(&r->text);
  return w;
}
