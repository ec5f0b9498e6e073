/* spam_mark: see spam_mark.h. */
#include "user/spam_mark.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/substdio.h"
#include "mail/header.h"

#define FIELD_MAX 65536 /* of a longer one the beginning */

static const struct {
  const char *name, *word; /* what the field begins with */
} marks[] = {
    {"X-Bogosity", "yes"},
    {"X-Bogosity", "spam"},
    {"X-Spam-Flag", "yes"},
    {"X-Spam-Status", "yes"},
    {"X-Spam", "yes"},
};

static int is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int spam_mark_field(const char *s, size_t n) {
  size_t body, name = header_name(s, n, &body);

  if (!name) return 0;
  while (body < n && memchr(" \t\r\n", s[body], 4)) ++body;
  for (size_t i = 0; i < sizeof marks / sizeof *marks; ++i) {
    const size_t word = strlen(marks[i].word);

    if (name == strlen(marks[i].name) && bytes_caseequal(s, marks[i].name, name) && n - body >= word &&
        bytes_caseequal(s + body, marks[i].word, word) && (body + word == n || !is_letter(s[body + word])))
      return 1;
  }
  return 0;
}

int spam_mark_find(int fd, struct strerr *e) {
  struct header_reader h = {.cuts = 1};
  stralloc field = STRALLOC_INIT;
  enum header_line line = HEADER_ERROR;
  char buf[4096];
  substdio in;
  int found = 0;

  if (lseek(fd, 0, SEEK_SET) == 0) {
    substdio_initfd_read(&in, fd, buf, sizeof buf);
    while (!found && (line = header_next(&h, &in, &field, FIELD_MAX)) == HEADER_FIELD) found = spam_mark_field(field.s, field.len);
  }
  if (line == HEADER_NOMEM) errno = ENOMEM;
  if (line == HEADER_NOMEM || line == HEADER_ERROR) found = strerr_sys(e, "unable to read the message", (char *)0);
  header_reader_free(&h);
  stralloc_free(&field);
  return found;
}
