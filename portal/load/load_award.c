/* See load_award.h. */
#include "portal/load/load_award.h"

#include <stdio.h>
#include <string.h>

#include "rules/award.h"

enum { VOUCHERS_MAX = 1000000 };

bool load_award_begin(struct db *db)
{
    return db_run(db, "CREATE TEMP TABLE IF NOT EXISTS new_voucher"
                      " (number TEXT PRIMARY KEY) WITHOUT ROWID") &&
           db_run(db, "DELETE FROM temp.new_voucher");
}

bool load_award_note_voucher(struct db *db, const char *number)
{
    struct db_statement *s =
        db_prepare(db, "INSERT INTO temp.new_voucher VALUES (:number)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", number);
    return db_do(s);
}

/* What the line's item gives, by the newest catalogue of the programme of the
 * voucher's cycle. */
static bool find_item(struct db *db, const struct load_line *line,
                      struct catalogue_item *item)
{
    struct db_statement *s = db_prepare(
        db, "SELECT i.no, i.cap_fen, i.per_set_fen FROM voucher v"
            " JOIN voucher_application a ON a.id = v.application_id"
            " JOIN cycle y ON y.id = a.cycle_id"
            " JOIN service s ON s.id = :service"
            " JOIN catalogue_item i ON i.programme_id = y.programme_id"
            "   AND i.no = s.item_no"
            " WHERE v.number = :voucher ORDER BY i.version DESC LIMIT 1");
    if (s == NULL)
        return false;
    db_bind_text(s, ":voucher", line->voucher);
    db_bind_text(s, ":service", line->service);
    bool found = db_step(s) == DB_ROW;
    if (found) {
        bool per_set = db_is_null(s, 1);
        *item = (struct catalogue_item){.no = (int)db_i64(s, 0)};
        item->cap_kind = per_set ? CAP_PER_SET : CAP_FIXED;
        item->cap.fen = db_i64(s, per_set ? 2 : 1);
    }
    db_reset(s);
    return found;
}

/* What other vouchers of the enterprise took of this item's cap in the cycle;
 * asked only under award.item_cap_scope = cycle (AWARD-04). */
static bool read_used(struct db *db, const struct load_line *line, int item_no,
                      struct money *used)
{
    struct db_statement *s = db_prepare(
        db, "SELECT coalesce(sum(l.award_fen), 0) FROM voucher me"
            " JOIN voucher_application ma ON ma.id = me.application_id"
            " JOIN voucher_application a"
            "   ON a.enterprise_id = ma.enterprise_id"
            "   AND a.cycle_id = ma.cycle_id"
            " JOIN voucher v ON v.application_id = a.id"
            "   AND v.state NOT IN ('LAPSED', 'VOID')"
            " JOIN voucher_line l ON l.voucher_number = v.number"
            " JOIN service s ON s.id = l.service_id AND s.item_no = :item"
            " WHERE me.number = :voucher AND v.number <> :voucher");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", item_no);
    db_bind_text(s, ":voucher", line->voucher);
    bool good = db_step(s) == DB_ROW;
    if (good)
        used->fen = db_i64(s, 0);
    db_reset(s);
    return good;
}

static bool is_new(struct db *db, const char *number)
{
    struct db_statement *s =
        db_prepare(db, "SELECT 1 FROM temp.new_voucher WHERE number = :number");
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", number);
    bool found = db_step(s) == DB_ROW;
    db_reset(s);
    return found;
}

bool load_award_of_line(struct db *db, const struct parameters *parameters,
                        const struct load_line *line, struct money *award,
                        struct error_text *error)
{
    struct catalogue_item item;
    struct award_line sum = {.fee = line->fee, .sets = line->sets};
    if (!is_new(db, line->voucher))
        return error_set(error, "voucher %s is issued; its lines do not change",
                         line->voucher);
    if (!find_item(db, line, &item))
        return error_set(error,
                         "E_ITEM_NOT_IN_CATALOGUE: service %s has no "
                         "item in the catalogue",
                         line->service);
    if (parameters->item_cap_scope == ITEM_CAP_CYCLE &&
        !read_used(db, line, item.no, &sum.used))
        return error_set(error, "%s", db_trouble(db));
    enum award_status status = award_of_line(&item, &sum);
    if (status != AWARD_OK)
        return error_set(error, "%s: no award for this line",
                         award_status_code(status));
    *award = sum.award;
    return true;
}

/* A new voucher, by the order of its application. */
struct claim {
    const char *number, *enterprise, *cycle;
    struct money raw, cap;
};

static bool read_claim(struct db_statement *s, struct arena *arena,
                       struct claim *claim)
{
    claim->number = arena_copy_text(arena, slice_of_text(db_text(s, 0)));
    claim->enterprise = arena_copy_text(arena, slice_of_text(db_text(s, 1)));
    claim->cycle = arena_copy_text(arena, slice_of_text(db_text(s, 2)));
    claim->raw.fen = db_i64(s, 3);
    claim->cap.fen = db_i64(s, 4);
    return claim->number != NULL && claim->enterprise != NULL &&
           claim->cycle != NULL;
}

static int64_t count_new(struct db *db)
{
    struct db_statement *s =
        db_prepare(db, "SELECT count(*) FROM temp.new_voucher");
    int64_t count = s != NULL && db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    if (s != NULL)
        db_reset(s);
    return count;
}

static struct claim *read_claims(struct db *db, struct arena *arena,
                                 size_t *count)
{
    int64_t room = count_new(db);
    enum db_step step = DB_FAILED;
    struct claim *claims =
        room < 0 || room > VOUCHERS_MAX
            ? NULL
            : arena_take_array(arena, (size_t)room + 1, sizeof(*claims));
    struct db_statement *s = db_prepare(
        db, "SELECT n.number, a.enterprise_id, a.cycle_id,"
            " (SELECT coalesce(sum(l.award_fen), 0) FROM voucher_line l"
            "  WHERE l.voucher_number = n.number),"
            " (SELECT c.cumulative_cap_fen FROM catalogue c"
            "  WHERE c.programme_id = y.programme_id"
            "  ORDER BY c.version DESC LIMIT 1)"
            " FROM temp.new_voucher n JOIN voucher v ON v.number = n.number"
            " JOIN voucher_application a ON a.id = v.application_id"
            " JOIN cycle y ON y.id = a.cycle_id"
            " ORDER BY a.submitted_at, a.id");
    *count = 0;
    if (claims == NULL || s == NULL)
        return NULL;
    while (*count < (size_t)room && (step = db_step(s)) == DB_ROW)
        if (!read_claim(s, arena, &claims[(*count)++]))
            return NULL;
    db_reset(s);
    return claims;
}

/* What the enterprise holds in the cycle already, the new ones that are not
 * settled yet left out. */
static bool read_issued(struct db *db, const struct claim *claim,
                        struct money *issued)
{
    struct db_statement *s = db_prepare(
        db, "SELECT coalesce(sum(v.amount_fen), 0) FROM voucher_application a"
            " JOIN voucher v ON v.application_id = a.id"
            "   AND v.state NOT IN ('LAPSED', 'VOID')"
            " WHERE a.enterprise_id = :enterprise AND a.cycle_id = :cycle"
            " AND NOT EXISTS (SELECT 1 FROM temp.new_voucher n"
            "                 WHERE n.number = v.number)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":enterprise", claim->enterprise);
    db_bind_text(s, ":cycle", claim->cycle);
    bool good = db_step(s) == DB_ROW;
    if (good)
        issued->fen = db_i64(s, 0);
    db_reset(s);
    return good;
}

static bool settle(struct db *db, const struct claim *claim, struct money award)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE voucher SET amount_fen = :amount WHERE number = :number");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":amount", award.fen);
    db_bind_text(s, ":number", claim->number);
    if (!db_do(s))
        return false;
    s = db_prepare(db, "DELETE FROM temp.new_voucher WHERE number = :number");
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", claim->number);
    return db_do(s);
}

static bool finish_one(struct db *db, const struct claim *claim,
                       struct error_text *error)
{
    struct award_claim earlier = {.is_issued = true};
    struct award_decision decision = {0};
    if (claim->raw.fen <= 0)
        return error_set(error,
                         "voucher.csv: voucher %s: E_LINE_EMPTY: it has no "
                         "lines in voucher_line.csv",
                         claim->number);
    if (claim->cap.fen <= 0)
        return error_set(error,
                         "voucher.csv: voucher %s: the cycle's programme has "
                         "no catalogue",
                         claim->number);
    if (!read_issued(db, claim, &earlier.award))
        return error_set(error, "%s", db_trouble(db));
    earlier.raw = earlier.award;
    enum award_status status =
        award_decide(claim->cap, &earlier, 1, claim->raw, &decision);
    if (status == AWARD_OK && decision.answer != AWARD_ISSUE)
        status = AWARD_CAP_EXHAUSTED;
    if (status != AWARD_OK)
        return error_set(error, "voucher.csv: voucher %s: %s", claim->number,
                         award_status_code(status));
    return settle(db, claim, decision.award) ||
           error_set(error, "%s", db_trouble(db));
}

bool load_award_finish(struct db *db, struct arena *arena,
                       struct error_text *error)
{
    size_t count = 0;
    struct claim *claims = read_claims(db, arena, &count);
    if (claims == NULL)
        return error_set(error, "%s", db_trouble(db));
    for (size_t i = 0; i < count; i++)
        if (!finish_one(db, &claims[i], error))
            return false;
    return true;
}
