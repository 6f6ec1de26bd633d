#include "collector/events.h"

#include <inttypes.h>
#include <string.h>

#include "collector/ledger/intake.h"
#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "common/writer.h"

enum { LINE_MAX_BYTES = 16 * 1024 };

static bool is_known_kind(const char *kind)
{
    for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
        if (strcmp(kind, intake_reason_kind((enum intake_reason)i)) == 0)
            return true;
    return false;
}

static struct db_statement *prepare(struct db *usage,
                                    const struct event_filter *filter)
{
    struct db_statement *s = db_prepare(
        usage, "SELECT at_us, last_us, times, kind, probe_id, sequence, "
               "known_hash, other_hash, detail FROM event "
               "WHERE last_us >= :since AND (:kind IS NULL OR kind = :kind) "
               "AND (:probe IS NULL OR probe_id = :probe) ORDER BY at_us, id");
    if (s == NULL)
        return NULL;
    db_bind_i64(s, ":since", filter->since.us);
    db_bind_text(s, ":kind", filter->kind);
    db_bind_text(s, ":probe", filter->probe);
    return s;
}

static void add_hash(struct buffer *out, const char *name, struct slice hash)
{
    char hex[DIGEST_HEX_LEN];
    if (hash.length != DIGEST_LEN)
        return;
    hex_of(hash.data, hash.length, hex);
    buffer_addf(out, " %s %s", name, hex);
}

/* Of one byte, or of two in UTF-8 (U+0080 to U+009F); 0: none begins here. */
static size_t control_length(const char *text)
{
    const uint8_t *b = (const uint8_t *)text;
    if (b[0] < ' ' || b[0] == 0x7f)
        return 1;
    return b[0] == 0xc2 && b[1] >= 0x80 && b[1] < 0xa0 ? 2 : 0;
}

/* What came over the network is written so that it cannot pass for more than
 * one line, or for an escape sequence. */
static void add_plain(struct buffer *out, const char *text)
{
    while (*text != '\0') {
        size_t length = control_length(text);
        buffer_add_u8(out, length > 0 ? '?' : (uint8_t)*text);
        text += length > 0 ? length : 1;
    }
}

static void add_line(struct db_statement *s, struct buffer *out)
{
    char first[WALL_TEXT_LEN], last[WALL_TEXT_LEN];
    wall_to_text((struct wall_time){db_i64(s, 0)}, first);
    wall_to_text((struct wall_time){db_i64(s, 1)}, last);
    buffer_addf(out, "%s %-9s ", first, db_text(s, 3));
    add_plain(out, db_text(s, 4)[0] ? db_text(s, 4) : "-");
    if (!db_is_null(s, 5))
        buffer_addf(out, " batch %" PRIu64, db_u64(s, 5));
    buffer_add_text(out, ": ");
    add_plain(out, db_text(s, 8));
    if (db_i64(s, 2) > 1)
        buffer_addf(out, " (%" PRId64 " times, last %s)", db_i64(s, 2), last);
    add_hash(out, "known", db_blob(s, 6));
    add_hash(out, "other", db_blob(s, 7));
    buffer_add_text(out, "\n");
}

static void add_json(struct db_statement *s, struct buffer *out)
{
    char text[WALL_TEXT_LEN];
    struct json_writer json;
    struct slice known = db_blob(s, 6), other = db_blob(s, 7);
    json_start(&json, out);
    json_object_begin(&json, NULL);
    wall_to_text((struct wall_time){db_i64(s, 0)}, text);
    json_text(&json, "first", text);
    wall_to_text((struct wall_time){db_i64(s, 1)}, text);
    json_text(&json, "last", text);
    json_i64(&json, "times", db_i64(s, 2));
    json_text(&json, "kind", db_text(s, 3));
    json_text(&json, "probe", db_text(s, 4));
    if (!db_is_null(s, 5))
        json_u64(&json, "sequence", db_u64(s, 5));
    if (known.length > 0)
        json_hex(&json, "known", known.data, known.length);
    if (other.length > 0)
        json_hex(&json, "other", other.data, other.length);
    json_text(&json, "detail", db_text(s, 8));
    json_object_end(&json);
    buffer_add_text(out, "\n");
}

bool events_print(struct db *usage, const struct event_filter *filter,
                  bool as_json, FILE *out, struct error_text *error)
{
    struct buffer line;
    if (filter->kind != NULL && !is_known_kind(filter->kind))
        return error_set(error, "--kind %s: no such kind of event",
                         filter->kind);
    struct db_statement *s = prepare(usage, filter);
    if (s == NULL)
        return error_set(error, "%s", db_error(usage));
    enum db_step step;
    bool good = true;
    buffer_init(&line, LINE_MAX_BYTES);
    while (good && (step = db_step(s)) == DB_ROW) {
        buffer_reset(&line);
        (as_json ? add_json : add_line)(s, &line);
        good = !line.failed &&
               fwrite(line.data, 1, line.length, out) == line.length;
    }
    buffer_clear(&line);
    db_reset(s);
    if (!good)
        return error_set(error, "the events could not be written");
    return step == DB_DONE || error_set(error, "%s", db_error(usage));
}
