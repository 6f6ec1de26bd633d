/*
 * Reading the registry. Each table is one statement in the order in which the
 * structs are sorted, so that rows find their parents by walking along.
 */
#include "verifier/register_view.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"

enum { REGISTRY_LIMIT = 1 << 30 };

/* An array that grows while rows come; its elements may move. */
static bool make_room(void **items, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return true; /* room is always a power of two */
    size_t room = count == 0 ? 1 : count * 2;
    void *moved = room > SIZE_MAX / size ? NULL : realloc(*items, room * size);
    if (moved == NULL)
        return false;
    *items = moved;
    return true;
}

static const char *keep(struct register_view *r, struct db_statement *s,
                        int column)
{
    const char *text =
        arena_copy_text(r->arena, slice_of_text(db_text(s, column)));
    r->is_out_of_memory |= text == NULL;
    return text != NULL ? text : "";
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static uint64_t mix_number(uint64_t hash, int64_t value)
{
    for (int i = 0; i < 8; i++)
        hash = (hash ^ ((uint64_t)value >> (8 * i) & 0xff)) *
               UINT64_C(0x100000001b3);
    return hash;
}

static bool find_service(const struct register_view *r, const char *id,
                         size_t *index)
{
    size_t low = 0, high = r->service_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(r->services[middle].id, id);
        if (order == 0) {
            *index = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool read_services(struct register_view *r, struct db *db)
{
    enum db_step step;
    struct db_statement *s = db_prepare(
        db, "SELECT id, name_zh, name_en, supplier_id, class, item_no "
            "FROM service ORDER BY id");
    if (s == NULL)
        return false;
    while ((step = db_step(s)) == DB_ROW) {
        if (!make_room((void **)&r->services, r->service_count,
                       sizeof(*r->services)))
            return false;
        struct register_service *service = &r->services[r->service_count++];
        *service = (struct register_service){
            .id = keep(r, s, 0),
            .name_zh = keep(r, s, 1),
            .name_en = keep(r, s, 2),
            .supplier_id = keep(r, s, 3),
            .item_no = (int)db_i64(s, 5),
        };
        if (service->id == NULL ||
            !service_class_from(slice_of_text(db_text(s, 4)), &service->class))
            return false;
    }
    return step == DB_DONE;
}

static bool read_endpoints(struct register_view *r, struct db *db)
{
    enum db_step step;
    struct db_statement *s =
        db_prepare(db, "SELECT id, service_id, valid_from, valid_to, is_shared "
                       "FROM endpoint ORDER BY id");
    if (s == NULL)
        return false;
    while ((step = db_step(s)) == DB_ROW) {
        size_t service;
        if (!find_service(r, db_text(s, 1), &service))
            continue;
        if (!make_room((void **)&r->endpoints, r->endpoint_count,
                       sizeof(*r->endpoints)))
            return false;
        struct register_endpoint e = {
            .id = keep(r, s, 0),
            .service = service,
            .valid_from_us = db_i64(s, 2),
            .valid_to_us = db_is_null(s, 3) ? INT64_MAX : db_i64(s, 3),
            .is_shared = db_i64(s, 4) != 0,
        };
        r->endpoints[r->endpoint_count++] = e;
        struct register_service *owner = &r->services[service];
        owner->endpoint_count++;
        owner->endpoints_hash = mix_text(owner->endpoints_hash, e.id);
        owner->endpoints_hash =
            mix_number(owner->endpoints_hash, e.valid_from_us);
        owner->endpoints_hash =
            mix_number(owner->endpoints_hash, e.valid_to_us);
        owner->endpoints_hash = mix_number(owner->endpoints_hash, e.is_shared);
    }
    return step == DB_DONE;
}

const struct register_endpoint *
register_view_endpoint(const struct register_view *r, const char *id)
{
    size_t low = 0, high = r->endpoint_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(r->endpoints[middle].id, id);
        if (order == 0)
            return &r->endpoints[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static struct register_voucher voucher_of_row(struct register_view *r,
                                              struct db_statement *s)
{
    return (struct register_voucher){
        .number = keep(r, s, 0),
        .enterprise_id = keep(r, s, 1),
        .enterprise_zh = keep(r, s, 2),
        .enterprise_en = keep(r, s, 3),
        .credit_code = keep(r, s, 4),
        .city_code = keep(r, s, 5),
        .county = keep(r, s, 6),
        .supplier_id = keep(r, s, 7),
        .supplier_zh = keep(r, s, 8),
        .amount = {db_i64(s, 9)},
        .contract_day = {(int32_t)db_i64(s, 10)},
        .submitted_at = {db_i64(s, 11)},
        .is_pilot = db_i64(s, 12) != 0,
        .is_sample = db_i64(s, 13) != 0,
    };
}

/* Of several settlement applications for a voucher the latest counts. */
static bool read_vouchers(struct register_view *r, struct db *db,
                          const char *cycle)
{
    enum db_step step;
    struct db_statement *s = db_prepare(
        db, "SELECT v.number, e.id, e.name_zh, e.name_en, e.credit_code, "
            " e.city_code, e.county, p.id, p.name_zh, v.amount_fen, "
            " a.contract_day, t.submitted_at, v.is_pilot, e.is_sample "
            "FROM settlement AS t "
            "JOIN voucher AS v ON v.number = t.voucher_number "
            "JOIN voucher_application AS a ON a.id = v.application_id "
            "JOIN enterprise AS e ON e.id = a.enterprise_id "
            "JOIN supplier AS p ON p.id = a.supplier_id "
            "WHERE a.cycle_id = :cycle AND t.state IN "
            " ('PENDING_VERIFICATION', 'NOT_COMPLETE', 'PENDING_CITY') "
            "ORDER BY e.id, v.number, t.submitted_at DESC, t.id DESC");
    if (s == NULL)
        return false;
    db_bind_text(s, ":cycle", cycle);
    while ((step = db_step(s)) == DB_ROW) {
        if (r->voucher_count > 0 &&
            strcmp(r->vouchers[r->voucher_count - 1].number, db_text(s, 0)) ==
                0)
            continue;
        if (!make_room((void **)&r->vouchers, r->voucher_count,
                       sizeof(*r->vouchers)))
            return false;
        r->vouchers[r->voucher_count++] = voucher_of_row(r, s);
    }
    return step == DB_DONE;
}

/* Places are by (enterprise, voucher): rows come in that order too. */
static struct register_voucher *walk_to(struct register_view *r, size_t *place,
                                        const char *enterprise,
                                        const char *number)
{
    for (; *place < r->voucher_count; (*place)++) {
        struct register_voucher *v = &r->vouchers[*place];
        int order = strcmp(v->enterprise_id, enterprise);
        order = order != 0 ? order : strcmp(v->number, number);
        if (order == 0)
            return v;
        if (order > 0)
            return NULL;
    }
    return NULL;
}

static bool add_line(struct register_view *r, struct register_voucher *v,
                     struct db_statement *s)
{
    size_t service;
    if (!find_service(r, db_text(s, 3), &service) ||
        !make_room((void **)&v->lines, v->line_count, sizeof(*v->lines)))
        return false;
    v->lines[v->line_count++] = (struct register_line){
        .line_no = (int)db_i64(s, 2),
        .service = service,
        .sets = db_u64(s, 4),
    };
    return true;
}

static bool read_lines(struct register_view *r, struct db *db,
                       const char *cycle)
{
    enum db_step step;
    size_t place = 0;
    struct db_statement *s =
        db_prepare(db, "SELECT a.enterprise_id, l.voucher_number, l.line_no, "
                       " l.service_id, coalesce(l.networked_sets, 0) "
                       "FROM voucher_application AS a "
                       "JOIN voucher AS v ON v.application_id = a.id "
                       "JOIN voucher_line AS l ON l.voucher_number = v.number "
                       "WHERE a.cycle_id = :cycle "
                       "ORDER BY a.enterprise_id, l.voucher_number, l.line_no");
    if (s == NULL)
        return false;
    db_bind_text(s, ":cycle", cycle);
    while ((step = db_step(s)) == DB_ROW) {
        struct register_voucher *v =
            walk_to(r, &place, db_text(s, 0), db_text(s, 1));
        if (v != NULL && !add_line(r, v, s))
            return false;
    }
    return step == DB_DONE;
}

struct identifier_list {
    struct identifier *items;
    size_t count;
};

/* The line that a row is about; NULL when it is not judged. */
static struct register_line *line_of(struct register_voucher *v, int line_no)
{
    for (size_t i = 0; v != NULL && i < v->line_count; i++) {
        if (v->lines[i].line_no == line_no)
            return &v->lines[i];
    }
    return NULL;
}

static bool add_identifier(struct register_view *r, struct register_line *line,
                           struct db_statement *s, struct identifier_list *list)
{
    enum identifier_kind kind;
    if (!identifier_kind_from(db_text(s, 3), &kind))
        return true;
    if (!make_room((void **)&list->items, list->count, sizeof(*list->items)))
        return false;
    struct identifier *out = &list->items[list->count++];
    *out = (struct identifier){
        .kind = kind,
        .enterprise_id = keep(r, s, 0),
        .line = line,
        .valid_from_us = db_i64(s, 5),
        .valid_to_us = db_is_null(s, 6) ? INT64_MAX : db_i64(s, 6),
    };
    identifier_set_value(out, slice_of_text(db_text(s, 4)));
    return true;
}

/* Identifiers declared for any voucher that still means something: a lapsed or
 * void one accuses nobody. */
static bool list_identifiers(struct register_view *r, struct db *db,
                             struct identifier_list *list)
{
    enum db_step step;
    size_t place = 0;
    struct db_statement *s = db_prepare(
        db, "SELECT a.enterprise_id, u.voucher_number, u.line_no, u.kind, "
            " u.value, u.valid_from, u.valid_to "
            "FROM user_side_identifier AS u "
            "JOIN voucher AS v ON v.number = u.voucher_number "
            "JOIN voucher_application AS a ON a.id = v.application_id "
            "WHERE v.state NOT IN ('LAPSED', 'VOID') "
            "ORDER BY a.enterprise_id, u.voucher_number, u.line_no");
    if (s == NULL)
        return false;
    while ((step = db_step(s)) == DB_ROW) {
        struct register_voucher *v =
            walk_to(r, &place, db_text(s, 0), db_text(s, 1));
        if (!add_identifier(r, line_of(v, (int)db_i64(s, 2)), s, list)) {
            db_reset(s);
            return false;
        }
    }
    return step == DB_DONE;
}

/* Identifiers of each line, and whether another enterprise declared the same
 * for a time that overlaps (VER-14). */
static bool read_identifiers(struct register_view *r, struct db *db)
{
    struct identifier_list list = {0};
    bool good = list_identifiers(r, db, &list);
    if (good)
        identifier_find_shared(list.items, list.count);
    for (size_t i = 0; good && i < list.count; i++) {
        struct register_line *line = list.items[i].line;
        if (line == NULL)
            continue;
        line->identifiers[list.items[i].kind]++;
        line->shared_identifiers += list.items[i].is_shared;
    }
    free(list.items);
    return good;
}

static bool read_cycle(struct register_view *r, struct db *db,
                       const char *cycle)
{
    struct db_statement *s = db_prepare(
        db, "SELECT p.version FROM cycle AS c "
            "JOIN programme AS p ON p.id = c.programme_id WHERE c.id = :cycle");
    if (s == NULL)
        return false;
    db_bind_text(s, ":cycle", cycle);
    enum db_step step = db_step(s);
    r->has_cycle = step == DB_ROW;
    if (r->has_cycle)
        slice_copy(slice_of_text(db_text(s, 0)), r->programme_version,
                   sizeof(r->programme_version));
    db_reset(s);
    return step != DB_FAILED;
}

struct register_view *register_view_read(struct db *db, const char *cycle_id,
                                         struct error_text *error)
{
    struct register_view *r = calloc(1, sizeof(*r));
    if (r != NULL)
        r->arena = arena_new(REGISTRY_LIMIT);
    bool good = r != NULL && r->arena != NULL && db_begin(db);
    if (good) {
        good = read_cycle(r, db, cycle_id) && read_services(r, db) &&
               read_endpoints(r, db) && read_vouchers(r, db, cycle_id) &&
               read_lines(r, db, cycle_id) && read_identifiers(r, db);
        db_rollback(db);
    }
    good = good && !r->is_out_of_memory;
    if (good)
        return r;
    error_set(error, "%s", db_error(db)[0] ? db_error(db) : "out of memory");
    register_view_free(r);
    return NULL;
}

void register_view_free(struct register_view *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->voucher_count; i++)
        free(r->vouchers[i].lines);
    free(r->vouchers);
    free(r->services);
    free(r->endpoints);
    if (r->arena != NULL)
        arena_free(r->arena);
    free(r);
}
