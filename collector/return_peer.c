/*
 * A bundle is the way from one version to the newest. It is made when the first
 * probe with that version asks, kept as long as a probe is being sent it, and
 * the latest few beyond that. A newer version does not stop one that is on its
 * way: the probe asks again with what it then has.
 */
#include "collector/return_peer.h"

#include <stdlib.h>
#include <string.h>

#include "collector/ledger/challenge.h"
#include "collector/ledger/published_version.h"
#include "common/wire/return_channel.h"

enum {
    BUNDLES_KEPT = 4,
    LOOK_S = 2,          /* for a newer version */
    BUNDLE_PAUSE_S = 10, /* between two bundles to one probe */
};
#define SECOND INT64_C(1000000)

struct bundle {
    size_t references;
    struct digest from;
    struct registry_head head;
    struct buffer changes;
};

struct return_peer_channel {
    struct digest secret;
    struct probe_directory *registry;
    struct registry_head newest; /* serial 0: none */
    struct mono_time next_look;
    bool has_failed;
    struct bundle *kept[BUNDLES_KEPT]; /* newest first */
};

struct return_peer {
    struct return_peer_channel *channel;
    char probe_id[PROBE_ID_LEN];
    struct mono_time next_challenge, next_bundle;
    int64_t request_ms, receive_ms; /* a question about the time; 0: none */
    bool wants_lists;               /* it asked once */
    bool is_ahead;                  /* it knows a list that we do not */
    struct digest has;              /* the version that it then had */
    uint64_t told_serial;           /* of the last head sent, 0: none */
    struct bundle *bundle;          /* on its way */
    size_t sent;                    /* octets of it */
};

/* --- bundles --- */

static void release(struct bundle *b)
{
    if (b == NULL || --b->references > 0)
        return;
    buffer_clear(&b->changes);
    free(b);
}

/* Changes from a version that was never published are those from nothing. */
static bool make_changes(struct return_peer_channel *c, struct bundle *b)
{
    struct buffer old, list;
    bool has_old, has_list;
    buffer_init(&old, REGISTRY_LIST_MAX);
    buffer_init(&list, REGISTRY_LIST_MAX);
    bool good =
        published_version_list(c->registry, b->from, &old, &has_old) &&
        published_version_list(c->registry, b->head.hash, &list, &has_list) &&
        has_list &&
        registry_changes(buffer_slice(&old), buffer_slice(&list), &b->changes);
    buffer_clear(&old);
    buffer_clear(&list);
    return good;
}

static struct bundle *make_bundle(struct return_peer_channel *c,
                                  struct digest from)
{
    struct bundle *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return NULL;
    b->references = 1;
    b->from = from;
    b->head = c->newest;
    if (!make_changes(c, b)) {
        release(b);
        return NULL;
    }
    return b;
}

static void keep(struct return_peer_channel *c, struct bundle *b)
{
    release(c->kept[BUNDLES_KEPT - 1]);
    memmove(&c->kept[1], &c->kept[0], (BUNDLES_KEPT - 1) * sizeof(c->kept[0]));
    c->kept[0] = b;
}

/* From that version to the newest, with a reference for the caller. */
static struct bundle *bundle_from(struct return_peer_channel *c,
                                  struct digest from)
{
    for (size_t i = 0; i < BUNDLES_KEPT; i++) {
        struct bundle *b = c->kept[i];
        if (b != NULL && digest_equal(b->from, from) &&
            b->head.serial == c->newest.serial) {
            b->references++;
            return b;
        }
    }
    struct bundle *b = make_bundle(c, from);
    if (b == NULL)
        return NULL;
    b->references++;
    keep(c, b);
    return b;
}

/* --- the channel --- */

struct return_peer_channel *
return_peer_channel_new(const struct sign_key *receipt_key,
                        const char *registry_path, struct error_text *error)
{
    struct return_peer_channel *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    c->secret = challenge_secret(receipt_key);
    c->registry = probe_directory_open(registry_path, error);
    if (c->registry == NULL) {
        free(c);
        return NULL;
    }
    return c;
}

void return_peer_channel_free(struct return_peer_channel *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < BUNDLES_KEPT; i++)
        release(c->kept[i]);
    probe_directory_close(c->registry);
    explicit_bzero(&c->secret, sizeof(c->secret));
    free(c);
}

void return_peer_channel_tick(struct return_peer_channel *c,
                              struct mono_time now)
{
    struct registry_head head;
    if (now.us < c->next_look.us)
        return;
    c->next_look.us = now.us + LOOK_S * SECOND;
    bool good = published_version_newest(c->registry, &head);
    if (!good && !c->has_failed)
        log_warn("versions of the list of endpoints cannot be read: %s",
                 probe_directory_error(c->registry));
    c->has_failed = !good;
    if (!good || head.serial == c->newest.serial)
        return;
    log_info("list of endpoints: version %llu goes to the probes",
             (unsigned long long)head.serial);
    c->newest = head;
}

/* --- peers --- */

struct return_peer *return_peer_open(struct return_peer_channel *channel,
                                     const char *probe_id)
{
    struct return_peer *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->channel = channel;
    if (!slice_copy(slice_of_text(probe_id), p->probe_id, sizeof(p->probe_id)))
        p->probe_id[0] = '\0'; /* no probe of ours: its batches are refused */
    return p;
}

void return_peer_close(struct return_peer *peer)
{
    if (peer == NULL)
        return;
    release(peer->bundle);
    free(peer);
}

/* A probe keeps the highest number that it has seen and refuses a lower one: to
 * it, this is a roll-back. Said once a connection. */
static void look_ahead(struct return_peer *p, uint64_t serial)
{
    uint64_t newest = p->channel->newest.serial;
    bool was_ahead = p->is_ahead;
    p->is_ahead = newest > 0 && serial > newest;
    if (p->is_ahead && !was_ahead)
        log_warn("%s: knows the list of endpoints number %llu, the newest "
                 "here is %llu; when portal.db was set back, yz-portal "
                 "registry publish --serial goes on above",
                 p->probe_id, (unsigned long long)serial,
                 (unsigned long long)newest);
}

bool return_peer_take(struct return_peer *peer, const uint8_t *message,
                      size_t length, struct wall_time wall)
{
    struct return_message m;
    switch (return_channel_decode(message, length, &m)) {
    case RETURN_BAD:
        return false;
    case RETURN_UNKNOWN:
        return true;
    case RETURN_OK:
        break;
    }
    if (m.kind == RETURN_CLOCK) {
        peer->request_ms = m.request_ms;
        peer->receive_ms = wall_to_ms(wall);
        return m.request_ms > 0;
    }
    if (m.kind == RETURN_REGISTRY_REQUEST) {
        peer->wants_lists = true;
        peer->has = m.head.hash;
        peer->told_serial = 0;
        look_ahead(peer, m.head.serial);
        return true;
    }
    return false;
}

static bool fill_challenge(struct return_peer *p, struct wall_time wall,
                           struct buffer *out)
{
    struct return_message m = {.kind = RETURN_CHALLENGE,
                               .issued_ms = wall_to_ms(wall)};
    m.expires_ms = m.issued_ms + 2 * RETURN_CHALLENGE_S * INT64_C(1000);
    challenge_make(p->channel->secret, p->probe_id, wall, m.nonce);
    return return_channel_encode(&m, m.issued_ms, out);
}

static bool fill_clock(struct return_peer *p, struct wall_time wall,
                       struct buffer *out)
{
    struct return_message m = {.kind = RETURN_CLOCK,
                               .request_ms = p->request_ms,
                               .receive_ms = p->receive_ms,
                               .transmit_ms = wall_to_ms(wall)};
    p->request_ms = 0;
    return return_channel_encode(&m, m.transmit_ms, out);
}

static uint64_t pieces(const struct bundle *b)
{
    return b == NULL
               ? 0
               : (b->changes.length + RETURN_CHUNK_MAX - 1) / RETURN_CHUNK_MAX;
}

/* The head; its pieces follow when the probe has another list. */
static bool fill_head(struct return_peer *p, struct mono_time now,
                      struct wall_time wall, struct buffer *out)
{
    struct return_peer_channel *c = p->channel;
    if (!digest_equal(p->has, c->newest.hash)) {
        p->bundle = bundle_from(c, p->has);
        p->sent = 0;
    }
    p->next_bundle.us = now.us + BUNDLE_PAUSE_S * SECOND;
    p->told_serial = c->newest.serial;
    struct return_message m = {.kind = RETURN_REGISTRY_HEAD,
                               .head = c->newest,
                               .from = p->has,
                               .chunk_count = pieces(p->bundle)};
    return return_channel_encode(&m, wall_to_ms(wall), out);
}

static bool fill_chunk(struct return_peer *p, struct wall_time wall,
                       struct buffer *out)
{
    struct bundle *b = p->bundle;
    size_t left = b->changes.length - p->sent;
    size_t length = left < RETURN_CHUNK_MAX ? left : RETURN_CHUNK_MAX;
    struct return_message m = {
        .kind = RETURN_REGISTRY_CHUNK,
        .head = {.hash = b->head.hash},
        .chunk_index = p->sent / RETURN_CHUNK_MAX,
        .chunk = slice_of_bytes(b->changes.data + p->sent, length)};
    p->sent += length;
    bool good = return_channel_encode(&m, wall_to_ms(wall), out);
    if (p->sent == b->changes.length) {
        p->has = b->head.hash; /* as it should be now */
        release(b);
        p->bundle = NULL;
    }
    return good;
}

static bool is_head_due(const struct return_peer *p, struct mono_time now)
{
    return p->wants_lists && p->bundle == NULL &&
           p->channel->newest.serial > p->told_serial &&
           now.us >= p->next_bundle.us;
}

bool return_peer_fill(struct return_peer *p, struct mono_time now,
                      struct wall_time wall, struct buffer *out)
{
    bool good = true;
    if (out->length >= RETURN_OUT_FULL)
        return true;
    if (now.us >= p->next_challenge.us) {
        p->next_challenge.us = now.us + RETURN_CHALLENGE_S * SECOND;
        good = fill_challenge(p, wall, out);
    }
    if (good && p->request_ms != 0)
        good = fill_clock(p, wall, out);
    if (good && is_head_due(p, now))
        good = fill_head(p, now, wall, out);
    while (good && p->bundle != NULL && out->length < RETURN_OUT_FULL)
        good = fill_chunk(p, wall, out);
    return good;
}
