/* qmail-showctl: every setting, its value and where it comes from. */
#include <dirent.h>
#include <string.h>

#include "base/strerr.h"
#include "base/substdio.h"
#include "conf/conf.h"
#include "conf/paths.h"

#define FATAL "qmail-showctl: fatal: "
#define USAGE "qmail-showctl [-a] (-a: defaults too)"

static char outbuf[4096];
static substdio out;

static void put(const char *s) {
  if (substdio_puts(&out, s) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

static void put_value(const struct conf *c, enum setting s) {
  const struct conf_value *v = &c->v[s];
  stralloc n = STRALLOC_INIT;

  switch (conf_rows[s].type) {
    case CONF_LINES:
      if (!v->lines.len) put(" (empty)");
      for (size_t i = 0; i < v->lines.len; ++i) {
        put("\n\t");
        put(v->lines.item[i].s);
      }
      break;
    case CONF_NUMBER:
    case CONF_SECONDS:
      if (!stralloc_append(&n, ' ') || !stralloc_catu64(&n, v->number)) strerr_die_nomem(FATAL);
      put(n.s);
      break;
    case CONF_LIST: put(v->set ? " a list" : " (empty)"); break;
    case CONF_BOOL: put(v->number ? " on" : " off"); break;
    case CONF_LINE:
    case CONF_TEXT:
      put(v->text.len ? " " : " (empty)");
      put(stralloc_cstr(&v->text));
      break;
  }
  put("\n");
  stralloc_free(&n);
}

/* A list has several names, and a database beside each. */
static int names_list(const char *file, const char *name) {
  size_t n = strlen(name);

  if (n > sizeof CONF_LIST_CDB - 1 && !strcmp(name + n - sizeof CONF_LIST_CDB + 1, CONF_LIST_CDB)) n -= sizeof CONF_LIST_CDB - 1;
  for (size_t len; *file; file += len + (file[len] == ',')) {
    len = strcspn(file, ",");
    if (len == n && !memcmp(file, name, n)) return 1;
  }
  return 0;
}

/* A file name that ends in .queueN stands for one of each queue. */
static int names(const struct conf_row *row, const char *name) {
  const char *each = strstr(row->file, ".queueN");

  if (row->type == CONF_LIST) return names_list(row->file, name);
  return each ? !strncmp(row->file, name, (size_t)(each - row->file) + 1) : !strcmp(row->file, name);
}

static int is_known(const char *name) {
  static const char *const others[] = {"morercpthosts", "morercpthosts.cdb", "lastfstab"}; /* no settings: read where they are asked; what vfstab wrote */

  for (int i = 0; i < SETTINGS; ++i)
    if (names(&conf_rows[i], name)) return 1;
  for (size_t i = 0; i < sizeof others / sizeof *others; ++i)
    if (!strcmp(others[i], name)) return 1;
  return 0;
}

/* A misspelt file name is a setting that silently does not work: show it. */
static void show_unknown(void) {
  stralloc dir = STRALLOC_INIT;
  struct dirent *entry;
  DIR *d;

  if (!paths_get(PATH_CONTROL, &dir)) strerr_die_nomem(FATAL);
  d = opendir(dir.s);
  if (!d) strerr_diem_sys(111, FATAL, "unable to read directory ", dir.s, (char *)0);
  while ((entry = readdir(d)) != 0)
    if (entry->d_name[0] != '.' && !is_known(entry->d_name)) {
      put(entry->d_name);
      put(": no program reads this file\n");
    }
  closedir(d);
  stralloc_free(&dir);
}

int main(int argc, char **argv) {
  int all = argc == 2 && !strcmp(argv[1], "-a");
  struct conf c;
  struct strerr e;

  if (argc != 1 && !all) strerr_die_usage(USAGE);
  if (conf_load(&c, CONF_ALL, &e) == -1) strerr_die(111, FATAL, &e);
  substdio_initfd_write(&out, 1, outbuf, sizeof outbuf);
  for (int i = 0; i < SETTINGS; ++i) {
    if (c.v[i].origin == CONF_FROM_DEFAULT && !all) continue;
    put(conf_rows[i].file[0] ? conf_rows[i].file : conf_rows[i].variables);
    put(" [");
    put(stralloc_cstr(&c.v[i].where));
    put("] ");
    put(conf_rows[i].meaning);
    put(":");
    put_value(&c, (enum setting)i);
  }
  show_unknown();
  if (substdio_flush(&out) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
  return 0;
}
