/* A control file with any contents; the first byte picks the setting.  What is taken is of
 * its type, what is not names the file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/fuzz_conf.XXXXXX";

static void require(int holds) {
  if (!holds) abort();
}

static void clean(void) {
  rmdir(dir);
}

static void prepare(void) {
  static int done;

  if (done) return;
  require(mkdtemp(dir) != 0 && setenv("CONTROLDIR", dir, 1) == 0 && setenv("QMAILHOME", dir, 1) == 0);
  atexit(clean);
  done = 1;
}

static void check(const struct conf *c, const struct conf_row *row, enum setting s) {
  const struct conf_value *v = &c->v[s];

  if (!v->set) return;
  switch (row->type) {
    case CONF_NUMBER:
    case CONF_SECONDS: require(conf_number(c, s) <= INT64_MAX); break;
    case CONF_BOOL: require(conf_number(c, s) <= 1); break;
    case CONF_LINE: require(strlen(conf_line(c, s)) == v->text.len && !strchr(conf_line(c, s), '\n')); break;
    case CONF_LINES:
      for (size_t i = 0; i < v->lines.len; ++i) {
        const stralloc *line = &v->lines.item[i];

        require(line->len && line->s[0] != '#' && !memchr(line->s, '\n', line->len));
        require(conf_has(&v->lines, line->s, line->len));
        (void)conf_map_domain(&v->lines, line->s, line->len);
        require(conf_has_domain(&v->lines, line->s, line->len));
      }
      break;
    case CONF_TEXT:
    case CONF_LIST: break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum setting s;
  const struct conf_row *row;
  struct conf c;
  struct strerr e;
  char path[200];
  int fd;

  if (!size) return 0;
  prepare();
  s = (enum setting)(data[0] % SETTINGS);
  row = &conf_rows[s];
  if (!*row->file) return 0;
  snprintf(path, sizeof path, "%s/%.*s", dir, (int)strcspn(row->file, ","), row->file);
  fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  require(fd != -1 && write(fd, data + 1, size - 1) == (ssize_t)size - 1);
  close(fd);
  if (conf_load(&c, row->readers, &e) == 0) check(&c, row, s);
  else require(strstr(e.text, row->file) != 0);
  conf_free(&c);
  unlink(path);
  return 0;
}
