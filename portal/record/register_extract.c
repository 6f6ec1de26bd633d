/* See register_extract.h. A row is read by the same fields as a form. */
#include "portal/record/register_extract.h"

#include <string.h>

#include "common/crypto/digest.h"
#include "common/shown.h"
#include "common/writer.h"
#include "portal/form/typed.h"
#include "portal/http/visit.h"

enum { COLUMNS_MAX = 16, RECORD_MAX = 64 * 1024, ROWS_MAX = 2000000 };

static const struct field COLUMNS[] = {
    {.name = "credit_code",
     .kind = FIELD_CREDIT_CODE,
     .label = TEXT_KEY("registration.credit_code")},
    {.name = "name",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.name")},
    {.name = "state", .kind = FIELD_TEXT, .label = TEXT_KEY("register.state")},
    {.name = "address",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.address"),
     .is_optional = true},
    {.name = "established",
     .kind = FIELD_DAY,
     .label = TEXT_KEY("registration.established"),
     .is_optional = true},
    {.name = "legal_representative",
     .kind = FIELD_TEXT,
     .label = TEXT_KEY("registration.legal_representative"),
     .is_optional = true,
     .privacy = FIELD_PERSON},
};
enum { COLUMN_COUNT = sizeof(COLUMNS) / sizeof(COLUMNS[0]) };

/* ---- hints ---- */

/* What the newest extract says of a code; false: it is not in it. */
static bool find_row(struct visit *visit, int64_t import, const char *code,
                     const char *values[static COLUMN_COUNT])
{
    struct db_statement *s = db_prepare(
        visit->db, "SELECT credit_code, name, state, address, established,"
                   " legal_representative FROM register_extract"
                   " WHERE import_id = :import AND credit_code = :code");
    char day[DAY_TEXT_LEN] = "";
    if (s == NULL)
        return false;
    db_bind_i64(s, ":import", import);
    db_bind_text(s, ":code", code);
    bool found = db_step(s) == DB_ROW;
    for (int i = 0; found && i < COLUMN_COUNT; i++) {
        const char *text = db_text(s, i);
        if (COLUMNS[i].kind == FIELD_DAY && !db_is_null(s, i)) {
            day_to_text((struct civil_day){(int32_t)db_i64(s, i)}, day);
            text = day;
        }
        values[i] = arena_copy_text(visit->arena, slice_of_text(text));
        found = values[i] != NULL;
    }
    db_reset(s);
    return found;
}

static int64_t newest_import(struct db *db, struct civil_day *day)
{
    struct db_statement *s = db_prepare(
        db, "SELECT id, extract_day FROM register_import ORDER BY id DESC"
            " LIMIT 1");
    int64_t id = 0;
    if (s != NULL && db_step(s) == DB_ROW) {
        id = db_i64(s, 0);
        day->number = (int32_t)db_i64(s, 1);
    }
    if (s != NULL)
        db_reset(s);
    return id;
}

static bool is_same(const char *a, const char *b, struct arena *arena)
{
    const char *left = typed_code(slice_of_text(a), arena);
    const char *right = typed_code(slice_of_text(b), arena);
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

static void add_hint(struct visit *visit, const struct field *column,
                     const char *typed, const char *there, const char *result,
                     struct model *model)
{
    struct model *m = model_append(model, "_hints");
    model_text(m, "label",
               text_word(visit->caller.language, "", column->label));
    model_text(m, "typed", typed);
    model_text(m, "there", there);
    model_text(m, "code", result);
    model_text(m, "result", visit_word(visit, "register.result.", result));
}

void register_add_hints(struct visit *visit, const struct answers *answers,
                        struct model *model)
{
    struct civil_day day = {0};
    char text[DAY_TEXT_LEN] = "";
    const char *there[COLUMN_COUNT] = {"", "", "", "", "", ""};
    const char *code = answers_text(answers, "credit_code");
    int64_t import = newest_import(visit->db, &day);
    bool is_found = import > 0 && find_row(visit, import, code, there);
    model_list(model, "_hints");
    model_bool(model, "_has_hints", code[0] != '\0');
    if (import > 0)
        day_to_text(day, text);
    model_text(model, "_register_day", text);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        const char *typed = answers_text(answers, COLUMNS[i].name);
        bool is_state = strcmp(COLUMNS[i].name, "state") == 0;
        if (!is_found && i > 0)
            break;
        if (is_found && there[i][0] == '\0')
            continue;
        const char *result = import == 0 ? "none"
                             : !is_found ? "absent"
                             : is_state  ? "said"
                             : is_same(typed, there[i], visit->arena)
                                 ? "same"
                                 : "differs";
        add_hint(visit, &COLUMNS[i], typed, there[i], result, model);
    }
}

/* ---- import ---- */

struct record {
    const struct slice *heads, *cells;
    int count;
    struct arena *arena;
};

static const char *typed_of_record(const void *source, const char *name)
{
    const struct record *record = source;
    for (int i = 0; i < record->count; i++)
        if (slice_equal_text(slice_trim(record->heads[i]), name))
            return arena_copy_text(record->arena, record->cells[i]);
    return NULL;
}

static bool is_good_header(const struct slice *heads, int count)
{
    for (int i = 0; i < count; i++) {
        bool is_known = false;
        for (int j = 0; j < COLUMN_COUNT; j++)
            is_known |= slice_equal_text(slice_trim(heads[i]), COLUMNS[j].name);
        if (!is_known)
            return false;
    }
    for (int j = 0; j < COLUMN_COUNT; j++) {
        bool is_there = false;
        for (int i = 0; i < count; i++)
            is_there |= slice_equal_text(slice_trim(heads[i]), COLUMNS[j].name);
        if (!is_there && !COLUMNS[j].is_optional)
            return false;
    }
    return count > 0;
}

static bool insert_import(struct db *db, struct wall_time now,
                          const struct register_import *import, int64_t *id)
{
    struct digest sha256 = digest_of(import->text.data, import->text.length);
    struct db_statement *s =
        db_prepare(db, "INSERT INTO register_import (imported_at, imported_by,"
                       " extract_day, source, sha256)"
                       " VALUES (:at, :by, :day, :source, :sha256)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":at", now.us);
    db_bind_text(s, ":by", import->by);
    db_bind_i64(s, ":day", import->day.number);
    db_bind_text(s, ":source", import->source);
    db_bind_blob(s, ":sha256", sha256.bytes, sizeof(sha256.bytes));
    if (!db_do(s))
        return false;
    *id = db_last_rowid(db);
    return true;
}

/* False: a second row of the code, or the database failed. */
static bool insert_row(struct db *db, int64_t import, const struct answers *row)
{
    const struct answer *established = answers_find(row, "established");
    struct db_statement *s = db_prepare(
        db, "INSERT INTO register_extract (import_id, credit_code, name, state,"
            " address, established, legal_representative) VALUES (:import,"
            " :code, :name, :state, :address, :established, :person)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":import", import);
    db_bind_text(s, ":code", answers_text(row, "credit_code"));
    db_bind_text(s, ":name", answers_text(row, "name"));
    db_bind_text(s, ":state", answers_text(row, "state"));
    db_bind_text(s, ":address", answers_text(row, "address"));
    db_bind_text(s, ":person", answers_text(row, "legal_representative"));
    if (established->is_good)
        db_bind_i64(s, ":established", established->number);
    else
        db_bind_null(s, ":established");
    return db_do(s);
}

/* Reads one row; refuses it with its line. */
static bool take_row(struct db *db, int64_t id, struct register_import *import,
                     const struct record *record, unsigned line,
                     struct wall_time now)
{
    struct form_context context = {db, now};
    struct answers row = answers_new(COLUMNS, COLUMN_COUNT, record->arena);
    answers_read(&row, typed_of_record, record);
    answers_check(&row, true, &context);
    const struct refusal *wrong = answers_refusal(&row);
    const char *reason =
        wrong != NULL ? refusal_words(wrong, LANGUAGE_ZH, import->arena) : "";
    if (wrong != NULL)
        return refuse(&import->refusal, "E_IMPORT_ROW", wrong->field,
                      "register.refusal.row", text_number("line", line),
                      text_plain("reason", reason));
    if (!insert_row(db, id, &row)) {
        const char *code = arena_copy_text(
            import->arena, slice_of_text(answers_text(&row, "credit_code")));
        return refuse(&import->refusal, "E_IMPORT_ROW", "credit_code",
                      "register.refusal.twice", text_number("line", line),
                      text_plain("code", code != NULL ? code : ""));
    }
    import->row_count++;
    return true;
}

static bool take_rows(struct db *db, struct wall_time now, int64_t id,
                      struct register_import *import)
{
    struct slice heads[COLUMNS_MAX], cells[COLUMNS_MAX];
    struct slice rest = import->text;
    struct buffer head_text, cell_text;
    struct arena *arena = arena_new(RECORD_MAX);
    unsigned line = 0;
    buffer_init(&head_text, RECORD_MAX);
    buffer_init(&cell_text, RECORD_MAX);
    int columns = csv_read(&rest, &head_text, heads, COLUMNS_MAX, &line);
    bool good = arena != NULL && columns > 0 && is_good_header(heads, columns);
    if (!good)
        refuse(&import->refusal, "E_IMPORT_ROW", NULL,
               "register.refusal.header");
    while (good && import->row_count < ROWS_MAX) {
        int count = csv_read(&rest, &cell_text, cells, COLUMNS_MAX, &line);
        if (count == 0)
            break;
        struct record record = {heads, cells, columns, arena};
        good = count == columns ? take_row(db, id, import, &record, line, now)
                                : refuse(&import->refusal, "E_IMPORT_ROW", NULL,
                                         "register.refusal.cells",
                                         text_number("line", line));
        arena_reset(arena);
    }
    buffer_clear(&head_text);
    buffer_clear(&cell_text);
    arena_free(arena);
    return good;
}

enum act_end register_import(struct db *db, struct wall_time now, void *context,
                             struct error_text *error)
{
    struct register_import *import = context;
    int64_t id;
    if (!insert_import(db, now, import, &id)) {
        error_set(error, "%s", db_error(db));
        return ACT_FAILED;
    }
    return take_rows(db, now, id, import) ? ACT_KEPT : ACT_REFUSED;
}
