/* Registrations that were submitted, newest first: a draft is its party's alone
 * and has no number. */
#include "portal/record/registration_list.h"

#include "common/text.h"

static const struct list_column COLUMNS[] = {
    {"number",
     LIST_LINK,
     {"i.number"},
     TEXT_KEY("registrations.number"),
     .link = "/registrations/"},
    {"name", LIST_TEXT, {"i.title"}, TEXT_KEY("registration.name")},
    {"credit_code",
     LIST_TEXT,
     {"e.credit_code"},
     TEXT_KEY("registration.credit_code"),
     .is_note = true},
    {"city",
     LIST_NAMES,
     {"c.code", "c.name_zh", "c.name_en"},
     TEXT_KEY("col.city")},
    {"state",
     LIST_CODE,
     {"i.state"},
     TEXT_KEY("col.state"),
     .words = "enterprise_registration.state."},
    {"first_submitted_at",
     LIST_TIME,
     {"i.first_submitted_at"},
     TEXT_KEY("registrations.submitted")},
    {"due_at", LIST_TIME, {"i.due_at"}, TEXT_KEY("registrations.due")},
};

static const struct list_choice STATES[] = {
    {"PENDING_CITY"}, {"RETURNED"}, {"ACTIVE"}, {"REJECTED"}};

static const struct list_filter FILTERS[] = {
    {"text", LIST_SEARCH, TEXT_KEY("registrations.search"),
     "(instr(lower(i.title), :text) OR (lower(i.number) >= :text"
     " AND lower(i.number) < :text_end))"},
    {"city", LIST_ROWS, TEXT_KEY("col.city"), "i.city_code = :city",
     .choices_sql = "SELECT code, name_zh, name_en FROM city"
                    " WHERE is_enabled = 1 ORDER BY code",
     .scopes = 1u << SCOPE_ALL},
    {"state", LIST_CHOICES, TEXT_KEY("col.state"), "i.state = :state",
     .choices = STATES, .choice_count = sizeof(STATES) / sizeof(STATES[0]),
     .words = "enterprise_registration.state."},
};

#define SUBMITTED                                                              \
    "i.machine = 'enterprise_registration' AND i.number IS NOT NULL"

const struct list REGISTRATION_LIST = {
    .name = "registrations",
    .title = TEXT_KEY("registrations.title"),
    .help = TEXT_KEY("registrations.help"),
    .none = TEXT_KEY("registrations.none"),
    .from = "FROM item i LEFT JOIN enterprise e ON e.id = i.party"
            " LEFT JOIN city c ON c.code = i.city_code",
    .keys = {{"i.id", .is_integer = true}},
    .is_descending = true,
    .scopes = {[SCOPE_ALL] = {SUBMITTED},
               [SCOPE_CITY] = {SUBMITTED " AND i.city_code = :scope_id"}},
    .columns = COLUMNS,
    .column_count = sizeof(COLUMNS) / sizeof(COLUMNS[0]),
    .filters = FILTERS,
    .filter_count = sizeof(FILTERS) / sizeof(FILTERS[0]),
};
