/* tls_engine: see tls_engine.h. */
#include "net/tls_engine.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fd.h"
#include "net/ip.h"

#define PEM_MAX (1u << 20)
#define NAME_TEXT_MAX 512

/* Forward secrecy always; authenticated ciphers first, CBC for old peers last. */
#define OUR_CIPHERS                                                                      \
  "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES256:ECDHE+AES128:DHE+AES256:" \
  "DHE+AES128:!aNULL:!eNULL:!PSK:!SRP:!DSS:!MD5:!3DES"

static const struct {
  const char *name;
  int version;
} versions[] = {{"TLSv1_2", TLS1_2_VERSION}, {"TLSv1_3", TLS1_3_VERSION}};

static int version_of(const char *s, size_t n) {
  for (size_t i = 0; i < sizeof versions / sizeof *versions; ++i)
    if (bytes_equal(s, n, versions[i].name, strlen(versions[i].name))) return versions[i].version;
  return 0;
}

static int set_method(struct tls_engine *t, const char *method, struct strerr *e) {
  size_t n = strlen(method), low = bytes_chr(method, n, ':');

  t->lowest = version_of(method, low);
  t->highest = low < n ? version_of(method + low + 1, n - low - 1) : 0;
  if (t->lowest && (low == n || t->highest >= t->lowest)) return 0;
  strerr_set(e, "not a TLS method (TLSv1_2, TLSv1_3 or lowest:highest): ", method, (char *)0);
  e->permanent = 1;
  return -1;
}

static int library_error(struct strerr *e, const char *what) {
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());

  strerr_set(e, what, ": ", reason ? reason : "unknown error", (char *)0);
  ERR_clear_error();
  return -1;
}

void tls_engine_reason(struct ssl_st *ssl, struct strerr *e) {
  const char *reason = ERR_reason_error_string(ERR_peek_error());
  long verdict = SSL_get_verify_result(ssl);

  if (verdict != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE)
    reason = X509_verify_cert_error_string(verdict);
  strerr_set(e, reason ? reason : "connection lost", (char *)0);
  ERR_clear_error();
}

/* A context with what both roles share. */
static SSL_CTX *new_context(const struct tls_engine *t, const SSL_METHOD *method, struct strerr *e) {
  SSL_CTX *ctx = SSL_CTX_new(method);

  if (!ctx) {
    library_error(e, "unable to start OpenSSL");
    return 0;
  }
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  /* Idle connections keep no record buffers. */
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_set_min_proto_version(ctx, t->lowest) && SSL_CTX_set_max_proto_version(ctx, t->highest) &&
      SSL_CTX_set_cipher_list(ctx, t->ciphers.len ? t->ciphers.s : OUR_CIPHERS))
    return ctx;
  library_error(e, "bad TLS ciphers");
  e->permanent = 1;
  SSL_CTX_free(ctx);
  return 0;
}

int tls_engine_open(struct tls_engine *t, const char *method, const char *ciphers, struct strerr *e) {
  memset(t, 0, sizeof *t);
  if (set_method(t, method, e) == -1) return -1;
  if (!stralloc_copys(&t->ciphers, ciphers)) return strerr_set(e, "out of memory", (char *)0);
  t->any = new_context(t, TLS_client_method(), e);
  if (!t->any) return -1;
  SSL_CTX_set_verify(t->any, SSL_VERIFY_NONE, 0);
  return 0;
}

/* The server's certificate, then those between it and the root. */
static int use_chain(SSL_CTX *ctx, BIO *pem) {
  X509 *x = PEM_read_bio_X509_AUX(pem, 0, 0, 0);
  int ok = x && SSL_CTX_use_certificate(ctx, x) == 1;

  X509_free(x);
  while (ok && (x = PEM_read_bio_X509(pem, 0, 0, 0))) {
    ok = SSL_CTX_add1_chain_cert(ctx, x) == 1;
    X509_free(x);
  }
  if (ok && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) ERR_clear_error();
  return ok;
}

/* A key with a passphrase is an error, not a question on a terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *ctx) {
  return -1;
}

static int use_key(SSL_CTX *ctx, BIO *pem) {
  EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, 0, no_passphrase, 0);
  int ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;

  EVP_PKEY_free(key);
  return ok;
}

/* Certificate and key may stand in either order: the file is read twice. */
static int use_pem(SSL_CTX *ctx, const stralloc *text) {
  BIO *first = BIO_new_mem_buf(text->s, (int)text->len);
  BIO *second = BIO_new_mem_buf(text->s, (int)text->len);
  int ok = first && second && use_chain(ctx, first) && use_key(ctx, second);

  BIO_free(first);
  BIO_free(second);
  return ok;
}

SSL_CTX *tls_engine_context(struct tls_engine *t, int fd, const char *name, struct strerr *e) {
  static const unsigned char session_id[] = "indimail";
  stralloc text = STRALLOC_INIT;
  SSL_CTX *ctx;
  int ok;

  if (fd_slurp(fd, &text, PEM_MAX) == -1) {
    strerr_sys(e, "unable to read ", name, (char *)0);
    stralloc_wipe(&text);
    stralloc_free(&text);
    return 0;
  }
  ERR_clear_error();
  ctx = new_context(t, TLS_server_method(), e);
  ok = ctx && text.len && use_pem(ctx, &text);
  stralloc_wipe(&text);
  stralloc_free(&text);
  if (!ctx) return 0;
  if (!ok) {
    SSL_CTX_free(ctx);
    library_error(e, name);
    e->permanent = 1;
    return 0;
  }
  SSL_CTX_set_dh_auto(ctx, 1);
  /* Resumption by tickets alone: the client keeps the state. */
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(ctx, session_id, sizeof session_id - 1);
  return ctx;
}

void tls_engine_context_free(SSL_CTX *ctx) {
  SSL_CTX_free(ctx);
}

/* A name that has no certificate of its own gets the server's: clients judge it. */
static int on_name(SSL *ssl, int *alert, void *arg) {
  const struct tls_engine *t = arg;
  const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  SSL_CTX *ctx = name && t->by_name ? t->by_name(t->by_name_ctx, name) : 0;

  (void)alert;
  if (ctx) SSL_set_SSL_CTX(ssl, ctx);
  return ctx ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

int tls_engine_load(struct tls_engine *t, int fd, const char *name, struct strerr *e) {
  SSL_CTX *ctx = tls_engine_context(t, fd, name, e);

  if (!ctx) return -1;
  SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
  SSL_CTX_set_tlsext_servername_arg(ctx, t);
  SSL_CTX_free(t->server);
  t->server = ctx;
  return 0;
}

static SSL_CTX *verifying(struct tls_engine *t, struct strerr *e) {
  if (t->verified) return t->verified;
  t->verified = new_context(t, TLS_client_method(), e);
  if (!t->verified) return 0;
  SSL_CTX_set_verify(t->verified, SSL_VERIFY_PEER, 0);
  if (SSL_CTX_set_default_verify_paths(t->verified) == 1) return t->verified;
  library_error(e, "unable to load the system's certificates");
  SSL_CTX_free(t->verified);
  t->verified = 0;
  return 0;
}

static int set_names(SSL *ssl, const struct tls_wire *w) {
  struct ip ip;
  int literal = ip_scan(w->name, strlen(w->name), &ip);

  if (!*w->name) return 1;
  if (!literal && SSL_set_tlsext_host_name(ssl, w->name) != 1) return 0;
  if (!w->verify) return 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return literal ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), w->name) == 1 : SSL_set1_host(ssl, w->name) == 1;
}

struct ssl_st *tls_engine_new(struct tls_engine *t, const struct tls_wire *w, int netfd, struct strerr *e) {
  SSL_CTX *ctx = w->role == TLS_SERVER ? t->server : w->verify ? verifying(t, e) : t->any;
  SSL *ssl;

  if (!ctx) {
    if (w->role == TLS_SERVER) strerr_set(e, "no certificate", (char *)0);
    return 0;
  }
  /* A record waits for no other: the last ones of a handshake would wait for the peer to acknowledge the
   * first, which it does after 40 ms. */
  (void)!setsockopt(netfd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  ssl = SSL_new(ctx);
  if (ssl && SSL_set_fd(ssl, netfd) == 1 && (w->role == TLS_SERVER || set_names(ssl, w))) {
    if (w->role == TLS_SERVER) SSL_set_accept_state(ssl);
    else SSL_set_connect_state(ssl);
    return ssl;
  }
  SSL_free(ssl);
  library_error(e, "unable to start TLS");
  return 0;
}

/* Below TLS 1.3 it is only as good as the extended master secret, and implementations differ
 * in what they export: none is given. */
static size_t exporter(SSL *ssl, char out[TLS_EXPORTER]) {
  static const char label[] = "EXPORTER-Channel-Binding";

  if (SSL_version(ssl) != TLS1_3_VERSION) return 0;
  return SSL_export_keying_material(ssl, (unsigned char *)out, TLS_EXPORTER, label, sizeof label - 1, 0, 0, 1) == 1
             ? TLS_EXPORTER : 0;
}

/* The digest of the server's certificate by the digest of its signature, SHA-256 for those
 * that are too weak; a signature without one (Ed25519) has no such binding. */
static size_t endpoint(SSL *ssl, X509 *peer, char out[TLS_ENDPOINT_MAX]) {
  X509 *own = SSL_is_server(ssl) ? SSL_get_certificate(ssl) : peer;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  int nid = NID_undef;

  if (!own || !X509_get_signature_info(own, &nid, 0, 0, 0) || nid == NID_undef) return 0;
  if (nid == NID_md5 || nid == NID_sha1) nid = NID_sha256;
  if (X509_digest(own, EVP_get_digestbynid(nid), digest, &n) != 1 || n > TLS_ENDPOINT_MAX) return 0;
  memcpy(out, digest, n);
  return n;
}

static int describe_bindings(SSL *ssl, X509 *peer, struct tls_info *info) {
  char first[TLS_EXPORTER], second[TLS_ENDPOINT_MAX];
  size_t first_n = exporter(ssl, first), second_n = endpoint(ssl, peer, second);

  ERR_clear_error();
  return tls_bindings_set(info, first, first_n, second, second_n);
}

int tls_engine_describe(struct ssl_st *ssl, struct tls_info *info) {
  X509 *peer = SSL_get0_peer_certificate(ssl);
  const char *sni = SSL_is_server(ssl) ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) : 0;
  char subject[NAME_TEXT_MAX] = "";

  if (peer) X509_NAME_oneline(X509_get_subject_name(peer), subject, sizeof subject);
  info->verified = peer && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl) == X509_V_OK;
  return stralloc_copys(&info->version, SSL_get_version(ssl)) && stralloc_copys(&info->cipher, SSL_get_cipher_name(ssl)) &&
         stralloc_copys(&info->name, sni ? sni : "") && stralloc_copys(&info->peer, subject) &&
         describe_bindings(ssl, peer, info);
}

void tls_engine_close(struct tls_engine *t) {
  SSL_CTX_free(t->server);
  SSL_CTX_free(t->any);
  SSL_CTX_free(t->verified);
  stralloc_free(&t->ciphers);
  memset(t, 0, sizeof *t);
}
