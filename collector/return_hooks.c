#include "collector/return_hooks.h"

#include <pthread.h>
#include <stdlib.h>

#include "collector/return_peer.h"

enum { CHANNELS_MAX = 64, OUT_MAX = 4 * RETURN_OUT_FULL };

struct worker_channel {
    pthread_t thread;
    struct return_peer_channel *channel;
};

struct return_hooks {
    struct peer_hooks hooks;
    const struct sign_key *key;
    const char *registry_path;
    pthread_mutex_t lock;
    struct worker_channel channels[CHANNELS_MAX];
    size_t count;
};

/* What hangs at a peer. */
struct side {
    struct return_peer_channel *channel;
    struct return_peer *peer;
};

/* The channel of the calling worker. NULL: it cannot be made now, which is
 * logged; the next probe that comes tries again. */
static struct return_peer_channel *own_channel(struct return_hooks *h)
{
    struct return_peer_channel *found = NULL;
    struct error_text error = {""};
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->count; i++)
        if (pthread_equal(h->channels[i].thread, pthread_self()))
            found = h->channels[i].channel;
    if (found == NULL && h->count < CHANNELS_MAX) {
        found = return_peer_channel_new(h->key, h->registry_path, &error);
        if (found != NULL)
            h->channels[h->count++] =
                (struct worker_channel){pthread_self(), found};
        else
            log_error("no return channel: %s", error.text);
    }
    pthread_mutex_unlock(&h->lock);
    return found;
}

/* As much as the peer takes now. It is told that it may have more when that
 * has left (worker.h). */
static void tell(struct peer *peer, struct mono_time now)
{
    struct side *side = *peer_state(peer);
    struct buffer out;
    if (side == NULL || peer_waiting(peer) >= RETURN_OUT_FULL)
        return;
    return_peer_channel_tick(side->channel, now);
    buffer_init(&out, OUT_MAX);
    if (!return_peer_fill(side->peer, now, wall_now(), &out))
        log_error("%s: no message could be made", peer_name(peer));
    else if (out.length > 0)
        peer_send(peer, buffer_slice(&out));
    buffer_clear(&out);
}

static void opened(void *context, struct peer *peer, struct mono_time now)
{
    struct return_peer_channel *channel = own_channel(context);
    struct side *side = channel != NULL ? calloc(1, sizeof(*side)) : NULL;
    if (side == NULL)
        return;
    side->channel = channel;
    side->peer = return_peer_open(channel, peer_name(peer));
    if (side->peer == NULL) {
        free(side);
        return;
    }
    *peer_state(peer) = side;
    tell(peer, now);
}

static void tick(void *context, struct peer *peer, struct mono_time now)
{
    (void)context;
    tell(peer, now);
}

static bool message(void *context, struct peer *peer, struct slice bytes,
                    struct mono_time now)
{
    (void)context;
    struct side *side = *peer_state(peer);
    if (side == NULL)
        return true;
    if (!return_peer_take(side->peer, (const uint8_t *)bytes.data, bytes.length,
                          wall_now()))
        return false;
    tell(peer, now);
    return true;
}

static void closed(void *context, struct peer *peer)
{
    (void)context;
    struct side *side = *peer_state(peer);
    *peer_state(peer) = NULL;
    if (side == NULL)
        return;
    return_peer_close(side->peer);
    free(side);
}

struct peer_hooks *return_hooks_new(const struct sign_key *receipt_key,
                                    const char *registry_path)
{
    struct return_hooks *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return NULL;
    h->hooks = (struct peer_hooks){h, opened, tick, message, closed};
    h->key = receipt_key;
    h->registry_path = registry_path;
    pthread_mutex_init(&h->lock, NULL);
    return &h->hooks;
}

void return_hooks_free(struct peer_hooks *hooks)
{
    if (hooks == NULL)
        return;
    struct return_hooks *h = hooks->context;
    for (size_t i = 0; i < h->count; i++)
        return_peer_channel_free(h->channels[i].channel);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
