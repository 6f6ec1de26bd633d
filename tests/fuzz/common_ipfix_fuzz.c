/* The IPFIX decoder on a stream of messages, with one session over all of
 * them, and every field of every record looked at. */
#include "common/wire/flow_record.h"
#include "common/wire/ipfix_decode.h"
#include "tests/fuzz/fuzz.h"

static bool take(void *context, const struct ipfix_record *record)
{
    uint64_t *sum = context;
    struct flow_record flow;
    for (size_t i = 0; i < record->field_count; i++) {
        for (size_t k = 0; k < record->fields[i].length; k++)
            *sum += record->fields[i].data[k];
    }
    *sum += flow_record_decode(record, &flow);
    for (int element = 0; element < IE_COUNT; element++) {
        uint64_t value;
        struct slice bytes;
        if (ipfix_get_u64(record, element, &value))
            *sum += value;
        if (ipfix_get_bytes(record, element, &bytes))
            *sum += bytes.length;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    struct ipfix_session *session = ipfix_session_new();
    while (session != NULL && size > 0) {
        int length = ipfix_message_length(data, size);
        if (length <= 0 || (size_t)length > size)
            length = (int)(size > IPFIX_MESSAGE_MAX ? IPFIX_MESSAGE_MAX : size);
        ipfix_decode_message(session, data, (size_t)length, take, &sum);
        data += length;
        size -= (size_t)length;
    }
    ipfix_session_free(session);
    return 0;
}
