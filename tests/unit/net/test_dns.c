/* Answers put together by hand, then cut short at every byte and with every byte
 * changed: never a read outside, never a false "no such name". */
#include "net/dns.h"

#include "check.h"

#define H(flags2, questions, answers) 0x12, 0x34, 0x81, flags2, 0, questions, 0, answers, 0, 0, 0, 0
#define Q_EXAMPLE(type) 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, type, 0, 1
#define AT_Q 0xc0, 12 /* pointer to the question's name */
#define RR(type, len) 0, type, 0, 1, 0, 0, 1, 0x2c, 0, len

static const unsigned char a_two[] = {H(0x80, 1, 2), Q_EXAMPLE(1), AT_Q, RR(1, 4), 192, 0, 2, 1,
                                      AT_Q,          RR(1, 4),     192,  0,        2,   2};
static const unsigned char aaaa_ad[] = {H(0xa0, 1, 1), Q_EXAMPLE(28), AT_Q, RR(28, 16), 0x20, 1, 0xd, 0xb8,
                                        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const unsigned char mx[] = {H(0x80, 1, 2), Q_EXAMPLE(15), AT_Q, RR(15, 5), 0, 20, 1, 'B', 0, AT_Q, RR(15, 6), 0, 10, 1, 'a', AT_Q};
static const unsigned char null_mx[] = {H(0x80, 1, 1), Q_EXAMPLE(15), AT_Q, RR(15, 3), 0, 0, 0};
static const unsigned char txt[] = {H(0x80, 1, 1), Q_EXAMPLE(16), AT_Q, RR(16, 7), 2, 'v', '=', 3, 's', 0, 'f'};
static const unsigned char tlsa[] = {H(0xa0, 1, 1), Q_EXAMPLE(52), AT_Q, RR(52, 5), 3, 1, 1, 0xab, 0xcd};
/* the CNAME's target first: order does not matter */
static const unsigned char cname[] = {H(0x80, 1, 2), Q_EXAMPLE(1), 1, 't', 0, RR(1, 4), 192, 0, 2, 9, AT_Q, RR(5, 3), 1, 't', 0};
static const unsigned char cname_loop[] = {H(0x80, 1, 1), Q_EXAMPLE(1), AT_Q, RR(5, 2), AT_Q};
static const unsigned char pointer_loop[] = {H(0x80, 1, 1), 0xc0, 12, 0, 1, 0, 1, AT_Q, RR(1, 4), 1, 2, 3, 4};
static const unsigned char nodata[] = {H(0x80, 1, 0), Q_EXAMPLE(1)};
static const unsigned char nxdomain[] = {H(0x83, 1, 0), Q_EXAMPLE(1)};
static const unsigned char servfail[] = {H(0x82, 1, 0), Q_EXAMPLE(1)};
static const unsigned char truncated[] = {0x12, 0x34, 0x83, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, Q_EXAMPLE(1)};
static const unsigned char question[] = {0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, Q_EXAMPLE(1)};
static const unsigned char other_owner[] = {H(0x80, 1, 1), Q_EXAMPLE(1), 1, 'x', 0, RR(1, 4), 1, 2, 3, 4};
static const unsigned char short_a[] = {H(0x80, 1, 2), Q_EXAMPLE(1), AT_Q, RR(1, 3), 1, 2, 3, AT_Q, RR(1, 4), 192, 0, 2, 3};
static const unsigned char odd_name[] = {H(0x80, 1, 1), Q_EXAMPLE(12), AT_Q, RR(12, 5), 3, 'a', '\n', 'b', 0};

#define M(m) m, sizeof m
static const struct {
  const char *name;
  const unsigned char *m;
  size_t n;
  enum dns_type type;
  enum dns_outcome want;
  size_t records;
  int ad;
} cases[] = {
    {"two A", M(a_two), DNS_A, DNS_FOUND, 2, 0},
    {"AAAA with AD", M(aaaa_ad), DNS_AAAA, DNS_FOUND, 1, 1},
    {"MX", M(mx), DNS_MX, DNS_FOUND, 2, 0},
    {"null MX", M(null_mx), DNS_MX, DNS_FOUND, 1, 0},
    {"TXT", M(txt), DNS_TXT, DNS_FOUND, 1, 0},
    {"TLSA", M(tlsa), DNS_TLSA, DNS_FOUND, 1, 1},
    {"CNAME", M(cname), DNS_A, DNS_FOUND, 1, 0},
    {"CNAME to itself", M(cname_loop), DNS_A, DNS_TEMPFAIL, 0, 0},
    {"pointer to itself", M(pointer_loop), DNS_A, DNS_TEMPFAIL, 0, 0},
    {"no data", M(nodata), DNS_A, DNS_NODATA, 0, 0},
    {"no domain", M(nxdomain), DNS_A, DNS_NXDOMAIN, 0, 0},
    {"server failure", M(servfail), DNS_A, DNS_TEMPFAIL, 0, 0},
    {"truncated", M(truncated), DNS_A, DNS_TEMPFAIL, 0, 0},
    {"a question", M(question), DNS_A, DNS_TEMPFAIL, 0, 0},
    {"somebody else's A", M(other_owner), DNS_A, DNS_NODATA, 0, 0},
    {"one damaged A", M(short_a), DNS_A, DNS_FOUND, 1, 0},
    {"a name with LF", M(odd_name), DNS_PTR, DNS_NODATA, 0, 0},
};

static void outcomes(void) {
  struct dns_answer a = {0};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK_CASE(dns_parse(cases[i].m, cases[i].n, cases[i].type, "EXAMPLE.", &a) == cases[i].want, cases[i].name);
    CHECK_CASE(a.len == cases[i].records, cases[i].name);
    if (cases[i].want != DNS_TEMPFAIL) CHECK_CASE(a.authenticated == cases[i].ad, cases[i].name);
  }
  dns_answer_free(&a);
}

static void contents(void) {
  struct dns_answer a = {0};

  CHECK(dns_parse(M(mx), DNS_MX, "example", &a) == DNS_FOUND);
  CHECK(a.record[0].preference == 10 && stralloc_equals(&a.record[0].data, "a.example") && a.record[0].ttl == 300);
  CHECK(a.record[1].preference == 20 && stralloc_equals(&a.record[1].data, "b"));
  CHECK(dns_parse(M(null_mx), DNS_MX, "example", &a) == DNS_FOUND && a.record[0].data.len == 0);
  CHECK(dns_parse(M(txt), DNS_TXT, "example", &a) == DNS_FOUND);
  CHECK(a.record[0].data.len == 5 && !memcmp(a.record[0].data.s, "v=s\0f", 5));
  CHECK(dns_parse(M(tlsa), DNS_TLSA, "example", &a) == DNS_FOUND);
  CHECK(a.record[0].usage == 3 && a.record[0].selector == 1 && a.record[0].matching == 1 && a.record[0].data.len == 2);
  CHECK(dns_parse(M(cname), DNS_A, "example", &a) == DNS_FOUND && stralloc_equals(&a.name, "t") && a.record[0].ip.b[3] == 9);
  CHECK(dns_parse(M(a_two), DNS_A, "other", &a) == DNS_NODATA);
  dns_answer_free(&a);
}

static void damage(void) {
  struct dns_answer a = {0};

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    for (size_t n = 0; n < cases[i].n; ++n) {
      unsigned char copy[128];

      memcpy(copy, cases[i].m, n);
      /* the last record may be lost only as a failure */
      if (cases[i].want == DNS_FOUND) CHECK_CASE(dns_parse(copy, n, cases[i].type, "example", &a) == DNS_TEMPFAIL, cases[i].name);
      memcpy(copy, cases[i].m, cases[i].n);
      for (int v = 0; v < 256; v += 51) {
        enum dns_outcome got;

        copy[n] = (unsigned char)v;
        got = dns_parse(copy, cases[i].n, cases[i].type, "example", &a);
        CHECK_CASE((got == DNS_FOUND) == (a.len > 0) || got == DNS_TEMPFAIL, cases[i].name);
      }
    }
  }
  dns_answer_free(&a);
}

static void reverse(void) {
  stralloc name = STRALLOC_INIT;
  struct ip ip;

  CHECK(ip_scan("192.0.2.1", 9, &ip) && dns_reverse_name(&ip, &name) && stralloc_equals(&name, "1.2.0.192.in-addr.arpa"));
  CHECK(ip_scan("2001:db8::1", 11, &ip) && dns_reverse_name(&ip, &name));
  CHECK(stralloc_equals(&name, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"));
  stralloc_free(&name);
}

int main(void) {
  outcomes();
  contents();
  damage();
  reverse();
  return check_done();
}
