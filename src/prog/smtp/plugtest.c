/* plugtest: asks the plugins of qmail-smtpd what they say, as the server does and with its settings:
 * smtp/plugins.h. */
#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "conf/conf.h"
#include "smtp/plugins.h"

#define FATAL "plugtest: fatal: "
#define USAGE "plugtest [-MRD] [-l localhost] [-r remoteip] [-h remotehost] [-i remoteinfo] [-m sender] [recipient ...]"

struct test {
  int hook[PLUGIN_HOOKS]; /* asked for */
  const char *local, *ip, *host, *info, *sender;
  struct plugins plugins;
  struct plugin_host process;
  stralloc line;
  int refused, failed;
};

static int put_reply(stralloc *line, const struct plugin_reply *r) {
  return stralloc_catlit(line, "refused ") && stralloc_catu64(line, r->code) && stralloc_catm(line, " ", r->enhanced, " ", r->text, "\n", (char *)0);
}

/* One line: what was asked, and what came of it. */
static void ask(struct test *t, const struct plugin_question *q, const char *about) {
  struct plugin_reply r;
  struct strerr e;
  int ok;

  stralloc_cut(&t->line, 0);
  ok = stralloc_catm(&t->line, plugin_hook_name(q->hook), *about ? " " : "", about, ": ", (char *)0);
  switch (plugin_host_ask(&t->process, &t->plugins, q, &r, &e)) {
    case PLUGIN_ACCEPTS: ok = ok && stralloc_catlit(&t->line, "accepted\n"); break;
    case PLUGIN_REFUSES:
      t->refused = 1;
      ok = ok && put_reply(&t->line, &r);
      break;
    case PLUGIN_FAILS:
      t->failed = 1;
      ok = ok && stralloc_catm(&t->line, "failed: ", e.text, "\n", (char *)0);
      break;
  }
  if (!ok) strerr_die_nomem(FATAL);
  if (fd_write_all(1, t->line.s, t->line.len) == -1) strerr_diem_sys(111, FATAL, "unable to write", (char *)0);
}

static void test(struct test *t, char *const *recipients) {
  int all = !t->hook[PLUGIN_MAIL] && !t->hook[PLUGIN_RCPT] && !t->hook[PLUGIN_DATA];

  if (all || t->hook[PLUGIN_MAIL]) ask(t, &(const struct plugin_question){PLUGIN_MAIL, {t->ip, t->sender}}, t->sender);
  for (char *const *to = recipients; (all || t->hook[PLUGIN_RCPT]) && *to; ++to)
    ask(t, &(const struct plugin_question){PLUGIN_RCPT, {t->ip, t->sender, *to}}, *to);
  if (all || t->hook[PLUGIN_DATA]) ask(t, &(const struct plugin_question){PLUGIN_DATA, {t->local, t->ip, t->host, t->info}}, "");
}

int main(int argc, char **argv) {
  const struct env env = {.inherit = 1};
  struct test t = {.local = "localhost", .ip = "127.0.0.1", .host = "localhost", .info = "", .sender = "", .process = {.env = &env}};
  const struct option table[] = {{'M', OPTION_FLAG, &t.hook[PLUGIN_MAIL], 1}, {'R', OPTION_FLAG, &t.hook[PLUGIN_RCPT], 1},
                                 {'D', OPTION_FLAG, &t.hook[PLUGIN_DATA], 1}, {'l', OPTION_STRING, &t.local, 0},
                                 {'r', OPTION_STRING, &t.ip, 0},              {'h', OPTION_STRING, &t.host, 0},
                                 {'i', OPTION_STRING, &t.info, 0},            {'m', OPTION_STRING, &t.sender, 0},
                                 {0, OPTION_FLAG, 0, 0}};
  struct conf conf;
  struct strerr e;
  int first = options_or_die(argc, argv, table, USAGE, 0, -1);

  if (t.hook[PLUGIN_RCPT] && first == argc) strerr_die_usage(USAGE);
  sig_ignore_pipe();
  if (conf_load(&conf, CONF_SMTPD, &e) == -1 || plugins_open(&t.plugins, &conf, &e) == -1) strerr_die(111, FATAL, &e);
  if (!t.plugins.files.len) strerr_diem(111, FATAL, conf_flag(&conf, SET_disable_plugin) ? "DISABLE_PLUGIN is set" : "there is no plugin", (char *)0);
  test(&t, argv + first);
  plugin_host_end(&t.process);
  stralloc_free(&t.line);
  plugins_close(&t.plugins);
  conf_free(&conf);
  return t.failed ? 111 : t.refused ? 100 : 0;
}
