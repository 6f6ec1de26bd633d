/*
 * The inspector.
 *
 * TCP: each direction is looked at on its own, because a capture may begin in
 * the middle. At the start, and again at each of the first segments, the
 * segment is tried as TLS record and as HTTP request; so a hello behind a
 * CONNECT, SOCKS or STARTTLS dialogue is found as well. A hello that is not
 * complete, or a first segment that comes before its predecessor, starts
 * gathering by sequence number.
 *
 * UDP: datagrams with a QUIC long header; CRYPTO bytes are gathered by offset.
 */
#include "meter/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "meter/fingerprint.h"
#include "meter/gather.h"
#include "meter/http_host.h"
#include "meter/quic.h"

enum {
    HANDSHAKES = 256,      /* gathered at once */
    CLASSIFY_STATES = 512, /* flows that nDPI looks at, at once */
    LOOKS_MAX = 12,        /* segments of a direction without a finding */
    GATHER_LOOKS_MAX = 48,
};

enum { STREAM_LOOKING, STREAM_GATHERING, STREAM_DONE };

struct handshake {
    struct gather gather;
    struct quic_client quic;
};

struct inspector {
    struct quic_opener *opener;
    struct classifier *classifier;
    struct pool *pool; /* of handshakes */
    struct handshake *handshakes;
    uint8_t hello_scratch[HELLO_SCRATCH_LEN];
    uint8_t quic_scratch[QUIC_SCRATCH_LEN];
};

struct inspector *inspector_new(struct error_text *error)
{
    struct inspector *in = calloc(1, sizeof(*in));
    if (in != NULL) {
        in->opener = quic_opener_new();
        in->pool = pool_new(HANDSHAKES);
        in->handshakes = calloc(HANDSHAKES, sizeof(*in->handshakes));
    }
    if (in == NULL || in->opener == NULL || in->pool == NULL ||
        in->handshakes == NULL) {
        error_set(error, "no memory for the parsers");
        inspector_free(in);
        return NULL;
    }
    in->classifier = classifier_init(CLASSIFY_STATES, error);
    if (in->classifier == NULL) {
        inspector_free(in);
        return NULL;
    }
    return in;
}

void inspector_free(struct inspector *in)
{
    if (in == NULL)
        return;
    quic_opener_free(in->opener);
    classifier_free(in->classifier);
    pool_free(in->pool);
    free(in->handshakes);
    free(in);
}

static struct handshake *hold_handshake(struct inspector *in,
                                        struct inspect_stream *stream)
{
    bool was_held;
    int index = pool_take(in->pool, &stream->handshake, &was_held);
    struct handshake *h = &in->handshakes[index];
    gather_reset(&h->gather);
    h->quic = (struct quic_client){0};
    return h;
}

/* NULL when the place was taken over by a younger flow. */
static struct handshake *find_handshake(struct inspector *in,
                                        const struct inspect_stream *stream)
{
    int index = pool_find(in->pool, stream->handshake);
    return index != POOL_NO_PLACE ? &in->handshakes[index] : NULL;
}

static void finish_stream(struct inspector *in, struct inspect_stream *stream)
{
    pool_release(in->pool, &stream->handshake);
    stream->status = STREAM_DONE;
}

void inspector_release(struct inspector *in, struct inspection *i)
{
    finish_stream(in, &i->streams[0]);
    finish_stream(in, &i->streams[1]);
    classifier_release(in->classifier, &i->classify);
    i->is_done = true;
}

int inspection_client(const struct inspection *i)
{
    return i->has_client ? i->client : INSPECT_CLIENT_UNKNOWN;
}

void inspection_note_syn(struct inspection *i, int side, uint32_t sequence)
{
    struct inspect_stream *stream = &i->streams[side];
    if (stream->status == STREAM_LOOKING && stream->looked == 0) {
        stream->base = sequence + 1;
        stream->has_base = true;
    }
}

/* --- what was found --- */

static void set_name(struct inspection *i, struct slice name,
                     enum name_evidence source)
{
    if (name.length > 0 && slice_copy(name, i->name, sizeof(i->name)))
        i->name_source = (uint8_t)source;
}

static void set_client(struct inspection *i, int side)
{
    i->has_client = true;
    i->client = (uint8_t)side;
}

static void set_token(struct inspection *i, const void *data, size_t length)
{
    struct digest digest = digest_of(data, length);
    memcpy(i->token, digest.bytes, FLOW_TOKEN_LEN);
    i->has_token = true;
}

static void make_tls_token(struct inspection *i)
{
    uint8_t both[2 * HELLO_RANDOM_LEN];
    if (!i->has_client_random || !i->has_server_random)
        return;
    memcpy(both, i->client_random, HELLO_RANDOM_LEN);
    memcpy(both + HELLO_RANDOM_LEN, i->server_random, HELLO_RANDOM_LEN);
    set_token(i, both, sizeof(both));
}

static void note_client_hello(struct inspection *i, const struct hello *hello,
                              int side, bool is_quic)
{
    set_client(i, side);
    i->application = is_quic ? "QUIC" : "TLS";
    set_name(i, hello->name, is_quic ? NAME_QUIC_SNI : NAME_SNI);
    fingerprint_of_hello(hello, is_quic, i->fingerprint_text);
    fingerprint_hash(i->fingerprint_text, i->fingerprint);
    if (is_quic)
        return;
    memcpy(i->client_random, hello->random, HELLO_RANDOM_LEN);
    i->has_client_random = true;
    make_tls_token(i);
}

static void note_server_hello(struct inspection *i, const struct hello *hello,
                              int side)
{
    set_client(i, !side);
    i->application = "TLS";
    memcpy(i->server_random, hello->random, HELLO_RANDOM_LEN);
    i->has_server_random = true;
    make_tls_token(i);
}

/* --- TCP --- */

enum finding {
    FOUND_NOTHING, /* something else */
    FOUND_PART,    /* more bytes may tell */
    FOUND_ALL,     /* this direction has told what it can */
    FOUND_SOME,    /* something, and more may follow */
};

static enum finding try_tls(struct inspector *in, struct inspection *i,
                            int side, const uint8_t *data, size_t length)
{
    struct hello hello;
    switch (hello_from_records(data, length, in->hello_scratch, &hello)) {
    case HELLO_MORE:
        return FOUND_PART;
    case HELLO_CLIENT:
        note_client_hello(i, &hello, side, false);
        return FOUND_ALL;
    case HELLO_SERVER:
        note_server_hello(i, &hello, side);
        return FOUND_ALL;
    case HELLO_RETRY:
        i->application = "TLS";
        return FOUND_SOME;
    case HELLO_NOT:
        break;
    }
    return FOUND_NOTHING;
}

static enum finding try_http(struct inspection *i, int side,
                             const uint8_t *data, size_t length)
{
    struct slice host;
    enum http_status status =
        http_host_find(slice_of_bytes(data, length), &host);
    if (status == HTTP_NOT)
        return FOUND_NOTHING;
    if (status == HTTP_MORE)
        return FOUND_PART;
    set_client(i, side);
    i->application = "HTTP";
    if (status == HTTP_CONNECT)
        return FOUND_SOME;
    set_name(i, host, NAME_HTTP_HOST);
    return FOUND_ALL;
}

/* An encrypted record: no hello in the clear comes behind it. */
static enum finding try_tls_data(struct inspection *i, const uint8_t *data,
                                 size_t length)
{
    enum { APPLICATION_DATA = 23, RECORD_MAX = 16384 + 2048 };
    if (length < 5 || data[0] != APPLICATION_DATA || data[1] != 3 ||
        data[2] > 4 || (data[3] << 8 | data[4]) > RECORD_MAX)
        return FOUND_NOTHING;
    i->application = "TLS";
    return FOUND_ALL;
}

static enum finding examine(struct inspector *in, struct inspection *i,
                            int side, const uint8_t *data, size_t length)
{
    if (length == 0)
        return FOUND_PART;
    enum finding found = try_tls(in, i, side, data, length);
    if (found == FOUND_NOTHING)
        found = try_tls_data(i, data, length);
    return found != FOUND_NOTHING ? found : try_http(i, side, data, length);
}

static void gather_segment(struct inspector *in, struct inspection *i, int side,
                           uint32_t sequence, const struct packet *p)
{
    struct inspect_stream *stream = &i->streams[side];
    struct handshake *h = find_handshake(in, stream);
    if (h == NULL) {
        finish_stream(in, stream);
        return;
    }
    struct gather *g = &h->gather;
    gather_add(g, (uint32_t)(sequence - stream->base), p->payload,
               p->payload_captured);
    size_t prefix = gather_prefix(g);
    enum finding found = examine(in, i, side, g->bytes, prefix);
    stream->looked++;
    if (found == FOUND_NOTHING || found == FOUND_SOME) {
        pool_release(in->pool, &stream->handshake);
        stream->status = STREAM_LOOKING;
    } else if (found == FOUND_ALL || prefix == GATHER_SIZE ||
               stream->looked > GATHER_LOOKS_MAX) {
        finish_stream(in, stream);
    }
}

/* Is this the direction's first payload, and does it begin behind its start?
 * Then what comes before is on its way. */
static bool is_ahead(const struct inspect_stream *stream, uint32_t sequence)
{
    uint32_t distance = sequence - stream->base;
    return stream->has_base && stream->looked == 0 && distance > 0 &&
           distance < GATHER_SIZE;
}

static void look_at_segment(struct inspector *in, struct inspection *i,
                            int side, uint32_t sequence, const struct packet *p)
{
    struct inspect_stream *stream = &i->streams[side];
    enum finding found = FOUND_PART;
    if (!is_ahead(stream, sequence)) {
        found = examine(in, i, side, p->payload, p->payload_captured);
        stream->base = sequence;
    }
    if (found == FOUND_ALL) {
        finish_stream(in, stream);
    } else if (found == FOUND_PART) {
        stream->status = STREAM_GATHERING;
        hold_handshake(in, stream);
        gather_segment(in, i, side, sequence, p);
    } else if (++stream->looked >= LOOKS_MAX) {
        finish_stream(in, stream);
    }
}

static void read_tcp(struct inspector *in, struct inspection *i,
                     const struct packet *p, int side)
{
    struct inspect_stream *stream = &i->streams[side];
    /* Payload of a SYN (RFC 7413) stands behind its sequence number. */
    uint32_t sequence = p->tcp_sequence + ((p->tcp_flags & TCP_SYN) != 0);
    if (stream->status == STREAM_GATHERING)
        gather_segment(in, i, side, sequence, p);
    else if (stream->status == STREAM_LOOKING)
        look_at_segment(in, i, side, sequence, p);
    if (i->name_source == NAME_HTTP_HOST)
        finish_stream(in, &i->streams[!side]);
}

/* --- UDP --- */

static void finish_both(struct inspector *in, struct inspection *i)
{
    finish_stream(in, &i->streams[0]);
    finish_stream(in, &i->streams[1]);
}

/* Both directions share the first stream's handshake: only packets of the
 * client open, whichever side it is. */
static void read_quic(struct inspector *in, struct inspection *i,
                      const struct packet *p, int side)
{
    struct inspect_stream *stream = &i->streams[0];
    struct handshake *h = stream->status == STREAM_LOOKING
                              ? hold_handshake(in, stream)
                              : find_handshake(in, stream);
    struct hello hello;
    stream->status = STREAM_GATHERING;
    i->application = "QUIC";
    if (h == NULL || ++stream->looked > GATHER_LOOKS_MAX) {
        finish_both(in, i);
        return;
    }
    if (quic_read_datagram(in->opener, p->payload, p->payload_captured,
                           in->quic_scratch, &h->quic,
                           &h->gather) != QUIC_CLIENT)
        return;
    set_client(i, side);
    if (!i->has_token)
        set_token(i, h->quic.id, h->quic.id_length);
    enum hello_status status = hello_from_handshake(
        h->gather.bytes, gather_prefix(&h->gather), &hello);
    if (status == HELLO_CLIENT)
        note_client_hello(i, &hello, side, true);
    if (status != HELLO_MORE)
        finish_both(in, i);
}

static void read_udp(struct inspector *in, struct inspection *i,
                     const struct packet *p, int side)
{
    struct inspect_stream *stream = &i->streams[0];
    if (stream->status == STREAM_DONE)
        return;
    bool is_quic = stream->status == STREAM_GATHERING;
    if (quic_is_long_header(p->payload, p->payload_captured))
        read_quic(in, i, p, side);
    else if (++stream->looked >= (is_quic ? GATHER_LOOKS_MAX : LOOKS_MAX))
        finish_both(in, i);
}

/* --- all --- */

static void classify(struct inspector *in, struct inspection *i,
                     const struct packet *p, struct wall_time when)
{
    bool is_gathering = i->streams[0].status == STREAM_GATHERING ||
                        i->streams[1].status == STREAM_GATHERING;
    if (i->application != NULL)
        classifier_release(in->classifier, &i->classify);
    else if (!is_gathering)
        i->application = classifier_feed(in->classifier, &i->classify, p->ip,
                                         p->ip_captured, when);
}

void inspector_read(struct inspector *in, struct inspection *i,
                    const struct packet *p, int side, struct wall_time when)
{
    if (i->is_done)
        return;
    if (p->payload_captured > 0 && !p->is_later_fragment) {
        if (p->protocol == PROTOCOL_TCP)
            read_tcp(in, i, p, side);
        else if (p->protocol == PROTOCOL_UDP)
            read_udp(in, i, p, side);
        else
            finish_both(in, i);
    }
    classify(in, i, p, when);
    i->is_done =
        i->streams[0].status == STREAM_DONE &&
        i->streams[1].status == STREAM_DONE &&
        (i->application != NULL || i->classify.packets >= CLASSIFY_PACKETS_MAX);
}
