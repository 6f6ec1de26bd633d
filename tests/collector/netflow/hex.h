/*
 * Messages as readable text: hex digits and comments.
 *
 *   # a comment to the end of the line
 *   000a 0020 ...      bytes
 *   i2 i4              a counter in 2 bytes (from 256 on) or 4 bytes
 *   x300               the line that ends with it counts 300 times
 *   @4000              the message whose first line it is counts 4000 times
 *
 * An empty line ends a message.
 */
#ifndef TESTS_COLLECTOR_NETFLOW_HEX_H
#define TESTS_COLLECTOR_NETFLOW_HEX_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buffer.h"
#include "common/slice.h"

enum { HEX_LINE_MAX = 4096, HEX_MESSAGE_MAX = 1 << 20 };

/* The lines of the next message; false when there is none. */
static inline bool hex_read(FILE *file, struct buffer *text)
{
    char line[HEX_LINE_MAX];
    buffer_reset(text);
    while (fgets(line, sizeof(line), file) != NULL) {
        bool is_empty = line[0] == '\n';
        line[strcspn(line, "#\n")] = '\0';
        if (is_empty && text->length > 0)
            break;
        if (strspn(line, " \t") == strlen(line))
            continue;
        buffer_add_text(text, line);
        buffer_add_u8(text, '\n');
    }
    return text->length > 0;
}

static inline bool hex_add_word(const char *word, struct buffer *out,
                                uint32_t *counter)
{
    size_t length = strlen(word);
    if (strcmp(word, "i2") == 0)
        buffer_add_u16(out, (uint16_t)(256 + (*counter)++ % 65000));
    else if (strcmp(word, "i4") == 0)
        buffer_add_u32(out, (*counter)++);
    else if (*word != 'x' && *word != '@') {
        uint8_t *bytes = buffer_extend(out, length / 2);
        return bytes != NULL &&
               parse_hex(slice_of_text(word), bytes, length / 2);
    }
    return true;
}

static inline bool hex_add_line(const char *line, struct buffer *out,
                                uint32_t *counter)
{
    const char *times = strrchr(line, 'x');
    unsigned long count = times != NULL ? strtoul(times + 1, NULL, 10) : 1;
    for (unsigned long i = 0; i < count; i++) {
        char copy[HEX_LINE_MAX];
        if (!slice_copy(slice_of_text(line), copy, sizeof(copy)))
            return false;
        for (char *at = copy, *word; (word = strsep(&at, " \t")) != NULL;)
            if (*word != '\0' && !hex_add_word(word, out, counter))
                return false;
    }
    return true;
}

/* How often the message counts. */
static inline unsigned long hex_times(const struct buffer *text)
{
    return text->length > 0 && text->data[0] == '@'
               ? strtoul((const char *)text->data + 1, NULL, 10)
               : 1;
}

/* The bytes of a message; again for each time, as the counter goes on. */
static inline bool hex_bytes(const struct buffer *text, struct buffer *out,
                             uint32_t *counter)
{
    struct slice rest = buffer_slice(text), part;
    buffer_reset(out);
    while (rest.length > 0 && slice_next(&rest, '\n', &part)) {
        char line[HEX_LINE_MAX];
        if (!slice_copy(part, line, sizeof(line)) ||
            !hex_add_line(line, out, counter))
            return false;
    }
    return !out->failed;
}

#endif
