/*
 * The kinds of fields, as a table: how each is read, what its input looks like,
 * what it is in JSON and in the schema. To add a kind is to add a row; nobody
 * else looks at a field's kind but for what is made of several things (files,
 * rows) and of words (choices).
 */
#ifndef PORTAL_FORM_FIELD_KIND_H
#define PORTAL_FORM_FIELD_KIND_H

#include <stdbool.h>

#include "portal/form/field.h"

enum field_json {
    FIELD_JSON_TEXT,
    FIELD_JSON_INTEGER,
    FIELD_JSON_BOOL,
    FIELD_JSON_FILES,
    FIELD_JSON_ROWS,
};

enum field_input {
    INPUT_LINE,
    INPUT_AREA,
    INPUT_SELECT,
    INPUT_CHECK, /* one box */
    INPUT_RADIO, /* yes and no */
    INPUT_FILE,
    INPUT_ROWS,
};

struct field_kind_row {
    /* Takes the typed text, not empty, apart: sets answer->text and number, or
     * refuses. NULL: not read from text. */
    bool (*read)(struct answer *answer, struct slice typed,
                 struct arena *arena);
    enum field_json json;
    enum field_input input;
    const char *input_mode;   /* HTML: which keyboard */
    const char *autocomplete; /* HTML, where the field says nothing */
    const char *pattern;      /* schema */
    const char *format;       /* schema */
    int width;                /* characters that the input is wide; 0: all */
    int64_t max;              /* where the field says nothing */
};

const struct field_kind_row *field_kind(const struct field *field);
/* The field's own bound, or the kind's. */
int64_t field_max(const struct field *field);

#endif
