/*
 * One round of the loop:
 *
 *   epoll_wait       peers whose sockets are ready read, write, shake hands
 *   store_group      every complete batch becomes one transaction
 *   each tick        time limits, and a new try when the store was failing
 *
 * A peer's `wanted` events follow from its state alone (want_events), so a
 * peer that may not be read now simply is not asked for.
 */
#include "collector/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/return_channel.h"
#include "ledger/session.h"
#include "common/buffer.h"
#include "common/receipt.h"

enum {
    EVENTS = 256,
    TICK_MS = 1000,
    BACKLOG = 1024,
    READS_A_ROUND = 16, /* of 16 KiB, before the next peer's turn */
    LABEL_LEN = 64,
    OUT_LIMIT = 64 * 1024,
    OUT_FULL = 48 * 1024,           /* not read from until it has read */
    GROUP_BYTES = 32 * 1024 * 1024, /* then the others wait a round */
    SPARE_FDS = 64,
    RETRY_S = 2,
    HANDSHAKE_S = 10,
    STALL_S = 60,
    BATCH_S = 600,
    FAREWELL_S = 3,
};
#define SECOND INT64_C(1000000)

enum peer_state { PEER_HANDSHAKE, PEER_OPEN, PEER_CLOSING };

struct peer {
    struct peer *next, *previous; /* the next turn is the first's */
    int fd;
    struct tls *tls;
    enum peer_state state;
    bool is_yz1;
    bool is_ready; /* has a complete batch */
    bool tls_wants_write;
    uint32_t events; /* asked of epoll now */
    struct session *session;
    struct return_peer *side; /* yz/1 alone */
    size_t pending;           /* its share of server.pending */
    struct buffer out;
    struct mono_time arrived, last_byte, batch_start;
    char name[TLS_NAME_LEN];
    char label[LABEL_LEN];
};

struct server {
    int epoll, listener;
    struct tls_context *tls;
    const struct sign_key *key;
    struct return_channel *channel;
    struct store *collector;
    uint64_t max_connections;
    int64_t idle_us;
    struct peer *first, *last;
    uint64_t count;
    size_t pending;
    struct peer *favoured; /* read on although pending is at its limit */
    bool is_full;          /* of connections; logged once */
    bool is_accepting;
    struct mono_time retry_at; /* the store failed; 0: it did not */
};

/* --- opening --- */

/* "[::]:4740" or "host:port" into its two parts. */
static bool split_address(const char *text, char host[static LISTEN_LEN],
                          char port[static 8])
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return false;
    struct slice name = {text, (size_t)(colon - text)};
    if (name.length >= 2 && name.data[0] == '[' &&
        name.data[name.length - 1] == ']')
        name = (struct slice){name.data + 1, name.length - 2};
    return slice_copy(name, host, LISTEN_LEN) &&
           slice_copy(slice_of_text(colon + 1), port, 8);
}

static int listen_on(const struct addrinfo *a)
{
    int on = 1, off = 0;
    int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_listener(const char *address, struct error_text *error)
{
    char host[LISTEN_LEN], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (!split_address(address, host, port)) {
        error_set(error, "%s: not HOST:PORT", address);
        return -1;
    }
    int failed = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (failed != 0) {
        error_set(error, "%s: %s", address, gai_strerror(failed));
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next)
        fd = listen_on(a);
    if (fd < 0)
        error_set(error, "%s: %s", address, strerror(errno));
    freeaddrinfo(found);
    return fd;
}

static void address_label(const struct sockaddr_storage *a, socklen_t length,
                          char label[static LABEL_LEN])
{
    char host[48], port[8];
    if (getnameinfo((const struct sockaddr *)a, length, host, sizeof(host),
                    port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(label, LABEL_LEN, "unknown address");
    else
        snprintf(label, LABEL_LEN,
                 a->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static void log_listening(int fd)
{
    struct sockaddr_storage a;
    socklen_t length = sizeof(a);
    char label[LABEL_LEN];
    if (getsockname(fd, (struct sockaddr *)&a, &length) != 0)
        return;
    address_label(&a, length, label);
    log_info("listening on %s", label);
}

/* A descriptor for every connection we promise, as far as allowed. */
static void raise_descriptor_limit(uint64_t connections)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur >= connections + SPARE_FDS)
        return;
    limit.rlim_cur = connections + SPARE_FDS;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 ||
        limit.rlim_cur < connections + SPARE_FDS)
        log_warn("only %llu descriptors for %llu connections",
                 (unsigned long long)limit.rlim_cur,
                 (unsigned long long)connections);
}

static bool watch_listener(struct server *s, bool is_on)
{
    struct epoll_event e = {.events = is_on ? EPOLLIN : 0, .data.ptr = NULL};
    s->is_accepting = is_on;
    return epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->listener, &e) == 0;
}

struct server *server_open(const struct collector_config *config,
                           struct tls_context *tls,
                           const struct sign_key *receipt_key,
                           struct error_text *error)
{
    struct server *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    s->tls = tls;
    s->key = receipt_key;
    s->max_connections = config->max_connections;
    s->idle_us = (int64_t)config->idle_timeout_s * SECOND;
    s->epoll = -1;
    s->listener = open_listener(config->listen, error);
    if (s->listener < 0)
        goto fail;
    raise_descriptor_limit(s->max_connections);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    if (s->epoll < 0 ||
        epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &e) != 0) {
        error_set(error, "epoll: %s", strerror(errno));
        goto fail;
    }
    s->is_accepting = true;
    return s;
fail:
    server_close(s);
    return NULL;
}

/* --- peers --- */

static void set_pending(struct server *s, struct peer *p)
{
    size_t now = session_pending(p->session);
    s->pending = s->pending - p->pending + now;
    p->pending = now;
    if (now == 0 && s->favoured == p)
        s->favoured = NULL;
}

static void unlink_peer(struct server *s, struct peer *p)
{
    *(p->previous ? &p->previous->next : &s->first) = p->next;
    *(p->next ? &p->next->previous : &s->last) = p->previous;
}

static void link_last(struct server *s, struct peer *p)
{
    p->next = NULL;
    p->previous = s->last;
    *(s->last ? &s->last->next : &s->first) = p;
    s->last = p;
}

static void peer_free(struct server *s, struct peer *p)
{
    s->pending -= p->pending;
    if (s->favoured == p)
        s->favoured = NULL;
    unlink_peer(s, p);
    s->count--;
    tls_free(p->tls);
    close(p->fd); /* takes it out of the epoll set, too */
    return_peer_close(p->side);
    session_free(p->session);
    buffer_clear(&p->out);
    free(p);
}

/* Peers are freed only at the end of a round: its events may name them. */
static void peer_close(struct peer *p)
{
    p->state = PEER_CLOSING;
    p->is_ready = false;
}

/* Past the limit one peer in the middle of a batch is read to its end; taking
 * none would leave all of them waiting for each other. */
static bool may_read(struct server *s, struct peer *p)
{
    if (p->is_ready || p->out.length >= OUT_FULL)
        return false;
    if (s->pending < SERVER_PENDING_MAX || s->favoured == p)
        return true;
    if (s->favoured != NULL || p->pending == 0)
        return false;
    s->favoured = p;
    return true;
}

static void want_events(struct server *s, struct peer *p, struct mono_time now)
{
    uint32_t events = 0;
    if (p->state == PEER_HANDSHAKE)
        events = p->tls_wants_write ? EPOLLOUT : EPOLLIN;
    else if (p->state == PEER_OPEN)
        events = (may_read(s, p) ? EPOLLIN : 0) |
                 (p->out.length > 0 || p->tls_wants_write ? EPOLLOUT : 0);
    struct epoll_event e = {.events = events, .data.ptr = p};
    if (events != p->events &&
        epoll_ctl(s->epoll, EPOLL_CTL_MOD, p->fd, &e) != 0)
        peer_close(p);
    /* The time it waited for us does not count as its silence. */
    if (events & ~p->events & EPOLLIN)
        p->last_byte = p->batch_start = now;
    p->events = events;
}

static void note_peer(struct server *s, struct peer *p,
                      enum intake_reason reason, const char *detail)
{
    struct batch_origin origin = {TRANSPORT_IPFIX, p->name, p->label};
    store_note(s->collector, &origin, reason, detail, wall_now());
}

static struct peer *peer_new(struct server *s, int fd, struct mono_time now)
{
    struct peer *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->fd = fd;
    p->arrived = p->last_byte = p->batch_start = now;
    buffer_init(&p->out, OUT_LIMIT);
    p->session = session_new();
    p->tls = tls_accept(s->tls, fd);
    p->events = EPOLLIN;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
    if (p->session == NULL || p->tls == NULL ||
        epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) != 0) {
        session_free(p->session);
        tls_free(p->tls);
        free(p);
        return NULL;
    }
    link_last(s, p);
    s->count++;
    return p;
}

/* Closes the oldest peer that has not shown a certificate yet. Those never
 * had a turn, so they stand in order of arrival. */
static bool make_room(struct server *s)
{
    for (struct peer *p = s->first; p != NULL; p = p->next)
        if (p->state == PEER_HANDSHAKE) {
            peer_close(p);
            return true;
        }
    return false;
}

static void log_full(struct server *s, bool is_full)
{
    if (is_full && !s->is_full)
        log_warn("%llu connections, all that max_connections allows",
                 (unsigned long long)s->max_connections);
    s->is_full = is_full;
}

static void accept_peers(struct server *s, struct mono_time now)
{
    for (int i = 0; i < EVENTS; i++) {
        struct sockaddr_storage a = {0};
        socklen_t length = sizeof(a);
        int on = 1;
        int fd = accept4(s->listener, (struct sockaddr *)&a, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            /* Out of descriptors: the waiting connection would wake us
             * without end; the next tick asks again. */
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
                watch_listener(s, false);
            return;
        }
        bool has_room = s->count < s->max_connections || make_room(s);
        log_full(s, s->count >= s->max_connections);
        struct peer *p = has_room ? peer_new(s, fd, now) : NULL;
        if (p == NULL) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        address_label(&a, length, p->label);
    }
}

/* --- reading, writing --- */

static void on_handshake(struct server *s, struct peer *p)
{
    enum tls_status status = tls_handshake(p->tls);
    p->tls_wants_write = status == TLS_WANT_WRITE;
    if (status == TLS_WANT_READ || status == TLS_WANT_WRITE)
        return;
    if (status != TLS_OK) {
        log_info("%s: no connection: %s", p->label, tls_error(p->tls));
        peer_close(p);
        return;
    }
    if (!tls_peer_name(p->tls, p->name)) {
        p->name[0] = '\0';
        note_peer(s, p, REASON_IDENTITY, "the certificate has no usable name");
        peer_close(p);
        return;
    }
    p->state = PEER_OPEN;
    p->is_yz1 = tls_peer_wants_yz1(p->tls);
    if (p->is_yz1 && s->channel != NULL)
        p->side = return_peer_open(s->channel, p->name);
    log_info("%s: connected from %s, %s", p->name, p->label,
             p->is_yz1 ? "with receipts" : "plain IPFIX");
}

/* Takes what the session has; a complete batch makes the peer ready. */
static void advance(struct server *s, struct peer *p)
{
    enum session_status status;
    while ((status = session_next(p->session)) == SESSION_MESSAGE) {
        struct slice m = session_message(p->session);
        if (p->side != NULL &&
            !return_peer_take(p->side, (const uint8_t *)m.data, m.length,
                              wall_now())) {
            note_peer(s, p, REASON_MALFORMED, "not of the return channel");
            peer_close(p);
            return;
        }
    }
    set_pending(s, p);
    p->is_ready = status == SESSION_BATCH;
    if (status == SESSION_BAD) {
        note_peer(s, p, REASON_MALFORMED, session_fault(p->session));
        peer_close(p);
    }
}

static void end_of_stream(struct peer *p, enum tls_status status)
{
    if (status == TLS_FAILED)
        log_info("%s: connection from %s lost: %s", p->name, p->label,
                 tls_error(p->tls));
    else
        log_info("%s: closed%s", p->name,
                 session_is_between(p->session) ? "" : " within a batch");
    peer_close(p);
}

static void read_peer(struct server *s, struct peer *p, struct mono_time now)
{
    for (int i = 0; i < READS_A_ROUND && may_read(s, p); i++) {
        size_t length, done = 0;
        bool was_between = session_is_between(p->session);
        uint8_t *space = session_space(p->session, &length);
        if (space == NULL) {
            log_error("%s: out of memory for its batch", p->name);
            peer_close(p);
            return;
        }
        enum tls_status status = tls_read(p->tls, space, length, &done);
        p->tls_wants_write = status == TLS_WANT_WRITE;
        if (status == TLS_WANT_READ || status == TLS_WANT_WRITE)
            return;
        if (status != TLS_OK) {
            end_of_stream(p, status);
            return;
        }
        p->last_byte = now;
        if (was_between)
            p->batch_start = now;
        session_filled(p->session, done);
        advance(s, p);
        if (p->state != PEER_OPEN)
            return;
    }
}

static void write_peer(struct peer *p, struct mono_time now)
{
    while (p->out.length > 0) {
        size_t done = 0;
        enum tls_status status =
            tls_write(p->tls, p->out.data, p->out.length, &done);
        p->tls_wants_write = status == TLS_WANT_WRITE;
        if (status == TLS_WANT_READ || status == TLS_WANT_WRITE)
            return;
        if (status != TLS_OK) {
            end_of_stream(p, TLS_FAILED);
            return;
        }
        p->last_byte = now;
        buffer_consume(&p->out, done);
    }
}

/* What the return channel has for the peer, as far as it takes it now. */
static void tell_peer(struct peer *p, struct mono_time now)
{
    size_t before = SIZE_MAX;
    while (p->side != NULL && p->state == PEER_OPEN &&
           p->out.length < RETURN_OUT_FULL && before > 0) {
        size_t length = p->out.length;
        if (!return_peer_fill(p->side, now, wall_now(), &p->out)) {
            log_error("%s: no message could be made", p->name);
            peer_close(p);
            return;
        }
        before = p->out.length - length;
        if (before > 0)
            write_peer(p, now);
    }
}

static void on_peer(struct server *s, struct peer *p, uint32_t events,
                    struct mono_time now)
{
    if (p->state == PEER_HANDSHAKE)
        on_handshake(s, p);
    if (p->state == PEER_OPEN && (events & EPOLLOUT || p->out.length > 0))
        write_peer(p, now);
    if (p->state == PEER_OPEN)
        read_peer(s, p, now);
    tell_peer(p, now);
    /* Broken, and not to be read now: nothing else would notice. */
    if (p->state == PEER_OPEN && events & (EPOLLERR | EPOLLHUP) &&
        !may_read(s, p))
        peer_close(p);
}

/* --- storing --- */

struct taken {
    struct peer *peer;
    enum take_status status;
    struct receipt receipt;
};

static bool take_ready(struct server *s, struct taken *taken, size_t *count,
                       struct wall_time now)
{
    size_t bytes = 0;
    for (struct peer *p = s->first; p != NULL; p = p->next) {
        if (!p->is_ready)
            continue;
        if (*count == EVENTS || bytes > GROUP_BYTES)
            return true;
        bytes += p->pending;
        struct batch_origin origin = {
            p->is_yz1 ? TRANSPORT_YZ1 : TRANSPORT_IPFIX, p->name, p->label};
        struct taken *t = &taken[*count];
        t->peer = p;
        t->status =
            store_take(s->collector, &origin, session_reader(p->session),
                       session_content(p->session), now, &t->receipt);
        if (t->status == TAKE_GROUP_FAILED)
            return false;
        ++*count;
    }
    return true;
}

/* The group is on disk: its receipts may leave. */
static void answer(struct server *s, const struct taken *t)
{
    struct peer *p = t->peer;
    unlink_peer(s, p); /* others have the next turn */
    link_last(s, p);
    if (t->status != TAKE_DONE) {
        peer_close(p); /* unanswered: it will come again */
        return;
    }
    session_release(p->session);
    set_pending(s, p);
    log_debug("%s: batch %llu %s", p->name,
              (unsigned long long)t->receipt.sequence,
              receipt_status_text(t->receipt.status));
    if (p->is_yz1 && !receipt_encode(&t->receipt, s->key, &p->out)) {
        log_error("%s: no receipt could be made", p->name);
        peer_close(p);
        return;
    }
    p->batch_start = p->last_byte;
    advance(s, p);
}

static bool has_ready(const struct server *s)
{
    for (const struct peer *p = s->first; p != NULL; p = p->next)
        if (p->is_ready)
            return true;
    return false;
}

/* The time we were busy is nobody's silence. */
static void forgive(struct server *s, int64_t busy_us)
{
    for (struct peer *p = s->first; p != NULL; p = p->next) {
        p->arrived.us += busy_us;
        p->last_byte.us += busy_us;
        p->batch_start.us += busy_us;
    }
}

/* One transaction with at most one batch of each peer. */
static void store_group(struct server *s, struct mono_time now)
{
    struct taken taken[EVENTS];
    size_t count = 0;
    if (!has_ready(s) || now.us < s->retry_at.us)
        return;
    s->retry_at.us = 0;
    bool good = store_begin(s->collector);
    if (good && !take_ready(s, taken, &count, wall_now())) {
        store_rollback(s->collector);
        good = false;
    }
    good = good && store_commit(s->collector);
    forgive(s, mono_now().us - now.us);
    if (!good) {
        s->retry_at.us = now.us + RETRY_S * SECOND;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        answer(s, &taken[i]);
        if (taken[i].peer->state == PEER_OPEN)
            write_peer(taken[i].peer, now);
    }
}

/* --- time --- */

/* What a peer did not do in time, or NULL. */
static const char *overdue(const struct server *s, const struct peer *p,
                           struct mono_time now)
{
    if (p->state == PEER_HANDSHAKE)
        return now.us - p->arrived.us > HANDSHAKE_S * SECOND
                   ? "no TLS handshake within 10 s"
                   : NULL;
    if (p->is_ready || p->state != PEER_OPEN)
        return NULL; /* it waits for us */
    bool is_waiting = p->events & EPOLLIN;
    int64_t silent_us = now.us - p->last_byte.us;
    if (is_waiting && !session_is_between(p->session) &&
        (silent_us > STALL_S * SECOND ||
         now.us - p->batch_start.us > BATCH_S * SECOND))
        return "its batch does not get on";
    return silent_us > s->idle_us ? "silent for too long" : NULL;
}

static void tick(struct server *s, struct mono_time now)
{
    if (!s->is_accepting)
        watch_listener(s, true);
    if (s->channel != NULL)
        return_channel_tick(s->channel, now);
    for (struct peer *p = s->first; p != NULL; p = p->next) {
        const char *why = overdue(s, p, now);
        if (why == NULL) {
            tell_peer(p, now);
            continue;
        }
        log_info("%s%s%s: closed, %s", p->name, p->name[0] ? " from " : "",
                 p->label, why);
        peer_close(p);
    }
}

/* Frees the closed and asks epoll anew for the others. */
static void settle(struct server *s, struct mono_time now)
{
    for (struct peer *p = s->first, *next; p != NULL; p = next) {
        next = p->next;
        if (p->state != PEER_CLOSING)
            want_events(s, p, now);
        if (p->state == PEER_CLOSING)
            peer_free(s, p);
    }
    log_full(s, s->count >= s->max_connections);
}

/* --- the loop --- */

/* Decrypted bytes may wait inside TLS, of which epoll knows nothing. */
static bool has_buffered(struct server *s)
{
    for (struct peer *p = s->first; p != NULL; p = p->next)
        if (p->state == PEER_OPEN && tls_has_pending(p->tls) && may_read(s, p))
            return true;
    return false;
}

static void read_buffered(struct server *s, struct mono_time now)
{
    for (struct peer *p = s->first; p != NULL; p = p->next)
        if (p->state == PEER_OPEN && tls_has_pending(p->tls))
            read_peer(s, p, now);
}

static int wait_ms(struct server *s, struct mono_time now)
{
    bool has_work =
        has_buffered(s) || (has_ready(s) && now.us >= s->retry_at.us);
    return has_work ? 0 : TICK_MS;
}

static bool serve_round(struct server *s)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(s->epoll, events, EVENTS, wait_ms(s, mono_now()));
    if (count < 0 && errno != EINTR)
        return false;
    struct mono_time now = mono_now();
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL)
            accept_peers(s, now);
        else
            on_peer(s, events[i].data.ptr, events[i].events, now);
    }
    read_buffered(s, now);
    store_group(s, now);
    settle(s, now);
    return true;
}

/* Complete batches are stored and answered; nothing more is read. */
static void farewell(struct server *s)
{
    struct mono_time end = {mono_now().us + FAREWELL_S * SECOND};
    s->retry_at.us = 0;
    store_group(s, mono_now());
    bool is_open = true;
    while (is_open && mono_now().us < end.us) {
        is_open = false;
        for (struct peer *p = s->first; p != NULL; p = p->next) {
            if (p->state != PEER_OPEN || p->out.length == 0)
                continue;
            write_peer(p, mono_now());
            is_open = is_open || (p->state == PEER_OPEN && p->out.length > 0);
        }
        struct epoll_event unused;
        if (is_open)
            epoll_wait(s->epoll, &unused, 1, 10);
    }
    log_info("stopping, %llu connections closed", (unsigned long long)s->count);
}

bool server_run(struct server *server, struct store *collector,
                struct error_text *error)
{
    struct server *s = server;
    s->collector = collector;
    log_listening(s->listener);
    struct mono_time last_tick = mono_now();
    while (!stop_requested()) {
        if (!serve_round(s))
            return error_set(error, "epoll: %s", strerror(errno));
        struct mono_time now = mono_now();
        if (now.us - last_tick.us >= TICK_MS * INT64_C(1000)) {
            last_tick = now;
            tick(s, now);
            settle(s, now);
        }
    }
    farewell(s);
    return true;
}

void server_set_return(struct server *server, struct return_channel *channel)
{
    server->channel = channel;
}

void server_close(struct server *server)
{
    struct server *s = server;
    if (s == NULL)
        return;
    while (s->first != NULL)
        peer_free(s, s->first);
    if (s->listener >= 0)
        close(s->listener);
    if (s->epoll >= 0)
        close(s->epoll);
    free(s);
}
