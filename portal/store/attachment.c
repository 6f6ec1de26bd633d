/* See attachment.h. */
#include "portal/store/attachment.h"

#include <string.h>

#include "portal/store/attachment_type.h"

#define COLUMNS                                                                \
    "SELECT id, owner_kind, owner_id, field, name, type, bytes, sha256,"       \
    " uploaded_by, uploaded_at, submitted_at, removed_at, scan "

static const char *const SCAN_NAMES[] = {
    [VIRUS_NOT_SCANNED] = "NOT_SCANNED",
    [VIRUS_CLEAN] = "CLEAN",
    [VIRUS_FOUND] = "INFECTED",
    [VIRUS_NO_ANSWER] = "NOT_SCANNED",
};

const char *attachment_scan_name(enum virus_scan scan)
{
    return SCAN_NAMES[scan];
}

static enum virus_scan scan_from(const char *name)
{
    for (size_t i = 0; i < sizeof(SCAN_NAMES) / sizeof(SCAN_NAMES[0]); i++)
        if (strcmp(name, SCAN_NAMES[i]) == 0)
            return (enum virus_scan)i;
    return VIRUS_NOT_SCANNED;
}

/* ---- writing ---- */

static void bind_file(struct db_statement *s,
                      const struct attachment_file *file,
                      const struct digest *sha256)
{
    db_bind_text(s, ":type", attachment_type_name(attachment_file_type(file)));
    db_bind_u64(s, ":bytes", attachment_file_bytes(file));
    db_bind_blob(s, ":sha256", sha256->bytes, sizeof(sha256->bytes));
    db_bind_text(s, ":scan", attachment_scan_name(attachment_file_scan(file)));
}

int64_t attachment_add(struct db *db, struct wall_time now,
                       const struct attachment_place *place,
                       struct attachment_file *file, struct error_text *error)
{
    char name[ATTACHMENT_NAME_LEN];
    struct digest sha256 = attachment_file_digest(file);
    attachment_clean_name(place->name, name);
    if (!attachment_file_keep(file, error))
        return 0;
    struct db_statement *s = db_prepare(
        db, "INSERT INTO attachment (owner_kind, owner_id, field, name, type,"
            " bytes, sha256, uploaded_by, uploaded_at, scan, scan_tried_at)"
            " VALUES (:kind, :owner, :field, :name, :type, :bytes, :sha256,"
            " :by, :now, :scan, :now)");
    if (s == NULL) {
        error_set(error, "%s", db_error(db));
        return 0;
    }
    db_bind_text(s, ":kind", place->owner_kind);
    db_bind_text(s, ":owner", place->owner_id);
    db_bind_text(s, ":field", place->field);
    db_bind_text(s, ":name", name);
    db_bind_text(s, ":by", place->uploaded_by);
    db_bind_i64(s, ":now", now.us);
    bind_file(s, file, &sha256);
    if (db_do(s))
        return db_last_rowid(db);
    error_set(error, "%s", db_error(db));
    return 0;
}

bool attachment_remove(struct db *db, struct wall_time now, int64_t id)
{
    struct db_statement *drop = db_prepare(
        db, "DELETE FROM attachment WHERE id = :id AND submitted_at IS NULL");
    if (drop == NULL)
        return false;
    db_bind_i64(drop, ":id", id);
    if (!db_do(drop))
        return false;
    struct db_statement *mark =
        db_prepare(db, "UPDATE attachment SET removed_at = :now WHERE id = :id"
                       " AND removed_at IS NULL");
    if (mark == NULL)
        return false;
    db_bind_i64(mark, ":id", id);
    db_bind_i64(mark, ":now", now.us);
    return db_do(mark);
}

bool attachment_submit(struct db *db, struct wall_time now,
                       const char *owner_kind, const char *owner_id)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE attachment SET submitted_at = :now WHERE owner_kind = :kind"
            " AND owner_id = :owner AND submitted_at IS NULL");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":now", now.us);
    db_bind_text(s, ":kind", owner_kind);
    db_bind_text(s, ":owner", owner_id);
    return db_do(s);
}

bool attachment_drop_draft(struct db *db, const char *owner_kind,
                           const char *owner_id)
{
    struct db_statement *s =
        db_prepare(db, "DELETE FROM attachment WHERE owner_kind = :kind"
                       " AND owner_id = :owner AND submitted_at IS NULL");
    if (s == NULL)
        return false;
    db_bind_text(s, ":kind", owner_kind);
    db_bind_text(s, ":owner", owner_id);
    return db_do(s);
}

/* ---- reading ---- */

bool attachment_has_place(struct db *db, const char *owner_kind,
                          const char *owner_id)
{
    struct db_statement *s = db_prepare(
        db, "SELECT count(*) FROM attachment WHERE owner_kind = :kind"
            " AND owner_id = :owner AND submitted_at IS NULL");
    if (s == NULL)
        return false;
    db_bind_text(s, ":kind", owner_kind);
    db_bind_text(s, ":owner", owner_id);
    bool has_place =
        db_step(s) == DB_ROW && db_i64(s, 0) < ATTACHMENT_DRAFT_MAX;
    db_reset(s);
    return has_place;
}

static const char *copy(struct db_statement *s, const char *column,
                        struct arena *arena, bool *good)
{
    const char *text =
        arena_copy_text(arena, slice_of_text(db_text(s, db_column(s, column))));
    *good &= text != NULL;
    return text;
}

static struct wall_time time_of(struct db_statement *s, const char *column)
{
    return (struct wall_time){db_i64(s, db_column(s, column))};
}

static bool read_row(struct db_statement *s, struct arena *arena,
                     struct attachment *a)
{
    bool good = true;
    *a = (struct attachment){
        .id = db_i64(s, db_column(s, "id")),
        .owner_kind = copy(s, "owner_kind", arena, &good),
        .owner_id = copy(s, "owner_id", arena, &good),
        .field = copy(s, "field", arena, &good),
        .name = copy(s, "name", arena, &good),
        .type = attachment_type_from(db_text(s, db_column(s, "type"))),
        .bytes = db_u64(s, db_column(s, "bytes")),
        .uploaded_by = copy(s, "uploaded_by", arena, &good),
        .uploaded_at = time_of(s, "uploaded_at"),
        .is_submitted = !db_is_null(s, db_column(s, "submitted_at")),
        .is_removed = !db_is_null(s, db_column(s, "removed_at")),
        .scan = scan_from(db_text(s, db_column(s, "scan"))),
    };
    return digest_read(db_blob(s, db_column(s, "sha256")), &a->sha256) && good;
}

bool attachment_find(struct db *db, int64_t id, struct arena *arena,
                     struct attachment *attachment)
{
    struct db_statement *s =
        db_prepare(db, COLUMNS "FROM attachment WHERE id = :id");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":id", id);
    bool found = db_step(s) == DB_ROW && read_row(s, arena, attachment);
    db_reset(s);
    return found;
}

static bool count_rows(struct db_statement *s, size_t *count)
{
    enum db_step step;
    *count = 0;
    while ((step = db_step(s)) == DB_ROW)
        ++*count;
    db_reset(s);
    return step == DB_DONE;
}

bool attachment_list(struct db *db, const char *owner_kind,
                     const char *owner_id, const char *field, bool also_removed,
                     struct arena *arena, struct attachment **list,
                     size_t *count)
{
    size_t rows, i = 0;
    struct db_statement *s = db_prepare(
        db, COLUMNS "FROM attachment WHERE owner_kind = :kind"
                    " AND owner_id = :owner AND (:field = '' OR field = :field)"
                    " AND (:removed OR removed_at IS NULL) ORDER BY id");
    if (s == NULL)
        return false;
    db_bind_text(s, ":kind", owner_kind);
    db_bind_text(s, ":owner", owner_id);
    db_bind_text(s, ":field", field != NULL ? field : "");
    db_bind_i64(s, ":removed", also_removed);
    if (!count_rows(s, &rows))
        return false;
    *list = arena_take_array(arena, rows, sizeof(**list));
    *count = rows;
    bool good = *list != NULL;
    while (good && i < rows && db_step(s) == DB_ROW)
        good = read_row(s, arena, &(*list)[i++]);
    db_reset(s);
    return good && i == rows;
}
