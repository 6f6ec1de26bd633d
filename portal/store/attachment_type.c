#include "portal/store/attachment_type.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/buffer.h"

enum { ENDING_MAX = 10 }; /* bytes of ".pdf" that a cut name keeps */

static const struct type_row {
    unsigned type;
    const char *name, *media_type;
    struct slice magic;
} TYPES[] = {
    {ATTACHMENT_PDF, "PDF", "application/pdf", {"%PDF-", 5}},
    {ATTACHMENT_JPG, "JPG", "image/jpeg", {"\xff\xd8\xff", 3}},
    {ATTACHMENT_PNG, "PNG", "image/png", {"\x89PNG\r\n\x1a\n", 8}},
    /* GB/T 33190: a ZIP; writers begin it with one of its two roots. */
    {ATTACHMENT_OFD, "OFD", "application/ofd", {"PK\x03\x04", 4}},
    {ATTACHMENT_XML, "XML", "application/xml", {"<?xml", 5}},
};
enum { TYPES_COUNT = sizeof(TYPES) / sizeof(TYPES[0]) };

static bool starts_with(struct slice text, struct slice start)
{
    return text.length >= start.length &&
           memcmp(text.data, start.data, start.length) == 0;
}

/* The name of a ZIP's first file stands at 30; any other ZIP is not an OFD. */
static bool is_ofd(struct slice start)
{
    if (start.length <= 30)
        return false;
    struct slice name = slice_of_bytes(start.data + 30, start.length - 30);
    return starts_with(name, SLICE("OFD.xml")) ||
           starts_with(name, SLICE("Doc_0/"));
}

unsigned attachment_type_of(struct slice start)
{
    if (starts_with(start, SLICE("\xef\xbb\xbf<?xml")))
        return ATTACHMENT_XML;
    for (size_t i = 0; i < TYPES_COUNT; i++)
        if (starts_with(start, TYPES[i].magic) &&
            (TYPES[i].type != ATTACHMENT_OFD || is_ofd(start)))
            return TYPES[i].type;
    return ATTACHMENT_NO_TYPE;
}

static const struct type_row *row_of(unsigned type)
{
    for (size_t i = 0; i < TYPES_COUNT; i++)
        if (TYPES[i].type == type)
            return &TYPES[i];
    return NULL;
}

const char *attachment_type_name(unsigned type)
{
    const struct type_row *row = row_of(type);
    return row != NULL ? row->name : "";
}

unsigned attachment_type_from(const char *name)
{
    for (size_t i = 0; i < TYPES_COUNT; i++)
        if (strcmp(name, TYPES[i].name) == 0)
            return TYPES[i].type;
    return ATTACHMENT_NO_TYPE;
}

const char *attachment_media_type(unsigned type)
{
    const struct type_row *row = row_of(type);
    return row != NULL ? row->media_type : "application/octet-stream";
}

/* What stands behind the last slash of either kind. */
static struct slice without_folders(struct slice name)
{
    for (size_t i = name.length; i > 0; i--)
        if (name.data[i - 1] == '/' || name.data[i - 1] == '\\')
            return slice_of_bytes(name.data + i, name.length - i);
    return name;
}

/* U+200B to U+200F, U+202A to U+202E, U+2066 to U+2069, U+FEFF: what is not seen
 * and makes "fdp.exe" look like "exe.pdf". */
static bool is_unseen(struct slice c)
{
    const uint8_t *b = (const uint8_t *)c.data;
    if (c.length != 3)
        return false;
    uint32_t code =
        (uint32_t)((b[0] & 0x0f) << 12 | (b[1] & 0x3f) << 6 | (b[2] & 0x3f));
    return (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

static bool is_kept(struct slice c)
{
    return c.length > 0 && slice_is_clean_utf8(c) && c.data[0] != '\n' &&
           c.data[0] != '\t' && !is_unseen(c);
}

static void keep_characters(struct slice name, struct buffer *out)
{
    while (name.length > 0) {
        struct slice c = {name.data, slice_utf8_length(name)};
        size_t step = c.length > 0 ? c.length : 1;
        if (is_kept(c))
            buffer_add_slice(out, c);
        name.data += step;
        name.length -= step;
    }
}

/* ".pdf" of a name; empty when it has none that is short. */
static struct slice ending_of(struct slice name)
{
    for (size_t i = name.length; i > 1 && name.length - i < ENDING_MAX; i--)
        if (name.data[i - 1] == '.')
            return slice_of_bytes(name.data + i - 1, name.length - i + 1);
    return slice_of_bytes(name.data + name.length, 0);
}

/* The longest start of whole characters in at most `most` bytes. */
static struct slice start_of(struct slice name, size_t most)
{
    size_t length = 0;
    while (length < name.length) {
        size_t step = slice_utf8_length(
            slice_of_bytes(name.data + length, name.length - length));
        if (step == 0 || length + step > most)
            break;
        length += step;
    }
    return slice_of_bytes(name.data, length);
}

void attachment_clean_name(struct slice name,
                           char clean[static ATTACHMENT_NAME_LEN])
{
    struct buffer kept;
    buffer_init(&kept, name.length + 1);
    keep_characters(without_folders(name), &kept);
    struct slice whole = slice_trim(buffer_slice(&kept));
    if (whole.length == 0)
        whole = SLICE("file");
    struct slice ending = whole.length < ATTACHMENT_NAME_LEN
                              ? slice_of_bytes(whole.data + whole.length, 0)
                              : ending_of(whole);
    struct slice start =
        start_of(slice_of_bytes(whole.data, whole.length - ending.length),
                 ATTACHMENT_NAME_LEN - 1 - ending.length);
    snprintf(clean, ATTACHMENT_NAME_LEN, "%.*s%.*s", (int)start.length,
             start.data, (int)ending.length, ending.data);
    buffer_clear(&kept);
}
