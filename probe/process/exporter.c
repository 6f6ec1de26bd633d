#include "probe/process/exporter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "common/durable.h"
#include "common/slice.h"

enum {
    OBSERVATION_DOMAIN = 1,
    KEY_FILE_MAX = 1024,
    CLOCK_STEP_MS = 2000, /* less is a clock being trimmed */
};

struct exporter {
    const struct sign_key *key;
    const struct endpoint_list *endpoints;
    uint8_t pseudonym_key[PSEUDONYM_KEY_LEN];
    struct batch_writer *writer;
    struct batch_info info; /* what stays the same, and the chain */
};

/* --- one flow --- */

static uint64_t pseudonym(const struct address *inside,
                          const uint8_t key[static PSEUDONYM_KEY_LEN])
{
    uint8_t text[17] = {inside->version};
    memcpy(text + 1, inside->bytes, 16);
    struct digest d = hmac_sha256(key, PSEUDONYM_KEY_LEN, text, sizeof(text));
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | d.bytes[i];
    return value;
}

/* Names of protocols only: letters, digits and what stands in "OPC-UA". */
static void copy_application(const char *from, char to[static APPLICATION_LEN])
{
    size_t length = 0;
    for (; from != NULL && *from != '\0' && length + 1 < APPLICATION_LEN;
         from++) {
        bool is_good = slice_is_id_character(*from) || *from == '/';
        to[length++] = is_good ? *from : '_';
    }
    to[length] = '\0';
}

static void copy_counts(const struct flow *flow, struct flow_record *r)
{
    const struct flow_side *to = &flow->forward, *from = &flow->reverse;
    if (flow->endpoint_is_source) {
        to = &flow->reverse;
        from = &flow->forward;
    }
    r->octets = to->octets;
    r->packets = to->packets;
    r->payload = to->payload;
    r->tcp_flags = to->tcp_flags;
    r->roctets = from->octets;
    r->rpackets = from->packets;
    r->rpayload = from->payload;
    r->rtcp_flags = from->tcp_flags;
}

bool exporter_redact(const struct flow *flow, const struct endpoint_list *list,
                     const uint8_t key[static PSEUDONYM_KEY_LEN],
                     struct flow_record *record)
{
    if (!flow->is_counted || flow->endpoint < 0)
        return false;
    bool swapped = flow->endpoint_is_source;
    const struct flow_key *k = &flow->key;
    const struct address *far_side = swapped ? &k->source : &k->destination;
    const struct address *inside = swapped ? &k->destination : &k->source;
    *record = (struct flow_record){
        .start_ms = wall_to_ms(flow->start),
        .end_ms = wall_to_ms(flow->end),
        .is_ipv6 = far_side->version == 6,
        .port = swapped ? k->source_port : k->destination_port,
        .protocol = k->protocol,
        .end_reason = (uint8_t)flow->end_reason,
        .name_evidence = (uint8_t)flow->name_evidence,
        .direction = swapped ? 2 : 1,
        .rtt_us = flow->rtt_us,
        .burst_count = flow->burst_count,
        .host_pseudonym = pseudonym(inside, key),
    };
    memcpy(record->address, far_side->bytes, sizeof(record->address));
    memcpy(record->token, flow->token, sizeof(record->token));
    memcpy(record->fingerprint, flow->fingerprint, sizeof(record->fingerprint));
    copy_application(flow->application, record->application);
    copy_counts(flow, record);
    return slice_copy(slice_of_text(endpoint_id(list, flow->endpoint)),
                      record->endpoint_id, sizeof(record->endpoint_id));
}

/* --- the key of a voucher period --- */

/* The file has two lines: the period's name, and the key in hex. */
static bool parse_key(struct slice text, const char *period,
                      uint8_t key[static PSEUDONYM_KEY_LEN])
{
    struct slice name, hex;
    return slice_next(&text, '\n', &name) && slice_next(&text, '\n', &hex) &&
           slice_equal_text(name, period) &&
           parse_hex(hex, key, PSEUDONYM_KEY_LEN);
}

static bool write_key(const char *path, const char *period,
                      const uint8_t key[static PSEUDONYM_KEY_LEN],
                      struct error_text *error)
{
    struct buffer text;
    char hex[2 * PSEUDONYM_KEY_LEN + 1];
    hex_of(key, PSEUDONYM_KEY_LEN, hex);
    buffer_init(&text, KEY_FILE_MAX);
    buffer_addf(&text, "%s\n%s\n", period, hex);
    bool good = !text.failed && durable_write(path, buffer_slice(&text), 0600);
    if (!good)
        error_set(error, "%s: cannot be written: %s", path, strerror(errno));
    explicit_bzero(hex, sizeof(hex));
    buffer_clear(&text);
    return good;
}

bool exporter_load_key(const char *path, const char *period,
                       uint8_t key[static PSEUDONYM_KEY_LEN],
                       struct error_text *error)
{
    struct buffer text;
    bool is_there = buffer_read_file(&text, path, KEY_FILE_MAX);
    bool is_known = is_there && parse_key(buffer_slice(&text), period, key);
    int reason = is_there ? 0 : errno;
    if (text.data != NULL)
        explicit_bzero(text.data, text.capacity);
    buffer_clear(&text);
    if (is_known)
        return true;
    /* A key that cannot be read must not be replaced by accident. */
    if (!is_there && reason != ENOENT)
        return error_set(error, "%s: %s", path, strerror(reason));
    random_bytes(key, PSEUDONYM_KEY_LEN);
    return write_key(path, period, key, error);
}

enum clock_quality exporter_clock_quality(void)
{
    struct timex state = {0};
    if (adjtimex(&state) < 0 || (state.status & STA_UNSYNC) != 0)
        return CLOCK_UNSYNCHRONISED;
    return CLOCK_SYNCHRONISED;
}

/* --- batches --- */

struct exporter *exporter_new(const struct exporter_options *options)
{
    struct exporter *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return NULL;
    e->key = options->key;
    e->endpoints = options->endpoints;
    memcpy(e->pseudonym_key, options->pseudonym_key, PSEUDONYM_KEY_LEN);
    random_bytes(e->info.boot_id, sizeof(e->info.boot_id));
    e->info.software_hash = options->software_hash;
    e->info.registry_version = endpoint_list_version(options->endpoints);
    e->info.period_start_ms = wall_to_ms(options->start);
    e->writer = batch_writer_new(OBSERVATION_DOMAIN, 0);
    if (e->writer == NULL ||
        !slice_copy(slice_of_text(options->probe_id), e->info.probe_id,
                    sizeof(e->info.probe_id))) {
        exporter_free(e);
        return NULL;
    }
    return e;
}

void exporter_free(struct exporter *e)
{
    if (e == NULL)
        return;
    batch_writer_free(e->writer);
    explicit_bzero(e->pseudonym_key, sizeof(e->pseudonym_key));
    free(e);
}

bool exporter_add_record(struct exporter *e, const struct flow_record *record,
                         struct wall_time now)
{
    return batch_writer_add(e->writer, record, (uint32_t)wall_to_s(now));
}

void exporter_set_endpoints(struct exporter *e,
                            const struct endpoint_list *endpoints)
{
    e->endpoints = endpoints;
    e->info.registry_version = endpoint_list_version(endpoints);
}

bool exporter_add(struct exporter *e, const struct flow *flow,
                  struct wall_time now)
{
    struct flow_record record;
    if (!exporter_redact(flow, e->endpoints, e->pseudonym_key, &record))
        return true;
    return exporter_add_record(e, &record, now);
}

/* When the clock was set meanwhile, the period is as long as it was and ends
 * now. Without a second clock only setting back is seen: an empty period, then
 * on from the new time. */
static void set_period(struct batch_info *info,
                       const struct exporter_period *period, int64_t end_ms)
{
    int64_t span_ms = end_ms - info->period_start_ms;
    int64_t step_ms = span_ms - period->elapsed_ms;
    info->clock_quality = period->clock_quality;
    info->period_end_ms = end_ms;
    if (period->elapsed_ms > 0 &&
        (step_ms > CLOCK_STEP_MS || step_ms < -CLOCK_STEP_MS)) {
        info->period_start_ms =
            end_ms > period->elapsed_ms ? end_ms - period->elapsed_ms : 0;
        if (info->clock_quality == CLOCK_SYNCHRONISED)
            info->clock_quality = CLOCK_INFORMATIVE;
    } else if (span_ms < 0) {
        info->period_end_ms = info->period_start_ms;
    }
}

bool exporter_finish(struct exporter *e, const struct exporter_period *period,
                     struct wall_time now, struct buffer *out,
                     struct digest *hash)
{
    struct batch_info info = e->info;
    info.sequence++;
    set_period(&info, period, wall_to_ms(now));
    info.packets_seen = period->packets_seen;
    info.packets_dropped = period->packets_dropped;
    info.flows_evicted = period->flows_evicted;
    memcpy(info.challenge, period->challenge, CHALLENGE_LEN);
    info.clock_offset_ms = period->clock_offset_ms;
    info.batches_lost = 0;
    for (size_t i = 0; i < period->loss_count; i++) {
        (void)batch_writer_add_loss(e->writer, &period->losses[i],
                                    (uint32_t)wall_to_s(now));
        info.batches_lost += period->losses[i].batches;
    }
    if (!batch_writer_finish(e->writer, &info, e->key, (uint32_t)wall_to_s(now),
                             out, hash))
        return false;
    e->info.sequence = info.sequence;
    e->info.previous_hash = *hash;
    e->info.period_start_ms = wall_to_ms(now);
    return true;
}

uint64_t exporter_sequence(const struct exporter *e)
{
    return e->info.sequence;
}
