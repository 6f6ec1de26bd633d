/* See edition.h. */
#include "portal/form/edition.h"

enum { DRAFT_MAX = 1024 * 1024 };

static bool read_row(struct db_statement *s, struct answers *answers,
                     struct edition *edition)
{
    struct refusal refusal;
    struct slice json = slice_of_text(db_text(s, db_column(s, "answers")));
    const char *by = arena_copy_text(
        answers->arena, slice_of_text(db_text(s, db_column(s, "saved_by"))));
    *edition = (struct edition){
        .number = db_i64(s, db_column(s, "edition")),
        .saved_at = {db_i64(s, db_column(s, "saved_at"))},
        .saved_by = by != NULL ? by : "",
    };
    return digest_read(db_blob(s, db_column(s, "sha256")), &edition->sha256) &&
           answers_read_json(answers, json, &refusal);
}

bool edition_read(struct db *db, int64_t item, int64_t number,
                  struct answers *answers, struct edition *edition)
{
    struct db_statement *s = db_prepare(
        db, "SELECT edition, answers, sha256, saved_at, saved_by"
            " FROM item_edition WHERE item_id = :item AND edition = :edition");
    *edition = (struct edition){.saved_by = ""};
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", item);
    db_bind_i64(s, ":edition", number);
    bool is_read = db_step(s) == DB_ROW && read_row(s, answers, edition);
    db_reset(s);
    return is_read;
}

int64_t edition_newest(struct db *db, int64_t item)
{
    struct db_statement *s =
        db_prepare(db, "SELECT ifnull(max(edition), 0) FROM item_edition"
                       " WHERE item_id = :item");
    if (s == NULL)
        return 0;
    db_bind_i64(s, ":item", item);
    int64_t newest = db_step(s) == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return newest;
}

bool edition_read_draft(struct db *db, int64_t item, struct answers *answers,
                        struct edition *edition)
{
    struct db_statement *s =
        db_prepare(db, "SELECT edition, answers, sha256, saved_at, saved_by"
                       " FROM item_edition WHERE item_id = :item"
                       " ORDER BY edition = 0 DESC, edition DESC LIMIT 1");
    *edition = (struct edition){.saved_by = ""};
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", item);
    enum db_step step = db_step(s);
    bool is_read =
        step == DB_DONE || (step == DB_ROW && read_row(s, answers, edition));
    db_reset(s);
    return is_read;
}

static bool insert(struct db *db, struct wall_time now, int64_t item,
                   int64_t number, struct slice json, const char *by)
{
    struct digest sha256 = digest_of(json.data, json.length);
    struct db_statement *s = db_prepare(
        db, "INSERT INTO item_edition (item_id, edition, answers, sha256,"
            " saved_at, saved_by)"
            " VALUES (:item, :edition, :answers, :sha256, :at, :by)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", item);
    db_bind_i64(s, ":edition", number);
    db_bind_slice(s, ":answers", json);
    db_bind_blob(s, ":sha256", sha256.bytes, sizeof(sha256.bytes));
    db_bind_i64(s, ":at", now.us);
    db_bind_text(s, ":by", by);
    return db_do(s);
}

static bool drop_draft(struct db *db, int64_t item)
{
    struct db_statement *s = db_prepare(
        db, "DELETE FROM item_edition WHERE item_id = :item AND edition = 0");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", item);
    return db_do(s);
}

bool edition_save_draft(struct db *db, struct wall_time now, int64_t item,
                        const struct answers *answers, const char *by)
{
    struct buffer json;
    buffer_init(&json, DRAFT_MAX);
    answers_write_json(answers, true, &json);
    bool is_saved =
        !json.failed && drop_draft(db, item) &&
        insert(db, now, item, EDITION_DRAFT, buffer_slice(&json), by);
    buffer_clear(&json);
    return is_saved;
}

bool edition_submit(struct db *db, struct wall_time now, int64_t item,
                    const struct answers *answers, const char *by,
                    int64_t *number)
{
    struct form_edition edition;
    *number = edition_newest(db, item) + 1;
    return form_edition(answers, answers->arena, &edition) &&
           insert(db, now, item, *number, slice_of_text(edition.json), by) &&
           drop_draft(db, item);
}
