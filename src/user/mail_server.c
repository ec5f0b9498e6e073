/* mail_server: see mail_server.h. */
#include "user/mail_server.h"

#include <string.h>

#include "conf/paths.h"
#include "user/quota.h"

struct variable {
  const char *name, *value; /* a default: one that is set stays */
};

struct mail_server {
  const char *name;
  const char *capability;
  const struct variable *imap, *pop3; /* ended by a null */
  int (*environment)(const struct login *l, struct env *env);
  int (*arguments)(const struct login *l, const struct lookup_account *a, struct strlist *args);
  const char *pop3_greeting;
};

static int add(struct strlist *args, const char *s) {
  return strlist_add(args, s, strlen(s));
}

/* --- Courier: everything by variables, and says itself that the login has worked */

static const struct variable courier_imap[] = {
    {"IMAP_KEYWORDS", "1"},
    {"IMAP_ACL", "1"},
    {"IMAP_IDLE_TIMEOUT", "60"},
    {"IMAP_MAILBOX_SANITY_CHECK", "1"},
    {"IMAP_USELOCKS", "1"},
    {"IMAP_TRASHFOLDERNAME", "Trash"},
    {"IMAP_EMPTYTRASH", "Trash:7"},
    {"IMAP_UMASK", "077"},
    {"IMAP_DISABLETHREADSORT", "0"},
    {"IMAP_ENHANCEDIDLE", "1"},
    {"PROTOCOL", "IMAP"},
    {0, 0},
};
static const struct variable courier_pop3[] = {{"PROTOCOL", "POP3"}, {0, 0}};

static int no_more(const struct login *l, struct env *env) {
  (void)l;
  (void)env;
  return 1;
}

static int as_given(const struct login *l, const struct lookup_account *a, struct strlist *args) {
  (void)a;
  for (int i = 1; i < l->argc; ++i)
    if (!add(args, l->argv[i])) return 0;
  return 1;
}

/* --- Dovecot 2.3: a configuration file, and starts itself anew, keeping the variables we name; its POP3
 * server leaves the answer to the login to us */

static const struct variable dovecot_variables[] = {{"DOVECOT_PRESERVE_ENVS", "IMAPLOGINTAG"}, {0, 0}};

static int dovecot_environment(const struct login *l, struct env *env) {
  const char *local = env_lookup(env, "TCPLOCALIP");
  const char *user = env_lookup(env, "AUTHADDR"); /* not known yet in front of modules: see login_run_for_module */

  return (!user || env_set(env, "USER", user)) && env_set(env, "IP", l->remote.s) && (!local || env_set(env, "LOCAL_IP", local));
}

/* "plugin/quota_rule=*:bytes=1000:messages=50", or nothing where there is no limit. */
static int add_quota(const struct lookup_account *a, struct strlist *args) {
  stralloc rule = STRALLOC_INIT;
  struct quota q = {0, 0};
  int ok = 1;

  if (quota_parse(stralloc_cstr(&a->quota), a->quota.len, &q) && !quota_none(&q)) {
    ok = stralloc_cats(&rule, "plugin/quota_rule=*:bytes=") && stralloc_catu64(&rule, q.bytes) && stralloc_cats(&rule, ":messages=") &&
         stralloc_catu64(&rule, q.count) && add(args, "-o") && strlist_add(args, rule.s, rule.len);
  }
  stralloc_free(&rule);
  return ok;
}

/* In place of the Maildir, which the file names. */
static int dovecot_arguments(const struct login *l, const struct lookup_account *a, struct strlist *args) {
  stralloc path = STRALLOC_INIT;
  int ok = paths_file(PATH_CONTROL, "dovecot.conf", &path) && add(args, l->argv[1]) && add(args, "-c") &&
           strlist_add(args, path.s, path.len) && add_quota(a, args);

  stralloc_free(&path);
  return ok;
}

static const struct mail_server servers[] = {
    {
        .name = "courier",
        .capability = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
        .imap = courier_imap,
        .pop3 = courier_pop3,
        .environment = no_more,
        .arguments = as_given,
    },
    {
        .name = "dovecot",
        .capability = "IMAP4rev1 ENABLE UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE CONDSTORE QRESYNC ESEARCH MOVE",
        .imap = dovecot_variables,
        .pop3 = dovecot_variables,
        .environment = dovecot_environment,
        .arguments = dovecot_arguments,
        .pop3_greeting = "+OK logged in\r\n",
    },
};

const struct mail_server *mail_server_find(const struct conf *conf) {
  const char *name = conf_line(conf, SET_mailserver);

  for (size_t i = 0; i < sizeof servers / sizeof *servers; ++i)
    if (!strcmp(servers[i].name, name)) return &servers[i];
  return 0;
}

const char *mail_server_capability(const struct mail_server *s) {
  const char *set = env_get("IMAP_CAPABILITY");

  return set && *set ? set : s->capability;
}

int mail_server_environment(const struct mail_server *s, const struct login *l, struct env *env) {
  const int imap = l->protocol->uses_tag;

  for (const struct variable *v = imap ? s->imap : s->pop3; v->name; ++v)
    if (!env_lookup(env, v->name) && !env_set(env, v->name, v->value)) return 0;
  return (!imap || env_set(env, "IMAP_CAPABILITY", mail_server_capability(s))) && s->environment(l, env);
}

int mail_server_arguments(const struct mail_server *s, const struct login *l, const struct lookup_account *a, struct strlist *args) {
  return s->arguments(l, a, args);
}

const char *mail_server_greeting(const struct mail_server *s, const struct login *l) {
  return l->protocol->uses_tag ? 0 : s->pop3_greeting;
}
