/* login_record: see login_record.h. */
#include "user/login_record.h"

#include <stdlib.h>
#include <string.h>

#include "user/userdb_relay.h"

struct login_record {
  stralloc name, domain, service, ip;
  int relay;
  int64_t at, not_within;
};

static void forget(struct login_record *r) {
  stralloc_free(&r->name);
  stralloc_free(&r->domain);
  stralloc_free(&r->service);
  stralloc_free(&r->ip);
  memset(r, 0, sizeof *r);
}

static enum userdb_result write_relay(struct userdb *db, const struct login_event *event) {
  stralloc address = STRALLOC_INIT;
  enum userdb_result r = USERDB_TEMPFAIL;
  struct strerr ignored;

  if (stralloc_catm(&address, event->name, "@", event->domain, (char *)0)) r = userdb_relay_set(db, event->ip, address.s, event->at, &ignored);
  stralloc_free(&address);
  return r;
}

static enum userdb_result write_event(struct userdb *db, const struct login_event *event) {
  struct strerr ignored;

  if (!event->service) return write_relay(db, event);
  return userdb_lastauth_at(db, event->name, event->domain, event->service, event->ip, event->at, event->not_within, &ignored);
}

static int is_same(const struct login_record *r, const struct login_event *event) {
  return r->relay == !event->service && stralloc_equals(&r->name, event->name) && stralloc_equals(&r->domain, event->domain) &&
         (r->relay ? stralloc_equals(&r->ip, event->ip) : stralloc_equals(&r->service, event->service));
}

static void take_out(struct login_records *l, size_t i) {
  forget(&l->record[i]);
  --l->n;
  memmove(&l->record[i], &l->record[i + 1], (l->n - i) * sizeof *l->record);
  memset(&l->record[l->n], 0, sizeof *l->record);
}

static void keep(struct login_records *l, const struct login_event *event) {
  struct login_record *r;

  if (!l->record) l->record = calloc(LOGIN_RECORDS_MAX, sizeof *l->record);
  if (!l->record) return;
  for (size_t i = 0; i < l->n; ++i)
    if (is_same(&l->record[i], event)) {
      take_out(l, i);
      break;
    }
  if (l->n == LOGIN_RECORDS_MAX) take_out(l, 0);
  r = &l->record[l->n];
  r->relay = !event->service;
  r->at = event->at;
  r->not_within = event->not_within;
  if (stralloc_copys(&r->name, event->name) && stralloc_copys(&r->domain, event->domain) &&
      stralloc_copys(&r->service, event->service ? event->service : "") && stralloc_copys(&r->ip, event->ip))
    ++l->n;
  else forget(r);
}

void login_record(struct login_records *l, struct userdb *db, const struct login_event *event) {
  if (write_event(db, event) == USERDB_TEMPFAIL) keep(l, event);
}

void login_records_write(struct login_records *l, struct userdb *db, int64_t now) {
  while (l->n) {
    const struct login_record *r = &l->record[0];
    const struct login_event event = {.name = stralloc_cstr(&r->name), .domain = stralloc_cstr(&r->domain),
                                      .service = r->relay ? 0 : stralloc_cstr(&r->service), .ip = stralloc_cstr(&r->ip),
                                      .at = r->at, .not_within = r->not_within};

    if (now - r->at <= LOGIN_RECORDS_SECONDS && write_event(db, &event) == USERDB_TEMPFAIL) return;
    take_out(l, 0);
  }
}

void login_records_free(struct login_records *l) {
  while (l->n) take_out(l, l->n - 1);
  free(l->record);
  l->record = 0;
}
