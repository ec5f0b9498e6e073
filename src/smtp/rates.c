/* rates: see rates.h. */
#include "smtp/rates.h"

#include <stdio.h>
#include <string.h>

#include "base/now.h"
#include "net/ip.h"
#include "smtp/notice.h"

static const enum setting limits[] = {SET_rate_connections, SET_rate_connections_net, SET_rate_messages,    SET_rate_messages_net,
                                      SET_rate_recipients,  SET_rate_recipients_net,  SET_sendlimit_messages, SET_sendlimit_recipients};

int rates_valid(const struct conf *conf, struct strerr *e) {
  struct rate_limits l;

  for (size_t i = 0; i < sizeof limits / sizeof *limits; ++i) {
    if (rate_limits_parse(conf_line(conf, limits[i]), &l)) continue;
    strerr_set(e, stralloc_cstr(&conf->v[limits[i]].where), ": count/seconds is wanted, or up to four of these: ", conf_line(conf, limits[i]), (char *)0);
    e->permanent = 1;
    return -1;
  }
  return 0;
}

static enum rate_verdict hit(const struct connection *c, const struct conf *conf, enum setting limit, const char *key, size_t n) {
  struct rate_limits l;
  struct rate_table *t;

  if (!rate_limits_parse(conf_line(conf, limit), &l) || !l.n) return RATE_WITHIN;
  t = rate_table_open();
  return t ? rate_hit_all(t, key, n, &l, wall_now(), c->input == -1) : RATE_WITHIN;
}

/* What is counted, and of which address: all but the first bits of it are zero. */
static size_t make_key(char *key, char what, const struct ip *ip, uint64_t bits) {
  size_t size = ip->family == AF_INET ? 4 : 16;

  key[0] = what;
  key[1] = (char)size;
  key[2] = (char)bits;
  for (size_t i = 0; i < size; ++i, bits -= bits < 8 ? bits : 8) key[3 + i] = (char)(bits >= 8 ? ip->b[i] : ip->b[i] & (0xff00 >> bits));
  return 3 + size;
}

enum verdict rates_client(const struct connection *c, const struct conf *conf, char what, enum setting by_address, enum setting by_network,
                          unsigned code, const char *text, struct policy_reply *r) {
  char key[20];
  struct ip ip;
  uint64_t bits;

  if (!ip_scan(c->ip, strlen(c->ip), &ip)) return VERDICT_NEXT;
  if (hit(c, conf, by_address, key, make_key(key, what, &ip, 128)) != RATE_WITHIN)
    return policy_say(r, VERDICT_DEFER, code, "4.7.1", text);
  bits = conf_number(conf, ip.family == AF_INET ? SET_rate_prefix4 : SET_rate_prefix6);
  if (hit(c, conf, by_network, key, make_key(key, what, &ip, bits > 128 ? 128 : bits)) != RATE_WITHIN)
    return policy_say(r, VERDICT_DEFER, code, "4.7.1", text);
  return VERDICT_NEXT;
}

enum verdict rates_account(const struct connection *c, const struct conf *conf, char what, enum setting limit, const char *text,
                           struct policy_reply *r) {
  stralloc key = STRALLOC_INIT;
  enum rate_verdict v = RATE_WITHIN;

  if (!c->authenticated || !*conf_line(conf, limit)) return VERDICT_NEXT;
  if (stralloc_append(&key, what) && stralloc_cat(&key, &c->user)) v = hit(c, conf, limit, key.s, key.len);
  stralloc_free(&key);
  if (v == RATE_WITHIN) return VERDICT_NEXT;
  if (v == RATE_OVER_FIRST) r->notice = limit == SET_sendlimit_messages ? notice_messages : notice_recipients;
  return policy_say(r, VERDICT_DEFER, 450, "4.7.1", text);
}
