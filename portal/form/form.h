/*
 * A form: fields in steps, each step a page of its own.
 *
 * A draft is saved at each step, with whatever is there: one field, or wrong
 * values, which are kept as they were typed and shown with their refusals. A
 * submission has to be complete and right.
 *
 * An edition is what was submitted, as canonical JSON (field.h) with its
 * SHA-256; it never changes. Edition 0 is the draft being written. What changed
 * between two editions is computed from them alone (REV-07).
 *
 * Two who write the same step at once: a page carries the mark of what it
 * showed, and what is saved meanwhile has another one. The second is then asked,
 * with both values before it (SYS-02, E_STALE).
 */
#ifndef PORTAL_FORM_FORM_H
#define PORTAL_FORM_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buffer.h"
#include "common/crypto/digest.h"
#include "portal/form/field.h"

struct form_step {
    const char *name;  /* in the address: "bank" */
    const char *title; /* text key */
    const char *help;  /* text key, or NULL */
    const struct field *fields;
    size_t count;
};

struct form {
    const char *name; /* "enterprise_registration", also in OpenAPI */
    const struct form_step *steps;
    size_t step_count;
    /* Whole-form checks: sets refusals of answers; what is missing is refused
     * only with `is_complete`. NULL: none. */
    void (*check)(struct answers *answers, bool is_complete,
                  const struct form_context *context);
};

/* Empty answers to all fields of all steps. */
struct answers form_answers(const struct form *form, struct arena *arena);
/* NULL when there is no such step. */
const struct form_step *form_step_find(const struct form *form,
                                       const char *name);
/* The step that has the field (or the row field "points.2.reason"). */
const struct form_step *form_step_of(const struct form *form,
                                     const char *field);
/* The answers to one step's fields, as a view of the form's: what is read into
 * it is in both. */
struct answers form_step_answers(const struct form *form,
                                 const struct answers *answers,
                                 const struct form_step *step);
/* The fields' checks and the form's; gives the number of refusals. */
size_t form_check(const struct form *form, struct answers *answers,
                  bool is_complete, const struct form_context *context);

/* ---- marks of what was seen ---- */

enum { FORM_MARK_LEN = 17 };
/* 16 hex digits of the SHA-256 of the answers' draft JSON. */
void form_mark(const struct answers *answers, char mark[static FORM_MARK_LEN]);

/* ---- editions ---- */

struct form_edition {
    const char *json; /* canonical, in the arena */
    struct digest sha256;
};
/* False without memory. */
bool form_edition(const struct answers *answers, struct arena *arena,
                  struct form_edition *edition);

/* One value or file that differs; of rows each cell that differs, of files each
 * file, told apart by SHA-256. */
struct form_change {
    const char *name; /* "revenue", "shareholders.1.share", "licence" */
    const struct field *field; /* of the value, in rows the row's field */
    const struct answer *before, *after; /* NULL: was not, or is not, there */
    const struct field_file *file_before, *file_after; /* of files */
};
/* In the order of the form. NULL without memory; *count 0: nothing changed. */
const struct form_change *form_changes(const struct answers *before,
                                       const struct answers *after,
                                       struct arena *arena, size_t *count);
/* Whether a change lies in the field of that name, or in a row or file of it. */
bool form_change_is_of(const struct form_change *change, const char *field);

#endif
