#include "probe/state/config_edit.h"

static bool sets(struct slice line, const char *key)
{
    struct slice name;
    return slice_next(&line, '=', &name) && line.data != NULL &&
           slice_equal_text(slice_trim(name), key);
}

static bool is_line(const char *value)
{
    for (const char *c = value; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    return slice_is_clean_utf8(slice_of_text(value));
}

bool config_edit_set(struct slice text, const char *key, const char *value,
                     struct buffer *out)
{
    struct slice rest = text, line;
    bool is_set = false;
    if (!is_line(value))
        return false;
    while (slice_next(&rest, '\n', &line)) {
        if (rest.data == NULL && line.length == 0)
            break; /* behind the last line's end */
        if (!is_set && sets(line, key)) {
            buffer_addf(out, "%s = %s", key, value);
            is_set = true;
        } else {
            buffer_add_slice(out, line);
        }
        buffer_add_u8(out, '\n');
    }
    if (!is_set)
        buffer_addf(out, "%s = %s\n", key, value);
    return !out->failed;
}
