/*
 * See model.h. Objects are linked lists of members: pages have tens of names,
 * and what is asked is mostly asked in the order in which it was set.
 *
 * A model without memory is a shared, empty one that takes nothing: callers
 * build trees without looking at every step and ask model_failed() once.
 */
#include "portal/show/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct member {
    const char *key;
    uint32_t hash; /* of the key: most others differ in it */
    struct model_value value;
    struct model *first, *last; /* of an object or a list */
    struct member *next;
};

struct model {
    struct arena *arena;
    struct member *first, *last;
    struct model *next; /* in its list */
    bool *failed;       /* shared by the whole tree */
};

static struct model *object_new(struct arena *arena, bool *failed)
{
    struct model *model = arena_take(arena, sizeof(*model));
    if (model == NULL) {
        *failed = true;
        return NULL;
    }
    model->arena = arena;
    model->failed = failed;
    return model;
}

struct model *model_new(struct arena *arena)
{
    bool *failed = arena_take(arena, sizeof(*failed));
    return failed != NULL ? object_new(arena, failed) : NULL;
}

bool model_failed(const struct model *model)
{
    return model == NULL || *model->failed;
}

struct model_name model_name_of(struct slice text)
{
    return (struct model_name){text, slice_hash(text)};
}

static struct member *find(const struct model *model, struct model_name name)
{
    struct member *member = model != NULL ? model->first : NULL;
    while (member != NULL && (member->hash != name.hash ||
                              !slice_equal_text(name.text, member->key)))
        member = member->next;
    return member;
}

static struct member *add_member(struct model *model)
{
    struct member *member = arena_take(model->arena, sizeof(*member));
    if (member == NULL) {
        *model->failed = true;
        return NULL;
    }
    if (model->last != NULL)
        model->last->next = member;
    else
        model->first = member;
    model->last = member;
    return member;
}

/* The member of that name, new when it is not there. */
static struct member *member_for(struct model *model, const char *key,
                                 enum model_kind kind)
{
    struct model_name name = model_name_of(slice_of_text(key));
    struct member *member = find(model, name);
    if (member == NULL && model != NULL)
        member = add_member(model);
    if (member == NULL)
        return NULL;
    member->key = key;
    member->hash = name.hash;
    member->value = (struct model_value){.kind = kind};
    return member;
}

void model_slice(struct model *model, const char *key, struct slice value)
{
    struct member *member = member_for(model, key, MODEL_TEXT);
    if (member == NULL)
        return;
    member->value.text = arena_copy_text(model->arena, value);
    if (member->value.text == NULL) {
        member->value.text = "";
        *model->failed = true;
    }
}

void model_text(struct model *model, const char *key, const char *value)
{
    model_slice(model, key, slice_of_text(value));
}

void model_moment(struct model *model, const char *key, struct wall_time time)
{
    char text[SHOWN_LEN];
    shown_moment(time, text);
    model_text(model, key, text);
}

void model_end(struct model *model, const char *key, struct wall_time time)
{
    char text[SHOWN_LEN];
    shown_end(time, text);
    model_text(model, key, text);
}

void model_day_of(struct model *model, const char *key, struct wall_time time)
{
    char text[SHOWN_LEN];
    shown_day_of(time, text);
    model_text(model, key, text);
}

void model_money(struct model *model, const char *key, enum language language,
                 struct money money)
{
    char text[SHOWN_LEN];
    shown_money(language, money, text);
    model_text(model, key, text);
}

void model_textf(struct model *model, const char *key, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof(text)) {
        if (model != NULL)
            *model->failed = true;
        return;
    }
    model_text(model, key, text);
}

void model_i64(struct model *model, const char *key, int64_t value)
{
    struct member *member = member_for(model, key, MODEL_INTEGER);
    if (member != NULL)
        member->value.integer = value;
}

void model_bool(struct model *model, const char *key, bool value)
{
    struct member *member = member_for(model, key, MODEL_BOOL);
    if (member != NULL)
        member->value.integer = value;
}

struct model *model_object(struct model *model, const char *key)
{
    struct member *member = member_for(model, key, MODEL_OBJECT);
    if (member == NULL)
        return NULL;
    member->first = object_new(model->arena, model->failed);
    member->value.object = member->first;
    return member->first;
}

void model_list(struct model *model, const char *key)
{
    struct member *member = member_for(model, key, MODEL_LIST);
    if (member != NULL)
        member->first = member->last = NULL;
}

struct model *model_append(struct model *model, const char *key)
{
    struct member *member = find(model, model_name_of(slice_of_text(key)));
    if (member == NULL || member->value.kind != MODEL_LIST) {
        member = member_for(model, key, MODEL_LIST);
        if (member == NULL)
            return NULL;
        member->first = member->last = NULL;
    }
    struct model *object = object_new(model->arena, model->failed);
    if (object == NULL)
        return NULL;
    if (member->last != NULL)
        member->last->next = object;
    else
        member->first = object;
    member->last = object;
    member->value.object = member->first;
    return object;
}

bool model_find(const struct model *model, struct model_name name,
                struct model_value *value)
{
    const struct member *member = find(model, name);
    if (member == NULL)
        return false;
    *value = member->value;
    return true;
}

const struct model *model_next(const struct model *model)
{
    return model->next;
}
