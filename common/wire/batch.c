/*
 * Writing and reading batches.
 *
 * The writer keeps the batch as it will be sent. A flow message is open from
 * its first record until the next one might not fit; sets change when records
 * change between IPv4 and IPv6. The first message always exists and carries the
 * flow templates, also in an empty batch, so every batch can be read alone.
 *
 * The reader takes messages one by one with a template memory of its own for
 * each batch: what a batch means never depends on what came before it. Only
 * these may stand in a batch: templates, connection records, loss records behind
 * them, and in the last message one batch record followed by one signature record, each alone in
 * its set, the second ending the message. So the bytes that no hash covers are
 * exactly the signature's set, and of those each is checked: set header by the
 * decoder, sequence against the batch record, signature by its key.
 */
#include "common/wire/batch.h"

#include <stdlib.h>
#include <string.h>

#include "common/checked.h"
#include "common/wire/ipfix_decode.h"
#include "common/wire/ipfix_encode.h"

/* Times up to the year 9999, so that microseconds fit a signed integer. */
#define BATCH_TIME_MAX_MS 253402300799999u

/* Room kept for the last message (templates and two records) and for loss
 * records. */
enum {
    LAST_MESSAGE_MAX = 2048,
    LOSS_LEN = BOOT_ID_LEN + 7 * 8 + 1,
    LOSSES_MAX = BATCH_LOSS_MAX * LOSS_LEN + 1024,
};
/* A flow message ends before a record that could pass the limit. */
enum { MESSAGE_FULL = IPFIX_MESSAGE_MAX - FLOW_RECORD_MAX - 8 };

static const enum ipfix_element_id batch_fields[] = {
    IE_PROBE_ID,
    IE_BOOT_ID,
    IE_BATCH_SEQUENCE,
    IE_BATCH_VERSION,
    IE_PREVIOUS_BATCH_HASH,
    IE_PERIOD_START_MS,
    IE_PERIOD_END_MS,
    IE_CLOCK_QUALITY,
    IE_PACKETS_SEEN,
    IE_PACKETS_DROPPED,
    IE_FLOWS_EVICTED,
    IE_BATCHES_LOST,
    IE_SOFTWARE_HASH,
    IE_REGISTRY_VERSION,
    IE_COLLECTOR_CHALLENGE,
    IE_CLOCK_OFFSET_MS,
    IE_RECORD_COUNT,
    IE_BATCH_OCTETS,
    IE_BATCH_PACKETS,
    IE_CONTENT_HASH,
    IE_SIGNATURE_ALGORITHM,
};
static const struct ipfix_template batch_template = {
    TEMPLATE_BATCH, 3, sizeof(batch_fields) / sizeof(batch_fields[0]),
    batch_fields};

static const enum ipfix_element_id signature_fields[] = {IE_BATCH_SEQUENCE,
                                                         IE_SIGNATURE};
static const struct ipfix_template signature_template = {
    TEMPLATE_BATCH_SIGNATURE, 1, 2, signature_fields};

static const enum ipfix_element_id loss_fields[] = {
    IE_BOOT_ID,      IE_LOSS_FIRST_SEQUENCE, IE_LOSS_LAST_SEQUENCE,
    IE_BATCHES_LOST, IE_PERIOD_START_MS,     IE_PERIOD_END_MS,
    IE_RECORD_COUNT, IE_BATCH_OCTETS,        IE_LOSS_REASON,
};
static const struct ipfix_template loss_template = {
    TEMPLATE_LOSS, 1, sizeof(loss_fields) / sizeof(loss_fields[0]),
    loss_fields};

/* What is signed: the prefix, then the batch hash. */
struct signed_bytes {
    uint8_t bytes[sizeof(BATCH_SIGN_PREFIX) - 1 + DIGEST_LEN];
};

static struct signed_bytes bytes_to_sign(struct digest hash)
{
    struct signed_bytes s;
    size_t prefix = sizeof(BATCH_SIGN_PREFIX) - 1;
    memcpy(s.bytes, BATCH_SIGN_PREFIX, prefix);
    memcpy(s.bytes + prefix, hash.bytes, DIGEST_LEN);
    return s;
}

/* --- writing --- */

struct batch_writer {
    uint32_t domain;
    uint32_t sequence; /* data records sent before the open message */
    uint32_t message_records;
    uint64_t count, octets, packets;
    uint64_t loss_count;
    struct buffer out;
    struct ipfix_message message;
    bool is_open;    /* a flow message is */
    bool has_opened; /* one was, in this batch: templates are written */
    uint16_t set_id; /* of the open set, 0: none */
};

struct batch_writer *batch_writer_new(uint32_t domain, uint32_t record_sequence)
{
    struct batch_writer *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return NULL;
    w->domain = domain;
    w->sequence = record_sequence;
    buffer_init(&w->out, BATCH_SIZE_MAX);
    return w;
}

void batch_writer_free(struct batch_writer *w)
{
    if (w == NULL)
        return;
    buffer_clear(&w->out);
    free(w);
}

static void open_message(struct batch_writer *w, uint32_t now_s)
{
    ipfix_message_begin(&w->message, &w->out, now_s, w->sequence, w->domain);
    if (!w->has_opened) {
        ipfix_add_template(&w->message, &flow_template_ipv4);
        ipfix_add_template(&w->message, &flow_template_ipv6);
    }
    w->is_open = w->has_opened = true;
}

static void close_message(struct batch_writer *w)
{
    if (!w->is_open)
        return;
    if (w->set_id != 0)
        ipfix_set_end(&w->message);
    if (!ipfix_message_end(&w->message))
        w->out.failed = true;
    w->sequence += w->message_records;
    w->message_records = 0;
    w->set_id = 0;
    w->is_open = false;
}

static void open_set(struct batch_writer *w, uint16_t id)
{
    if (w->set_id == id)
        return;
    if (w->set_id != 0)
        ipfix_set_end(&w->message);
    ipfix_set_begin(&w->message, id);
    w->set_id = id;
}

/* Sums that no reader would take are not signed; the record is refused. */
static bool add_totals(struct batch_writer *w, const struct flow_record *r)
{
    uint64_t octets = w->octets, packets = w->packets;
    if (!checked_add_u64(octets, r->octets, &octets) ||
        !checked_add_u64(octets, r->roctets, &octets) ||
        !checked_add_u64(packets, r->packets, &packets) ||
        !checked_add_u64(packets, r->rpackets, &packets) ||
        octets > INT64_MAX || packets > INT64_MAX)
        return false;
    w->octets = octets;
    w->packets = packets;
    return true;
}

bool batch_writer_add(struct batch_writer *w, const struct flow_record *record,
                      uint32_t now_s)
{
    size_t room =
        BATCH_SIZE_MAX - LAST_MESSAGE_MAX - LOSSES_MAX - IPFIX_HEADER_LEN;
    if (w->out.failed || w->count == BATCH_RECORD_MAX ||
        w->out.length + FLOW_RECORD_MAX > room || !add_totals(w, record))
        return false;
    if (w->is_open && ipfix_message_size(&w->message) > MESSAGE_FULL)
        close_message(w);
    if (!w->is_open)
        open_message(w, now_s);
    open_set(w, record->is_ipv6 ? TEMPLATE_FLOW_IPV6 : TEMPLATE_FLOW_IPV4);
    flow_record_encode(&w->message, record);
    w->count++;
    w->message_records++;
    return !w->out.failed;
}

/* Loss records stand in messages of their own; the first brings the template. */
bool batch_writer_add_loss(struct batch_writer *w,
                           const struct batch_loss *loss, uint32_t now_s)
{
    struct ipfix_message *m = &w->message;
    bool is_first = w->loss_count == 0;
    if (w->out.failed || w->loss_count == BATCH_LOSS_MAX)
        return false;
    if (is_first || ipfix_message_size(m) > MESSAGE_FULL)
        close_message(w);
    if (!w->is_open)
        open_message(w, now_s);
    if (is_first)
        ipfix_add_template(m, &loss_template);
    open_set(w, TEMPLATE_LOSS);
    ipfix_add_octets(m, IE_BOOT_ID, loss->boot_id);
    ipfix_add_uint(m, IE_LOSS_FIRST_SEQUENCE, loss->first_sequence);
    ipfix_add_uint(m, IE_LOSS_LAST_SEQUENCE, loss->last_sequence);
    ipfix_add_uint(m, IE_BATCHES_LOST, loss->batches);
    ipfix_add_uint(m, IE_PERIOD_START_MS, (uint64_t)loss->period_start_ms);
    ipfix_add_uint(m, IE_PERIOD_END_MS, (uint64_t)loss->period_end_ms);
    ipfix_add_uint(m, IE_RECORD_COUNT, loss->record_count);
    ipfix_add_uint(m, IE_BATCH_OCTETS, loss->octets);
    ipfix_add_uint(m, IE_LOSS_REASON, loss->reason);
    w->loss_count++;
    w->message_records++;
    return !w->out.failed;
}

uint32_t batch_writer_sequence(const struct batch_writer *w)
{
    return w->sequence + w->message_records;
}

static void add_batch_record(struct ipfix_message *m,
                             const struct batch_info *info)
{
    ipfix_set_begin(m, TEMPLATE_BATCH);
    ipfix_add_string(m, slice_of_text(info->probe_id));
    ipfix_add_octets(m, IE_BOOT_ID, info->boot_id);
    ipfix_add_uint(m, IE_BATCH_SEQUENCE, info->sequence);
    ipfix_add_uint(m, IE_BATCH_VERSION, BATCH_VERSION);
    ipfix_add_octets(m, IE_PREVIOUS_BATCH_HASH, info->previous_hash.bytes);
    ipfix_add_uint(m, IE_PERIOD_START_MS, (uint64_t)info->period_start_ms);
    ipfix_add_uint(m, IE_PERIOD_END_MS, (uint64_t)info->period_end_ms);
    ipfix_add_uint(m, IE_CLOCK_QUALITY, info->clock_quality);
    ipfix_add_uint(m, IE_PACKETS_SEEN, info->packets_seen);
    ipfix_add_uint(m, IE_PACKETS_DROPPED, info->packets_dropped);
    ipfix_add_uint(m, IE_FLOWS_EVICTED, info->flows_evicted);
    ipfix_add_uint(m, IE_BATCHES_LOST, info->batches_lost);
    ipfix_add_octets(m, IE_SOFTWARE_HASH, info->software_hash.bytes);
    ipfix_add_octets(m, IE_REGISTRY_VERSION, info->registry_version.bytes);
    ipfix_add_octets(m, IE_COLLECTOR_CHALLENGE, info->challenge);
    ipfix_add_uint(m, IE_CLOCK_OFFSET_MS, (uint64_t)info->clock_offset_ms);
    ipfix_add_uint(m, IE_RECORD_COUNT, info->record_count);
    ipfix_add_uint(m, IE_BATCH_OCTETS, info->octets);
    ipfix_add_uint(m, IE_BATCH_PACKETS, info->packets);
    ipfix_add_octets(m, IE_CONTENT_HASH, info->content_hash.bytes);
    ipfix_add_uint(m, IE_SIGNATURE_ALGORITHM, info->algorithm);
    ipfix_set_end(m);
}

/* The message that seals the batch. Its own length is part of what is hashed,
 * so it is filled in before the hash is taken, with the signature's place
 * still zero. */
static bool seal(struct batch_writer *w, const struct batch_info *info,
                 const struct sign_key *key, uint32_t now_s,
                 struct digest *hash)
{
    static const uint8_t nothing[SIGN_LEN];
    struct ipfix_message *m = &w->message;
    ipfix_message_begin(m, &w->out, now_s, w->sequence, w->domain);
    size_t start = m->start;
    ipfix_add_template(m, &batch_template);
    ipfix_add_template(m, &signature_template);
    add_batch_record(m, info);
    size_t end = w->out.length;
    ipfix_set_begin(m, TEMPLATE_BATCH_SIGNATURE);
    ipfix_add_uint(m, IE_BATCH_SEQUENCE, info->sequence);
    ipfix_add_octets(m, IE_SIGNATURE, nothing);
    ipfix_set_end(m);
    if (!ipfix_message_end(m))
        return false;
    w->sequence += 2; /* the two records of this message */
    *hash = digest_of(w->out.data + start, end - start);
    struct signed_bytes s = bytes_to_sign(*hash);
    return sign_make(key, s.bytes, sizeof(s.bytes),
                     w->out.data + w->out.length - SIGN_LEN);
}

bool batch_writer_finish(struct batch_writer *w, struct batch_info *info,
                         const struct sign_key *key, uint32_t now_s,
                         struct buffer *out, struct digest *hash)
{
    if (!w->has_opened)
        open_message(w, now_s);
    close_message(w);
    info->record_count = w->count;
    info->octets = w->octets;
    info->packets = w->packets;
    info->algorithm = sign_key_algorithm(key);
    info->content_hash = digest_of(w->out.data, w->out.length);
    bool good = !w->out.failed && seal(w, info, key, now_s, hash);
    buffer_init(out, BATCH_SIZE_MAX);
    if (good)
        *out = w->out;
    else
        buffer_clear(&w->out);
    buffer_init(&w->out, BATCH_SIZE_MAX);
    w->count = w->octets = w->packets = w->loss_count = 0;
    w->has_opened = false;
    return good;
}

/* --- reading --- */

struct batch_reader {
    struct ipfix_session *session; /* templates of this batch */
    struct buffer bytes;
    struct flow_record *records;
    size_t count, capacity;
    struct batch_loss *losses; /* room for BATCH_LOSS_MAX, or NULL */
    size_t loss_count;
    bool only_sums; /* connection records are not kept */
    uint64_t dropped;
    uint64_t octets, packets; /* of the records kept */
    bool is_overflow;
    struct batch_info info;
    uint8_t version;
    struct digest hash;
    uint8_t signature[SIGN_LEN];
    uint64_t signature_sequence;
    /* of the message being read */
    enum batch_status status;
    size_t batch_record_end; /* offset in the message; 0: not seen */
    size_t signature_start;  /* offset of its record; 0: not seen */
    size_t signature_end;
};

const char *batch_status_text(enum batch_status status)
{
    static const char *const texts[] = {
        [BATCH_OK] = "ok",
        [BATCH_MALFORMED] = "malformed",
        [BATCH_BAD_CONTENT] = "content differs from the batch record",
        [BATCH_BAD_SIGNATURE] = "wrong signature",
        [BATCH_UNKNOWN_PROBE] = "unknown probe",
        [BATCH_BAD_VERSION] = "unknown batch version",
        [BATCH_TOO_LARGE] = "too large",
    };
    if ((size_t)status >= sizeof(texts) / sizeof(texts[0]))
        return "unknown";
    return texts[status];
}

struct batch_reader *batch_reader_new(void)
{
    struct batch_reader *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    buffer_init(&r->bytes, BATCH_SIZE_MAX);
    return r;
}

void batch_reader_free(struct batch_reader *r)
{
    if (r == NULL)
        return;
    ipfix_session_free(r->session);
    buffer_clear(&r->bytes);
    free(r->records);
    free(r->losses);
    free(r);
}

/* A connection waits long between batches: what a large one needed is given
 * back, what a usual one needs is kept. */
void batch_reader_next(struct batch_reader *r)
{
    enum { KEEP_BYTES = 1 << 20, KEEP_RECORDS = 4096 };
    struct batch_reader fresh = {
        .bytes = r->bytes, .records = r->records, .capacity = r->capacity};
    ipfix_session_free(r->session);
    free(r->losses);
    if (fresh.bytes.capacity > KEEP_BYTES)
        buffer_clear(&fresh.bytes);
    buffer_reset(&fresh.bytes);
    if (fresh.capacity > KEEP_RECORDS) {
        free(fresh.records);
        fresh.records = NULL;
        fresh.capacity = 0;
    }
    *r = fresh;
}

static bool refuse(struct batch_reader *r, enum batch_status status)
{
    r->status = status;
    return false;
}

static bool grow_records(struct batch_reader *r)
{
    size_t capacity = r->capacity ? r->capacity * 2 : 64;
    if (r->count < r->capacity)
        return true;
    struct flow_record *records =
        realloc(r->records, capacity * sizeof(*records));
    if (records == NULL)
        return false;
    r->records = records;
    r->capacity = capacity;
    return true;
}

static bool take_flow(struct batch_reader *r, const struct ipfix_record *record)
{
    if (r->loss_count > 0)
        return refuse(r, BATCH_MALFORMED); /* they stand behind all flows */
    if (r->only_sums)
        return true;
    if (r->count + r->dropped >= BATCH_RECORD_MAX || !grow_records(r))
        return refuse(r, BATCH_TOO_LARGE);
    struct flow_record *flow = &r->records[r->count];
    if (!flow_record_decode(record, flow)) {
        r->dropped++;
        return true;
    }
    if (!checked_add_u64(r->octets, flow->octets, &r->octets) ||
        !checked_add_u64(r->octets, flow->roctets, &r->octets) ||
        !checked_add_u64(r->packets, flow->packets, &r->packets) ||
        !checked_add_u64(r->packets, flow->rpackets, &r->packets))
        r->is_overflow = true;
    r->count++;
    return true;
}

static bool get_bytes(const struct ipfix_record *record,
                      enum ipfix_element_id element, void *bytes)
{
    struct slice value;
    if (!ipfix_get_bytes(record, element, &value))
        return false;
    memcpy(bytes, value.data, value.length);
    return true;
}

static bool get_ms(const struct ipfix_record *record,
                   enum ipfix_element_id element, int64_t *ms)
{
    uint64_t value;
    if (!ipfix_get_u64(record, element, &value) || value > BATCH_TIME_MAX_MS)
        return false;
    *ms = (int64_t)value;
    return true;
}

/* A counter that fits a signed integer of the store. */
static bool get_count(const struct ipfix_record *record,
                      enum ipfix_element_id element, uint64_t *count)
{
    return ipfix_get_u64(record, element, count) && *count <= INT64_MAX;
}

static bool get_probe_id(const struct ipfix_record *record, char *probe_id)
{
    struct slice text;
    return ipfix_get_bytes(record, IE_PROBE_ID, &text) && slice_is_id(text) &&
           slice_copy(text, probe_id, PROBE_ID_LEN);
}

static bool get_info(const struct ipfix_record *record, struct batch_info *info)
{
    uint64_t clock, algorithm, offset;
    if (!get_probe_id(record, info->probe_id) ||
        !get_bytes(record, IE_BOOT_ID, info->boot_id) ||
        !get_count(record, IE_BATCH_SEQUENCE, &info->sequence) ||
        !get_bytes(record, IE_PREVIOUS_BATCH_HASH, info->previous_hash.bytes) ||
        !get_ms(record, IE_PERIOD_START_MS, &info->period_start_ms) ||
        !get_ms(record, IE_PERIOD_END_MS, &info->period_end_ms) ||
        !get_count(record, IE_CLOCK_QUALITY, &clock) ||
        !get_count(record, IE_PACKETS_SEEN, &info->packets_seen) ||
        !get_count(record, IE_PACKETS_DROPPED, &info->packets_dropped) ||
        !get_count(record, IE_FLOWS_EVICTED, &info->flows_evicted) ||
        !get_count(record, IE_BATCHES_LOST, &info->batches_lost) ||
        !get_bytes(record, IE_SOFTWARE_HASH, info->software_hash.bytes) ||
        !get_bytes(record, IE_REGISTRY_VERSION, info->registry_version.bytes) ||
        !get_count(record, IE_RECORD_COUNT, &info->record_count) ||
        !get_count(record, IE_BATCH_OCTETS, &info->octets) ||
        !get_count(record, IE_BATCH_PACKETS, &info->packets) ||
        !get_bytes(record, IE_CONTENT_HASH, info->content_hash.bytes) ||
        !get_bytes(record, IE_COLLECTOR_CHALLENGE, info->challenge) ||
        !ipfix_get_u64(record, IE_CLOCK_OFFSET_MS, &offset) ||
        !get_count(record, IE_SIGNATURE_ALGORITHM, &algorithm))
        return false;
    info->clock_offset_ms = (int64_t)offset;
    info->clock_quality = clock;
    info->algorithm = algorithm;
    return clock <= CLOCK_RELATIVE && algorithm <= UINT8_MAX &&
           info->sequence >= 1 && info->period_start_ms <= info->period_end_ms;
}

static bool get_loss(const struct ipfix_record *record, struct batch_loss *loss)
{
    uint64_t reason;
    if (!get_bytes(record, IE_BOOT_ID, loss->boot_id) ||
        !get_count(record, IE_LOSS_FIRST_SEQUENCE, &loss->first_sequence) ||
        !get_count(record, IE_LOSS_LAST_SEQUENCE, &loss->last_sequence) ||
        !get_count(record, IE_BATCHES_LOST, &loss->batches) ||
        !get_ms(record, IE_PERIOD_START_MS, &loss->period_start_ms) ||
        !get_ms(record, IE_PERIOD_END_MS, &loss->period_end_ms) ||
        !get_count(record, IE_RECORD_COUNT, &loss->record_count) ||
        !get_count(record, IE_BATCH_OCTETS, &loss->octets) ||
        !get_count(record, IE_LOSS_REASON, &reason))
        return false;
    loss->reason = (enum loss_reason)reason;
    uint64_t span = loss->last_sequence - loss->first_sequence + 1;
    return reason >= LOSS_NO_ROOM && reason <= LOSS_DISK &&
           (loss->first_sequence > 0 || loss->last_sequence == 0) &&
           loss->first_sequence <= loss->last_sequence && loss->batches >= 1 &&
           (loss->first_sequence == 0 || loss->batches <= span) &&
           loss->period_start_ms <= loss->period_end_ms;
}

static bool take_loss(struct batch_reader *r, const struct ipfix_record *record)
{
    if (r->losses == NULL)
        r->losses = calloc(BATCH_LOSS_MAX, sizeof(*r->losses));
    if (r->losses == NULL || r->loss_count == BATCH_LOSS_MAX)
        return refuse(r, BATCH_TOO_LARGE);
    if (record->field_count != loss_template.field_count ||
        !get_loss(record, &r->losses[r->loss_count]))
        return refuse(r, BATCH_MALFORMED);
    r->loss_count++;
    return true;
}

/* The version is looked at before anything else: another one may have other
 * fields, and its sender should hear that it is the version. */
static bool take_batch_record(struct batch_reader *r,
                              const struct ipfix_record *record)
{
    uint64_t version;
    if (r->batch_record_end != 0 ||
        !ipfix_get_u64(record, IE_BATCH_VERSION, &version))
        return refuse(r, BATCH_MALFORMED);
    if (version != BATCH_VERSION)
        return refuse(r, BATCH_BAD_VERSION);
    if (record->field_count != batch_template.field_count ||
        !get_info(record, &r->info))
        return refuse(r, BATCH_MALFORMED);
    r->batch_record_end = record->offset + record->length;
    return true;
}

static bool take_signature(struct batch_reader *r,
                           const struct ipfix_record *record)
{
    if (r->signature_end != 0 ||
        record->field_count != signature_template.field_count ||
        !ipfix_get_u64(record, IE_BATCH_SEQUENCE, &r->signature_sequence) ||
        !get_bytes(record, IE_SIGNATURE, r->signature))
        return refuse(r, BATCH_MALFORMED);
    r->signature_start = record->offset;
    r->signature_end = record->offset + record->length;
    return true;
}

static bool take_record(void *context, const struct ipfix_record *record)
{
    struct batch_reader *r = context;
    if (r->signature_end != 0) /* nothing may follow */
        return refuse(r, BATCH_MALFORMED);
    if (record->is_options && record->template_id == TEMPLATE_BATCH)
        return take_batch_record(r, record);
    if (record->is_options && record->template_id == TEMPLATE_BATCH_SIGNATURE)
        return take_signature(r, record);
    if (r->batch_record_end != 0)
        return refuse(r, BATCH_MALFORMED);
    if (record->is_options && record->template_id == TEMPLATE_LOSS)
        return take_loss(r, record);
    return take_flow(r, record);
}

/* The shape drawn at the top of this file: the signature's set follows the
 * batch record at once and ends the message, and no connection record shares
 * the message (those before it belong to the content hash). */
static bool is_sealed_well(const struct batch_reader *r, size_t length,
                           uint64_t records_before)
{
    return r->signature_end == length &&
           r->signature_start == r->batch_record_end + IPFIX_SET_HEADER_LEN &&
           r->count + r->dropped + r->loss_count == records_before &&
           r->signature_sequence == r->info.sequence;
}

static enum batch_status check_content(const struct batch_reader *r,
                                       size_t content_length)
{
    const struct batch_info *info = &r->info;
    struct digest hash = digest_of(r->bytes.data, content_length);
    if (r->is_overflow || !digest_equal(hash, info->content_hash) ||
        r->count + r->dropped != info->record_count)
        return BATCH_BAD_CONTENT;
    /* What a dropped record counted is not known; it only adds. */
    if (r->dropped > 0
            ? r->octets > info->octets || r->packets > info->packets
            : r->octets != info->octets || r->packets != info->packets)
        return BATCH_BAD_CONTENT;
    return BATCH_OK;
}

enum batch_status batch_reader_add(struct batch_reader *r,
                                   const uint8_t *message, size_t length,
                                   bool *complete)
{
    *complete = false;
    size_t content_length = r->bytes.length;
    uint64_t records_before = r->count + r->dropped + r->loss_count;
    if (r->session == NULL && (r->session = ipfix_session_new()) == NULL)
        return BATCH_TOO_LARGE;
    buffer_add(&r->bytes, message, length);
    if (r->bytes.failed)
        return BATCH_TOO_LARGE;
    r->status = BATCH_OK;
    enum ipfix_status status =
        ipfix_decode_message(r->session, message, length, take_record, r);
    if (r->status != BATCH_OK)
        return r->status;
    if (status != IPFIX_OK ||
        ipfix_session_counters(r->session)->unknown_sets > 0)
        return BATCH_MALFORMED;
    if (r->batch_record_end == 0 && r->signature_end == 0)
        return BATCH_OK; /* connection records; more to come */
    if (!is_sealed_well(r, length, records_before))
        return BATCH_MALFORMED;
    r->hash = digest_of(message, r->batch_record_end);
    *complete = true;
    return check_content(r, content_length);
}

const struct batch_info *batch_reader_info(const struct batch_reader *r)
{
    return &r->info;
}

struct digest batch_reader_hash(const struct batch_reader *r)
{
    return r->hash;
}

struct slice batch_reader_bytes(const struct batch_reader *r)
{
    return buffer_slice(&r->bytes);
}

size_t batch_reader_count(const struct batch_reader *r)
{
    return r->count;
}

const struct flow_record *batch_reader_record(const struct batch_reader *r,
                                              size_t index)
{
    return index < r->count ? &r->records[index] : NULL;
}

size_t batch_reader_loss_count(const struct batch_reader *r)
{
    return r->loss_count;
}

const struct batch_loss *batch_reader_loss(const struct batch_reader *r,
                                           size_t index)
{
    return index < r->loss_count ? &r->losses[index] : NULL;
}

uint64_t batch_reader_dropped(const struct batch_reader *r)
{
    return r->dropped;
}

enum batch_status batch_reader_verify(const struct batch_reader *r,
                                      enum sign_algorithm algorithm,
                                      struct slice public_key)
{
    struct signed_bytes s = bytes_to_sign(r->hash);
    if (r->signature_end == 0)
        return BATCH_MALFORMED;
    if (r->info.algorithm != algorithm ||
        !sign_verify(algorithm, public_key, s.bytes, sizeof(s.bytes),
                     r->signature))
        return BATCH_BAD_SIGNATURE;
    return BATCH_OK;
}

/* --- a look at a whole batch --- */

/* Messages as they stand: their records are decoded, and nothing is kept of
 * them but the batch record and the loss records. */
static bool read_summary(struct batch_reader *r, struct slice batch)
{
    const uint8_t *data = (const uint8_t *)batch.data;
    size_t at = 0;
    while (at < batch.length) {
        int length = ipfix_message_length(data + at, batch.length - at);
        if (length <= 0 || (size_t)length > batch.length - at ||
            ipfix_decode_message(r->session, data + at, (size_t)length,
                                 take_record, r) != IPFIX_OK)
            return false;
        at += (size_t)length;
    }
    return r->batch_record_end != 0;
}

bool batch_summary_of(struct slice batch, struct batch_summary *summary)
{
    struct batch_reader reader = {.only_sums = true,
                                  .session = ipfix_session_new()};
    bool good = reader.session != NULL && read_summary(&reader, batch);
    summary->info = reader.info;
    summary->loss_count = good ? reader.loss_count : 0;
    if (summary->loss_count > 0)
        memcpy(summary->losses, reader.losses,
               summary->loss_count * sizeof(summary->losses[0]));
    ipfix_session_free(reader.session);
    free(reader.losses);
    return good;
}
