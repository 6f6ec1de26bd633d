/*
 * Probes for the collector's benchmarks.
 *
 *   batch_tool prepare DIR PROBES BATCHES RECORDS
 *   batch_tool send DIR PORT PROBES
 *   batch_tool hold DIR PORT PROBES CONNECTIONS
 *
 * prepare makes DIR/portal.db with probes B-1, B-2, ..., each of an enterprise
 * of its own, DIR/receipt.pem, and for each probe a file of signed batches, each
 * of 5 minutes and RECORDS records, the last one ending now. Certificates are
 * made by the script.
 *
 * send reads all files first, connects each probe, and then sends everything,
 * at most WINDOW batches of a probe before their receipts. It prints the
 * seconds from the first byte to the last receipt; anything but counted and
 * late is a failure.
 *
 * hold opens CONNECTIONS connections, spread over the probes, sends one batch
 * on each of the first PROBES, then says "ready" and stays until its standard
 * input ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/crypto/tls.h"
#include "common/db.h"
#include "common/wire/batch.h"
#include "common/wire/ipfix_decode.h"
#include "common/wire/receipt.h"

enum {
    WINDOW = 4,
    ENDPOINTS = 20,
    HOSTS = 60,
    PERIOD_MS = 300000,
    PATH_LEN = 512,
    FILE_LIMIT = 1024 * 1024 * 1024,
};

static void die(const char *what)
{
    fprintf(stderr, "batch_tool: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t number(const char *text)
{
    uint64_t value;
    if (!parse_u64(slice_of_text(text), 1, 1 << 24, &value))
        die(text);
    return value;
}

/* DIR/NAME, or DIR/NAME, the number (not 0), END. */
static const char *path_of(const char *dir, const char *name, uint64_t n,
                           const char *end, char path[static PATH_LEN])
{
    if (n == 0)
        snprintf(path, PATH_LEN, "%s/%s", dir, name);
    else
        snprintf(path, PATH_LEN, "%s/%s%" PRIu64 "%s", dir, name, n, end);
    return path;
}

/* --- preparing --- */

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Sizes spread over orders of magnitude, as those of real connections. */
static uint64_t some_size(void)
{
    uint64_t base = UINT64_C(256) << next_random() % 12;
    return base + next_random() % base;
}

static struct flow_record some_record(int64_t end_ms)
{
    uint64_t host = next_random() % HOSTS;
    uint64_t endpoint = next_random() % ENDPOINTS;
    struct flow_record r = {
        .end_ms = end_ms,
        .address = {203, 0, 113, (uint8_t)endpoint},
        .port = 443,
        .protocol = 6,
        .payload = some_size(),
        .rpayload = some_size(),
        .tcp_flags = 0x1b,
        .rtcp_flags = next_random() % 8 ? 0x1b : 0x1f,
        .end_reason = next_random() % 4 ? FLOW_END_DETECTED : FLOW_END_ACTIVE,
        .name_evidence = next_random() % 16 ? NAME_SNI : NAME_NONE,
        .direction = 1,
        .application = "TLS",
        .rtt_us = 5000 + (uint32_t)(next_random() % 8000),
        .burst_count = 1 + (uint32_t)(next_random() % 4),
        .host_pseudonym = (host + 1) * UINT64_C(0x9e3779b97f4a7c15),
        .fingerprint = {(uint8_t)(host % 7), 2, 3, 4, 5, 6, 7, 8},
    };
    r.start_ms = end_ms - (int64_t)(next_random() % 120000);
    r.packets = 6 + r.payload / 900 + r.rpayload / 2800;
    r.rpackets = 5 + r.rpayload / 1350 + next_random() % 4;
    r.octets = r.payload + 52 * r.packets + 8;
    r.roctets = r.rpayload + 52 * r.rpackets + 8;
    snprintf(r.endpoint_id, sizeof(r.endpoint_id), "EP-%04u",
             (unsigned)endpoint);
    for (int i = 0; i < FLOW_TOKEN_LEN; i++)
        r.token[i] = (uint8_t)(next_random() >> 24);
    return r;
}

static void write_batch(FILE *file, struct batch_writer *w,
                        struct batch_info *info, const struct sign_key *key,
                        uint64_t records)
{
    struct buffer out;
    uint32_t now_s = (uint32_t)(info->period_end_ms / 1000);
    for (uint64_t i = 0; i < records; i++) {
        struct flow_record r = some_record(info->period_start_ms +
                                           (int64_t)(i * PERIOD_MS / records));
        if (!batch_writer_add(w, &r, now_s))
            die("a batch is too large");
    }
    struct digest hash;
    if (!batch_writer_finish(w, info, key, now_s, &out, &hash) ||
        fwrite(out.data, 1, out.length, file) != out.length)
        die("a batch could not be written");
    info->previous_hash = hash;
    buffer_clear(&out);
}

static void register_probe(struct db *registry, uint64_t n,
                           const struct sign_key *key)
{
    char sql[1024], hex[2 * SIGN_PUBLIC_MAX + 1];
    uint8_t public_key[SIGN_PUBLIC_MAX];
    hex_of(public_key, sign_key_public(key, public_key), hex);
    unsigned i = (unsigned)n;
    snprintf(sql, sizeof(sql),
             "INSERT INTO enterprise (id, name_zh, name_en, credit_code, "
             "city_code) VALUES ('ENT-%u', 'e', 'e', '%018u', '441500'); "
             "INSERT INTO site (id, enterprise_id, name_zh, name_en, "
             "city_code) VALUES ('SITE-%u', 'ENT-%u', 's', 's', '441500'); "
             "INSERT INTO probe (id, enterprise_id, site_id, algorithm, "
             "signing_key, agreed_at, is_sample) VALUES ('B-%u', 'ENT-%u', "
             "'SITE-%u', 'ed25519', x'%s', 0, 0)",
             i, i, i, i, i, i, i, hex);
    if (!db_run(registry, sql))
        die(db_error(registry));
}

static struct db *make_registry(const char *dir)
{
    char path[PATH_LEN];
    struct buffer sql;
    struct error_text error = {""};
    if (!buffer_read_file(&sql, "portal/store/001-registry.sql", 1 << 20))
        die("portal/store/001-registry.sql");
    buffer_add_u8(&sql, 0);
    const struct db_migration schema = {"001-registry.sql",
                                        (const char *)sql.data};
    struct db *db = db_open(path_of(dir, "portal.db", 0, "", path), DB_WRITE,
                            &schema, 1, &error);
    if (db == NULL || !db_run(db, "INSERT INTO city (code, name_zh, name_en) "
                                  "VALUES ('441500', 'c', 'c')"))
        die(error.text);
    buffer_clear(&sql);
    return db;
}

static void prepare_probe(const char *dir, struct db *registry, uint64_t n,
                          uint64_t batches, uint64_t records)
{
    char path[PATH_LEN];
    struct sign_key *key = sign_key_generate(SIGN_ED25519);
    struct batch_writer *w = batch_writer_new(1, 0);
    FILE *file = fopen(path_of(dir, "B-", n, ".batches", path), "wb");
    struct batch_info info = {.clock_quality = CLOCK_SYNCHRONISED};
    if (file == NULL || key == NULL || w == NULL)
        die(path);
    register_probe(registry, n, key);
    snprintf(info.probe_id, sizeof(info.probe_id), "B-%u", (unsigned)n);
    random_bytes(info.boot_id, BOOT_ID_LEN);
    int64_t end_ms = wall_to_ms(wall_now());
    for (uint64_t i = 0; i < batches; i++) {
        info.sequence = i + 1;
        info.period_end_ms = end_ms - (int64_t)(batches - 1 - i) * PERIOD_MS;
        info.period_start_ms = info.period_end_ms - PERIOD_MS;
        write_batch(file, w, &info, key, records);
    }
    if (fclose(file) != 0)
        die(path);
    batch_writer_free(w);
    sign_key_free(key);
}

static int prepare(const char *dir, uint64_t probes, uint64_t batches,
                   uint64_t records)
{
    char path[PATH_LEN];
    struct error_text error = {""};
    struct sign_key *receipt = sign_key_generate(SIGN_ED25519);
    if (!sign_key_save(receipt, path_of(dir, "receipt.pem", 0, "", path),
                       &error))
        die(error.text);
    struct db *registry = make_registry(dir);
    for (uint64_t n = 1; n <= probes; n++)
        prepare_probe(dir, registry, n, batches, records);
    db_close(registry);
    sign_key_free(receipt);
    return 0;
}

/* --- connections --- */

struct client {
    const char *dir;
    uint64_t probe;
    unsigned port;
    int fd;
    struct tls_context *context;
    struct tls *tls;
    struct buffer batches;
    size_t sent; /* bytes */
    uint64_t unreceipted, records;
    struct buffer in;
    pthread_t thread;
};

static void connect_client(struct client *c)
{
    char ca[PATH_LEN], certificate[PATH_LEN], key[PATH_LEN];
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)c->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct error_text error = {""};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a)) != 0)
        die("connect");
    if (c->context == NULL)
        c->context = tls_context_client(
            path_of(c->dir, "ca.pem", 0, "", ca),
            path_of(c->dir, "B-", c->probe, ".pem", certificate),
            path_of(c->dir, "B-", c->probe, ".key", key), wall_now(), &error);
    if (c->context == NULL)
        die(error.text);
    c->tls = tls_connect(c->context, c->fd, "collector.test");
    if (c->tls == NULL || tls_handshake(c->tls) != TLS_OK)
        die(c->tls ? tls_error(c->tls) : "no TLS");
    buffer_init(&c->in, 1 << 20);
}

static void read_batches(struct client *c)
{
    char path[PATH_LEN];
    if (!buffer_read_file(&c->batches,
                          path_of(c->dir, "B-", c->probe, ".batches", path),
                          FILE_LIMIT))
        die(path);
}

/* Length of the batch that starts here: up to the message with the batch
 * record, whose options template set is its first. */
static size_t batch_length(const uint8_t *data, size_t left)
{
    size_t length = 0;
    while (length < left) {
        const uint8_t *message = data + length;
        int size = ipfix_message_length(message, left - length);
        if (size <= 0)
            die("not a batch");
        length += (size_t)size;
        if (message[IPFIX_HEADER_LEN + 1] == IPFIX_SET_OPTIONS_TEMPLATE)
            return length;
    }
    return length;
}

static void send_next(struct client *c)
{
    const uint8_t *data = c->batches.data + c->sent;
    size_t length = batch_length(data, c->batches.length - c->sent);
    for (size_t at = 0; at < length;) {
        size_t done = 0;
        if (tls_write(c->tls, data + at, length - at, &done) != TLS_OK)
            die(tls_error(c->tls));
        at += done;
    }
    c->sent += length;
    c->unreceipted++;
}

/* Its status stands in a byte of its own at a place that depends on the length
 * of the probe's id; it is read as the decoder does, without the signature. */
static bool take_status(void *context, const struct ipfix_record *record)
{
    uint64_t status;
    if (ipfix_get_u64(record, IE_RECEIPT_STATUS, &status) &&
        status != RECEIPT_COUNTED && status != RECEIPT_LATE &&
        status != RECEIPT_REPEATED) {
        fprintf(stderr, "batch_tool: a batch was not counted (%u)\n",
                (unsigned)status);
        exit(1);
    }
    if (record->template_id == TEMPLATE_RECEIPT)
        *(bool *)context = true;
    return true;
}

static void read_receipt(struct client *c)
{
    for (bool has = false; !has;) {
        int length = c->in.length > 0
                         ? ipfix_message_length(c->in.data, c->in.length)
                         : 0;
        if (length > 0 && (size_t)length <= c->in.length) {
            struct ipfix_session *session = ipfix_session_new();
            ipfix_decode_message(session, c->in.data, (size_t)length,
                                 take_status, &has);
            ipfix_session_free(session);
            buffer_consume(&c->in, (size_t)length);
            continue;
        }
        uint8_t *space = buffer_extend(&c->in, 4096);
        size_t done = 0;
        c->in.length -= 4096;
        if (tls_read(c->tls, space, 4096, &done) != TLS_OK)
            die(tls_error(c->tls));
        c->in.length += done;
    }
    c->unreceipted--;
}

static void *send_all(void *context)
{
    struct client *c = context;
    while (c->sent < c->batches.length || c->unreceipted > 0) {
        if (c->sent < c->batches.length && c->unreceipted < WINDOW)
            send_next(c);
        else
            read_receipt(c);
    }
    return NULL;
}

static int send_probes(const char *dir, unsigned port, uint64_t probes)
{
    struct client *clients = calloc(probes, sizeof(*clients));
    for (uint64_t i = 0; i < probes; i++) {
        clients[i] = (struct client){.dir = dir, .probe = i + 1, .port = port};
        read_batches(&clients[i]);
        connect_client(&clients[i]);
    }
    struct mono_time start = mono_now();
    for (uint64_t i = 0; i < probes; i++)
        if (pthread_create(&clients[i].thread, NULL, send_all, &clients[i]))
            die("thread");
    for (uint64_t i = 0; i < probes; i++)
        pthread_join(clients[i].thread, NULL);
    int64_t us = mono_now().us - start.us;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%" PRId64 ".%06" PRId64 " %ld.%02ld\n", us / 1000000, us % 1000000,
           usage.ru_utime.tv_sec + usage.ru_stime.tv_sec,
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 10000 % 100);
    return 0;
}

static int hold(const char *dir, unsigned port, uint64_t probes, uint64_t count)
{
    struct client *clients = calloc(count, sizeof(*clients));
    for (uint64_t i = 0; i < count; i++) {
        uint64_t probe = i % probes;
        clients[i] =
            (struct client){.dir = dir, .probe = probe + 1, .port = port};
        clients[i].context = i >= probes ? clients[probe].context : NULL;
        connect_client(&clients[i]);
        if (i >= probes)
            continue;
        read_batches(&clients[i]);
        send_next(&clients[i]);
        read_receipt(&clients[i]);
    }
    printf("ready\n");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    if (argc == 6 && strcmp(mode, "prepare") == 0)
        return prepare(argv[2], number(argv[3]), number(argv[4]),
                       number(argv[5]));
    if (argc == 5 && strcmp(mode, "send") == 0)
        return send_probes(argv[2], (unsigned)number(argv[3]), number(argv[4]));
    if (argc == 6 && strcmp(mode, "hold") == 0)
        return hold(argv[2], (unsigned)number(argv[3]), number(argv[4]),
                    number(argv[5]));
    fprintf(stderr, "usage: batch_tool prepare|send|hold ... (see its head)\n");
    return 2;
}
