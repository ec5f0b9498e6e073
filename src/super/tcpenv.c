/* tcpenv: see tcpenv.h. */
#include "super/tcpenv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"

void tcpconn_texts(struct tcpconn *c) {
  ip_fmt(c->local_ip, &c->local);
  ip_fmt(c->remote_ip, &c->remote);
  c->local_port_text[fmt_u64(c->local_port_text, c->local_port)] = 0;
  c->remote_port_text[fmt_u64(c->remote_port_text, c->remote_port)] = 0;
}

/* A variable that says something about a connection we know nothing of. */
static int stale(const char *var) {
  static const char *const begins[] = {"PROTO=", "TCPLOCAL", "TCPREMOTE", "TCP6", "TCPPARANOID=", "TCPRULES="};

  for (size_t i = 0; i < sizeof begins / sizeof begins[0]; ++i)
    if (!strncmp(var, begins[i], strlen(begins[i]))) return 1;
  return 0;
}

/* Room for one more and the null. */
static int append(const char ***vars, size_t *n, size_t *a, const char *var) {
  if (*n + 2 > *a) {
    size_t more = *a ? *a * 2 : 64;
    const char **new = reallocarray(*vars, more, sizeof *new);

    if (!new) return 0;
    *vars = new;
    *a = more;
  }
  (*vars)[(*n)++] = var;
  (*vars)[*n] = 0;
  return 1;
}

/* One for every connection. */
static int append_base(struct tcpenv *t, stralloc *var, const char *name, const char *value) {
  if (!value || !*value) return 1;
  return stralloc_catm(var, name, value, (char *)0) && append(&t->base, &t->base_n, &t->base_a, var->s);
}

int tcpenv_init(struct tcpenv *t, const char *local_host, const char *rules) {
  memset(t, 0, sizeof *t);
  for (char **p = environ; *p; ++p)
    if (!stale(*p) && !append(&t->base, &t->base_n, &t->base_a, *p)) return 0;
  return append_base(t, &t->local_host, "TCPLOCALHOST=", local_host) && append_base(t, &t->rules, "TCPRULES=", rules);
}

static int slot(struct tcpenv *t, const char *name, const char *value) {
  char *s = t->slot[t->slots++];

  stpcpy(stpcpy(s, name), value);
  return append(&t->vars, &t->n, &t->a, s);
}

static int slots_v6(struct tcpenv *t, const struct tcpconn *c) {
  return slot(t, "TCP6LOCALIP=", c->local_ip) && slot(t, "TCP6LOCALPORT=", c->local_port_text) &&
         slot(t, "TCP6REMOTEIP=", c->remote_ip) && slot(t, "TCP6REMOTEPORT=", c->remote_port_text) &&
         slot(t, "TCP6INTERFACE=", c->interface);
}

int tcpenv_begin(struct tcpenv *t, const struct tcpconn *c) {
  int v6 = c->remote.family == AF_INET6;

  t->n = 0;
  t->slots = 0;
  for (size_t i = 0; i < t->base_n; ++i)
    if (!append(&t->vars, &t->n, &t->a, t->base[i])) return 0;
  if (!c->remote.family) return slot(t, "PROTO=", "UNIX");
  return slot(t, "PROTO=", v6 ? "TCP6" : "TCP") && slot(t, "TCPLOCALIP=", c->local_ip) &&
         slot(t, "TCPLOCALPORT=", c->local_port_text) && slot(t, "TCPREMOTEIP=", c->remote_ip) &&
         slot(t, "TCPREMOTEPORT=", c->remote_port_text) && (!v6 || slots_v6(t, c));
}

int tcpenv_add(struct tcpenv *t, const char *var) {
  size_t len = (size_t)(strchrnul(var, '=') - var);

  for (size_t i = 0; i < t->n; ++i)
    if (!strncmp(t->vars[i], var, len) && t->vars[i][len] == '=') {
      t->vars[i] = var;
      return 1;
    }
  return append(&t->vars, &t->n, &t->a, var);
}

char *const *tcpenv_vector(struct tcpenv *t) {
  return (char *const *)t->vars;
}

char *const *tcpenv_base(struct tcpenv *t) {
  return (char *const *)t->base;
}

const char *tcpenv_next_own(const struct tcpenv *t, size_t *pos) {
  for (; *pos < t->n; ++*pos)
    if (*pos >= t->base_n || t->vars[*pos] != t->base[*pos]) return t->vars[(*pos)++];
  return 0;
}

void tcpenv_free(struct tcpenv *t) {
  free(t->base);
  free(t->vars);
  stralloc_free(&t->local_host);
  stralloc_free(&t->rules);
  memset(t, 0, sizeof *t);
}
