#include "common/proof/checkpoint.h"

#include <inttypes.h>

#include "common/base64.h"

void checkpoint_write(const struct checkpoint *checkpoint, struct buffer *text)
{
    char made[WALL_TEXT_LEN];
    buffer_addf(text, "%s\n%" PRIu64 "\n", checkpoint->origin,
                checkpoint->size);
    base64_add_word(text, slice_of_bytes(checkpoint->root.bytes, DIGEST_LEN));
    buffer_add_u8(text, '\n');
    if (checkpoint->has_time) {
        wall_to_text(checkpoint->made, made);
        buffer_addf(text, "time %s\n", made);
    }
    if (!checkpoint->has_events)
        return;
    buffer_addf(text, "events %" PRIu64 " ", checkpoint->events.count);
    base64_add_word(text,
                    slice_of_bytes(checkpoint->events.hash.bytes, DIGEST_LEN));
    buffer_add_u8(text, '\n');
}

/* Decimal as it is written: no zero in front. */
static bool read_size(struct slice text, uint64_t *size)
{
    return parse_u64(text, 0, INT64_MAX, size) &&
           (text.length == 1 || text.data[0] != '0');
}

static bool read_extension(struct slice line, struct checkpoint *checkpoint)
{
    struct slice word, count, rest = line;
    if (line.length == 0)
        return false;
    if (!slice_next(&rest, ' ', &word))
        return true;
    if (slice_equal_text(word, "time") && !checkpoint->has_time)
        checkpoint->has_time = wall_from_text(rest, &checkpoint->made);
    if (slice_equal_text(word, "events") && !checkpoint->has_events)
        checkpoint->has_events =
            slice_next(&rest, ' ', &count) &&
            read_size(count, &checkpoint->events.count) &&
            note_read_base64(rest, checkpoint->events.hash.bytes, DIGEST_LEN);
    return true;
}

bool checkpoint_read(struct slice text, struct checkpoint *checkpoint,
                     struct error_text *error)
{
    struct slice rest = text, line;
    *checkpoint = (struct checkpoint){0};
    bool good = slice_next(&rest, '\n', &line) &&
                slice_copy(line, checkpoint->origin, NOTE_NAME_LEN) &&
                note_name_is_valid(checkpoint->origin) &&
                slice_next(&rest, '\n', &line) &&
                read_size(line, &checkpoint->size) &&
                slice_next(&rest, '\n', &line) &&
                note_read_base64(line, checkpoint->root.bytes, DIGEST_LEN) &&
                rest.data != NULL;
    while (good && slice_next(&rest, '\n', &line) && rest.data != NULL)
        good = read_extension(line, checkpoint);
    return good || error_set(error, "not a checkpoint: the lines origin, size "
                                    "and root hash");
}

bool checkpoint_read_signed(const struct note *note, const struct note_key *key,
                            struct checkpoint *checkpoint,
                            struct error_text *error)
{
    if (!checkpoint_read(note->text, checkpoint, error))
        return false;
    enum note_result result = note_verify(note, key, NULL, NULL);
    if (result == NOTE_GOOD)
        return true;
    return error_set(error,
                     result == NOTE_WRONG
                         ? "the signature of %s does not fit the checkpoint"
                         : "the checkpoint is not signed by the key of %s",
                     key->name);
}
