/* qmail-smtp-plugin: loads plugins for qmail-smtpd, which is static and cannot, and asks them: the
 * process of one connection.  Questions and answers, smtp/plugin_proto.h, are on descriptor 3; a plugin
 * that prints reaches the log.  Which they are is found by the variables that the server goes by
 * (smtp/plugins.h).  A plugin that fails takes nothing with it but this process. */
#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/fd.h"
#include "base/netstring.h"
#include "base/options.h"
#include "base/strerr.h"
#include "smtp/plugin_proto.h"
#include "smtp/plugins.h"
#include "smtp/smtpd_plugin.h"

#define FATAL "qmail-smtp-plugin: fatal: "
#define USAGE "qmail-smtp-plugin (started by qmail-smtpd)"
#define SERVER 3

struct plugin_set {
  struct strlist files;
  const struct smtpd_plugin *hooks[PLUGINS_MAX];
};

/* Code that others can change is not run. */
static int trusted(const char *file, struct strerr *e) {
  struct stat st;

  if (stat(file, &st) == -1) return strerr_sys(e, "unable to look at plugin ", file, (char *)0);
  if (!S_ISREG(st.st_mode) || (st.st_uid && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH))
    return strerr_set(e, "plugin ", file, " is not a file that only root can change", (char *)0);
  return 0;
}

/* The functions of one, or null with e filled. */
static const struct smtpd_plugin *load(const char *file, const char *symbol, struct strerr *e) {
  const struct smtpd_plugin *hooks = 0;
  void *object, *address;
  const int *version;
  smtpd_plugin_init init;

  if (trusted(file, e) == -1) return 0;
  object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  address = object ? dlsym(object, symbol) : 0;
  version = address ? dlsym(object, SMTPD_PLUGIN_VERSION_SYMBOL) : 0;
  if (!address) {
    strerr_set(e, "unable to load plugin ", file, ": ", dlerror(), (char *)0);
  } else if (version && *version != SMTPD_PLUGIN_VERSION) {
    strerr_set(e, "plugin ", file, " is for another version", (char *)0);
  } else {
    memcpy(&init, &address, sizeof init);
    hooks = init();
    if (!hooks) strerr_set(e, "plugin ", file, " cannot work now", (char *)0);
  }
  return hooks;
}

static int load_all(struct plugin_set *set, struct strerr *e) {
  const struct plugin_names names = {env_get("SMTP_PLUGIN"), env_get("PLUGINDIR"), env_get("SMTP_PLUGIN_SYMB")};

  if (plugins_find(&set->files, &names, e) == -1) return -1;
  for (size_t i = 0; i < set->files.len; ++i)
    if (!(set->hooks[i] = load(set->files.item[i].s, plugins_symbol(&names), e))) return -1;
  return 0;
}

static int call(const struct smtpd_plugin *p, const struct plugin_question *q, char **reply) {
  const char *const *f = q->field;

  switch (q->hook) {
    case PLUGIN_MAIL: return p->mail ? p->mail(f[0], f[1], reply) : 0;
    case PLUGIN_RCPT: return p->rcpt ? p->rcpt(f[0], f[1], f[2], reply) : 0;
    case PLUGIN_DATA: return p->data ? p->data(f[0], f[1], f[2], f[3], reply) : 0;
  }
  return 0;
}

/* The first that refuses decides. */
static int answer(const struct plugin_set *set, const struct plugin_question *q, stralloc *out) {
  for (size_t i = 0; i < set->files.len; ++i) {
    char *reply = 0;

    if (call(set->hooks[i], q, &reply)) return plugin_answer_build(out, PLUGIN_REFUSES, reply ? reply : "");
  }
  return plugin_answer_build(out, PLUGIN_ACCEPTS, "");
}

/* Until the server has nothing more to ask.  When the plugins are not there, broken says why. */
static void serve(const struct plugin_set *set, const struct strerr *broken) {
  stralloc question = STRALLOC_INIT, out = STRALLOC_INIT;
  char buf[PLUGIN_QUESTION_MAX];
  struct plugin_question q;
  substdio in;

  substdio_initfd_read(&in, SERVER, buf, sizeof buf);
  for (;;) {
    uint64_t left = UINT64_MAX;
    int r = netstring_get(&in, &left, PLUGIN_QUESTION_MAX, &question);

    if (r == 0) break;
    if (r == -1) strerr_diem_sys(111, FATAL, "unable to read a question", (char *)0);
    if (!plugin_question_parse(question.s, question.len, &q)) strerr_diem(111, FATAL, "that is no question", (char *)0);
    stralloc_cut(&out, 0);
    if (!(broken ? plugin_answer_build(&out, PLUGIN_FAILS, broken->text) : answer(set, &q, &out))) strerr_die_nomem(FATAL);
    if (fd_write_all(SERVER, out.s, out.len) == -1) strerr_diem_sys(111, FATAL, "unable to answer", (char *)0);
  }
  stralloc_free(&question);
  stralloc_free(&out);
}

int main(int argc, char **argv) {
  const struct option table[] = {{0, OPTION_FLAG, 0, 0}};
  struct plugin_set set = {0};
  struct strerr e;
  int loaded;

  options_or_die(argc, argv, table, USAGE, 0, 0);
  (void)!prctl(PR_SET_PDEATHSIG, SIGKILL); /* a plugin that does not return does not outlive the server */
  (void)!fd_cloexec(SERVER, 1);
  loaded = load_all(&set, &e) == 0;
  serve(&set, loaded ? 0 : &e);
  strlist_free(&set.files);
  return loaded ? 0 : 111;
}
