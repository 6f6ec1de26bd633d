/*
 * JSON: any text is parsed or refused; a document is walked whole and written,
 * and what was written must be accepted and be written the same again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/writer.h"
#include "tests/fuzz/fuzz.h"

static void write_container(struct json_writer *out, const char *key,
                            const struct json_node *node);

/* The writer nests less deep than the reader: what lies deeper becomes null. */
static void write_node(struct json_writer *out, const char *key,
                       const struct json_node *node)
{
    switch (json_kind_of(node)) {
    case JSON_TEXT_KIND:
        json_text(out, key, json_as_text(node));
        break;
    case JSON_INTEGER_KIND:
        json_i64(out, key, json_as_i64(node, INT64_MIN, INT64_MAX));
        break;
    case JSON_BOOL_KIND:
        json_bool(out, key, json_as_bool(node));
        break;
    case JSON_ARRAY_KIND:
    case JSON_OBJECT_KIND:
        if (out->depth < JSON_DEPTH) {
            write_container(out, key, node);
            break;
        }
        json_no_value(out, key);
        break;
    case JSON_NULL_KIND:
        json_no_value(out, key);
        break;
    }
}

static void write_container(struct json_writer *out, const char *key,
                            const struct json_node *node)
{
    bool is_object = json_kind_of(node) == JSON_OBJECT_KIND;
    unsigned line = json_line(node);
    if (is_object)
        json_object_begin(out, key);
    else
        json_array_begin(out, key);
    for (const struct json_node *n = json_first(node); n; n = json_next(n)) {
        if (json_line(n) < line)
            abort();
        line = json_line(n);
        write_node(out, is_object ? json_key(n) : NULL, n);
    }
    if (is_object)
        json_object_end(out);
    else
        json_array_end(out);
}

/* The document written into `text`; false when it is refused. */
static bool rewrite(struct slice input, struct buffer *text)
{
    struct error_text error;
    struct json_writer out;
    struct json_document *document = json_parse(input, "input", &error);
    if (document == NULL)
        return false;
    json_start(&out, text);
    write_node(&out, NULL, json_root(document));
    if (json_error(document) != NULL || text->failed)
        abort();
    json_want_text(json_root(document), "");
    json_fail(json_root(document), "checked");
    if (json_error(document) == NULL && json_count(json_root(document)) == 0)
        abort();
    json_free(document);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer first, second;
    buffer_init(&first, 1 << 20);
    buffer_init(&second, 1 << 20);
    if (rewrite(slice_of_bytes(data, size), &first) &&
        (!rewrite(buffer_slice(&first), &second) ||
         !slice_equal(buffer_slice(&first), buffer_slice(&second))))
        abort();
    buffer_clear(&first);
    buffer_clear(&second);
    return 0;
}
