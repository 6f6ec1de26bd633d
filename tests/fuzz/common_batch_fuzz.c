/* The batch reader on a stream of messages, as a connection feeds it: several
 * batches, looked at when complete, and dropped at the first fault. */
#include <stdlib.h>
#include <string.h>

#include "common/wire/batch.h"
#include "common/wire/ipfix_decode.h"
#include "tests/fuzz/fuzz.h"

static void look_at(const struct batch_reader *reader)
{
    static const uint8_t key[32] = {1};
    const struct batch_info *info = batch_reader_info(reader);
    size_t count = batch_reader_count(reader);
    if (memchr(info->probe_id, '\0', PROBE_ID_LEN) == NULL ||
        info->period_end_ms < info->period_start_ms)
        abort();
    for (size_t i = 0; i < count; i++) {
        const struct flow_record *r = batch_reader_record(reader, i);
        if (memchr(r->endpoint_id, '\0', ENDPOINT_ID_LEN) == NULL ||
            memchr(r->application, '\0', APPLICATION_LEN) == NULL ||
            r->end_ms < r->start_ms)
            abort();
    }
    if (batch_reader_record(reader, count) != NULL)
        abort();
    batch_reader_verify(reader, info->algorithm, slice_of_bytes(key, 32));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct batch_reader *reader = batch_reader_new();
    bool complete;
    while (size > 0) {
        int length = ipfix_message_length(data, size);
        if (length <= 0 || (size_t)length > size)
            break;
        enum batch_status status =
            batch_reader_add(reader, data, (size_t)length, &complete);
        if (status != BATCH_OK && status != BATCH_BAD_CONTENT)
            break;
        if (complete) {
            look_at(reader);
            batch_reader_next(reader);
        }
        data += length;
        size -= (size_t)length;
    }
    batch_reader_free(reader);
    return 0;
}
