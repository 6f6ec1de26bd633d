/*
 * The order of the start is its meaning: configuration and captures are opened
 * with the rights we were given; the kernel filter is proved; the readers are
 * forked before any key is in memory; then come the keys, and rights are
 * dropped; only then are files of our own touched and packets looked at.
 */
#include "probe/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/durable.h"
#include "probe/process/process.h"
#include "probe/process/sandbox.h"

enum {
    ANSWER_TIMEOUT_S = 30,
    PAUSE_MIN_MS = 1000,
    PAUSE_MAX_MS = 300 * 1000,
    DNS_PORT = 53,
};

/* --- the endpoint list --- */

/* The very bytes that were parsed, for the readers, which cannot change them
 * for one another. */
static int memory_of(struct slice text)
{
    int fd = memfd_create("endpoints", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    for (size_t done = 0; fd >= 0 && done < text.length;) {
        ssize_t n = write(fd, text.data + done, text.length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    if (fd >= 0 &&
        fcntl(fd, F_ADD_SEALS,
              F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

const char *parts_list_path(const struct probe_config *config, char *path)
{
    bool is_kept =
        config->registry_key[0] != '\0' &&
        return_side_list_path(config->state, path, DURABLE_PATH_LEN) &&
        access(path, R_OK) == 0;
    return is_kept ? path : config->endpoints;
}

bool parts_take_list(struct slice text, const char *name,
                     struct endpoint_list **list, int *fd,
                     struct error_text *error)
{
    *fd = -1;
    *list = endpoint_list_parse(text, name, error);
    if (*list != NULL)
        *fd = memory_of(text);
    if (*list != NULL && *fd < 0) {
        endpoint_list_free(*list);
        *list = NULL;
        error_set(error, "%s: no memory", name);
    }
    return *list != NULL;
}

bool parts_read_list(const char *path, struct endpoint_list **list, int *fd,
                     struct error_text *error)
{
    struct buffer text;
    *list = NULL;
    *fd = -1;
    bool good = buffer_read_file(&text, path, ENDPOINT_BYTES_MAX);
    if (!good)
        error_set(error, "%s: %s", path, strerror(errno));
    good = good && parts_take_list(buffer_slice(&text), path, list, fd, error);
    buffer_clear(&text);
    return good;
}

/* --- keys --- */

static bool open_keys(struct parts *p, struct error_text *error)
{
    const struct probe_config *c = &p->config;
    p->key = sign_key_load(c->signing_key, error);
    if (p->key == NULL)
        return false;
    p->receipt_key_length = sign_public_load(
        c->receipt_key, &p->receipt_algorithm, p->receipt_key, error);
    if (p->receipt_key_length == 0)
        return false;
    if (c->registry_key[0] != '\0') {
        p->registry_key_length = sign_public_load(
            c->registry_key, &p->registry_algorithm, p->registry_key, error);
        if (p->registry_key_length == 0)
            return false;
    }
    p->tls = tls_context_client(c->ca, c->certificate, c->tls_key, wall_now(),
                                error);
    return p->tls != NULL;
}

/* Whether the keys will do, tried in a process of its own: faults are told
 * before an interface is touched, and the readers, forked from this process,
 * never have a key in their memory. */
static bool try_keys(struct parts *p)
{
    struct error_text error;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        bool good = open_keys(p, &error);
        if (!good)
            log_error("%s", error.text);
        _exit(good ? 0 : 1);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid < 0 || status == 0; /* they are opened again in any case */
}

/* Before a packet socket is open, and before the batch key is in memory. */
static bool start_renewer(struct parts *p, struct error_text *error)
{
    if (p->config.portal[0] != '\0')
        p->renewer = renewer_start(&p->config, error);
    return p->config.portal[0] == '\0' || p->renewer != NULL;
}

/* What a wrong configuration shows in. A fault of a key is told already. */
static bool open_configured(struct parts *p, struct error_text *error)
{
    const struct probe_config *c = &p->config;
    char path[DURABLE_PATH_LEN];
    if (!parts_read_list(parts_list_path(c, path), &p->endpoints, &p->list_fd,
                         error) ||
        !try_keys(p))
        return false;
    if (!digest_of_file("/proc/self/exe", &p->software_hash))
        return error_set(error, "/proc/self/exe: %s", strerror(errno));
    for (size_t i = 0; i < c->interface_count; i++)
        if (strcmp(c->interfaces[i], "any") != 0 &&
            if_nametoindex(c->interfaces[i]) == 0)
            return error_set(error, "interface %s: there is no such interface",
                             c->interfaces[i]);
    return true;
}

/* A group number of PACKET_FANOUT is one of the network namespace's. */
static uint16_t fanout_group(size_t interface)
{
    return (uint16_t)((unsigned)getpid() * READER_INTERFACES_MAX + interface);
}

static bool open_one_capture(struct parts *p, size_t interface,
                             struct error_text *error)
{
    const struct probe_config *c = &p->config;
    struct capture_options options = {.interface = c->interfaces[interface],
                                      .snap_length = c->snap_length,
                                      .buffer_mb = c->buffer_mb,
                                      .is_promiscuous = c->is_promiscuous};
    struct capture *capture = capture_open_live(&options, error);
    if (capture == NULL)
        return false;
    p->captures[p->capture_count++] = capture;
    if (!meter_reads_link_type(capture_link_type(capture)))
        return error_set(error, "interface %s: link type %s is not supported",
                         options.interface, capture_link_name(capture));
    return true;
}

static bool open_captures(struct parts *p, struct error_text *error)
{
    const struct probe_config *c = &p->config;
    for (size_t w = 0; w < c->workers; w++)
        for (size_t i = 0; i < c->interface_count; i++)
            if (!open_one_capture(p, i, error))
                return false;
    for (size_t i = 0; i < p->capture_count && c->workers > 1; i++)
        if (!capture_join_fanout(p->captures[i],
                                 fanout_group(i % c->interface_count), error))
            return false;
    p->filter = filter_attach((enum filter_kind)c->kernel_filter, p->endpoints,
                              p->captures, p->capture_count,
                              (uint32_t)c->snap_length, wall_now(), error);
    if (p->filter == NULL)
        return false;
    for (size_t i = 0; i < p->capture_count; i++) {
        struct capture_counters one = capture_counters(p->captures[i]);
        p->before.received += one.received;
        p->before.dropped += one.dropped;
        p->before.delivered += one.delivered;
    }
    return true;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* The maps of the kernel filter are not for readers. */
static void on_forked(void *context)
{
    struct parts *p = context;
    renewer_leave(p->renewer);
    filter_free(p->filter);
    close_fd(p->list_fd);
    close_fd(p->status_fd);
}

static bool start_readers(struct parts *p,
                          const struct parts_callbacks *callbacks,
                          struct error_text *error)
{
    const struct probe_config *c = &p->config;
    struct readers_options options = {
        .captures = p->captures,
        .workers = c->workers,
        .interfaces = c->interface_count,
        .endpoints = p->endpoints,
        .meter = probe_config_meter(c),
        .user = c->user,
        .forked = on_forked,
        .forked_context = p,
        .flow = callbacks->flow,
        .marked = callbacks->marked,
        .taken = callbacks->taken,
        .context = callbacks->context,
    };
    p->readers = readers_start(&options, error);
    return p->readers != NULL;
}

/* From here on no packet can be seen in this process. */
static bool leave_captures(struct parts *p, struct error_text *error)
{
    bool is_exchanged = filter_kind(p->filter) == FILTER_CLASSIC;
    for (size_t i = 0; i < p->capture_count; i++)
        if (!capture_leave(p->captures[i], is_exchanged))
            return error_set(
                error, "interface %s: %s",
                p->config.interfaces[i % p->config.interface_count],
                strerror(errno));
    return true;
}

/* The port of "HOST:PORT"; 0 when it is none. */
static uint16_t port_of(const char *address)
{
    struct slice host, text;
    uint64_t port = 0;
    if (!slice_split_port(slice_of_text(address), &host, &text) ||
        !parse_u64(text, 1, UINT16_MAX, &port))
        return 0;
    return (uint16_t)port;
}

static struct sandbox_options sandbox_of(const struct parts *p)
{
    const struct probe_config *c = &p->config;
    return (struct sandbox_options){
        .role = SANDBOX_UPLINK,
        .user = c->user,
        .state = c->state,
        .files = {c->endpoints, c->ca, c->certificate, c->tls_key},
        .file_count = 4,
        .ports = {port_of(c->proxy[0] != '\0' ? c->proxy : c->collector),
                  DNS_PORT},
        .port_count = 2};
}

/* Reads or makes the pseudonym key, which is then the readers' alone. */
static bool begin_reading(struct parts *p, struct error_text *error)
{
    char path[DURABLE_PATH_LEN];
    uint8_t key[PSEUDONYM_KEY_LEN];
    if (!durable_path(path, p->config.state, "pseudonym.key"))
        return error_set(error, "%s: too long", p->config.state);
    if (!exporter_load_key(path, p->config.voucher_period, key, error))
        return false;
    bool good = readers_begin(p->readers, key) ||
                error_set(error, "reader: cannot be started");
    explicit_bzero(key, sizeof(key));
    return good;
}

static bool open_own(struct parts *p, struct error_text *error)
{
    const struct probe_config *c = &p->config;
    struct exporter_options exporter = {.probe_id = c->probe_id,
                                        .key = p->key,
                                        .endpoints = p->endpoints,
                                        .software_hash = p->software_hash,
                                        .start = p->started};
    struct return_side_options side = {
        .state = c->state,
        .registry_algorithm = p->registry_algorithm,
        .registry_key =
            slice_of_bytes(p->registry_key, p->registry_key_length)};
    struct uplink_options uplink = {
        .proxy = c->proxy,
        .collector = c->collector,
        .collector_name = c->collector_name,
        .probe_id = c->probe_id,
        .receipt_algorithm = p->receipt_algorithm,
        .receipt_key = slice_of_bytes(p->receipt_key, p->receipt_key_length),
        .answer_timeout_s = ANSWER_TIMEOUT_S,
        .pause_min_ms = PAUSE_MIN_MS,
        .pause_max_ms = PAUSE_MAX_MS};
    p->spool = spool_open(c->state, c->spool_mb << 20, c->sent_mb << 20, error);
    if (p->spool == NULL)
        return false;
    p->receipts = receipts_open(c->state, c->receipts_mb << 20, error);
    if (p->receipts == NULL)
        return false;
    p->exporter = exporter_new(&exporter);
    if (p->exporter == NULL)
        return error_set(error, "no memory");
    p->side = return_side_new(&side, error);
    if (p->side == NULL)
        return false;
    return_side_set_version(p->side, endpoint_list_version(p->endpoints));
    uplink.side = p->side;
    uplink.receipts = p->receipts;
    p->uplink = uplink_new(&uplink, p->tls, p->spool);
    return p->uplink != NULL ||
           error_set(error, "collector %s, proxy %s: not HOST:PORT",
                     c->collector, c->proxy);
}

/* Tried twice: a folder below /run is root's, and may be the user's, where root
 * without all its capabilities makes no file. */
static bool open_metrics(struct parts *p, struct error_text *error)
{
    if (p->metrics == NULL)
        p->metrics = metrics_open(p->config.metrics, error);
    return p->metrics != NULL;
}

static bool enter_sandbox(struct parts *p, struct error_text *error)
{
    struct sandbox_options sandbox = sandbox_of(p);
    (void)open_metrics(p, error);
    return sandbox_leave_root(&sandbox, error) && open_metrics(p, error) &&
           open_own(p, error) &&
           sandbox_enter(&sandbox, p->status_fd, &p->sandbox, error) &&
           begin_reading(p, error);
}

bool parts_renew_tls(struct parts *p, struct error_text *error)
{
    const struct probe_config *c = &p->config;
    struct tls_context *fresh = tls_context_client_again(
        p->tls, c->ca, c->certificate, wall_now(), error);
    if (fresh == NULL)
        fresh = tls_context_client(c->ca, c->certificate, c->tls_key,
                                   wall_now(), error);
    if (fresh == NULL)
        return false;
    uplink_set_context(p->uplink, fresh);
    tls_context_free(p->tls);
    p->tls = fresh;
    return true;
}

void parts_close(struct parts *p)
{
    renewer_free(p->renewer);
    readers_free(p->readers);
    metrics_close(p->metrics);
    uplink_free(p->uplink);
    return_side_free(p->side);
    exporter_free(p->exporter);
    receipts_free(p->receipts);
    spool_close(p->spool);
    filter_free(p->filter);
    for (size_t i = 0; i < p->capture_count; i++)
        capture_close(p->captures[i]);
    tls_context_free(p->tls);
    sign_key_free(p->key);
    endpoint_list_free(p->endpoints);
    close_fd(p->list_fd);
    close_fd(p->status_fd);
}

int parts_open(struct parts *p, const struct parts_callbacks *callbacks)
{
    struct error_text error = {{0}};
    int status = 0;
    p->status_fd = process_open();
    p->list_fd = -1;
    p->started = wall_now();
    if (!open_configured(p, &error) || !start_renewer(p, &error))
        status = 2;
    else if (!open_captures(p, &error) ||
             !start_readers(p, callbacks, &error) || !leave_captures(p, &error))
        status = 1;
    else if (!open_keys(p, &error) || !enter_sandbox(p, &error))
        status = 2;
    if (status != 0 && error.text[0] != '\0')
        log_error("%s", error.text);
    return status;
}
