/* recipient_env: see recipient_env.h. */
#include "local/recipient_env.h"

#include <string.h>

#include "base/bytes.h"
#include "base/now.h"
#include "mail/address.h"
#include "mail/date.h"

/* EXT2 EXT3 EXT4: ext after its first, second, third dash. */
static int set_ext(struct env *env, const char *ext) {
  static const char *const names[] = {"EXT", "EXT2", "EXT3", "EXT4"};

  for (size_t i = 0; i < 4; ++i) {
    const char *dash = strchr(ext, '-');

    if (!env_set(env, names[i], ext)) return 0;
    ext = dash ? dash + 1 : ext + strlen(ext);
  }
  return 1;
}

/* HOST2 HOST3 HOST4: host without its last one, two, three labels. */
static int set_host(struct env *env, const char *host) {
  static const char *const names[] = {"HOST", "HOST2", "HOST3", "HOST4"};
  stralloc h = STRALLOC_INIT;
  int ok = stralloc_copys(&h, host);

  for (size_t i = 0; ok && i < 4; ++i) {
    ok = env_set(env, names[i], stralloc_cstr(&h));
    stralloc_cut(&h, bytes_rchr(h.s, h.len, '.') == h.len ? 0 : bytes_rchr(h.s, h.len, '.'));
  }
  stralloc_free(&h);
  return ok;
}

/* From_ line: blanks in the sender would end it early. */
static int make_ufline(stralloc *out, const char *sender) {
  char date[DATE_TEXT];
  size_t start = 5;

  date_fmt_mbox(date, wall_now());
  if (!stralloc_copylit(out, "From ") || !stralloc_cats(out, *sender ? sender : "MAILER-DAEMON")) return 0;
  for (size_t i = start; i < out->len; ++i)
    if (strchr(" \t\n", out->s[i])) out->s[i] = '-';
  return stralloc_catm(out, " ", date, "\n", (char *)0);
}

/* A header line that cannot be broken by what is put into it. */
static int make_line(stralloc *out, const char *before, const char *value, const char *after) {
  size_t start;

  if (!stralloc_copys(out, before)) return 0;
  start = out->len;
  if (!stralloc_cats(out, value)) return 0;
  for (size_t i = start; i < out->len; ++i)
    if (out->s[i] == '\n' || out->s[i] == '\r') out->s[i] = '_';
  return stralloc_cats(out, after);
}

static int make_rpline(stralloc *out, const char *sender) {
  stralloc quoted = STRALLOC_INIT;
  int ok = address_quote(sender, strlen(sender), &quoted) && make_line(out, "Return-Path: <", stralloc_cstr(&quoted), ">\n");

  stralloc_free(&quoted);
  return ok;
}

static int make_newsender(struct recipient_env *r, const struct delivery_job *job, int has_owner,
                          int has_owner_default) {
  if (!has_owner || !*job->sender || !strcmp(job->sender, "#@[]")) return stralloc_copys(&r->newsender, job->sender);
  stralloc_cut(&r->newsender, 0);
  return stralloc_catm(&r->newsender, job->local, has_owner_default ? "-owner-@" : "-owner@", job->host,
                       has_owner_default ? "-@[]" : "", (char *)0);
}

int recipient_env_init(struct recipient_env *r, const struct delivery_job *job, int has_owner,
                       int has_owner_default) {
  memset(r, 0, sizeof *r);
  return env_import(&r->env) && stralloc_catm(&r->recipient, job->local, "@", job->host, (char *)0) &&
         make_line(&r->dtline, "Delivered-To: ", r->recipient.s, "\n") &&
         make_rpline(&r->rpline, job->sender) && make_ufline(&r->ufline, job->sender) &&
         make_newsender(r, job, has_owner, has_owner_default) && env_set(&r->env, "USER", job->user) &&
         env_set(&r->env, "HOME", job->home) && env_set(&r->env, "LOCAL", job->local) &&
         env_set(&r->env, "RECIPIENT", r->recipient.s) && env_set(&r->env, "SENDER", job->sender) &&
         env_set(&r->env, "DTLINE", r->dtline.s) && env_set(&r->env, "RPLINE", r->rpline.s) &&
         env_set(&r->env, "UFLINE", r->ufline.s) && env_set(&r->env, "NEWSENDER", stralloc_cstr(&r->newsender)) &&
         (!*job->messid || env_set(&r->env, "MESSID", job->messid)) &&
         (!*job->dsn || env_set(&r->env, "DSNMAIL", job->dsn)) &&
         (!*job->notify || env_set(&r->env, "DSNRCPT", job->notify)) && (!*job->extra || env_set(&r->env, "QQEH", job->extra)) && set_ext(&r->env, job->ext) &&
         set_host(&r->env, job->host);
}

void recipient_env_free(struct recipient_env *r) {
  env_free(&r->env);
  stralloc_free(&r->recipient);
  stralloc_free(&r->dtline);
  stralloc_free(&r->rpline);
  stralloc_free(&r->ufline);
  stralloc_free(&r->newsender);
}
