/*
 * Rows, leaves, events.
 *
 * The leaf is of the form of common/proof/leaf.h, its members in the order of
 * ledger_leaf_data(). Where the archive keeps the batch is left out: moving it
 * changes no evidence.
 */
#include "collector/ledger/ledger.h"

#include <string.h>

#include "common/cursor.h"
#include "common/proof/leaf.h"
#include "common/proof/merkle.h"

static const char *const TRANSPORTS[TRANSPORT_COUNT] = {
    [TRANSPORT_YZ1] = "yz1",
    [TRANSPORT_IPFIX] = "ipfix",
    [TRANSPORT_FILE] = "file",
};

static void add_bytes(struct buffer *out, const void *data, size_t length)
{
    buffer_add_u32(out, (uint32_t)length);
    buffer_add(out, data, length);
}

static void add_text(struct buffer *out, const char *text)
{
    add_bytes(out, text, strlen(text));
}

void ledger_leaf_data(const struct ledger_row *row, struct buffer *data)
{
    struct buffer *out = data;
    const struct batch_info *i = &row->info;
    buffer_add_text(out, LEAF_PREFIX);
    buffer_add_u64(out, row->index);
    add_text(out, i->probe_id);
    add_bytes(out, i->boot_id, BOOT_ID_LEN);
    buffer_add_u64(out, i->sequence);
    add_bytes(out, row->hash.bytes, DIGEST_LEN);
    add_bytes(out, i->previous_hash.bytes, DIGEST_LEN);
    add_text(out, row->enterprise_id);
    add_text(out, row->site_id);
    add_text(out, row->supplier_id);
    add_text(out, ledger_source_text(row->source));
    add_text(out, TRANSPORTS[row->transport]);
    add_text(out, sign_algorithm_name(row->algorithm));
    add_bytes(out, row->key, row->key_length);
    const uint64_t numbers[] = {
        (uint64_t)row->received.us,
        (uint64_t)i->period_start_ms,
        (uint64_t)i->period_end_ms,
        row->is_late,
        row->is_counted,
        row->is_sample,
        row->is_scaled,
        i->record_count,
        i->octets,
        i->packets,
        row->dropped_records,
        i->packets_seen,
        i->packets_dropped,
        i->flows_evicted,
        i->batches_lost,
        i->clock_quality,
    };
    for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
        buffer_add_u64(out, numbers[k]);
    add_bytes(out, i->software_hash.bytes, DIGEST_LEN);
    add_bytes(out, i->registry_version.bytes, DIGEST_LEN);
    buffer_add_u64(out, (uint64_t)row->challenge_ms);
    buffer_add_u64(out, (uint64_t)i->clock_offset_ms);
}

struct digest ledger_leaf(const struct ledger_row *row)
{
    struct buffer data;
    buffer_init(&data, LEAF_MAX);
    ledger_leaf_data(row, &data);
    struct digest leaf = merkle_leaf_hash(data.data, data.length);
    buffer_clear(&data);
    return leaf;
}

/* The rows with sequence - 1, sequence and sequence + 1. */
static bool find_around(struct db *db, const struct batch_info *info,
                        struct intake_neighbours *near)
{
    struct db_statement *s = db_prepare(
        db, "SELECT sequence, batch_hash, previous_hash, idx, received_us, "
            "challenge_ms, clock_offset_ms "
            "FROM ledger WHERE probe_id = :probe AND boot_id = :boot "
            "AND sequence BETWEEN :sequence - 1 AND :sequence + 1");
    if (s == NULL)
        return false;
    db_bind_text(s, ":probe", info->probe_id);
    db_bind_blob(s, ":boot", info->boot_id, BOOT_ID_LEN);
    db_bind_u64(s, ":sequence", info->sequence);
    enum db_step step;
    while ((step = db_step(s)) == DB_ROW) {
        uint64_t sequence = db_u64(s, 0);
        if (sequence < info->sequence) {
            near->has_before = digest_read(db_blob(s, 1), &near->before_hash);
            near->before_challenge_ms = db_i64(s, 5);
            near->before_clock_offset_ms =
                db_is_null(s, 6) ? CLOCK_OFFSET_UNKNOWN : db_i64(s, 6);
        } else if (sequence > info->sequence) {
            near->has_after = digest_read(db_blob(s, 2), &near->after_previous);
        } else {
            near->has_same = digest_read(db_blob(s, 1), &near->same_hash);
            near->same_index = db_u64(s, 3);
            near->same_received.us = db_i64(s, 4);
        }
    }
    db_reset(s);
    return step == DB_DONE;
}

/* Clocks are set back and forth, and a start may share a moment with the one
 * before it; two at the same time for longer are two programs. Periods longer
 * than a day are kept uncounted, so none of those before reaches here. */
static bool find_overlap(struct db *db, const struct batch_info *info,
                         struct intake_neighbours *near)
{
    struct db_statement *s = db_prepare(
        db, "SELECT ifnull(max(min(period_end_ms, :end) - max(period_start_ms, "
            ":start)), 0) FROM ledger INDEXED BY ledger_by_probe "
            "WHERE probe_id = :probe AND period_start_ms >= :start - 86400000 "
            "AND period_start_ms < :end AND period_end_ms > :start "
            "AND boot_id <> :boot");
    if (s == NULL)
        return false;
    db_bind_text(s, ":probe", info->probe_id);
    db_bind_blob(s, ":boot", info->boot_id, BOOT_ID_LEN);
    db_bind_i64(s, ":start", info->period_start_ms);
    db_bind_i64(s, ":end", info->period_end_ms);
    bool good = db_step(s) == DB_ROW;
    if (good)
        near->overlap_ms = db_i64(s, 0);
    db_reset(s);
    return good;
}

bool ledger_find_neighbours(struct db *db, const struct batch_info *info,
                            struct intake_neighbours *near)
{
    *near = (struct intake_neighbours){0};
    if (!find_around(db, info, near) || !find_overlap(db, info, near))
        return false;
    struct db_statement *s =
        db_prepare(db, "SELECT ifnull(max(sequence), 0) FROM ledger "
                       "WHERE probe_id = :probe AND boot_id = :boot");
    if (s == NULL)
        return false;
    db_bind_text(s, ":probe", info->probe_id);
    db_bind_blob(s, ":boot", info->boot_id, BOOT_ID_LEN);
    bool good = db_step(s) == DB_ROW;
    if (good)
        near->highest = db_u64(s, 0);
    db_reset(s);
    return good;
}

static bool select_signer(struct db *db, const struct ledger_row *row,
                          int64_t *key)
{
    struct db_statement *s = db_prepare(
        db, "SELECT key FROM signer WHERE probe_id = :probe "
            "AND algorithm = :algorithm AND public_key = :public_key");
    if (s == NULL)
        return false;
    db_bind_text(s, ":probe", row->info.probe_id);
    db_bind_text(s, ":algorithm", sign_algorithm_name(row->algorithm));
    db_bind_blob(s, ":public_key", row->key, row->key_length);
    enum db_step step = db_step(s);
    *key = step == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return step != DB_FAILED;
}

static bool find_signer(struct db *db, const struct ledger_row *row,
                        int64_t *key)
{
    if (!select_signer(db, row, key))
        return false;
    if (*key != 0)
        return true;
    struct db_statement *s =
        db_prepare(db, "INSERT INTO signer (probe_id, algorithm, public_key) "
                       "VALUES (:probe, :algorithm, :public_key)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":probe", row->info.probe_id);
    db_bind_text(s, ":algorithm", sign_algorithm_name(row->algorithm));
    db_bind_blob(s, ":public_key", row->key, row->key_length);
    bool good = db_do(s);
    *key = db_last_rowid(db);
    return good;
}

static bool next_index(struct db *db, uint64_t *index)
{
    struct db_statement *s =
        db_prepare(db, "SELECT ifnull(max(idx), 0) + 1 FROM ledger");
    bool good = s != NULL && db_step(s) == DB_ROW;
    if (good)
        *index = db_u64(s, 0);
    if (s != NULL)
        db_reset(s);
    return good;
}

static void bind_info(struct db_statement *s, const struct batch_info *i)
{
    db_bind_text(s, ":probe_id", i->probe_id);
    db_bind_blob(s, ":boot_id", i->boot_id, BOOT_ID_LEN);
    db_bind_u64(s, ":sequence", i->sequence);
    db_bind_blob(s, ":previous_hash", i->previous_hash.bytes, DIGEST_LEN);
    db_bind_i64(s, ":period_start_ms", i->period_start_ms);
    db_bind_i64(s, ":period_end_ms", i->period_end_ms);
    db_bind_u64(s, ":record_count", i->record_count);
    db_bind_u64(s, ":octets", i->octets);
    db_bind_u64(s, ":packets", i->packets);
    db_bind_u64(s, ":packets_seen", i->packets_seen);
    db_bind_u64(s, ":packets_dropped", i->packets_dropped);
    db_bind_u64(s, ":flows_evicted", i->flows_evicted);
    db_bind_u64(s, ":batches_lost", i->batches_lost);
    db_bind_i64(s, ":clock_quality", i->clock_quality);
    db_bind_blob(s, ":software_hash", i->software_hash.bytes, DIGEST_LEN);
    db_bind_blob(s, ":registry_version", i->registry_version.bytes, DIGEST_LEN);
    if (i->clock_offset_ms == CLOCK_OFFSET_UNKNOWN)
        db_bind_null(s, ":clock_offset_ms");
    else
        db_bind_i64(s, ":clock_offset_ms", i->clock_offset_ms);
}

static bool insert_row(struct db *db, const struct ledger_row *row,
                       int64_t signer)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO ledger (idx, probe_id, boot_id, sequence, batch_hash, "
            "previous_hash, enterprise_id, site_id, supplier_id, source, tier, "
            "transport, signer, "
            "received_us, period_start_ms, period_end_ms, is_late, is_counted, "
            "is_sample, is_scaled, record_count, octets, packets, "
            "dropped_records, packets_seen, packets_dropped, flows_evicted, "
            "batches_lost, "
            "clock_quality, software_hash, registry_version, archive_segment, "
            "archive_offset, archive_length, challenge_ms, clock_offset_ms) "
            "VALUES (:idx, :probe_id, :boot_id, "
            ":sequence, :batch_hash, :previous_hash, :enterprise_id, :site_id, "
            ":supplier_id, :source, :tier, :transport, :signer, :received_us, "
            ":period_start_ms, "
            ":period_end_ms, :is_late, :is_counted, :is_sample, :is_scaled, "
            ":record_count, "
            ":octets, :packets, :dropped_records, :packets_seen, "
            ":packets_dropped, :flows_evicted, :batches_lost, :clock_quality, "
            ":software_hash, :registry_version, :archive_segment, "
            ":archive_offset, :archive_length, :challenge_ms, "
            ":clock_offset_ms)");
    if (s == NULL)
        return false;
    bind_info(s, &row->info);
    db_bind_u64(s, ":idx", row->index);
    db_bind_blob(s, ":batch_hash", row->hash.bytes, DIGEST_LEN);
    db_bind_text(s, ":enterprise_id", row->enterprise_id);
    db_bind_text(s, ":site_id", row->site_id);
    db_bind_text(s, ":supplier_id", row->supplier_id);
    db_bind_text(s, ":source", ledger_source_text(row->source));
    db_bind_i64(s, ":tier", ledger_source_tier(row->source));
    db_bind_text(s, ":transport", TRANSPORTS[row->transport]);
    db_bind_i64(s, ":signer", signer);
    db_bind_i64(s, ":received_us", row->received.us);
    db_bind_i64(s, ":is_late", row->is_late);
    db_bind_i64(s, ":is_counted", row->is_counted);
    db_bind_i64(s, ":is_sample", row->is_sample);
    db_bind_i64(s, ":is_scaled", row->is_scaled);
    db_bind_u64(s, ":dropped_records", row->dropped_records);
    db_bind_i64(s, ":archive_segment", row->place.segment);
    db_bind_u64(s, ":archive_offset", row->place.offset);
    db_bind_u64(s, ":archive_length", row->place.length);
    if (row->challenge_ms == 0)
        db_bind_null(s, ":challenge_ms");
    else
        db_bind_i64(s, ":challenge_ms", row->challenge_ms);
    return db_do(s);
}

bool ledger_append(struct db *db, struct ledger_row *row)
{
    int64_t signer;
    if (!find_signer(db, row, &signer) || !next_index(db, &row->index) ||
        !insert_row(db, row, signer))
        return false;
    struct digest leaf = ledger_leaf(row);
    struct db_statement *s = db_prepare(
        db, "INSERT INTO merkle_leaf (idx, hash) VALUES (:idx, :hash)");
    if (s == NULL)
        return false;
    db_bind_u64(s, ":idx", row->index);
    db_bind_blob(s, ":hash", leaf.bytes, DIGEST_LEN);
    return db_do(s);
}

/* Columns in the order that ledger_read_row() takes them. */
#define ROW_QUERY(schema)                                                      \
    "SELECT l.idx, l.probe_id, l.boot_id, l.sequence, l.batch_hash, "          \
    "l.previous_hash, l.enterprise_id, l.site_id, l.source, l.transport, "     \
    "s.algorithm, s.public_key, l.received_us, l.period_start_ms, "            \
    "l.period_end_ms, l.is_late, l.is_counted, l.is_sample, l.record_count, "  \
    "l.octets, l.packets, l.dropped_records, l.packets_seen, "                 \
    "l.packets_dropped, l.flows_evicted, l.batches_lost, l.clock_quality, "    \
    "l.software_hash, l.registry_version, l.archive_segment, "                 \
    "l.archive_offset, l.archive_length, l.supplier_id, l.is_scaled, "         \
    "l.challenge_ms, l.clock_offset_ms, l.tier "                               \
    "FROM " schema ".ledger AS l "                                             \
    "LEFT JOIN " schema ".signer AS s ON s.key = l.signer "                    \
    "AND s.probe_id = l.probe_id "

struct db_statement *ledger_prepare_all(struct db *db, const char *schema)
{
    return db_prepare(db, strcmp(schema, "main") == 0
                              ? ROW_QUERY("main") "ORDER BY l.idx"
                              : ROW_QUERY("live") "ORDER BY l.idx");
}

static bool read_text(struct db_statement *s, int column, char *text,
                      size_t size)
{
    return slice_copy(slice_of_text(db_text(s, column)), text, size);
}

static bool read_transport(const char *text, enum ledger_transport *transport)
{
    for (int i = 0; i < TRANSPORT_COUNT; i++)
        if (strcmp(text, TRANSPORTS[i]) == 0) {
            *transport = (enum ledger_transport)i;
            return true;
        }
    return false;
}

static bool read_bytes(struct slice blob, void *bytes, size_t size)
{
    if (blob.length != size)
        return false;
    memcpy(bytes, blob.data, size);
    return true;
}

static bool read_info(struct db_statement *s, struct batch_info *i)
{
    *i = (struct batch_info){
        .sequence = db_u64(s, 3),
        .period_start_ms = db_i64(s, 13),
        .period_end_ms = db_i64(s, 14),
        .record_count = db_u64(s, 18),
        .octets = db_u64(s, 19),
        .packets = db_u64(s, 20),
        .packets_seen = db_u64(s, 22),
        .packets_dropped = db_u64(s, 23),
        .flows_evicted = db_u64(s, 24),
        .batches_lost = db_u64(s, 25),
        .clock_quality = (enum clock_quality)db_i64(s, 26),
        .clock_offset_ms =
            db_is_null(s, 35) ? CLOCK_OFFSET_UNKNOWN : db_i64(s, 35),
    };
    return read_text(s, 1, i->probe_id, sizeof(i->probe_id)) &&
           read_bytes(db_blob(s, 2), i->boot_id, BOOT_ID_LEN) &&
           digest_read(db_blob(s, 5), &i->previous_hash) &&
           digest_read(db_blob(s, 27), &i->software_hash) &&
           digest_read(db_blob(s, 28), &i->registry_version);
}

static bool read_flag(struct db_statement *s, int column, bool *flag)
{
    int64_t value = db_i64(s, column);
    *flag = value != 0;
    return value == 0 || value == 1;
}

/* What is said twice must agree: a NULL has one meaning and one spelling, and
 * the tier is the source's. */
static bool is_plain(struct db_statement *s, const struct ledger_row *row)
{
    return (db_is_null(s, 34) || row->challenge_ms != 0) &&
           (db_is_null(s, 35) ||
            row->info.clock_offset_ms != CLOCK_OFFSET_UNKNOWN) &&
           db_i64(s, 36) == ledger_source_tier(row->source);
}

bool ledger_read_row(struct db_statement *s, struct ledger_row *row)
{
    struct slice key = db_blob(s, 11);
    *row = (struct ledger_row){
        .index = db_u64(s, 0),
        .algorithm = sign_algorithm_from(slice_of_text(db_text(s, 10))),
        .key_length = key.length,
        .received = {db_i64(s, 12)},
        .challenge_ms = db_i64(s, 34),
        .dropped_records = db_u64(s, 21),
        .place = {(uint32_t)db_i64(s, 29), db_u64(s, 30), db_u64(s, 31)},
    };
    if (key.length == 0 || key.length > sizeof(row->key))
        return false;
    memcpy(row->key, key.data, key.length);
    return read_info(s, &row->info) && digest_read(db_blob(s, 4), &row->hash) &&
           read_text(s, 6, row->enterprise_id, sizeof(row->enterprise_id)) &&
           read_text(s, 7, row->site_id, sizeof(row->site_id)) &&
           read_text(s, 32, row->supplier_id, sizeof(row->supplier_id)) &&
           read_flag(s, 15, &row->is_late) &&
           read_flag(s, 16, &row->is_counted) &&
           read_flag(s, 17, &row->is_sample) &&
           read_flag(s, 33, &row->is_scaled) &&
           ledger_source_from(db_text(s, 8), &row->source) &&
           read_transport(db_text(s, 9), &row->transport) && is_plain(s, row);
}

bool ledger_find_row(struct db *db, uint64_t index, struct ledger_row *row,
                     bool *found)
{
    struct db_statement *s =
        db_prepare(db, ROW_QUERY("main") "WHERE l.idx = :idx");
    if (s == NULL)
        return false;
    db_bind_u64(s, ":idx", index);
    enum db_step step = db_step(s);
    *found = step == DB_ROW;
    bool good = step == DB_DONE || (step == DB_ROW && ledger_read_row(s, row));
    db_reset(s);
    return good;
}

bool ledger_find_hash(struct db *db, struct digest hash, uint64_t *index)
{
    struct db_statement *s =
        db_prepare(db, "SELECT idx FROM ledger WHERE batch_hash = :hash");
    if (s == NULL)
        return false;
    db_bind_blob(s, ":hash", hash.bytes, DIGEST_LEN);
    enum db_step step = db_step(s);
    *index = step == DB_ROW ? db_u64(s, 0) : 0;
    db_reset(s);
    return step != DB_FAILED;
}

bool ledger_archive_end(void *db, uint32_t segment, uint64_t *end)
{
    struct db_statement *s =
        db_prepare(db, "SELECT archive_offset + archive_length FROM ledger "
                       "WHERE archive_segment = :segment "
                       "ORDER BY archive_offset DESC LIMIT 1");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":segment", segment);
    enum db_step step = db_step(s);
    *end = step == DB_ROW ? db_u64(s, 0) : 0;
    db_reset(s);
    return step != DB_FAILED;
}

static void bind_hash(struct db_statement *s, const char *name,
                      const struct digest *hash)
{
    if (hash == NULL)
        db_bind_null(s, name);
    else
        db_bind_blob(s, name, hash->bytes, DIGEST_LEN);
}

bool ledger_add_event(struct db *db, const struct ledger_event *event,
                      struct wall_time now, bool *is_new)
{
    struct db_statement *s = db_prepare(
        db,
        "INSERT INTO event (at_us, last_us, kind, probe_id, sequence, "
        "known_hash, other_hash, detail) VALUES (:now, :now, :kind, :probe, "
        ":sequence, :known, :other, :detail) "
        "ON CONFLICT (probe_id, kind, at_us / 86400000000, "
        "ifnull(sequence, 0), ifnull(other_hash, x'')) "
        "DO UPDATE SET times = times + 1, last_us = excluded.last_us "
        "RETURNING times");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":kind", intake_reason_kind(event->reason));
    db_bind_text(s, ":probe", event->probe_id);
    if (event->sequence > 0 && event->sequence <= INT64_MAX)
        db_bind_u64(s, ":sequence", event->sequence);
    else
        db_bind_null(s, ":sequence");
    bind_hash(s, ":known", event->known);
    bind_hash(s, ":other", event->other);
    db_bind_text(s, ":detail", event->detail);
    bool good = db_step(s) == DB_ROW;
    *is_new = good && db_i64(s, 0) == 1;
    return good && db_step(s) == DB_DONE;
}
