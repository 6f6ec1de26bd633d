#include "probe/uplink/uplink.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "common/wire/ipfix_decode.h"
#include "common/wire/return_channel.h"
#include "probe/uplink/proxy.h"

enum {
    HOST_LEN = 256,
    PORT_LEN = 8,
    RESOLVE_POLL_MS = 50,
    READ_CHUNK = 4096,
    WRITE_CHUNK = 16 * 1024,
    STEP_BYTES_MAX = 1024 * 1024, /* then packets get their turn */
    RECEIVE_MAX = 2 * IPFIX_MESSAGE_MAX,
    QUESTIONS_MAX = 4096,
    FAULT_LEN = HOST_LEN + PORT_LEN + 160,
};

enum state { PAUSED, RESOLVING, CONNECTING, PROXYING, HANDSHAKING, OPEN };

/* A name is looked up by the C library's own thread. The request outlives the
 * uplink when it cannot be cancelled. */
struct lookup {
    struct gaicb request;
    struct addrinfo hints;
    char host[HOST_LEN], port[PORT_LEN];
};

struct sent {
    struct digest hash;
    struct mono_time when; /* the last byte went out */
};

struct uplink {
    struct uplink_options options;
    struct tls_context *context;
    struct spool *spool;
    enum state state;
    struct mono_time until; /* end of the pause, or of patience */
    uint64_t pause_ms;
    char host[HOST_LEN], port[PORT_LEN]; /* of the proxy, when there is one */
    struct proxy proxy;
    struct lookup *lookup;
    struct addrinfo *addresses, *address; /* list, and the one to try */
    int fd;
    struct tls *tls;
    short events;
    bool has_more; /* stopped for the sake of fairness */
    uint64_t next_number;
    struct buffer out; /* the batch on its way, or questions */
    size_t out_done;
    bool out_is_batch;
    struct mono_time out_progress;
    struct sent window[UPLINK_WINDOW]; /* oldest first */
    size_t window_count;
    struct buffer in;
    struct uplink_status status;
};

/* --- an end, a pause --- */

static void forget_lookup(struct uplink *u)
{
    struct lookup *l = u->lookup;
    u->lookup = NULL;
    if (l == NULL)
        return;
    if (gai_error(&l->request) == EAI_INPROGRESS &&
        gai_cancel(&l->request) == EAI_NOTCANCELED)
        return; /* its thread still writes there */
    if (l->request.ar_result != NULL)
        freeaddrinfo(l->request.ar_result);
    free(l);
}

static void close_socket(struct uplink *u)
{
    tls_free(u->tls);
    u->tls = NULL;
    if (u->fd >= 0)
        close(u->fd);
    u->fd = -1;
    u->events = 0;
}

static void disconnect(struct uplink *u)
{
    close_socket(u);
    forget_lookup(u);
    if (u->addresses != NULL)
        freeaddrinfo(u->addresses);
    u->addresses = u->address = NULL;
    buffer_clear(&u->out);
    buffer_reset(&u->in);
    u->out_done = 0;
    u->window_count = 0;
    u->next_number = 0;
    u->has_more = false;
    u->state = PAUSED;
    u->status.is_connected = false;
}

/* Until it has taken the request, the other end is the proxy. */
static void tell_fault(const struct uplink *u, const char *reason,
                       char text[static FAULT_LEN])
{
    if (u->proxy.address.length > 0 && u->state < PROXYING)
        snprintf(text, FAULT_LEN, "proxy %s:%s: %s", u->host, u->port, reason);
    else
        snprintf(text, FAULT_LEN, "%s", reason);
}

/* Between half and one and a half times the pause, so that probes which lost
 * the same collector do not come back as one. */
static void pause_after_failure(struct uplink *u, struct mono_time now,
                                const char *reason)
{
    uint32_t chance;
    char text[FAULT_LEN];
    tell_fault(u, reason, text); /* the reason may be the TLS session's */
    disconnect(u);
    random_bytes(&chance, sizeof(chance));
    uint64_t ms = u->pause_ms / 2 + chance % (u->pause_ms + 1);
    log_warn("collector %s: %s; again in %" PRIu64 ".%" PRIu64
             " s, %zu batches wait",
             u->options.collector, text, ms / 1000, ms % 1000 / 100,
             spool_count(u->spool));
    u->until = mono_later(now, (int64_t)ms);
    u->status.failures++;
    u->status.fault_time = now;
    snprintf(u->status.fault, sizeof(u->status.fault), "%.*s",
             (int)sizeof(u->status.fault) - 1, text);
    u->pause_ms *= 2;
    if (u->pause_ms > u->options.pause_max_ms)
        u->pause_ms = u->options.pause_max_ms;
}

/* --- towards a connection --- */

static void start_next_address(struct uplink *u, struct mono_time now,
                               const char *reason)
{
    int on = 1;
    for (; u->address != NULL; u->address = u->address->ai_next) {
        const struct addrinfo *a = u->address;
        u->fd =
            socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (u->fd >= 0 && (connect(u->fd, a->ai_addr, a->ai_addrlen) == 0 ||
                           errno == EINPROGRESS)) {
            setsockopt(u->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
            setsockopt(u->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
            u->address = a->ai_next;
            u->state = CONNECTING;
            u->events = POLLOUT;
            u->until =
                mono_later(now, (int64_t)(u->options.answer_timeout_s * 1000));
            return;
        }
        reason = strerror(errno);
        close_socket(u);
    }
    pause_after_failure(u, now, reason);
}

static void use_addresses(struct uplink *u, struct addrinfo *list,
                          struct mono_time now)
{
    u->addresses = u->address = list;
    start_next_address(u, now, "no address to connect to");
}

static void start_lookup(struct uplink *u, struct mono_time now)
{
    struct lookup *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        pause_after_failure(u, now, "no memory");
        return;
    }
    memcpy(l->host, u->host, sizeof(l->host));
    memcpy(l->port, u->port, sizeof(l->port));
    l->hints.ai_socktype = SOCK_STREAM;
    l->hints.ai_flags = AI_NUMERICSERV;
    l->request.ar_name = l->host;
    l->request.ar_service = l->port;
    l->request.ar_request = &l->hints;
    struct gaicb *list[] = {&l->request};
    int fault = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    if (fault != 0) {
        free(l);
        pause_after_failure(u, now, gai_strerror(fault));
        return;
    }
    u->lookup = l;
    u->state = RESOLVING;
    u->until = mono_later(now, (int64_t)(u->options.answer_timeout_s * 1000));
}

static void step_paused(struct uplink *u, struct mono_time now)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    if (now.us < u->until.us || spool_count(u->spool) == 0)
        return;
    u->status.attempts++;
    if (getaddrinfo(u->host, u->port, &hints, &list) == 0)
        use_addresses(u, list, now);
    else
        start_lookup(u, now);
}

static void step_resolving(struct uplink *u, struct mono_time now)
{
    int fault = gai_error(&u->lookup->request);
    if (fault == EAI_INPROGRESS)
        return;
    struct addrinfo *list = u->lookup->request.ar_result;
    u->lookup->request.ar_result = NULL;
    forget_lookup(u);
    if (fault != 0)
        pause_after_failure(u, now, gai_strerror(fault));
    else
        use_addresses(u, list, now);
}

static void start_tls(struct uplink *u, struct mono_time now);

static void start_proxy(struct uplink *u)
{
    buffer_init(&u->out, QUESTIONS_MAX);
    proxy_request(&u->proxy, u->options.collector, &u->out);
    u->out_done = 0;
    u->state = PROXYING;
    u->events = POLLIN | POLLOUT;
    u->has_more = true;
}

static void step_connecting(struct uplink *u, struct mono_time now)
{
    struct pollfd ready = {.fd = u->fd, .events = POLLOUT};
    int fault = 0;
    socklen_t size = sizeof(fault);
    if (poll(&ready, 1, 0) <= 0)
        return;
    if (getsockopt(u->fd, SOL_SOCKET, SO_ERROR, &fault, &size) != 0)
        fault = errno;
    if (fault != 0) {
        close_socket(u);
        start_next_address(u, now, strerror(fault));
        return;
    }
    if (u->proxy.address.length > 0)
        start_proxy(u);
    else
        start_tls(u, now);
}

/* One chunk of the request, or of the answer, as far as it goes at once. */
static const char *exchange_with_proxy(struct uplink *u)
{
    uint8_t chunk[READ_CHUNK];
    while (u->out_done < u->out.length) {
        ssize_t n = send(u->fd, u->out.data + u->out_done,
                         u->out.length - u->out_done, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? NULL : strerror(errno);
        u->out_done += (size_t)n;
    }
    u->events = POLLIN;
    ssize_t n = recv(u->fd, chunk, sizeof(chunk), 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? NULL : strerror(errno);
    if (n == 0)
        return "the proxy closed the connection";
    buffer_add(&u->in, chunk, (size_t)n);
    return NULL;
}

static void step_proxying(struct uplink *u, struct mono_time now)
{
    char reason[160];
    const char *fault = exchange_with_proxy(u);
    enum proxy_answer answer = PROXY_MORE;
    if (fault == NULL)
        answer = proxy_answer(buffer_slice(&u->in), reason);
    if (fault != NULL || answer == PROXY_REFUSED) {
        pause_after_failure(u, now, fault != NULL ? fault : reason);
        return;
    }
    if (answer == PROXY_MORE)
        return;
    buffer_clear(&u->out);
    u->out_done = 0;
    buffer_reset(&u->in);
    start_tls(u, now);
}

static void start_tls(struct uplink *u, struct mono_time now)
{
    u->tls = tls_connect(u->context, u->fd, u->options.collector_name);
    if (u->tls == NULL) {
        pause_after_failure(u, now, "no memory for a TLS session");
        return;
    }
    u->state = HANDSHAKING;
    u->events = POLLIN | POLLOUT;
    u->has_more = true;
}

static void step_handshaking(struct uplink *u, struct mono_time now)
{
    switch (tls_handshake(u->tls)) {
    case TLS_OK:
        if (!tls_peer_wants_yz1(u->tls)) {
            pause_after_failure(u, now, "it offers no return channel (yz/1)");
            return;
        }
        u->state = OPEN;
        u->events = POLLIN;
        u->has_more = true;
        u->status.is_connected = true;
        if (u->options.side != NULL)
            return_side_open(u->options.side, now);
        log_info("collector %s: connected", u->options.collector);
        return;
    case TLS_WANT_READ:
        u->events = POLLIN;
        return;
    case TLS_WANT_WRITE:
        u->events = POLLOUT;
        return;
    case TLS_CLOSED:
    case TLS_FAILED:
        pause_after_failure(u, now, tls_error(u->tls));
        return;
    }
}

/* --- receipts --- */

static void leave_window(struct uplink *u, struct digest hash)
{
    for (size_t i = 0; i < u->window_count; i++)
        if (digest_equal(u->window[i].hash, hash)) {
            u->window_count--;
            memmove(&u->window[i], &u->window[i + 1],
                    (u->window_count - i) * sizeof(u->window[0]));
            return;
        }
}

/* It is kept before its batch leaves the spool: a loss of power in between
 * brings it once more. */
static void keep_receipt(struct uplink *u, const struct receipt *receipt,
                         struct slice message)
{
    if (u->options.receipts != NULL)
        (void)receipts_add(u->options.receipts, message,
                           wall_from_ms(receipt->received_ms));
}

static void take_receipt(struct uplink *u, const struct receipt *receipt,
                         struct slice message)
{
    const struct spool_entry *e = spool_find(u->spool, receipt->batch_hash);
    u->status.receipts++;
    u->status.has_receipt = true;
    u->status.last_receipt = *receipt;
    u->status.failures = 0;
    u->pause_ms = u->options.pause_min_ms;
    leave_window(u, receipt->batch_hash);
    if (e == NULL) { /* given up meanwhile, or acknowledged before */
        log_debug("receipt for batch %" PRIu64 ", which does not wait",
                  receipt->sequence);
        return;
    }
    uint64_t number = e->number;
    keep_receipt(u, receipt, message);
    if (receipt->status == RECEIPT_REFUSED) {
        char time[WALL_TEXT_LEN];
        wall_to_text(wall_from_ms(receipt->received_ms), time);
        log_error("batch %" PRIu64 " (file %" PRIu64 "): the collector refused "
                  "it (for its signature, its registration, or a time ahead of "
                  "the collector's, which was %s); kept in the folder refused",
                  receipt->sequence, number, time);
        spool_refuse(u->spool, number);
    } else {
        log_debug("batch %" PRIu64 " (file %" PRIu64 "): %s", receipt->sequence,
                  number, receipt_status_text(receipt->status));
        spool_acknowledge(u->spool, number);
    }
}

/* Whole messages in the buffer; a sentence when one is none that may come. */
static const char *take_messages(struct uplink *u, struct mono_time now)
{
    size_t done = 0;
    const char *fault = NULL;
    while (fault == NULL) {
        const uint8_t *data = u->in.data + done;
        size_t left = u->in.length - done;
        int length = left == 0 ? 0 : ipfix_message_length(data, left);
        struct receipt receipt;
        if (length < 0)
            fault = "it answered with something else than IPFIX";
        if (length <= 0 || (size_t)length > left)
            break;
        if (return_channel_is_ours(data, (size_t)length)) {
            if (u->options.side != NULL)
                fault = return_side_take(u->options.side, data, (size_t)length,
                                         now);
        } else if (!receipt_decode(data, (size_t)length,
                                   u->options.receipt_algorithm,
                                   u->options.receipt_key, &receipt))
            fault = "it sent a receipt without a right signature";
        else if (strcmp(receipt.probe_id, u->options.probe_id) != 0)
            fault = "it sent a receipt for another probe";
        else
            take_receipt(u, &receipt, slice_of_bytes(data, (size_t)length));
        done += (size_t)length;
    }
    if (done > 0)
        buffer_consume(&u->in, done);
    return fault;
}

/* A sentence when the connection is over; "" when it ended in good order. */
static const char *receive(struct uplink *u, struct mono_time now)
{
    uint8_t chunk[READ_CHUNK];
    size_t total = 0;
    while (total < RECEIVE_MAX) {
        size_t done = 0;
        enum tls_status status = tls_read(u->tls, chunk, sizeof(chunk), &done);
        if (status == TLS_WANT_READ || status == TLS_WANT_WRITE)
            return NULL;
        if (status == TLS_CLOSED)
            return u->window_count == 0 && u->out.length == 0
                       ? ""
                       : "it closed the connection before its receipts";
        if (status != TLS_OK)
            return tls_error(u->tls);
        total += done;
        buffer_add(&u->in, chunk, done);
        const char *fault = take_messages(u, now);
        if (fault != NULL)
            return fault;
    }
    u->has_more = true;
    return NULL;
}

/* --- batches --- */

/* The next batch into `out`; false when none may go now. */
static bool take_batch(struct uplink *u, struct mono_time now)
{
    while (u->window_count < UPLINK_WINDOW) {
        const struct spool_entry *e = spool_from(u->spool, u->next_number);
        if (e == NULL && u->window_count == 0)
            u->next_number = 0; /* what could not be read has another turn */
        if (e == NULL)
            return false;
        uint64_t number = e->number;
        struct digest hash = e->hash;
        u->next_number = number + 1;
        buffer_clear(&u->out);
        u->out_done = 0;
        enum spool_read status = spool_read(u->spool, number, &u->out);
        if (status == SPOOL_NOT_NOW)
            return false; /* one try a step; the next batch may be readable */
        if (status == SPOOL_READ) {
            u->window[u->window_count++] = (struct sent){hash, now};
            u->out_progress = now;
            u->out_is_batch = true;
            return true;
        }
    }
    return false;
}

/* Questions of the return side into `out`, between two batches. */
static bool take_questions(struct uplink *u, struct mono_time now)
{
    struct return_side *side = u->options.side;
    if (side == NULL || now.us < return_side_due(side, now).us)
        return false;
    buffer_clear(&u->out);
    buffer_init(&u->out, QUESTIONS_MAX);
    u->out_done = 0;
    u->out_progress = now;
    return_side_ask(side, now, &u->out);
    u->out_is_batch = false;
    return u->out.length > 0;
}

static const char *transmit(struct uplink *u, struct mono_time now)
{
    size_t total = 0;
    u->events = POLLIN;
    while (total < STEP_BYTES_MAX) {
        if (u->out.length == 0 && !take_questions(u, now) &&
            !take_batch(u, now))
            return NULL;
        size_t left = u->out.length - u->out_done, done = 0;
        enum tls_status status =
            tls_write(u->tls, u->out.data + u->out_done,
                      left < WRITE_CHUNK ? left : WRITE_CHUNK, &done);
        if (status == TLS_WANT_WRITE)
            u->events = POLLIN | POLLOUT;
        if (status == TLS_WANT_WRITE || status == TLS_WANT_READ)
            return NULL;
        if (status != TLS_OK)
            return tls_error(u->tls);
        total += done;
        u->out_done += done;
        u->out_progress = now;
        if (u->out_done < u->out.length)
            continue;
        buffer_clear(&u->out);
        if (u->out_is_batch && u->window_count > 0)
            u->window[u->window_count - 1].when = now;
    }
    u->has_more = true;
    return NULL;
}

/* When to lose patience: the batch on its way does not move, or the oldest
 * one that is out has no receipt. An hour when nothing is awaited. */
static struct mono_time patience_end(const struct uplink *u,
                                     struct mono_time now)
{
    uint64_t patience_ms = u->options.answer_timeout_s * 1000 + 1;
    if (u->out.length > 0)
        return mono_later(u->out_progress, (int64_t)patience_ms);
    if (u->window_count > 0)
        return mono_later(u->window[0].when, (int64_t)patience_ms);
    return mono_later(now, 3600 * 1000);
}

static void step_open(struct uplink *u, struct mono_time now)
{
    const char *fault = receive(u, now);
    if (fault == NULL)
        fault = transmit(u, now);
    if (fault == NULL && now.us >= patience_end(u, now).us)
        fault = u->out.length > 0 ? "it takes no data" : "no receipt in time";
    if (fault == NULL)
        return;
    if (fault[0] != '\0') {
        pause_after_failure(u, now, fault);
        return;
    }
    log_debug("collector %s: connection ended", u->options.collector);
    disconnect(u);
    u->until = mono_later(now, (int64_t)u->options.pause_min_ms);
}

/* --- the module --- */

/* HOST:PORT or [V6]:PORT into its parts. */
static bool split_address(struct uplink *u, struct slice text)
{
    struct slice host, port;
    uint64_t number;
    return slice_split_port(text, &host, &port) && host.length > 0 &&
           parse_u64(port, 1, 65535, &number) &&
           slice_copy(host, u->host, sizeof(u->host)) &&
           slice_copy(port, u->port, sizeof(u->port));
}

struct uplink *uplink_new(const struct uplink_options *options,
                          struct tls_context *context, struct spool *spool)
{
    struct uplink *u = calloc(1, sizeof(*u));
    if (u == NULL)
        return NULL;
    u->options = *options;
    u->context = context;
    u->spool = spool;
    u->fd = -1;
    u->pause_ms = options->pause_min_ms;
    buffer_init(&u->in, RECEIVE_MAX);
    bool good = split_address(u, slice_of_text(options->collector));
    if (good && options->proxy != NULL && options->proxy[0] != '\0')
        good = proxy_parse(options->proxy, &u->proxy) &&
               split_address(u, u->proxy.address);
    if (!good) {
        uplink_free(u);
        return NULL;
    }
    return u;
}

void uplink_free(struct uplink *u)
{
    if (u == NULL)
        return;
    disconnect(u);
    buffer_clear(&u->in);
    free(u);
}

static struct mono_time next_work(const struct uplink *u, struct mono_time now)
{
    struct mono_time patience = patience_end(u, now);
    if (u->options.side == NULL || u->out.length > 0)
        return patience;
    struct mono_time due = return_side_due(u->options.side, now);
    return due.us < patience.us ? due : patience;
}

struct uplink_wait uplink_wait(const struct uplink *u, struct mono_time now)
{
    struct uplink_wait wait = {.fd = u->fd, .events = u->events};
    wait.until = mono_later(now, 3600 * 1000);
    if (u->has_more)
        wait.until = now;
    else if (u->state == RESOLVING)
        wait.until = mono_later(now, RESOLVE_POLL_MS);
    else if (u->state == OPEN)
        wait.until = next_work(u, now);
    else if (u->state != PAUSED || spool_count(u->spool) > 0)
        wait.until = u->until;
    return wait;
}

void uplink_step(struct uplink *u, struct mono_time now)
{
    static void (*const steps[])(struct uplink *, struct mono_time) = {
        [PAUSED] = step_paused,           [RESOLVING] = step_resolving,
        [CONNECTING] = step_connecting,   [PROXYING] = step_proxying,
        [HANDSHAKING] = step_handshaking, [OPEN] = step_open,
    };
    bool is_limited = u->state == RESOLVING || u->state == CONNECTING ||
                      u->state == PROXYING || u->state == HANDSHAKING;
    u->has_more = false;
    if (is_limited && now.us > u->until.us)
        pause_after_failure(u, now, "no answer in time");
    else
        steps[u->state](u, now);
}

void uplink_hurry(struct uplink *u, struct mono_time now)
{
    if (u->state == PAUSED)
        u->until = now;
}

void uplink_set_context(struct uplink *u, struct tls_context *context)
{
    u->context = context;
}

struct uplink_status uplink_status(const struct uplink *u)
{
    struct uplink_status status = u->status;
    if (u->state == PAUSED && spool_count(u->spool) > 0)
        status.next_attempt = u->until;
    return status;
}
