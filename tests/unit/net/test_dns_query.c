/* Questions to a real server on loopback (tests/tools/dnsd.py), and connections. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "net/connect.h"
#include "net/dns.h"
#include "net/dns_exchange.h"

static const char zones[] =
    "{\"example.com\": {\"MX\": [[20, \"b.example.com\"], [10, \"A.example.com\"]], \"A\": [\"192.0.2.1\"], \"AD\": 1},"
    " \"alias.example.com\": {\"CNAME\": [\"example.com\"], \"AD\": 1},"
    " \"loop.example.com\": {\"CNAME\": [\"loop.example.com\"]},"
    " \"six.example.com\": {\"AAAA\": [\"2001:db8::1\", \"2001:db8::2\"]},"
    " \"null.example.com\": {\"MX\": [[0, \".\"]]},"
    " \"big.example.com\": {\"TXT\": [\"v=1\", \"%s\", \"%s\", \"%s\", \"%s\", \"%s\", \"%s\", \"%s\", \"%s\"]},"
    " \"_25._tcp.example.com\": {\"TLSA\": [[3, 1, 1, \"abcdef\"]], \"AD\": 1},"
    " \"1.2.0.192.in-addr.arpa\": {\"PTR\": [\"host.example.com\"]},"
    " \"sick.example.com\": \"SERVFAIL\", \"refused.example.com\": \"REFUSED\", \"mute.example.com\": \"DROP\","
    " \"odd.example.com\": \"GARBAGE\"}";

static const struct {
  const char *name;
  enum dns_type type;
  enum dns_outcome want;
  size_t records;
  int ad;
} cases[] = {
    {"example.com", DNS_A, DNS_FOUND, 1, 1},
    {"EXAMPLE.com.", DNS_A, DNS_FOUND, 1, 1},
    {"alias.example.com", DNS_A, DNS_FOUND, 1, 1},
    {"alias.example.com", DNS_MX, DNS_FOUND, 2, 1},
    {"alias.example.com", DNS_AAAA, DNS_NODATA, 0, 0},
    {"loop.example.com", DNS_A, DNS_TEMPFAIL, 0, 0},
    {"example.com", DNS_AAAA, DNS_NODATA, 0, 0},
    {"com", DNS_A, DNS_NODATA, 0, 0},
    {"six.example.com", DNS_AAAA, DNS_FOUND, 2, 0},
    {"null.example.com", DNS_MX, DNS_FOUND, 1, 0},
    {"big.example.com", DNS_TXT, DNS_FOUND, 9, 0},
    {"_25._tcp.example.com", DNS_TLSA, DNS_FOUND, 1, 1},
    {"nothere.example.com", DNS_A, DNS_NXDOMAIN, 0, 0},
    {"nothere.example.com", DNS_MX, DNS_NXDOMAIN, 0, 0},
    {"sick.example.com", DNS_A, DNS_TEMPFAIL, 0, 0},
    {"refused.example.com", DNS_A, DNS_TEMPFAIL, 0, 0},
    {"odd.example.com", DNS_A, DNS_TEMPFAIL, 0, 0},
    {"not a name", DNS_A, DNS_NXDOMAIN, 0, 0},
};

/* The server: its pid and its address in $DNSCACHEIP. */
static pid_t serve(const char *file) {
  char address[64] = "";
  int p[2], keep[2];
  ssize_t n;
  pid_t pid;

  if (pipe(p) == -1 || pipe(keep) == -1) return -1;
  pid = fork();
  if (pid == 0) {
    dup2(keep[0], 0);
    dup2(p[1], 1);
    close(keep[1]);
    execlp("python3", "python3", "-B", "tests/tools/dnsd.py", file, (char *)0);
    _exit(127);
  }
  close(p[1]);
  close(keep[0]);
  n = read(p[0], address, sizeof address - 1);
  while (n > 0 && address[n - 1] == '\n') address[--n] = 0;
  CHECK(n > 0);
  setenv("DNSCACHEIP", address, 1);
  return pid;
}

static void write_zones(int fd) {
  char x[201], text[4096];

  memset(x, 'x', 200);
  x[200] = 0;
  snprintf(text, sizeof text, zones, x, x, x, x, x, x, x, x);
  CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void questions(struct dns *d) {
  struct dns_answer a = {0};
  struct strerr e;

  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    CHECK_CASE(dns_query(d, cases[i].type, cases[i].name, deadline_in(4), &a, &e) == cases[i].want, cases[i].name);
    CHECK_CASE(a.len == cases[i].records, cases[i].name);
    if (cases[i].want == DNS_FOUND) CHECK_CASE(a.authenticated == cases[i].ad, cases[i].name);
  }
  CHECK(dns_query(d, DNS_MX, "alias.example.com", deadline_in(4), &a, &e) == DNS_FOUND);
  CHECK(stralloc_equals(&a.record[0].data, "a.example.com") && stralloc_equals(&a.name, "example.com"));
  dns_answer_free(&a);
}

/* A server that says nothing costs no more than the deadline, give or take. */
static void silence(struct dns *d) {
  struct dns_answer a = {0};
  struct strerr e;
  deadline start = mono_now();

  CHECK(dns_query(d, DNS_A, "mute.example.com", deadline_in(1), &a, &e) == DNS_TEMPFAIL);
  CHECK(mono_now() - start < 3 * NS_PER_S);
  CHECK(dns_query(d, DNS_A, "example.com", mono_now(), &a, &e) == DNS_TEMPFAIL);
  dns_answer_free(&a);
}

static void reverse(struct dns *d) {
  struct dns_answer a = {0};
  struct strerr e;
  struct ip ip;

  CHECK(ip_scan("192.0.2.1", 9, &ip));
  CHECK(dns_reverse(d, &ip, deadline_in(4), &a, &e) == DNS_FOUND && stralloc_equals(&a.record[0].data, "host.example.com"));
  CHECK(ip_scan("2001:db8::9", 11, &ip));
  CHECK(dns_reverse(d, &ip, deadline_in(4), &a, &e) == DNS_NXDOMAIN);
  dns_answer_free(&a);
}

static void servers(void) {
  static const struct {
    const char *address;
    int want;
  } bad[] = {{"nonsense", -1}, {"127.0.0.1:", -1}, {"127.0.0.1:99999", -1}, {"[::1", -1}, {"[::1]x", -1},
             {"[::1]:53", 0},  {"::1", 0},         {"127.0.0.1", 0},        {"", 0}};
  struct strerr e;
  struct dns d;

  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    setenv("DNSCACHEIP", bad[i].address, 1);
    CHECK_CASE(dns_open(&d, &e) == bad[i].want, bad[i].address);
    dns_close(&d);
  }
}

static const struct {
  const char *text;
  size_t servers;
  const char *first; /* and last, where there are two or more */
  const char *last;
} confs[] = {
    {"", 1, "127.0.0.1", 0},
    {"# nameserver 192.0.2.1\nsearch x\noptions ndots:1", 1, "127.0.0.1", 0},
    {"nameserver 192.0.2.1", 1, "192.0.2.1", 0},
    {"nameserver\t 192.0.2.1 \r\nnameserver 2001:db8::1 # ours\n", 2, "192.0.2.1", "2001:db8::1"},
    {"nameserver no\nnameservers 192.0.2.9\nnameserver\nnameserver \nnameserver 192.0.2.2;x\n", 1, "192.0.2.2", 0},
    {"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n", 3, "192.0.2.1", "192.0.2.3"},
    {"nameserver fe80::1%lo\n", 1, "fe80::1", 0},
    {"nameserver fe80::1%an-interface-with-a-name-too-long\nnameserver 192.0.2.1%lo", 1, "127.0.0.1", 0},
};

static void same(const struct dns *d, size_t i, const char *want) {
  char text[IP_TEXT] = "";
  struct ip ip;
  uint16_t port = 0;

  CHECK_CASE(ip_from_sockaddr((const struct sockaddr *)&d->server[i], &ip, &port) && ip_fmt(text, &ip) && port == DNS_PORT, want);
  CHECK_CASE(!strcmp(text, want), want);
}

static void resolv_conf(void) {
  struct dns d;

  for (size_t i = 0; i < sizeof confs / sizeof *confs; ++i) {
    dns_servers_parse(&d, confs[i].text, strlen(confs[i].text));
    CHECK_CASE(d.servers == confs[i].servers, confs[i].text);
    same(&d, 0, confs[i].first);
    if (confs[i].last) same(&d, d.servers - 1, confs[i].last);
  }
}

static void names(void) {
  static const struct {
    const char *name;
    int n; /* of the name in the question; -1: that is none */
  } cases_of_names[] = {{"a", 3}, {"a.bc", 6}, {"a.bc.", 6}, {"", 1}, {".", 1}, {"..", -1}, {".a", -1}, {"a..b", -1}, {"a..", -1}};
  unsigned char q[DNS_QUESTION_MAX];
  char big[300];

  for (size_t i = 0; i < sizeof cases_of_names / sizeof *cases_of_names; ++i) {
    int want = cases_of_names[i].n;

    CHECK_CASE(dns_question(cases_of_names[i].name, DNS_A, q) == (want == -1 ? -1 : want + 12 + 4 + 11), cases_of_names[i].name);
  }
  memset(big, 'x', sizeof big);
  for (size_t i = 63; i < sizeof big; i += 64) big[i] = '.';
  big[253] = 0;
  CHECK(dns_question(big, DNS_A, q) == 255 + 12 + 4 + 11);
  big[253] = 'x';
  big[254] = 0;
  CHECK(dns_question(big, DNS_A, q) == -1);
  memset(big, 'x', 64);
  big[64] = 0;
  CHECK(dns_question(big, DNS_A, q) == -1);
}

/* Memory that runs out once costs one question; a process that stays asks the next as if nothing had been. */
static void recovery(void) {
  struct dns_answer a = {0};
  struct strerr e;
  struct dns d;
  int outcomes = 0;

  for (long n = 1; n < 12; ++n) {
    enum dns_outcome first = DNS_TEMPFAIL;

    check_nomem(n);
    if (dns_open(&d, &e) == 0) first = dns_query(&d, DNS_MX, "example.com", deadline_in(4), &a, &e);
    check_nomem(0);
    CHECK(first == DNS_FOUND || first == DNS_TEMPFAIL);
    outcomes |= first == DNS_TEMPFAIL ? 1 : 2;
    dns_answer_free(&a);
    CHECK(dns_open(&d, &e) == 0 && dns_query(&d, DNS_MX, "example.com", deadline_in(4), &a, &e) == DNS_FOUND);
    dns_answer_free(&a);
    dns_close(&d);
  }
  CHECK(outcomes == 3);
}

static void connections(void) {
  struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t n = sizeof sa;
  struct ip to, from, six;
  int l = socket(AF_INET, SOCK_STREAM, 0), c, s;

  CHECK(bind(l, (struct sockaddr *)&sa, n) == 0 && getsockname(l, (struct sockaddr *)&sa, &n) == 0);
  CHECK(ip_scan("127.0.0.1", 9, &to) && ip_scan("127.0.0.2", 9, &from) && ip_scan("::1", 3, &six));
  CHECK(connect_tcp(&to, ntohs(sa.sin_port), 0, deadline_in(5)) == -1 && errno == ECONNREFUSED);
  CHECK(listen(l, 1) == 0);
  c = connect_tcp(&to, ntohs(sa.sin_port), &from, deadline_in(5));
  CHECK(c != -1);
  s = accept(l, (struct sockaddr *)&sa, &n);
  CHECK(s != -1 && ntohl(sa.sin_addr.s_addr) == 0x7f000002);
  CHECK(connect_tcp(&to, 1, &six, deadline_in(5)) == -1 && errno == EAFNOSUPPORT);
  CHECK(connect_unix("/nonexistent/socket", SOCK_STREAM) == -1 && errno == ENOENT);
  close(c);
  close(s);
  close(l);
}

int main(void) {
  char file[] = "/tmp/test_dns_query.XXXXXX";
  int fd = mkstemp(file);
  struct dns d;
  struct strerr e;
  pid_t pid;

  write_zones(fd);
  close(fd);
  pid = serve(file);
  CHECK(pid > 0 && dns_open(&d, &e) == 0);
  questions(&d);
  reverse(&d);
  silence(&d);
  dns_close(&d);
  recovery();
  kill(pid, SIGTERM);
  waitpid(pid, 0, 0);
  unlink(file);
  servers();
  resolv_conf();
  names();
  connections();
  return check_done();
}
