/*
 * Real TLS between two ends of a socket pair, with certificates made here: one
 * authority, a server and a probe under it, and everything that must be turned
 * away (another authority, expired, none at all, the wrong host, TLS 1.2).
 */
#include "common/crypto/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/test.h"

static char folder[FOLDER_LEN];
enum { DAY_S = 86400 };

static const char *in_folder(const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* --- certificates --- */

struct authority {
    X509 *x509;
    EVP_PKEY *key;
};

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    X509_add_ext(x509, e, -1);
    X509_EXTENSION_free(e);
}

static X509 *make_certificate(const char *name, EVP_PKEY *key,
                              const struct authority *issuer, const char *san,
                              long begins_s, long ends_s)
{
    static long serial = 1;
    X509 *x509 = X509_new();
    X509_NAME *subject = X509_get_subject_name(x509);
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x509), begins_s);
    X509_gmtime_adj(X509_getm_notAfter(x509), ends_s);
    if (name[0] != '\0')
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x509, issuer ? X509_get_subject_name(issuer->x509)
                                      : subject);
    X509_set_pubkey(x509, key);
    X509 *signer = issuer ? issuer->x509 : x509;
    add_extension(x509, signer, NID_basic_constraints,
                  issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (san != NULL)
        add_extension(x509, signer, NID_subject_alt_name, san);
    X509_sign(x509, issuer ? issuer->key : key, NULL);
    return x509;
}

static void save(const char *name, X509 *x509, EVP_PKEY *key)
{
    char file[64];
    snprintf(file, sizeof(file), "%s.crt", name);
    FILE *f = fopen(in_folder(file), "wb");
    PEM_write_X509(f, x509);
    fclose(f);
    snprintf(file, sizeof(file), "%s.key", name);
    f = fopen(in_folder(file), "wb");
    PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
}

static struct authority make_authority(const char *name)
{
    struct authority a = {.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    a.x509 = make_certificate(name, a.key, NULL, NULL, -DAY_S, 100 * DAY_S);
    save(name, a.x509, a.key);
    return a;
}

static void make_leaf(const char *file, const char *name,
                      const struct authority *issuer, const char *san,
                      long begins_s, long ends_s)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    X509 *x509 = make_certificate(name, key, issuer, san, begins_s, ends_s);
    save(file, x509, key);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void make_certificates(void)
{
    struct authority ca = make_authority("ca");
    struct authority other = make_authority("other");
    make_leaf("server", "collector", &ca, "DNS:collector.example,IP:127.0.0.1",
              -DAY_S, 30 * DAY_S);
    make_leaf("probe", "probe-0001", &ca, NULL, -DAY_S, 30 * DAY_S);
    make_leaf("stranger", "probe-0001", &other, NULL, -DAY_S, 30 * DAY_S);
    make_leaf("expired", "probe-0002", &ca, NULL, -9 * DAY_S, -2 * DAY_S);
    make_leaf("nameless", "", &ca, NULL, -DAY_S, 30 * DAY_S);
    X509_free(ca.x509);
    EVP_PKEY_free(ca.key);
    X509_free(other.x509);
    EVP_PKEY_free(other.key);
}

/* --- two ends --- */

struct pair {
    struct tls_context *server_context, *client_context;
    struct tls *server, *client;
    int fds[2];
    struct error_text error;
};

/* `then` is the clock of the client's own check: an expired certificate gets
 * as far as the server when the client's clock is behind. */
static bool pair_open(struct pair *p, const char *client_ca,
                      const char *client_name, const char *host,
                      struct wall_time then)
{
    char certificate[64], key[64];
    *p = (struct pair){.fds = {-1, -1}};
    snprintf(certificate, sizeof(certificate), "%s.crt", client_name);
    snprintf(key, sizeof(key), "%s.key", client_name);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p->fds) != 0)
        return false;
    p->server_context =
        tls_context_server(in_folder("ca.crt"), in_folder("server.crt"),
                           in_folder("server.key"), wall_now(), &p->error);
    p->client_context =
        tls_context_client(in_folder(client_ca), in_folder(certificate),
                           in_folder(key), then, &p->error);
    if (p->server_context == NULL || p->client_context == NULL)
        return false;
    p->server = tls_accept(p->server_context, p->fds[0]);
    p->client = tls_connect(p->client_context, p->fds[1], host);
    return p->server != NULL && p->client != NULL;
}

static void pair_close(struct pair *p)
{
    tls_free(p->client);
    tls_free(p->server);
    tls_context_free(p->client_context);
    tls_context_free(p->server_context);
    for (int i = 0; i < 2; i++) {
        if (p->fds[i] >= 0)
            close(p->fds[i]);
    }
}

static bool is_waiting(enum tls_status status)
{
    return status == TLS_WANT_READ || status == TLS_WANT_WRITE;
}

/* Both handshakes by turns; *server and *client are how they ended. */
static void shake(struct pair *p, enum tls_status *server,
                  enum tls_status *client)
{
    *server = *client = TLS_WANT_READ;
    for (int i = 0; i < 50 && (is_waiting(*server) || is_waiting(*client));
         i++) {
        if (is_waiting(*client))
            *client = tls_handshake(p->client);
        if (is_waiting(*server))
            *server = tls_handshake(p->server);
        if (*server == TLS_FAILED || *client == TLS_FAILED)
            break;
    }
}

/* The server turns the client away; the client learns it from a read. */
static void check_turned_away(struct pair *p, const char *reason)
{
    enum tls_status server, client;
    char byte;
    size_t done;
    shake(p, &server, &client);
    CHECK_I64(server, TLS_FAILED);
    if (!CHECK(strstr(tls_error(p->server), reason) != NULL))
        printf("# it says: %s\n", tls_error(p->server));
    if (client == TLS_OK)
        client = tls_read(p->client, &byte, 1, &done);
    CHECK(client == TLS_FAILED || client == TLS_CLOSED);
    CHECK(!tls_peer_wants_yz1(p->client) || client != TLS_OK);
}

static void test_good(void)
{
    test_case("both certificates good: names, ALPN, data both ways, closing");
    struct pair p;
    enum tls_status server, client;
    char name[TLS_NAME_LEN], data[100];
    size_t done;
    if (!CHECK(
            pair_open(&p, "ca.crt", "probe", "collector.example", wall_now())))
        printf("# %s\n", p.error.text);
    shake(&p, &server, &client);
    CHECK_I64(server, TLS_OK);
    CHECK_I64(client, TLS_OK);
    CHECK(tls_peer_name(p.server, name));
    CHECK_TEXT(name, "probe-0001");
    CHECK(tls_peer_name(p.client, name));
    CHECK_TEXT(name, "collector");
    CHECK(tls_peer_wants_yz1(p.server));
    CHECK(tls_peer_wants_yz1(p.client));
    CHECK_I64(tls_read(p.server, data, sizeof(data), &done), TLS_WANT_READ);
    CHECK_I64(done, 0);
    CHECK_I64(tls_write(p.client, "batch", 5, &done), TLS_OK);
    CHECK_I64(done, 5);
    CHECK_I64(tls_read(p.server, data, 2, &done), TLS_OK);
    CHECK(tls_has_pending(p.server));
    CHECK_I64(tls_read(p.server, data + 2, sizeof(data) - 2, &done), TLS_OK);
    CHECK(memcmp(data, "batch", 5) == 0);
    CHECK(!tls_has_pending(p.server));
    CHECK_I64(tls_write(p.server, "receipt", 7, &done), TLS_OK);
    CHECK_I64(tls_read(p.client, data, sizeof(data), &done), TLS_OK);
    CHECK_I64(done, 7);
    tls_free(p.client);
    p.client = NULL;
    CHECK_I64(tls_read(p.server, data, sizeof(data), &done), TLS_CLOSED);
    pair_close(&p);
}

static void test_full_socket(void)
{
    test_case("a full socket says TLS_WANT_WRITE and loses nothing");
    struct pair p;
    enum tls_status server, client, status;
    static uint8_t sent[4 << 20], got[sizeof(sent)];
    size_t out = 0, in = 0, done, waits = 0;
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)(i * 7 + i / 1000);
    CHECK(pair_open(&p, "ca.crt", "probe", "127.0.0.1", wall_now()));
    shake(&p, &server, &client);
    CHECK_I64(client, TLS_OK);
    for (int turn = 0; in < sizeof(got) && turn < 100000; turn++) {
        status = TLS_OK;
        while (out < sizeof(sent) && status == TLS_OK) {
            status = tls_write(p.client, sent + out, sizeof(sent) - out, &done);
            out += done;
        }
        waits += status == TLS_WANT_WRITE;
        CHECK(status == TLS_OK || status == TLS_WANT_WRITE);
        do {
            status = tls_read(p.server, got + in, sizeof(got) - in, &done);
            in += done;
        } while (status == TLS_OK && in < sizeof(got));
    }
    CHECK(waits > 0);
    CHECK_I64(in, sizeof(got));
    CHECK(memcmp(sent, got, sizeof(got)) == 0);
    pair_close(&p);
}

static void test_part_of_a_record(void)
{
    test_case("a part of a record is nothing that can be read without waiting");
    struct pair p;
    enum tls_status server, client;
    uint8_t part[200] = {23, 3, 3, 4, 0}; /* of 1,024 bytes */
    char data[10];
    size_t done;
    CHECK(pair_open(&p, "ca.crt", "probe", "collector.example", wall_now()));
    shake(&p, &server, &client);
    CHECK(send(p.fds[1], part, sizeof(part), 0) == sizeof(part));
    CHECK_I64(tls_read(p.server, data, sizeof(data), &done), TLS_WANT_READ);
    CHECK(!tls_has_pending(p.server));
    pair_close(&p);
}

static void test_gone_peer(void)
{
    test_case("a peer that is gone is a status, not a signal");
    struct pair p;
    enum tls_status server, client;
    char data[10];
    size_t done;
    CHECK(pair_open(&p, "ca.crt", "probe", "collector.example", wall_now()));
    shake(&p, &server, &client);
    close(p.fds[1]);
    p.fds[1] = -1;
    CHECK_I64(tls_write(p.server, "x", 1, &done), TLS_FAILED);
    CHECK(strlen(tls_error(p.server)) > 0);
    CHECK(tls_read(p.server, data, 1, &done) != TLS_OK);
    tls_free(p.client); /* writes to a closed descriptor; must not end us */
    p.client = NULL;
    pair_close(&p);

    test_case("a connection cut without a goodbye reads as closed");
    CHECK(pair_open(&p, "ca.crt", "probe", "collector.example", wall_now()));
    shake(&p, &server, &client);
    shutdown(p.fds[1], SHUT_RDWR);
    CHECK_I64(tls_read(p.server, data, 1, &done), TLS_CLOSED);
    pair_close(&p);
}

static void test_refused_clients(void)
{
    struct pair p;
    struct wall_time past = {wall_now().us - 5ll * DAY_S * 1000000};

    test_case("a certificate of another authority is refused");
    CHECK(pair_open(&p, "ca.crt", "stranger", "collector.example", wall_now()));
    check_turned_away(&p, "certificate");
    pair_close(&p);

    test_case("an expired client certificate is refused by the server");
    CHECK(pair_open(&p, "ca.crt", "expired", "collector.example", past));
    check_turned_away(&p, "expired");
    pair_close(&p);

    test_case("a certificate without a common name has no peer name");
    enum tls_status server, client;
    char name[TLS_NAME_LEN];
    CHECK(pair_open(&p, "ca.crt", "nameless", "collector.example", wall_now()));
    shake(&p, &server, &client);
    CHECK_I64(server, TLS_OK);
    CHECK(!tls_peer_name(p.server, name));
    CHECK_TEXT(name, "");
    pair_close(&p);
}

static void test_refused_servers(void)
{
    struct pair p;
    enum tls_status server, client;

    test_case("a server of another authority is refused by the client");
    CHECK(pair_open(&p, "other.crt", "probe", "collector.example", wall_now()));
    shake(&p, &server, &client);
    CHECK_I64(client, TLS_FAILED);
    CHECK(strstr(tls_error(p.client), "certificate") != NULL);
    pair_close(&p);

    test_case("a server that does not have the expected name is refused");
    CHECK(pair_open(&p, "ca.crt", "probe", "elsewhere.example", wall_now()));
    shake(&p, &server, &client);
    CHECK_I64(client, TLS_FAILED);
    CHECK(strstr(tls_error(p.client), "ostname mismatch") != NULL);
    pair_close(&p);

    test_case("an address is compared with the certificate's addresses");
    CHECK(pair_open(&p, "ca.crt", "probe", "127.0.0.2", wall_now()));
    shake(&p, &server, &client);
    CHECK_I64(client, TLS_FAILED);
    pair_close(&p);
}

/* A client made with the library alone, to leave things out. */
struct bare {
    SSL_CTX *ctx;
    SSL *ssl;
};

static void bare_client(struct pair *p, struct bare *bare, bool has_certificate,
                        int version, const char *alpn, size_t alpn_length)
{
    CHECK(pair_open(p, "ca.crt", "probe", "collector.example", wall_now()));
    bare->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(bare->ctx, version);
    if (has_certificate) {
        SSL_CTX_use_certificate_file(bare->ctx, in_folder("probe.crt"),
                                     SSL_FILETYPE_PEM);
        SSL_CTX_use_PrivateKey_file(bare->ctx, in_folder("probe.key"),
                                    SSL_FILETYPE_PEM);
    }
    bare->ssl = SSL_new(bare->ctx);
    if (alpn != NULL)
        SSL_set_alpn_protos(bare->ssl, (const unsigned char *)alpn,
                            (unsigned)alpn_length);
    SSL_set_fd(bare->ssl, p->fds[1]);
    SSL_set_connect_state(bare->ssl);
}

static enum tls_status bare_shake(struct pair *p, struct bare *bare)
{
    enum tls_status server = TLS_WANT_READ;
    for (int i = 0; i < 50 && is_waiting(server); i++) {
        SSL_do_handshake(bare->ssl);
        server = tls_handshake(p->server);
    }
    ERR_clear_error();
    return server;
}

static void bare_close(struct pair *p, struct bare *bare)
{
    SSL_free(bare->ssl);
    SSL_CTX_free(bare->ctx);
    pair_close(p);
}

static void test_bare_clients(void)
{
    struct pair p;
    struct bare bare;

    test_case("a client without a certificate is refused");
    bare_client(&p, &bare, false, 0, NULL, 0);
    CHECK_I64(bare_shake(&p, &bare), TLS_FAILED);
    CHECK(strstr(tls_error(p.server), "did not return a certificate") != NULL);
    bare_close(&p, &bare);

    test_case("TLS 1.2 is refused");
    bare_client(&p, &bare, true, TLS1_2_VERSION, NULL, 0);
    CHECK_I64(bare_shake(&p, &bare), TLS_FAILED);
    bare_close(&p, &bare);

    test_case("without ALPN a peer is let in as plain IPFIX over TLS");
    bare_client(&p, &bare, true, 0, NULL, 0);
    CHECK_I64(bare_shake(&p, &bare), TLS_OK);
    CHECK(!tls_peer_wants_yz1(p.server));
    CHECK(SSL_session_reused(bare.ssl) == 0);
    bare_close(&p, &bare);

    test_case("with an ALPN of others too; yz/1 is found among several");
    bare_client(&p, &bare, true, 0, "\x05ipfix", 6);
    CHECK_I64(bare_shake(&p, &bare), TLS_OK);
    CHECK(!tls_peer_wants_yz1(p.server));
    bare_close(&p, &bare);
    bare_client(&p, &bare, true, 0, "\x05ipfix\x04yz/1", 11);
    CHECK_I64(bare_shake(&p, &bare), TLS_OK);
    CHECK(tls_peer_wants_yz1(p.server));
    bare_close(&p, &bare);

    test_case("bytes that are no TLS at all");
    CHECK(pair_open(&p, "ca.crt", "probe", "collector.example", wall_now()));
    CHECK(write(p.fds[1], "GET / HTTP/1.1\r\n\r\n", 18) == 18);
    CHECK_I64(tls_handshake(p.server), TLS_FAILED);
    CHECK(strlen(tls_error(p.server)) > 5);
    pair_close(&p);
}

static void check_refused_files(const char *ca, const char *certificate,
                                const char *key, struct wall_time now,
                                const char *file, const char *reason)
{
    struct error_text error = {0};
    struct tls_context *context = tls_context_client(
        in_folder(ca), in_folder(certificate), in_folder(key), now, &error);
    CHECK(context == NULL);
    if (!CHECK(strstr(error.text, file) != NULL &&
               strstr(error.text, reason) != NULL))
        printf("# it says: %s\n", error.text);
    tls_context_free(context);
}

static void test_files(void)
{
    struct wall_time now = wall_now();
    char date[WALL_TEXT_LEN];
    struct error_text error;
    FILE *f = fopen(in_folder("text.pem"), "wb");
    fputs("no PEM\n", f);
    fclose(f);

    test_case("an expired certificate is refused, naming file and date");
    wall_to_text((struct wall_time){now.us - 2ll * DAY_S * 1000000}, date);
    date[10] = '\0';
    check_refused_files("ca.crt", "expired.crt", "expired.key", now,
                        "expired.crt", date);
    check_refused_files("ca.crt", "expired.crt", "expired.key", now,
                        "expired.crt", "the certificate expired on");

    test_case("a certificate that is not valid yet is refused");
    check_refused_files("ca.crt", "probe.crt", "probe.key",
                        (struct wall_time){now.us - 9ll * DAY_S * 1000000},
                        "probe.crt", "not valid before");

    test_case("missing, wrong and foreign files are refused by name");
    check_refused_files("none.crt", "probe.crt", "probe.key", now, "none.crt",
                        "No such file");
    check_refused_files("ca.crt", "none.crt", "probe.key", now, "none.crt",
                        "No such file");
    check_refused_files("ca.crt", "probe.crt", "none.key", now, "none.key",
                        "No such file");
    check_refused_files("text.pem", "probe.crt", "probe.key", now, "text.pem",
                        "no certificate");
    check_refused_files("ca.crt", "text.pem", "probe.key", now, "text.pem",
                        "no certificate");
    check_refused_files("ca.crt", "probe.crt", "text.pem", now, "text.pem",
                        "no private key");
    check_refused_files("ca.crt", "probe.crt", "server.key", now, "server.key",
                        "not the key of the certificate");

    test_case("the end of our own certificate is known");
    struct tls_context *context =
        tls_context_server(in_folder("ca.crt"), in_folder("server.crt"),
                           in_folder("server.key"), now, &error);
    if (CHECK(context != NULL)) {
        int64_t left_s =
            wall_to_s(tls_context_expires(context)) - wall_to_s(now);
        CHECK(left_s > 29 * DAY_S && left_s <= 30 * DAY_S);
        CHECK(tls_connect(context, 0, "") == NULL);
    }
    tls_context_free(context);
}

int main(void)
{
    folder_make(folder);
    make_certificates();
    test_good();
    test_full_socket();
    test_part_of_a_record();
    test_gone_peer();
    test_refused_clients();
    test_refused_servers();
    test_bare_clients();
    test_files();
    folder_remove(folder);
    return test_end();
}
