/*
 * TLS 1.3 through OpenSSL.
 *
 * Both sides show a certificate of one private authority; nothing older than
 * TLS 1.3 is spoken, and no session is resumed, so that every connection proves
 * its certificate anew and the deny list is looked at with a name that was just
 * proven. The library does its input and output through a BIO of our own,
 * which sends with MSG_NOSIGNAL: a peer that is gone is a status, not a signal
 * that ends the program.
 *
 * With TLS 1.3 a client may have finished its handshake when the server refuses
 * its certificate; it then learns so from its first read.
 */
#include "common/crypto/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Freed when neither its owner nor a connection has it any more: a context may
 * be exchanged while connections of the old one live. */
struct tls_context {
    atomic_uint users;
    SSL_CTX *ctx;
    BIO_METHOD *method;
    struct wall_time begins, expires;
};

struct tls {
    struct tls_context *context;
    SSL *ssl;
    bool is_broken;  /* after a failure nothing more is sent */
    bool is_drained; /* the last reading found no whole record */
    char error[256];
};

static const uint8_t alpn_yz1[] = {4, 'y', 'z', '/', '1'};

/* --- sockets without SIGPIPE --- */

static int socket_of(BIO *bio)
{
    return (int)(intptr_t)BIO_get_data(bio);
}

static bool is_again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static int socket_write(BIO *bio, const char *data, int length)
{
    BIO_clear_retry_flags(bio);
    ssize_t n = send(socket_of(bio), data, (size_t)length, MSG_NOSIGNAL);
    if (n < 0 && is_again())
        BIO_set_retry_write(bio);
    return (int)n;
}

static int socket_read(BIO *bio, char *data, int length)
{
    BIO_clear_retry_flags(bio);
    ssize_t n = recv(socket_of(bio), data, (size_t)length, 0);
    if (n < 0 && is_again())
        BIO_set_retry_read(bio);
    if (n == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return (int)n;
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    if (command == BIO_CTRL_EOF)
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *socket_method(void)
{
    /* Without a number of its own, of which a process has some hundred: nobody
     * looks for it by number. */
    BIO_METHOD *method =
        BIO_meth_new(BIO_TYPE_NONE | BIO_TYPE_SOURCE_SINK, "socket");
    if (method != NULL && (BIO_meth_set_write(method, socket_write) != 1 ||
                           BIO_meth_set_read(method, socket_read) != 1 ||
                           BIO_meth_set_ctrl(method, socket_control) != 1)) {
        BIO_meth_free(method);
        method = NULL;
    }
    return method;
}

/* --- certificates --- */

static bool wall_from_asn1(const ASN1_TIME *asn1, struct wall_time *time)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(asn1, &tm) != 1)
        return false;
    *time = wall_from_s(timegm(&tm));
    return true;
}

/* Two common names would let two readers see two peers. */
static bool common_name(const X509 *x509, char name[static TLS_NAME_LEN])
{
    name[0] = '\0';
    X509_NAME *subject = X509_get_subject_name(x509);
    int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0 ||
        X509_NAME_get_index_by_NID(subject, NID_commonName, index) >= 0)
        return false;
    uint8_t *text = NULL;
    int length = ASN1_STRING_to_UTF8(
        &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    bool good = length > 0 && length < TLS_NAME_LEN &&
                memchr(text, '\0', (size_t)length) == NULL;
    if (good) {
        memcpy(name, text, (size_t)length);
        name[length] = '\0';
    }
    OPENSSL_free(text);
    return good;
}

static bool check_dates(struct tls_context *context, const char *path,
                        struct wall_time now, struct error_text *error)
{
    char text[WALL_TEXT_LEN];
    X509 *x509 = SSL_CTX_get0_certificate(context->ctx);
    if (x509 == NULL ||
        !wall_from_asn1(X509_get0_notBefore(x509), &context->begins) ||
        !wall_from_asn1(X509_get0_notAfter(x509), &context->expires))
        return error_set(error, "%s: the certificate's dates are unreadable",
                         path);
    wall_to_text(context->expires, text);
    if (now.us >= context->expires.us)
        return error_set(error, "%s: the certificate expired on %s", path,
                         text);
    wall_to_text(context->begins, text);
    if (now.us < context->begins.us)
        return error_set(error, "%s: the certificate is not valid before %s",
                         path, text);
    return true;
}

/* Why the library failed, in its words; empties its list of errors. */
static const char *library_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    if (code != 0 && ERR_SYSTEM_ERROR(code))
        reason = strerror(ERR_GET_REASON(code));
    ERR_clear_error();
    return reason == NULL ? "unknown reason" : reason;
}

/* An unreadable file is said with errno's words, as the library hides them
 * behind its own. */
static bool file_error(const char *path, const char *what,
                       struct error_text *error)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return error_set(error, "%s: %s", path, strerror(errno));
    fclose(f);
    return error_set(error, "%s: %s (%s)", path, what, library_reason());
}

static int no_passphrase(char *text, int size, int is_writing, void *user)
{
    (void)text;
    (void)size;
    (void)is_writing;
    (void)user;
    return -1;
}

/* The private key from its file, or the one that `before` has. */
static bool use_key(SSL_CTX *ctx, const char *key,
                    const struct tls_context *before)
{
    if (before == NULL)
        return SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1;
    return SSL_CTX_use_PrivateKey(ctx, SSL_CTX_get0_privatekey(before->ctx)) ==
           1;
}

static bool load_files(struct tls_context *context, const char *ca,
                       const char *certificate, const char *key,
                       const struct tls_context *before,
                       struct error_text *error)
{
    SSL_CTX *ctx = context->ctx;
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    if (SSL_CTX_load_verify_file(ctx, ca) != 1)
        return file_error(ca, "no certificate authority in PEM form", error);
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        return file_error(certificate, "no certificate in PEM form", error);
    if (use_key(ctx, key, before))
        return true;
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
        ERR_clear_error();
        return error_set(error, "%s: not the key of the certificate in %s", key,
                         certificate);
    }
    return file_error(key, "no private key in PEM form", error);
}

/* --- contexts --- */

static void set_rules(SSL_CTX *ctx)
{
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
    SSL_CTX_set_verify_depth(ctx, 4);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* A read that met only a KeyUpdate comes back to the caller: a peer that
     * sends nothing else takes its turn like everybody. */
    SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
}

/* yz/1 when it is offered; a peer that offers others is a plain exporter. */
static int choose_alpn(SSL *ssl, const unsigned char **out,
                       unsigned char *out_length, const unsigned char *in,
                       unsigned in_length, void *user)
{
    unsigned char *chosen = NULL;
    (void)ssl;
    (void)user;
    if (SSL_select_next_proto(&chosen, out_length, alpn_yz1, sizeof(alpn_yz1),
                              in, in_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static struct tls_context *context_new(const SSL_METHOD *method, const char *ca,
                                       const char *certificate, const char *key,
                                       const struct tls_context *before,
                                       struct wall_time now,
                                       struct error_text *error)
{
    struct tls_context *context = calloc(1, sizeof(*context));
    if (context == NULL)
        goto no_memory;
    atomic_init(&context->users, 1);
    context->ctx = SSL_CTX_new(method);
    context->method = socket_method();
    if (context->ctx == NULL || context->method == NULL)
        goto no_memory;
    set_rules(context->ctx);
    if (load_files(context, ca, certificate, key, before, error) &&
        check_dates(context, certificate, now, error))
        return context;
    tls_context_free(context);
    return NULL;
no_memory:
    error_set(error, "TLS cannot be set up: %s", library_reason());
    tls_context_free(context);
    return NULL;
}

struct tls_context *tls_context_server(const char *ca, const char *certificate,
                                       const char *key, struct wall_time now,
                                       struct error_text *error)
{
    struct tls_context *context = context_new(
        TLS_server_method(), ca, certificate, key, NULL, now, error);
    if (context != NULL)
        SSL_CTX_set_alpn_select_cb(context->ctx, choose_alpn, NULL);
    return context;
}

static struct tls_context *client_new(const char *ca, const char *certificate,
                                      const char *key,
                                      const struct tls_context *before,
                                      struct wall_time now,
                                      struct error_text *error)
{
    struct tls_context *context = context_new(
        TLS_client_method(), ca, certificate, key, before, now, error);
    /* This one function gives 0 for success. */
    if (context != NULL && SSL_CTX_set_alpn_protos(context->ctx, alpn_yz1,
                                                   sizeof(alpn_yz1)) != 0) {
        error_set(error, "TLS cannot be set up: %s", library_reason());
        tls_context_free(context);
        return NULL;
    }
    return context;
}

struct tls_context *tls_context_client(const char *ca, const char *certificate,
                                       const char *key, struct wall_time now,
                                       struct error_text *error)
{
    return client_new(ca, certificate, key, NULL, now, error);
}

struct tls_context *tls_context_client_again(const struct tls_context *before,
                                             const char *ca,
                                             const char *certificate,
                                             struct wall_time now,
                                             struct error_text *error)
{
    return client_new(ca, certificate, "the key in use", before, now, error);
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL || atomic_fetch_sub(&context->users, 1) > 1)
        return;
    SSL_CTX_free(context->ctx);
    BIO_meth_free(context->method);
    free(context);
}

struct wall_time tls_context_begins(const struct tls_context *context)
{
    return context->begins;
}

struct wall_time tls_context_expires(const struct tls_context *context)
{
    return context->expires;
}

bool tls_context_name(const struct tls_context *context,
                      char name[static TLS_NAME_LEN])
{
    return common_name(SSL_CTX_get0_certificate(context->ctx), name);
}

bool tls_context_is_issued(const struct tls_context *context,
                           struct error_text *error)
{
    STACK_OF(X509) *chain = NULL;
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    SSL_CTX_get0_chain_certs(context->ctx, &chain);
    /* As the collector will judge it: also fit for a client. */
    bool good = check != NULL &&
                X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(context->ctx),
                                    SSL_CTX_get0_certificate(context->ctx),
                                    chain) == 1 &&
                X509_STORE_CTX_set_default(check, "ssl_client") == 1 &&
                X509_verify_cert(check) == 1;
    if (!good)
        error_set(error, "%s",
                  check == NULL ? "no memory"
                                : X509_verify_cert_error_string(
                                      X509_STORE_CTX_get_error(check)));
    X509_STORE_CTX_free(check);
    ERR_clear_error();
    return good;
}

/* --- connections --- */

static struct tls *tls_new(struct tls_context *context, int fd)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    SSL *ssl = tls == NULL ? NULL : SSL_new(context->ctx);
    BIO *bio = ssl == NULL ? NULL : BIO_new(context->method);
    if (bio == NULL) {
        SSL_free(ssl);
        free(tls);
        ERR_clear_error();
        return NULL;
    }
    BIO_set_data(bio, (void *)(intptr_t)fd);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    tls->ssl = ssl;
    tls->context = context;
    atomic_fetch_add(&context->users, 1);
    return tls;
}

struct tls *tls_accept(struct tls_context *context, int fd)
{
    struct tls *tls = tls_new(context, fd);
    if (tls != NULL)
        SSL_set_accept_state(tls->ssl);
    return tls;
}

/* Addresses are compared with the certificate's addresses, names with its
 * names; only a name may be sent as server name (RFC 6066). */
static bool expect_host(SSL *ssl, const char *host)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, host, bytes) == 1 ||
        inet_pton(AF_INET6, host, bytes) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 &&
           SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct tls *tls_connect(struct tls_context *context, int fd, const char *host)
{
    struct tls *tls = tls_new(context, fd);
    if (tls == NULL)
        return NULL;
    SSL_set_connect_state(tls->ssl);
    if (host[0] == '\0' || !expect_host(tls->ssl, host)) {
        tls_free(tls);
        ERR_clear_error();
        return NULL;
    }
    return tls;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    if (!tls->is_broken && SSL_is_init_finished(tls->ssl))
        SSL_shutdown(tls->ssl); /* our half; the answer is not waited for */
    ERR_clear_error();
    SSL_free(tls->ssl);
    tls_context_free(tls->context);
    free(tls);
}

static enum tls_status fail(struct tls *tls, int system_error)
{
    long verdict = SSL_get_verify_result(tls->ssl);
    const char *reason;
    tls->is_broken = true;
    if (verdict != X509_V_OK)
        reason = X509_verify_cert_error_string(verdict);
    else if (ERR_peek_last_error() == 0 && system_error != 0)
        reason = strerror(system_error);
    else
        reason = library_reason();
    snprintf(tls->error, sizeof(tls->error), "%s%s",
             verdict != X509_V_OK ? "the peer's certificate: " : "", reason);
    ERR_clear_error();
    return TLS_FAILED;
}

/* What the library's return value means; called at once, errno still its. */
static enum tls_status status_of(struct tls *tls, int result)
{
    int system_error = errno;
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_NONE:
        return TLS_OK;
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        snprintf(tls->error, sizeof(tls->error), "the peer closed");
        return TLS_CLOSED;
    default:
        return fail(tls, system_error);
    }
}

enum tls_status tls_handshake(struct tls *tls)
{
    ERR_clear_error();
    errno = 0;
    return status_of(tls, SSL_do_handshake(tls->ssl));
}

enum tls_status tls_read(struct tls *tls, void *data, size_t length,
                         size_t *done)
{
    *done = 0;
    ERR_clear_error();
    errno = 0;
    enum tls_status status =
        status_of(tls, SSL_read_ex(tls->ssl, data, length, done));
    tls->is_drained = status != TLS_OK;
    return status;
}

enum tls_status tls_write(struct tls *tls, const void *data, size_t length,
                          size_t *done)
{
    *done = 0;
    ERR_clear_error();
    errno = 0;
    return status_of(tls, SSL_write_ex(tls->ssl, data, length, done));
}

/* The library counts the bytes of an unfinished record, too: who went by that
 * alone would ask again and again until its peer sends the rest. */
bool tls_has_pending(const struct tls *tls)
{
    return !tls->is_drained && SSL_has_pending(tls->ssl) == 1;
}

bool tls_peer_name(const struct tls *tls, char name[static TLS_NAME_LEN])
{
    X509 *x509 = SSL_get0_peer_certificate(tls->ssl);
    name[0] = '\0';
    if (x509 == NULL || SSL_get_verify_result(tls->ssl) != X509_V_OK)
        return false;
    return common_name(x509, name);
}

bool tls_peer_wants_yz1(const struct tls *tls)
{
    const unsigned char *chosen = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(tls->ssl, &chosen, &length);
    return length == sizeof(alpn_yz1) - 1 &&
           memcmp(chosen, alpn_yz1 + 1, length) == 0;
}

const char *tls_error(const struct tls *tls)
{
    return tls->error[0] != '\0' ? tls->error : "no error";
}
