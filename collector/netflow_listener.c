/*
 * One poll() over a handful of sockets and the connections. Datagrams come in
 * groups of up to GROUP by recvmmsg, with the kernel's own count of what it had
 * to drop (SO_RXQ_OVFL).
 *
 * Time: a period ends at a multiple of batch_period_s of the wall clock; before
 * it is closed the registry is read again, so a denied exporter's last flows
 * are not batched.
 */
#include "collector/netflow_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/netflow_source.h"
#include "common/crypto/secret.h"
#include "common/metrics_server.h"
#include "common/wire/ipfix.h"

enum {
    GROUP = 64,
    ROUNDS = 16, /* groups of one socket in a row */
    DATAGRAM_MAX = 65535,
    POLL_MS = 200,
    RELOAD_S = 60,
    STALL_S = 60,
    IDLE_S = 1800,
    DRAIN_S = 3, /* for what is here when we stop */
    BACKLOG = 64,
};
#define SECOND INT64_C(1000000)

struct connection {
    int fd;
    int exporter;
    struct netflow_session *session;
    struct address address;
    uint8_t *bytes; /* IPFIX_MESSAGE_MAX, of an unfinished message */
    size_t length;
    struct mono_time last_byte, message_start;
};

struct socket {
    int fd;
    uint32_t dropped; /* the kernel's count, of this socket */
};

struct listener_counters {
    uint64_t kernel_drops, connections, connections_closed;
};

struct netflow_listener {
    const struct collector_config *config;
    struct socket udp[NETFLOW_SOCKETS_MAX];
    int tcp[NETFLOW_SOCKETS_MAX];
    size_t udp_count, tcp_count;
    struct connection connections[NETFLOW_CONNECTIONS_MAX];
    size_t connection_count;
    struct sign_key *key;
    struct secret pseudonym;
    struct netflow_source *source;
    struct wall_time now, period_start, reloaded;
    pthread_t thread;
    bool is_started;
    atomic_bool stop;
    struct listener_counters counters;
    pthread_mutex_t lock; /* over the two below */
    struct netflow_totals totals;
    struct listener_counters published;
    /* Room for a group of datagrams. */
    struct mmsghdr headers[GROUP];
    struct iovec vectors[GROUP];
    struct sockaddr_storage from[GROUP];
    uint8_t control[GROUP][CMSG_SPACE(sizeof(uint32_t))];
    uint8_t bytes[GROUP][DATAGRAM_MAX];
};

/* --- opening --- */

bool netflow_is_wanted(const struct collector_config *config)
{
    return config->netflow_udp[0] != '\0' || config->ipfix_tcp[0] != '\0';
}

static int bind_socket(const struct addrinfo *a, int kind)
{
    int on = 1, bytes = NETFLOW_RECEIVE_BYTES;
    int fd = socket(a->ai_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
    if (kind == SOCK_DGRAM) {
        setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    }
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 ||
        (kind == SOCK_STREAM && listen(fd, BACKLOG) != 0)) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

static int open_socket(struct slice address, int kind, struct error_text *error)
{
    struct slice host, port;
    char host_text[LISTEN_LEN], port_text[8], text[LISTEN_LEN];
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                             .ai_socktype = kind};
    struct addrinfo *found = NULL;
    uint64_t number;
    if (!slice_copy(address, text, sizeof(text)) ||
        !slice_split_port(address, &host, &port) ||
        !slice_copy(host, host_text, sizeof(host_text)) ||
        !slice_copy(port, port_text, sizeof(port_text)) ||
        !parse_u64(port, 1, UINT16_MAX, &number)) {
        error_set(error, "\"%.*s\": HOST:PORT is expected", (int)address.length,
                  address.data);
        return -1;
    }
    int status = getaddrinfo(host_text, port_text, &hints, &found);
    int fd = status == 0 ? bind_socket(found, kind) : -1;
    if (fd < 0)
        error_set(error, "%s: %s", text,
                  status != 0 ? gai_strerror(status) : strerror(errno));
    else
        log_info("receiving %s on %s",
                 kind == SOCK_DGRAM ? "NetFlow and IPFIX over UDP"
                                    : "IPFIX over TCP",
                 text);
    if (found != NULL)
        freeaddrinfo(found);
    return fd;
}

/* Each of the addresses in the list; gives how many, or -1. */
static int open_all(const char *list, int kind, int fds[NETFLOW_SOCKETS_MAX],
                    struct error_text *error)
{
    struct slice rest = slice_of_text(list), part;
    int count = 0;
    while (rest.length > 0 && slice_next(&rest, ',', &part)) {
        if (count == NETFLOW_SOCKETS_MAX) {
            error_set(error, "more than %d addresses", NETFLOW_SOCKETS_MAX);
            return -1;
        }
        fds[count] = open_socket(slice_trim(part), kind, error);
        if (fds[count] < 0)
            return -1;
        count++;
    }
    return count;
}

static void prepare_group(struct netflow_listener *l)
{
    for (size_t i = 0; i < GROUP; i++) {
        l->vectors[i] = (struct iovec){l->bytes[i], sizeof(l->bytes[i])};
        l->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &l->from[i],
            .msg_iov = &l->vectors[i],
            .msg_iovlen = 1,
            .msg_control = l->control[i],
        };
    }
}

static bool open_ports(struct netflow_listener *l, struct error_text *error)
{
    int udp[NETFLOW_SOCKETS_MAX];
    for (size_t i = 0; i < NETFLOW_SOCKETS_MAX; i++)
        udp[i] = l->tcp[i] = l->udp[i].fd = -1;
    int udp_count = open_all(l->config->netflow_udp, SOCK_DGRAM, udp, error);
    for (size_t i = 0; i < NETFLOW_SOCKETS_MAX; i++)
        l->udp[i].fd = udp[i];
    if (udp_count < 0)
        return false;
    int tcp_count = open_all(l->config->ipfix_tcp, SOCK_STREAM, l->tcp, error);
    if (tcp_count < 0)
        return false;
    l->udp_count = (size_t)udp_count;
    l->tcp_count = (size_t)tcp_count;
    return true;
}

static bool read_keys(struct netflow_listener *l, struct error_text *error)
{
    struct secret secret;
    l->key = sign_key_load(l->config->receipt_key, error);
    if (l->key == NULL || !secret_load(l->config->secret, &secret, error))
        return false;
    l->pseudonym = secret_derive(&secret, NETFLOW_PSEUDONYM_LABEL);
    return true;
}

struct netflow_listener *
netflow_listener_open(const struct collector_config *config,
                      struct error_text *error)
{
    struct netflow_listener *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return NULL;
    l->config = config;
    pthread_mutex_init(&l->lock, NULL);
    prepare_group(l);
    if (open_ports(l, error) && read_keys(l, error))
        return l;
    netflow_listener_close(l);
    return NULL;
}

/* --- datagrams --- */

/* IPv4 addresses that an IPv6 socket shows are taken as what they are. */
static struct address address_of(const struct sockaddr_storage *from,
                                 uint16_t *port)
{
    struct address a = {.version = 4};
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        memcpy(a.bytes, &in->sin_addr, 4);
        *port = ntohs(in->sin_port);
        return a;
    }
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)from;
    *port = ntohs(in->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr)) {
        memcpy(a.bytes, in->sin6_addr.s6_addr + 12, 4);
        return a;
    }
    a.version = 6;
    memcpy(a.bytes, &in->sin6_addr, 16);
    return a;
}

static void count_drops(struct netflow_listener *l, struct socket *s,
                        struct msghdr *header)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL;
         c = CMSG_NXTHDR(header, c)) {
        uint32_t dropped;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&dropped, CMSG_DATA(c), sizeof(dropped));
        l->counters.kernel_drops += dropped - s->dropped;
        s->dropped = dropped;
    }
}

static void take_datagram(struct netflow_listener *l, size_t index)
{
    uint16_t port;
    struct address a = address_of(&l->from[index], &port);
    int exporter = netflow_source_find(l->source, &a);
    if (exporter == NETFLOW_NOBODY)
        netflow_source_refuse(l->source, &a, l->now);
    else
        netflow_source_datagram(l->source, exporter, port, l->bytes[index],
                                l->headers[index].msg_len, l->now);
}

static void read_datagrams(struct netflow_listener *l, struct socket *s)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < GROUP; i++) {
            l->headers[i].msg_hdr.msg_namelen = sizeof(l->from[i]);
            l->headers[i].msg_hdr.msg_controllen = sizeof(l->control[i]);
        }
        int count = recvmmsg(s->fd, l->headers, GROUP, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            count_drops(l, s, &l->headers[i].msg_hdr);
            take_datagram(l, (size_t)i);
        }
        if (count < GROUP)
            return;
    }
}

/* --- connections --- */

static void close_connection(struct netflow_listener *l, struct connection *c,
                             const char *why)
{
    char text[ADDRESS_TEXT_LEN];
    address_to_text(&c->address, text);
    log_info("exporter %s (%s): connection closed: %s",
             netflow_source_id(l->source, c->exporter), text, why);
    netflow_source_close_stream(l->source, c->exporter, c->session);
    close(c->fd);
    free(c->bytes);
    *c = l->connections[--l->connection_count];
    l->counters.connections_closed++;
}

static size_t connections_of(const struct netflow_listener *l, int exporter)
{
    size_t count = 0;
    for (size_t i = 0; i < l->connection_count; i++)
        count += l->connections[i].exporter == exporter;
    return count;
}

static bool add_connection(struct netflow_listener *l, int fd,
                           const struct address *address, int exporter)
{
    if (l->connection_count == NETFLOW_CONNECTIONS_MAX ||
        connections_of(l, exporter) >= NETFLOW_CONNECTIONS_EACH)
        return false;
    struct connection *c = &l->connections[l->connection_count];
    *c = (struct connection){
        .fd = fd,
        .exporter = exporter,
        .address = *address,
        .session = netflow_source_open_stream(l->source),
        .bytes = malloc(IPFIX_MESSAGE_MAX),
        .last_byte = mono_now(),
        .message_start = mono_now(),
    };
    if (c->session == NULL || c->bytes == NULL) {
        netflow_session_free(c->session);
        free(c->bytes);
        return false;
    }
    l->connection_count++;
    l->counters.connections++;
    return true;
}

/* All whole messages; false with a reason when the connection is to end. */
static bool take_messages(struct netflow_listener *l, struct connection *c,
                          const char **why)
{
    size_t at = 0;
    bool good = true;
    while (good && c->length - at >= IPFIX_HEADER_LEN) {
        const uint8_t *message = c->bytes + at;
        uint16_t version = (uint16_t)(message[0] << 8 | message[1]);
        size_t length = (size_t)message[2] << 8 | message[3];
        if (version != IPFIX_VERSION || length < IPFIX_HEADER_LEN) {
            *why = "not IPFIX";
            return false;
        }
        if (length > c->length - at)
            break;
        enum netflow_status status = netflow_source_message(
            l->source, c->exporter, c->session, message, length, l->now);
        *why = netflow_status_text(status);
        good = status == NETFLOW_OK;
        at += length;
    }
    memmove(c->bytes, c->bytes + at, c->length - at);
    c->length -= at;
    if (at > 0)
        c->message_start = mono_now();
    return good;
}

static void read_connection(struct netflow_listener *l, struct connection *c)
{
    const char *why = "";
    for (int round = 0; round < ROUNDS; round++) {
        ssize_t n =
            read(c->fd, c->bytes + c->length, IPFIX_MESSAGE_MAX - c->length);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            close_connection(l, c,
                             n < 0 ? strerror(errno)
                                   : (c->length > 0 ? "it ends within a message"
                                                    : "the exporter ended it"));
            return;
        }
        c->last_byte = mono_now();
        if (c->length == 0)
            c->message_start = c->last_byte;
        c->length += (size_t)n;
        if (!take_messages(l, c, &why)) {
            close_connection(l, c, why);
            return;
        }
    }
}

/* Read at once: exporters that send, close and come again do not use up the
 * connections that they may have. */
static void accept_connections(struct netflow_listener *l, int listening)
{
    for (int i = 0; i < GROUP; i++) {
        struct sockaddr_storage from;
        socklen_t length = sizeof(from);
        uint16_t port;
        int fd = accept4(listening, (struct sockaddr *)&from, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct address a = address_of(&from, &port);
        int exporter = netflow_source_find(l->source, &a);
        if (exporter == NETFLOW_NOBODY)
            netflow_source_refuse(l->source, &a, l->now);
        if (exporter == NETFLOW_NOBODY || !add_connection(l, fd, &a, exporter))
            close(fd);
        else
            read_connection(l, &l->connections[l->connection_count - 1]);
    }
}

static void close_overdue(struct netflow_listener *l)
{
    struct mono_time now = mono_now();
    for (size_t i = l->connection_count; i-- > 0;) {
        struct connection *c = &l->connections[i];
        if (c->length > 0 && now.us - c->message_start.us > STALL_S * SECOND)
            close_connection(l, c, "a message does not get on");
        else if (now.us - c->last_byte.us > IDLE_S * SECOND)
            close_connection(l, c, "silent for too long");
    }
}

/* An exporter that left the registry is not heard any more. */
static void close_denied(struct netflow_listener *l)
{
    for (size_t i = l->connection_count; i-- > 0;) {
        struct connection *c = &l->connections[i];
        if (netflow_source_find(l->source, &c->address) != c->exporter)
            close_connection(l, c, "no longer registered");
    }
}

/* --- the thread --- */

static void publish(struct netflow_listener *l)
{
    struct netflow_totals totals;
    netflow_source_totals(l->source, &totals);
    pthread_mutex_lock(&l->lock);
    l->totals = totals;
    l->published = l->counters;
    pthread_mutex_unlock(&l->lock);
}

static void reload(struct netflow_listener *l)
{
    l->reloaded = l->now;
    netflow_source_reload(l->source, l->now);
    close_denied(l);
}

static struct wall_time period_start(const struct netflow_listener *l)
{
    int64_t period_us = (int64_t)l->config->batch_period_s * SECOND;
    return (struct wall_time){l->now.us / period_us * period_us};
}

static void close_period(struct netflow_listener *l, bool is_all)
{
    struct wall_time next = period_start(l);
    struct source_period period = {wall_to_ms(l->period_start),
                                   wall_to_ms(is_all ? l->now : next)};
    if (period.start_ms > period.end_ms) /* the clock was set back */
        period.start_ms = period.end_ms;
    reload(l);
    netflow_source_close(l->source, period, l->now, is_all);
    l->period_start = next;
}

static void keep_time(struct netflow_listener *l)
{
    struct wall_time start = period_start(l);
    if (start.us > l->period_start.us)
        close_period(l, false);
    else if (start.us < l->period_start.us)
        l->period_start = start; /* the clock was set back */
    if (l->now.us - l->reloaded.us > RELOAD_S * SECOND ||
        l->now.us < l->reloaded.us)
        reload(l);
    close_overdue(l);
    publish(l);
}

static size_t fill_polls(const struct netflow_listener *l, struct pollfd *polls)
{
    size_t count = 0;
    for (size_t i = 0; i < l->udp_count; i++)
        polls[count++] = (struct pollfd){l->udp[i].fd, POLLIN, 0};
    for (size_t i = 0; i < l->tcp_count; i++)
        polls[count++] = (struct pollfd){l->tcp[i], POLLIN, 0};
    for (size_t i = 0; i < l->connection_count; i++)
        polls[count++] = (struct pollfd){l->connections[i].fd, POLLIN, 0};
    return count;
}

/* Connections from the last to the first: closing one moves the last into its
 * place. */
static void read_ready(struct netflow_listener *l, const struct pollfd *polls,
                       size_t count)
{
    size_t fixed = l->udp_count + l->tcp_count;
    for (size_t i = count; i-- > fixed;)
        if (polls[i].revents != 0)
            read_connection(l, &l->connections[i - fixed]);
    for (size_t i = l->udp_count; i < fixed; i++)
        if (polls[i].revents != 0)
            accept_connections(l, l->tcp[i - l->udp_count]);
    for (size_t i = 0; i < l->udp_count; i++)
        if (polls[i].revents != 0)
            read_datagrams(l, &l->udp[i]);
}

/* False: nothing came. */
static bool serve_round(struct netflow_listener *l, int wait_ms)
{
    struct pollfd polls[2 * NETFLOW_SOCKETS_MAX + NETFLOW_CONNECTIONS_MAX];
    size_t count = fill_polls(l, polls);
    int ready = poll(polls, count, wait_ms);
    l->now = wall_now();
    if (ready > 0)
        read_ready(l, polls, count);
    return ready > 0;
}

/* Reads until nothing waits any more: datagrams, connections, and connections
 * that nobody has accepted yet. Those who go on sending are left at the bound.
 */
static void drain(struct netflow_listener *l)
{
    struct mono_time end = {mono_now().us + DRAIN_S * SECOND};
    while (serve_round(l, 0) && mono_now().us < end.us)
        ;
}

static void close_ports(struct netflow_listener *l)
{
    for (size_t i = 0; i < NETFLOW_SOCKETS_MAX; i++) {
        if (l->udp[i].fd >= 0)
            close(l->udp[i].fd);
        if (l->tcp[i] >= 0)
            close(l->tcp[i]);
        l->udp[i].fd = l->tcp[i] = -1;
    }
}

static void *run(void *context)
{
    struct netflow_listener *l = context;
    struct mono_time kept = mono_now();
    while (!atomic_load(&l->stop)) {
        serve_round(l, POLL_MS);
        struct mono_time now = mono_now();
        if (now.us - kept.us < POLL_MS * INT64_C(1000))
            continue;
        kept = now;
        keep_time(l);
    }
    drain(l);
    close_ports(l); /* from here on the kernel tells those who send */
    close_period(l, true);
    publish(l);
    return NULL;
}

static bool start_thread(struct netflow_listener *l, struct error_text *error)
{
    sigset_t all, before;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int status = pthread_create(&l->thread, NULL, run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    l->is_started = status == 0;
    return status == 0 || error_set(error, "thread: %s", strerror(status));
}

bool netflow_listener_start(struct netflow_listener *listener,
                            struct source_queue *queue,
                            struct error_text *error)
{
    struct netflow_listener *l = listener;
    const struct collector_config *config = l->config;
    struct digest software;
    if (!digest_of_file("/proc/self/exe", &software))
        return error_set(error, "/proc/self/exe cannot be read");
    const struct netflow_source_options options = {
        .registry = config->registry,
        .endpoints = config->endpoints,
        .key = l->key,
        .pseudonym = &l->pseudonym,
        .software_hash = software,
        .template_lifetime_ms = (int64_t)config->template_lifetime_s * 1000,
        .accept_sample = config->accept_sample,
        .finished = source_queue_push,
        .context = queue,
    };
    l->now = l->reloaded = wall_now();
    l->period_start = l->now;
    l->source = netflow_source_new(&options, l->now, error);
    return l->source != NULL && start_thread(l, error);
}

void netflow_listener_close(struct netflow_listener *listener)
{
    struct netflow_listener *l = listener;
    if (l == NULL)
        return;
    atomic_store(&l->stop, true);
    if (l->is_started)
        pthread_join(l->thread, NULL);
    while (l->connection_count > 0)
        close_connection(l, &l->connections[0], "the collector stops");
    close_ports(l);
    netflow_source_free(l->source);
    sign_key_free(l->key);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* --- metrics --- */

#define PREFIX "yunzheng_collector_netflow_"

static void print_table(struct buffer *out,
                        const struct netflow_counter_name *names,
                        const void *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[64];
        uint64_t value;
        memcpy(&value, (const uint8_t *)values + i * sizeof(value),
               sizeof(value));
        snprintf(name, sizeof(name), "%s%s", names[i].name,
                 names[i].may_fall ? "" : "_total");
        metrics_add_head(out, PREFIX, name,
                         names[i].may_fall ? "gauge" : "counter",
                         names[i].help);
        buffer_addf(out, PREFIX "%s %" PRIu64 "\n", name, value);
    }
}

void netflow_listener_print(struct netflow_listener *listener,
                            struct buffer *out)
{
    static const struct netflow_counter_name own[] = {
        {"kernel_dropped_messages", "Datagrams the kernel dropped."},
        {"connections", "Connections accepted."},
        {"connections_closed", "Connections ended."},
        {"refused_messages", "From addresses that are not registered."},
        {"failed_batches", "Batches that could not be made."},
    };
    pthread_mutex_lock(&listener->lock);
    const struct netflow_totals t = listener->totals;
    const struct listener_counters c = listener->published;
    pthread_mutex_unlock(&listener->lock);
    const uint64_t values[] = {c.kernel_drops, c.connections,
                               c.connections_closed, t.refused, t.batches_lost};
    print_table(out, netflow_counter_names, &t.counters, NETFLOW_COUNTER_COUNT);
    print_table(out, netflow_tally_names, &t.tally, NETFLOW_TALLY_COUNT);
    print_table(out, own, values, sizeof(values) / sizeof(values[0]));
}
