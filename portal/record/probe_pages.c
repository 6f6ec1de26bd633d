/* See probe_pages.h. */
#include "portal/record/probe_pages.h"

enum { PAGE_ROWS = 100 };

static void fill_day(struct model *m, const char *key, struct db_statement *s,
                     int column)
{
    char text[DAY_TEXT_LEN] = "";
    if (!db_is_null(s, column))
        day_to_text(day_of_wall((struct wall_time){db_i64(s, column)}), text);
    model_text(m, key, text);
}

/* A code: "denied"; "none", issued elsewhere; "expired"; "good". */
static const char *state_of(const struct visit *visit, struct db_statement *s)
{
    if (!db_is_null(s, 7))
        return "denied";
    if (db_is_null(s, 8))
        return "none";
    return db_i64(s, 8) <= visit->now.us ? "expired" : "good";
}

static void fill_row(struct visit *visit, struct db_statement *s)
{
    struct model *m = model_append(visit->model, "probes");
    const char *state = state_of(visit, s);
    model_text(m, "id", db_text(s, 0));
    model_text(m, "enterprise",
               visit_name(visit, db_text(s, 1), db_text(s, 2)));
    model_text(m, "site", visit_name(visit, db_text(s, 3), db_text(s, 4)));
    model_text(m, "supplier",
               visit_name(visit, db_text(s, 11), db_text(s, 12)));
    model_text(m, "algorithm", db_text(s, 5));
    fill_day(m, "agreed", s, 6);
    model_text(m, "state", state);
    model_text(m, "_state_text", visit_word(visit, "probe.", state));
    fill_day(m, "denied", s, 7);
    fill_day(m, "certificate_until", s, 8);
    model_text(m, "reason", db_text(s, 9));
    model_bool(m, "is_sample", db_i64(s, 10) != 0);
}

/* From the probe behind `after` on, which may be "". */
static struct db_statement *prepare(struct visit *visit, const char *after)
{
    struct db_statement *s = db_prepare(
        visit->db,
        "SELECT p.id, e.name_zh, e.name_en, t.name_zh, t.name_en, p.algorithm,"
        " p.agreed_at, p.denied_at,"
        " (SELECT max(not_after) FROM certificate c WHERE c.probe_id = p.id),"
        " (SELECT reason FROM probe_denial d WHERE d.probe_id = p.id AND"
        "  d.restored_at IS NULL), p.is_sample, u.name_zh, u.name_en"
        " FROM probe p LEFT JOIN enterprise e ON e.id = p.enterprise_id"
        " LEFT JOIN site t ON t.id = p.site_id"
        " LEFT JOIN supplier u ON u.id = p.supplier_id"
        " WHERE CASE :scope WHEN 'all' THEN 1"
        "  WHEN 'enterprise' THEN p.enterprise_id = :scope_id"
        "  WHEN 'city' THEN e.city_code = :scope_id ELSE 0 END"
        " AND (:after = '' OR (ifnull(p.supplier_id, ''),"
        "  ifnull(p.enterprise_id, ''), ifnull(p.site_id, ''), p.id) >"
        "  (SELECT ifnull(supplier_id, ''), ifnull(enterprise_id, ''),"
        "  ifnull(site_id, ''), id FROM probe WHERE id = :after))"
        " ORDER BY ifnull(p.supplier_id, ''), ifnull(p.enterprise_id, ''),"
        " ifnull(p.site_id, ''), p.id LIMIT :most");
    if (s == NULL)
        return NULL;
    scope_bind(s, &visit->caller.scope);
    db_bind_text(s, ":after", after);
    db_bind_i64(s, ":most", PAGE_ROWS + 1);
    return s;
}

void probe_list_show(struct visit *visit)
{
    const char *after = form_get(&visit->request.query, "after"), *last = "";
    struct db_statement *s = prepare(visit, after);
    enum db_step step = DB_FAILED;
    int64_t count = 0;
    bool has_more = false;
    model_list(visit->model, "probes");
    while (s != NULL && (step = db_step(s)) == DB_ROW) {
        has_more = count == PAGE_ROWS;
        if (has_more)
            continue;
        fill_row(visit, s);
        last = arena_copy_text(visit->arena, slice_of_text(db_text(s, 0)));
        count++;
    }
    if (step == DB_FAILED || last == NULL) {
        visit_fail_db(visit);
        return;
    }
    model_i64(visit->model, "count", count);
    model_bool(visit->model, "has_more", has_more);
    model_bool(visit->model, "_has_probes", count > 0);
    model_bool(visit->model, "_is_first", after[0] == '\0');
    if (has_more)
        model_textf(visit->model, "_next_link", "/probes?after=%s",
                    form_encode(last, visit->arena));
    visit_show(visit, "probes", "probes.title");
}
