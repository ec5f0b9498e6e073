/* imap_command: see imap_command.h. */
#include "user/imap_command.h"

#include <string.h>

#include "base/bytes.h"
#include "base/scan.h"

void imap_command_clear(struct imap_command *c) {
  stralloc_cut(&c->tag, 0);
  stralloc_cut(&c->name, 0);
  for (int i = 0; i < IMAP_ARGS_MAX; ++i) {
    if (c->arg[i].s) explicit_bzero(c->arg[i].s, c->arg[i].a);
    c->arg[i].len = 0;
  }
  c->args = 0;
}

/* Where the next argument goes; one beyond those kept goes nowhere. */
static int put(struct imap_command *c, char ch) {
  return c->args >= IMAP_ARGS_MAX || stralloc_append(&c->arg[c->args], ch);
}

/* A quoted string after its first quote: bytes taken, 0 malformed, -1 memory. */
static long quoted(struct imap_command *c, const char *s, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    if (s[i] == '"') return (long)i + 1;
    if (s[i] == '\\') {
      if (++i == n || (s[i] != '"' && s[i] != '\\')) return 0;
    }
    if (!put(c, s[i])) return -1;
  }
  return 0;
}

/* "{12}" or "{12+}" at the end of the line: its size. */
static int literal(const char *s, size_t n, uint64_t *size, int *sync) {
  if (n < 3 || s[0] != '{' || s[n - 1] != '}') return 0;
  *sync = s[n - 2] != '+';
  return scan_u64(s + 1, n - 2 - !*sync, size);
}

/* The arguments in s, each after a blank.  Parentheses (ID has them) only separate. */
static enum imap_parsed arguments(struct imap_command *c, const char *s, size_t n, uint64_t *size, int *sync) {
  while (n) {
    size_t len = 0;

    if (s[0] == ' ' || s[0] == '(' || s[0] == ')') {
      ++s;
      --n;
      continue;
    }
    if (s[0] == '{') return literal(s, n, size, sync) ? IMAP_LITERAL : IMAP_BAD;
    if (s[0] == '"') {
      long took = quoted(c, s + 1, n - 1);

      if (took <= 0) return took ? IMAP_NOMEM : IMAP_BAD;
      len = (size_t)took + 1;
      if (len < n && !strchr(" ()", s[len])) return IMAP_BAD;
    } else {
      for (; len < n && s[len] != ' ' && s[len] != '(' && s[len] != ')'; ++len) {
        if ((unsigned char)s[len] < 32 || s[len] == 127 || s[len] == '"' || s[len] == '{' || s[len] == '\\')
          return IMAP_BAD;
        if (!put(c, s[len])) return IMAP_NOMEM;
      }
    }
    ++c->args;
    s += len;
    n -= len;
  }
  return IMAP_DONE;
}

static int tag_ok(const char *s, size_t n) {
  if (!n || n > IMAP_TAG_MAX) return 0;
  for (size_t i = 0; i < n; ++i)
    if ((unsigned char)s[i] <= 32 || (unsigned char)s[i] >= 127 || strchr("(){%*\"\\+]", s[i])) return 0;
  return 1;
}

enum imap_parsed imap_command_line(struct imap_command *c, const char *line, size_t n, uint64_t *size,
                                   int *sync) {
  size_t blank = bytes_chr(line, n, ' ');
  size_t end;

  imap_command_clear(c);
  if (bytes_chr(line, n, 0) != n || !tag_ok(line, blank)) return IMAP_BAD;
  if (!stralloc_copyb(&c->tag, line, blank)) return IMAP_NOMEM;
  if (blank == n) return IMAP_BAD;
  line += blank + 1;
  n -= blank + 1;
  end = bytes_chr(line, n, ' ');
  if (!end || !bytes_isgraph(line, end)) return IMAP_BAD;
  if (!stralloc_copyb(&c->name, line, end)) return IMAP_NOMEM;
  return arguments(c, line + end, n - end, size, sync);
}

enum imap_parsed imap_command_literal(struct imap_command *c, const char *text, size_t len, const char *line,
                                      size_t n, uint64_t *size, int *sync) {
  if (bytes_chr(text, len, 0) != len || bytes_chr(line, n, 0) != n) return IMAP_BAD;
  if (c->args < IMAP_ARGS_MAX && !stralloc_copyb(&c->arg[c->args], text, len)) return IMAP_NOMEM;
  ++c->args;
  if (n && !strchr(" ()", line[0])) return IMAP_BAD;
  return arguments(c, line, n, size, sync);
}

void imap_command_free(struct imap_command *c) {
  stralloc_free(&c->tag);
  stralloc_free(&c->name);
  for (int i = 0; i < IMAP_ARGS_MAX; ++i) stralloc_wipe(&c->arg[i]);
}
