/*
 * Accounts by name. Mail and mobile are of those who are in the work, and gone
 * from here when an account is disabled (PRIV-09).
 */
#include "portal/record/account_list.h"

#include "common/text.h"

#define PRESENT(column) "iif(a.state = 'DISABLED', NULL, " column ")"
#define USED                                                                   \
    "(SELECT max(s.used_at) FROM session s WHERE s.account_name = a.name)"
#define OFFICIAL                                                               \
    "a.role IN ('PROV', 'EXP', 'CITY', 'COUNTY', 'OPP', 'OPC', 'ALLI', "       \
    "'AUDT')"

#define FROM                                                                   \
    "FROM account a LEFT JOIN city c ON c.code = a.organisation"               \
    " LEFT JOIN enterprise e ON e.id = a.organisation AND a.role = 'ENT'"      \
    " LEFT JOIN supplier u ON u.id = a.organisation AND a.role = 'SUPP'"       \
    " LEFT JOIN account_totp t ON t.account_name = a.name"

static const struct list_column COLUMNS[] = {
    {"name",
     LIST_LINK,
     {"a.name"},
     TEXT_KEY("account.name"),
     .link = "/accounts/"},
    {"has_second_factor",
     LIST_TAG,
     {"t.confirmed_at IS NOT NULL"},
     TEXT_KEY("account.factor")},
    {"person", LIST_TEXT, {"a.display_name"}, TEXT_KEY("account.person")},
    {"role", LIST_CODE, {"a.role"}, TEXT_KEY("account.role"), .words = "role."},
    {"organisation",
     LIST_NAMES,
     {"a.organisation",
      "coalesce(c.name_zh, e.name_zh, u.name_zh, a.organisation)",
      "coalesce(c.name_en, e.name_en, u.name_en, a.organisation)"},
     TEXT_KEY("account.organisation")},
    {"mail", LIST_TEXT, {PRESENT("a.mail")}, TEXT_KEY("account.mail")},
    {"mobile", LIST_TEXT, {PRESENT("a.mobile")}, TEXT_KEY("account.mobile")},
    {"state",
     LIST_CODE,
     {"a.state"},
     TEXT_KEY("col.state"),
     .words = "account.state."},
    {"used_at", LIST_DAY, {USED}, TEXT_KEY("account.used")},
    {"ends_at", LIST_DAY, {"a.ends_at"}, TEXT_KEY("account.ends")},
};

static const struct list_choice STATES[] = {
    {"INVITED"}, {"ACTIVE"}, {"DISABLED"}};
static const struct list_choice ROLES[] = {{"PROV"},   {"EXP"}, {"CITY"},
                                           {"COUNTY"}, {"OPP"}, {"OPC"},
                                           {"ALLI"},   {"AUDT"}};

#define SEARCH                                                                 \
    {                                                                          \
        "text", LIST_SEARCH, TEXT_KEY("account.search"),                       \
            "(instr(lower(a.name), :text) OR instr(lower(a.display_name), "    \
            ":text)"                                                           \
            " OR :text_end = '')"                                              \
    }
#define STATE                                                                  \
    {                                                                          \
        "state", LIST_CHOICES, TEXT_KEY("col.state"), "a.state = :state",      \
            .choices = STATES,                                                 \
            .choice_count = sizeof(STATES) / sizeof(STATES[0]),                \
            .words = "account.state."                                          \
    }

static const struct list_filter FILTERS[] = {
    SEARCH,
    {"role", LIST_CHOICES, TEXT_KEY("account.role"), "a.role = :role",
     .choices = ROLES, .choice_count = sizeof(ROLES) / sizeof(ROLES[0]),
     .words = "role."},
    STATE,
};
static const struct list_filter COLLEAGUE_FILTERS[] = {SEARCH, STATE};

const struct list ACCOUNT_LIST = {
    .name = "accounts",
    .title = TEXT_KEY("accounts.title"),
    .help = TEXT_KEY("accounts.help"),
    .none = TEXT_KEY("accounts.none"),
    .from = FROM,
    .keys = {{"a.name"}},
    .scopes = {[SCOPE_ALL] = {OFFICIAL},
               [SCOPE_CITY] = {"(a.organisation = :scope_id"
                               " AND a.role IN ('CITY', 'OPC') OR"
                               " a.role = 'COUNTY' AND substr(a.organisation,"
                               " 1, length(:scope_id) + 1) = :scope_id"
                               " || '/')"}},
    .columns = COLUMNS,
    .column_count = sizeof(COLUMNS) / sizeof(COLUMNS[0]),
    .filters = FILTERS,
    .filter_count = sizeof(FILTERS) / sizeof(FILTERS[0]),
};

const struct list COLLEAGUE_LIST = {
    .name = "colleagues",
    .title = TEXT_KEY("colleagues.title"),
    .help = TEXT_KEY("colleagues.help"),
    .none = TEXT_KEY("accounts.none"),
    .from = FROM,
    .keys = {{"a.name"}},
    .scopes = {[SCOPE_ENTERPRISE] = {"a.role = 'ENT'"
                                     " AND a.organisation = :scope_id"},
               [SCOPE_SUPPLIER] = {"a.role = 'SUPP'"
                                   " AND a.organisation = :scope_id"}},
    .columns = COLUMNS,
    .column_count = sizeof(COLUMNS) / sizeof(COLUMNS[0]),
    .filters = COLLEAGUE_FILTERS,
    .filter_count = sizeof(COLLEAGUE_FILTERS) / sizeof(COLLEAGUE_FILTERS[0]),
};
