/* Routing of recipients: order of the rules, exceptions, case, prefixes. */
#include "send/route.h"

#include "check.h"

static void add(struct strlist *l, const char *s) {
  CHECK(strlist_add(l, s, strlen(s)));
}

int main(void) {
  static const struct {
    const char *in, *out;
    enum channel channel;
  } cases[] = {
      {"a@far.example", "a@far.example", CHANNEL_REMOTE},
      {"a@local.example", "a@local.example", CHANNEL_LOCAL},
      {"a@LOCAL.example", "a@LOCAL.example", CHANNEL_LOCAL},
      {"a", "a@def.example", CHANNEL_REMOTE},
      {"", "@def.example", CHANNEL_REMOTE},
      {"a@virt.example", "joe-a@virt.example", CHANNEL_LOCAL},
      {"A.b@VIRT.example", "joe-A.b@VIRT.example", CHANNEL_LOCAL},
      {"boss@virt.example", "ann-boss@virt.example", CHANNEL_LOCAL},
      {"out@virt.example", "out@virt.example", CHANNEL_REMOTE},
      {"a@x.sub.example", "sub-a@x.sub.example", CHANNEL_LOCAL},
      {"a@y.x.sub.example", "sub-a@y.x.sub.example", CHANNEL_LOCAL},
      {"a@sub.example", "a@sub.example", CHANNEL_REMOTE},
      {"u%far.example@hack.example", "u@far.example", CHANNEL_REMOTE},
      {"u%virt.example%hack.example@hack.example", "joe-u@virt.example", CHANNEL_LOCAL},
      {"u%far.example@local.example", "u%far.example@local.example", CHANNEL_LOCAL},
      {"a@b@virt.example", "joe-a@b@virt.example", CHANNEL_LOCAL},
      {"a@", "a@", CHANNEL_REMOTE},
  };
  static const struct {
    const char *routed, *original;
  } back[] = {
      {"joe-a@virt.example", "a@virt.example"},
      {"ann-boss@virt.example", "boss@virt.example"},
      {"a-b@local.example", "a-b@local.example"},
      {"sub-a-b@x.sub.example", "a-b@x.sub.example"},
      {"a-b@far.example", "a-b@far.example"},
      {"nohost", "nohost"},
  };
  struct strlist locals = {0}, hack = {0}, virt = {0};
  struct route_table t = {"def.example", &locals, &hack, &virt};
  stralloc out = STRALLOC_INIT;
  enum channel channel;

  add(&locals, "local.example");
  add(&hack, "hack.example");
  add(&virt, "virt.example:joe");
  add(&virt, "boss@virt.example:ann");
  add(&virt, "out@virt.example:");
  add(&virt, ".sub.example:sub");
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    CHECK_CASE(route_address(&t, cases[i].in, strlen(cases[i].in), &out, &channel), cases[i].in);
    CHECK_CASE(stralloc_equals(&out, cases[i].out), cases[i].in);
    CHECK_CASE(channel == cases[i].channel, cases[i].in);
  }
  for (size_t i = 0; i < sizeof back / sizeof back[0]; ++i)
    CHECK_CASE(!strcmp(route_original(&t, back[i].routed), back[i].original), back[i].routed);
  for (long n = 1;; ++n) {
    int ok;

    stralloc_free(&out);
    check_nomem(n);
    ok = route_address(&t, "u%virt.example@hack.example", 27, &out, &channel);
    if (check_allocs() < n) break;
    CHECK(!ok);
  }
  check_nomem(0);
  return check_done();
}
