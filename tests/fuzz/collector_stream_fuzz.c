/*
 * The bytes of a connection after TLS: messages, templates, records, batches,
 * and the decision about what was gathered.
 *
 * The first byte decides how the bytes arrive (in how large pieces).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "collector/ledger/intake.h"
#include "collector/ledger/usage.h"
#include "collector/peer_session.h"
#include "common/wire/return_channel.h"

/* Sums as the store would make them, without a store. */
static void add_up(const struct batch_reader *reader)
{
    struct usage_sums *sums = usage_sums_new();
    for (size_t i = 0; sums != NULL && i < batch_reader_count(reader); i++)
        if (usage_sums_add(sums, batch_reader_record(reader, i)) != USAGE_ADDED)
            break;
    usage_sums_free(sums);
}

static void decide(const struct peer_session *session)
{
    const struct batch_reader *reader = peer_session_reader(session);
    static const uint8_t key[32] = {1};
    const struct registry_probe probe = {.algorithm = SIGN_ED25519,
                                         .key_length = sizeof(key)};
    struct intake_facts facts = {
        .info = batch_reader_info(reader),
        .hash = batch_reader_hash(reader),
        .probe = &probe,
        .signature = batch_reader_verify(reader, SIGN_ED25519,
                                         slice_of_bytes(key, sizeof(key))),
        .span = intake_span_of(reader),
        .now = wall_from_s(1795420800),
    };
    facts.signature = BATCH_OK; /* what a registered probe could sign */
    struct intake_neighbours near = {.has_before = true, .highest = 3};
    if (intake_admit(&facts) == REASON_NONE &&
        intake_place(&facts, &near).verdict == INTAKE_COUNT)
        add_up(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer_session *s = peer_session_new();
    size_t piece = size > 0 ? 1 + data[0] * 17u : 1;
    enum peer_session_status status = PEER_SESSION_MORE;
    for (size_t done = 1;
         s != NULL && done < size && status != PEER_SESSION_BAD;) {
        size_t room;
        uint8_t *space = peer_session_space(s, &room);
        if (space == NULL)
            break;
        room = room < piece ? room : piece;
        room = room < size - done ? room : size - done;
        memcpy(space, data + done, room);
        peer_session_filled(s, room);
        done += room;
        while ((status = peer_session_next(s)) == PEER_SESSION_BATCH ||
               status == PEER_SESSION_MESSAGE) {
            struct return_message message;
            struct slice bytes = peer_session_message(s);
            if (status == PEER_SESSION_MESSAGE) {
                (void)return_channel_decode((const uint8_t *)bytes.data,
                                            bytes.length, &message);
                continue;
            }
            decide(s);
            peer_session_release(s);
        }
    }
    peer_session_free(s);
    return 0;
}
