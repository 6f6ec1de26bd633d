/*
 * See field.h. What each kind does is in field_kind.c; here is what holds for
 * all of them: answers made, read from text and JSON, checked, written.
 *
 * JSON goes through the same reader as a form: an integer of fen is written as
 * yuan, a bool as "yes" or "no", and read as if it had been typed. So there is
 * one place that knows what is right.
 */
#include "portal/form/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/shown.h"
#include "common/writer.h"
#include "portal/form/field_kind.h"
#include "portal/form/typed.h"

enum { NAME_MAX_LENGTH = 128, TYPED_MAX = 20000, FILES_MAX = 50 };

/* ---- made and found ---- */

struct answers answers_new(const struct field *fields, size_t count,
                           struct arena *arena)
{
    struct answers answers = {.arena = arena, .count = count};
    answers.of = arena_take_array(arena, count, sizeof(*answers.of));
    answers.failed = answers.of == NULL;
    if (answers.failed)
        answers.count = 0;
    for (size_t i = 0; i < answers.count; i++)
        answers.of[i] =
            (struct answer){.field = &fields[i], .typed = "", .text = ""};
    return answers;
}

static struct answer *find(const struct answers *answers, struct slice name)
{
    for (size_t i = 0; i < answers->count; i++)
        if (slice_equal_text(name, answers->of[i].field->name))
            return &answers->of[i];
    return NULL;
}

struct answer *answers_find(const struct answers *answers, const char *name)
{
    struct slice rest = slice_of_text(name), part, number;
    uint64_t row;
    if (!slice_next(&rest, '.', &part))
        return NULL;
    struct answer *answer = find(answers, part);
    if (rest.data == NULL || answer == NULL)
        return answer;
    if (!slice_next(&rest, '.', &number) || rest.data == NULL ||
        answer->row_count == 0 ||
        !parse_u64(number, 0, answer->row_count - 1, &row))
        return NULL;
    return find(&answer->rows[row], rest);
}

static const struct answer *find_good(const struct answers *answers,
                                      const char *name)
{
    const struct answer *answer = answers_find(answers, name);
    if (answer == NULL && answers->outer != NULL)
        return find_good(answers->outer, name);
    return answer != NULL && answer->is_good ? answer : NULL;
}

const char *answers_text(const struct answers *answers, const char *name)
{
    const struct answer *answer = find_good(answers, name);
    return answer != NULL ? answer->text : "";
}

int64_t answers_number(const struct answers *answers, const char *name)
{
    const struct answer *answer = find_good(answers, name);
    return answer != NULL ? answer->number : 0;
}

bool answers_is_yes(const struct answers *answers, const char *name)
{
    return answers_number(answers, name) == 1;
}

bool answer_is_asked(const struct answers *answers, const struct answer *answer)
{
    return answer->field->is_asked == NULL || answer->field->is_asked(answers);
}

/* ---- read ---- */

void answer_read(struct answer *answer, const char *typed,
                 const struct answers *answers)
{
    const struct field *field = answer->field;
    const struct field_kind_row *kind = field_kind(field);
    struct slice text = typed_trim(slice_of_text(typed));
    *answer = (struct answer){.field = field, .typed = "", .text = ""};
    if (kind->read == NULL || text.length == 0)
        return;
    answer->is_given = true;
    const char *copy = arena_copy_text(answers->arena, text);
    answer->typed = copy != NULL ? copy : "";
    if (text.length > TYPED_MAX)
        refuse(&answer->refusal, "E_FIELD_VALUE", field->name,
               "field.refusal.too_big", text_words("label", field->label));
    else
        answer->is_good = kind->read(answer, text, answers->arena);
}

static struct answers new_row(const struct answer *answer,
                              const struct answers *answers)
{
    struct answers row = answers_new(answer->field->rows,
                                     answer->field->row_fields, answers->arena);
    row.outer = answers;
    return row;
}

static bool is_empty(const struct answers *row)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->of[i].is_given)
            return false;
    return true;
}

/* Room for all rows that there may be. */
static bool make_rows(struct answer *answer, const struct answers *answers)
{
    size_t most = (size_t)field_max(answer->field);
    answer->row_count = 0;
    answer->is_given = answer->is_good = false;
    answer->refusal = (struct refusal){0};
    answer->rows =
        arena_take_array(answers->arena, most, sizeof(*answer->rows));
    return answer->rows != NULL;
}

static void add_row(struct answer *answer, struct answers row)
{
    if (is_empty(&row))
        return;
    answer->rows[answer->row_count++] = row;
    answer->is_given = answer->is_good = true;
}

/* One of a row's cells, by its whole name. */
struct row_source {
    typed_fn *typed;
    const void *source;
    const char *list;
    size_t row;
};

static const char *typed_of_row(const void *context, const char *name)
{
    const struct row_source *row = context;
    char whole[NAME_MAX_LENGTH];
    int length =
        snprintf(whole, sizeof(whole), "%s.%zu.%s", row->list, row->row, name);
    return length > 0 && (size_t)length < sizeof(whole)
               ? row->typed(row->source, whole)
               : NULL;
}

static void read_rows(struct answer *answer, const struct answers *answers,
                      typed_fn *typed, const void *source)
{
    size_t most = (size_t)field_max(answer->field);
    if (!make_rows(answer, answers))
        return;
    for (size_t i = 0; i < most; i++) {
        struct row_source place = {typed, source, answer->field->name, i};
        struct answers row = new_row(answer, answers);
        answers_read(&row, typed_of_row, &place);
        add_row(answer, row);
    }
}

void answers_read(struct answers *answers, typed_fn *typed, const void *source)
{
    for (size_t i = 0; i < answers->count; i++) {
        struct answer *answer = &answers->of[i];
        if (answer->field->kind == FIELD_ROWS) {
            read_rows(answer, answers, typed, source);
        } else if (answer->field->kind != FIELD_FILE) {
            const char *text = typed(source, answer->field->name);
            answer_read(answer, text != NULL ? text : "", answers);
        }
    }
}

void answer_files(struct answer *answer, const struct field_file *files,
                  size_t count)
{
    answer->files = files;
    answer->file_count = count;
    answer->is_given = answer->is_good = count > 0;
}

/* ---- check ---- */

static const char *missing_key(const struct field *field)
{
    static const char *const KEYS[] = {
        [INPUT_LINE] = TEXT_KEY("field.refusal.required"),
        [INPUT_AREA] = TEXT_KEY("field.refusal.required"),
        [INPUT_SELECT] = TEXT_KEY("field.refusal.required_choice"),
        [INPUT_CHECK] = TEXT_KEY("field.refusal.declaration"),
        [INPUT_RADIO] = TEXT_KEY("field.refusal.required_choice"),
        [INPUT_FILE] = TEXT_KEY("field.refusal.required_file"),
        [INPUT_ROWS] = TEXT_KEY("field.refusal.required_rows"),
    };
    return KEYS[field_kind(field)->input];
}

static const char *missing_code(const struct field *field)
{
    return field->kind == FIELD_FILE  ? "E_FILE_REQUIRED"
           : field->kind == FIELD_YES ? "E_DECLARATION"
                                      : "E_FIELD_REQUIRED";
}

static bool row_has(const struct choices *choices, const char *code,
                    struct db *db)
{
    struct db_statement *s = db != NULL ? db_prepare(db, choices->sql) : NULL;
    bool is_there = false;
    while (s != NULL && !is_there && db_step(s) == DB_ROW)
        is_there = strcmp(db_text(s, 0), code) == 0;
    if (s != NULL)
        db_reset(s);
    return is_there;
}

/* What can be said of one value that was read. */
static void check_value(struct answer *answer,
                        const struct form_context *context)
{
    const struct field *field = answer->field;
    struct civil_day today = day_of_wall(context->now);
    if (!answer->is_good)
        return;
    if (field->kind == FIELD_CHOICE && field->choices->sql != NULL &&
        !row_has(field->choices, answer->text, context->db)) {
        answer->is_good =
            refuse(&answer->refusal, "E_FIELD_VALUE", field->name,
                   "field.refusal.choice", text_words("label", field->label),
                   text_plain("value", answer->typed));
    } else if (field->is_not_future && field->kind == FIELD_DAY &&
               answer->number > today.number) {
        answer->is_good = refuse(
            &answer->refusal, "E_FIELD_VALUE", field->name,
            "field.refusal.day_future", text_words("label", field->label),
            text_plain("value", answer->text), text_day("today", today));
    } else if (field->is_not_future && field->kind == FIELD_YEAR &&
               answer->number > day_year(today)) {
        answer->is_good = refuse(&answer->refusal, "E_FIELD_VALUE", field->name,
                                 "field.refusal.year_future",
                                 text_words("label", field->label),
                                 text_number("value", answer->number),
                                 text_number("year", day_year(today)));
    }
}

static size_t check_answer(struct answers *answers, struct answer *answer,
                           bool is_complete, const struct form_context *context)
{
    const struct field *field = answer->field;
    size_t count = 0;
    if (!answer_is_asked(answers, answer)) {
        answer->refusal = (struct refusal){0};
        return 0;
    }
    for (size_t i = 0; i < answer->row_count; i++)
        count += answers_check(&answer->rows[i], is_complete, context);
    check_value(answer, context);
    if (is_complete && !answer->is_given && !field->is_optional)
        refuse(&answer->refusal, missing_code(field), field->name,
               missing_key(field), text_words("label", field->label));
    if (field->check != NULL && answer->is_given)
        field->check(answers, answer, context);
    return count + (answer->refusal.code != NULL);
}

size_t answers_check(struct answers *answers, bool is_complete,
                     const struct form_context *context)
{
    size_t count = 0;
    for (size_t i = 0; i < answers->count; i++)
        count += check_answer(answers, &answers->of[i], is_complete, context);
    return count;
}

const struct refusal *answers_refusal(const struct answers *answers)
{
    for (size_t i = 0; i < answers->count; i++) {
        const struct answer *answer = &answers->of[i];
        if (answer->refusal.code != NULL)
            return &answer->refusal;
        for (size_t row = 0; row < answer->row_count; row++) {
            const struct refusal *found = answers_refusal(&answer->rows[row]);
            if (found != NULL)
                return found;
        }
    }
    return NULL;
}

/* ---- JSON ---- */

static int by_name(const void *a, const void *b)
{
    const struct answer *const *left = a, *const *right = b;
    return strcmp((*left)->field->name, (*right)->field->name);
}

static void write_files(struct json_writer *json, const struct answer *answer)
{
    json_array_begin(json, answer->field->name);
    for (size_t i = 0; i < answer->file_count; i++) {
        const struct field_file *file = &answer->files[i];
        json_object_begin(json, NULL);
        json_text(json, "media_type", file->media_type);
        json_text(json, "name", file->name);
        json_text(json, "sha256", file->sha256);
        json_u64(json, "size", file->size);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_rows(struct json_writer *json, const struct answer *answer,
                       bool is_draft)
{
    json_array_begin(json, answer->field->name);
    for (size_t i = 0; i < answer->row_count; i++) {
        json_object_begin(json, NULL);
        answers_write_members(&answer->rows[i], is_draft, json);
        json_object_end(json);
    }
    json_array_end(json);
}

static void write_answer(struct json_writer *json, const struct answer *answer,
                         bool is_draft)
{
    const char *name = answer->field->name;
    enum field_json kind = field_kind(answer->field)->json;
    if (kind == FIELD_JSON_FILES)
        write_files(json, answer);
    else if (kind == FIELD_JSON_ROWS)
        write_rows(json, answer, is_draft);
    else if (!answer->is_good)
        json_text(json, name, answer->typed);
    else if (kind == FIELD_JSON_INTEGER)
        json_i64(json, name, answer->number);
    else if (kind == FIELD_JSON_BOOL)
        json_bool(json, name, answer->number == 1);
    else
        json_text(json, name, answer->text);
}

void answers_write_members(const struct answers *answers, bool is_draft,
                           struct json_writer *json)
{
    const struct answer **sorted =
        arena_take_array(answers->arena, answers->count, sizeof(*sorted));
    size_t count = 0;
    for (size_t i = 0; sorted != NULL && i < answers->count; i++) {
        const struct answer *answer = &answers->of[i];
        bool is_kept =
            answer->is_given &&
            (is_draft || (answer->is_good && answer_is_asked(answers, answer)));
        if (is_kept)
            sorted[count++] = answer;
    }
    if (sorted == NULL) {
        json->out->failed = true;
        return;
    }
    qsort(sorted, count, sizeof(*sorted), by_name);
    for (size_t i = 0; i < count; i++)
        write_answer(json, sorted[i], is_draft);
}

void answers_write_json(const struct answers *answers, bool is_draft,
                        struct buffer *out)
{
    struct json_writer json;
    json_start(&json, out);
    json_object_begin(&json, NULL);
    answers_write_members(answers, is_draft, &json);
    json_object_end(&json);
}

static bool wrong_type(const struct field *field, struct refusal *refusal)
{
    return refuse(refusal, "E_FIELD_VALUE", field->name,
                  "field.refusal.json_type", text_words("label", field->label),
                  text_plain("name", field->name));
}

static const char *copy_of(const char *text, const struct answers *answers)
{
    const char *copy = arena_copy_text(answers->arena, slice_of_text(text));
    return copy != NULL ? copy : "";
}

static bool read_json_files(struct answer *answer, const struct json_node *node,
                            const struct answers *answers)
{
    size_t count = json_count(node);
    struct field_file *files =
        arena_take_array(answers->arena, count, sizeof(*files));
    if (files == NULL || count > FILES_MAX)
        return false;
    count = 0;
    for (const struct json_node *n = json_first(node); n; n = json_next(n)) {
        struct field_file *file = &files[count++];
        const struct json_node *sum = json_member(n, "sha256"),
                               *name = json_member(n, "name"),
                               *type = json_member(n, "media_type"),
                               *size = json_member(n, "size");
        if (json_kind_of(sum) != JSON_TEXT_KIND ||
            json_kind_of(name) != JSON_TEXT_KIND ||
            json_kind_of(type) != JSON_TEXT_KIND ||
            json_kind_of(size) != JSON_INTEGER_KIND)
            return false;
        snprintf(file->sha256, sizeof(file->sha256), "%s", json_as_text(sum));
        file->name = copy_of(json_as_text(name), answers);
        file->media_type = copy_of(json_as_text(type), answers);
        file->size = (uint64_t)json_as_i64(size, 0, INT64_MAX);
    }
    answer_files(answer, files, count);
    return true;
}

static bool read_object(struct answers *answers, const struct json_node *object,
                        struct refusal *refusal);

static bool read_json_rows(struct answer *answer, const struct json_node *node,
                           const struct answers *answers,
                           struct refusal *refusal)
{
    if (json_count(node) > (size_t)field_max(answer->field))
        return refuse(refusal, "E_FIELD_VALUE", answer->field->name,
                      "field.refusal.rows",
                      text_words("label", answer->field->label),
                      text_number("max", field_max(answer->field)));
    if (!make_rows(answer, answers))
        return wrong_type(answer->field, refusal);
    for (const struct json_node *n = json_first(node); n; n = json_next(n)) {
        struct answers row = new_row(answer, answers);
        if (json_kind_of(n) != JSON_OBJECT_KIND)
            return wrong_type(answer->field, refusal);
        if (!read_object(&row, n, refusal))
            return false;
        add_row(answer, row);
    }
    return true;
}

/* As if it had been typed. */
static bool read_json_value(struct answer *answer, const struct json_node *node,
                            const struct answers *answers)
{
    char number[MONEY_TEXT_LEN];
    enum field_json wanted = field_kind(answer->field)->json;
    switch (json_kind_of(node)) {
    case JSON_NULL_KIND:
        answer_read(answer, "", answers);
        return true;
    case JSON_TEXT_KIND:
        answer_read(answer, json_as_text(node), answers);
        return true;
    case JSON_BOOL_KIND:
        answer_read(answer, json_as_bool(node) ? "yes" : "no", answers);
        return wanted == FIELD_JSON_BOOL;
    case JSON_INTEGER_KIND: {
        struct money money = {json_as_i64(node, INT64_MIN, INT64_MAX)};
        if (answer->field->kind == FIELD_MONEY)
            money_to_plain_text(money, number);
        else
            snprintf(number, sizeof(number), "%" PRId64, money.fen);
        answer_read(answer, number, answers);
        return wanted == FIELD_JSON_INTEGER;
    }
    case JSON_ARRAY_KIND:
    case JSON_OBJECT_KIND:
        break;
    }
    return false;
}

static bool read_member(struct answer *answer, const struct json_node *node,
                        const struct answers *answers, struct refusal *refusal)
{
    bool is_list = json_kind_of(node) == JSON_ARRAY_KIND;
    switch (field_kind(answer->field)->json) {
    case FIELD_JSON_FILES:
        return (is_list && read_json_files(answer, node, answers)) ||
               wrong_type(answer->field, refusal);
    case FIELD_JSON_ROWS:
        return is_list ? read_json_rows(answer, node, answers, refusal)
                       : wrong_type(answer->field, refusal);
    case FIELD_JSON_TEXT:
    case FIELD_JSON_INTEGER:
    case FIELD_JSON_BOOL:
        break;
    }
    return read_json_value(answer, node, answers) ||
           wrong_type(answer->field, refusal);
}

static bool read_object(struct answers *answers, const struct json_node *object,
                        struct refusal *refusal)
{
    for (const struct json_node *n = json_first(object); n; n = json_next(n)) {
        struct answer *answer = find(answers, slice_of_text(json_key(n)));
        if (answer == NULL)
            return refuse(refusal, "E_FIELD_VALUE", NULL,
                          "field.refusal.json_unknown",
                          text_plain("name", copy_of(json_key(n), answers)));
        if (!read_member(answer, n, answers, refusal))
            return false;
    }
    return true;
}

bool answers_read_node(struct answers *answers, const struct json_node *object,
                       struct refusal *refusal)
{
    return json_kind_of(object) == JSON_OBJECT_KIND
               ? read_object(answers, object, refusal)
               : refuse(refusal, "E_FIELD_VALUE", NULL, "field.refusal.json",
                        text_plain("reason", "{...}"));
}

bool answers_read_json(struct answers *answers, struct slice json,
                       struct refusal *refusal)
{
    struct error_text error;
    struct json_document *document = json_parse(json, "answers", &error);
    bool is_read = false;
    if (document != NULL)
        is_read = answers_read_node(answers, json_root(document), refusal);
    else
        refuse(refusal, "E_FIELD_VALUE", NULL, "field.refusal.json",
               text_plain("reason", copy_of(error.text, answers)));
    json_free(document);
    return is_read;
}

/* ---- shown ---- */

static const char *row_words(const struct choices *choices, const char *code,
                             enum language language, struct arena *arena,
                             struct db *db)
{
    struct db_statement *s = db != NULL ? db_prepare(db, choices->sql) : NULL;
    const char *words = NULL;
    while (s != NULL && words == NULL && db_step(s) == DB_ROW) {
        bool has_english = language == LANGUAGE_EN && db_text(s, 2)[0] != '\0';
        if (strcmp(db_text(s, 0), code) == 0)
            words = arena_copy_text(
                arena, slice_of_text(db_text(s, has_english ? 2 : 1)));
    }
    if (s != NULL)
        db_reset(s);
    return words != NULL ? words : code;
}

const char *answer_shown(const struct answer *answer, enum language language,
                         struct arena *arena,
                         const struct form_context *context)
{
    const struct field *field = answer->field;
    char shown[SHOWN_LEN];
    if (!answer->is_good)
        return answer->typed;
    switch (field->kind) {
    case FIELD_MONEY:
        shown_money(language, (struct money){answer->number}, shown);
        return arena_format(arena, "%s", shown);
    case FIELD_YES:
    case FIELD_YES_NO:
        return text_word(language, "", answer->number == 1 ? "yes" : "no");
    case FIELD_CHOICE:
        return field->choices->codes != NULL
                   ? text_word(language, field->choices->words, answer->text)
                   : row_words(field->choices, answer->text, language, arena,
                               context->db);
    case FIELD_FILE:
    case FIELD_ROWS:
        return "";
    default:
        return answer->text;
    }
}

/* Hides all but `front` characters at the start and `back` at the end. */
static const char *hide(const char *text, size_t front, size_t back,
                        struct arena *arena)
{
    size_t length = typed_length(slice_of_text(text)), i = 0;
    struct slice rest = slice_of_text(text);
    struct buffer out;
    if (front + back >= length) {
        front = length > 1 ? 1 : 0;
        back = 0;
    }
    buffer_init(&out, rest.length + 1);
    while (rest.length > 0) {
        size_t bytes = slice_utf8_length(rest);
        bytes = bytes > 0 ? bytes : 1;
        if (i < front || i >= length - back)
            buffer_add(&out, rest.data, bytes);
        else
            buffer_add_text(&out, "*");
        rest = slice_of_bytes(rest.data + bytes, rest.length - bytes);
        i++;
    }
    const char *copy =
        out.failed ? NULL : arena_copy_text(arena, buffer_slice(&out));
    buffer_clear(&out);
    return copy != NULL ? copy : "";
}

const char *answer_masked(const struct answer *answer, enum language language,
                          struct arena *arena,
                          const struct form_context *context)
{
    const struct field *field = answer->field;
    const char *shown = answer_shown(answer, language, arena, context);
    if (field->privacy == FIELD_OPEN || shown[0] == '\0')
        return shown;
    if (field->kind == FIELD_MAIL) {
        const char *host = strchr(shown, '@');
        return arena_format(arena, "%.1s***%s", shown,
                            host != NULL ? host : "");
    }
    if (field->kind == FIELD_MOBILE || field->kind == FIELD_PHONE)
        return hide(shown, 3, 4, arena);
    return field->kind == FIELD_DIGITS ? hide(shown, 0, 4, arena)
                                       : hide(shown, 1, 0, arena);
}
