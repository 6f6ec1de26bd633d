/* See form_view.h. Ids of inputs are the field's name, of a row's its whole
 * name, so that an error's link finds it. */
#include "portal/form/form_view.h"

#include <stdio.h>
#include <string.h>

#include "common/shown.h"
#include "portal/form/field_kind.h"

enum { WHOLE_NAME_LEN = 128, BLANK_ROWS = 2 };

/* Persons' data and accounts are masked for who has no part in the procedure. */
static bool is_whole_for(const struct field *field, enum account_role role)
{
    static const struct {
        enum field_privacy privacy;
        enum account_role role;
    } WHOLE[] = {
        {FIELD_PERSON, ROLE_ENT},  {FIELD_PERSON, ROLE_SUPP},
        {FIELD_PERSON, ROLE_CITY}, {FIELD_PERSON, ROLE_PROV},
        {FIELD_BANK, ROLE_ENT},    {FIELD_BANK, ROLE_CITY},
        {FIELD_BANK, ROLE_PROV},   {FIELD_BANK, ROLE_AUDT},
    };
    if (field->privacy == FIELD_OPEN)
        return true;
    for (size_t i = 0; i < sizeof(WHOLE) / sizeof(WHOLE[0]); i++)
        if (WHOLE[i].privacy == field->privacy && WHOLE[i].role == role)
            return true;
    return false;
}

static const char *words(const struct form_view *view, const char *key)
{
    return key != NULL ? text_word(view->language, "", key) : "";
}

static const char *shown(const struct form_view *view,
                         const struct answer *answer)
{
    const char *text =
        is_whole_for(answer->field, view->role)
            ? answer_shown(answer, view->language, view->arena, view->context)
            : answer_masked(answer, view->language, view->arena, view->context);
    return text != NULL ? text : "";
}

/* What stands in an input: amounts without their unit. */
static const char *input_value(const struct form_view *view,
                               const struct answer *answer)
{
    char amount[SHOWN_LEN];
    if (!answer->is_good)
        return answer->typed;
    if (answer->field->kind != FIELD_MONEY)
        return answer->text;
    shown_amount((struct money){answer->number}, amount);
    const char *copy = arena_format(view->arena, "%s", amount);
    return copy != NULL ? copy : "";
}

void form_view_mask(const struct form_view *view, struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++) {
        struct answer *answer = &answers->of[i];
        for (size_t row = 0; row < answer->row_count; row++)
            form_view_mask(view, &answer->rows[row]);
        if (!is_whole_for(answer->field, view->role))
            answer->text = answer->typed = shown(view, answer);
    }
}

/* ---- inputs ---- */

static void add_choice(struct model *list, const char *code, const char *text,
                       const char *chosen)
{
    struct model *m = model_append(list, "choices");
    model_text(m, "code", code);
    model_text(m, "words", text);
    model_bool(m, "is_chosen", strcmp(code, chosen) == 0);
}

static void add_row_choices(const struct form_view *view,
                            const struct choices *choices, const char *chosen,
                            struct model *m)
{
    struct db_statement *s = view->context->db != NULL
                                 ? db_prepare(view->context->db, choices->sql)
                                 : NULL;
    while (s != NULL && db_step(s) == DB_ROW) {
        bool has_english =
            view->language == LANGUAGE_EN && db_text(s, 2)[0] != '\0';
        add_choice(m, db_text(s, 0), db_text(s, has_english ? 2 : 1), chosen);
    }
    if (s != NULL)
        db_reset(s);
}

static void add_choices(const struct form_view *view,
                        const struct answer *answer, struct model *m)
{
    const struct choices *choices = answer->field->choices;
    const char *chosen = answer->is_good ? answer->text : answer->typed;
    model_list(m, "choices");
    if (choices == NULL)
        return;
    if (choices->codes == NULL)
        add_row_choices(view, choices, chosen, m);
    else
        for (const char *const *code = choices->codes; *code != NULL; code++)
            add_choice(m, *code,
                       text_word(view->language, choices->words, *code),
                       chosen);
}

/* It can be taken away where its input is. */
static void add_file(const struct form_view *view,
                     const struct field_file *file, bool is_input,
                     struct model *m)
{
    struct form_view_file known = {0};
    char size[SHOWN_LEN];
    if (view->file != NULL)
        known = view->file(view->source, file);
    if (!is_input)
        known.remove = NULL;
    shown_size(file->size, size);
    model_text(m, "name", file->name);
    model_text(m, "size", size);
    model_text(m, "sha256", file->sha256);
    model_text(m, "link", known.link != NULL ? known.link : "");
    model_text(m, "remove", known.remove != NULL ? known.remove : "");
    model_text(m, "scan", known.scan != NULL ? known.scan : "");
}

static void add_files(const struct form_view *view, const struct answer *answer,
                      bool is_input, struct model *m)
{
    model_list(m, "files");
    for (size_t i = 0; i < answer->file_count; i++)
        add_file(view, &answer->files[i], is_input, model_append(m, "files"));
}

/* Which of the inputs it is; the template asks by these names. */
static void add_input_kind(const struct answer *answer, struct model *m)
{
    static const char *const NAMES[] = {
        [INPUT_LINE] = "is_line",     [INPUT_AREA] = "is_area",
        [INPUT_SELECT] = "is_select", [INPUT_CHECK] = "is_check",
        [INPUT_RADIO] = "is_radio",   [INPUT_FILE] = "is_file",
        [INPUT_ROWS] = "is_rows",
    };
    enum field_input input = field_kind(answer->field)->input;
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        model_bool(m, NAMES[i], i == input);
}

static void add_described(const struct answer *answer, const char *name,
                          struct model *m)
{
    const struct field *field = answer->field;
    bool has_error = answer->refusal.code != NULL;
    model_textf(m, "described", "%s%s%s%s%s", field->hint != NULL ? name : "",
                field->hint != NULL ? "-hint" : "",
                field->hint != NULL && has_error ? " " : "",
                has_error ? name : "", has_error ? "-error" : "");
}

static void add_theirs(const struct form_view *view,
                       const struct answer *answer, const char *name,
                       struct model *m)
{
    const struct answer *theirs =
        view->theirs != NULL ? answers_find(view->theirs, name) : NULL;
    const char *text = theirs != NULL ? shown(view, theirs) : "";
    bool differs =
        view->theirs != NULL && strcmp(text, shown(view, answer)) != 0;
    model_bool(m, "differs", differs);
    model_text(m, "theirs", text);
}

static void add_input(const struct form_view *view, const struct answer *answer,
                      const char *name, struct model *m)
{
    const struct field *field = answer->field;
    const struct field_kind_row *kind = field_kind(field);
    const char *complete =
        field->autocomplete != NULL ? field->autocomplete : kind->autocomplete;
    model_text(m, "name", name);
    model_text(m, "label", words(view, field->label));
    model_text(m, "hint", words(view, field->hint));
    model_text(m, "error",
               refusal_words(&answer->refusal, view->language, view->arena));
    model_text(m, "value", input_value(view, answer));
    model_bool(m, "is_yes", strcmp(input_value(view, answer), "yes") == 0);
    model_bool(m, "is_no", strcmp(input_value(view, answer), "no") == 0);
    model_bool(m, "is_optional", field->is_optional);
    model_bool(m, "is_money", field->kind == FIELD_MONEY);
    model_text(m, "input_mode",
               kind->input_mode != NULL ? kind->input_mode : "");
    model_text(m, "autocomplete", complete != NULL ? complete : "");
    model_i64(m, "width", kind->width);
    model_bool(m, "is_many", field_max(field) > 1);
    model_text(m, "visible_to", words(view, view->visible_to));
    model_bool(m, "is_closed",
               view->is_open != NULL && !view->is_open(view->source, field));
    model_text(m, "shown", shown(view, answer));
    add_described(answer, name, m);
    add_theirs(view, answer, name, m);
    add_choices(view, answer, m);
    add_files(view, answer, true, m);
    add_input_kind(answer, m);
}

static void add_row(const struct form_view *view, const struct answer *answer,
                    const struct answers *row, size_t index,
                    struct model *field)
{
    char name[WHOLE_NAME_LEN];
    struct model *m = model_append(field, "rows");
    model_i64(m, "row", (int64_t)index + 1);
    for (size_t i = 0; i < row->count; i++) {
        snprintf(name, sizeof(name), "%s.%zu.%s", answer->field->name, index,
                 row->of[i].field->name);
        add_input(view, &row->of[i], name, model_append(m, "cells"));
    }
}

/* Those that are there, and some to be filled. */
static void add_rows(const struct form_view *view,
                     const struct answers *answers, const struct answer *answer,
                     struct model *m)
{
    size_t most = (size_t)field_max(answer->field);
    model_list(m, "rows");
    if (answer->field->kind != FIELD_ROWS)
        return;
    for (size_t i = 0; i < answer->row_count; i++)
        add_row(view, answer, &answer->rows[i], i, m);
    for (size_t i = answer->row_count;
         i < most && i < answer->row_count + BLANK_ROWS; i++) {
        struct answers blank = answers_new(
            answer->field->rows, answer->field->row_fields, answers->arena);
        add_row(view, answer, &blank, i, m);
    }
}

void form_view_fields(const struct form_view *view, struct answers *answers,
                      struct model *model)
{
    model_list(model, "_fields");
    for (size_t i = 0; i < answers->count; i++) {
        struct model *m = model_append(model, "_fields");
        add_input(view, &answers->of[i], answers->of[i].field->name, m);
        add_rows(view, answers, &answers->of[i], m);
        model_bool(m, "is_asked", answer_is_asked(answers, &answers->of[i]));
    }
}

/* ---- errors ---- */

static void add_error(const struct form_view *view, const struct form *form,
                      const struct refusal *refusal, const char *name,
                      const char *steps, struct model *model)
{
    const struct form_step *step =
        form != NULL && name != NULL ? form_step_of(form, name) : NULL;
    struct model *m = model_append(model, "_errors");
    model_text(m, "words", refusal_words(refusal, view->language, view->arena));
    model_text(m, "code", refusal->code);
    if (name == NULL)
        model_text(m, "link", "");
    else if (steps != NULL && step != NULL)
        model_textf(m, "link", "%s%s#%s", steps, step->name, name);
    else
        model_textf(m, "link", "#%s", name);
}

static void add_row_errors(const struct form_view *view,
                           const struct form *form, const struct answer *answer,
                           const char *steps, struct model *model)
{
    char name[WHOLE_NAME_LEN];
    for (size_t row = 0; row < answer->row_count; row++) {
        const struct answers *cells = &answer->rows[row];
        for (size_t i = 0; i < cells->count; i++) {
            const struct answer *cell = &cells->of[i];
            snprintf(name, sizeof(name), "%s.%zu.%s", answer->field->name, row,
                     cell->field->name);
            if (cell->refusal.code != NULL)
                add_error(view, form, &cell->refusal, name, steps, model);
        }
    }
}

void form_view_errors(const struct form_view *view, const struct form *form,
                      const struct answers *answers, const char *steps,
                      struct model *model)
{
    model_list(model, "_errors");
    for (size_t i = 0; i < answers->count; i++) {
        const struct answer *answer = &answers->of[i];
        if (answer->refusal.code != NULL)
            add_error(view, form, &answer->refusal, answer->field->name, steps,
                      model);
        add_row_errors(view, form, answer, steps, model);
    }
}

/* ---- lines to check ---- */

static void add_line(const struct form_view *view, const struct answer *answer,
                     struct model *section)
{
    struct model *m = model_append(section, "lines");
    model_text(m, "label", words(view, answer->field->label));
    model_text(m, "name", answer->field->name);
    model_text(m, "text", shown(view, answer));
    model_bool(m, "is_given", answer->is_given);
    model_text(m, "error",
               refusal_words(&answer->refusal, view->language, view->arena));
    add_files(view, answer, false, m);
    model_list(m, "rows");
    for (size_t row = 0; row < answer->row_count; row++) {
        struct model *r = model_append(m, "rows");
        model_list(r, "cells");
        for (size_t i = 0; i < answer->rows[row].count; i++) {
            struct model *cell = model_append(r, "cells");
            const struct answer *of = &answer->rows[row].of[i];
            model_text(cell, "label", words(view, of->field->label));
            model_text(cell, "text", shown(view, of));
        }
    }
}

void form_view_answers(const struct form_view *view, const struct form *form,
                       const struct answers *answers, const char *steps,
                       struct model *model)
{
    model_list(model, "_sections");
    for (size_t i = 0; i < form->step_count; i++) {
        const struct form_step *step = &form->steps[i];
        struct answers part = form_step_answers(form, answers, step);
        struct model *m = model_append(model, "_sections");
        model_text(m, "title", words(view, step->title));
        model_text(m, "name", step->name);
        model_textf(m, "change", "%s%s", steps != NULL ? steps : "",
                    steps != NULL ? step->name : "");
        model_list(m, "lines");
        for (size_t j = 0; j < part.count; j++)
            if (answer_is_asked(answers, &part.of[j]))
                add_line(view, &part.of[j], m);
    }
}

/* ---- changes ---- */

static const char *file_shown(const struct form_view *view,
                              const struct field_file *file)
{
    if (file == NULL)
        return "";
    const char *text =
        arena_format(view->arena, "%s · SHA-256 %s", file->name, file->sha256);
    return text != NULL ? text : "";
}

static void add_change(const struct form_view *view,
                       const struct form_change *change, struct model *m)
{
    bool is_file = change->file_before != NULL || change->file_after != NULL;
    model_text(m, "label", words(view, change->field->label));
    model_text(m, "name", change->name);
    model_bool(m, "is_file", is_file);
    if (is_file) {
        model_text(m, "old", file_shown(view, change->file_before));
        model_text(m, "new", file_shown(view, change->file_after));
    } else {
        model_text(m, "old",
                   change->before != NULL ? shown(view, change->before) : "");
        model_text(m, "new",
                   change->after != NULL ? shown(view, change->after) : "");
    }
}

size_t form_view_changes(const struct form_view *view,
                         const struct form_change *changes, size_t count,
                         const char *field, struct model *model,
                         const char *key)
{
    size_t shown_count = 0;
    model_list(model, key);
    for (size_t i = 0; i < count; i++) {
        if (field != NULL && !form_change_is_of(&changes[i], field))
            continue;
        add_change(view, &changes[i], model_append(model, key));
        shown_count++;
    }
    return shown_count;
}
