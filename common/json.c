/*
 * Reading JSON, on jansson.
 *
 * jansson checks the text and its tree is then copied into nodes of our own in
 * an arena: they know their parent, so that a failure can say where it is, and
 * their line. jansson does not keep lines; they are found by walking the text
 * once more in step with the copy. Both visit the values in the order of the
 * text, and the text is known to be well formed, so that the walk only has to
 * tell values from keys.
 */
#include "common/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/arena.h"
#include "common/buffer.h"

/* A node is smaller than this times the shortest text of a value ("0,"), and a
 * text is copied once. */
enum { ARENA_FACTOR = 128, PLACE_SIZE = 128 };

struct json_node {
    struct json_document *document;
    const struct json_node *parent;
    const struct json_node *first, *next;
    const char *key;  /* "" in an array and at the root */
    const char *text; /* of JSON_TEXT_KIND */
    int64_t integer;  /* also 0 or 1 of JSON_BOOL_KIND */
    size_t index;     /* in its parent */
    size_t count;     /* of members */
    enum json_kind kind;
    unsigned line;
};

struct json_document {
    struct arena *arena;
    const struct json_node *root;
    const char *name;
    bool is_failed;
    struct error_text error;
};

/* ---- lines ---- */

struct scan {
    struct slice rest;
    unsigned line;
};

static char scan_step(struct scan *scan)
{
    char c = scan->rest.data[0];
    scan->line += c == '\n' ? 1 : 0;
    scan->rest.data++;
    scan->rest.length--;
    return c;
}

/* Steps over bytes that are (or are not) in `set`. */
static void scan_while(struct scan *scan, const char *set, bool is_in_set)
{
    size_t length = strlen(set);
    while (scan->rest.length > 0 &&
           (memchr(set, scan->rest.data[0], length) != NULL) == is_in_set)
        scan_step(scan);
}

/* Behind the opening quote, to behind the closing one. */
static void scan_string(struct scan *scan)
{
    while (scan->rest.length > 0) {
        char c = scan_step(scan);
        if (c == '"')
            return;
        if (c == '\\' && scan->rest.length > 0)
            scan_step(scan);
    }
}

/* The line where the next value starts; the scan then stands inside an array
 * or object, and behind any other value. */
static unsigned scan_value(struct scan *scan)
{
    for (;;) {
        scan_while(scan, " \t\r\n,:]}", true);
        unsigned line = scan->line;
        if (scan->rest.length == 0)
            return line;
        char c = scan_step(scan);
        if (c == '{' || c == '[')
            return line;
        if (c != '"') {
            scan_while(scan, " \t\r\n,:]}", false);
            return line;
        }
        scan_string(scan);
        scan_while(scan, " \t\r\n", true);
        if (scan->rest.length == 0 || scan->rest.data[0] != ':')
            return line;
    }
}

/* ---- the copy ---- */

struct builder {
    struct json_document *document;
    struct scan scan;
    struct error_text *error;
};

static struct json_node *copy_value(struct builder *builder, json_t *value,
                                    const struct json_node *parent, int depth);

/* Appends a copy of value to its parent; *tail is where the next one hangs. */
static bool copy_member(struct builder *builder, struct json_node *parent,
                        const char *key, json_t *value, int depth,
                        const struct json_node ***tail)
{
    struct json_node *node = copy_value(builder, value, parent, depth + 1);
    if (node == NULL)
        return false;
    if (key[0] != '\0')
        node->key =
            arena_copy_text(builder->document->arena, slice_of_text(key));
    node->index = parent->count++;
    **tail = node;
    *tail = &node->next;
    return node->key != NULL;
}

static bool copy_members(struct builder *builder, struct json_node *node,
                         json_t *value, int depth)
{
    const struct json_node **tail = &node->first;
    size_t i;
    json_t *item;
    const char *key;
    json_array_foreach(value, i, item)
    {
        if (!copy_member(builder, node, "", item, depth, &tail))
            return false;
    }
    json_object_foreach(value, key, item)
    {
        if (!copy_member(builder, node, key, item, depth, &tail))
            return false;
    }
    return true;
}

static bool copy_content(struct builder *builder, struct json_node *node,
                         json_t *value, int depth)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        node->kind = json_is_object(value) ? JSON_OBJECT_KIND : JSON_ARRAY_KIND;
        return copy_members(builder, node, value, depth);
    case JSON_STRING:
        node->kind = JSON_TEXT_KIND;
        node->text = arena_copy_text(builder->document->arena,
                                     slice_of_bytes(json_string_value(value),
                                                    json_string_length(value)));
        return node->text != NULL;
    case JSON_INTEGER:
        node->kind = JSON_INTEGER_KIND;
        node->integer = json_integer_value(value);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        node->kind = JSON_BOOL_KIND;
        node->integer = json_is_true(value);
        return true;
    case JSON_NULL:
        node->kind = JSON_NULL_KIND;
        return true;
    case JSON_REAL:
        break;
    }
    return error_set(builder->error,
                     "%s:%u: fractions are not read here: an amount is a text",
                     builder->document->name, node->line);
}

static struct json_node *copy_value(struct builder *builder, json_t *value,
                                    const struct json_node *parent, int depth)
{
    struct json_document *document = builder->document;
    unsigned line = scan_value(&builder->scan);
    struct json_node *node = arena_take(document->arena, sizeof(*node));
    if (node == NULL)
        return NULL;
    if (depth > JSON_READ_DEPTH) {
        error_set(builder->error, "%s:%u: nested deeper than %d",
                  document->name, line, JSON_READ_DEPTH);
        return NULL;
    }
    node->document = document;
    node->parent = parent;
    node->key = "";
    node->line = line;
    return copy_content(builder, node, value, depth) ? node : NULL;
}

static struct json_document *new_document(struct slice text, const char *name)
{
    struct json_document *document = calloc(1, sizeof(*document));
    if (document == NULL)
        return NULL;
    if (text.length < SIZE_MAX / ARENA_FACTOR - 4096)
        document->arena =
            arena_new((text.length + strlen(name) + 64) * ARENA_FACTOR);
    if (document->arena != NULL)
        document->name = arena_copy_text(document->arena, slice_of_text(name));
    if (document->name == NULL) {
        json_free(document);
        return NULL;
    }
    return document;
}

struct json_document *json_parse(struct slice text, const char *name,
                                 struct error_text *error)
{
    json_error_t reason;
    struct json_document *document = NULL;
    const char *data = text.data != NULL ? text.data : "";
    json_t *tree =
        json_loadb(data, text.length, JSON_REJECT_DUPLICATES, &reason);
    if (tree == NULL) {
        error_set(error, "%s:%d: %s", name, reason.line > 0 ? reason.line : 1,
                  reason.text);
        return NULL;
    }
    error_set(error, "%s: out of memory", name);
    document = new_document(text, name);
    if (document != NULL) {
        struct builder builder = {document, {text, 1}, error};
        document->root = copy_value(&builder, tree, NULL, 1);
    }
    json_decref(tree);
    if (document == NULL || document->root == NULL) {
        json_free(document);
        return NULL;
    }
    return document;
}

void json_free(struct json_document *document)
{
    if (document == NULL)
        return;
    arena_free(document->arena);
    free(document);
}

const struct json_node *json_root(const struct json_document *document)
{
    return document->root;
}

const char *json_error(const struct json_document *document)
{
    return document->is_failed ? document->error.text : NULL;
}

/* ---- failures ---- */

/* "services[3].id"; empty for the root. */
static void place_of(const struct json_node *node, char text[static PLACE_SIZE])
{
    const struct json_node *steps[JSON_READ_DEPTH + 1];
    int count = 0;
    size_t used = 0;
    for (; node->parent != NULL; node = node->parent)
        steps[count++] = node;
    text[0] = '\0';
    while (count-- > 0 && used < PLACE_SIZE) {
        const struct json_node *step = steps[count];
        bool is_item = step->parent->kind == JSON_ARRAY_KIND;
        size_t room = PLACE_SIZE - used;
        int length = is_item ? snprintf(text + used, room, "[%zu]", step->index)
                             : snprintf(text + used, room, "%s%s",
                                        used > 0 ? "." : "", step->key);
        used += length > 0 ? (size_t)length : 0;
    }
}

void json_fail(const struct json_node *node, const char *format, ...)
{
    if (node == NULL || node->document->is_failed)
        return;
    char place[PLACE_SIZE];
    struct error_text what;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what.text, sizeof(what.text), format, arguments);
    va_end(arguments);
    place_of(node, place);
    error_set(&node->document->error, "%s:%u: %s%s%s", node->document->name,
              node->line, place, place[0] ? ": " : "", what.text);
    node->document->is_failed = true;
}

/* Is the node there and of this kind? Complains when it is of another. */
static bool expect(const struct json_node *node, enum json_kind kind)
{
    static const char *const NAMES[] = {
        [JSON_NULL_KIND] = "null",        [JSON_BOOL_KIND] = "true or false",
        [JSON_INTEGER_KIND] = "a number", [JSON_TEXT_KIND] = "a text",
        [JSON_ARRAY_KIND] = "an array",   [JSON_OBJECT_KIND] = "an object",
    };
    if (node != NULL && node->kind != kind)
        json_fail(node, "%s is expected", NAMES[kind]);
    return node != NULL && node->kind == kind;
}

/* ---- readers ---- */

const struct json_node *json_member(const struct json_node *object,
                                    const char *key)
{
    if (!expect(object, JSON_OBJECT_KIND))
        return NULL;
    const struct json_node *node = object->first;
    while (node != NULL && strcmp(node->key, key) != 0)
        node = node->next;
    return node;
}

const struct json_node *json_want(const struct json_node *object,
                                  const char *key)
{
    const struct json_node *node = json_member(object, key);
    if (node == NULL)
        json_fail(object, "%s is missing", key);
    return node;
}

const struct json_node *json_first(const struct json_node *node)
{
    return node != NULL ? node->first : NULL;
}

const struct json_node *json_next(const struct json_node *node)
{
    return node != NULL ? node->next : NULL;
}

size_t json_count(const struct json_node *node)
{
    return node != NULL ? node->count : 0;
}

const char *json_key(const struct json_node *node)
{
    return node != NULL ? node->key : "";
}

enum json_kind json_kind_of(const struct json_node *node)
{
    return node != NULL ? node->kind : JSON_NULL_KIND;
}

unsigned json_line(const struct json_node *node)
{
    return node != NULL ? node->line : 0;
}

const char *json_as_text(const struct json_node *node)
{
    return expect(node, JSON_TEXT_KIND) ? node->text : "";
}

int64_t json_as_i64(const struct json_node *node, int64_t min, int64_t max)
{
    if (!expect(node, JSON_INTEGER_KIND))
        return 0;
    if (node->integer >= min && node->integer <= max)
        return node->integer;
    json_fail(node, "%lld is not from %lld to %lld", (long long)node->integer,
              (long long)min, (long long)max);
    return 0;
}

bool json_as_bool(const struct json_node *node)
{
    return expect(node, JSON_BOOL_KIND) && node->integer != 0;
}

const struct json_node *json_as_array(const struct json_node *node)
{
    return expect(node, JSON_ARRAY_KIND) ? node : NULL;
}

const struct json_node *json_as_object(const struct json_node *node)
{
    return expect(node, JSON_OBJECT_KIND) ? node : NULL;
}

const char *json_want_text(const struct json_node *object, const char *key)
{
    return json_as_text(json_want(object, key));
}

int64_t json_want_i64(const struct json_node *object, const char *key,
                      int64_t min, int64_t max)
{
    return json_as_i64(json_want(object, key), min, max);
}

void json_only_keys(const struct json_node *object, const char *const *keys)
{
    if (!expect(object, JSON_OBJECT_KIND))
        return;
    for (const struct json_node *n = object->first; n != NULL; n = n->next) {
        const char *const *known = keys;
        while (*known != NULL && strcmp(*known, n->key) != 0)
            known++;
        if (*known == NULL)
            json_fail(n, "unknown key");
    }
}
