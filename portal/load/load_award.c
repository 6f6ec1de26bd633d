/* See load_award.h. */
#include "portal/load/load_award.h"

#include <stdio.h>
#include <string.h>

#include "common/shown.h"
#include "portal/load/load_refusal.h"
#include "rules/award.h"

enum { VOUCHERS_MAX = 1000000 };

struct line {
    const char *voucher, *service;
    struct money fee;
    uint64_t sets; /* 0: none named */
};

bool load_award_begin(struct db *db)
{
    return db_run(db, "CREATE TEMP TABLE IF NOT EXISTS new_voucher"
                      " (number TEXT PRIMARY KEY, path TEXT NOT NULL,"
                      " line INTEGER NOT NULL) WITHOUT ROWID") &&
           db_run(db, "DELETE FROM temp.new_voucher");
}

bool load_award_note(struct db *db, const struct load_row *row)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO temp.new_voucher VALUES (:number, :path, :line)");
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", load_row_value(row, "number")->text);
    db_bind_text(s, ":path", row->path);
    db_bind_i64(s, ":line", row->line);
    return db_do(s);
}

const struct load_table *load_award_table(void)
{
    size_t i = 0;
    while (strcmp(LOAD_TABLES[i].name, "voucher") != 0)
        i++;
    return &LOAD_TABLES[i];
}

/* What the line's item gives, by the newest catalogue of the programme of the
 * voucher's cycle. */
static bool find_item(struct db *db, const struct line *line,
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
static bool read_used(struct db *db, const struct line *line, int item_no,
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

static bool refuse_trouble(struct db *db, struct load_row *row)
{
    return load_refuse(row, NULL, "load.store",
                       text_plain("trouble", db_trouble(db)));
}

/* Which column a line's award fails for, and how that is said. */
static bool refuse_line(struct load_row *row, const struct catalogue_item *item,
                        enum award_status status)
{
    static const struct {
        const char *column, *said;
    } REFUSALS[] = {
        [AWARD_LINE_EMPTY] = {"fee", TEXT_KEY("load.value.zero")},
        [AWARD_SETS_MISSING] = {"networked_sets",
                                TEXT_KEY("load.award.sets_missing")},
        [AWARD_SETS_GIVEN] = {"networked_sets",
                              TEXT_KEY("load.award.sets_given")},
        [AWARD_RANGE] = {"networked_sets", TEXT_KEY("load.award.range")},
        [AWARD_CAP_EXHAUSTED] = {"fee", TEXT_KEY("load.award.item_used")},
    };
    const char *column = REFUSALS[status].column;
    return load_refuse(row, column, REFUSALS[status].said,
                       text_plain("value", load_row_shown(row, column)),
                       text_number("item", item->no),
                       text_money("cap", item->cap));
}

bool load_award_line(struct db *db, struct load_row *row)
{
    const struct load_value *sets = load_row_value(row, "networked_sets");
    const struct line line = {
        .voucher = load_row_value(row, "voucher_number")->text,
        .service = load_row_value(row, "service_id")->text,
        .fee = {load_row_value(row, "fee")->integer},
        .sets = sets->is_null ? 0 : (uint64_t)sets->integer,
    };
    struct catalogue_item item;
    struct award_line sum = {.fee = line.fee, .sets = line.sets};
    if (!is_new(db, line.voucher))
        return load_refuse(row, "voucher_number", "load.award.issued",
                           text_plain("value", line.voucher));
    if (!find_item(db, &line, &item))
        return load_refuse(row, "service_id", "load.award.no_item",
                           text_plain("value", line.service));
    if (row->options->parameters->item_cap_scope == ITEM_CAP_CYCLE &&
        !read_used(db, &line, item.no, &sum.used))
        return refuse_trouble(db, row);
    enum award_status status = award_of_line(&item, &sum);
    row->computed = sum.award.fen;
    return status == AWARD_OK || refuse_line(row, &item, status);
}

/* A new voucher, by the order of its application. */
struct claim {
    const char *number, *enterprise, *cycle, *path;
    struct money raw, cap;
    unsigned line;
};

static bool read_claim(struct db_statement *s, struct arena *arena,
                       struct claim *claim)
{
    claim->number = arena_copy_text(arena, slice_of_text(db_text(s, 0)));
    claim->enterprise = arena_copy_text(arena, slice_of_text(db_text(s, 1)));
    claim->cycle = arena_copy_text(arena, slice_of_text(db_text(s, 2)));
    claim->cap.fen = db_i64(s, 3);
    claim->path = arena_copy_text(arena, slice_of_text(db_text(s, 4)));
    claim->line = (unsigned)db_i64(s, 5);
    return claim->path != NULL && claim->number != NULL &&
           claim->enterprise != NULL && claim->cycle != NULL;
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
            " (SELECT c.cumulative_cap_fen FROM catalogue c"
            "  WHERE c.programme_id = y.programme_id"
            "  ORDER BY c.version DESC LIMIT 1), n.path, n.line"
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

/* Lines of one item in a voucher, as one line. */
struct shared {
    int item_no;
    struct line sum; /* its service: any of them */
};

/* The next item, after that of *shared, which has several lines in the voucher.
 * False when there is none. */
static bool next_shared(struct db *db, struct arena *arena, const char *voucher,
                        struct shared *shared)
{
    struct db_statement *s = db_prepare(
        db, "SELECT s.item_no, min(l.service_id), sum(l.fee_fen),"
            " coalesce(sum(l.networked_sets), 0)"
            " FROM voucher_line l JOIN service s ON s.id = l.service_id"
            " WHERE l.voucher_number = :voucher AND s.item_no > :after"
            " GROUP BY s.item_no HAVING count(*) > 1"
            " ORDER BY s.item_no LIMIT 1");
    if (s == NULL)
        return false;
    db_bind_text(s, ":voucher", voucher);
    db_bind_i64(s, ":after", shared->item_no);
    bool found = db_step(s) == DB_ROW;
    if (found)
        *shared = (struct shared){
            (int)db_i64(s, 0),
            {.voucher = voucher,
             .service = arena_copy_text(arena, slice_of_text(db_text(s, 1))),
             .fee = {db_i64(s, 2)},
             .sets = (uint64_t)db_i64(s, 3)},
        };
    db_reset(s);
    return found && shared->sum.service != NULL;
}

/* Gives the item's award to its lines, the first ones first. */
static bool share(struct db *db, const struct shared *shared,
                  struct money award)
{
    struct db_statement *s = db_prepare(
        db, "WITH of_item (no, until) AS (SELECT l.line_no,"
            "  sum(l.fee_fen) OVER (ORDER BY l.line_no) FROM voucher_line l"
            "  JOIN service s ON s.id = l.service_id AND s.item_no = :item"
            "  WHERE l.voucher_number = :voucher)"
            " UPDATE voucher_line SET award_fen = (SELECT min(:award, until)"
            "  - min(:award, until - fee_fen) FROM of_item WHERE no = line_no)"
            " WHERE voucher_number = :voucher"
            " AND line_no IN (SELECT no FROM of_item)");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":item", shared->item_no);
    db_bind_text(s, ":voucher", shared->sum.voucher);
    db_bind_i64(s, ":award", award.fen);
    return db_do(s);
}

static bool share_caps(struct db *db, struct load_row *row, struct arena *arena,
                       const struct claim *claim)
{
    struct shared shared = {0};
    while (next_shared(db, arena, claim->number, &shared)) {
        struct catalogue_item item;
        struct award_line sum = {.fee = shared.sum.fee,
                                 .sets = shared.sum.sets};
        if (row->options->parameters->item_cap_scope == ITEM_CAP_CYCLE &&
            !read_used(db, &shared.sum, shared.item_no, &sum.used))
            return refuse_trouble(db, row);
        if (!find_item(db, &shared.sum, &item))
            return refuse_trouble(db, row);
        enum award_status status = award_of_line(&item, &sum);
        if (status != AWARD_OK && status != AWARD_CAP_EXHAUSTED)
            return load_refuse(row, "number", "load.award.range",
                               text_number("value", (int64_t)sum.sets),
                               text_number("item", item.no),
                               text_money("cap", item.cap));
        if (status != AWARD_OK)
            sum.award.fen = 0;
        if (!share(db, &shared, sum.award))
            return refuse_trouble(db, row);
    }
    return true;
}

static bool read_raw(struct db *db, struct claim *claim)
{
    struct db_statement *s =
        db_prepare(db, "SELECT coalesce(sum(award_fen), 0) FROM voucher_line"
                       " WHERE voucher_number = :number");
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", claim->number);
    bool good = db_step(s) == DB_ROW;
    if (good)
        claim->raw.fen = db_i64(s, 0);
    db_reset(s);
    return good;
}

static bool finish_one(struct db *db, struct load_row *row, struct arena *arena,
                       struct claim *claim)
{
    struct award_claim earlier = {.is_issued = true};
    struct award_decision decision = {0};
    row->path = claim->path;
    row->line = claim->line;
    if (!share_caps(db, row, arena, claim))
        return false;
    if (!read_raw(db, claim))
        return refuse_trouble(db, row);
    if (claim->raw.fen <= 0)
        return load_refuse(row, "number", "load.award.no_lines",
                           text_plain("value", claim->number));
    if (claim->cap.fen <= 0)
        return load_refuse(row, "number", "load.award.no_catalogue",
                           text_plain("value", claim->number),
                           text_plain("cycle", claim->cycle));
    if (!read_issued(db, claim, &earlier.award))
        return refuse_trouble(db, row);
    earlier.raw = earlier.award;
    enum award_status status =
        award_decide(claim->cap, &earlier, 1, claim->raw, &decision);
    if (status != AWARD_OK || decision.answer != AWARD_ISSUE)
        return load_refuse(row, "number", "load.award.exhausted",
                           text_plain("value", claim->number),
                           text_plain("enterprise", claim->enterprise),
                           text_plain("cycle", claim->cycle),
                           text_money("issued", earlier.award),
                           text_money("cap", claim->cap));
    return settle(db, claim, decision.award) || refuse_trouble(db, row);
}

bool load_award_finish(struct db *db, struct load_row *row, struct arena *arena)
{
    size_t count = 0;
    bool good = true;
    struct claim *claims = read_claims(db, arena, &count);
    if (claims == NULL)
        return refuse_trouble(db, row);
    for (size_t i = 0; good && i < count; i++)
        good = finish_one(db, row, arena, &claims[i]);
    return good;
}
