/*
 * A real yz-collector (the sanitized one) with real TLS clients on loopback:
 * what probes, strangers and crashes do to it, and that the totals are right.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/crypto/tls.h"
#include "common/wire/ipfix_decode.h"
#include "common/wire/receipt.h"
#include "common/wire/return_channel.h"
#include "tests/collector/collector_sample.h"

enum { WAIT_S = 20 };

struct bench {
    struct sample_folder folder;
    struct db *registry;
    struct sample_probe p1, p2, p9;
    struct sign_key *receipt_key;
    uint8_t receipt_public[SIGN_PUBLIC_MAX];
    size_t receipt_length;
    pid_t pid;
    uint16_t port;
};

/* --- processes --- */

static const char *build(void)
{
    const char *b = getenv("B");
    return b != NULL ? b : "build";
}

/* Standard error goes to the file, standard input comes from one. */
static pid_t start(const char *const argv[], const char *in, const char *log)
{
    unlink(log); /* nobody shall read what the last one wrote */
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* never outlives a failing test */
    int input = open(in ? in : "/dev/null", O_RDONLY);
    int output = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(input, 0);
    dup2(output, 1);
    dup2(output, 2);
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(const char *const argv[], const char *in, const char *log)
{
    return wait_for(start(argv, in, log));
}

static void read_text(const char *path, char *text, size_t size)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, size - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
}

static bool log_has(struct bench *b, const char *what)
{
    static char text[1 << 18];
    char path[PATH_MAX];
    read_text(sample_path(&b->folder, "log", path), text, sizeof(text));
    return strstr(text, what) != NULL;
}

static void nap(void)
{
    usleep(10000);
}

static bool wait_log(struct bench *b, const char *what)
{
    for (int i = 0; i < WAIT_S * 100; i++, nap())
        if (log_has(b, what))
            return true;
    return false;
}

static uint16_t find_port(struct bench *b)
{
    static const char MARK[] = "listening on 127.0.0.1:";
    char text[4096], path[PATH_MAX];
    if (!wait_log(b, MARK))
        return 0;
    read_text(sample_path(&b->folder, "log", path), text, sizeof(text));
    char *at = strstr(text, MARK);
    return at ? (uint16_t)strtoul(at + sizeof(MARK) - 1, NULL, 10) : 0;
}

static void start_collector(struct bench *b)
{
    char program[PATH_MAX], config[PATH_MAX], log[PATH_MAX];
    snprintf(program, sizeof(program), "%s/san/bin/yz-collector", build());
    const char *argv[] = {program, "run", "-c",
                          sample_path(&b->folder, "collector.conf", config),
                          NULL};
    b->pid = start(argv, NULL, sample_path(&b->folder, "log", log));
    b->port = find_port(b);
    CHECK(b->port != 0);
}

static int end_collector(struct bench *b, int signal_number)
{
    kill(b->pid, signal_number);
    int status = wait_for(b->pid);
    b->pid = 0;
    return status;
}

/* --- setting up --- */

/* A certificate of the test's authority; without `ca` the authority itself. */
static void make_certificate(struct bench *b, const char *name,
                             const char *subject, const char *days, bool is_ca)
{
    char key[PATH_MAX], cert[PATH_MAX], ca[PATH_MAX], ca_key[PATH_MAX];
    char log[PATH_MAX], file[64];
    snprintf(file, sizeof(file), "%s.key", name);
    sample_path(&b->folder, file, key);
    snprintf(file, sizeof(file), "%s.pem", name);
    sample_path(&b->folder, file, cert);
    sample_path(&b->folder, "ca.pem", ca);
    sample_path(&b->folder, "ca.key", ca_key);
    const char *argv[] = {"openssl",
                          "req",
                          "-x509",
                          "-newkey",
                          "ec",
                          "-pkeyopt",
                          "ec_paramgen_curve:prime256v1",
                          "-nodes",
                          "-keyout",
                          key,
                          "-out",
                          cert,
                          "-subj",
                          subject,
                          "-days",
                          days,
                          "-addext",
                          is_ca ? "keyUsage=keyCertSign,digitalSignature"
                                : "subjectAltName=DNS:collector.test",
                          is_ca ? NULL : "-CA",
                          ca,
                          "-CAkey",
                          ca_key,
                          NULL};
    if (run(argv, NULL, sample_path(&b->folder, "openssl.log", log)) != 0) {
        fprintf(stderr, "openssl made no certificate %s\n", name);
        exit(1);
    }
}

/* The collector's key, certified until yesterday. */
static void make_expired(struct bench *b)
{
    char key[PATH_MAX], new_key[PATH_MAX], request[PATH_MAX], cert[PATH_MAX];
    char ca[PATH_MAX], ca_key[PATH_MAX], log[PATH_MAX];
    const char *ask[] = {"openssl",
                         "req",
                         "-new",
                         "-subj",
                         "/CN=collector",
                         "-key",
                         sample_path(&b->folder, "collector.key", key),
                         "-out",
                         sample_path(&b->folder, "request", request),
                         NULL};
    const char *sign[] = {"openssl",
                          "x509",
                          "-req",
                          "-in",
                          request,
                          "-CA",
                          sample_path(&b->folder, "ca.pem", ca),
                          "-CAkey",
                          sample_path(&b->folder, "ca.key", ca_key),
                          "-days",
                          "-1",
                          "-out",
                          sample_path(&b->folder, "expired.pem", cert),
                          NULL};
    sample_path(&b->folder, "openssl.log", log);
    if (run(ask, NULL, log) != 0 || run(sign, NULL, log) != 0 ||
        link(key, sample_path(&b->folder, "expired.key", new_key)) != 0) {
        fprintf(stderr, "openssl made no expired certificate\n");
        exit(1);
    }
}

static void write_config(struct bench *b, const char *name, const char *listen,
                         const char *certificate, const char *usage_folder,
                         const char *more)
{
    char text[2048], path[PATH_MAX];
    snprintf(text, sizeof(text),
             "listen = %s\nca = ca.pem\ncertificate = %s.pem\n"
             "tls_key = %s.key\nreceipt_key = receipt.pem\n"
             "registry = portal.db\nusage_db = %susage.db\n"
             "archive = %sarchive\n%s",
             listen, certificate, certificate, usage_folder, usage_folder,
             more);
    sample_write_file(sample_path(&b->folder, name, path), text, strlen(text));
}

static void set_up(struct bench *b)
{
    char path[PATH_MAX];
    struct error_text error = {""};
    *b = (struct bench){0};
    sample_folder_make(&b->folder);
    make_certificate(b, "ca", "/CN=Test authority", "30", true);
    make_certificate(b, "collector", "/CN=collector", "30", false);
    make_certificate(b, "P-1", "/CN=P-1", "30", false);
    make_certificate(b, "P-2", "/CN=P-2", "30", false);
    make_certificate(b, "P-9", "/CN=P-9", "30", false);
    sample_probe_make(&b->p1, "P-1");
    sample_probe_make(&b->p2, "P-2");
    sample_probe_make(&b->p9, "P-9");
    b->registry =
        sample_registry_make(sample_path(&b->folder, "portal.db", path));
    sample_register(b->registry, &b->p1, false);
    sample_register(b->registry, &b->p2, false);
    b->receipt_key = sign_key_generate(SIGN_ED25519);
    b->receipt_length = sign_key_public(b->receipt_key, b->receipt_public);
    if (!sign_key_save(b->receipt_key,
                       sample_path(&b->folder, "receipt.pem", path), &error)) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    write_config(b, "collector.conf", "127.0.0.1:0", "collector", "",
                 "log_level = debug\n");
}

static void tear_down(struct bench *b)
{
    db_close(b->registry);
    sign_key_free(b->p1.key);
    sign_key_free(b->p2.key);
    sign_key_free(b->p9.key);
    sign_key_free(b->receipt_key);
    sample_folder_remove(&b->folder);
}

/* --- clients --- */

struct client {
    int fd;
    struct tls_context *context;
    struct tls *tls;
    struct buffer in;
};

static int connect_port(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval limit = {.tv_sec = WAIT_S};
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void client_close(struct client *c)
{
    tls_free(c->tls);
    tls_context_free(c->context);
    if (c->fd >= 0)
        close(c->fd);
    buffer_clear(&c->in);
    *c = (struct client){.fd = -1};
}

static bool client_open(struct bench *b, const char *name, struct client *c)
{
    char ca[PATH_MAX], cert[PATH_MAX], key[PATH_MAX], file[64];
    struct error_text error = {""};
    *c = (struct client){.fd = connect_port(b->port)};
    buffer_init(&c->in, 1 << 20);
    sample_path(&b->folder, "ca.pem", ca);
    snprintf(file, sizeof(file), "%s.pem", name);
    sample_path(&b->folder, file, cert);
    snprintf(file, sizeof(file), "%s.key", name);
    sample_path(&b->folder, file, key);
    c->context = tls_context_client(ca, cert, key, wall_now(), &error);
    if (c->context != NULL && c->fd >= 0)
        c->tls = tls_connect(c->context, c->fd, "collector.test");
    if (c->tls != NULL && tls_handshake(c->tls) == TLS_OK)
        return true;
    printf("# no connection: %s %s\n", error.text,
           c->tls ? tls_error(c->tls) : "");
    client_close(c);
    return false;
}

/* As a probe does: who makes room is the oldest stranger of a worker, which can
 * be a newcomer in the middle of its handshake. */
static bool client_open_again(struct bench *b, const char *name,
                              struct client *c)
{
    for (int i = 0; i < 20; i++) {
        if (client_open(b, name, c))
            return true;
        usleep(50000);
    }
    return false;
}

static bool client_send(struct client *c, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    while (length > 0) {
        size_t done = 0;
        if (tls_write(c->tls, bytes, length, &done) != TLS_OK)
            return false;
        bytes += done;
        length -= done;
    }
    return true;
}

/* The status of the next receipt, -1 when the connection ends first. */
static int client_receipt(struct bench *b, struct client *c,
                          struct receipt *receipt)
{
    for (;;) {
        int length = c->in.length > 0
                         ? ipfix_message_length(c->in.data, c->in.length)
                         : 0;
        if (length > 0 && (size_t)length <= c->in.length &&
            return_channel_is_ours(c->in.data, (size_t)length)) {
            buffer_consume(&c->in, (size_t)length);
            continue;
        }
        if (length > 0 && (size_t)length <= c->in.length) {
            bool good = receipt_decode(
                c->in.data, (size_t)length, SIGN_ED25519,
                slice_of_bytes(b->receipt_public, b->receipt_length), receipt);
            buffer_consume(&c->in, (size_t)length);
            return good ? (int)receipt->status : -2;
        }
        uint8_t *space = buffer_extend(&c->in, 4096);
        size_t done = 0;
        c->in.length -= 4096;
        if (tls_read(c->tls, space, 4096, &done) != TLS_OK)
            return -1;
        c->in.length += done;
    }
}

static int exchange(struct bench *b, struct client *c,
                    const struct sample_batch *batch)
{
    struct receipt receipt;
    if (!client_send(c, batch->bytes.data, batch->bytes.length))
        return -1;
    int status = client_receipt(b, c, &receipt);
    return status < 0 || (digest_equal(receipt.batch_hash, batch->hash) &&
                          receipt.sequence == batch->info.sequence)
               ? status
               : -3;
}

/* --- looking --- */

static int64_t number_in(struct bench *b, const char *file, const char *sql)
{
    char path[PATH_MAX];
    struct error_text error;
    struct db *db =
        db_open(sample_path(&b->folder, file, path), DB_READ, NULL, 0, &error);
    int64_t value = db ? sample_number(db, sql) : -1;
    db_close(db);
    return value;
}

static int64_t number(struct bench *b, const char *sql)
{
    return number_in(b, "usage.db", sql);
}

static bool check_agrees(struct bench *b)
{
    char program[PATH_MAX], config[PATH_MAX], log[PATH_MAX], text[1000];
    snprintf(program, sizeof(program), "%s/san/bin/yz-collector", build());
    const char *argv[] = {program, "check", "-c",
                          sample_path(&b->folder, "collector.conf", config),
                          NULL};
    if (run(argv, NULL, sample_path(&b->folder, "check.log", log)) == 0)
        return true;
    read_text(log, text, sizeof(text));
    printf("# %s\n", text);
    return false;
}

/* --- cases --- */

static int64_t now_ms(void)
{
    return wall_to_ms(wall_now());
}

static void test_counted_once(struct bench *b)
{
    struct client c;
    struct sample_batch batch = sample_next_flow(&b->p1, now_ms());
    test_case("VER-18: the same batch three times, one connection");
    if (!CHECK(client_open(b, "P-1", &c)))
        return;
    CHECK_I64(exchange(b, &c, &batch), RECEIPT_COUNTED);
    CHECK_I64(exchange(b, &c, &batch), RECEIPT_REPEATED);
    client_close(&c);
    CHECK(client_open(b, "P-1", &c));
    CHECK_I64(exchange(b, &c, &batch), RECEIPT_REPEATED);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), 1);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger WHERE transport = 'yz1'"),
              1);

    test_case("VER-18: conflict and wrong signature are refused, the next "
              "batch counts");
    struct sample_probe twin = b->p1;
    twin.sequence = 0;
    struct sample_batch other = sample_next(&twin, now_ms(), NULL, 0);
    CHECK_I64(exchange(b, &c, &other), RECEIPT_REFUSED);
    struct sample_batch next = sample_next_flow(&b->p1, now_ms());
    uint8_t *last = &next.bytes.data[next.bytes.length - 1];
    *last ^= 1;
    CHECK_I64(exchange(b, &c, &next), RECEIPT_REFUSED);
    *last ^= 1;
    CHECK_I64(exchange(b, &c, &next), RECEIPT_COUNTED);
    CHECK_I64(number(b, "SELECT count(*) FROM event WHERE kind IN "
                        "('conflict', 'signature')"),
              2);
    client_close(&c);
    sample_batch_clear(&batch);
    sample_batch_clear(&other);
    sample_batch_clear(&next);
}

static void test_identity(struct bench *b)
{
    struct client c;
    struct sample_batch one = sample_next_flow(&b->p1, now_ms());
    struct sample_batch nine = sample_next_flow(&b->p9, now_ms());
    test_case("VER-18: another probe's batch, an unknown and a denied probe");
    if (!CHECK(client_open(b, "P-2", &c)))
        return;
    CHECK_I64(exchange(b, &c, &one), RECEIPT_REFUSED);
    client_close(&c);
    CHECK(client_open(b, "P-9", &c));
    CHECK_I64(exchange(b, &c, &nine), RECEIPT_REFUSED);
    client_close(&c);
    CHECK(client_open(b, "P-1", &c));
    CHECK(
        db_run(b->registry, "UPDATE probe SET denied_at = 1 WHERE id = 'P-1'"));
    CHECK_I64(exchange(b, &c, &one), RECEIPT_REFUSED);
    CHECK(db_run(b->registry, "UPDATE probe SET denied_at = NULL"));
    CHECK_I64(exchange(b, &c, &one), RECEIPT_COUNTED);
    client_close(&c);
    CHECK_I64(number(b, "SELECT count(*) FROM event WHERE kind IN "
                        "('identity', 'unknown', 'denied')"),
              3);
    sample_batch_clear(&one);
    sample_batch_clear(&nine);
}

static void test_strangers(struct bench *b)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: collector\r\n\r\n";
    struct client good, bad;
    struct receipt receipt;
    test_case("garbage closes its own connection only");
    if (!CHECK(client_open(b, "P-1", &good) && client_open(b, "P-2", &bad)))
        return;
    CHECK(client_send(&bad, request, strlen(request)));
    CHECK_I64(client_receipt(b, &bad, &receipt), -1);
    client_close(&bad);
    struct sample_batch batch = sample_next_flow(&b->p1, now_ms());
    CHECK_I64(exchange(b, &good, &batch), RECEIPT_COUNTED);
    CHECK_I64(number(b, "SELECT count(*) FROM event WHERE kind = 'malformed' "
                        "AND probe_id = 'P-2'"),
              1);
    sample_batch_clear(&batch);

    test_case("bytes that are no TLS are closed");
    int fd = connect_port(b->port);
    char answer[64];
    CHECK(send(fd, "hello there, collector\n", 23, MSG_NOSIGNAL) == 23);
    ssize_t n = recv(fd, answer, sizeof(answer), 0);
    while (n > 0) /* perhaps an alert first */
        n = recv(fd, answer, sizeof(answer), 0);
    CHECK(n == 0 || errno == ECONNRESET);
    close(fd);

    test_case("silent and slow peers hold nobody up");
    int silent = connect_port(b->port);
    CHECK(client_open(b, "P-2", &bad));
    struct sample_batch slow = sample_next_flow(&b->p2, now_ms());
    size_t half = slow.bytes.length / 2;
    for (size_t i = 0; i < half; i++)
        CHECK(client_send(&bad, slow.bytes.data + i, 1));
    struct mono_time before = mono_now();
    for (int i = 0; i < 5; i++) {
        batch = sample_next_flow(&b->p1, now_ms());
        CHECK_I64(exchange(b, &good, &batch), RECEIPT_COUNTED);
        sample_batch_clear(&batch);
    }
    CHECK(mono_now().us - before.us < 5000000);
    CHECK(client_send(&bad, slow.bytes.data + half, slow.bytes.length - half));
    CHECK_I64(client_receipt(b, &bad, &receipt), RECEIPT_COUNTED);
    client_close(&bad);
    client_close(&good);
    close(silent);
    sample_batch_clear(&slow);
}

static void test_two_clients(struct bench *b)
{
    struct client one, two;
    struct receipt receipt;
    enum { EACH = 50 };
    struct sample_batch batches[2][EACH];
    int64_t before = number(b, "SELECT sum(flows) FROM usage");
    int counted = 0;
    test_case("two clients send many batches before they read a receipt");
    if (!CHECK(client_open(b, "P-1", &one) && client_open(b, "P-2", &two)))
        return;
    for (int i = 0; i < EACH; i++) {
        batches[0][i] = sample_next_flow(&b->p1, now_ms());
        batches[1][i] = sample_next_flow(&b->p2, now_ms());
        CHECK(client_send(&one, batches[0][i].bytes.data,
                          batches[0][i].bytes.length));
        CHECK(client_send(&two, batches[1][i].bytes.data,
                          batches[1][i].bytes.length));
    }
    for (int i = 0; i < EACH; i++) {
        counted += client_receipt(b, &one, &receipt) == RECEIPT_COUNTED &&
                   digest_equal(receipt.batch_hash, batches[0][i].hash);
        counted += client_receipt(b, &two, &receipt) == RECEIPT_COUNTED &&
                   digest_equal(receipt.batch_hash, batches[1][i].hash);
        sample_batch_clear(&batches[0][i]);
        sample_batch_clear(&batches[1][i]);
    }
    CHECK_I64(counted, 2 * EACH);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), before + 2 * EACH);
    client_close(&one);
    client_close(&two);
}

/* A client without the return channel, whose standard input is a pipe. */
static pid_t start_plain_at(struct bench *b, uint16_t port, const char *name,
                            int *to)
{
    char where[40], ca[PATH_MAX], cert[PATH_MAX], key[PATH_MAX];
    char in[PATH_MAX], log[PATH_MAX], file[64];
    snprintf(where, sizeof(where), "127.0.0.1:%u", port);
    snprintf(file, sizeof(file), "%s.pem", name);
    sample_path(&b->folder, file, cert);
    snprintf(file, sizeof(file), "%s.key", name);
    sample_path(&b->folder, file, key);
    const char *argv[] = {"openssl",
                          "s_client",
                          "-connect",
                          where,
                          "-CAfile",
                          sample_path(&b->folder, "ca.pem", ca),
                          "-cert",
                          cert,
                          "-key",
                          key,
                          "-verify_return_error",
                          "-nocommands",
                          NULL};
    sample_path(&b->folder, "plain.pipe", in);
    unlink(in);
    if (mkfifo(in, 0600) != 0)
        return -1;
    pid_t pid = start(argv, in, sample_path(&b->folder, "s_client.log", log));
    *to = open(in, O_WRONLY | O_CLOEXEC);
    return pid;
}

static pid_t start_plain(struct bench *b, const char *name, int *to)
{
    return start_plain_at(b, b->port, name, to);
}

static bool write_all(int fd, const struct buffer *bytes)
{
    size_t done = 0;
    while (done < bytes->length) {
        ssize_t n = write(fd, bytes->data + done, bytes->length - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static void test_plain_ipfix(struct bench *b)
{
    char where[40], ca[PATH_MAX], in[PATH_MAX], log[PATH_MAX];
    struct sample_batch batch = sample_next_flow(&b->p2, now_ms());
    int to = -1;
    test_case("plain IPFIX over TLS counts, unacknowledged");
    pid_t client = start_plain(b, "P-2", &to);
    CHECK(write_all(to, &batch.bytes));
    close(to);
    CHECK_I64(wait_for(client), 0);
    bool found = false;
    for (int i = 0; i < 500 && !found; i++, nap())
        found = number(b, "SELECT count(*) FROM ledger WHERE "
                          "transport = 'ipfix' AND probe_id = 'P-2'") == 1;
    CHECK(found);

    test_case("without a certificate nothing is taken");
    snprintf(where, sizeof(where), "127.0.0.1:%u", b->port);
    sample_write_file(sample_path(&b->folder, "plain", in), batch.bytes.data,
                      batch.bytes.length);
    sample_batch_clear(&batch);
    sample_path(&b->folder, "ca.pem", ca);
    sample_path(&b->folder, "s_client.log", log);
    const char *bare[] = {"openssl", "s_client", "-connect",    where,
                          "-CAfile", ca,         "-nocommands", NULL};
    int64_t before = number(b, "SELECT count(*) FROM ledger");
    run(bare, in, log);
    CHECK(wait_log(b, "no connection"));
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), before);
}

/* Sends `count` batches in one go, kills the collector after `acked` receipts,
 * starts it again and sends all of them once more. */
static void test_kill(struct bench *b, int acked)
{
    enum { ALL = 60 };
    struct sample_batch batches[ALL];
    struct client c;
    struct receipt receipt;
    int64_t rows = number(b, "SELECT count(*) FROM ledger");
    int64_t flows = number(b, "SELECT sum(flows) FROM usage");
    int answers[5] = {0};
    char name[80];
    snprintf(name, sizeof(name),
             "VER-18: kill -9 after %d receipts, totals are right", acked);
    test_case(name);
    if (!CHECK(client_open(b, "P-1", &c)))
        return;
    for (int i = 0; i < ALL; i++) {
        batches[i] = sample_next_flow(&b->p1, now_ms());
        CHECK(client_send(&c, batches[i].bytes.data, batches[i].bytes.length));
    }
    for (int i = 0; i < acked; i++)
        CHECK_I64(client_receipt(b, &c, &receipt), RECEIPT_COUNTED);
    CHECK_I64(end_collector(b, SIGKILL), 128 + SIGKILL);
    client_close(&c);
    start_collector(b);
    int64_t stored = number(b, "SELECT count(*) FROM ledger") - rows;
    CHECK(stored >= acked && stored <= ALL);
    CHECK(client_open(b, "P-1", &c));
    for (int i = 0; i < ALL; i++) {
        int status = exchange(b, &c, &batches[i]);
        CHECK(status == (i < stored ? RECEIPT_REPEATED : RECEIPT_COUNTED));
        answers[status >= 0 && status < 5 ? status : 4]++;
        sample_batch_clear(&batches[i]);
    }
    CHECK_I64(answers[RECEIPT_REPEATED], stored);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), rows + ALL);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), flows + ALL);
    client_close(&c);
    CHECK(check_agrees(b));
}

/* Processor time of the collector so far, in clock ticks. */
static long ticks_of(pid_t pid)
{
    char path[64], text[1024] = "";
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    bool good = f != NULL && fgets(text, sizeof(text), f) != NULL &&
                strrchr(text, ')') != NULL &&
                sscanf(strrchr(text, ')') + 1,
                       " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                       &user, &system) == 2;
    if (f != NULL)
        fclose(f);
    return good ? (long)(user + system) : -1;
}

/* A probe whose batch waits hangs up with a reset: nobody spins for it. */
static void check_reset_while_waiting(struct bench *b)
{
    const struct linger now = {1, 0};
    struct client c;
    struct sample_batch batch = sample_next(&b->p1, now_ms(), NULL, 0);
    CHECK(client_open_again(b, "P-1", &c));
    CHECK(client_send(&c, batch.bytes.data, batch.bytes.length));
    usleep(200000);
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(c.fd);
    c.fd = -1;
    client_close(&c);
    sample_batch_clear(&batch);
    usleep(200000);
    long before = ticks_of(b->pid);
    usleep(1000000);
    CHECK(before >= 0 && ticks_of(b->pid) - before < sysconf(_SC_CLK_TCK) / 2);
}

static void test_disk_full(struct bench *b)
{
    static const char NAME[] = "a full disk: no receipt, one log line, then "
                               "room and the receipt";
    char small[PATH_MAX], filler[PATH_MAX], skip[200];
    mkdir(sample_path(&b->folder, "small", small), 0700);
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", small, "tmpfs", 0, "size=2m") != 0) {
        snprintf(skip, sizeof(skip), "%s # skip no mount namespace: %s", NAME,
                 strerror(errno));
        test_case(skip);
        return;
    }
    test_case(NAME);
    write_config(b, "collector.conf", "127.0.0.1:0", "collector", "small/", "");
    start_collector(b);
    struct client c;
    CHECK(client_open(b, "P-2", &c));
    struct sample_batch batch = sample_next_flow(&b->p2, now_ms());
    CHECK_I64(exchange(b, &c, &batch), RECEIPT_COUNTED);
    sample_batch_clear(&batch);
    int fd = open(sample_path(&b->folder, "small/filler", filler),
                  O_WRONLY | O_CREAT, 0600);
    static const char block[4096];
    while (write(fd, block, sizeof(block)) > 0)
        ;
    close(fd);
    /* More than the archive has room for. */
    struct flow_record flows[2000];
    for (int i = 0; i < 2000; i++) {
        flows[i] = sample_flow(now_ms() - 100000, (uint64_t)i);
        random_bytes(flows[i].token, FLOW_TOKEN_LEN);
    }
    batch = sample_next(&b->p2, now_ms(), flows, 2000);
    CHECK(client_send(&c, batch.bytes.data, batch.bytes.length));
    CHECK(wait_log(b, "cannot store, batches wait"));
    CHECK(!log_has(b, "storing again"));
    check_reset_while_waiting(b);
    unlink(filler);
    struct receipt receipt;
    CHECK_I64(client_receipt(b, &c, &receipt), RECEIPT_COUNTED);
    CHECK(wait_log(b, "storing again"));
    CHECK_I64(number_in(b, "small/usage.db", "SELECT sum(flows) FROM usage"),
              2001);
    CHECK(check_agrees(b));
    client_close(&c);
    sample_batch_clear(&batch);
    CHECK_I64(end_collector(b, SIGTERM), 0);
    umount(small);
}

static void test_full(struct bench *b)
{
    struct client one, two, three;
    struct sample_batch batch = sample_next_flow(&b->p1, now_ms());
    struct sample_batch other = sample_next_flow(&b->p2, now_ms());
    test_case("max_connections: strangers make room, peers do not");
    write_config(b, "collector.conf", "127.0.0.1:0", "collector", "",
                 "max_connections = 2\n");
    start_collector(b);
    int silent[3];
    for (int i = 0; i < 3; i++)
        silent[i] = connect_port(b->port);
    CHECK(client_open_again(b, "P-1", &one));
    CHECK_I64(exchange(b, &one, &batch), RECEIPT_COUNTED);
    CHECK(client_open_again(b, "P-2", &two));
    CHECK_I64(exchange(b, &two, &other), RECEIPT_COUNTED);
    three = (struct client){.fd = connect_port(b->port)};
    char byte;
    CHECK(recv(three.fd, &byte, 1, 0) <= 0);
    CHECK(wait_log(b, "all that max_connections allows"));
    close(three.fd);
    client_close(&one);
    client_close(&two);
    for (int i = 0; i < 3; i++)
        close(silent[i]);
    sample_batch_clear(&other);
    sample_batch_clear(&batch);
    CHECK_I64(end_collector(b, SIGTERM), 0);
}

/* --- one enrolled peer that holds all the room there is --- */

enum { HOG_CONNECTIONS = 10, HOG_FLOWS = 150000 };

/* All but the end of a large batch. */
static struct sample_batch large_batch(struct sample_probe *probe)
{
    struct flow_record *flows = calloc(HOG_FLOWS, sizeof(*flows));
    for (size_t i = 0; i < HOG_FLOWS; i++) {
        flows[i] = sample_flow(now_ms() - 100000, i);
        random_bytes(flows[i].token, FLOW_TOKEN_LEN);
    }
    struct sample_batch batch = sample_next(probe, now_ms(), flows, HOG_FLOWS);
    free(flows);
    batch.bytes.length -= 1000;
    return batch;
}

/* Until a second goes by in which nothing more is taken; false: all was. */
static bool fill_room(struct bench *b, const struct sample_batch *batch,
                      struct client *hogs, size_t *count)
{
    struct timeval limit = {.tv_sec = 1};
    for (*count = 0; *count < HOG_CONNECTIONS; (*count)++) {
        struct client *c = &hogs[*count];
        if (!client_open(b, "P-1", c))
            return false;
        setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        if (!client_send(c, batch->bytes.data, batch->bytes.length)) {
            (*count)++;
            return true;
        }
    }
    return false;
}

static void test_hog(struct bench *b)
{
    struct client hogs[HOG_CONNECTIONS], good;
    size_t count;
    test_case("a peer that fills all the room with unfinished batches holds "
              "others up for seconds only");
    write_config(b, "collector.conf", "127.0.0.1:0", "collector", "",
                 "workers = 1\nconnections_per_probe = 20\n");
    start_collector(b);
    struct sample_probe p1 = b->p1;
    struct sample_batch large = large_batch(&p1);
    struct sample_batch batch = sample_next_flow(&b->p2, now_ms());
    CHECK(fill_room(b, &large, hogs, &count));
    if (CHECK(client_open(b, "P-2", &good)))
        CHECK_I64(exchange(b, &good, &batch), RECEIPT_COUNTED);
    CHECK(log_has(b, "others wait for its room"));
    client_close(&good);
    for (size_t i = 0; i < count; i++)
        client_close(&hogs[i]);
    sample_batch_clear(&large);
    sample_batch_clear(&batch);
    CHECK_I64(end_collector(b, SIGTERM), 0);
}

/* --- connections of one probe, reloading --- */

static void test_superseded(struct bench *b)
{
    struct client c[3];
    struct receipt receipt;
    test_case("connections_per_probe: the oldest makes room, another's stays");
    write_config(b, "collector.conf", "127.0.0.1:0", "collector", "",
                 "connections_per_probe = 1\n");
    start_collector(b);
    CHECK(client_open(b, "P-1", &c[0]));
    CHECK(client_open(b, "P-2", &c[1]));
    CHECK(client_open(b, "P-1", &c[2]));
    CHECK(wait_log(b, "its probe has newer connections"));
    CHECK_I64(client_receipt(b, &c[0], &receipt), -1);
    struct sample_batch one = sample_next_flow(&b->p1, now_ms());
    struct sample_batch two = sample_next_flow(&b->p2, now_ms());
    CHECK_I64(exchange(b, &c[2], &one), RECEIPT_COUNTED);
    CHECK_I64(exchange(b, &c[1], &two), RECEIPT_COUNTED);
    for (size_t i = 0; i < 3; i++)
        client_close(&c[i]);
    sample_batch_clear(&one);
    sample_batch_clear(&two);
    CHECK_I64(end_collector(b, SIGTERM), 0);
}

static void copy_file(struct bench *b, const char *from, const char *to)
{
    char path[PATH_MAX];
    struct buffer file;
    CHECK(
        buffer_read_file(&file, sample_path(&b->folder, from, path), 1 << 16));
    sample_write_file(sample_path(&b->folder, to, path), file.data,
                      file.length);
    buffer_clear(&file);
}

static void test_reload(struct bench *b)
{
    struct client before, after;
    struct sample_batch one = sample_next_flow(&b->p1, now_ms());
    test_case("SIGHUP: what cannot be read is said, the old goes on");
    write_config(b, "collector.conf", "127.0.0.1:0", "server", "",
                 "log_level = info\n");
    copy_file(b, "collector.pem", "server.pem");
    copy_file(b, "collector.key", "server.key");
    start_collector(b);
    CHECK(client_open(b, "P-1", &before));
    copy_file(b, "expired.pem", "server.pem");
    copy_file(b, "expired.key", "server.key");
    kill(b->pid, SIGHUP);
    CHECK(wait_log(b, "not reloaded, going on as before"));
    CHECK(client_open(b, "P-2", &after));
    client_close(&after);

    test_case("SIGHUP: the new certificate for new connections, the level of "
              "the log; who is connected stays");
    make_certificate(b, "server", "/CN=collector", "30", false);
    write_config(b, "collector.conf", "127.0.0.1:0", "server", "",
                 "log_level = debug\n");
    kill(b->pid, SIGHUP);
    CHECK(wait_log(b, "reloaded: "));
    CHECK(client_open(b, "P-2", &after));
    CHECK_I64(exchange(b, &before, &one), RECEIPT_COUNTED);
    CHECK(wait_log(b, " debug "));
    struct sample_batch two = sample_next_flow(&b->p2, now_ms());
    CHECK_I64(exchange(b, &after, &two), RECEIPT_COUNTED);
    client_close(&before);
    client_close(&after);
    sample_batch_clear(&one);
    sample_batch_clear(&two);
    CHECK_I64(end_collector(b, SIGTERM), 0);
}

static size_t count_descriptors(pid_t pid)
{
    char path[64];
    size_t count = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

static void test_flood(struct bench *b)
{
    enum { STRANGERS = 900, OVER = 256, OWN = 60 };
    static int fds[STRANGERS];
    struct client good;
    struct sample_batch batch = sample_next_flow(&b->p1, now_ms());
    size_t most = 0;
    test_case("a flood of strangers takes no more descriptors than allowed, "
              "and a probe gets through");
    write_config(b, "collector.conf", "127.0.0.1:0", "collector", "",
                 "max_connections = 4\n");
    start_collector(b);
    for (int i = 0; i < STRANGERS; i++) {
        fds[i] = connect_port(b->port);
        size_t count = i % 20 == 0 ? count_descriptors(b->pid) : 0;
        most = count > most ? count : most;
    }
    CHECK(most > 4 && most < 4 + OVER + OWN);
    if (CHECK(client_open_again(b, "P-1", &good)))
        CHECK_I64(exchange(b, &good, &batch), RECEIPT_COUNTED);
    client_close(&good);
    for (int i = 0; i < STRANGERS; i++)
        close(fds[i]);
    sample_batch_clear(&batch);
    CHECK_I64(end_collector(b, SIGTERM), 0);
}

/* --- stopping --- */

/* How many of the batches it acknowledged before it closed. */
static int count_receipts(struct bench *b, struct client *c)
{
    struct receipt receipt;
    int count = 0;
    while (client_receipt(b, c, &receipt) == RECEIPT_COUNTED)
        count++;
    return count;
}

static void test_stop(struct bench *b)
{
    enum { ALL = 200 };
    static struct sample_batch batches[ALL];
    struct client c;
    test_case("VER-18: SIGTERM with batches in flight: what was acknowledged "
              "is there, the rest comes again, all count once");
    write_config(b, "collector.conf", "127.0.0.1:0", "collector", "",
                 "log_level = debug\n");
    start_collector(b);
    int64_t rows = number(b, "SELECT count(*) FROM ledger");
    int64_t flows = number(b, "SELECT sum(flows) FROM usage");
    CHECK(client_open(b, "P-1", &c));
    for (int i = 0; i < ALL; i++) {
        batches[i] = sample_next_flow(&b->p1, now_ms());
        CHECK(client_send(&c, batches[i].bytes.data, batches[i].bytes.length));
    }
    kill(b->pid, SIGTERM);
    int acknowledged = count_receipts(b, &c);
    CHECK_I64(wait_for(b->pid), 0);
    client_close(&c);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), rows + acknowledged);
    start_collector(b);
    CHECK(client_open(b, "P-1", &c));
    for (int i = 0; i < ALL; i++) {
        CHECK_I64(exchange(b, &c, &batches[i]),
                  i < acknowledged ? RECEIPT_REPEATED : RECEIPT_COUNTED);
        sample_batch_clear(&batches[i]);
    }
    client_close(&c);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), rows + ALL);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), flows + ALL);
    CHECK_I64(end_collector(b, SIGTERM), 0);
}

/* The collector is held while they come, so it has read none of them when it is
 * told to end. */
static void test_stop_plain(struct bench *b)
{
    enum { ALL = 50 };
    int to = -1, status;
    test_case("VER-18: SIGTERM while batches of a peer without receipts wait "
              "unread: all of them count, they cannot come again");
    start_collector(b);
    int64_t rows = number(b, "SELECT count(*) FROM ledger");
    int64_t flows = number(b, "SELECT sum(flows) FROM usage");
    pid_t client = start_plain(b, "P-2", &to);
    CHECK(client > 0 && to >= 0 && wait_log(b, "plain IPFIX"));
    kill(b->pid, SIGSTOP);
    CHECK(waitpid(b->pid, &status, WUNTRACED) == b->pid && WIFSTOPPED(status));
    for (int i = 0; i < ALL; i++) {
        struct sample_batch batch = sample_next_flow(&b->p2, now_ms());
        CHECK(write_all(to, &batch.bytes));
        sample_batch_clear(&batch);
    }
    close(to);
    CHECK_I64(wait_for(client), 0);
    kill(b->pid, SIGTERM);
    kill(b->pid, SIGCONT);
    CHECK_I64(wait_for(b->pid), 0);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), rows + ALL);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), flows + ALL);
}

/* --- plain IPFIX whose connection is reset --- */

enum { CLOSE_NOTIFY_LEN = 24 }; /* its record in TLS 1.3 */

/* A plain client whose bytes go through our hands, so that the connection to
 * the collector can end as we like. */
struct relayed {
    pid_t client;
    int to;               /* what the client shall send */
    int inner, collector; /* the client's connection, and ours */
};

static int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t length = sizeof(a);
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &length) != 0) {
        close(fd);
        return -1;
    }
    *port = ntohs(a.sin_port);
    return fd;
}

static bool pass_on(int from, int to)
{
    uint8_t bytes[4096];
    ssize_t n = recv(from, bytes, sizeof(bytes), MSG_DONTWAIT);
    return n < 0 ? errno == EAGAIN
                 : n > 0 && send(to, bytes, (size_t)n, MSG_NOSIGNAL) == n;
}

static bool relayed_open(struct bench *b, const char *name, struct relayed *r)
{
    uint16_t port = 0;
    int listening = listen_anywhere(&port);
    r->client = start_plain_at(b, port, name, &r->to);
    r->inner = accept(listening, NULL, NULL);
    r->collector = connect_port(b->port);
    close(listening);
    for (int i = 0; i < WAIT_S * 100 && !log_has(b, "plain IPFIX"); i++, nap())
        if (!pass_on(r->inner, r->collector) ||
            !pass_on(r->collector, r->inner))
            return false;
    return log_has(b, "plain IPFIX");
}

/* Until the collector's kernel has all of it. */
static bool wait_delivered(int fd)
{
    int unsent = 1;
    for (int i = 0; i < WAIT_S * 100 && unsent > 0; i++, nap())
        if (ioctl(fd, SIOCOUTQ, &unsent) != 0)
            return false;
    return unsent == 0;
}

/* `count` batches and, behind them, a reset instead of TLS's farewell. */
static void relayed_send_and_reset(struct bench *b, struct relayed *r,
                                   int count)
{
    const struct linger at_once = {1, 0};
    struct buffer all;
    uint8_t bytes[4096];
    ssize_t n;
    buffer_init(&all, 1 << 22);
    for (int i = 0; i < count; i++) {
        struct sample_batch batch = sample_next_flow(&b->p2, now_ms());
        CHECK(write_all(r->to, &batch.bytes));
        sample_batch_clear(&batch);
    }
    close(r->to);
    while ((n = recv(r->inner, bytes, sizeof(bytes), 0)) > 0)
        buffer_add(&all, bytes, (size_t)n);
    CHECK_I64(wait_for(r->client), 0);
    if (CHECK(all.length > CLOSE_NOTIFY_LEN))
        all.length -= CLOSE_NOTIFY_LEN;
    CHECK(write_all(r->collector, &all) && wait_delivered(r->collector));
    setsockopt(r->collector, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(r->collector);
    close(r->inner);
    buffer_clear(&all);
}

static bool wait_rows(struct bench *b, int64_t rows)
{
    for (int i = 0; i < WAIT_S * 100; i++, nap())
        if (number(b, "SELECT count(*) FROM ledger") >= rows)
            return true;
    return false;
}

static void test_reset_plain(struct bench *b)
{
    enum { ALL = 30 };
    char path[PATH_MAX];
    struct error_text error = {""};
    struct relayed r = {0};
    test_case("VER-18: a peer without receipts resets while its first batch "
              "is being stored: what it delivered behind counts, and nobody "
              "spins for it");
    start_collector(b);
    int64_t rows = number(b, "SELECT count(*) FROM ledger");
    int64_t flows = number(b, "SELECT sum(flows) FROM usage");
    CHECK(relayed_open(b, "P-2", &r));
    struct db *other = db_open(sample_path(&b->folder, "usage.db", path),
                               DB_WRITE, NULL, 0, &error);
    if (!CHECK(other != NULL && db_begin(other)))
        return;
    relayed_send_and_reset(b, &r, ALL);
    CHECK(wait_log(b, "cannot store, batches wait"));
    long ticks = ticks_of(b->pid);
    usleep(1000000);
    CHECK(ticks_of(b->pid) - ticks < sysconf(_SC_CLK_TCK) / 2);
    db_rollback(other);
    db_close(other);
    CHECK(wait_rows(b, rows + ALL));
    CHECK(wait_log(b, "lost: "));
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), rows + ALL);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), flows + ALL);
    CHECK_I64(end_collector(b, SIGTERM), 0);
}

static void test_stop_after_reset(struct bench *b)
{
    enum { ALL = 30 };
    struct relayed r = {0};
    int status;
    test_case("VER-18: SIGTERM when a peer without receipts has reset behind "
              "batches that wait unread: all of them count");
    start_collector(b);
    int64_t rows = number(b, "SELECT count(*) FROM ledger");
    CHECK(relayed_open(b, "P-2", &r));
    kill(b->pid, SIGSTOP);
    CHECK(waitpid(b->pid, &status, WUNTRACED) == b->pid && WIFSTOPPED(status));
    relayed_send_and_reset(b, &r, ALL);
    kill(b->pid, SIGTERM);
    kill(b->pid, SIGCONT);
    CHECK_I64(wait_for(b->pid), 0);
    CHECK_I64(number(b, "SELECT count(*) FROM ledger"), rows + ALL);
}

static void test_locked(struct bench *b)
{
    char path[PATH_MAX];
    struct error_text error = {""};
    struct client c;
    struct receipt receipt;
    struct sample_batch batch = sample_next_flow(&b->p1, now_ms());
    test_case("SIGTERM while somebody else holds usage.db: it ends without a "
              "receipt, and the batch counts once afterwards");
    start_collector(b);
    CHECK(client_open(b, "P-1", &c));
    struct db *other = db_open(sample_path(&b->folder, "usage.db", path),
                               DB_WRITE, NULL, 0, &error);
    if (!CHECK(other != NULL && db_begin(other)))
        return;
    CHECK(client_send(&c, batch.bytes.data, batch.bytes.length));
    CHECK(wait_log(b, "cannot store, batches wait"));
    kill(b->pid, SIGTERM);
    CHECK_I64(client_receipt(b, &c, &receipt), -1);
    CHECK_I64(wait_for(b->pid), 0);
    client_close(&c);
    db_rollback(other);
    db_close(other);
    start_collector(b);
    CHECK(client_open(b, "P-1", &c));
    CHECK_I64(exchange(b, &c, &batch), RECEIPT_COUNTED);
    client_close(&c);
    sample_batch_clear(&batch);
    CHECK_I64(end_collector(b, SIGTERM), 0);
}

/* As after an update that starts the new one before the old one has ended. */
static void test_two_collectors(struct bench *b)
{
    struct client c;
    struct bench second = *b;
    struct sample_batch one = sample_next_flow(&b->p1, now_ms());
    struct sample_batch two = sample_next_flow(&b->p1, now_ms());
    int64_t flows = number(b, "SELECT sum(flows) FROM usage");
    test_case("VER-18: two collectors on one store: a batch that both get "
              "counts once");
    start_collector(b);
    start_collector(&second);
    CHECK(client_open(b, "P-1", &c));
    CHECK_I64(exchange(b, &c, &one), RECEIPT_COUNTED);
    client_close(&c);
    CHECK(client_open(&second, "P-1", &c));
    CHECK_I64(exchange(b, &c, &one), RECEIPT_REPEATED);
    CHECK_I64(exchange(b, &c, &two), RECEIPT_COUNTED);
    client_close(&c);
    CHECK(client_open(b, "P-1", &c));
    CHECK_I64(exchange(b, &c, &two), RECEIPT_REPEATED);
    client_close(&c);
    CHECK_I64(end_collector(&second, SIGTERM), 0);
    CHECK_I64(end_collector(b, SIGTERM), 0);
    CHECK_I64(number(b, "SELECT sum(flows) FROM usage"), flows + 2);
    CHECK(check_agrees(b));
    sample_batch_clear(&one);
    sample_batch_clear(&two);
}

/* The resident memory of a process, in KiB. */
static long memory_of(pid_t pid)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f != NULL && kib < 0 && fgets(line, sizeof(line), f) != NULL)
        sscanf(line, "VmRSS: %ld", &kib);
    if (f != NULL)
        fclose(f);
    return kib;
}

/* The sanitizer keeps what was freed for a while, which here is not looked at:
 * it shall not be taken for growth. */
static void start_without_quarantine(struct bench *b)
{
    char options[300];
    const char *before = getenv("ASAN_OPTIONS");
    char *kept = before != NULL ? strdup(before) : NULL;
    snprintf(options, sizeof(options), "%s%squarantine_size_mb=4",
             kept != NULL ? kept : "", kept != NULL ? ":" : "");
    setenv("ASAN_OPTIONS", options, 1);
    start_collector(b);
    if (kept != NULL)
        setenv("ASAN_OPTIONS", kept, 1);
    else
        unsetenv("ASAN_OPTIONS");
    free(kept);
}

static void test_deaf(struct bench *b)
{
    enum { MOST = 60000, GROWTH_KIB = 64 * 1024 };
    const struct timeval limit = {.tv_sec = 2};
    const int small = 4096;
    struct client deaf, good;
    struct sample_batch batch = sample_next_flow(&b->p1, now_ms());
    struct sample_batch other = sample_next_flow(&b->p2, now_ms());
    int sent = 0;
    test_case("a peer that never reads its receipts is not read from; others "
              "are served, nobody spins, memory stays");
    write_config(b, "collector.conf", "127.0.0.1:0", "collector", "",
                 "workers = 1\n");
    start_without_quarantine(b);
    long before = memory_of(b->pid);
    if (!CHECK(client_open(b, "P-1", &deaf)))
        return;
    setsockopt(deaf.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    setsockopt(deaf.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    while (sent < MOST &&
           client_send(&deaf, batch.bytes.data, batch.bytes.length))
        sent++;
    CHECK(sent > 0 && sent < MOST);
    CHECK(client_open(b, "P-2", &good));
    CHECK_I64(exchange(b, &good, &other), RECEIPT_COUNTED);
    CHECK(memory_of(b->pid) - before < GROWTH_KIB);
    long ticks = ticks_of(b->pid);
    usleep(1000000);
    CHECK(ticks_of(b->pid) - ticks < sysconf(_SC_CLK_TCK) / 2);
    printf("# %d batches taken, %ld KiB more\n", sent,
           memory_of(b->pid) - before);
    client_close(&deaf);
    client_close(&good);
    sample_batch_clear(&batch);
    sample_batch_clear(&other);
    CHECK_I64(end_collector(b, SIGTERM), 0);
}

struct wrong {
    const char *name;
    const char *listen, *certificate, *more;
    int status;
    const char *says;
};

static void test_wrong_start(struct bench *b, const struct wrong *w)
{
    char program[PATH_MAX], config[PATH_MAX], log[PATH_MAX], text[2000];
    char listen[64];
    test_case(w->name);
    snprintf(listen, sizeof(listen), "127.0.0.1:%u",
             strcmp(w->listen, "taken") == 0 ? b->port : 0);
    write_config(b, "wrong.conf", listen, w->certificate, "", w->more);
    snprintf(program, sizeof(program), "%s/san/bin/yz-collector", build());
    const char *argv[] = {program, "run", "-c",
                          sample_path(&b->folder, "wrong.conf", config), NULL};
    CHECK_I64(run(argv, NULL, sample_path(&b->folder, "wrong.log", log)),
              w->status);
    read_text(log, text, sizeof(text));
    if (!CHECK(strstr(text, w->says) != NULL))
        printf("# %s\n", text);
    char *end = strchr(text, '\n');
    CHECK(end != NULL && end[1] == '\0'); /* one line */
}

int main(void)
{
    static const struct wrong WRONG[] = {
        {"an occupied port", "taken", "collector", "", 1,
         "Address already in use"},
        {"a missing certificate", "free", "missing", "", 2, "missing.pem"},
        {"an expired certificate", "free", "expired", "", 2, "expired"},
        {"an unknown key in the configuration", "free", "collector",
         "colour = red\n", 2, "wrong.conf:9"},
        {"an unknown user", "free", "collector", "user = nobody-here\n", 1,
         "nobody-here"},
    };
    struct bench b;
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);
    make_expired(&b);
    start_collector(&b);
    test_counted_once(&b);
    test_identity(&b);
    test_strangers(&b);
    test_two_clients(&b);
    test_plain_ipfix(&b);
    test_kill(&b, 1);
    test_kill(&b, 17);
    test_kill(&b, 59);
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++)
        test_wrong_start(&b, &WRONG[i]);
    test_case("SIGTERM ends it with 0");
    CHECK_I64(end_collector(&b, SIGTERM), 0);
    CHECK(check_agrees(&b));
    test_stop(&b);
    test_stop_plain(&b);
    test_reset_plain(&b);
    test_stop_after_reset(&b);
    test_locked(&b);
    test_two_collectors(&b);
    test_deaf(&b);
    test_full(&b);
    test_flood(&b);
    test_superseded(&b);
    test_reload(&b);
    test_hog(&b);
    test_disk_full(&b);
    tear_down(&b);
    return test_end();
}
