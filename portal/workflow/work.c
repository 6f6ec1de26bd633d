#include "portal/workflow/work.h"

#include <string.h>

struct desk desk_of(const struct account *account)
{
    const char *id = account->organisation;
    switch (account->role) {
    case ROLE_ENT:
        return (struct desk){HOLDER_PARTY, "enterprise", id};
    case ROLE_SUPP:
        return (struct desk){HOLDER_PARTY, "supplier", id};
    case ROLE_CITY:
        return (struct desk){HOLDER_CITY, "", id};
    case ROLE_PROV:
        return (struct desk){HOLDER_PROVINCE, "", ""};
    default:
        return (struct desk){HOLDER_NONE, "", ""};
    }
}

/* Each in the words of an index. */
#define PARTY " party = :id AND party_kind = :kind AND "
#define CITY  " city_code = :id AND "
static const char *const WAITING[HOLDER_COUNT] = {
    [HOLDER_PARTY] = PARTY "holder = 'party'",
    [HOLDER_CITY] = CITY "holder = 'city'",
    [HOLDER_PROVINCE] = " holder = 'province'",
    [HOLDER_PLATFORM] = " holder = 'platform'",
};
static const char *const ELSEWHERE[HOLDER_COUNT] = {
    [HOLDER_PARTY] = PARTY "holder IN ('city', 'province', 'platform')",
    [HOLDER_CITY] = CITY "holder IN ('party', 'province', 'platform')"
                         " AND number IS NOT NULL",
    [HOLDER_PROVINCE] = " holder = 'city' AND due_at <= :now",
};

static void bind_desk(struct db_statement *s, const struct desk *desk,
                      struct wall_time now, bool has_now)
{
    if (desk->holder == HOLDER_PARTY)
        db_bind_text(s, ":kind", desk->party_kind);
    if (desk->holder == HOLDER_PARTY || desk->holder == HOLDER_CITY)
        db_bind_text(s, ":id", desk->id);
    if (has_now)
        db_bind_i64(s, ":now", now.us);
}

static struct db_statement *prepare(struct db *db, const char *what,
                                    const char *condition, const char *order,
                                    struct arena *arena)
{
    const char *sql = arena_format(arena, "SELECT %s FROM item WHERE%s%s", what,
                                   condition, order);
    return sql != NULL ? db_prepare(db, sql) : NULL;
}

static bool count_rows(struct db *db, const struct desk *desk,
                       struct wall_time now, const char *condition,
                       struct arena *arena, struct work *work)
{
    struct db_statement *s = prepare(db, "count(*)", condition, "", arena);
    if (s == NULL)
        return false;
    bind_desk(s, desk, now, strstr(condition, ":now") != NULL);
    bool good = db_step(s) == DB_ROW;
    work->total = good ? db_i64(s, 0) : 0;
    db_reset(s);
    return good;
}

static bool read_rows(struct db *db, const struct desk *desk,
                      struct wall_time now, const char *condition,
                      struct arena *arena, struct work *work)
{
    enum db_step step = DB_DONE;
    struct db_statement *s = prepare(
        db, ITEM_COLUMNS, condition,
        " ORDER BY due_at IS NULL, due_at, state_at, id LIMIT 100", arena);
    if (s == NULL)
        return false;
    bind_desk(s, desk, now, strstr(condition, ":now") != NULL);
    while (work->count < WORK_ROWS_MAX && (step = db_step(s)) == DB_ROW)
        item_read_row(s, &work->items[work->count++]);
    db_reset(s);
    return step != DB_FAILED;
}

static bool find(struct db *db, const struct desk *desk, struct wall_time now,
                 const char *const *conditions, struct arena *arena,
                 struct work *work)
{
    const char *condition = conditions[desk->holder];
    *work = (struct work){0};
    if (condition == NULL)
        return true;
    work->items = arena_take_array(arena, WORK_ROWS_MAX, sizeof(*work->items));
    return work->items != NULL &&
           count_rows(db, desk, now, condition, arena, work) &&
           (work->total == 0 ||
            read_rows(db, desk, now, condition, arena, work));
}

bool work_of_desk(struct db *db, const struct desk *desk, struct arena *arena,
                  struct work *work)
{
    return find(db, desk, (struct wall_time){0}, WAITING, arena, work);
}

bool work_elsewhere(struct db *db, const struct desk *desk,
                    struct wall_time now, struct arena *arena,
                    struct work *work)
{
    return find(db, desk, now, ELSEWHERE, arena, work);
}
