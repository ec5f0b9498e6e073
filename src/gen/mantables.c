/* mantables: turns a page of man/ into the finished one: copies fd 0 to fd 1 and puts,
 * in place of each line  .\" @TABLE name@  , the table of that name as man(7) text.  The
 * tables are the .def files themselves, so no page can disagree with the program.
 *
 * A tool of the build: made by the plain compiler, linked with none of our libraries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/schema_columns.h"

/* --- text --- */

/* Text of ours as troff wants it: backslashes kept, no line that begins with a dot. */
static void put_text(const char *s) {
  if (*s == '.' || *s == '\'') fputs("\\&", stdout);
  for (; *s; ++s) {
    if (*s == '\\') fputs("\\e", stdout);
    else putchar(*s);
  }
}

/* The same for the argument of a macro. */
static void put_argument(const char *s) {
  putchar('"');
  for (; *s; ++s) {
    if (*s == '"') fputs("\\(dq", stdout);
    else if (*s == '\\') fputs("\\e", stdout);
    else if (*s == '-') fputs("\\-", stdout);
    else putchar(*s);
  }
  putchar('"');
}

/* A sentence: first letter as it is, a full stop at the end. */
static void put_sentence(const char *s) {
  size_t n = strlen(s);

  put_text(s);
  puts(n && s[n - 1] == '.' ? "" : ".");
}

static void put_term(const char *macro, const char *s) {
  printf(".TP\n.%s ", macro);
  put_argument(s);
  putchar('\n');
}

/* --- settings --- */

static const struct conf_row settings[] = {
#define SETTING(id, file, type, def, var, override, reload, programs, meaning) \
  {#id, file, type, def, var, override, reload, programs, meaning},
#include "conf/schema.def"
#undef SETTING
};
#define SETTINGS_N (sizeof settings / sizeof settings[0])

static const char *const type_text[] = {
    [CONF_LINE] = "one line", [CONF_NUMBER] = "a number", [CONF_SECONDS] = "a time in seconds",
    [CONF_BOOL] = "on or off", [CONF_LINES] = "a list, one item a line", [CONF_TEXT] = "text",
    [CONF_LIST] = "a list as in address-list(5)",
};

static const char *const reload_text[] = {
    [CONF_AT_START] = "read at the start",
    [CONF_AT_HUP] = "read again on HUP",
    [CONF_EACH_RUN] = "read by every run",
};

static const struct {
  unsigned bit;
  const char *name;
} readers[] = {
    {CONF_SMTPD, "qmail-smtpd"},
    {CONF_SEND, "qmail-send and its daemons"},
    {CONF_QUEUE, "qmail-queue"},
    {CONF_LOCAL, "qmail-local"},
    {CONF_REMOTE, "qmail-remote"},
    {CONF_INJECT, "qmail-inject"},
    {CONF_USER, "programs of the user database"},
    {CONF_LOGIN, "login programs"},
    {CONF_TLS, "qmail-tlsd"},
    {CONF_EXTRAS, "qmail-queue and qmail-queued"},
    {CONF_MULTI, "qmail-multi"},
    {CONF_LDAP, "ldap-checkpwd"},
    {CONF_ADMIN, "queue and administration tools"},
};

static const char *title(const struct conf_row *r) {
  return *r->file ? r->file : r->variables;
}

static int by_title(const void *a, const void *b) {
  return strcmp(title(*(const struct conf_row *const *)a), title(*(const struct conf_row *const *)b));
}

static void put_default(const struct conf_row *r) {
  const char *d = r->def;

  if (*d == '@') {
    for (size_t i = 0; i < SETTINGS_N; ++i)
      if (!strcmp(settings[i].id, d + 1)) d = title(&settings[i]);
    printf("default: that of %s", d);
  } else if (r->type == CONF_BOOL) {
    printf("default: %s", strcmp(d, "0") ? "on" : "off");
  } else {
    fputs("default: ", stdout);
    put_text(*d ? d : "none");
  }
}

static void put_variables(const struct conf_row *r) {
  static const char *const how[] = {
      [CONF_NONE] = "",
      [CONF_VALUE] = "holds the value and wins over the file",
      [CONF_OPEN] = "holds the value and wins over the file, for set-uid programs too",
      [CONF_NAME] = "names another file, in the control directory or by a path",
  };

  if (r->override == CONF_NONE) return;
  fputs(".br\nVariable", stdout);
  for (const char *s = r->variables; *s;) {
    size_t n = strcspn(s, ",");

    printf("%s$%.*s", s == r->variables ? " " : ", ", (int)n, s);
    s += n + (s[n] == ',');
  }
  if (*r->file) printf(": %s", how[r->override]);
  puts(".");
}

static void put_readers(unsigned bits) {
  const char *comma = "";

  if (bits == CONF_ALL) {
    fputs("all programs", stdout);
    return;
  }
  for (size_t i = 0; i < sizeof readers / sizeof readers[0]; ++i) {
    if (!(bits & readers[i].bit)) continue;
    printf("%s%s", comma, readers[i].name);
    comma = ", ";
  }
}

static void settings_table(int with_file) {
  const struct conf_row *row[SETTINGS_N];
  size_t n = 0;

  for (size_t i = 0; i < SETTINGS_N; ++i)
    if ((*settings[i].file != 0) == with_file) row[n++] = &settings[i];
  qsort(row, n, sizeof *row, by_title);
  for (size_t i = 0; i < n; ++i) {
    put_term("B", title(row[i]));
    put_sentence(row[i]->meaning);
    printf(".br\nIt is %s; ", type_text[row[i]->type]);
    put_default(row[i]);
    printf("; %s: ", reload_text[row[i]->reload]);
    put_readers(row[i]->readers);
    puts(".");
    put_variables(row[i]);
  }
}

static void put_settings(void) {
  settings_table(1);
}

static void put_variables_only(void) {
  settings_table(0);
}

/* --- log lines --- */

static void put_events(void) {
  static const struct {
    const char *name, *template, *meaning;
  } rows[] = {
#define EVENT(name, template, meaning) {#name, template, meaning},
#include "base/events.def"
#undef EVENT
  };

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    put_term("B", rows[i].template);
    put_sentence(rows[i].meaning);
    printf(".br\nEvent \\fI%s\\fR.\n", rows[i].name);
  }
}

/* --- the queue --- */

static void put_files(void) {
  static const struct {
    const char *name;
    int split;
    const char *owner;
    unsigned dirmode, filemode;
    const char *writer, *holds;
  } rows[] = {
#define QUEUE_FILE(name, split, owner, dirmode, filemode, writer, holds) \
  {#name, split, owner, dirmode, filemode, writer, holds},
#include "queue/states.def"
#undef QUEUE_FILE
  };

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    char path[64];

    snprintf(path, sizeof path, rows[i].split ? "%s/S/ID" : "%s/ID", rows[i].name);
    put_term("B", path);
    put_sentence(rows[i].holds);
    printf(".br\nWritten by %s; owner %s, directory mode %04o, file mode %04o.\n", rows[i].writer, rows[i].owner,
           rows[i].dirmode, rows[i].filemode);
  }
}

static void put_states(void) {
#define NOTHING "There is nothing to recover"
#define SWEEP "After a crash: swept out once it is old enough"
#define DELIVER "After a crash: found and delivered"
#define KEEP "After a crash: kept until queue-fix goes on"
  static const struct {
    const char *name;
    char mess, info, done, bounce;
    const char *actors, *recovery, *meaning;
  } rows[] = {
#define QUEUE_STATE(name, mess, info, done, bounce, actors, recovery, meaning) \
  {#name, mess, info, done, bounce, actors, recovery, meaning},
#include "queue/states.def"
#undef QUEUE_STATE
  };

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    put_term("B", rows[i].name);
    printf("mess %c, info %c, done %c, bounce %c: ", rows[i].mess, rows[i].info, rows[i].done, rows[i].bounce);
    put_sentence(rows[i].meaning);
    printf(".br\nChanged by: %s. %s.\n", rows[i].actors, rows[i].recovery);
  }
}

static void put_exitcodes(void) {
  static const struct {
    int code;
    const char *reply, *meaning;
  } rows[] = {
#define EXITCODE(code, name, reply, meaning) {code, reply, meaning},
#include "queue/exitcodes.def"
#undef EXITCODE
  };

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    char code[16];

    snprintf(code, sizeof code, "%d", rows[i].code);
    put_term("B", code);
    put_sentence(rows[i].meaning);
    if (rows[i].code == 0) continue;
    printf(".br\n%s: ", rows[i].reply[0] == 'D' ? "Permanent" : "Temporary");
    put_sentence(rows[i].reply + 1);
  }
}

/* --- orders for qmail-send --- */

static void put_control(const char *name, const char *by, const char *right, const char *meaning) {
  static const struct {
    char letter;
    const char *text;
  } what[] = {{'a', "all"}, {'i', "id ID"}, {'d', "domain NAME"}, {'s', "sender ADDRESS"}};
  const char *between = " ";

  printf(".TP\n.B %s", name);
  for (size_t i = 0; i < sizeof what / sizeof what[0]; ++i)
    if (strchr(by, what[i].letter)) {
      printf("%s%s", between, what[i].text);
      between = " | ";
    }
  putchar('\n');
  put_sentence(meaning);
  if (!strcmp(right, "STATUS")) puts(".br\nThe group of qmail-send may ask that too.");
}

static void put_commands(void) {
#define CONTROL_COMMAND(name, by, right, function, meaning) put_control(#name, by, #right, meaning);
#include "send/control.def"
#undef CONTROL_COMMAND
}

static void put_records(void) {
#define CONTROL_RECORD(name, columns, meaning) \
  put_term("B", #name " " columns);            \
  put_sentence(meaning);
#include "send/control.def"
#undef CONTROL_RECORD
}

/* --- SMTP --- */

static void put_verbs(void) {
#define VERB(name, states, handler, meaning) \
  put_term("B", name);                       \
  put_sentence(meaning);
#include "smtp/verbs.def"
}

static void put_extensions(void) {
#define EXTENSION(keyword, condition, meaning) \
  put_term("B", keyword);                      \
  put_sentence(meaning);
#include "smtp/verbs.def"
}

static void put_parameters(void) {
#define PARAMETER(verb, keyword, handler, meaning) \
  put_term("B", verb " " keyword);                 \
  put_sentence(meaning);
#include "smtp/verbs.def"
}

/* The first variable of a setting. */
static void put_variable(const char *id) {
  for (size_t i = 0; i < SETTINGS_N; ++i)
    if (!strcmp(settings[i].id, id)) printf("$%.*s", (int)strcspn(settings[i].variables, ","), settings[i].variables);
}

static void put_mechanism(const char *name, int method, const char *shows, const char *judge, const char *offer,
                          const char *setting, const char *meaning) {
  static const struct {
    const char *judge, *text;
  } judges[] = {{"PROGRAM", "the program is asked"},
                {"TOKEN", "with control/oauthprogram"},
                {"INLOOKUP", "where vchkpass is the program, and the only one"},
                {"BINDING", "the same, inside TLS"}};

  put_term("B", name);
  put_sentence(meaning);
  printf(".br\nMethod %d; ", method);
  for (size_t i = 0; i < sizeof judges / sizeof judges[0]; ++i)
    if (!strcmp(judge, judges[i].judge)) printf("%s", judges[i].text);
  if (!strcmp(shows, "CLEAR")) printf("; wants TLS unless $SECUREAUTH is 0");
  if (!strcmp(offer, "ON_DEMAND")) printf("; offered when control/authmechanisms names it");
  fputs("; off with ", stdout);
  put_variable(setting);
  puts(".");
}

static void put_mechanisms(void) {
#define MECHANISM(name, method, handler, shows, judge, offer, setting, meaning) \
  put_mechanism(name, method, #shows, #judge, #offer, #setting, meaning);
#include "smtp/verbs.def"
}

static void put_check(const char *name, const char *stage, const char *used, const char *exempt, const char *failure,
                      const char *may, const char *meaning) {
  put_term("B", name);
  put_sentence(meaning);
  printf(".br\nStage %s; settings: %s; exempt: %s", stage, *used ? used : "none", strcmp(exempt, "0") ? exempt : "nobody");
  if (strcmp(failure, "NONE")) printf("; on a failed lookup: %s", strcmp(failure, "DEFER") ? "go on" : "refuse for now");
  printf("; %s.\n", strcmp(may, "FIXED") ? strcmp(may, "OFF") ? "may be set to warn only" : "may be switched off or set to warn only"
                                         : "cannot be switched off");
}

static void put_checks(void) {
#define CHECK(name, stage, function, settings, exempt, failure, event, may, meaning) \
  put_check(#name, #stage, settings, #exempt, #failure, #may, meaning);
#include "smtp/checks.def"
#undef CHECK
}

static void put_list(const char *setting, const char *patterns, const char *subject, const char *meaning) {
  const char *file = "", *more = "";

  for (size_t i = 0; i < SETTINGS_N; ++i) {
    if (!strcmp(settings[i].id, setting)) file = settings[i].file;
    if (!strcmp(settings[i].id, patterns)) more = settings[i].file;
  }
  put_term("B", file);
  put_sentence(meaning);
  printf(".br\nLooked up: %s.", strcmp(subject, "NAME") ? "the address" : "the name of a host or domain");
  if (*more) {
    fputs("\n.br\nMore lines: ", stdout);
    for (; *more; ++more) fputs(*more == ',' ? ", or " : (char[]){*more, 0}, stdout);
    putchar('.');
  }
  putchar('\n');
}

static void put_lists(void) {
#define ADDRESS_LIST(id, setting, patterns, subject, meaning) put_list(&#setting[4], &#patterns[4], #subject, meaning);
#include "smtp/lists.def"
#undef ADDRESS_LIST
}

/* --- sandboxes --- */

#define SANDBOX(program, groups, meaning) {#program, #groups, meaning, 0, 0},
#define PLACE(name, program, place, rights) {#program, 0, 0, #place, #rights},
static const struct sandbox_row {
  const char *program, *groups, *meaning; /* of a program */
  const char *place, *rights;             /* or of a place of one */
} sandbox_rows[] = {
#include "conf/sandbox.def"
};
#define SANDBOX_ROWS (sizeof sandbox_rows / sizeof *sandbox_rows)

static void put_places(const char *program) {
  for (size_t i = 0; i < SANDBOX_ROWS; ++i) {
    const struct sandbox_row *r = &sandbox_rows[i];

    if (r->place && !strcmp(r->program, program)) printf(".br\n%s: %s\n", r->place, r->rights);
  }
}

static void put_sandboxes(void) {
  for (size_t i = 0; i < SANDBOX_ROWS; ++i) {
    const struct sandbox_row *r = &sandbox_rows[i];
    char name[64];

    if (r->place) continue;
    snprintf(name, sizeof name, "%s", r->program);
    for (char *c = name; *c; ++c)
      if (*c == '_') *c = '-';
    put_term("B", name);
    put_sentence(r->meaning);
    printf(".br\nSystem calls: %s.\n", r->groups);
    put_places(r->program);
  }
}

/* --- pages --- */

static const struct {
  const char *name;
  void (*put)(void);
} tables[] = {
    {"settings", put_settings},     {"variables", put_variables_only}, {"events", put_events},
    {"files", put_files},           {"states", put_states},            {"exitcodes", put_exitcodes},
    {"verbs", put_verbs},           {"extensions", put_extensions},    {"parameters", put_parameters},
    {"mechanisms", put_mechanisms}, {"checks", put_checks},         {"lists", put_lists},         {"commands", put_commands},        {"records", put_records},
    {"sandboxes", put_sandboxes},
};

static int put_table(const char *name, size_t n) {
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; ++i)
    if (strlen(tables[i].name) == n && !memcmp(tables[i].name, name, n)) {
      tables[i].put();
      return 1;
    }
  fprintf(stderr, "mantables: there is no table %.*s\n", (int)n, name);
  return 0;
}

int main(int argc, char **argv) {
  static const char mark[] = ".\\\" @TABLE ";
  char *line = 0;
  size_t size = 0;

  (void)argv;
  if (argc > 1) {
    fputs("usage: mantables < page > finished page\n", stderr);
    return 100;
  }
  while (getline(&line, &size, stdin) != -1) {
    const char *name = line + sizeof mark - 1;

    if (strncmp(line, mark, sizeof mark - 1)) fputs(line, stdout);
    else if (!put_table(name, strcspn(name, "@\n"))) return 1;
  }
  free(line);
  return ferror(stdin) || fflush(stdout) == EOF ? 111 : 0;
}
