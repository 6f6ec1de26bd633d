#include "portal/store/act.h"

static enum act_end failed(struct db *db, struct error_text *error)
{
    error_set(error, "%s", db_error(db));
    db_rollback(db);
    return ACT_FAILED;
}

enum act_end act_on(struct db *db, struct wall_time now,
                    const struct audit_entry *entry, act_fn *fn, void *context,
                    struct error_text *error)
{
    if (!db_begin(db))
        return failed(db, error);
    enum act_end end = fn != NULL ? fn(db, now, context, error) : ACT_KEPT;
    if (end != ACT_KEPT) {
        db_rollback(db);
        return end;
    }
    if (entry != NULL && !audit_add(db, now, entry))
        return failed(db, error);
    return db_commit(db) ? ACT_KEPT : failed(db, error);
}
