#include "portal/workflow/item.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const HOLDERS[HOLDER_COUNT] = {
    [HOLDER_NONE] = "",
    [HOLDER_PARTY] = "party",
    [HOLDER_CITY] = "city",
    [HOLDER_PROVINCE] = "province",
    [HOLDER_PLATFORM] = "platform",
};

const char *holder_text(enum holder holder)
{
    return HOLDERS[holder < HOLDER_COUNT ? holder : HOLDER_NONE];
}

static enum holder holder_from(const char *text)
{
    for (int i = HOLDER_NONE; i < HOLDER_COUNT; i++)
        if (strcmp(HOLDERS[i], text) == 0)
            return (enum holder)i;
    return HOLDER_NONE;
}

bool item_is_in_scope(const struct item *item, enum scope_kind party_kind,
                      const struct scope *scope)
{
    bool is_draft = item->number[0] == '\0';
    if (scope->kind == party_kind)
        return strcmp(item->party, scope->id) == 0;
    switch (scope->kind) {
    case SCOPE_ALL:
        return !is_draft;
    case SCOPE_CITY:
        return !is_draft && strcmp(item->city_code, scope->id) == 0;
    default:
        return false;
    }
}

/* ---- reading ---- */

static void copy(struct db_statement *s, const char *column, char *text,
                 size_t size)
{
    snprintf(text, size, "%s", db_text(s, db_column(s, column)));
}

static int64_t number_of(struct db_statement *s, const char *column)
{
    return db_i64(s, db_column(s, column));
}

void item_read_row(struct db_statement *s, struct item *item)
{
    *item = (struct item){.id = number_of(s, "id"),
                          .version = number_of(s, "version")};
    copy(s, "machine", item->machine, sizeof(item->machine));
    copy(s, "state", item->state, sizeof(item->state));
    copy(s, "number", item->number, sizeof(item->number));
    copy(s, "party", item->party, sizeof(item->party));
    copy(s, "city_code", item->city_code, sizeof(item->city_code));
    copy(s, "title", item->title, sizeof(item->title));
    item->party_kind =
        strcmp(db_text(s, db_column(s, "party_kind")), "supplier") == 0
            ? SCOPE_SUPPLIER
            : SCOPE_ENTERPRISE;
    item->holder = holder_from(db_text(s, db_column(s, "holder")));
    item->opened_at.us = number_of(s, "opened_at");
    item->state_at.us = number_of(s, "state_at");
    item->is_submitted = !db_is_null(s, db_column(s, "first_submitted_at"));
    item->first_submitted_at.us = number_of(s, "first_submitted_at");
    due_rule_from(slice_of_text(db_text(s, db_column(s, "due_rule"))),
                  &item->due_rule);
    item->due_from.us = number_of(s, "due_from");
    item->due_at.us = number_of(s, "due_at");
    item->due_is_provisional = number_of(s, "due_is_provisional") != 0;
}

static bool take(struct db_statement *s, struct item *item)
{
    bool found = db_step(s) == DB_ROW;
    if (found)
        item_read_row(s, item);
    db_reset(s);
    return found;
}

bool item_find(struct db *db, int64_t id, struct item *item)
{
    struct db_statement *s =
        db_prepare(db, "SELECT " ITEM_COLUMNS " FROM item WHERE id = :id");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":id", id);
    return take(s, item);
}

bool item_find_number(struct db *db, const char *number, struct item *item)
{
    struct db_statement *s = db_prepare(
        db, "SELECT " ITEM_COLUMNS " FROM item WHERE number = :number");
    if (s == NULL)
        return false;
    db_bind_text(s, ":number", number);
    return take(s, item);
}

bool item_find_singular(struct db *db, const char *singular, struct item *item)
{
    struct db_statement *s = db_prepare(
        db, "SELECT " ITEM_COLUMNS " FROM item WHERE singular = :singular");
    if (s == NULL)
        return false;
    db_bind_text(s, ":singular", singular);
    return take(s, item);
}

/* ---- writing ---- */

static void bind_text_or_null(struct db_statement *s, const char *name,
                              const char *text)
{
    if (text != NULL && text[0] != '\0')
        db_bind_text(s, name, text);
    else
        db_bind_null(s, name);
}

static void bind_if(struct db_statement *s, const char *name, bool is_there,
                    int64_t value)
{
    if (is_there)
        db_bind_i64(s, name, value);
    else
        db_bind_null(s, name);
}

/* What both an insert and an update write. */
static void bind_item(struct db_statement *s, const struct item *item)
{
    bool is_due = item->due_rule != DUE_NONE;
    db_bind_text(s, ":state", item->state);
    bind_text_or_null(s, ":number", item->number);
    bind_text_or_null(s, ":city", item->city_code);
    db_bind_text(s, ":title", item->title);
    bind_text_or_null(s, ":holder", holder_text(item->holder));
    bind_if(s, ":submitted", item->is_submitted, item->first_submitted_at.us);
    db_bind_i64(s, ":state_at", item->state_at.us);
    bind_text_or_null(s, ":rule", due_rule_name(item->due_rule));
    bind_if(s, ":from", is_due, item->due_from.us);
    bind_if(s, ":due", is_due, item->due_at.us);
    db_bind_i64(s, ":provisional", is_due && item->due_is_provisional);
}

bool item_insert(struct db *db, const char *singular, struct item *item)
{
    struct db_statement *s = db_prepare(
        db,
        "INSERT INTO item (machine, state, number, version, party,"
        " city_code, title, singular, holder, opened_at,"
        " first_submitted_at, state_at, due_rule, due_from, due_at,"
        " due_is_provisional, party_kind) VALUES (:machine, :state, :number,"
        " 1, :party, :city, :title, :singular, :holder, :opened, :submitted,"
        " :state_at, :rule, :from, :due, :provisional, :kind)"
        " ON CONFLICT (singular) DO NOTHING");
    if (s == NULL)
        return false;
    bind_item(s, item);
    db_bind_text(s, ":machine", item->machine);
    db_bind_text(s, ":party", item->party);
    db_bind_text(s, ":kind", scope_kind_text(item->party_kind));
    bind_text_or_null(s, ":singular", singular);
    db_bind_i64(s, ":opened", item->opened_at.us);
    if (!db_do(s))
        return false;
    item->id = db_changes(db) > 0 ? db_last_rowid(db) : 0;
    item->version = 1;
    return true;
}

bool item_update(struct db *db, struct item *item)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE item SET state = :state, number = :number,"
            " version = version + 1, city_code = :city, title = :title,"
            " holder = :holder, first_submitted_at = :submitted,"
            " state_at = :state_at, due_rule = :rule, due_from = :from,"
            " due_at = :due, due_is_provisional = :provisional"
            " WHERE id = :id AND version = :version");
    if (s == NULL)
        return false;
    bind_item(s, item);
    db_bind_i64(s, ":id", item->id);
    db_bind_i64(s, ":version", item->version);
    if (!db_do(s) || db_changes(db) != 1)
        return false;
    item->version++;
    return true;
}

bool item_give_number(struct db *db, const char *prefix, struct wall_time now,
                      struct item *item)
{
    int year = day_year(day_of_wall(now));
    struct db_statement *s = db_prepare(
        db, "INSERT INTO number_series (prefix, year, last)"
            " VALUES (:prefix, :year, 1)"
            " ON CONFLICT (prefix, year) DO UPDATE SET last = last + 1"
            " RETURNING last");
    if (s == NULL)
        return false;
    db_bind_text(s, ":prefix", prefix);
    db_bind_i64(s, ":year", year);
    bool good = db_step(s) == DB_ROW;
    if (good)
        snprintf(item->number, sizeof(item->number), "%s-%d-%06" PRId64, prefix,
                 year, db_i64(s, 0));
    while (good && db_step(s) == DB_ROW)
        ;
    db_reset(s);
    return good;
}

static void add_text(struct buffer *out, const char *text)
{
    buffer_add_u32(out, (uint32_t)strlen(text));
    buffer_add_text(out, text);
}

void item_add_bytes(const struct item *item, struct buffer *out)
{
    buffer_add_u64(out, (uint64_t)item->id);
    buffer_add_u64(out, (uint64_t)item->version);
    add_text(out, item->machine);
    add_text(out, item->state);
    add_text(out, item->number);
    add_text(out, item->party);
    add_text(out, item->city_code);
    add_text(out, item->title);
    buffer_add_u64(out, (uint64_t)item->opened_at.us);
    buffer_add_u64(out, (uint64_t)item->state_at.us);
    buffer_add_u64(out, (uint64_t)item->first_submitted_at.us);
    add_text(out, due_rule_name(item->due_rule));
    buffer_add_u64(out, (uint64_t)item->due_from.us);
}
