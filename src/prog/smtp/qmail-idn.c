/* qmail-idn: prints the form in ASCII (A-labels, RFC 5891) of a domain name in UTF-8: for programs
 * that are static, and need it seldom. */
#include <idn2.h>
#include <string.h>

#include "base/fd.h"
#include "base/options.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "mail/smtp_syntax.h"

#define FATAL "qmail-idn: fatal: "
#define USAGE "qmail-idn domain"

int main(int argc, char **argv) {
  static const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, table, USAGE, 1, 1);
  stralloc line = STRALLOC_INIT;
  char *ascii = 0;
  int r = idn2_to_ascii_8z(argv[i], &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_USE_STD3_ASCII_RULES);

  if (r == IDN2_MALLOC) strerr_diem(111, FATAL, "out of memory", (char *)0);
  if (r != IDN2_OK) strerr_diem(100, FATAL, "no domain name: ", idn2_strerror(r), (char *)0);
  if (!smtp_is_domain(ascii, strlen(ascii))) strerr_diem(100, FATAL, "no domain name", (char *)0); /* a fullwidth @ became one, say */
  if (!stralloc_catm(&line, ascii, "\n", (char *)0)) strerr_diem(111, FATAL, "out of memory", (char *)0);
  if (fd_write_all(1, line.s, line.len) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  stralloc_free(&line);
  idn2_free(ascii);
  return 0;
}
