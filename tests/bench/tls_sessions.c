/* tls_sessions: load of SMTP clients that connect, say EHLO, STARTTLS, make a whole TLS 1.3 handshake (none
 * is resumed), say EHLO and QUIT, so many at once.  tls_sessions PORT AT_ONCE TOTAL; prints sessions per
 * second. */
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE_MAX 200
#define PATIENCE 120 /* seconds */

static SSL_CTX *context;
static struct sockaddr_in to = {.sin_family = AF_INET};
static long left;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what) {
  fprintf(stderr, "tls_sessions: %s failed\n", what);
  exit(111);
}

/* Both sides of TLS read the same way: a whole reply, whose last line begins with "CODE ". */
static void expect(SSL *ssl, int fd, const char *code) {
  char buf[4096];
  size_t have = 0;

  for (;;) {
    ssize_t n = ssl ? SSL_read(ssl, buf + have, (int)(sizeof buf - 1 - have)) : read(fd, buf + have, sizeof buf - 1 - have);
    char *last;

    if (n <= 0) die(code);
    have += (size_t)n;
    buf[have] = 0;
    if (buf[have - 1] != '\n') continue;
    buf[have - 1] = 0;
    last = strrchr(buf, '\n');
    last = last ? last + 1 : buf;
    buf[have - 1] = '\n';
    if (strncmp(last, code, 3)) die(code);
    if (last[3] == ' ') return;
  }
}

static void say(SSL *ssl, int fd, const char *text) {
  ssize_t n = (ssize_t)strlen(text);

  if ((ssl ? SSL_write(ssl, text, (int)n) : write(fd, text, (size_t)n)) != n) die(text);
}

static void session(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SSL *ssl = SSL_new(context);

  if (fd == -1 || !ssl || connect(fd, (const struct sockaddr *)&to, sizeof to) == -1) die("connect");
  expect(0, fd, "220");
  say(0, fd, "EHLO bench.example\r\n");
  expect(0, fd, "250");
  say(0, fd, "STARTTLS\r\n");
  expect(0, fd, "220");
  if (!SSL_set_fd(ssl, fd) || SSL_connect(ssl) != 1 || SSL_version(ssl) != TLS1_3_VERSION) die("handshake");
  say(ssl, fd, "EHLO bench.example\r\n");
  expect(ssl, fd, "250");
  say(ssl, fd, "QUIT\r\n");
  expect(ssl, fd, "221");
  SSL_free(ssl);
  close(fd);
}

static void *client(void *unused) {
  for (;;) {
    long mine;

    pthread_mutex_lock(&lock);
    mine = left--;
    pthread_mutex_unlock(&lock);
    if (mine <= 0) return unused;
    session();
  }
}

int main(int argc, char **argv) {
  pthread_t thread[AT_ONCE_MAX];
  struct timespec t0, t1;
  long at_once, total;

  if (argc != 4) return 100;
  alarm(PATIENCE); /* a server that stops answering ends the measure */
  to.sin_port = htons((unsigned short)atoi(argv[1]));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at_once = atol(argv[2]);
  total = left = atol(argv[3]);
  if (at_once < 1 || at_once > AT_ONCE_MAX || total < at_once) return 100;
  context = SSL_CTX_new(TLS_client_method());
  if (!context) die("OpenSSL");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  clock_gettime(CLOCK_MONOTONIC, &t0);
  for (long i = 0; i < at_once; ++i)
    if (pthread_create(&thread[i], 0, client, 0)) die("thread");
  for (long i = 0; i < at_once; ++i) pthread_join(thread[i], 0);
  clock_gettime(CLOCK_MONOTONIC, &t1);
  printf("%.1f\n", (double)total / ((double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9));
  return 0;
}
