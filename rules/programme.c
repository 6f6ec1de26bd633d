/* programme.json, and the version of a rules folder. */
#include "rules/programme.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/json.h"

static void copy_member(const struct json_node *root, const char *key,
                        char *text, size_t size)
{
    const struct json_node *node = json_want(root, key);
    const char *value = json_as_text(node);
    if (value[0] == '\0' || !slice_copy(slice_of_text(value), text, size))
        json_fail(node, "1 to %zu bytes are expected", size - 1);
}

bool programme_parse(struct slice json, struct programme *programme,
                     struct error_text *error)
{
    static const char *const KEYS[] = {"id", "title_zh", "title_en", NULL};
    struct json_document *doc = json_parse(json, "programme.json", error);
    if (doc == NULL)
        return false;
    *programme = (struct programme){0};
    const struct json_node *root = json_as_object(json_root(doc));
    json_only_keys(root, KEYS);
    copy_member(root, "id", programme->id, sizeof(programme->id));
    copy_member(root, "title_zh", programme->title_zh,
                sizeof(programme->title_zh));
    copy_member(root, "title_en", programme->title_en,
                sizeof(programme->title_en));
    bool good = json_error(doc) == NULL;
    if (!good)
        error_set(error, "%s", json_error(doc));
    json_free(doc);
    return good;
}

static void sort_by_name(const struct rules_file **files, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct rules_file *file = files[i];
        size_t j = i;
        for (; j > 0 && strcmp(files[j - 1]->name, file->name) > 0; j--)
            files[j] = files[j - 1];
        files[j] = file;
    }
}

static void add_u64(struct digest_stream *s, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    digest_stream_add(s, bytes, sizeof(bytes));
}

/* Each file is its name, a NUL, its length (8 bytes, big-endian), its bytes:
 * no two folders give the same stream. */
struct digest rules_version(const struct rules_file *files, size_t count)
{
    const struct rules_file *sorted[RULES_FILES_MAX];
    assert(count <= RULES_FILES_MAX);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &files[i];
    sort_by_name(sorted, count);
    struct digest_stream *s = digest_stream_new();
    for (size_t i = 0; i < count; i++) {
        digest_stream_add(s, sorted[i]->name, strlen(sorted[i]->name) + 1);
        add_u64(s, sorted[i]->content.length);
        digest_stream_add(s, sorted[i]->content.data,
                          sorted[i]->content.length);
    }
    struct digest version = digest_stream_now(s);
    digest_stream_free(s);
    return version;
}
