/* userdb_place: where the user database is, by the settings (see userdb.h). */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "conf/paths.h"
#include "user/userdb.h"

#define OPTION_FILE "indimail.cnf"

/* What the driver of MariaDB calls a setting. */
static const struct {
  enum setting setting;
  const char *key;
} keys[] = {
    {SET_host_mysql, "host"},
    {SET_mysql_user, "user"},
    {SET_mysql_passwd, "password"},
    {SET_mysql_socket, "socket"},
    {SET_mysql_vport, "port"},
    {SET_mysql_database, "database"},
    {SET_mysql_lib, "library"},
    {SET_mysql_group, "group"},
    {SET_mysql_connect_timeout, "connect_timeout"},
    {SET_mysql_read_timeout, "read_timeout"},
    {SET_mysql_write_timeout, "write_timeout"},
    {SET_mysql_protocol, "protocol"},
    {SET_mysql_compress, "compress"},
    {SET_mysql_ssl_enforce, "ssl_enforce"},
    {SET_mysql_ssl_verify, "ssl_verify"},
    {SET_mysql_ssl_ca, "ssl_ca"},
    {SET_mysql_ssl_capath, "ssl_capath"},
    {SET_mysql_ssl_cert, "ssl_cert"},
    {SET_mysql_ssl_key, "ssl_key"},
    {SET_mysql_ssl_cipher, "ssl_cipher"},
    {SET_mysql_ssl_crl, "ssl_crl"},
    {SET_mysql_ssl_crlpath, "ssl_crlpath"},
    {SET_mysql_tls_version, "tls_version"},
};

static int no_memory(struct strerr *e) {
  errno = ENOMEM;
  return strerr_sys(e, "unable to find the user database", (char *)0);
}

static int add(stralloc *where, const char *key, const char *value) {
  return !*value || stralloc_catm(where, key, " ", value, "\n", (char *)0);
}

/* The option file that is named, or the usual one where it is there. */
static int add_option_file(stralloc *where, const char *named) {
  stralloc path = STRALLOC_INIT;
  int ok = *named || paths_file(PATH_CONTROL, OPTION_FILE, &path);

  if (ok && *named) ok = add(where, "file", named);
  else if (ok && access(path.s, F_OK) == 0) ok = add(where, "file", path.s);
  stralloc_free(&path);
  return ok;
}

/* What is there already counts more than what follows. */
static int find_server(struct userdb_place *p, const struct conf *conf, struct strerr *e) {
  p->driver = &sql_mysql;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
    const char *value = conf_line(conf, keys[i].setting);

    if (strchr(value, '\n')) return strerr_set(e, "a setting of the user database has two lines: ", conf_rows[keys[i].setting].variables, (char *)0);
    if (!add(&p->where, keys[i].key, value)) return no_memory(e);
  }
  return add_option_file(&p->where, conf_line(conf, SET_mysql_file)) ? 0 : no_memory(e);
}

static int find_file(struct userdb_place *p, const struct conf *conf, struct strerr *e) {
  const char *named = conf_line(conf, SET_userdb);

  p->driver = &sql_sqlite;
  p->is_file = 1;
  if (*named ? stralloc_copys(&p->where, named) : paths_file(PATH_HOME, "userdb/users.db", &p->where)) return 0;
  return no_memory(e);
}

int userdb_place_find(struct userdb_place *p, const struct conf *conf, struct strerr *e) {
  memset(p, 0, sizeof *p);
  p->retry = conf_number(conf, SET_mysql_retry_interval);
  return *conf_line(conf, SET_host_mysql) ? find_server(p, conf, e) : find_file(p, conf, e);
}

int userdb_place_named(struct userdb_place *p, const struct conf *conf, const char *engine, struct strerr *e) {
  memset(p, 0, sizeof *p);
  if (!strcmp(engine, "sqlite")) return find_file(p, conf, e);
  if (*conf_line(conf, SET_host_mysql)) return find_server(p, conf, e);
  strerr_set(e, "there is no server: host.mysql and MYSQL_HOST are not set", (char *)0);
  e->permanent = 1;
  return -1;
}

int userdb_place_old(struct userdb_place *p, const struct conf *conf, const char *host, const char *database, struct strerr *e) {
  memset(p, 0, sizeof *p);
  if (strchr(host, '\n') || strchr(database, '\n')) return strerr_set(e, "one line says where the old database is", (char *)0);
  if (!add(&p->where, "host", host) || !add(&p->where, "database", database)) return no_memory(e);
  return find_server(p, conf, e);
}

void userdb_place_free(struct userdb_place *p) {
  stralloc_wipe(&p->where);
}
