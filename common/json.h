/*
 * Reading JSON: data files such as a catalogue, and request bodies.
 *
 * A text is parsed whole, within limits, into a document whose nodes stay valid
 * until it is freed. Repeated keys, fractions (amounts are written as text) and
 * trailing bytes are refused.
 *
 * The document remembers its first failure, as a cursor does: readers may ask
 * for everything they need and look once, with json_error(). Every function
 * takes NULL for a node and then gives the empty value (NULL, "", 0, false), so
 * that what follows a failure is harmless. Failures name file, line and place:
 * "catalogue.json:12: services[3].id: a text is expected".
 *
 *   struct json_document *doc = json_parse(text, name, &error);
 *   const struct json_node *list =
 *       json_as_array(json_want(json_root(doc), "services"));
 *   for (const struct json_node *n = json_first(list); n; n = json_next(n))
 *       add(json_want_text(n, "id"), json_want_i64(n, "item", 1, 9));
 *   if (json_error(doc) != NULL) ...
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"
#include "common/slice.h"

struct json_document;
struct json_node;

enum { JSON_READ_DEPTH = 32 };
enum json_kind {
    JSON_NULL_KIND,
    JSON_BOOL_KIND,
    JSON_INTEGER_KIND,
    JSON_TEXT_KIND,
    JSON_ARRAY_KIND,
    JSON_OBJECT_KIND,
};

/* NULL with "NAME:LINE: reason". The text is not needed afterwards. */
struct json_document *json_parse(struct slice text, const char *name,
                                 struct error_text *error);
void json_free(struct json_document *document);
const struct json_node *json_root(const struct json_document *document);
/* The first failure, NULL when there was none. */
const char *json_error(const struct json_document *document);

/* The value of a member: NULL when it is absent. json_want() then fails. */
const struct json_node *json_member(const struct json_node *object,
                                    const char *key);
const struct json_node *json_want(const struct json_node *object,
                                  const char *key);
/* Members of an array or object in the order of the text. */
const struct json_node *json_first(const struct json_node *node);
const struct json_node *json_next(const struct json_node *node);
size_t json_count(const struct json_node *node);
const char *json_key(const struct json_node *node); /* "" in an array */
enum json_kind json_kind_of(const struct json_node *node);
unsigned json_line(const struct json_node *node);

/* The value as a type; a failure when it is of another, or out of bounds. */
const char *json_as_text(const struct json_node *node);
int64_t json_as_i64(const struct json_node *node, int64_t min, int64_t max);
bool json_as_bool(const struct json_node *node);
const struct json_node *json_as_array(const struct json_node *node);
const struct json_node *json_as_object(const struct json_node *node);
/* Both steps for a required member. */
const char *json_want_text(const struct json_node *object, const char *key);
int64_t json_want_i64(const struct json_node *object, const char *key,
                      int64_t min, int64_t max);

/* Fails when the object has a key other than these (NULL-terminated). */
void json_only_keys(const struct json_node *object, const char *const *keys);
/* The caller's own complaint about a value, with its line and place. */
void json_fail(const struct json_node *node, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
