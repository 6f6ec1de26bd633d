/*
 * nDPI, and nothing of it outside this file.
 *
 * The interface changed in 4.4, 4.6, 4.10, after it, in 5.0 and in 6.0; what
 * differs is kept in the block of small functions below. nDPI's own QUIC decryption stays off: QUIC is
 * read by quic.c.
 */
#include "probe/meter/classify.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <ndpi/ndpi_main.h>

enum { PACKET_MAX = 4096, ZEROS = 256 };

struct classifier {
    /* nDPI reads behind the end of some packets (4.2: tinc, digits without a
     * bound). It gets a copy with zeros behind. */
    uint8_t packet[PACKET_MAX + ZEROS];
    struct ndpi_detection_module_struct *module;
    uint8_t *memory; /* of all flow states */
    size_t flow_size;
    size_t count;
    struct pool *pool; /* of flow states */
    bool is_started, is_working;
};

/* --- what differs between versions --- */

#define NDPI_AT_LEAST(major, minor)                                            \
    (NDPI_MAJOR > (major) || (NDPI_MAJOR == (major) && NDPI_MINOR >= (minor)))

/* Lists of whose address is whose are of no use here, and large. */
#if NDPI_AT_LEAST(6, 0)
static struct ndpi_detection_module_struct *version_open(void)
{
    return ndpi_init_detection_module(NULL, NDPI_LICENSE_NOT_FOR_PROFIT_LGPL);
}
#elif NDPI_AT_LEAST(4, 10)
static struct ndpi_detection_module_struct *version_open(void)
{
    return ndpi_init_detection_module(NULL);
}
#elif NDPI_AT_LEAST(4, 4)
static struct ndpi_detection_module_struct *version_open(void)
{
    return ndpi_init_detection_module(
        ndpi_dont_load_tor_list | ndpi_dont_init_libgcrypt |
        ndpi_dont_load_azure_list | ndpi_dont_load_whatsapp_list |
        ndpi_dont_load_amazon_aws_list | ndpi_dont_load_ethereum_list |
        ndpi_dont_load_zoom_list | ndpi_dont_load_cloudflare_list |
        ndpi_dont_load_microsoft_list | ndpi_dont_load_google_list |
        ndpi_dont_load_google_cloud_list | ndpi_dont_load_asn_lists |
        ndpi_dont_load_icloud_private_relay_list | ndpi_dont_init_risk_ptree |
        ndpi_dont_load_cachefly_list);
}
#else
static struct ndpi_detection_module_struct *version_open(void)
{
    return ndpi_init_detection_module(ndpi_dont_load_tor_hosts |
                                      ndpi_dont_init_libgcrypt);
}
#endif

#if NDPI_AT_LEAST(5, 0)
static bool version_start(struct ndpi_detection_module_struct *module)
{
    return ndpi_finalize_initialization(module) == 0;
}
#else
static bool version_start(struct ndpi_detection_module_struct *module)
{
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(module, &all);
#if NDPI_AT_LEAST(4, 10)
    return ndpi_finalize_initialization(module) == 0;
#else
    ndpi_finalize_initialization(module);
    return true;
#endif
}
#endif

static ndpi_protocol version_process(struct classifier *c,
                                     struct ndpi_flow_struct *flow,
                                     const uint8_t *ip, uint16_t length,
                                     uint64_t when_ms)
{
#if NDPI_AT_LEAST(4, 6)
    return ndpi_detection_process_packet(c->module, flow, ip, length, when_ms,
                                         NULL);
#else
    return ndpi_detection_process_packet(c->module, flow, ip, length, when_ms);
#endif
}

/* The protocol below ("TLS" of a service over TLS) where there are two. */
static uint16_t version_protocol(ndpi_protocol p)
{
#if NDPI_AT_LEAST(4, 11) /* the development version between 4.10 and 4.12 */
    uint16_t lower = p.proto.master_protocol, upper = p.proto.app_protocol;
#else
    uint16_t lower = p.master_protocol, upper = p.app_protocol;
#endif
    return lower != NDPI_PROTOCOL_UNKNOWN ? lower : upper;
}

/* --- the pool --- */

static struct ndpi_flow_struct *flow_at(struct classifier *c, size_t index)
{
    return (void *)(c->memory + index * c->flow_size);
}

static void clear_flow(struct classifier *c, size_t index)
{
    ndpi_free_flow_data(flow_at(c, index));
    memset(flow_at(c, index), 0, c->flow_size);
}

static bool make_states(struct classifier *c)
{
    /* Aligned for any type, whatever size nDPI names. */
    size_t size = ndpi_detection_get_sizeof_ndpi_flow_struct();
    c->flow_size = (size + 15) / 16 * 16;
    c->memory = calloc(c->count, c->flow_size);
    return c->memory != NULL;
}

/* Once; afterwards it works or it does not. */
static bool start(struct classifier *c)
{
    if (c->is_started)
        return c->is_working;
    c->is_started = true;
    c->module = version_open();
    c->is_working =
        c->module != NULL && make_states(c) && version_start(c->module);
    return c->is_working;
}

struct classifier *classifier_init(size_t states, bool is_lazy,
                                   struct error_text *error)
{
    struct classifier *c = calloc(1, sizeof(*c));
    if (c != NULL) {
        c->count = states;
        c->pool = pool_new(states);
    }
    if (c == NULL || c->pool == NULL) {
        classifier_free(c);
        error_set(error, "no memory for %zu nDPI states", states);
        return NULL;
    }
    if (!is_lazy && !start(c)) {
        classifier_free(c);
        error_set(error, "nDPI could not be started");
        return NULL;
    }
    return c;
}

void classifier_free(struct classifier *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; c->memory != NULL && i < c->count; i++)
        ndpi_free_flow_data(flow_at(c, i)); /* nothing when never used */
    if (c->module != NULL)
        ndpi_exit_detection_module(c->module);
    pool_free(c->pool);
    free(c->memory);
    free(c);
}

void classifier_release(struct classifier *c, struct classify_state *state)
{
    int index = pool_release(c->pool, &state->place);
    if (index != POOL_NO_PLACE)
        clear_flow(c, (size_t)index);
}

/* NULL when the place was taken over: then the flow stays unknown. */
static struct ndpi_flow_struct *find_flow(struct classifier *c,
                                          struct classify_state *state)
{
    if (state->packets > 0) {
        int index = pool_find(c->pool, state->place);
        return index != POOL_NO_PLACE ? flow_at(c, (size_t)index) : NULL;
    }
    bool was_held;
    int index = pool_take(c->pool, &state->place, &was_held);
    if (was_held)
        clear_flow(c, (size_t)index);
    return flow_at(c, (size_t)index);
}

const char *classifier_feed(struct classifier *c, struct classify_state *state,
                            const uint8_t *ip, size_t length,
                            struct wall_time when)
{
    if (state->packets >= CLASSIFY_PACKETS_MAX)
        return NULL;
    struct ndpi_flow_struct *flow = start(c) ? find_flow(c, state) : NULL;
    if (flow == NULL) {
        state->packets = CLASSIFY_PACKETS_MAX;
        return NULL;
    }
    uint16_t size = length < PACKET_MAX ? (uint16_t)length : PACKET_MAX;
    memcpy(c->packet, ip, size);
    memset(c->packet + size, 0, ZEROS);
    uint64_t now_ms = when.us > 0 ? (uint64_t)when.us / 1000 : 0;
    state->packets++;
    uint16_t protocol =
        version_protocol(version_process(c, flow, c->packet, size, now_ms));
    bool is_known = protocol != NDPI_PROTOCOL_UNKNOWN;
    if (is_known)
        state->packets = CLASSIFY_PACKETS_MAX;
    if (state->packets >= CLASSIFY_PACKETS_MAX)
        classifier_release(c, state);
    return is_known ? ndpi_get_proto_name(c->module, protocol) : NULL;
}
