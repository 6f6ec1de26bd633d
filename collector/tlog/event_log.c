/*
 * An event goes in as its ten columns, each as a 4-byte length and its bytes;
 * numbers are 8 bytes big-endian, and NULL has no bytes.
 */
#include "collector/tlog/event_log.h"

#include <string.h>

#include "common/buffer.h"

#define EVENT_QUERY(schema)                                                    \
    "SELECT id, at_us, sequence, gap_first, known_hash, other_hash, boot_id, " \
    "kind, probe_id, detail FROM " schema ".event WHERE id > :after AND id "   \
    "<= :end ORDER BY id"

enum { NUMBERS = 4, BLOBS = 3, TEXTS = 3, EVENT_MAX = 64 * 1024 };

static void add_bytes(struct buffer *out, struct slice bytes)
{
    buffer_add_u32(out, (uint32_t)bytes.length);
    buffer_add_slice(out, bytes);
}

static void add_event(struct db_statement *s, struct buffer *out)
{
    int column = 0;
    for (; column < NUMBERS; column++) {
        bool is_null = db_is_null(s, column);
        buffer_add_u32(out, is_null ? 0 : 8);
        if (!is_null)
            buffer_add_u64(out, (uint64_t)db_i64(s, column));
    }
    for (; column < NUMBERS + BLOBS; column++)
        add_bytes(out, db_is_null(s, column) ? SLICE("") : db_blob(s, column));
    for (; column < NUMBERS + BLOBS + TEXTS; column++)
        add_bytes(out, slice_of_text(db_text(s, column)));
}

bool event_log_extend(struct db *db, const char *schema, struct event_log *log,
                      uint64_t end)
{
    struct buffer event;
    if (log->count >= end)
        return true;
    struct db_statement *s =
        db_prepare(db, strcmp(schema, "main") == 0 ? EVENT_QUERY("main")
                                                   : EVENT_QUERY("live"));
    struct digest_stream *hash = digest_stream_new();
    if (s == NULL || hash == NULL) {
        digest_stream_free(hash);
        return false;
    }
    db_bind_u64(s, ":after", log->count);
    db_bind_u64(s, ":end", end);
    buffer_init(&event, EVENT_MAX);
    digest_stream_add(hash, EVENT_LOG_PREFIX, sizeof(EVENT_LOG_PREFIX) - 1);
    digest_stream_add(hash, log->hash.bytes, DIGEST_LEN);
    enum db_step step;
    while ((step = db_step(s)) == DB_ROW && db_u64(s, 0) == log->count + 1 &&
           !event.failed) {
        buffer_reset(&event);
        add_event(s, &event);
        digest_stream_add(hash, event.data, event.length);
        log->count++;
    }
    log->hash = digest_stream_now(hash);
    bool good = step != DB_FAILED && !event.failed;
    digest_stream_free(hash);
    buffer_clear(&event);
    db_reset(s);
    return good;
}

bool event_log_end(struct db *db, uint64_t *end)
{
    struct db_statement *s =
        db_prepare(db, "SELECT ifnull(max(id), 0) FROM event");
    bool good = s != NULL && db_step(s) == DB_ROW;
    *end = good ? db_u64(s, 0) : 0;
    if (s != NULL)
        db_reset(s);
    return good;
}
