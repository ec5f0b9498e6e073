/* extras: see extras.h. */
#include "queue/extras.h"

#include <string.h>

#include "base/bytes.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/scan.h"
#include "queue/archive_rules.h"

/* Copies of mail that its sender knows nothing of: nor does it get bounces about them. */
static const char quiet[] = "NOTIFY=NEVER";

static int add_recipients(struct extras *x, const char *s) {
  while (*s) {
    size_t n = strcspn(s, " ,\t\n");

    if (n && strlist_find(&x->add, s, n) < 0 && !strlist_add(&x->add, s, n)) return 0;
    s += n + (s[n] != 0);
  }
  return 1;
}

/* Only printable ASCII of a variable goes into a header. */
static int put_originating_ip(struct extras *x) {
  const char *ip = env_get("TCPREMOTEIP");

  if (!conf_flag(x->conf, SET_originipfield) || (!env_get("RELAYCLIENT") && !env_get("TCPREMOTEINFO"))) return 1;
  if (!ip || !*ip || strlen(ip) > 64 || !bytes_isgraph(ip, strlen(ip))) return 1;
  return stralloc_catm(&x->head, "X-Originating-IP: ", ip, "\n", (char *)0);
}

/* Settings whose variable names another control file. */
static const enum setting named[EXTRAS_NAMED] = {SET_mailarchive, SET_removeheaders, SET_envheaders, SET_logheaders};

/* What a caller adds to the lines of the control file. */
static int add_callers_lines(struct extras *x) {
  for (size_t i = 0; i < EXTRAS_NAMED; ++i) {
    const struct strlist *ours = conf_lines(x->conf, named[i]);
    const char *file = env_get(conf_rows[named[i]].variables);
    struct strerr e;
    int r = file && *file ? conf_callers_lines(file, &x->named[i], &e) : 0;

    if (r == -1) return 0;
    for (size_t k = 0; r == 1 && k < ours->len; ++k)
      if (!strlist_add(&x->named[i], stralloc_cstr(&ours->item[k]), ours->item[k].len)) return 0;
  }
  return 1;
}

/* What becomes of infected mail, where the administrator has not said it. */
static void ask_caller(struct extras *x) {
  const char *reject = env_get("REJECTVIRUS"), *forward = env_get("VIRUSFORWARD");

  if (!forward) forward = env_get("QHPSIFORWARD");
  if (reject && !conf_isset(x->conf, SET_rejectvirus)) (void)scan_u64(reject, strlen(reject), &x->rejectvirus);
  if (forward && !*x->virusforward) x->virusforward = forward;
}

int extras_load(struct extras *x, const struct conf *conf, int of_caller) {
  const struct strlist *list = conf_lines(conf, SET_extraqueue);
  const char *add = of_caller ? env_get("EXTRAQUEUE") : 0;
  const char *quarantine = conf_line(conf, SET_quarantine);

  memset(x, 0, sizeof *x);
  x->conf = conf;
  x->log_fd = (int)conf_number(conf, SET_logheaderfd);
  x->rejectvirus = conf_number(conf, SET_rejectvirus);
  x->virusforward = conf_line(conf, SET_virusforward);
  if (of_caller) ask_caller(x);
  if (of_caller && !add_callers_lines(x)) return -1;
  if (of_caller && !*quarantine) quarantine = env_get("QUARANTINE");
  for (size_t i = 0; i < list->len; ++i)
    if (!add_recipients(x, stralloc_cstr(&list->item[i]))) return -1;
  if (add && !add_recipients(x, add)) return -1;
  if (quarantine && !stralloc_copys(&x->quarantine, quarantine)) return -1;
  return put_originating_ip(x) ? 0 : -1;
}

int extras_need_process(const struct conf *conf) {
  return *conf_line(conf, SET_qhpsi) || conf_flag(conf, SET_originipfield);
}

int extras_in_environment(const struct env *env) {
  for (int i = 0; i < SETTINGS; ++i) {
    const struct conf_row *row = &conf_rows[i];
    char name[64];

    if (row->readers != CONF_EXTRAS) continue;
    for (const char *s = row->variables; *s;) {
      size_t n = strcspn(s, ",");

      if (n < sizeof name) {
        memcpy(name, s, n);
        name[n] = 0;
        if (env_lookup(env, name)) return 1;
      }
      s += n + (s[n] == ',');
    }
  }
  return 0;
}

/* A list, or null when it is empty. */
static const struct strlist *wanted(const struct extras *x, enum setting s) {
  const struct strlist *l = x && x->conf ? conf_lines(x->conf, s) : 0;

  for (size_t i = 0; l && i < EXTRAS_NAMED; ++i)
    if (named[i] == s && x->named[i].len) l = &x->named[i];
  return l && l->len ? l : 0;
}

int extras_filter(const struct extras *x, struct header_filter *f) {
  f->remove = wanted(x, SET_removeheaders);
  f->capture = wanted(x, SET_envheaders);
  f->log = x && x->log_fd != -1 ? wanted(x, SET_logheaders) : 0;
  return f->remove || f->capture || f->log;
}

#define QUARANTINE_ID_MAX 16384 /* those beyond are counted */

/* The recipients who were meant, as a header field. */
static int put_quarantine_id(stralloc *out, const char *address, const struct strlist *recipients) {
  size_t start = out->len, i;

  if (!stralloc_catm(out, "X-Quarantine-ID: ", address, (char *)0)) return 0;
  for (i = 0; i < recipients->len && out->len - start + recipients->item[i].len < QUARANTINE_ID_MAX; ++i)
    if (!stralloc_append(out, ',') || !stralloc_cat(out, &recipients->item[i])) return 0;
  if (i < recipients->len && (!stralloc_catlit(out, ", and ") || !stralloc_catu64(out, recipients->len - i) || !stralloc_catlit(out, " more")))
    return 0;
  for (i = start; i < out->len; ++i)
    if ((unsigned char)out->s[i] < 32) out->s[i] = '_';
  return stralloc_append(out, '\n');
}

static int quarantine(struct envelope *env, const char *address) {
  if (!put_quarantine_id(&env->extra, address, &env->recipients)) return 0;
  strlist_clear(&env->recipients);
  strlist_clear(&env->notify);
  return strlist_add(&env->recipients, address, strlen(address));
}

static int add_all(struct envelope *env, const struct strlist *list) {
  for (size_t i = 0; i < list->len; ++i)
    if (strlist_find(&env->recipients, list->item[i].s, list->item[i].len) < 0 &&
        !envelope_add(env, list->item[i].s, list->item[i].len, quiet, sizeof quiet - 1))
      return 0;
  return 1;
}

/* QQEH: lines of a header; an empty one would end it. */
static int put_qqeh(stralloc *out, const char *s) {
  while (*s) {
    size_t n = strcspn(s, "\n");

    if (n && (!stralloc_catb(out, s, n) || !stralloc_append(out, '\n'))) return 0;
    s += n + (s[n] != 0);
  }
  return 1;
}

int extras_apply(const struct extras *x, const struct header_filter *f, const char *instead, struct envelope *env) {
  const char *prison = instead && *instead ? instead : stralloc_cstr(&x->quarantine);
  const struct strlist *rules = wanted(x, SET_mailarchive);
  struct strlist archive = {0};
  int ok = put_qqeh(&env->extra, conf_line(x->conf, SET_qqeh)) && stralloc_copy(&env->captured, &f->captured);

  if (ok && rules) ok = archive_rules_apply(rules, &env->sender, &env->recipients, &archive);
  if (ok && *prison) ok = quarantine(env, prison);
  ok = ok && add_all(env, &x->add) && add_all(env, &archive);
  strlist_free(&archive);
  return ok;
}

void extras_log(const struct extras *x, const struct header_filter *f) {
  for (size_t at = 0; at < f->logged.len;) {
    size_t n = bytes_chr(f->logged.s + at, f->logged.len - at, '\n') + 1;

    (void)!fd_write_all(x->log_fd, f->logged.s + at, n); /* a line is one write: it mixes with no other */
    at += n;
  }
}

void extras_free(struct extras *x) {
  strlist_free(&x->add);
  for (size_t i = 0; i < EXTRAS_NAMED; ++i) strlist_free(&x->named[i]);
  stralloc_free(&x->quarantine);
  stralloc_free(&x->head);
  x->conf = 0;
}
