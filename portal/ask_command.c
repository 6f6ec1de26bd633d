#include "portal/ask_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/program.h"
#include "common/writer.h"
#include "portal/commands.h"
#include "portal/form/form.h"
#include "portal/record/machines.h"
#include "portal/store/portal_db.h"
#include "portal/store/rules_parameters.h"

enum { LINE_MAX_BYTES = 256 * 1024, ANSWER_MAX = 64 * 1024 };

struct asking {
    struct parameters parameters;
    struct calendar calendar;
    struct due_terms terms;
    struct arena *arena;
};

/* One case. False: something in it is not known here. */
struct question {
    struct asking *asking;
    const struct json_node *given, *when;
    struct json_writer *then;
};
typedef bool answer_fn(const struct question *q);

static const char *text_of(const struct json_node *object, const char *key)
{
    const struct json_node *node = json_member(object, key);
    return json_kind_of(node) == JSON_TEXT_KIND ? json_as_text(node) : "";
}

static bool is_text(const struct json_node *object, const char *key,
                    const char *text)
{
    return strcmp(text_of(object, key), text) == 0;
}

/* "2018-10-16", "2018-12-20 09:00:00.000": in Asia/Shanghai. */
static bool read_instant(const char *text, struct wall_time *time)
{
    char full[64];
    if (strlen(text) <= 10)
        return wall_from_text(slice_of_text(text), time);
    snprintf(full, sizeof(full), "%.40s+08:00", text);
    full[10] = 'T';
    return wall_from_text(slice_of_text(full), time);
}

/* ---- due_date ---- */

struct period {
    const char *what;
    enum due_rule rule;
    const char *starts[2]; /* events of the history that start it */
    const char *state, *state_after;
};

static const struct period PERIODS[] = {
    {"registration_review",
     DUE_REGISTRATION_REVIEW,
     {"submitted", "reaches_city"},
     "PENDING_CITY",
     "PENDING_CITY"},
    {"application_review",
     DUE_VOUCHER_REVIEW,
     {"reaches_city"},
     "PENDING_CITY",
     "PENDING_CITY"},
    {"correction", DUE_CORRECTION, {"returned"}, "RETURNED", "EXPIRED"},
};

static const struct period *find_period(const char *what)
{
    for (size_t i = 0; i < sizeof(PERIODS) / sizeof(PERIODS[0]); i++)
        if (strcmp(PERIODS[i].what, what) == 0)
            return &PERIODS[i];
    return NULL;
}

static bool starts(const struct period *period, const char *event)
{
    for (int i = 0; i < 2; i++)
        if (period->starts[i] != NULL && strcmp(period->starts[i], event) == 0)
            return true;
    return false;
}

/* The last event decides: another one ends what ran (REV-05). */
static bool find_start(const struct question *q, const struct period *period,
                       struct wall_time *start)
{
    bool runs = false;
    const struct json_node *history = json_member(q->given, "history");
    for (const struct json_node *e = json_first(history); e != NULL;
         e = json_next(e)) {
        runs = starts(period, text_of(e, "event"));
        if (runs && !read_instant(text_of(e, "at"), start))
            return false;
    }
    return runs;
}

static void say_day(struct json_writer *json, const char *key,
                    struct civil_day day)
{
    char text[DAY_TEXT_LEN];
    day_to_text(day, text);
    json_text(json, key, text);
}

static bool answer_due_date(const struct question *q)
{
    const struct period *period = find_period(text_of(q->given, "what"));
    const struct due_terms *terms = &q->asking->terms;
    struct wall_time start, at;
    if (period == NULL || !find_start(q, period, &start))
        return false;
    if (is_text(q->when, "ask", "due")) {
        struct due due = due_of(period->rule, start, terms, start);
        say_day(q->then, "due", due.day);
        if (due.is_provisional)
            json_bool(q->then, "provisional", true);
        return true;
    }
    if (!is_text(q->when, "ask", "state") ||
        !read_instant(text_of(q->when, "at"), &at))
        return false;
    struct due due = due_of(period->rule, start, terms, at);
    bool is_over = due_is_over(&due, at);
    say_day(q->then, "due", due.day);
    json_text(q->then, "state", is_over ? period->state_after : period->state);
    json_bool(q->then, "overdue", is_over);
    json_u64(q->then, "overdue_workdays", due_workdays_late(&due, terms, at));
    return true;
}

/* ---- may ---- */

struct deed_name {
    const char *name;
    enum action action;
    bool acts; /* else it looks */
};

static const struct deed_name DEEDS[] = {
    {"open", ACTION_VERIFICATION_RUN, false},
    {"list_for_review", ACTION_APPLICATION_REVIEW, false},
    {"approve_application", ACTION_APPLICATION_REVIEW, true},
    {"confirm_application", ACTION_APPLICATION_CONFIRM, true},
    {"set_completion_mark", ACTION_VERIFICATION_RUN, true},
    {"publish_catalogue", ACTION_CATALOGUE_PUBLISH, true},
    {"read_raw_connection_records", ACTION_CONNECTION_RECORD, false},
};

/* Somebody else's record is not there for who asks. */
static bool is_foreign(const struct question *q, enum account_role role)
{
    static const char *const BOUNDS[ROLE_COUNT] = {
        [ROLE_CITY] = "record_city",
        [ROLE_OPC] = "record_city",
        [ROLE_SUPP] = "record_supplier",
        [ROLE_ENT] = "record_enterprise",
    };
    const char *bound = BOUNDS[role];
    return bound != NULL && json_member(q->given, bound) != NULL &&
           strcmp(text_of(q->given, bound), text_of(q->when, "of")) != 0;
}

static bool has_ended(const struct question *q)
{
    struct wall_time until, on;
    return read_instant(text_of(q->given, "mandate_until"), &until) &&
           read_instant(text_of(q->when, "on"), &on) &&
           day_of_wall(on).number > day_of_wall(until).number;
}

static bool answer_may(const struct question *q)
{
    enum account_role role;
    const char *name = text_of(q->when, "action");
    if (!account_role_from(text_of(q->when, "role"), &role))
        return false;
    for (size_t i = 0; i < sizeof(DEEDS) / sizeof(DEEDS[0]); i++) {
        const struct deed_name *deed = &DEEDS[i];
        if (strcmp(deed->name, name) != 0)
            continue;
        bool may = !has_ended(q) &&
                   (deed->acts ? permission_may_act(role, deed->action)
                               : permission_is_given(role, deed->action));
        json_i64(q->then, "http", is_foreign(q, role) ? 404 : may ? 200 : 403);
        return true;
    }
    return false;
}

/* ---- transition ---- */

static const char WORLD[] = "INSERT INTO city (code, name_zh, name_en)"
                            " VALUES ('441500', 'Shanwei', 'Shanwei')";

/* The answers that a fact stands for, by machine and event; a fact that is not
 * here is not known. */
struct fact_row {
    const char *event, *fact, *value; /* value NULL: any */
    const char *json;                 /* members of what is asked */
};

static const struct fact_row ENTERPRISE_FACTS[] = {
    {"reject", "ground", "illegal_conduct", "\"ground\":\"ILLEGAL\""},
    {"reject", "ground", "not_in_support_direction", "\"ground\":\"NOT_FIT\""},
    {"reject", "ground", "capability", "\"ground\":\"CAPABILITY\""},
    {"reject", "reason", NULL, "\"reason\":\"-\""},
    {"approve", "basic_information_true", NULL,
     "\"checked_identity\":\"yes\",\"checked_place\":\"yes\","
     "\"checked_facts\":\"yes\",\"checked_record\":\"yes\""},
};

static const struct fact_row *find_fact(const char *event, const char *fact,
                                        const char *value)
{
    for (size_t i = 0;
         i < sizeof(ENTERPRISE_FACTS) / sizeof(ENTERPRISE_FACTS[0]); i++) {
        const struct fact_row *row = &ENTERPRISE_FACTS[i];
        if (strcmp(row->event, event) == 0 && strcmp(row->fact, fact) == 0 &&
            (row->value == NULL || strcmp(row->value, value) == 0))
            return row;
    }
    return NULL;
}

/* False when a fact is not known. */
static bool write_asked(const struct question *q, struct buffer *out)
{
    const struct json_node *facts = json_member(q->given, "facts");
    const char *comma = "";
    buffer_add_text(out, "{");
    for (const struct json_node *f = json_first(facts); f != NULL;
         f = json_next(f)) {
        bool is_no = json_kind_of(f) == JSON_BOOL_KIND && !json_as_bool(f);
        const struct fact_row *row =
            find_fact(text_of(q->when, "event"), json_key(f),
                      text_of(facts, json_key(f)));
        if (row == NULL)
            return false;
        if (is_no)
            continue;
        buffer_addf(out, "%s%s", comma, row->json);
        comma = ",";
    }
    buffer_add_text(out, "}");
    return !out->failed;
}

static bool read_asked(const struct question *q, const struct transition *row,
                       struct answers *answers)
{
    struct buffer json;
    struct refusal ignored;
    buffer_init(&json, ANSWER_MAX);
    *answers = form_answers(row->form, q->asking->arena);
    bool good = write_asked(q, &json) &&
                answers_read_json(answers, buffer_slice(&json), &ignored);
    buffer_clear(&json);
    return good;
}

static struct caller caller_of(enum account_role role)
{
    struct caller caller = {.has_account = true};
    bool is_city = role == ROLE_CITY || role == ROLE_OPC;
    caller.account.role = role;
    caller.account.state = ACCOUNT_ACTIVE;
    snprintf(caller.account.name, sizeof(caller.account.name), "asks");
    snprintf(caller.account.organisation, sizeof(caller.account.organisation),
             "%s",
             is_city             ? "441500"
             : role == ROLE_PROV ? ""
                                 : "P-1");
    return caller;
}

/* What is asked for with the event; NULL, and true: nothing. */
static bool find_answers(const struct question *q,
                         const struct machine *machine, const char *event,
                         struct answers *answers, bool *are_asked)
{
    *are_asked = false;
    for (size_t i = 0; i < machine->transition_count; i++) {
        const struct transition *row = &machine->transitions[i];
        if (strcmp(row->event, event) != 0 || row->form == NULL)
            continue;
        *are_asked = true;
        return read_asked(q, row, answers);
    }
    return true;
}

struct doing {
    const struct question *q;
    const struct machine *machine;
    const struct caller *caller;
    bool is_known;
};

static void say_end(const struct question *q, enum act_end end,
                    const struct machine_deed *deed)
{
    json_text(q->then, "outcome", end == ACT_KEPT ? "accepted" : "refused");
    if (end == ACT_KEPT)
        json_text(q->then, "to", deed->after.state);
    else
        json_text(q->then, "code", deed->refusal.code);
}

/* Nothing of it is kept. */
static enum act_end do_event(struct db *db, struct wall_time now, void *context,
                             struct error_text *error)
{
    struct doing *d = context;
    const struct question *q = d->q;
    struct caller platform = machine_platform();
    struct machine_opening opening = {.machine = d->machine,
                                      .caller = &platform,
                                      .state = text_of(q->given, "state"),
                                      .party = "P-1",
                                      .city_code = "441500"};
    struct item item;
    struct answers answers;
    bool are_asked;
    const char *event = text_of(q->when, "event");
    if (!db_run(db, WORLD) || !machine_open(db, now, &opening, &item) ||
        !find_answers(q, d->machine, event, &answers, &are_asked))
        return ACT_REFUSED;
    struct machine_deed deed = {.machine = d->machine,
                                .caller = d->caller,
                                .terms = &q->asking->terms,
                                .arena = q->asking->arena,
                                .item = item.id,
                                .version = item.version,
                                .event = event,
                                .answers = are_asked ? &answers : NULL};
    enum act_end end = machine_act(db, now, &deed, error);
    d->is_known = end != ACT_FAILED;
    if (d->is_known)
        say_end(q, end, &deed);
    return ACT_REFUSED;
}

static bool answer_transition(const struct question *q)
{
    const struct machine *machine =
        machine_find(&MACHINES, text_of(q->given, "machine"));
    enum account_role role;
    struct error_text error;
    struct wall_time now = wall_from_s(1545300000); /* 2018-12-20 */
    if (machine == NULL ||
        !account_role_from(text_of(q->when, "role"), &role) ||
        !machine_has_state(machine, text_of(q->given, "state")))
        return false;
    read_instant(text_of(q->when, "at"), &now);
    struct caller caller = caller_of(role);
    struct doing doing = {q, machine, &caller, false};
    struct db *db = portal_db_open(":memory:", &error);
    caller.scope = scope_of(&caller.account, now);
    if (db != NULL)
        act_on(db, now, NULL, do_event, &doing, &error);
    db_close(db);
    return doing.is_known;
}

/* ---- a line ---- */

static const struct {
    const char *kind;
    answer_fn *answer;
} KINDS[] = {
    {"due_date", answer_due_date},
    {"may", answer_may},
    {"transition", answer_transition},
};

static answer_fn *find_kind(const char *kind)
{
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
        if (strcmp(KINDS[i].kind, kind) == 0)
            return KINDS[i].answer;
    return NULL;
}

static bool answer(struct asking *asking, const struct json_node *c,
                   struct json_writer *json)
{
    answer_fn *fn = find_kind(text_of(c, "kind"));
    struct question q = {asking, json_member(c, "given"),
                         json_member(c, "when"), json};
    json_object_begin(json, NULL);
    json_text(json, "id", text_of(c, "id"));
    json_object_begin(json, "then");
    bool is_known = fn != NULL && fn(&q);
    json_object_end(json);
    json_object_end(json);
    arena_reset(asking->arena);
    return is_known;
}

static void say_unknown(const struct json_node *c, struct json_writer *json)
{
    json_object_begin(json, NULL);
    json_text(json, "id", text_of(c, "id"));
    json_bool(json, "unknown", true);
    json_object_end(json);
}

static bool answer_line(struct asking *asking, const char *line, unsigned no)
{
    char name[32];
    struct error_text error;
    struct buffer out;
    struct json_writer json;
    snprintf(name, sizeof(name), "case %u", no);
    struct json_document *doc = json_parse(slice_of_text(line), name, &error);
    if (doc == NULL) {
        command_report(&error);
        return false;
    }
    buffer_init(&out, ANSWER_MAX);
    json_start(&json, &out);
    if (!answer(asking, json_root(doc), &json)) {
        buffer_reset(&out);
        json_start(&json, &out);
        say_unknown(json_root(doc), &json);
    }
    buffer_add_text(&out, "\n");
    bool good =
        !out.failed && fwrite(out.data, 1, out.length, stdout) == out.length;
    buffer_clear(&out);
    json_free(doc);
    return good;
}

static int answer_all(struct asking *asking)
{
    char *line = malloc(LINE_MAX_BYTES);
    bool good = line != NULL, all = good;
    /* A line that cannot be read is said, and the next ones are answered. */
    for (unsigned no = 1; good && fgets(line, LINE_MAX_BYTES, stdin) != NULL;
         no++)
        all = answer_line(asking, line, no) && all;
    free(line);
    return all ? 0 : 1;
}

int command_ask(int argc, char **argv)
{
    static struct asking asking; /* the calendar is large */
    const char *path = PROGRAM_CONFIG("portal");
    struct program_option options[] = {{"-c", .value = &path}};
    struct portal_config config = {0};
    struct error_text error;
    if (program_options(argc, argv, options, 1, 0, 0) < 0)
        return 2;
    command_read_config(path, &config);
    asking.terms = (struct due_terms){&asking.parameters, &asking.calendar};
    if (!rules_parameters_read(config.rules, &asking.parameters, &error) ||
        !rules_calendar_read(config.rules, &asking.calendar, &error))
        return command_report(&error);
    asking.arena = arena_new(LINE_MAX_BYTES * 16);
    int status = asking.arena != NULL ? answer_all(&asking) : 1;
    arena_free(asking.arena);
    return status;
}
