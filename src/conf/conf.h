/* conf: the one reader of control files and of the environment.
 *
 * conf_load builds an immutable snapshot of the settings of one family of programs
 * (schema.def), each with its origin.  A bad value is an error that names file and
 * line, never silently the default.  To reload, load a second snapshot and swap
 * when it is valid. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdint.h>

#include "base/env.h"
#include "base/stralloc.h"
#include "base/strerr.h"
#include "base/strlist.h"

enum setting {
#define SETTING(id, file, type, def, var, override, reload, programs, meaning) SET_##id,
#include "conf/schema.def"
#undef SETTING
  SETTINGS
};

enum conf_reader {
  CONF_SMTPD = 1,
  CONF_SEND = 2,
  CONF_QUEUE = 4,
  CONF_LOCAL = 8,
  CONF_REMOTE = 16,
  CONF_INJECT = 32,
  CONF_USER = 64,
  CONF_LOGIN = 128,
  CONF_TLS = 256,
  CONF_ADMIN = 512,
  CONF_EXTRAS = 1024, /* qmail-queue and qmail-queued: what is done with every message */
  CONF_MULTI = 2048,
  CONF_LDAP = 4096, /* programs that ask a directory: they know its password */
  CONF_ALL = 8191,
};

enum conf_type { CONF_LINE, CONF_NUMBER, CONF_SECONDS, CONF_BOOL, CONF_LINES, CONF_TEXT, CONF_LIST };
enum conf_override { CONF_NONE, CONF_VALUE, CONF_OPEN, CONF_NAME };
enum conf_reload { CONF_AT_START, CONF_AT_HUP, CONF_EACH_RUN };

#define CONF_FILE_MAX (64u << 20) /* bytes of a control file */
#define CONF_LIST_CDB ".cdb"      /* what the database beside a list is called */

struct conf_row {
  const char *id, *file;
  enum conf_type type;
  const char *def, *variables;
  enum conf_override override;
  enum conf_reload reload;
  unsigned readers;
  const char *meaning;
};
extern const struct conf_row conf_rows[SETTINGS];

enum conf_origin { CONF_FROM_DEFAULT, CONF_FROM_FILE, CONF_FROM_VARIABLE };

struct conf_value {
  int loaded;
  int set; /* from file or variable, even when empty */
  enum conf_origin origin;
  stralloc where; /* path of the file, or name of the variable */
  stralloc text;  /* LINE, TEXT; LIST: path of its file, which need not be there when its .cdb is */
  uint64_t number; /* NUMBER, SECONDS, FLAG */
  struct strlist lines;
};

struct conf {
  const struct env *env; /* while it is loaded; null: the process's own */
  const struct conf_names *names; /* the same: of files in the control directory; null: not known */
  struct conf_value v[SETTINGS];
};

/* Load the settings of these readers (or-ed CONF_ bits).  0, or -1 with e filled;
 * the struct can be freed in any case.  A missing file is its default; a file that
 * cannot be read is an error. */
int conf_load(struct conf *c, unsigned readers, struct strerr *e) MUST_CHECK;
/* The same with variables from env instead of the process's environment (null: that). */
int conf_load_env(struct conf *c, unsigned readers, const struct env *env, struct strerr *e) MUST_CHECK;
/* For a set-uid program whose caller names a control file: the lines of that file, as of a setting of type
 * LINES, appended.  It must lie in the control directory, and the caller must be able to read it himself.
 * 1, 0 there is no such file, -1 with e filled. */
int conf_callers_lines(const char *name, struct strlist *out, struct strerr *e) MUST_CHECK;
/* A number that changes when a control file of these readers is made, edited, replaced or
 * removed: stamp first, load then, and load again when the stamp is another.  env as above. */
uint64_t conf_stamp(unsigned readers, const struct env *env);
/* Typed access to loaded settings; borrowed until conf_free. */
const char *conf_line(const struct conf *c, enum setting s);
uint64_t conf_number(const struct conf *c, enum setting s);
int conf_flag(const struct conf *c, enum setting s);
const struct strlist *conf_lines(const struct conf *c, enum setting s);
/* Was it set at all, by file or variable, even to nothing (RELAYCLIENT="")? */
int conf_isset(const struct conf *c, enum setting s);
void conf_free(struct conf *c);

/* Lookup in LINES, ASCII case aside: is there a line equal to key? */
int conf_has(const struct strlist *l, const char *key, size_t n);
/* A line "key:value": the value (rest of the line), or null. */
const char *conf_map(const struct strlist *l, const char *key, size_t n);
/* Domain rules of rcpthosts and smtproutes: the name itself, then each ".suffix",
 * then (maps only) the empty key. */
int conf_has_domain(const struct strlist *l, const char *domain, size_t n);
const char *conf_map_domain(const struct strlist *l, const char *domain, size_t n);

#endif
