/* A message with rules for its lines: what is found is the same whether it comes whole or byte by
 * byte, and memory is bounded. */
#include "smtp/content.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds) {
  if (!holds) abort();
}

static char dir[] = "/tmp/fuzz_content.XXXXXX";
static struct list_cache cache;
static struct lists lists;
static struct content_rules rules;

static void put(const char *name, const char *text) {
  char path[64] = "";

  strncat(path, dir, sizeof path - 1);
  strncat(path, name, sizeof path - strlen(path) - 1);
  require(file_replace(path, text, strlen(text), 0600) == 0);
}

static void take_away(const char *name) {
  char path[64] = "";

  strncat(path, dir, sizeof path - 1);
  strncat(path, name, sizeof path - strlen(path) - 1);
  unlink(path);
}

static void prepare(void) {
  static int done;
  static struct conf conf;
  struct strerr e;

  if (done) return;
  require(mkdtemp(dir) != 0 && setenv("CONTROLDIR", dir, 1) == 0);
  put("/badext", ".exe\n");
  put("/badextpatterns", "*.v?s\n");
  put("/bodycheck", "^secret:x:-body\nspam:-header\n[0-9]{3}$\n");
  require(conf_load(&conf, CONF_SMTPD, &e) == 0 && lists_open(&lists, &cache, &conf, &e) == 0);
  require(content_rules_open(&rules, &conf, &e) == 0);
  take_away("/badext");
  take_away("/badextpatterns");
  take_away("/bodycheck");
  rmdir(dir);
  done = 1;
}

static void check(const struct content *c) {
  require(c->line.len <= 8192 && c->attachments.field.len <= 16384 && c->attachments.boundaries.len <= 16384);
  require(c->rule <= rules.body.len && !c->name_failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *s = (const char *)data;
  struct content whole = {0}, bytes = {0};

  prepare();
  content_feed(&whole, &rules, &lists, s, size);
  check(&whole);
  content_end(&whole, &rules, &lists);
  for (size_t i = 0; i < size; ++i) {
    content_feed(&bytes, &rules, &lists, s + i, 1);
    if (i % 64 == 0) check(&bytes);
  }
  content_end(&bytes, &rules, &lists);
  require(whole.rule == bytes.rule && whole.rule_failed == bytes.rule_failed && whole.name.len == bytes.name.len);
  require(whole.attachments.unreadable == bytes.attachments.unreadable);
  require(!whole.name.len || !memcmp(whole.name.s, bytes.name.s, whole.name.len));
  content_free(&whole);
  content_free(&bytes);
  content_free(&bytes);
  return 0;
}
