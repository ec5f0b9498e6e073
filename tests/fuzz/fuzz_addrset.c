/* A list and, behind its last line, a subject: the answer is that of trying each line, and the
 * same when the list comes in two parts.  The first byte says what kind of list it is. */
#include "mail/addrset.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mail/addrlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static enum addrset_verdict slowly(const struct addrset *s, const char *subject, size_t n) {
  enum addrset_verdict verdict = ADDRSET_NONE;

  for (size_t i = 0; i < s->len; ++i)
    if (addrlist_line(s->text.s + s->line[i].at, subject, n)) verdict = s->line[i].back ? ADDRSET_BACK : ADDRSET_IN;
  return verdict;
}

static enum addrset_verdict in_parts(int regex, enum addrset_subject what, const char *list, size_t n, size_t half,
                                     const char *subject, size_t subject_n) {
  struct addrset s = {.regex = regex};
  struct strerr e;
  enum addrset_verdict verdict = ADDRSET_FAILED;

  if (addrset_add(&s, "list", list, half, &e) == 0 && addrset_add(&s, "list", list + half, n - half, &e) == 0)
    verdict = addrset_find(&s, what, subject, subject_n);
  addrset_free(&s);
  return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *list = (const char *)data + 1;
  struct addrset s = {0};
  enum addrset_subject what;
  enum addrset_verdict verdict;
  struct strerr e;
  size_t n, half;

  if (size < 2 || size > 3000) return 0;
  s.regex = data[0] & 1;
  what = data[0] & 2 ? ADDRSET_NAME : ADDRSET_ADDRESS;
  n = bytes_rchr(list, size - 1, '\n');
  if (n++ == size - 1) return 0;
  if (addrset_add(&s, "list", list, n, &e) == 0) {
    const char *subject = list + n;
    size_t subject_n = size - 1 - n;

    verdict = addrset_find(&s, what, subject, subject_n);
    if (!s.regex && what == ADDRSET_ADDRESS) require(verdict == slowly(&s, subject, subject_n));
    half = bytes_chr(list, n, '\n') + 1;
    require(verdict == in_parts(s.regex, what, list, n, half, subject, subject_n));
  } else {
    require(!strncmp(e.text, "list:", 5));
  }
  addrset_free(&s);
  return 0;
}
