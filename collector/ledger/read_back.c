#include "collector/ledger/read_back.h"

#include <string.h>

#include "common/wire/ipfix_decode.h"

bool read_back_init(struct read_back *rb, struct archive *archive)
{
    *rb = (struct read_back){.archive = archive};
    buffer_init(&rb->bytes, BATCH_SIZE_MAX);
    rb->reader = batch_reader_new();
    return rb->reader != NULL;
}

void read_back_clear(struct read_back *rb)
{
    buffer_clear(&rb->bytes);
    batch_reader_free(rb->reader);
    rb->reader = NULL;
}

/* The bytes must be one whole batch and nothing more. */
static enum batch_status decode(struct read_back *rb)
{
    const uint8_t *data = rb->bytes.data;
    size_t left = rb->bytes.length;
    bool complete = false;
    batch_reader_next(rb->reader);
    while (left > 0 && !complete) {
        int length = ipfix_message_length(data, left);
        if (length <= 0 || (size_t)length > left)
            return BATCH_MALFORMED;
        enum batch_status status =
            batch_reader_add(rb->reader, data, (size_t)length, &complete);
        if (status != BATCH_OK)
            return status;
        data += length;
        left -= (size_t)length;
    }
    return complete && left == 0 ? BATCH_OK : BATCH_MALFORMED;
}

/* The row's copy of the batch record, member by member. */
static const char *different_member(const struct batch_info *a,
                                    const struct batch_info *b)
{
    const struct {
        const char *name;
        bool is_equal;
    } members[] = {
        {"probe_id", strcmp(a->probe_id, b->probe_id) == 0},
        {"boot_id", memcmp(a->boot_id, b->boot_id, BOOT_ID_LEN) == 0},
        {"sequence", a->sequence == b->sequence},
        {"previous_hash", digest_equal(a->previous_hash, b->previous_hash)},
        {"period_start_ms", a->period_start_ms == b->period_start_ms},
        {"period_end_ms", a->period_end_ms == b->period_end_ms},
        {"record_count", a->record_count == b->record_count},
        {"octets", a->octets == b->octets},
        {"packets", a->packets == b->packets},
        {"packets_seen", a->packets_seen == b->packets_seen},
        {"packets_dropped", a->packets_dropped == b->packets_dropped},
        {"flows_evicted", a->flows_evicted == b->flows_evicted},
        {"batches_lost", a->batches_lost == b->batches_lost},
        {"clock_quality", a->clock_quality == b->clock_quality},
        {"clock_offset_ms", a->clock_offset_ms == b->clock_offset_ms},
        {"software_hash", digest_equal(a->software_hash, b->software_hash)},
        {"registry_version",
         digest_equal(a->registry_version, b->registry_version)},
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (!members[i].is_equal)
            return members[i].name;
    return NULL;
}

bool read_back_batch(struct read_back *rb, const struct ledger_row *row,
                     struct error_text *error)
{
    rb->is_unsigned = false;
    if (!archive_read(rb->archive, row->place, &rb->bytes, error))
        return false;
    enum batch_status status = decode(rb);
    if (status == BATCH_OK)
        status = batch_reader_verify(rb->reader, row->algorithm,
                                     slice_of_bytes(row->key, row->key_length));
    rb->is_unsigned = status == BATCH_BAD_SIGNATURE;
    if (status != BATCH_OK)
        return error_set(error, "the archived batch: %s",
                         batch_status_text(status));
    if (!digest_equal(batch_reader_hash(rb->reader), row->hash))
        return error_set(error, "the archived batch has another hash than the "
                                "ledger");
    const char *member =
        different_member(batch_reader_info(rb->reader), &row->info);
    if (member == NULL &&
        batch_reader_dropped(rb->reader) != row->dropped_records)
        member = "dropped_records";
    return member == NULL ||
           error_set(error, "the archived batch has another %s than the ledger",
                     member);
}
