/* mysql_where: see mysql_where.h. */
#include "sql/mysql_where.h"

#include <errno.h>
#include <string.h>

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to use the user database", (char *)0);
}

void mysql_where_free(struct mysql_where *w) {
  mysql_place_free(&w->place);
  stralloc_free(&w->database);
  stralloc_free(&w->library);
}

int mysql_where_key(const char *where, const char *key, stralloc *out) {
  size_t n = strlen(key);

  for (const char *line = where; *line;) {
    size_t len = strcspn(line, "\n");

    if (len > n && !memcmp(line, key, n) && line[n] == ' ') return stralloc_copyb(out, line + n + 1, len - n - 1) ? 1 : -1;
    line += len + (line[len] == '\n');
  }
  stralloc_cut(out, 0);
  return 0;
}

/* What the description of the server leaves open. */
static int complete(struct mysql_where *w, const char *where, struct strerr *e) {
  stralloc end = STRALLOC_INIT;
  int r = 1;

  if (!w->place.user.len && mysql_where_key(where, "user", &w->place.user) == -1) r = -1;
  if (!w->place.password.len && mysql_where_key(where, "password", &w->place.password) == -1) r = -1;
  if (mysql_where_key(where, "database", &w->database) == -1 || mysql_where_key(where, "library", &w->library) == -1) r = -1;
  for (int i = 0; r == 1 && !w->place.socket.len && !w->place.port && i < 2; ++i) {
    r = mysql_where_key(where, i ? "port" : "socket", &end) == -1 ? -1 : mysql_place_end(&w->place, stralloc_cstr(&end), end.len);
    if (r == 0) strerr_set(e, "no path of a socket and no port: ", end.s, (char *)0);
  }
  if (r != -1 && mysql_where_key(where, "ssl_verify", &end) == -1) r = -1;
  w->verify = !stralloc_equals(&end, "0");
  if (r != -1 && w->place.tls == -1 && mysql_where_key(where, "ssl_enforce", &end) == 1) w->place.tls = !stralloc_equals(&end, "0");
  stralloc_free(&end);
  return r == 1 ? 0 : r == 0 ? -1 : no_memory(e);
}

int mysql_where_parse(struct mysql_where *w, const char *where, struct strerr *e) {
  stralloc host = STRALLOC_INIT;
  int r;

  memset(w, 0, sizeof *w);
  r = mysql_where_key(where, "host", &host) == -1 ? -1 : mysql_place_parse(&w->place, stralloc_cstr(&host), host.len);
  stralloc_wipe(&host);
  if (r == -1) return no_memory(e);
  if (r == 0) return strerr_set(e, "host.mysql is not of the form host[:user[:password[:socket or port[:ssl]]]]", (char *)0);
  return complete(w, where, e);
}

/* --- for the client programs */

/* Keys of ours that mean the same there. */
static const struct {
  const char *ours, *theirs;
} options[] = {
    {"connect_timeout", "connect_timeout"}, {"ssl_ca", "ssl-ca"},   {"ssl_capath", "ssl-capath"}, {"ssl_cert", "ssl-cert"},
    {"ssl_key", "ssl-key"},                 {"ssl_cipher", "ssl-cipher"}, {"ssl_crl", "ssl-crl"}, {"ssl_crlpath", "ssl-crlpath"},
    {"tls_version", "tls-version"},
};

/* In quotes, with a backslash twice. */
static int put(stralloc *file, const char *key, const char *value, size_t n) {
  if (!n) return 1;
  if (!stralloc_catm(file, key, "=\"", (char *)0)) return 0;
  for (size_t i = 0; i < n; ++i)
    if ((value[i] == '\\' && !stralloc_append(file, '\\')) || !stralloc_append(file, value[i])) return 0;
  return stralloc_cats(file, "\"\n");
}

static int put_text(stralloc *file, const char *key, const stralloc *value) {
  return put(file, key, stralloc_cstr(value), value->len);
}

static int put_place(stralloc *file, const struct mysql_where *w) {
  const struct mysql_place *p = &w->place;
  stralloc port = STRALLOC_INIT;
  int ok = stralloc_cats(file, "[client]\n") && put_text(file, "user", &p->user) && put_text(file, "password", &p->password);

  if (p->socket.len) ok = ok && put_text(file, "socket", &p->socket) && put(file, "host", "localhost", 9);
  else ok = ok && put_text(file, "host", &p->host);
  if (!p->socket.len && p->port) ok = ok && stralloc_catu64(&port, p->port) && put_text(file, "port", &port) && stralloc_cats(file, "protocol=tcp\n");
  if (p->tls == 1) ok = ok && stralloc_cats(file, w->verify ? "ssl\nssl-verify-server-cert\n" : "ssl\n");
  stralloc_free(&port);
  return ok;
}

int mysql_where_options(const char *where, stralloc *file, struct strerr *e) {
  struct mysql_where w;
  stralloc value = STRALLOC_INIT;
  int r = mysql_where_parse(&w, where, e), ok = 1;

  stralloc_cut(file, 0);
  if (r == 0 && mysql_where_key(where, "file", &value) == 1) ok = stralloc_catm(file, "!include ", value.s, "\n", (char *)0);
  ok = ok && r == 0 && put_place(file, &w);
  for (size_t i = 0; ok && i < sizeof options / sizeof *options; ++i) {
    int found = mysql_where_key(where, options[i].ours, &value);

    ok = found != -1 && (found == 0 || put_text(file, options[i].theirs, &value));
  }
  if (r == 0 && !ok) r = no_memory(e);
  mysql_where_free(&w);
  stralloc_free(&value);
  return r;
}
