/*
 * One round of the loop:
 *
 *   epoll_wait     peers whose sockets are ready, or the mailbox
 *   mailbox        new connections; jobs that the committer gives back
 *   peers          shake hands, read, decode, submit, write
 *   settle         those that were touched are freed, or asked for anew
 *
 * A peer's wanted events follow from its state alone (want_events), so a peer
 * that may not be read now simply is not asked for. Only peers that something
 * happened to are looked at; once a second all are, for the time limits.
 */
#include "collector/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "collector/ledger/probe_directory.h"
#include "collector/peer_budget.h"
#include "collector/peer_session.h"
#include "common/buffer.h"
#include "common/wire/receipt.h"

enum {
    EVENTS = 256,
    TICK_MS = 1000,
    READS_A_ROUND = 16, /* of 16 KiB, before the next peer's turn */
    OUT_LIMIT = 1024 * 1024,
    TELLS_A_ROUND = 16,   /* of what the return channel has */
    OUT_FULL = 48 * 1024, /* not read from until it has read */
    HANDSHAKE_S = 10,
    STALL_S = 60,
    BATCH_S = 600,
    DRAIN_MS = 3000,
    FAREWELL_MS = 3000,
    SPARE_SESSIONS = 16,
};
#define SECOND INT64_C(1000000)

enum peer_state { PEER_HANDSHAKE, PEER_OPEN, PEER_CLOSING };

/* Of a worker. Draining, it reads on what cannot come again; leaving, it only
 * waits for what is being stored. */
enum stage { STAGE_SERVING, STAGE_DRAINING, STAGE_LEAVING };

/* In order of arrival. */
struct peer_list {
    struct peer *first, *last;
};

struct peer {
    struct peer *next, *previous;
    struct peer_list *list; /* in which it is */
    struct peer *next_touched;
    struct worker *worker;
    int fd;
    struct tls *tls;
    enum peer_state state;
    bool is_yz1, is_touched;
    bool is_stored; /* its batch is with the committer */
    bool has_more;  /* may be read without waiting for its socket */
    bool is_ending; /* only what it delivered already is still read */
    bool tls_wants_write;
    uint32_t events;              /* asked of epoll now */
    struct peer_session *session; /* NULL until it has sent something */
    struct peer_share share;      /* of its worker's budget */
    struct buffer out;
    struct commit_job *job; /* while is_stored */
    struct presence presence;
    void *hook_state;
    struct mono_time last_byte, batch_start;
    struct mono_time end_start; /* while is_ending */
    char name[TLS_NAME_LEN];
    char label[LISTENER_LABEL_LEN];
};

/* A connection on its way to its worker. */
struct handed {
    struct handed *next;
    int fd;
    bool must_make_room;
    char label[LISTENER_LABEL_LEN];
};

struct worker {
    struct worker_shared *shared;
    pthread_t thread;
    int epoll, mailbox; /* mailbox: an eventfd */
    pthread_mutex_t lock;
    struct handed *handed, **handed_end; /* under the lock, as the next */
    struct commit_job *answered;         /* given back by the committer */
    struct probe_directory *registry;
    struct preparer *preparer;
    struct peer_list strangers, known; /* strangers: in their handshake */
    struct peer *touched;
    size_t stored_count;
    struct peer_budget budget;
    struct peer_session
        *spares[SPARE_SESSIONS]; /* with the memory of a usual batch */
    size_t spare_count;
    enum stage stage;         /* its thread's own */
    atomic_bool is_finishing; /* asked for, from outside */
    atomic_uint_fast64_t peers, stranger_count;
};

/* --- peers --- */

const char *peer_name(const struct peer *peer)
{
    return peer->name;
}

void **peer_state(struct peer *peer)
{
    return &peer->hook_state;
}

static void enter(struct peer *p, struct peer_list *list)
{
    p->list = list;
    p->next = NULL;
    p->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = p;
    list->last = p;
}

static void leave(struct peer *p)
{
    *(p->previous ? &p->previous->next : &p->list->first) = p->next;
    *(p->next ? &p->next->previous : &p->list->last) = p->previous;
}

static void touch(struct peer *p)
{
    if (p->is_touched)
        return;
    p->is_touched = true;
    p->next_touched = p->worker->touched;
    p->worker->touched = p;
}

bool peer_send(struct peer *peer, struct slice message)
{
    if (peer->state != PEER_OPEN ||
        peer->out.length + message.length > OUT_LIMIT)
        return false;
    buffer_add_slice(&peer->out, message);
    touch(peer);
    return !peer->out.failed;
}

size_t peer_waiting(const struct peer *peer)
{
    return peer->out.length;
}

static void set_pending(struct peer *p)
{
    size_t bytes = p->session != NULL ? peer_session_pending(p->session) : 0;
    if (p->job != NULL)
        bytes += prepared_size(&p->job->prepared);
    peer_budget_set(&p->worker->budget, &p->share, bytes);
}

/* Most peers are silent most of the time: sessions go round among those that
 * are not. One in the middle of a batch is its peer's alone. */
static struct peer_session *take_session(struct worker *w)
{
    return w->spare_count > 0 ? w->spares[--w->spare_count]
                              : peer_session_new();
}

static void put_session_back(struct peer *p)
{
    struct worker *w = p->worker;
    if (w->spare_count < SPARE_SESSIONS)
        w->spares[w->spare_count++] = p->session;
    else
        peer_session_free(p->session);
    p->session = NULL;
}

/* No stranger any more, that another one could displace. */
static void make_known(struct peer *p)
{
    leave(p);
    enter(p, &p->worker->known);
    atomic_fetch_sub(&p->worker->stranger_count, 1);
}

/* Peers are freed only when settled: events of the round may name them, and
 * the committer may have their batch. */
static void peer_close(struct peer *p)
{
    if (p->state == PEER_HANDSHAKE)
        make_known(p);
    p->state = PEER_CLOSING;
    /* It may have to wait for its batch; a connection that was reset would
     * wake us all the while. */
    epoll_ctl(p->worker->epoll, EPOLL_CTL_DEL, p->fd, NULL);
    touch(p);
}

static void peer_free(struct peer *p)
{
    struct worker *w = p->worker;
    const struct peer_hooks *hooks = w->shared->hooks;
    if (hooks != NULL && hooks->closed != NULL && p->is_yz1)
        hooks->closed(hooks->context, p);
    presence_leave(w->shared->presences, &p->presence);
    peer_budget_set(&w->budget, &p->share, 0);
    leave(p);
    tls_free(p->tls);
    close(p->fd); /* takes it out of the epoll set, too */
    peer_session_free(p->session);
    buffer_clear(&p->out);
    free(p);
    atomic_fetch_sub(&w->peers, 1);
}

/* A probe with yz/1 keeps what it has no receipt for and sends it again; plain
 * IPFIX that was delivered is nowhere but here. */
static bool is_heard(const struct peer *p)
{
    enum stage stage = p->worker->stage;
    return stage == STAGE_SERVING || (stage == STAGE_DRAINING && !p->is_yz1);
}

/* Nothing is asked of its socket any more: a broken one would wake us all the
 * while. What the peer delivered before stays readable, and if it is nowhere
 * but here it is read as its turn comes, until there is no more. */
static void peer_end(struct peer *p, struct mono_time now)
{
    if (p->state != PEER_OPEN || !is_heard(p) || p->is_yz1) {
        peer_close(p);
        return;
    }
    p->is_ending = true;
    p->end_start = now;
    epoll_ctl(p->worker->epoll, EPOLL_CTL_DEL, p->fd, NULL);
    touch(p);
}

static void note_peer(struct peer *p, enum intake_reason reason,
                      const char *detail)
{
    struct batch_origin origin = {TRANSPORT_IPFIX, p->name, p->label, NULL};
    committer_note(p->worker->shared->committer, &origin, reason, detail);
}

static bool may_read(struct peer *p)
{
    p->share.is_waiting = false;
    return !p->is_stored && p->out.length < OUT_FULL && is_heard(p) &&
           peer_budget_ask(&p->worker->budget, &p->share);
}

static void want_events(struct peer *p, struct mono_time now)
{
    uint32_t events = 0;
    bool may = p->state == PEER_OPEN && may_read(p);
    if (p->state == PEER_HANDSHAKE)
        events = p->tls_wants_write ? EPOLLOUT : EPOLLIN;
    else if (p->state == PEER_OPEN)
        events = (may ? EPOLLIN : 0) |
                 (p->out.length > 0 || p->tls_wants_write ? EPOLLOUT : 0);
    struct epoll_event e = {.events = events, .data.ptr = p};
    if (events != p->events && !p->is_ending &&
        epoll_ctl(p->worker->epoll, EPOLL_CTL_MOD, p->fd, &e) != 0)
        peer_close(p);
    /* The time it waited for us does not count as its silence. */
    if (events & ~p->events & EPOLLIN)
        p->last_byte = p->batch_start = now;
    p->events = events;
    /* Of decrypted bytes inside TLS epoll knows nothing, and of one that is
     * ending it is not asked. */
    p->has_more =
        may && (p->has_more || p->is_ending || tls_has_pending(p->tls));
}

/* --- new ones --- */

static struct peer *peer_new(struct worker *w, const struct handed *h,
                             struct mono_time now)
{
    struct peer *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->worker = w;
    p->fd = h->fd;
    p->last_byte = p->batch_start = now;
    p->events = EPOLLIN;
    memcpy(p->label, h->label, sizeof(p->label));
    buffer_init(&p->out, OUT_LIMIT);
    pthread_mutex_lock(&w->shared->tls_lock);
    p->tls = tls_accept(w->shared->tls, h->fd);
    pthread_mutex_unlock(&w->shared->tls_lock);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
    if (p->tls == NULL || epoll_ctl(w->epoll, EPOLL_CTL_ADD, h->fd, &e) != 0) {
        tls_free(p->tls);
        free(p);
        return NULL;
    }
    enter(p, &w->strangers);
    return p;
}

static bool make_room(struct worker *w)
{
    if (w->strangers.first == NULL)
        return false;
    peer_close(w->strangers.first);
    return true;
}

/* When we stop, a newcomer is closed: nobody sends more than a greeting before
 * we have answered it, so nothing of it is lost. */
static void adopt(struct worker *w, struct handed *h, struct mono_time now)
{
    bool has_room =
        w->stage == STAGE_SERVING && (!h->must_make_room || make_room(w));
    if (!has_room || peer_new(w, h, now) == NULL) {
        close(h->fd);
        atomic_fetch_sub(&w->peers, 1);
        atomic_fetch_sub(&w->stranger_count, 1);
    }
    free(h);
}

static void on_handshake(struct peer *p, struct mono_time now)
{
    struct worker_shared *shared = p->worker->shared;
    const struct peer_hooks *hooks = shared->hooks;
    enum tls_status status = tls_handshake(p->tls);
    p->tls_wants_write = status == TLS_WANT_WRITE;
    if (status == TLS_WANT_READ || status == TLS_WANT_WRITE)
        return;
    if (status != TLS_OK) {
        log_info("%s: no connection: %s", p->label, tls_error(p->tls));
        atomic_fetch_add(&shared->failed_handshakes, 1);
        peer_close(p);
        return;
    }
    if (!tls_peer_name(p->tls, p->name)) {
        p->name[0] = '\0';
        note_peer(p, REASON_IDENTITY, "the certificate has no usable name");
        peer_close(p);
        return;
    }
    p->state = PEER_OPEN;
    p->last_byte = now;
    make_known(p);
    atomic_fetch_add(&shared->handshakes, 1);
    presence_enter(shared->presences, &p->presence, p->name);
    p->is_yz1 = tls_peer_wants_yz1(p->tls);
    log_info("%s: connected from %s, %s", p->name, p->label,
             p->is_yz1 ? "with receipts" : "plain IPFIX");
    if (p->is_yz1 && hooks != NULL && hooks->opened != NULL)
        hooks->opened(hooks->context, p, now);
}

/* --- batches --- */

/* From any thread. */
static void wake(struct worker *w)
{
    static const uint64_t one = 1;
    while (write(w->mailbox, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

/* In the committer's thread; the job, and with it its peer, may be gone once the
 * lock is left. The worker is not: it is freed after the committer's end. */
static void give_back(struct commit_job *job)
{
    struct peer *p = job->owner;
    struct worker *w = p->worker;
    pthread_mutex_lock(&w->lock);
    job->next = w->answered;
    w->answered = job;
    pthread_mutex_unlock(&w->lock);
    wake(w);
}

static void prepare(struct peer *p, struct commit_job *job)
{
    struct worker *w = p->worker;
    const struct batch_info *info = batch_reader_info(job->reader);
    struct registry_probe probe;
    bool is_known = strcmp(info->probe_id, p->name) == 0 &&
                    probe_directory_find(w->registry, info->probe_id, &probe) ==
                        REGISTRY_FOUND;
    prepare_batch(w->preparer, &job->prepared, job->reader, job->content,
                  is_known ? &probe : NULL);
}

static void submit(struct peer *p)
{
    struct worker *w = p->worker;
    struct commit_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        log_error("%s: out of memory for its batch", p->name);
        peer_close(p);
        return;
    }
    prepared_init(&job->prepared);
    job->origin = (struct batch_origin){
        p->is_yz1 ? TRANSPORT_YZ1 : TRANSPORT_IPFIX, p->name, p->label, NULL};
    job->reader = peer_session_reader(p->session);
    job->content = peer_session_content(p->session);
    job->done = give_back;
    job->owner = p;
    prepare(p, job);
    p->job = job;
    p->is_stored = true;
    w->stored_count++;
    set_pending(p);
    atomic_fetch_add(&w->shared->batches, 1);
    committer_submit(w->shared->committer, job);
}

/* What is of the return channel goes to the hooks. False: it is no such thing,
 * or that of a peer without the channel. */
static bool take_message(struct peer *p, struct mono_time now)
{
    const struct peer_hooks *hooks = p->worker->shared->hooks;
    if (!p->is_yz1)
        return false;
    return hooks == NULL || hooks->message == NULL ||
           hooks->message(hooks->context, p, peer_session_message(p->session),
                          now);
}

/* Takes what the session has; a complete batch goes to the committer. */
static void advance(struct peer *p, struct mono_time now)
{
    enum peer_session_status status;
    while ((status = peer_session_next(p->session)) == PEER_SESSION_MESSAGE)
        if (!take_message(p, now)) {
            note_peer(p, REASON_MALFORMED, "not of the return channel");
            peer_close(p);
            return;
        }
    set_pending(p);
    if (status == PEER_SESSION_BATCH) {
        submit(p);
    } else if (status == PEER_SESSION_BAD) {
        note_peer(p, REASON_MALFORMED, peer_session_fault(p->session));
        peer_close(p);
    } else if (peer_session_is_between(p->session)) {
        put_session_back(p);
    }
}

/* The batch's group is on disk, and its receipt may leave. */
static void answer(struct peer *p, struct commit_job *job, struct mono_time now)
{
    p->job = NULL;
    p->is_stored = false;
    p->worker->stored_count--;
    touch(p);
    if (job->status != TAKE_DONE && !p->is_yz1)
        log_error("%s: a batch without receipts is lost: it could not be "
                  "stored before the stop",
                  p->name);
    if (job->status != TAKE_DONE || p->state != PEER_OPEN) {
        peer_close(p); /* unanswered: it will come again */
        return;
    }
    peer_session_release(p->session);
    peer_budget_end_favour(&p->worker->budget, &p->share);
    log_debug("%s: batch %llu %s", p->name,
              (unsigned long long)job->receipt.sequence,
              receipt_status_text(job->receipt.status));
    if (p->is_yz1 && !receipt_encode(&job->receipt,
                                     p->worker->shared->receipt_key, &p->out)) {
        log_error("%s: no receipt could be made", p->name);
        peer_close(p);
        return;
    }
    p->last_byte = p->batch_start = p->end_start = now;
    if (is_heard(p))
        advance(p, now);
    else
        set_pending(p);
}

/* --- reading, writing --- */

static void end_of_stream(struct peer *p, enum tls_status status)
{
    if (status == TLS_FAILED)
        log_info("%s: connection from %s lost: %s", p->name, p->label,
                 tls_error(p->tls));
    else
        log_info("%s: closed%s", p->name,
                 p->session == NULL || peer_session_is_between(p->session)
                     ? ""
                     : " within a batch");
    peer_close(p);
}

/* Room in its session, which is made when the first bytes come. */
static uint8_t *reading_space(struct peer *p, size_t *length)
{
    if (p->session == NULL)
        p->session = take_session(p->worker);
    return p->session != NULL ? peer_session_space(p->session, length) : NULL;
}

/* A record without data (a new key) ends a read, too: then there is more. */
static bool has_unread(const struct peer *p)
{
    int bytes = 0;
    return ioctl(p->fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

/* False: nothing more is to be had now. */
static bool read_once(struct peer *p, struct mono_time now)
{
    size_t length, done = 0;
    bool was_between =
        p->session == NULL || peer_session_is_between(p->session);
    uint8_t *space = reading_space(p, &length);
    if (space == NULL) {
        log_error("%s: out of memory for its batch", p->name);
        peer_close(p);
        return false;
    }
    enum tls_status status = tls_read(p->tls, space, length, &done);
    p->tls_wants_write = status == TLS_WANT_WRITE;
    if (status == TLS_WANT_READ || status == TLS_WANT_WRITE) {
        if (was_between)
            put_session_back(p);
        if (p->is_ending && !has_unread(p))
            peer_close(p);
        return false;
    }
    if (status != TLS_OK) {
        end_of_stream(p, status);
        return false;
    }
    p->last_byte = now;
    if (was_between)
        p->batch_start = now;
    atomic_fetch_add(&p->worker->shared->received_bytes, done);
    peer_session_filled(p->session, done);
    advance(p, now);
    return p->state == PEER_OPEN;
}

static void read_peer(struct peer *p, struct mono_time now)
{
    p->has_more = false;
    for (int i = 0; may_read(p); i++) {
        if (i == READS_A_ROUND) {
            p->has_more = true;
            return;
        }
        if (!read_once(p, now))
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
    buffer_clear(&p->out);
}

/* And what the return channel has, for as long as the peer takes it at once.
 * Bounded: others want their turn. */
static void write_on(struct peer *p, struct mono_time now)
{
    const struct peer_hooks *hooks = p->worker->shared->hooks;
    write_peer(p, now);
    for (int i = 0; i < TELLS_A_ROUND && p->state == PEER_OPEN && p->is_yz1 &&
                    p->out.length == 0 && hooks != NULL && hooks->tick != NULL;
         i++) {
        hooks->tick(hooks->context, p, now);
        if (p->out.length == 0)
            return;
        write_peer(p, now);
    }
}

static void on_peer(struct peer *p, uint32_t events, struct mono_time now)
{
    touch(p);
    if (p->state == PEER_HANDSHAKE)
        on_handshake(p, now);
    if (p->state == PEER_OPEN && (events & EPOLLOUT || p->out.length > 0))
        write_on(p, now);
    if (p->state == PEER_OPEN)
        read_peer(p, now);
    /* Broken, and not to be read now: nothing else would notice. */
    if (p->state == PEER_OPEN && events & (EPOLLERR | EPOLLHUP) && !may_read(p))
        peer_end(p, now);
}

/* --- time --- */

/* What a peer did not do in time, or NULL. */
static const char *overdue(const struct peer *p, struct mono_time now)
{
    int64_t silent_us = now.us - p->last_byte.us;
    if (p->state == PEER_HANDSHAKE)
        return silent_us > HANDSHAKE_S * SECOND ? "no TLS handshake within 10 s"
                                                : NULL;
    if (p->is_stored || p->state != PEER_OPEN)
        return NULL; /* it waits for us */
    if (p->is_ending)
        return now.us - p->end_start.us > STALL_S * SECOND ? "it does not end"
                                                           : NULL;
    if (atomic_load(&p->presence.is_superseded))
        return "its probe has newer connections";
    if (peer_budget_is_overdue(&p->worker->budget, &p->share, now))
        return "its batch does not get on, and others wait for its room";
    bool is_between = p->session == NULL || peer_session_is_between(p->session);
    if (p->events & EPOLLIN && !is_between &&
        (silent_us > STALL_S * SECOND ||
         now.us - p->batch_start.us > BATCH_S * SECOND))
        return "its batch does not get on";
    return silent_us > p->worker->shared->idle_us && !p->share.is_waiting
               ? "silent for too long"
               : NULL;
}

/* Who makes room has done nothing wrong, and what it delivered is heard. */
static void dismiss(struct peer *p, const char *why, struct mono_time now)
{
    struct worker_shared *shared = p->worker->shared;
    bool makes_room = atomic_load(&p->presence.is_superseded) && !p->is_ending;
    log_info("%s%s%s: closed, %s", p->name, p->name[0] ? " from " : "",
             p->label, why);
    atomic_fetch_add(makes_room ? &shared->superseded : &shared->overdue, 1);
    if (makes_room)
        peer_end(p, now);
    else
        peer_close(p);
}

static void tick_peer(struct peer *p, struct mono_time now)
{
    const struct peer_hooks *hooks = p->worker->shared->hooks;
    const char *why = overdue(p, now);
    if (why != NULL) {
        dismiss(p, why, now);
    } else if (p->state == PEER_OPEN && p->is_yz1 && hooks != NULL &&
               hooks->tick != NULL) {
        hooks->tick(hooks->context, p, now);
    }
}

static void tick_list(struct peer_list *list, struct mono_time now)
{
    for (struct peer *p = list->first, *next; p != NULL; p = next) {
        next = p->next; /* who is closed goes to another list */
        tick_peer(p, now);
    }
}

static void tick(struct worker *w, struct mono_time now)
{
    tick_list(&w->known, now);
    tick_list(&w->strangers, now);
}

/* --- the loop --- */

/* Those who waited for room look again once there is some. */
static bool unblock(struct worker *w)
{
    if (!peer_budget_has_news(&w->budget))
        return false;
    for (struct peer *p = w->known.first; p != NULL; p = p->next)
        if (p->share.is_waiting)
            touch(p);
    return true;
}

/* Frees the closed, asks epoll anew for the others. True when one of them can
 * be read without waiting. */
static bool settle_touched(struct worker *w, struct mono_time now)
{
    bool has_more = false;
    struct peer *next, *again = NULL;
    for (struct peer *p = w->touched; p != NULL; p = next) {
        next = p->next_touched;
        p->is_touched = false;
        if (p->state == PEER_OPEN && p->out.length > 0)
            write_on(p, now);
        if (p->state != PEER_CLOSING)
            want_events(p, now);
        p->is_touched = false;
        if (p->state == PEER_CLOSING) {
            if (!p->is_stored)
                peer_free(p);
        } else if (p->has_more) {
            p->is_touched = has_more = true;
            p->next_touched = again;
            again = p;
        }
    }
    w->touched = again;
    return has_more;
}

/* What the closed held is room for those who wait. */
static bool settle(struct worker *w, struct mono_time now)
{
    bool has_more = settle_touched(w, now);
    return unblock(w) ? settle_touched(w, now) : has_more;
}

static void read_mailbox(struct worker *w, struct mono_time now)
{
    uint64_t unused;
    if (read(w->mailbox, &unused, sizeof(unused)) < 0 && errno != EAGAIN)
        log_warn("mailbox: %s", strerror(errno));
    pthread_mutex_lock(&w->lock);
    struct handed *handed = w->handed;
    struct commit_job *answered = w->answered;
    w->handed = NULL;
    w->handed_end = &w->handed;
    w->answered = NULL;
    pthread_mutex_unlock(&w->lock);
    for (struct commit_job *job = answered, *next; job != NULL; job = next) {
        next = job->next;
        answer(job->owner, job, now);
        prepared_clear(&job->prepared);
        free(job);
    }
    for (struct handed *h = handed, *next; h != NULL; h = next) {
        next = h->next;
        adopt(w, h, now);
    }
}

static void read_those_with_more(struct worker *w, struct mono_time now)
{
    for (struct peer *p = w->touched; p != NULL; p = p->next_touched)
        if (p->has_more && p->state == PEER_OPEN)
            read_peer(p, now);
}

/* Gives how much there was to do, -1 when it cannot wait any more. */
static int serve_round(struct worker *w, int wait_ms, bool *has_more)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(w->epoll, events, EVENTS, *has_more ? 0 : wait_ms);
    if (count < 0 && errno != EINTR)
        return -1;
    struct mono_time now = mono_now();
    read_those_with_more(w, now);
    bool has_mail = false;
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL)
            has_mail = true;
        else
            on_peer(events[i].data.ptr, events[i].events, now);
    }
    if (has_mail)
        read_mailbox(w, now);
    *has_more = settle(w, now);
    return count > 0 ? count : 0;
}

static void enter_stage(struct worker *w, enum stage stage)
{
    w->stage = stage;
    for (struct peer *p = w->known.first; p != NULL; p = p->next)
        touch(p);
    settle(w, mono_now());
}

/* What was delivered before the stop is read and stored. A peer has one batch
 * at a time with the committer, so this goes on until nobody has one and no
 * socket has anything more; those that send without end are left at the bound.
 */
static void drain(struct worker *w)
{
    struct mono_time end = {mono_now().us + DRAIN_MS * INT64_C(1000)};
    bool has_more = false;
    int count;
    enter_stage(w, STAGE_DRAINING);
    do
        count = serve_round(w, w->stored_count > 0 ? 10 : 0, &has_more);
    while (count >= 0 && (count > 0 || has_more || w->stored_count > 0) &&
           mono_now().us < end.us);
}

static bool has_receipts_left(const struct worker *w)
{
    for (const struct peer *p = w->known.first; p != NULL; p = p->next)
        if (p->state == PEER_OPEN && p->out.length > 0)
            return true;
    return false;
}

/* Batches that are being stored are answered; nothing more is read. What the
 * committer has cannot be left behind, receipts can. */
static void farewell(struct worker *w)
{
    struct mono_time end = {mono_now().us + FAREWELL_MS * INT64_C(1000)};
    bool has_more = false;
    enter_stage(w, STAGE_LEAVING);
    while (w->stored_count > 0 ||
           (has_receipts_left(w) && mono_now().us < end.us))
        if (serve_round(w, 10, &has_more) < 0)
            break;
}

static void *run(void *context)
{
    struct worker *w = context;
    struct mono_time last_tick = mono_now();
    bool has_more = false;
    while (!atomic_load(&w->is_finishing)) {
        if (serve_round(w, TICK_MS, &has_more) < 0) {
            log_error("epoll: %s", strerror(errno));
            break;
        }
        struct mono_time now = mono_now();
        if (now.us - last_tick.us < TICK_MS * INT64_C(1000))
            continue;
        last_tick = now;
        tick(w, now);
        has_more = settle(w, now) || has_more;
    }
    drain(w);
    farewell(w);
    return NULL;
}

/* --- from outside --- */

void worker_add(struct worker *w, int fd,
                const char label[static LISTENER_LABEL_LEN],
                bool must_make_room)
{
    struct handed *h = calloc(1, sizeof(*h));
    if (h == NULL) {
        close(fd);
        return;
    }
    h->fd = fd;
    h->must_make_room = must_make_room;
    memcpy(h->label, label, sizeof(h->label));
    atomic_fetch_add(&w->peers, 1);
    atomic_fetch_add(&w->stranger_count, 1);
    pthread_mutex_lock(&w->lock);
    *w->handed_end = h;
    w->handed_end = &h->next;
    pthread_mutex_unlock(&w->lock);
    wake(w);
}

uint64_t worker_peers(const struct worker *w)
{
    return atomic_load(&w->peers);
}

uint64_t worker_strangers(const struct worker *w)
{
    return atomic_load(&w->stranger_count);
}

uint64_t worker_pending(const struct worker *w)
{
    return peer_budget_seen(&w->budget);
}

void worker_finish(struct worker *w)
{
    atomic_store(&w->is_finishing, true);
    wake(w);
}

static void release(struct worker *w)
{
    for (size_t i = 0; i < w->spare_count; i++)
        peer_session_free(w->spares[i]);
    probe_directory_close(w->registry);
    preparer_free(w->preparer);
    if (w->mailbox >= 0)
        close(w->mailbox);
    if (w->epoll >= 0)
        close(w->epoll);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static bool open_parts(struct worker *w, struct error_text *error)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL};
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->mailbox = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->epoll < 0 || w->mailbox < 0 ||
        epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->mailbox, &e) != 0)
        return error_set(error, "epoll: %s", strerror(errno));
    w->preparer = preparer_new();
    if (w->preparer == NULL)
        return error_set(error, "out of memory");
    w->registry = probe_directory_open(w->shared->registry, error);
    return w->registry != NULL;
}

struct worker *worker_start(struct worker_shared *shared,
                            struct error_text *error)
{
    struct worker *w = calloc(1, sizeof(*w));
    if (w == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    w->shared = shared;
    w->epoll = w->mailbox = -1;
    peer_budget_init(&w->budget, shared->pending_max);
    w->handed_end = &w->handed;
    pthread_mutex_init(&w->lock, NULL);
    int failed =
        open_parts(w, error) ? pthread_create(&w->thread, NULL, run, w) : -1;
    if (failed == 0)
        return w;
    if (failed > 0)
        error_set(error, "no thread for a worker: %s", strerror(failed));
    release(w);
    return NULL;
}

void worker_join(struct worker *w)
{
    pthread_join(w->thread, NULL);
}

void worker_free(struct worker *w)
{
    if (w == NULL)
        return;
    while (w->known.first != NULL)
        peer_free(w->known.first);
    while (w->strangers.first != NULL)
        peer_free(w->strangers.first);
    for (struct handed *h = w->handed, *next; h != NULL; h = next) {
        next = h->next;
        close(h->fd);
        free(h);
    }
    release(w);
}
