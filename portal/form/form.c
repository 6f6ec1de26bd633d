/* See form.h. */
#include "portal/form/form.h"

#include <stdio.h>
#include <string.h>

enum { EDITION_MAX = 1024 * 1024 };

struct answers form_answers(const struct form *form, struct arena *arena)
{
    size_t count = 0;
    for (size_t i = 0; i < form->step_count; i++)
        count += form->steps[i].count;
    struct answers answers = {.arena = arena};
    answers.of = arena_take_array(arena, count, sizeof(*answers.of));
    answers.failed = answers.of == NULL;
    for (size_t i = 0; !answers.failed && i < form->step_count; i++)
        for (size_t j = 0; j < form->steps[i].count; j++)
            answers.of[answers.count++] = (struct answer){
                .field = &form->steps[i].fields[j], .typed = "", .text = ""};
    return answers;
}

const struct form_step *form_step_find(const struct form *form,
                                       const char *name)
{
    for (size_t i = 0; i < form->step_count; i++)
        if (strcmp(form->steps[i].name, name) == 0)
            return &form->steps[i];
    return NULL;
}

/* The name of a field, or of a row's field in it. */
static bool is_of(const char *name, const char *field)
{
    size_t length = strlen(field);
    return strncmp(name, field, length) == 0 &&
           (name[length] == '\0' || name[length] == '.');
}

const struct form_step *form_step_of(const struct form *form, const char *field)
{
    for (size_t i = 0; i < form->step_count; i++)
        for (size_t j = 0; j < form->steps[i].count; j++)
            if (is_of(field, form->steps[i].fields[j].name))
                return &form->steps[i];
    return NULL;
}

struct answers form_step_answers(const struct form *form,
                                 const struct answers *answers,
                                 const struct form_step *step)
{
    struct answers part = *answers;
    size_t skip = 0;
    for (const struct form_step *s = form->steps; s != step; s++)
        skip += s->count;
    part.of = answers->of + skip;
    part.count = step->count;
    part.outer = answers;
    return part;
}

size_t form_check(const struct form *form, struct answers *answers,
                  bool is_complete, const struct form_context *context)
{
    size_t count = answers_check(answers, is_complete, context);
    if (form->check == NULL)
        return count;
    form->check(answers, is_complete, context);
    count = 0;
    for (size_t i = 0; i < answers->count; i++)
        count += answers->of[i].refusal.code != NULL;
    return count > 0 || answers_refusal(answers) == NULL ? count : 1;
}

/* ---- marks, editions ---- */

static bool write(const struct answers *answers, bool is_draft,
                  struct buffer *out)
{
    buffer_init(out, EDITION_MAX);
    answers_write_json(answers, is_draft, out);
    return !out->failed;
}

void form_mark(const struct answers *answers, char mark[static FORM_MARK_LEN])
{
    struct buffer json;
    char hex[DIGEST_HEX_LEN] = "";
    if (write(answers, true, &json))
        digest_to_hex(digest_of(json.data, json.length), hex);
    snprintf(mark, FORM_MARK_LEN, "%.*s", FORM_MARK_LEN - 1, hex);
    buffer_clear(&json);
}

bool form_edition(const struct answers *answers, struct arena *arena,
                  struct form_edition *edition)
{
    struct buffer json;
    bool is_made = write(answers, false, &json);
    *edition = (struct form_edition){0};
    if (is_made) {
        edition->json = arena_copy_text(arena, buffer_slice(&json));
        edition->sha256 = digest_of(json.data, json.length);
    }
    buffer_clear(&json);
    return is_made && edition->json != NULL;
}

/* ---- changes ---- */

struct changes {
    struct form_change *list;
    size_t count, room;
    struct arena *arena;
    bool failed;
};

static void add(struct changes *changes, struct form_change change)
{
    if (changes->count == changes->room) {
        size_t room = changes->room * 2 + 16;
        struct form_change *list =
            arena_take_array(changes->arena, room, sizeof(*list));
        if (list == NULL) {
            changes->failed = true;
            return;
        }
        if (changes->count > 0)
            memcpy(list, changes->list, changes->count * sizeof(*list));
        changes->list = list;
        changes->room = room;
    }
    changes->list[changes->count++] = change;
}

static const char *name_of(struct changes *changes, const char *list,
                           size_t row, const char *name)
{
    if (list == NULL)
        return name;
    const char *whole =
        arena_format(changes->arena, "%s.%zu.%s", list, row, name);
    changes->failed |= whole == NULL;
    return whole;
}

static const struct field_file *find_file(const struct answer *answer,
                                          const char *sha256)
{
    for (size_t i = 0; i < answer->file_count; i++)
        if (strcmp(answer->files[i].sha256, sha256) == 0)
            return &answer->files[i];
    return NULL;
}

static void compare_files(struct changes *changes, const struct answer *before,
                          const struct answer *after)
{
    struct form_change change = {.name = before->field->name,
                                 .field = before->field};
    for (size_t i = 0; i < before->file_count; i++) {
        change.file_before = &before->files[i];
        if (find_file(after, change.file_before->sha256) == NULL)
            add(changes, change);
    }
    change.file_before = NULL;
    for (size_t i = 0; i < after->file_count; i++) {
        change.file_after = &after->files[i];
        if (find_file(before, change.file_after->sha256) == NULL)
            add(changes, change);
    }
}

static void compare(struct changes *changes, const struct answers *before,
                    const struct answers *after, const char *list, size_t row);

static void compare_rows(struct changes *changes, const struct answer *before,
                         const struct answer *after)
{
    size_t most = before->row_count > after->row_count ? before->row_count
                                                       : after->row_count;
    const struct field *field = before->field;
    struct answers none =
        answers_new(field->rows, field->row_fields, changes->arena);
    changes->failed |= none.failed;
    for (size_t i = 0; i < most && !changes->failed; i++)
        compare(changes, i < before->row_count ? &before->rows[i] : &none,
                i < after->row_count ? &after->rows[i] : &none, field->name, i);
}

static bool is_asked_of(const struct answers *answers,
                        const struct answer *answer)
{
    return answer->is_given && answer_is_asked(answers, answer);
}

static void compare_values(struct changes *changes,
                           const struct answers *befores,
                           const struct answer *before,
                           const struct answers *afters,
                           const struct answer *after, const char *name)
{
    struct form_change change = {.name = name, .field = before->field};
    if (is_asked_of(befores, before))
        change.before = before;
    if (is_asked_of(afters, after))
        change.after = after;
    bool is_same = (change.before == NULL) == (change.after == NULL);
    if (is_same && change.before != NULL)
        is_same = before->is_good == after->is_good &&
                  strcmp(before->is_good ? before->text : before->typed,
                         after->is_good ? after->text : after->typed) == 0;
    if (!is_same)
        add(changes, change);
}

static void compare(struct changes *changes, const struct answers *before,
                    const struct answers *after, const char *list, size_t row)
{
    for (size_t i = 0; i < before->count && !changes->failed; i++) {
        const struct answer *b = &before->of[i], *a = &after->of[i];
        if (b->field->kind == FIELD_FILE)
            compare_files(changes, b, a);
        else if (b->field->kind == FIELD_ROWS)
            compare_rows(changes, b, a);
        else
            compare_values(changes, before, b, after, a,
                           name_of(changes, list, row, b->field->name));
    }
}

const struct form_change *form_changes(const struct answers *before,
                                       const struct answers *after,
                                       struct arena *arena, size_t *count)
{
    static const struct form_change NOTHING;
    struct changes changes = {.arena = arena};
    compare(&changes, before, after, NULL, 0);
    *count = changes.failed ? 0 : changes.count;
    if (changes.failed)
        return NULL;
    return changes.count > 0 ? changes.list : &NOTHING;
}

bool form_change_is_of(const struct form_change *change, const char *field)
{
    return is_of(change->name, field);
}
