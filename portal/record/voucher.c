/* See voucher.h. Each line needs queries of its own; their number is small. */
#include "portal/record/voucher.h"

#include "portal/access/permission.h"

enum { DAYS_BEFORE_WINDOW = 2 };

struct reader {
    const struct voucher_query *query;
    struct voucher *voucher;
    bool is_out_of_memory;
};

/* --- columns, by their names --- */

static const char *text(struct reader *r, struct db_statement *s,
                        const char *column)
{
    const char *kept = arena_copy_text(
        r->query->arena, slice_of_text(db_text(s, db_column(s, column))));
    r->is_out_of_memory |= kept == NULL;
    return kept != NULL ? kept : "";
}

static struct voucher_name name(struct reader *r, struct db_statement *s,
                                const char *id, const char *zh, const char *en)
{
    return (struct voucher_name){text(r, s, id), text(r, s, zh),
                                 text(r, s, en)};
}

static int64_t number(struct db_statement *s, const char *column)
{
    return db_i64(s, db_column(s, column));
}

static struct wall_time instant(struct db_statement *s, const char *column)
{
    return (struct wall_time){number(s, column)};
}

static struct money money(struct db_statement *s, const char *column)
{
    return (struct money){number(s, column)};
}

static void *take(struct reader *r, size_t size)
{
    void *piece = arena_take(r->query->arena, size);
    r->is_out_of_memory |= piece == NULL;
    return piece;
}

/* --- what was declared for a line --- */

/* Numbers are kept as hashes, so that everybody sees their masks; a declared
 * address is for those whose right is without the limit "masked" (PRIV-04). */
static bool sees_addresses(const struct caller *caller)
{
    enum account_role role = caller->account.role;
    return permission_is_given(role, ACTION_IDENTIFIER_RECORD) &&
           !permission_has_limit(role, ACTION_IDENTIFIER_RECORD, LIMIT_MASKED);
}

static bool read_identifiers(struct reader *r, struct voucher_line *line)
{
    struct voucher_identifier **end = &line->identifiers;
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        r->query->db,
        "SELECT u.kind, iif(:sees AND u.kind = 'fixed_ip', u.value,"
        " iif(instr(u.mask, '*'), u.mask, '***')) AS shown,"
        " NOT (:sees AND u.kind = 'fixed_ip') AS is_masked,"
        " t.id AS site, t.name_zh, t.name_en"
        " FROM user_side_identifier u JOIN site t ON t.id = u.site_id"
        " WHERE u.voucher_number = :number AND u.line_no = :line"
        " ORDER BY u.id");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":sees", sees_addresses(r->query->caller));
    db_bind_text(s, ":number", r->voucher->number);
    db_bind_i64(s, ":line", line->line_no);
    while ((step = db_step(s)) == DB_ROW) {
        struct voucher_identifier *one = take(r, sizeof(*one));
        if (one == NULL)
            break;
        one->kind = text(r, s, "kind");
        one->shown = text(r, s, "shown");
        one->is_masked = number(s, "is_masked") != 0;
        one->site = name(r, s, "site", "name_zh", "name_en");
        *end = one;
        end = &one->next;
    }
    db_reset(s);
    return step == DB_DONE;
}

static bool read_endpoints(struct reader *r, struct voucher_line *line)
{
    struct voucher_endpoint **end = &line->endpoints;
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        r->query->db,
        "SELECT e.id, e.protocol, e.ports, e.is_shared, a.address, a.host"
        " FROM endpoint e JOIN endpoint_address a ON a.endpoint_id = e.id"
        " WHERE e.service_id = :service ORDER BY e.id, a.address, a.host");
    if (s == NULL)
        return false;
    db_bind_text(s, ":service", line->service.id);
    while ((step = db_step(s)) == DB_ROW) {
        struct voucher_endpoint *one = take(r, sizeof(*one));
        if (one == NULL)
            break;
        one->id = text(r, s, "id");
        one->protocol = text(r, s, "protocol");
        one->ports = text(r, s, "ports");
        one->address = text(r, s, "address");
        one->host = text(r, s, "host");
        one->is_shared = number(s, "is_shared") != 0;
        *end = one;
        end = &one->next;
    }
    db_reset(s);
    return step == DB_DONE;
}

/* --- what was seen --- */

static struct wall_time evidence_end(const struct reader *r)
{
    return r->voucher->has_verdict ? r->voucher->verdict.cut_off
                                   : r->query->now;
}

/* The last days up to the cut-off, or the best window when that was earlier. */
static struct civil_day first_day(const struct reader *r,
                                  const struct voucher_line *line)
{
    struct wall_time end = evidence_end(r);
    struct civil_day last = day_of_wall((struct wall_time){end.us - 1});
    struct civil_day first = {last.number - TIMELINE_DAYS + 1};
    if (line->verdict != NULL &&
        line->verdict->window_start.number < first.number)
        first.number = line->verdict->window_start.number - DAYS_BEFORE_WINDOW;
    return first;
}

static bool read_evidence(struct reader *r, struct voucher_line *line)
{
    const char *enterprise = r->voucher->enterprise.id;
    const char *service = line->service.id;
    struct civil_day first = first_day(r, line);
    bool good = timeline_read_witnesses(r->query->db, enterprise, service,
                                        first, line->said);
    if (good && r->voucher->has_verdict)
        good = timeline_read_facts(r->query->db, enterprise, service, first,
                                   &line->timeline);
    else if (good)
        good = timeline_read_usage(r->query->db, enterprise, service, first,
                                   &line->timeline);
    line->timeline.end = evidence_end(r);
    return good;
}

bool voucher_day_is_covered(const struct voucher *voucher,
                            const struct voucher_line *line, size_t day)
{
    return timeline_is_covered(&line->timeline, day, voucher->covered_permille);
}

/* --- lines --- */

static void read_line(struct reader *r, struct db_statement *s,
                      struct voucher_line *line)
{
    line->line_no = number(s, "line_no");
    line->service = name(r, s, "service", "service_zh", "service_en");
    line->item_no = number(s, "item_no");
    line->item_zh = text(r, s, "item_zh");
    line->item_en = text(r, s, "item_en");
    line->class = text(r, s, "class");
    line->fee = money(s, "fee_fen");
    line->award = money(s, "award_fen");
    line->has_sets = !db_is_null(s, db_column(s, "networked_sets"));
    line->networked_sets = number(s, "networked_sets");
    if (r->voucher->has_verdict)
        line->verdict = verdict_line_find(&r->voucher->verdict, line->line_no);
}

static bool read_lines(struct reader *r)
{
    struct voucher_line **end = &r->voucher->lines;
    enum db_step step = DB_FAILED;
    struct db_statement *s = db_prepare(
        r->query->db,
        "SELECT l.line_no, l.service_id AS service, v.name_zh AS service_zh,"
        " v.name_en AS service_en, v.item_no, v.class, i.name_zh AS item_zh,"
        " i.name_en AS item_en, l.fee_fen, l.award_fen, l.networked_sets"
        " FROM voucher_line l JOIN service v ON v.id = l.service_id"
        " LEFT JOIN catalogue_item i ON i.no = v.item_no AND i.rowid ="
        "   (SELECT max(j.rowid) FROM catalogue_item j WHERE j.no = v.item_no)"
        " WHERE l.voucher_number = :number ORDER BY l.line_no");
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", r->voucher->number);
    while ((step = db_step(s)) == DB_ROW) {
        struct voucher_line *line = take(r, sizeof(*line));
        if (line == NULL)
            break;
        read_line(r, s, line);
        *end = line;
        end = &line->next;
    }
    db_reset(s);
    return step == DB_DONE;
}

/* --- the voucher --- */

static bool read_settlement(struct reader *r)
{
    struct voucher_settlement *settlement = &r->voucher->settlement;
    struct db_statement *s = db_prepare(
        r->query->db, "SELECT state, submitted_at, supplier_confirmed_at"
                      " FROM settlement WHERE voucher_number = :number"
                      " ORDER BY submitted_at DESC LIMIT 1");
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", r->voucher->number);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        *settlement = (struct voucher_settlement){
            .is_there = true,
            .is_confirmed =
                !db_is_null(s, db_column(s, "supplier_confirmed_at")),
            .state = text(r, s, "state"),
            .submitted = instant(s, "submitted_at"),
            .confirmed = instant(s, "supplier_confirmed_at"),
        };
    db_reset(s);
    return step != DB_FAILED;
}

static bool read_verdict(struct reader *r)
{
    struct voucher *v = r->voucher;
    enum verdict_found found =
        verdict_read(r->query->db, v->number, r->query->arena, &v->verdict);
    v->has_verdict = found == VERDICT_FOUND && v->verdict.is_newest_run;
    v->is_sample |= v->has_verdict && v->verdict.is_sample;
    return found != VERDICT_FAILED;
}

static void read_row(struct reader *r, struct db_statement *s)
{
    *r->voucher = (struct voucher){
        .number = text(r, s, "number"),
        .state = text(r, s, "state"),
        .amount = money(s, "amount_fen"),
        .issued = instant(s, "issued_at"),
        .is_pilot = number(s, "is_pilot") != 0,
        .is_sample = number(s, "is_sample") != 0,
        .enterprise =
            name(r, s, "enterprise", "enterprise_zh", "enterprise_en"),
        .credit_code = text(r, s, "credit_code"),
        .city = name(r, s, "city_code", "city_zh", "city_en"),
        .county = text(r, s, "county"),
        .supplier = name(r, s, "supplier", "supplier_zh", "supplier_en"),
        .cycle = name(r, s, "cycle", "cycle_zh", "cycle_en"),
        .settlement_deadline = instant(s, "settlement_deadline"),
        .contract_no = text(r, s, "contract_no"),
        .contract_day = {(int32_t)number(s, "contract_day")},
        .submitted = instant(s, "submitted_at"),
        .supplier_confirmed = instant(s, "supplier_confirmed_at"),
        .city_approved = instant(s, "city_approved_at"),
        .covered_permille = r->query->covered_permille,
    };
}

/* DB_ROW when it is there and in scope. */
static enum db_step find(struct reader *r, const char *wanted)
{
    struct db_statement *s = db_prepare(
        r->query->db,
        "SELECT v.number, v.amount_fen, v.issued_at, v.is_pilot, v.state,"
        " e.id AS enterprise, e.name_zh AS enterprise_zh,"
        " e.name_en AS enterprise_en, e.credit_code, e.city_code,"
        " c.name_zh AS city_zh, c.name_en AS city_en, e.county, e.is_sample,"
        " s.id AS supplier, s.name_zh AS supplier_zh, s.name_en AS supplier_en,"
        " y.id AS cycle, y.name_zh AS cycle_zh, y.name_en AS cycle_en,"
        " y.settlement_deadline, a.contract_no, a.contract_day,"
        " a.submitted_at, a.supplier_confirmed_at, a.city_approved_at"
        " FROM voucher v JOIN voucher_application a ON a.id = v.application_id"
        " JOIN enterprise e ON e.id = a.enterprise_id"
        " JOIN city c ON c.code = e.city_code"
        " JOIN supplier s ON s.id = a.supplier_id"
        " JOIN cycle y ON y.id = a.cycle_id"
        " WHERE v.number = :number"
        " AND CASE :scope WHEN 'all' THEN 1"
        "  WHEN 'city' THEN e.city_code = :scope_id"
        "  WHEN 'supplier' THEN a.supplier_id = :scope_id"
        "  WHEN 'enterprise' THEN a.enterprise_id = :scope_id ELSE 0 END");
    if (s == NULL)
        return DB_FAILED;
    db_bind_text(s, ":number", wanted);
    scope_bind(s, &r->query->caller->scope);
    enum db_step step = db_step(s);
    if (step == DB_ROW)
        read_row(r, s);
    db_reset(s);
    return step;
}

enum voucher_found voucher_read(const struct voucher_query *query,
                                const char *number, struct voucher *voucher)
{
    struct reader r = {.query = query, .voucher = voucher};
    enum db_step step = find(&r, number);
    if (step == DB_DONE)
        return VOUCHER_NONE;
    bool good = step == DB_ROW && read_settlement(&r) && read_verdict(&r) &&
                read_lines(&r);
    for (struct voucher_line *line = voucher->lines; good && line != NULL;
         line = line->next)
        good = read_identifiers(&r, line) && read_endpoints(&r, line) &&
               read_evidence(&r, line);
    return good && !r.is_out_of_memory ? VOUCHER_FOUND : VOUCHER_FAILED;
}
