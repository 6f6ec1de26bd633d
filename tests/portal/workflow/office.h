/* A registry with a city, two enterprises and their people, for tests of what
 * they do with one another. */
#ifndef TESTS_PORTAL_WORKFLOW_OFFICE_H
#define TESTS_PORTAL_WORKFLOW_OFFICE_H

#include "portal/store/act.h"
#include "portal/workflow/machine.h"
#include "tests/portal/scratch.h"
#include "tests/test.h"

struct office {
    struct scratch scratch;
    struct db *db;
    struct calendar calendar;
    struct parameters parameters;
    struct due_terms terms;
    struct arena *arena;
};

static const char OFFICE_ROWS[] =
    "INSERT INTO city (code, name_zh, name_en) VALUES"
    " ('441500', '汕尾市', 'Shanwei'), ('440300', '深圳市', 'Shenzhen');"
    "INSERT INTO enterprise (id, name_zh, name_en, credit_code, city_code)"
    " VALUES ('ENT-1', '甲厂', 'Works A', '91441500MA00000001', '441500'),"
    " ('ENT-2', '乙厂', 'Works B', '91441500MA00000002', '441500');"
    "INSERT INTO account (name, role, organisation, display_name, mail,"
    " password_hash, created_at) VALUES"
    " ('li', 'ENT', 'ENT-1', 'Li', 'li@example.com', 'x', 0),"
    " ('lin', 'ENT', 'ENT-1', 'Lin', '', 'x', 0),"
    " ('bai', 'ENT', 'ENT-2', 'Bai', '', 'x', 0),"
    " ('wang', 'CITY', '441500', 'Wang', 'wang@example.com', 'x', 0),"
    " ('zhao', 'CITY', '441500', 'Zhao', '', 'x', 0),"
    " ('shen', 'CITY', '440300', 'Shen', '', 'x', 0),"
    " ('chen', 'PROV', '', 'Chen', '', 'x', 0),"
    " ('audi', 'AUDT', '', 'Audi', '', 'x', 0);";

static inline bool office_run_all(struct db *db, const char *rows)
{
    struct slice rest = slice_of_text(rows), one;
    bool good = true;
    while (good && slice_next(&rest, ';', &one)) {
        char sql[2048];
        good = one.length == 0 ||
               (slice_copy(one, sql, sizeof(sql)) && db_run(db, sql));
    }
    return good;
}

static inline void office_open(struct office *office)
{
    struct buffer text;
    struct error_text error = {""};
    scratch_open(&office->scratch);
    office->db = office->scratch.db;
    office->arena = arena_new(1 << 20);
    parameters_set_defaults(&office->parameters);
    if (!office_run_all(office->db, OFFICE_ROWS) ||
        !buffer_read_file(&text, "rules/guangdong-2018/calendar.csv",
                          1 << 20) ||
        !calendar_parse(buffer_slice(&text), &office->calendar, &error))
        fatal(1, "%s %s", error.text, db_error(office->db));
    buffer_clear(&text);
    office->terms = (struct due_terms){&office->parameters, &office->calendar};
}

/* The running portal over the same file, as pages and clock have it. */
static inline struct portal *office_portal(struct office *office,
                                           struct portal_config *config,
                                           const char *rules)
{
    struct error_text error = {""};
    config_set_defaults(PORTAL_CONFIG_KEYS, PORTAL_CONFIG_KEY_COUNT, config);
    snprintf(config->portal_db, sizeof(config->portal_db), "%s",
             office->scratch.path);
    snprintf(config->rules, sizeof(config->rules), "%s", rules);
    snprintf(config->usage_db, sizeof(config->usage_db), "%s/none",
             office->scratch.folder);
    snprintf(config->verdict_db, sizeof(config->verdict_db), "%s/none",
             office->scratch.folder);
    struct portal *portal = portal_open(config, &error);
    if (portal == NULL)
        fatal(1, "%s", error.text);
    return portal;
}

static inline void office_close(struct office *office)
{
    arena_free(office->arena);
    scratch_close(&office->scratch);
}

/* A small machine, with the states of a registration: filed by an enterprise,
 * reviewed by its city. */
static const struct machine_state OFFICE_STATES[] = {
    {"DRAFT", HOLDER_PARTY, false},    {"PENDING_CITY", HOLDER_CITY, false},
    {"RETURNED", HOLDER_PARTY, false}, {"ACTIVE", HOLDER_NONE, false},
    {"REJECTED", HOLDER_NONE, true},
};

#define OFFICE_FILES                                                           \
    .actors = ROLE_BIT(ROLE_ENT), .action = ACTION_ENTERPRISE_FILE,            \
    .tells = ROLE_BIT(ROLE_ENT) | ROLE_BIT(ROLE_CITY)
#define OFFICE_REVIEWS                                                         \
    .actors = ROLE_BIT(ROLE_CITY), .action = ACTION_ENTERPRISE_REVIEW,         \
    .tells = ROLE_BIT(ROLE_ENT)
#define OFFICE_SAYS                                                            \
    .subject = TEXT_KEY("notice.registration.return.subject"),                 \
    .body = TEXT_KEY("notice.registration.return.body"), .requirement = ""

static const struct transition OFFICE_TRANSITIONS[] = {
    {"DRAFT", "submit", OFFICE_FILES, .to = "PENDING_CITY", .submits = true,
     .due = DUE_REGISTRATION_REVIEW, OFFICE_SAYS},
    {"PENDING_CITY", "approve", OFFICE_REVIEWS, .to = "ACTIVE", OFFICE_SAYS},
    {"PENDING_CITY", "return", OFFICE_REVIEWS, .to = "RETURNED",
     .due = DUE_CORRECTION, OFFICE_SAYS},
    {"PENDING_CITY", "reject", OFFICE_REVIEWS, .to = "REJECTED", OFFICE_SAYS},
    {"RETURNED", "resubmit", OFFICE_FILES, .to = "PENDING_CITY",
     .due = DUE_REGISTRATION_REVIEW, OFFICE_SAYS},
};

static const struct machine OFFICE_MACHINE = {
    .name = "enterprise_registration",
    .number_prefix = "R",
    .party_kind = SCOPE_ENTERPRISE,
    .state_words = "enterprise_registration.state.",
    .event_words = "enterprise_registration.event.",
    .consequence = TEXT_KEY("notice.registration.consequence"),
    .states = OFFICE_STATES,
    .state_count = sizeof(OFFICE_STATES) / sizeof(OFFICE_STATES[0]),
    .transitions = OFFICE_TRANSITIONS,
    .transition_count =
        sizeof(OFFICE_TRANSITIONS) / sizeof(OFFICE_TRANSITIONS[0]),
};

/* Somebody of the rows above. */
static inline struct caller office_caller(struct db *db, const char *name)
{
    struct caller caller = {.has_account = true};
    CHECK(account_find(db, name, &caller.account));
    return caller;
}

/* 2026-11-23 08:00 in Shanghai, and so many hours. */
static inline struct wall_time office_time(int64_t hours)
{
    return wall_from_s(1795392000 + hours * 3600);
}

static inline int64_t office_count(struct db *db, const char *sql)
{
    struct db_statement *s = db_prepare(db, sql);
    int64_t count = s != NULL && db_step(s) == DB_ROW ? db_i64(s, 0) : -1;
    if (s != NULL)
        db_reset(s);
    return count;
}

struct office_opening {
    struct machine_opening opening;
    struct item item;
};

static inline enum act_end office_open_item(struct db *db, struct wall_time now,
                                            void *context,
                                            struct error_text *error)
{
    struct office_opening *o = context;
    error_set(error, "%s", db_error(db));
    return machine_open(db, now, &o->opening, &o->item) ? ACT_KEPT : ACT_FAILED;
}

/* Begins an item of `party` as `who`. */
static inline struct item office_begin(struct office *office,
                                       const struct machine *machine,
                                       const char *who, const char *party,
                                       const char *singular)
{
    struct error_text error = {""};
    struct caller caller = office_caller(office->db, who);
    caller.scope = scope_of(&caller.account, office_time(0));
    struct office_opening o = {.opening = {machine, &caller,
                                           machine->states[0].name, party,
                                           "441500", "甲厂", singular}};
    CHECK(act_on(office->db, office_time(0), NULL, office_open_item, &o,
                 &error) == ACT_KEPT);
    return o.item;
}

/* What `who` wants done, in one line. Gives the refusal's code, "" when it was
 * done, "FAILED". */
static inline const char *office_do_at(struct office *office,
                                       const struct machine *machine,
                                       struct wall_time now, const char *who,
                                       struct item *item, const char *event,
                                       const char *request)
{
    static char code[64];
    struct error_text error = {""};
    struct caller caller = strcmp(who, "SYS") == 0
                               ? machine_platform()
                               : office_caller(office->db, who);
    if (caller.has_account)
        caller.scope = scope_of(&caller.account, now);
    struct machine_deed deed = {.machine = machine,
                                .caller = &caller,
                                .terms = &office->terms,
                                .arena = office->arena,
                                .item = item->id,
                                .version = item->version,
                                .event = event,
                                .request = request};
    enum act_end end = machine_do_on(office->db, now, &deed, &error);
    if (end == ACT_KEPT)
        *item = deed.after;
    snprintf(code, sizeof(code), "%s",
             end == ACT_KEPT     ? ""
             : end == ACT_FAILED ? "FAILED"
                                 : deed.refusal.code);
    if (end == ACT_FAILED)
        printf("# %s\n", error.text);
    return code;
}

static inline const char *office_do(struct office *office,
                                    const struct machine *machine,
                                    const char *who, struct item *item,
                                    const char *event, const char *request)
{
    return office_do_at(office, machine, office_time(1), who, item, event,
                        request);
}

#endif
