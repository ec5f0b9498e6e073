/* smtp-explain: why the SMTP server takes a message or does not, and what would make it do
 * otherwise.  The server itself says so (smtp/explain.h). */
#include <string.h>

#include "base/fd.h"
#include "base/strerr.h"
#include "smtp/explain.h"
#include "smtp/explain_print.h"

#define FATAL "smtp-explain: fatal: "
#define USAGE \
  "smtp-explain --ip address [--host name] [--helo name] --from sender --to recipient [--auth user] [--tls] [--json] [file]"

struct words {
  struct explain_question q;
  int json;
};

/* Options with a value, and without. */
static int read_word(struct words *w, const char *name, const char *value) {
  const struct {
    const char *name;
    const char **target;
  } valued[] = {{"--ip", &w->q.ip},       {"--host", &w->q.host},    {"--helo", &w->q.helo},
                {"--from", &w->q.sender}, {"--to", &w->q.recipient}, {"--auth", &w->q.user}};
  const struct {
    const char *name;
    int *target;
  } flags[] = {{"--tls", &w->q.tls}, {"--json", &w->json}};

  for (size_t i = 0; i < sizeof flags / sizeof *flags; ++i)
    if (!strcmp(flags[i].name, name)) return *flags[i].target = 1;
  for (size_t i = 0; i < sizeof valued / sizeof *valued; ++i) {
    if (strcmp(valued[i].name, name)) continue;
    if (!value) strerr_die_usage(USAGE);
    *valued[i].target = value;
    return 2;
  }
  strerr_die_usage(USAGE);
}

static void read_words(struct words *w, int argc, char **argv) {
  int i = 1;

  while (i < argc && !strncmp(argv[i], "--", 2)) i += read_word(w, argv[i], argv[i + 1]);
  if (i < argc) w->q.file = argv[i++];
  if (i < argc || !w->q.ip || !w->q.sender || !w->q.recipient) strerr_die_usage(USAGE);
  if (!w->q.helo) w->q.helo = w->q.host ? w->q.host : "localhost.localdomain";
}

int main(int argc, char **argv) {
  struct words w = {{0}, 0};
  struct explanation now = {0};
  struct explain_print p = {0};
  struct strerr e;
  int refused;

  read_words(&w, argc, argv);
  if (explain_run(&w.q, 0, &now, &e) == -1) strerr_die(111, FATAL, &e);
  explain_print_begin(&p, w.json);
  explain_print_rows(&p, &now);
  if (explain_changes(&w.q, &now, &(const struct explain_teller){explain_print_change, &p}, &e) == -1) strerr_die(111, FATAL, &e);
  explain_print_end(&p, &now);
  if (p.nomem) strerr_die_nomem(FATAL);
  if (fd_write_all(1, p.out.s, p.out.len) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  refused = now.outcome == EXPLAIN_REFUSED;
  explanation_free(&now);
  stralloc_free(&p.out);
  return refused;
}
