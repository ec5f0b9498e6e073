/* Names of attachments in messages as they come, and as people write them who do not want them
 * found. */
#include "mail/attachment.h"

#include "check.h"

static const struct {
  const char *name, *message, *want; /* names, each behind a | */
} cases[] = {
    {"nothing", "Subject: x\n\nbody\n", ""},
    {"single part", "Content-Type: application/x; name=a.exe\n\n", "|a.exe"},
    {"quoted", "Content-Type: application/x; name=\"a b.exe\"\n\n", "|a b.exe"},
    {"quoted pair", "Content-Type: application/x; name=\"a\\\"b.exe\"\n\n", "|a\"b.exe"},
    {"case and blanks", "CONTENT-disposition :  attachment ;FileName = \"a.EXE\" \n\n", "|a.EXE"},
    {"folded", "Content-Disposition: attachment;\n\tfilename=\"a.exe\"\n\n", "|a.exe"},
    {"folded inside", "Content-Disposition: attachment; filename=\"a\n .exe\"\n\n", "|a .exe"},
    {"both fields", "Content-Type: x/y; name=a\nContent-Disposition: inline; filename=b\n\n", "|a|b"},
    {"in the body it is text", "Subject: x\n\nContent-Type: x/y; name=a.exe\n", ""},
    {"multipart", "Content-Type: multipart/mixed; boundary=B\n\nContent-Type: x/y; name=no\n--B\nContent-Type: x/y; name=a\n\ntext\n--B\n"
                  "Content-Disposition: attachment; filename=b\n\ntext\n--B--\nContent-Type: x/y; name=no\n",
     "|a|b"},
    {"nested", "Content-Type: multipart/mixed; boundary=\"A\"\n\n--A\nContent-Type: multipart/x; boundary=B\n\n--B\nContent-Type: x/y; name=in\n\n"
               "--B--\n--A\nContent-Type: x/y; name=out\n\n--A--\n",
     "|in|out"},
    {"a message inside", "Content-Type: message/rfc822\n\nSubject: y\nContent-Type: x/y; name=a\n\nContent-Type: x/y; name=no\n", "|a"},
    {"extended", "Content-Disposition: attachment; filename*=utf-8''a%20b%2Eexe\n\n", "|a b.exe"},
    {"extended without its ticks", "Content-Disposition: attachment; filename*=a%2eexe\n\n", "|a.exe"},
    {"continued", "Content-Disposition: attachment; filename*0=\"a.\"; filename*1=exe\n\n", "|a.exe"},
    {"continued, extended", "Content-Disposition: attachment; filename*0*=utf-8''a%2E; filename*1=e; filename*2*=x%65\n\n", "|a.exe"},
    {"encoded word", "Content-Type: x/y; name=\"=?utf-8?B?YS5leGU=?=\"\n\n", "|a.exe"},
    {"encoded words", "Content-Type: x/y; name=\"=?utf-8?q?a=2E?==?x?Q?e_x?=e\"\n\n", "|a.e xe"},
    {"broken encoded word", "Content-Type: x/y; name=\"=?utf-8?B?###?=.exe\"\n\n", "|.exe"},
    {"no encoded word", "Content-Type: x/y; name=\"=?utf-8?B.exe\"\n\n", "|=?utf-8?B.exe"},
    {"end nobody sees", "Content-Type: x/y; name=\"a.exe. . \"\n\n", "|a.exe"},
    {"quote without end", "Content-Type: x/y; name=\"a.exe\n\n", "|a.exe"},
    {"no value", "Content-Type: x/y; name\n\n", ""},
    {"empty value", "Content-Type: x/y; name=; filename=a\n\n", "|a"},
    {"header without an end", "Content-Type: x/y; name=a\n", ""}, /* told by its end: see finish */
    {"uuencode", "Subject: x\n\nbegin 644 a.exe\nM...\nbegin again\nbegin 64 b\nbegin 0644 c d\n", "|a.exe|c d"},
    {"boundary without header", "Content-Type: multipart/x; boundary=B\n\n--B\n\nbegin 644 a\n--B\nContent-Type: x/y; name=b\n--B--\n", "|a|b"},
};

static void collect(void *ctx, const char *name, size_t n) {
  stralloc *out = ctx;

  CHECK(stralloc_append(out, '|') && stralloc_catb(out, name, n));
}

/* Gives whether all of it can be read. */
static int feed(const char *message, stralloc *out) {
  struct attachment_scan a = {0};
  int readable;

  while (*message) {
    size_t n = strcspn(message, "\n");

    CHECK(attachment_line(&a, message, n, 1, collect, out));
    message += n + (message[n] != 0);
  }
  readable = !a.unreadable;
  attachment_free(&a);
  attachment_free(&a);
  return readable;
}

/* Messages that somebody made so that a name does not fit: a line with a run of n bytes in it, of which
 * we get the first kept bytes (0: all). */
static const struct {
  const char *name, *before;
  char byte;
  size_t n, kept;
  const char *after;
  int readable;
} large[] = {
    {"boundary", "Content-Type: multipart/mixed; boundary=", 'B', 256, 0, "", 1},
    {"long boundary", "Content-Type: multipart/mixed; boundary=", 'B', 257, 0, "", 0},
    {"boundary in pieces", "Content-Type: multipart/mixed; boundary*0=B", ';', 1, 0, "boundary*1=C", 0},
    {"extended boundary", "Content-Type: multipart/mixed; boundary*=us-ascii''B", ';', 1, 0, "", 0},
    {"long field", "Content-Disposition: attachment;\n", ' ', 16000, 0, "filename=a.exe", 1},
    {"longer field", "Content-Disposition: attachment;\n", ' ', 17000, 0, "filename=a.exe", 0},
    {"longer field of another name", "X-Disposition: attachment;\n", ' ', 17000, 0, "filename=a.exe", 1},
    {"line of which we see a part", "Content-Disposition: attachment;", ' ', 9000, 8192, "filename=a.exe", 0},
    {"folded line of which we see a part", "Content-Disposition: attachment;\n", ' ', 9000, 8192, "filename=a.exe", 0},
    {"another line of which we see a part", "Subject: attachment;", ' ', 9000, 8192, "filename=a.exe", 1},
    {"uuencode of which we see a part", "\nbegin 644 ", ' ', 9000, 8192, "a.exe", 0},
    {"text of which we see a part", "\nbegin the ", ' ', 9000, 8192, "a.exe", 1},
};

static void unreadable(size_t i) {
  struct attachment_scan a = {0};
  stralloc text = STRALLOC_INIT, names = STRALLOC_INIT;

  CHECK(stralloc_copys(&text, large[i].before));
  for (size_t k = 0; k < large[i].n; ++k) CHECK(stralloc_append(&text, large[i].byte));
  CHECK(stralloc_catm(&text, large[i].after, "\nSubject: x\n\n", (char *)0));
  for (size_t at = 0; at < text.len;) {
    size_t n = strcspn(text.s + at, "\n"), kept = large[i].kept && n > large[i].kept ? large[i].kept : n;

    CHECK(attachment_line(&a, text.s + at, kept, kept == n, collect, &names));
    at += n + 1;
  }
  CHECK_CASE(a.unreadable == !large[i].readable, large[i].name);
  attachment_free(&a);
  stralloc_free(&text);
  stralloc_free(&names);
}

/* Many boundaries, long fields: bounded. */
static void bounds(void) {
  struct attachment_scan a = {0};
  stralloc names = STRALLOC_INIT;
  char line[400];

  for (int i = 0; i < 1000; ++i) {
    snprintf(line, sizeof line, "Content-Type: multipart/x; boundary=%0200d", i);
    CHECK(attachment_line(&a, line, strlen(line), 1, collect, &names));
  }
  CHECK(attachment_line(&a, "Content-Type: x/y; ", 19, 1, collect, &names));
  memset(line, 'x', sizeof line);
  line[0] = ' ';
  for (int i = 0; i < 1000; ++i) CHECK(attachment_line(&a, line, sizeof line, 1, collect, &names));
  CHECK(a.boundaries.len <= 16384 && a.unreadable && a.field.len <= 16384);
  CHECK(attachment_line(&a, "", 0, 1, collect, &names) && !names.len);
  attachment_free(&a);
  stralloc_free(&names);
}

int main(void) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    stralloc names = STRALLOC_INIT;

    CHECK_CASE(feed(cases[i].message, &names), cases[i].name);
    CHECK_CASE(!strcmp(stralloc_cstr(&names), cases[i].want), cases[i].name);
    stralloc_free(&names);
  }
  bounds();
  for (size_t i = 0; i < sizeof large / sizeof *large; ++i) unreadable(i);
  return check_done();
}
