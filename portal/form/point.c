/* See point.h. */
#include "portal/form/point.h"

enum { POINTS_MAX = 100 };

int64_t points_rounds(struct db *db, int64_t item)
{
    struct db_statement *s = db_prepare(
        db,
        "SELECT ifnull(max(round), 0) FROM item_point WHERE item_id = :item");
    if (s == NULL)
        return 0;
    db_bind_i64(s, ":item", item);
    int64_t rounds = db_step(s) == DB_ROW ? db_i64(s, 0) : 0;
    db_reset(s);
    return rounds;
}

static const char *copy(struct db_statement *s, const char *column,
                        struct arena *arena)
{
    return arena_copy_text(arena,
                           slice_of_text(db_text(s, db_column(s, column))));
}

static bool read_point(struct db_statement *s, struct arena *arena,
                       struct point *point)
{
    *point = (struct point){
        .round = db_i64(s, db_column(s, "round")),
        .no = db_i64(s, db_column(s, "no")),
        .field = copy(s, "field", arena),
        .reason = copy(s, "reason", arena),
        .material = copy(s, "material", arena),
        .explanation = copy(s, "explanation", arena),
        .reply = copy(s, "reply", arena),
    };
    return point->field != NULL && point->reason != NULL &&
           point->material != NULL && point->explanation != NULL &&
           point->reply != NULL;
}

bool points_list(struct db *db, int64_t item, int64_t round,
                 struct arena *arena, const struct point **points,
                 size_t *count)
{
    struct point *list = arena_take_array(arena, POINTS_MAX, sizeof(*list));
    struct db_statement *s = db_prepare(
        db, "SELECT round, no, field, reason, material, explanation, reply"
            " FROM item_point WHERE item_id = :item AND round = :round"
            " ORDER BY no LIMIT 100");
    *points = list;
    *count = 0;
    if (s == NULL || list == NULL)
        return false;
    int64_t asked = round > 0 ? round : points_rounds(db, item);
    db_bind_i64(s, ":item", item);
    db_bind_i64(s, ":round", asked);
    enum db_step step;
    while ((step = db_step(s)) == DB_ROW && *count < POINTS_MAX)
        if (!read_point(s, arena, &list[(*count)++]))
            break;
    db_reset(s);
    return step != DB_FAILED;
}

bool point_add(struct db *db, int64_t item, const struct point *point)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO item_point (item_id, round, no, field, reason,"
            " material, explanation, reply) VALUES (:item, :round, :no, :field,"
            " :reason, :material, :explanation, '')");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", item);
    db_bind_i64(s, ":round", point->round);
    db_bind_i64(s, ":no", point->no);
    db_bind_text(s, ":field", point->field);
    db_bind_text(s, ":reason", point->reason);
    db_bind_text(s, ":material", point->material);
    db_bind_text(s, ":explanation", point->explanation);
    return db_do(s);
}

bool point_set_reply(struct db *db, int64_t item, int64_t round, int64_t no,
                     const char *reply)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE item_point SET reply = :reply WHERE item_id = :item"
            " AND round = :round AND no = :no");
    if (s == NULL)
        return false;
    db_bind_text(s, ":reply", reply);
    db_bind_i64(s, ":item", item);
    db_bind_i64(s, ":round", round);
    db_bind_i64(s, ":no", no);
    return db_do(s);
}
