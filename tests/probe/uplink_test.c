/*
 * The uplink against a collector that acknowledges, delays, dies, keeps silent
 * or sends garbage: whatever happens on the way, in the end every batch was
 * received whole and left the spool on a right receipt only.
 */
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/durable.h"
#include "common/wire/ipfix_decode.h"
#include "probe/process/exporter.h"
#include "probe/uplink/uplink.h"
#include "tests/folder.h"
#include "tests/test.h"

enum { BATCHES_MAX = 40, CONNECTIONS_MAX = 8, PATIENCE_MS = 20000 };

static char folder[FOLDER_LEN];

static const char *in_folder(const char *name)
{
    static char paths[8][DURABLE_PATH_LEN];
    static int next;
    char *path = paths[next++ % 8];
    CHECK(durable_path(path, folder, name));
    return path;
}

/* --- certificates --- */

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    X509_add_ext(x509, e, -1);
    X509_EXTENSION_free(e);
}

static X509 *make_certificate(const char *name, EVP_PKEY *key, X509 *ca,
                              EVP_PKEY *ca_key, const char *alt)
{
    static long serial = 1;
    X509 *x509 = X509_new();
    X509_NAME *subject = X509_get_subject_name(x509);
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 86400);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    X509 *signer = ca != NULL ? ca : x509;
    X509_set_issuer_name(x509, X509_get_subject_name(signer));
    X509_set_pubkey(x509, key);
    add_extension(x509, signer, NID_basic_constraints,
                  ca != NULL ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (alt != NULL)
        add_extension(x509, signer, NID_subject_alt_name, alt);
    X509_sign(x509, ca != NULL ? ca_key : key, NULL);
    return x509;
}

static void save(const char *name, X509 *x509, EVP_PKEY *key)
{
    char file[64];
    snprintf(file, sizeof(file), "%s.pem", name);
    FILE *f = fopen(in_folder(file), "wb");
    PEM_write_X509(f, x509);
    fclose(f);
    snprintf(file, sizeof(file), "%s.key", name);
    f = fopen(in_folder(file), "wb");
    PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    chmod(in_folder(file), 0600);
}

static void make_certificates(void)
{
    EVP_PKEY *keys[3];
    for (int i = 0; i < 3; i++)
        keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    X509 *ca = make_certificate("ca", keys[0], NULL, NULL, NULL);
    X509 *server = make_certificate("collector", keys[1], ca, keys[0],
                                    "DNS:collector.example");
    X509 *client = make_certificate("probe-1", keys[2], ca, keys[0], NULL);
    save("ca", ca, keys[0]);
    save("collector", server, keys[1]);
    save("probe", client, keys[2]);
    X509_free(ca);
    X509_free(server);
    X509_free(client);
    for (int i = 0; i < 3; i++)
        EVP_PKEY_free(keys[i]);
}

/* --- the collector --- */

enum behaviour {
    ACKNOWLEDGE,
    DELAY,       /* 50 ms before each receipt */
    DIE_AT_ONCE, /* after the handshake */
    DIE_MIDWAY,  /* after some bytes of the second batch */
    DIE_UNSAID,  /* takes all, dies before any receipt */
    GARBAGE,     /* not IPFIX */
    WRONG_KEY,   /* a receipt signed by somebody else */
    WRONG_PROBE, /* a right receipt for another probe */
    WRONG_HASH,  /* right receipts for batches that do not exist, too */
    REFUSE,
    SILENT, /* takes everything, says nothing */
};

struct collector {
    int listener;
    uint16_t port;
    struct tls_context *tls;
    struct sign_key *key, *other_key;
    enum behaviour behaviours[CONNECTIONS_MAX]; /* by connection, last again */
    int behaviour_count;
    atomic_bool stop;
    atomic_int connections;
    /* read after the thread has ended */
    struct digest hashes[4 * BATCHES_MAX];
    int received;
};

static void send_receipt(struct collector *c, struct tls *tls,
                         enum behaviour how, const struct batch_reader *reader)
{
    struct buffer out;
    struct receipt r = {.sequence = batch_reader_info(reader)->sequence,
                        .batch_hash = batch_reader_hash(reader),
                        .ledger_index = 7,
                        .received_ms = 1000,
                        .status =
                            how == REFUSE ? RECEIPT_REFUSED : RECEIPT_COUNTED};
    size_t done;
    snprintf(r.probe_id, sizeof(r.probe_id), "%s",
             how == WRONG_PROBE ? "probe-2" : "probe-1");
    if (how == WRONG_HASH) {
        struct receipt stray = r;
        stray.batch_hash.bytes[0] ^= 1;
        buffer_init(&out, 4096);
        CHECK(receipt_encode(&stray, c->key, &out));
        (void)tls_write(tls, out.data, out.length, &done);
        buffer_clear(&out);
    }
    buffer_init(&out, 4096);
    CHECK(receipt_encode(&r, how == WRONG_KEY ? c->other_key : c->key, &out));
    if (how == GARBAGE)
        memset(out.data, 'x', out.length);
    if (how == DELAY)
        usleep(50000);
    /* In two pieces, so that a receipt arrives cut. */
    (void)tls_write(tls, out.data, 9, &done);
    (void)tls_write(tls, out.data + 9, out.length - 9, &done);
    buffer_clear(&out);
}

/* Takes whole messages; false when the connection shall end. */
static bool take_messages(struct collector *c, struct tls *tls,
                          enum behaviour how, struct buffer *in,
                          struct batch_reader *reader)
{
    for (;;) {
        bool complete = false;
        int length =
            in->length == 0 ? 0 : ipfix_message_length(in->data, in->length);
        if (length <= 0 || (size_t)length > in->length)
            return CHECK(length >= 0);
        CHECK_I64(batch_reader_add(reader, in->data, (size_t)length, &complete),
                  BATCH_OK);
        buffer_consume(in, (size_t)length);
        if (!complete)
            continue;
        if (c->received < 4 * BATCHES_MAX)
            c->hashes[c->received++] = batch_reader_hash(reader);
        if (how != SILENT && how != DIE_UNSAID)
            send_receipt(c, tls, how, reader);
        batch_reader_next(reader);
        if (how == DIE_UNSAID)
            return false;
    }
}

static void serve(struct collector *c, int fd, enum behaviour how)
{
    struct timeval tick = {.tv_usec = 20000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
    struct tls *tls = tls_accept(c->tls, fd);
    struct batch_reader *reader = batch_reader_new();
    struct buffer in;
    size_t total = 0;
    buffer_init(&in, 1 << 20);
    enum tls_status status;
    while ((status = tls_handshake(tls)) == TLS_WANT_READ && !c->stop)
        ;
    bool goes_on = status == TLS_OK && how != DIE_AT_ONCE;
    while (goes_on && !c->stop) {
        uint8_t chunk[700];
        size_t done = 0;
        status = tls_read(tls, chunk, sizeof(chunk), &done);
        if (status == TLS_WANT_READ)
            continue;
        if (status != TLS_OK)
            break;
        buffer_add(&in, chunk, done);
        total += done;
        goes_on = take_messages(c, tls, how, &in, reader) &&
                  !(how == DIE_MIDWAY && total > 1500);
    }
    buffer_clear(&in);
    batch_reader_free(reader);
    struct linger hard = {.l_onoff = 1};
    if (how == DIE_MIDWAY)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    tls_free(tls);
    close(fd);
}

static void *collect(void *context)
{
    struct collector *c = context;
    while (!c->stop) {
        struct pollfd p = {.fd = c->listener, .events = POLLIN};
        if (poll(&p, 1, 20) <= 0)
            continue;
        int fd = accept(c->listener, NULL, NULL);
        int which = c->connections++;
        if (which >= c->behaviour_count)
            which = c->behaviour_count - 1;
        if (fd >= 0)
            serve(c, fd, c->behaviours[which]);
    }
    return NULL;
}

static bool collector_open(struct collector *c)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    struct error_text error = {{0}};
    c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->tls = tls_context_server(in_folder("ca.pem"), in_folder("collector.pem"),
                                in_folder("collector.key"), wall_now(), &error);
    c->key = sign_key_generate(SIGN_ED25519);
    c->other_key = sign_key_generate(SIGN_ED25519);
    if (c->tls == NULL)
        printf("# %s\n", error.text);
    bool good =
        CHECK(c->tls != NULL) &&
        CHECK(bind(c->listener, (struct sockaddr *)&address, size) == 0) &&
        CHECK(listen(c->listener, 8) == 0) &&
        CHECK(getsockname(c->listener, (struct sockaddr *)&address, &size) ==
              0);
    c->port = ntohs(address.sin_port);
    return good;
}

static void collector_close(struct collector *c)
{
    close(c->listener);
    tls_context_free(c->tls);
    sign_key_free(c->key);
    sign_key_free(c->other_key);
}

/* --- the probe's side --- */

static void fill_spool(struct spool *s, int count, struct digest *hashes)
{
    struct error_text error;
    struct sign_key *key = sign_key_generate(SIGN_ED25519);
    struct endpoint_list *list = endpoint_list_parse(
        SLICE("id,supplier,service,address,host,protocol,ports,valid_from,"
              "valid_to,shared\nerp,S,E,203.0.113.10,,tcp,443,,,\n"),
        "e.csv", &error);
    struct exporter_options options = {.probe_id = "probe-1",
                                       .key = key,
                                       .endpoints = list,
                                       .start = wall_from_s(1000)};
    struct exporter *e = exporter_new(&options);
    struct exporter_period period = {.clock_quality = CLOCK_RELATIVE};
    for (int i = 0; i < count; i++) {
        struct buffer batch;
        CHECK(exporter_finish(e, &period, wall_from_s(1001 + i), &batch,
                              &hashes[i]));
        CHECK(spool_add(s, &batch, hashes[i]));
        buffer_clear(&batch);
    }
    exporter_free(e);
    endpoint_list_free(list);
    sign_key_free(key);
}

/* Flips a byte of a file that waits: one in its content. */
static void damage(const char *state, uint64_t number)
{
    char path[DURABLE_PATH_LEN], prefix[32];
    if (!CHECK(durable_path(path, state, "spool")))
        return;
    snprintf(prefix, sizeof(prefix), "%012" PRIu64 "-", number);
    DIR *dir = opendir(path);
    for (struct dirent *d = readdir(dir); d != NULL; d = readdir(dir)) {
        char file[DURABLE_PATH_LEN];
        if (strncmp(d->d_name, prefix, strlen(prefix)) != 0 ||
            !CHECK(durable_path(file, path, d->d_name)))
            continue;
        FILE *f = fopen(file, "r+b");
        fseek(f, 17, SEEK_SET);
        fputc(0xff, f);
        fclose(f);
    }
    closedir(dir);
}

/* Steps until the spool is empty, or `enough` connections were made. */
static void drive(struct uplink *u, struct spool *s, struct collector *c,
                  int enough)
{
    struct mono_time now = mono_now();
    int64_t end = now.us + PATIENCE_MS * 1000LL;
    while (now.us < end && spool_count(s) > 0 &&
           (enough == 0 || c->connections < enough)) {
        uplink_step(u, now);
        struct uplink_wait w = uplink_wait(u, now);
        struct pollfd fd = {.fd = w.fd, .events = w.events};
        int64_t ms =
            w.until.us <= now.us ? 0 : (w.until.us - now.us) / 1000 + 1;
        (void)poll(&fd, 1, ms > 100 ? 100 : (int)ms);
        now = mono_now();
    }
}

struct script {
    const char *name;
    enum behaviour behaviours[CONNECTIONS_MAX];
    int behaviour_count, batches, enough;
    const char *collector_name;
    uint64_t waiting, acknowledged, refused; /* at the end */
    int damaged; /* of the batches, the first ones */
};

static bool received_all(const struct collector *c, const struct digest *hashes,
                         int count)
{
    for (int i = 0; i < count; i++) {
        bool found = false;
        for (int k = 0; k < c->received; k++)
            found = found || digest_equal(c->hashes[k], hashes[i]);
        if (!found)
            return false;
    }
    return true;
}

/* All were received in the first second of 1970. */
static uint64_t kept_receipts(void)
{
    struct buffer file;
    uint64_t count = 0;
    (void)buffer_read_file(&file, in_folder("state/receipts/1970-01-01.ipfix"),
                           1 << 20);
    for (size_t done = 0; done < file.length; count++)
        done +=
            (size_t)ipfix_message_length(file.data + done, file.length - done);
    buffer_clear(&file);
    return count;
}

static void check_totals(const struct script *script, const struct spool *s,
                         const struct uplink *u)
{
    struct spool_totals t = spool_totals(s);
    CHECK_I64(t.waiting, script->waiting);
    CHECK_I64(t.acknowledged, script->acknowledged);
    CHECK_I64(t.refused, script->refused);
    CHECK_I64(t.lost, script->damaged);
    CHECK(uplink_status(u).has_receipt == (t.acknowledged + t.refused > 0));
    CHECK_I64(kept_receipts(), t.acknowledged + t.refused);
}

static void play(const struct script *script)
{
    struct collector c = {.behaviour_count = script->behaviour_count};
    struct digest hashes[BATCHES_MAX];
    struct error_text error = {{0}};
    uint8_t public_key[SIGN_PUBLIC_MAX];
    char address[64], state[DURABLE_PATH_LEN];
    pthread_t thread;
    test_case(script->name);
    memcpy(c.behaviours, script->behaviours, sizeof(c.behaviours));
    if (!collector_open(&c) || !CHECK(durable_path(state, folder, "state")))
        return;
    snprintf(address, sizeof(address), "localhost:%u", c.port);
    struct tls_context *tls =
        tls_context_client(in_folder("ca.pem"), in_folder("probe.pem"),
                           in_folder("probe.key"), wall_now(), &error);
    struct spool *s = spool_open(state, 1 << 24, 1 << 24, &error);
    struct receipts *receipts = receipts_open(state, 1 << 20, &error);
    struct uplink_options options = {
        .receipts = receipts,
        .collector = address,
        .collector_name = script->collector_name ? script->collector_name
                                                 : "collector.example",
        .probe_id = "probe-1",
        .receipt_algorithm = SIGN_ED25519,
        .receipt_key =
            slice_of_bytes(public_key, sign_key_public(c.key, public_key)),
        .answer_timeout_s = 1,
        .pause_min_ms = 5,
        .pause_max_ms = 40};
    struct uplink *u = uplink_new(&options, tls, s);
    if (CHECK(tls != NULL && s != NULL && u != NULL)) {
        fill_spool(s, script->batches, hashes);
        for (int i = 0; i < script->damaged; i++)
            damage(state, spool_from(s, 0)->number + (uint64_t)i);
        pthread_create(&thread, NULL, collect, &c);
        drive(u, s, &c, script->enough);
        check_totals(script, s, u);
        uplink_free(u);
        c.stop = true;
        pthread_join(thread, NULL);
        if (script->waiting == 0)
            CHECK(received_all(&c, hashes + script->damaged,
                               script->batches - script->damaged));
    }
    receipts_free(receipts);
    spool_close(s);
    tls_context_free(tls);
    collector_close(&c);
    folder_remove(state);
}

static const struct script scripts[] = {
    {"every receipt empties its place, more batches than the window",
     {ACKNOWLEDGE},
     1,
     30,
     0,
     NULL,
     0,
     30,
     0},
    {"late receipts", {DELAY}, 1, 10, 0, NULL, 0, 10, 0},
    {"a collector that dies at once, midway, and unsaid",
     {DIE_AT_ONCE, DIE_MIDWAY, DIE_UNSAID, ACKNOWLEDGE},
     4,
     20,
     0,
     NULL,
     0,
     20,
     0},
    {"garbage in place of a receipt acknowledges nothing",
     {GARBAGE, GARBAGE, ACKNOWLEDGE},
     3,
     5,
     0,
     NULL,
     0,
     5,
     0},
    {"garbage for ever", {GARBAGE}, 1, 5, 3, NULL, 5, 0, 0},
    {"a receipt with another key acknowledges nothing",
     {WRONG_KEY},
     1,
     3,
     3,
     NULL,
     3,
     0,
     0},
    {"a receipt for another probe acknowledges nothing",
     {WRONG_PROBE},
     1,
     3,
     3,
     NULL,
     3,
     0,
     0},
    {"a receipt for a batch that does not wait is passed over",
     {WRONG_HASH},
     1,
     12,
     0,
     NULL,
     0,
     12,
     0},
    {"refused batches are put aside", {REFUSE}, 1, 4, 0, NULL, 0, 0, 4},
    {"silence ends the connection; all is sent again",
     {SILENT, ACKNOWLEDGE},
     2,
     3,
     0,
     NULL,
     0,
     3,
     0},
    {"a collector with another name gets nothing",
     {ACKNOWLEDGE},
     1,
     3,
     3,
     "other.example",
     3,
     0,
     0},
    {"damaged files do not keep those behind them from going",
     {ACKNOWLEDGE},
     1,
     6,
     0,
     NULL,
     0,
     4,
     0,
     2},
};

static void test_addresses(void)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {{"collector.example:4740", true},
                 {"192.0.2.1:1", true},
                 {"[2001:db8::1]:4740", true},
                 {"collector.example", false},
                 {":4740", false},
                 {"a:0", false},
                 {"a:65536", false},
                 {"a:b", false}};
    test_case("addresses of the form HOST:PORT");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uplink_options options = {.collector = cases[i].text};
        struct uplink *u = uplink_new(&options, NULL, NULL);
        CHECK((u != NULL) == cases[i].good);
        uplink_free(u);
    }
}

int main(void)
{
    folder_make(folder);
    log_set_level(LOG_LEVEL_ERROR);
    signal(SIGPIPE, SIG_IGN);
    make_certificates();
    test_addresses();
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
        play(&scripts[i]);
    folder_remove(folder);
    return test_end();
}
