/*
 * Open batches stand in a list in the order in which they were begun, and with
 * their chain; there is one for each (chain, period). Chains remember sequence and previous hash for
 * as long as the process lives: a restart begins chains of a new boot id.
 */
#include "collector/ledger/source_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/digest.h"
#include "common/wire/ipfix_decode.h"

enum { OBSERVATION_DOMAIN = 1, HASH_CHARACTERS = 16, SLOTS = 1 << 14 };

struct open_batch;

/* One chain of batches. */
struct chain {
    struct chain *next; /* of its slot */
    char name[SOURCE_NAME_LEN];
    char probe_id[PROBE_ID_LEN];
    struct registry_probe own;
    struct open_batch *open; /* mostly one */
    uint64_t sequence;
    uint32_t records; /* data records sent before */
    struct digest previous_hash;
};

/* A batch that is being filled. */
struct open_batch {
    struct open_batch *next; /* in order of beginning */
    struct open_batch *same; /* of the same chain, for another period */
    struct chain *chain;
    struct source_period period;
    struct batch_writer *writer;
    uint64_t seen, lost, bytes;
};

struct source_batches {
    const struct sign_key *key;
    uint8_t boot_id[BOOT_ID_LEN];
    struct digest registry_version, software_hash;
    source_batch_fn *finished;
    void *context;
    struct chain *chains[SLOTS];
    struct open_batch *first, **end;
    uint64_t bytes;
};

struct source_batches *source_batches_new(const struct source_options *options)
{
    struct source_batches *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return NULL;
    b->key = options->key;
    b->registry_version = options->registry_version;
    b->software_hash = options->software_hash;
    b->finished = options->finished;
    b->context = options->context;
    b->end = &b->first;
    if (options->boot_id != NULL)
        memcpy(b->boot_id, options->boot_id, BOOT_ID_LEN);
    else
        random_bytes(b->boot_id, BOOT_ID_LEN);
    return b;
}

void source_batches_free(struct source_batches *batches)
{
    if (batches == NULL)
        return;
    for (struct open_batch *o = batches->first, *next; o != NULL; o = next) {
        next = o->next;
        batch_writer_free(o->writer);
        free(o);
    }
    for (size_t i = 0; i < SLOTS; i++)
        for (struct chain *c = batches->chains[i], *next; c != NULL; c = next) {
            next = c->next;
            free(c);
        }
    free(batches);
}

/* --- chains --- */

static void hash_text(struct digest_stream *s, const char *text)
{
    digest_stream_add(s, text, strlen(text) + 1);
}

/* "router.NAME.0123456789abcdef": the end tells apart what one name reports
 * about several enterprises, sites and kinds. */
static bool make_probe_id(const struct source_chain *chain,
                          char id[static PROBE_ID_LEN])
{
    char hex[DIGEST_HEX_LEN];
    const uint8_t marks[] = {chain->is_sample, chain->is_scaled};
    struct digest_stream *s = digest_stream_new();
    hash_text(s, chain->name);
    hash_text(s, chain->enterprise_id);
    hash_text(s, chain->site_id);
    digest_stream_add(s, marks, sizeof(marks));
    digest_to_hex(digest_stream_now(s), hex);
    digest_stream_free(s);
    int length = snprintf(id, PROBE_ID_LEN, "%s.%s.%.*s",
                          ledger_source_text(chain->source), chain->name,
                          HASH_CHARACTERS, hex);
    return length < PROBE_ID_LEN;
}

static bool is_name(const char *name)
{
    return strlen(name) < SOURCE_NAME_LEN && slice_is_id(slice_of_text(name));
}

static bool fill_own(struct registry_probe *own,
                     const struct source_chain *chain,
                     const struct sign_key *key)
{
    *own = (struct registry_probe){
        .source = chain->source,
        .algorithm = sign_key_algorithm(key),
        .is_sample = chain->is_sample,
        .is_scaled = chain->is_scaled,
    };
    own->key_length = sign_key_public(key, own->key);
    return slice_copy(slice_of_text(chain->enterprise_id), own->enterprise_id,
                      sizeof(own->enterprise_id)) &&
           slice_copy(slice_of_text(chain->site_id), own->site_id,
                      sizeof(own->site_id));
}

static bool is_chain(const struct chain *c, const struct source_chain *wanted)
{
    return c->own.source == wanted->source &&
           c->own.is_sample == wanted->is_sample &&
           c->own.is_scaled == wanted->is_scaled &&
           strcmp(c->name, wanted->name) == 0 &&
           strcmp(c->own.enterprise_id, wanted->enterprise_id) == 0 &&
           strcmp(c->own.site_id, wanted->site_id) == 0;
}

static size_t slot_of(const struct source_chain *chain)
{
    return (slice_hash(slice_of_text(chain->name)) ^
            slice_hash(slice_of_text(chain->enterprise_id)) * 31 ^
            slice_hash(slice_of_text(chain->site_id))) %
           SLOTS;
}

static struct chain *chain_new(struct source_batches *b,
                               const struct source_chain *chain)
{
    struct chain *c = calloc(1, sizeof(*c));
    if (c == NULL || !is_name(chain->name) ||
        !slice_copy(slice_of_text(chain->name), c->name, sizeof(c->name)) ||
        !make_probe_id(chain, c->probe_id) ||
        !fill_own(&c->own, chain, b->key)) {
        free(c);
        return NULL;
    }
    return c;
}

static struct chain *find_chain(struct source_batches *b,
                                const struct source_chain *chain)
{
    struct chain **slot = &b->chains[slot_of(chain)];
    for (struct chain *c = *slot; c != NULL; c = c->next)
        if (is_chain(c, chain))
            return c;
    struct chain *c = chain_new(b, chain);
    if (c == NULL)
        return NULL;
    c->next = *slot;
    *slot = c;
    return c;
}

/* --- open batches --- */

static struct open_batch *open_new(struct source_batches *b, struct chain *c,
                                   struct source_period period)
{
    struct open_batch *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return NULL;
    *o = (struct open_batch){.chain = c, .period = period, .same = c->open};
    o->writer = batch_writer_new(OBSERVATION_DOMAIN, c->records);
    if (o->writer == NULL) {
        free(o);
        return NULL;
    }
    c->open = o;
    *b->end = o;
    b->end = &o->next;
    return o;
}

static struct open_batch *find_open(struct source_batches *b,
                                    const struct source_chain *chain,
                                    struct source_period period)
{
    struct chain *c = find_chain(b, chain);
    if (c == NULL)
        return NULL;
    for (struct open_batch *o = c->open; o != NULL; o = o->same)
        if (o->period.start_ms == period.start_ms &&
            o->period.end_ms == period.end_ms)
            return o;
    return open_new(b, c, period);
}

static uint32_t export_time(const struct open_batch *o)
{
    return (uint32_t)(o->period.end_ms / 1000);
}

/* Seals one batch and hands it on. */
static bool finish(struct source_batches *b, struct open_batch *o)
{
    struct chain *c = o->chain;
    struct buffer bytes = {0};
    struct batch_info info = {
        .sequence = c->sequence + 1,
        .previous_hash = c->previous_hash,
        .period_start_ms = o->period.start_ms,
        .period_end_ms = o->period.end_ms,
        .clock_quality = CLOCK_INFORMATIVE,
        .packets_seen = o->seen,
        .flows_evicted = o->lost,
        .software_hash = b->software_hash,
        .registry_version = b->registry_version,
    };
    memcpy(info.probe_id, c->probe_id, sizeof(info.probe_id));
    memcpy(info.boot_id, b->boot_id, sizeof(info.boot_id));
    struct digest hash;
    if (!batch_writer_finish(o->writer, &info, b->key, export_time(o), &bytes,
                             &hash)) {
        buffer_clear(&bytes);
        return false;
    }
    c->sequence = info.sequence;
    c->previous_hash = hash;
    c->records = batch_writer_sequence(o->writer);
    b->bytes -= o->bytes;
    o->seen = o->lost = o->bytes = 0;
    bool good = b->finished(b->context, &c->own, buffer_slice(&bytes));
    buffer_clear(&bytes);
    return good;
}

bool source_batches_add(struct source_batches *batches,
                        const struct source_chain *chain,
                        struct source_period period,
                        const struct flow_record *record)
{
    struct source_batches *b = batches;
    struct open_batch *o = find_open(b, chain, period);
    if (o == NULL)
        return false;
    if (!batch_writer_add(o->writer, record, export_time(o)) &&
        (!finish(b, o) || !batch_writer_add(o->writer, record, export_time(o))))
        return false;
    o->bytes += FLOW_RECORD_MAX;
    b->bytes += FLOW_RECORD_MAX;
    return b->bytes <= SOURCE_PENDING_MAX || source_batches_close(b);
}

bool source_batches_note(struct source_batches *batches,
                         const struct source_chain *chain,
                         struct source_period period, uint64_t seen,
                         uint64_t lost)
{
    struct open_batch *o = find_open(batches, chain, period);
    if (o == NULL)
        return false;
    o->seen += seen;
    o->lost += lost;
    return true;
}

bool source_batches_close(struct source_batches *batches)
{
    struct source_batches *b = batches;
    bool good = true;
    for (struct open_batch *o = b->first; o != NULL; o = b->first) {
        good = good && finish(b, o);
        b->first = o->next;
        o->chain->open = NULL; /* all of them are closed */
        b->bytes -= o->bytes;
        batch_writer_free(o->writer);
        free(o);
    }
    b->end = &b->first;
    return good;
}

/* --- into the store --- */

bool source_read(struct batch_reader *reader, struct slice batch,
                 enum batch_status *content)
{
    const uint8_t *data = (const uint8_t *)batch.data;
    size_t left = batch.length;
    bool is_complete = false;
    *content = BATCH_OK;
    while (left > 0 && *content == BATCH_OK && !is_complete) {
        int length = ipfix_message_length(data, left);
        if (length <= 0 || (size_t)length > left)
            return false;
        *content = batch_reader_add(reader, data, (size_t)length, &is_complete);
        data += length;
        left -= (size_t)length;
    }
    return is_complete && left == 0;
}

struct batch_origin source_origin(const struct registry_probe *own)
{
    return (struct batch_origin){
        .transport = TRANSPORT_FILE, .label = "the collector", .own = own};
}

enum take_status source_take(struct store *store, struct batch_reader *reader,
                             const struct registry_probe *own,
                             struct slice batch, struct wall_time now,
                             struct receipt *receipt)
{
    const struct batch_origin origin = source_origin(own);
    enum batch_status content;
    enum take_status taken = TAKE_BATCH_FAILED;
    batch_reader_next(reader);
    if (source_read(reader, batch, &content))
        taken = store_take(store, &origin, reader, content, now, receipt);
    batch_reader_next(reader);
    return taken;
}
