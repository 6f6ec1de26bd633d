/*
 * What a page shows: a tree of named values, made by a handler and rendered as
 * HTML through a template. Programs get JSON from a writer of its own.
 *
 * An object has members in the order in which they were set; a member is text,
 * an integer, a claim (true or false), an object or a list of objects. Setting
 * a name again replaces its value. All of it lives in an arena; without room
 * there, `model_failed` turns true and later additions do nothing.
 */
#ifndef PORTAL_SHOW_MODEL_H
#define PORTAL_SHOW_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buffer.h"
#include "common/shown.h"
#include "common/slice.h"

struct model;

enum model_kind {
    MODEL_TEXT,
    MODEL_INTEGER,
    MODEL_BOOL,
    MODEL_OBJECT,
    MODEL_LIST,
};

struct model_value {
    enum model_kind kind;
    const char *text;
    int64_t integer;            /* also the claim, 0 or 1 */
    const struct model *object; /* of a list: its first object */
};

struct model *model_new(struct arena *arena); /* NULL without memory */
bool model_failed(const struct model *model);

/* Keys are borrowed for the model's life (literals), values are copied. */
void model_text(struct model *model, const char *key, const char *value);
void model_slice(struct model *model, const char *key, struct slice value);
void model_textf(struct model *model, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void model_i64(struct model *model, const char *key, int64_t value);
void model_bool(struct model *model, const char *key, bool value);
/* As common/shown.h shows them: a moment, the end of something, the day that an
 * instant lies in. */
void model_moment(struct model *model, const char *key, struct wall_time time);
void model_end(struct model *model, const char *key, struct wall_time time);
void model_day_of(struct model *model, const char *key, struct wall_time time);
/* With its unit. */
void model_money(struct model *model, const char *key, enum language language,
                 struct money money);
struct model *model_object(struct model *model, const char *key);
/* An empty list, so that JSON shows it and templates need not ask. */
void model_list(struct model *model, const char *key);
/* A new object at the end of the list of that name. */
struct model *model_append(struct model *model, const char *key);

/* A name that is looked up often: what a page asks each of its rows for. */
struct model_name {
    struct slice text; /* borrowed */
    uint32_t hash;
};
struct model_name model_name_of(struct slice text);
/* False when the object has no such member. */
bool model_find(const struct model *model, struct model_name name,
                struct model_value *value);
/* The next object of the list that this one is in, NULL at the end. */
const struct model *model_next(const struct model *model);

#endif
