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
#include "probe/meter/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/digest.h"
#include "probe/meter/gather.h"
#include "probe/meter/http_host.h"
#include "probe/meter/quic.h"
#include "probe/meter/text_pool.h"

enum {
    HANDSHAKES = 256,      /* gathered at once */
    CLASSIFY_STATES = 256, /* flows that nDPI looks at, at once */
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
    struct fingerprinter *fingerprinter;
    struct text_pool *texts; /* NULL: none are kept */
    uint64_t texts_missed;
    struct pool *pool; /* of handshakes */
    struct handshake *handshakes;
    uint8_t *bytes; /* of the handshakes, hello_limit each */
    size_t hello_limit;
    uint8_t *hello_scratch; /* hello_limit */
    struct slice name;      /* found in this packet */
    char name_bytes[FLOW_NAME_LEN];
    uint8_t quic_scratch[QUIC_SCRATCH_LEN];
};

static bool make_pools(struct inspector *in,
                       const struct inspector_options *options)
{
    in->hello_limit = options->hello_limit;
    in->opener = quic_opener_new();
    in->fingerprinter = fingerprinter_new();
    in->pool = pool_new(HANDSHAKES);
    in->handshakes = calloc(HANDSHAKES, sizeof(*in->handshakes));
    in->bytes = calloc(HANDSHAKES, options->hello_limit);
    in->hello_scratch = calloc(1, options->hello_limit);
    if (options->text_chunks > 0)
        in->texts = text_pool_new(options->text_chunks);
    return in->opener != NULL && in->fingerprinter != NULL &&
           in->pool != NULL && in->handshakes != NULL && in->bytes != NULL &&
           in->hello_scratch != NULL &&
           (options->text_chunks == 0 || in->texts != NULL);
}

struct inspector *inspector_new(const struct inspector_options *options,
                                struct error_text *error)
{
    struct inspector *in = calloc(1, sizeof(*in));
    if (in == NULL || !make_pools(in, options)) {
        error_set(error, "no memory for the parsers");
        inspector_free(in);
        return NULL;
    }
    in->classifier = classifier_init(CLASSIFY_STATES, options->is_lazy, error);
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
    fingerprinter_free(in->fingerprinter);
    text_pool_free(in->texts);
    pool_free(in->pool);
    free(in->handshakes);
    free(in->bytes);
    free(in->hello_scratch);
    free(in);
}

static struct handshake *hold_handshake(struct inspector *in,
                                        struct inspection *i, int side)
{
    bool was_held;
    int index = pool_take(in->pool, &i->handshakes[side], &was_held);
    struct handshake *h = &in->handshakes[index];
    gather_init(&h->gather, in->bytes + (size_t)index * in->hello_limit,
                in->hello_limit);
    h->quic = (struct quic_client){0};
    return h;
}

/* NULL when the place was taken over by a younger flow. */
static struct handshake *find_handshake(struct inspector *in,
                                        const struct inspection *i, int side)
{
    int index = pool_find(in->pool, i->handshakes[side]);
    return index != POOL_NO_PLACE ? &in->handshakes[index] : NULL;
}

static void finish_stream(struct inspector *in, struct inspection *i, int side)
{
    if (i->handshakes[side].place != 0)
        pool_release(in->pool, &i->handshakes[side]);
    i->statuses[side] = STREAM_DONE;
}

static void finish_both(struct inspector *in, struct inspection *i)
{
    finish_stream(in, i, 0);
    finish_stream(in, i, 1);
}

void inspector_release(struct inspector *in, struct inspection *i)
{
    finish_both(in, i);
    classifier_release(in->classifier, &i->classify);
    if (in->texts != NULL)
        text_pool_release(in->texts, i->text);
    i->text = TEXT_POOL_NONE;
    i->is_done = true;
}

int inspection_client(const struct inspection *i)
{
    return i->has_client ? (int)i->client : INSPECT_CLIENT_UNKNOWN;
}

void inspection_note_syn(struct inspection *i, int side, uint32_t sequence)
{
    if (i->statuses[side] == STREAM_LOOKING && i->looked[side] == 0) {
        i->bases[side] = sequence + 1;
        i->has_base |= 1u << side;
    }
}

/* --- what was found --- */

/* Name and ALPN as one text. What does not fit is left out, and counted. */
static void keep_texts(struct inspector *in, struct inspection *i,
                       struct slice name, struct slice alpn)
{
    char both[2 * FLOW_NAME_LEN];
    if (in->texts == NULL || name.length + alpn.length == 0 ||
        name.length + 1 + alpn.length > sizeof(both))
        return;
    memcpy(both, name.data, name.length);
    both[name.length] = '\0';
    if (alpn.length > 0)
        memcpy(both + name.length + 1, alpn.data, alpn.length);
    text_pool_release(in->texts, i->text);
    i->text = text_pool_put(
        in->texts, slice_of_bytes(both, name.length + 1 + alpn.length));
    in->texts_missed += i->text == TEXT_POOL_NONE;
}

/* The name may stand in a place that is given back before the meter asks. */
static void set_name(struct inspector *in, struct inspection *i,
                     struct slice name, enum name_evidence source)
{
    if (name.length == 0 || name.length >= sizeof(in->name_bytes))
        return;
    memcpy(in->name_bytes, name.data, name.length);
    in->name = slice_of_bytes(in->name_bytes, name.length);
    i->name_source = (uint8_t)source;
}

/* Names are the client's to tell: once it is known which side that is, the
 * other's hellos and requests say nothing. */
static bool is_of_server(const struct inspection *i, int side)
{
    return i->has_client && side != (int)i->client;
}

static void set_client(struct inspection *i, int side)
{
    i->has_client = true;
    i->client = side != 0;
}

static void set_token(struct inspection *i, const void *data, size_t length)
{
    struct digest digest = digest_of(data, length);
    memcpy(i->secret, digest.bytes, FLOW_TOKEN_LEN);
    i->has_token = true;
}

/* The first random waits for the other in the place of the token. One that is
 * sent again takes the place of the one before. */
static void add_random(struct inspection *i, const uint8_t *random,
                       bool is_client)
{
    uint8_t both[2 * HELLO_RANDOM_LEN];
    bool is_other_there =
        is_client ? i->has_server_random : i->has_client_random;
    if (i->has_token)
        return;
    if (!is_other_there) {
        memcpy(i->secret, random, HELLO_RANDOM_LEN);
        i->has_client_random |= is_client;
        i->has_server_random |= !is_client;
        return;
    }
    memcpy(both, is_client ? random : i->secret, HELLO_RANDOM_LEN);
    memcpy(both + HELLO_RANDOM_LEN, is_client ? i->secret : random,
           HELLO_RANDOM_LEN);
    set_token(i, both, sizeof(both));
}

void inspector_token(const struct inspection *i,
                     uint8_t token[static FLOW_TOKEN_LEN])
{
    if (i->has_token)
        memcpy(token, i->secret, FLOW_TOKEN_LEN);
    else
        memset(token, 0, FLOW_TOKEN_LEN);
}

void inspector_fingerprint(struct inspector *in, const struct inspection *i,
                           uint8_t hash[static FINGERPRINT_LEN])
{
    if (fingerprint_is_none(&i->fingerprint))
        memset(hash, 0, FINGERPRINT_LEN);
    else
        fingerprint_hash(in->fingerprinter, &i->fingerprint, hash);
}

void inspector_texts(const struct inspector *in, const struct inspection *i,
                     struct inspect_texts *texts)
{
    char both[2 * FLOW_NAME_LEN + 1];
    size_t length = 0;
    if (in->texts != NULL)
        length = text_pool_get(in->texts, i->text, both, sizeof(both) - 1);
    both[length] = '\0';
    struct slice name = slice_of_text(both);
    struct slice alpn = SLICE("");
    if (name.length < length)
        alpn = slice_of_bytes(both + name.length + 1, length - name.length - 1);
    if (!slice_copy(name, texts->name, sizeof(texts->name)))
        texts->name[0] = '\0';
    if (!slice_copy(alpn, texts->alpn, sizeof(texts->alpn)))
        texts->alpn[0] = '\0';
    fingerprint_to_text(&i->fingerprint, texts->fingerprint);
}

uint64_t inspector_texts_missed(const struct inspector *in)
{
    return in->texts_missed;
}

static void note_client_hello(struct inspector *in, struct inspection *i,
                              const struct hello *hello, int side, bool is_quic)
{
    set_client(i, side);
    i->application = is_quic ? "QUIC" : "TLS";
    set_name(in, i, hello->name, is_quic ? NAME_QUIC_SNI : NAME_SNI);
    fingerprint_of_hello(in->fingerprinter, hello, is_quic, &i->fingerprint);
    keep_texts(in, i, hello->name, hello_first_alpn(hello->alpn));
    if (!i->has_server_version)
        i->tls_version = hello_highest_version(hello);
    if (!is_quic)
        add_random(i, hello->random, true);
}

static void note_server_hello(struct inspection *i, const struct hello *hello,
                              int side)
{
    set_client(i, !side);
    i->application = "TLS";
    if (hello->chosen_version != 0) {
        i->tls_version = hello->chosen_version;
        i->has_server_version = true;
    }
    add_random(i, hello->random, false);
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
    switch (hello_from_records(data, length, in->hello_scratch, in->hello_limit,
                               &hello)) {
    case HELLO_MORE:
        return FOUND_PART;
    case HELLO_CLIENT:
        if (!is_of_server(i, side))
            note_client_hello(in, i, &hello, side, false);
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

static enum finding try_http(struct inspector *in, struct inspection *i,
                             int side, const uint8_t *data, size_t length)
{
    struct slice host;
    enum http_status status =
        http_host_find(slice_of_bytes(data, length), &host);
    if (status == HTTP_NOT)
        return FOUND_NOTHING;
    if (status == HTTP_MORE)
        return FOUND_PART;
    if (is_of_server(i, side))
        return FOUND_ALL;
    set_client(i, side);
    i->application = "HTTP";
    if (status == HTTP_CONNECT)
        return FOUND_SOME;
    if (status == HTTP_HOST) {
        set_name(in, i, host, NAME_HTTP_HOST);
        keep_texts(in, i, host, SLICE(""));
    }
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
    return found != FOUND_NOTHING ? found : try_http(in, i, side, data, length);
}

/* True: what was gathered is nothing, and what this segment begins with was not
 * looked at. */
static bool gather_segment(struct inspector *in, struct inspection *i, int side,
                           uint32_t sequence, const struct packet *p)
{
    struct handshake *h = find_handshake(in, i, side);
    if (h == NULL) {
        finish_stream(in, i, side);
        return false;
    }
    struct gather *g = &h->gather;
    gather_add(g, (uint32_t)(sequence - i->bases[side]), p->payload,
               p->payload_captured);
    size_t prefix = gather_prefix(g);
    enum finding found = examine(in, i, side, g->bytes, prefix);
    i->looked[side]++;
    if (found == FOUND_NOTHING || found == FOUND_SOME) {
        pool_release(in->pool, &i->handshakes[side]);
        i->statuses[side] = STREAM_LOOKING;
    } else if (found == FOUND_ALL || prefix == g->size ||
               i->looked[side] > GATHER_LOOKS_MAX) {
        finish_stream(in, i, side);
    }
    return found == FOUND_NOTHING && sequence != i->bases[side];
}

/* Is this the direction's first payload, and does it begin behind its start?
 * Then what comes before is on its way. */
static bool is_ahead(const struct inspector *in, const struct inspection *i,
                     int side, uint32_t sequence)
{
    uint32_t distance = sequence - i->bases[side];
    return (i->has_base >> side & 1) != 0 && i->looked[side] == 0 &&
           distance > 0 && distance < in->hello_limit;
}

static void look_at_segment(struct inspector *in, struct inspection *i,
                            int side, uint32_t sequence, const struct packet *p)
{
    enum finding found = FOUND_PART;
    if (!is_ahead(in, i, side, sequence)) {
        found = examine(in, i, side, p->payload, p->payload_captured);
        i->bases[side] = sequence;
    }
    if (found == FOUND_ALL) {
        finish_stream(in, i, side);
    } else if (found == FOUND_PART) {
        i->statuses[side] = STREAM_GATHERING;
        hold_handshake(in, i, side);
        gather_segment(in, i, side, sequence, p);
    } else if (++i->looked[side] >= LOOKS_MAX) {
        finish_stream(in, i, side);
    }
}

static void read_tcp(struct inspector *in, struct inspection *i,
                     const struct packet *p, int side)
{
    /* Payload of a SYN (RFC 7413) stands behind its sequence number. */
    uint32_t sequence = p->tcp_sequence + ((p->tcp_flags & TCP_SYN) != 0);
    bool is_to_look = i->statuses[side] == STREAM_LOOKING;
    if (i->statuses[side] == STREAM_GATHERING)
        is_to_look = gather_segment(in, i, side, sequence, p);
    if (is_to_look)
        look_at_segment(in, i, side, sequence, p);
    if (i->name_source == NAME_HTTP_HOST)
        finish_stream(in, i, !side);
}

/* --- UDP --- */

/* Both directions share the first one's handshake: only packets of the client
 * open, whichever side it is. */
static void read_quic(struct inspector *in, struct inspection *i,
                      const struct packet *p, int side)
{
    struct handshake *h = i->statuses[0] == STREAM_LOOKING
                              ? hold_handshake(in, i, 0)
                              : find_handshake(in, i, 0);
    struct hello hello;
    i->statuses[0] = STREAM_GATHERING;
    i->application = "QUIC";
    if (h == NULL || ++i->looked[0] > GATHER_LOOKS_MAX) {
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
        note_client_hello(in, i, &hello, side, true);
    if (status != HELLO_MORE)
        finish_both(in, i);
}

static void read_udp(struct inspector *in, struct inspection *i,
                     const struct packet *p, int side)
{
    if (i->statuses[0] == STREAM_DONE)
        return;
    bool is_quic = i->statuses[0] == STREAM_GATHERING;
    if (quic_is_long_header(p->payload, p->payload_captured))
        read_quic(in, i, p, side);
    else if (++i->looked[0] >= (is_quic ? GATHER_LOOKS_MAX : LOOKS_MAX))
        finish_both(in, i);
}

/* --- all --- */

static void classify(struct inspector *in, struct inspection *i,
                     const struct packet *p, struct wall_time when)
{
    bool is_gathering = i->statuses[0] == STREAM_GATHERING ||
                        i->statuses[1] == STREAM_GATHERING;
    if (i->application != NULL)
        classifier_release(in->classifier, &i->classify);
    else if (!is_gathering)
        i->application = classifier_feed(in->classifier, &i->classify, p->ip,
                                         p->ip_captured, when);
}

void inspector_read(struct inspector *in, struct inspection *i,
                    const struct packet *p, int side, struct wall_time when,
                    struct slice *name)
{
    *name = in->name = SLICE("");
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
        i->statuses[0] == STREAM_DONE && i->statuses[1] == STREAM_DONE &&
        (i->application != NULL || i->classify.packets >= CLASSIFY_PACKETS_MAX);
    *name = in->name;
}
