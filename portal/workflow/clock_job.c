#include "portal/workflow/clock_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/digest.h"
#include "portal/store/attachment_clock.h"
#include "portal/store/outbox.h"
#include "portal/workflow/notice.h"

enum { NAME_LEN = 128, ARENA_MAX = 1024 * 1024 };

struct run {
    struct portal *portal;
    struct wall_time now;
    const struct machines *machines;
    const struct due_terms *terms;
    struct clock_count *count;
};

static int64_t one_number(struct db *db, const char *sql)
{
    struct db_statement *s = db_prepare(db, sql);
    int64_t number = 0;
    if (s == NULL)
        return 0;
    if (db_step(s) == DB_ROW)
        number = db_i64(s, 0);
    db_reset(s);
    return number;
}

/* ---- whether the time is believed ---- */

static bool is_believed(struct db *db, struct wall_time now,
                        struct error_text *error)
{
    int64_t newest =
        one_number(db, "SELECT at FROM audit ORDER BY seq DESC LIMIT 1");
    int64_t last =
        one_number(db, "SELECT at FROM clock_mark WHERE job = 'tick'");
    int64_t latest = newest > last ? newest : last;
    char ours[WALL_TEXT_LEN], theirs[WALL_TEXT_LEN];
    wall_to_text(now, ours);
    if (now.us < latest - CLOCK_BACK_HOURS * INT64_C(3600000000)) {
        wall_to_text((struct wall_time){latest}, theirs);
        return error_set(error,
                         "the clock says %s, but something was written at %s: "
                         "nothing is done by it until the clock is right",
                         ours, theirs);
    }
    if (last == 0 || now.us <= last + CLOCK_FORWARD_DAYS * INT64_C(86400000000))
        return true;
    wall_to_text((struct wall_time){last}, theirs);
    return error_set(error,
                     "the clock says %s, and ran last at %s: if no day is "
                     "missing between, the clock is wrong; if the portal stood "
                     "still, say so with yz-portal tick --confirm",
                     ours, theirs);
}

static bool set_mark(struct db *db, const char *job, struct wall_time now)
{
    struct db_statement *s =
        db_prepare(db, "INSERT INTO clock_mark (job, at) VALUES (:job, :now)"
                       " ON CONFLICT (job) DO UPDATE SET at = :now");
    if (s == NULL)
        return false;
    db_bind_text(s, ":job", job);
    db_bind_i64(s, ":now", now.us);
    return db_do(s);
}

/* ---- ids of items, some at a time ---- */

struct ids {
    int64_t of[CLOCK_BATCH];
    size_t count;
};

static bool read_ids(struct db_statement *s, struct ids *ids)
{
    enum db_step step = DB_DONE;
    while (ids->count < CLOCK_BATCH && (step = db_step(s)) == DB_ROW)
        ids->of[ids->count++] = db_i64(s, 0);
    db_reset(s);
    return step != DB_FAILED;
}

static bool find_ids(struct db *db, struct wall_time now, const char *sql,
                     struct ids *ids)
{
    struct db_statement *s = db_prepare(db, sql);
    *ids = (struct ids){0};
    if (s == NULL)
        return false;
    db_bind_i64(s, ":now", now.us);
    return read_ids(s, ids);
}

/* ---- deadlines by the calendar of today (DEAD-10) ---- */

static bool write_due(struct db *db, const struct item *item,
                      const struct due *due)
{
    struct db_statement *s = db_prepare(
        db, "UPDATE item SET due_at = :due, due_is_provisional = :provisional"
            " WHERE id = :id");
    if (s == NULL)
        return false;
    db_bind_i64(s, ":due", due->at.us);
    db_bind_i64(s, ":provisional", due->is_provisional);
    db_bind_i64(s, ":id", item->id);
    return db_do(s);
}

static bool audit_due(struct db *db, const struct run *run,
                      const struct item *item)
{
    char object[NAME_LEN];
    snprintf(object, sizeof(object), "item/%" PRId64, item->id);
    struct audit_entry entry = {"SYS", "due.move", object, "OK"};
    return audit_add(db, run->now, &entry);
}

static bool move_due(struct db *db, const struct run *run, int64_t id)
{
    struct item item;
    if (!item_find(db, id, &item) || item.due_rule == DUE_NONE)
        return true;
    struct due due = due_of(item.due_rule, item.due_from, run->terms, run->now);
    if (due.at.us == item.due_at.us &&
        due.is_provisional == item.due_is_provisional)
        return true;
    run->count->moved++;
    return write_due(db, &item, &due) && audit_due(db, run, &item);
}

/* The calendar as it is known on that day, in a mark's name. */
static void name_calendar(const struct run *run, char name[static NAME_LEN])
{
    const struct calendar *calendar = run->terms->calendar;
    struct civil_day today = day_of_wall(run->now);
    struct buffer known;
    char hex[DIGEST_HEX_LEN];
    buffer_init(&known, CALENDAR_ROWS_MAX * 16);
    for (size_t i = 0; i < calendar->count; i++) {
        const struct calendar_row *row = &calendar->rows[i];
        if (row->published.number > today.number)
            continue;
        buffer_add_u32(&known, (uint32_t)row->day.number);
        buffer_add_u32(&known, (uint32_t)row->published.number);
        buffer_add_u8(&known, row->is_workday);
    }
    digest_to_hex(digest_of(known.data, known.length), hex);
    snprintf(name, NAME_LEN, "calendar/%.16s", hex);
    buffer_clear(&known);
}

static bool has_mark(struct db *db, const char *job)
{
    struct db_statement *s =
        db_prepare(db, "SELECT 1 FROM clock_mark WHERE job = :job");
    if (s == NULL)
        return false;
    db_bind_text(s, ":job", job);
    bool found = db_step(s) == DB_ROW;
    db_reset(s);
    return found;
}

static bool next_ids(struct db *db, const struct run *run, int64_t after,
                     struct ids *ids)
{
    struct db_statement *s =
        db_prepare(db, "SELECT id FROM item WHERE id > :after"
                       " AND due_at > :now ORDER BY id LIMIT 500");
    *ids = (struct ids){0};
    if (s == NULL)
        return false;
    db_bind_i64(s, ":after", after);
    db_bind_i64(s, ":now", run->now.us);
    return read_ids(s, ids);
}

/* Once for each version of the calendar; what has been reached stays. */
static bool run_calendar(struct db *db, struct run *run)
{
    struct ids ids = {.count = 0};
    char name[NAME_LEN];
    int64_t after = 0;
    name_calendar(run, name);
    if (has_mark(db, name))
        return true;
    do {
        if (!next_ids(db, run, after, &ids))
            return false;
        for (size_t i = 0; i < ids.count; i++, after = ids.of[i - 1])
            if (!move_due(db, run, ids.of[i]))
                return false;
    } while (ids.count == CLOCK_BATCH);
    return set_mark(db, name, run->now);
}

/* ---- tasks that open and close by themselves ---- */

static bool open_task(struct db *db, struct run *run, const char *kind,
                      const char *about)
{
    struct db_statement *s = db_prepare(
        db, "INSERT INTO task (kind, about, holder, opened_at)"
            " VALUES (:kind, :about, 'province', :now)"
            " ON CONFLICT (kind, about) DO UPDATE SET opened_at = :now,"
            " closed_at = NULL WHERE closed_at IS NOT NULL");
    if (s == NULL)
        return false;
    db_bind_text(s, ":kind", kind);
    db_bind_text(s, ":about", about);
    db_bind_i64(s, ":now", run->now.us);
    bool good = db_do(s);
    run->count->tasks += good && db_changes(db) > 0;
    return good;
}

static bool close_task(struct db *db, struct run *run, const char *kind,
                       const char *about)
{
    struct db_statement *s =
        db_prepare(db, "UPDATE task SET closed_at = :now WHERE kind = :kind"
                       " AND about = :about AND closed_at IS NULL");
    if (s == NULL)
        return false;
    db_bind_text(s, ":kind", kind);
    db_bind_text(s, ":about", about);
    db_bind_i64(s, ":now", run->now.us);
    bool good = db_do(s);
    run->count->tasks += good && db_changes(db) > 0;
    return good;
}

/* A year is asked for while a deadline waits for it, or when it is so near that
 * the next ones will; the State Council publishes it in the autumn before. */
static bool run_calendar_task(struct db *db, struct run *run)
{
    struct civil_day today = day_of_wall(run->now);
    int this_year = day_year(today);
    bool waits = one_number(db, "SELECT count(*) FROM item"
                                " WHERE due_is_provisional = 1") > 0;
    for (int year = this_year; year <= this_year + 1; year++) {
        char about[16];
        bool is_there = calendar_has_year(run->terms->calendar, year, today);
        snprintf(about, sizeof(about), "%d", year);
        if (is_there && !close_task(db, run, "calendar", about))
            return false;
        if (!is_there && (waits || year == this_year) &&
            !open_task(db, run, "calendar", about))
            return false;
    }
    return true;
}

/* Messages that reached nobody, of accounts that are there (SYS-01). */
static bool run_undelivered_task(struct db *db, struct run *run)
{
    bool are_there =
        one_number(
            db, "SELECT count(*) FROM delivery WHERE next_at IS NULL"
                " AND sent_at IS NULL AND seen_at IS NULL AND tries > 0") > 0;
    return are_there ? open_task(db, run, "undelivered", "")
                     : close_task(db, run, "undelivered", "");
}

static bool run_outbox(struct db *db, struct run *run)
{
    return outbox_give_up_old(db, run->now);
}

static bool run_attachments(struct db *db, struct run *run)
{
    size_t count;
    bool good =
        attachment_sweep(portal_attachments(run->portal), db, run->now, &count);
    if (count > 0)
        log_info("attachments: %zu that belong to nothing are gone", count);
    return good;
}

/* ---- reminders (DEAD-16) and overdue reviews (DEAD-11) ---- */

/* The name under which something is told once: while it is in this state. */
static void name_once(char once[static NAME_LEN], const char *what,
                      const struct item *item, unsigned left)
{
    snprintf(once, NAME_LEN, "%s/%" PRId64 "/%" PRId64 "/%u", what, item->id,
             item->state_at.us, left);
}

/* Whether anybody was told under a name that starts so. */
static bool was_told(struct db *db, const char *once)
{
    struct db_statement *s =
        db_prepare(db, "SELECT 1 FROM message WHERE once >= :once || '/'"
                       " AND once < :once || '0' LIMIT 1");
    if (s == NULL)
        return false;
    db_bind_text(s, ":once", once);
    bool found = db_step(s) == DB_ROW;
    db_reset(s);
    return found;
}

static bool remind(struct db *db, struct run *run, int64_t id)
{
    struct item item;
    char once[NAME_LEN];
    if (!item_find(db, id, &item))
        return true;
    const struct machine *machine = machine_find(run->machines, item.machine);
    struct due due = due_of(item.due_rule, item.due_from, run->terms, run->now);
    unsigned left = due_reminder(item.due_rule, &due, run->terms, run->now);
    name_once(once, "reminder", &item, left);
    if (machine == NULL || left == 0 || was_told(db, once))
        return true;
    item.due_at = due.at;
    struct notice notice = {
        .machine = machine,
        .item = &item,
        .roles = ROLE_BIT(machine->party_kind == SCOPE_SUPPLIER ? ROLE_SUPP
                                                                : ROLE_ENT),
        .subject = TEXT_KEY("notice.reminder.subject"),
        .body = TEXT_KEY("notice.reminder.body"),
        .left = due_workdays_left(&due, run->terms, run->now),
        .once = once,
        .rings = true};
    int64_t before = one_number(db, "SELECT max(id) FROM message");
    bool good = notice_tell(db, run->now, &notice);
    run->count->reminded +=
        (unsigned)(one_number(db, "SELECT max(id) FROM message") - before);
    return good;
}

static bool next_returned(struct db *db, const struct run *run, int64_t after,
                          struct ids *ids)
{
    struct db_statement *s = db_prepare(
        db, "SELECT id FROM item WHERE holder = 'party' AND due_at > :now"
            " AND due_at < :now + 2592000000000 AND +id > :after"
            " ORDER BY id LIMIT 500");
    *ids = (struct ids){0};
    if (s == NULL)
        return false;
    db_bind_i64(s, ":now", run->now.us);
    db_bind_i64(s, ":after", after);
    return read_ids(s, ids);
}

/* Of all that end within thirty days, which is more than any reminder's time. */
static bool run_reminders(struct db *db, struct run *run)
{
    struct ids ids = {.count = 0};
    int64_t after = 0;
    do {
        if (!next_returned(db, run, after, &ids))
            return false;
        for (size_t i = 0; i < ids.count; i++, after = ids.of[i - 1])
            if (!remind(db, run, ids.of[i]))
                return false;
    } while (ids.count == CLOCK_BATCH);
    return true;
}

/* It stays open; those who see to it are told once. */
static bool tell_overdue(struct db *db, struct run *run, int64_t id)
{
    struct item item;
    char once[NAME_LEN];
    if (!item_find(db, id, &item))
        return true;
    const struct machine *machine = machine_find(run->machines, item.machine);
    if (machine == NULL)
        return true;
    name_once(once, "overdue", &item, 0);
    struct notice notice = {.machine = machine,
                            .item = &item,
                            .roles = ROLE_BIT(ROLE_CITY) | ROLE_BIT(ROLE_PROV),
                            .subject = TEXT_KEY("notice.overdue.subject"),
                            .body = TEXT_KEY("notice.overdue.body"),
                            .is_quiet = true,
                            .once = once};
    return notice_tell(db, run->now, &notice);
}

static bool run_overdue(struct db *db, struct run *run)
{
    struct ids ids;
    bool good = find_ids(
        db, run->now,
        "SELECT id FROM item WHERE holder = 'city' AND due_at <= :now"
        " AND NOT EXISTS (SELECT 1 FROM message m WHERE m.item_id = item.id"
        "  AND m.once >= 'overdue/' || item.id || '/' || item.state_at || '/'"
        "  AND m.once < 'overdue/' || item.id || '/' || item.state_at || '0')"
        " ORDER BY due_at LIMIT 500",
        &ids);
    for (size_t i = 0; good && i < ids.count; i++)
        good = tell_overdue(db, run, ids.of[i]);
    return good;
}

/* ---- the table ---- */

struct job {
    const char *name;
    bool (*run)(struct db *db, struct run *run); /* in one transaction */
};

static const struct job JOBS[] = {
    {"calendar", run_calendar},
    {"calendar_task", run_calendar_task},
    {"reminders", run_reminders},
    {"overdue", run_overdue},
    {"outbox", run_outbox},
    {"undelivered_task", run_undelivered_task},
    {"attachments", run_attachments},
};

struct job_run {
    struct run *run;
    const struct job *job;
};

static enum act_end run_job(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    struct job_run *j = context;
    bool good = j->job->run(db, j->run) && set_mark(db, j->job->name, now);
    if (!good)
        error_set(error, "clock, %s: %s", j->job->name, db_error(db));
    return good ? ACT_KEPT : ACT_FAILED;
}

/* ---- what the clock does itself: rows with is_at_due ---- */

struct finding {
    const char *machine;
    const struct transition *row;
    struct ids ids;
    int64_t versions[CLOCK_BATCH];
};

static enum act_end find_over(struct db *db, struct wall_time now,
                              void *context, struct error_text *error)
{
    struct finding *f = context;
    enum db_step step = DB_DONE;
    struct db_statement *s = db_prepare(
        db, "SELECT id, version FROM item WHERE machine = :machine"
            " AND instr(' ' || :from || ' ', ' ' || state || ' ') > 0"
            " AND due_at <= :now ORDER BY due_at, id LIMIT 500");
    error_set(error, "%s", db_error(db));
    if (s == NULL)
        return ACT_FAILED;
    db_bind_text(s, ":machine", f->machine);
    db_bind_text(s, ":from", f->row->from);
    db_bind_i64(s, ":now", now.us);
    f->ids.count = 0;
    while (f->ids.count < CLOCK_BATCH && (step = db_step(s)) == DB_ROW) {
        f->versions[f->ids.count] = db_i64(s, 1);
        f->ids.of[f->ids.count++] = db_i64(s, 0);
    }
    db_reset(s);
    return step == DB_FAILED ? ACT_FAILED : ACT_REFUSED; /* only looked */
}

/* Each is an event of its own; one that its guards refuse holds nobody up. */
static bool end_over(struct run *run, const struct machine *machine,
                     const struct transition *row, struct finding *f)
{
    struct error_text error = {""};
    struct caller caller = machine_platform();
    struct arena *arena = arena_new(ARENA_MAX);
    f->machine = machine->name;
    f->row = row;
    bool good = arena != NULL && portal_act(run->portal, run->now, NULL,
                                            find_over, f, &error) != ACT_FAILED;
    for (size_t i = 0; good && i < f->ids.count; i++) {
        struct machine_deed deed = {.machine = machine,
                                    .caller = &caller,
                                    .terms = run->terms,
                                    .arena = arena,
                                    .item = f->ids.of[i],
                                    .version = f->versions[i],
                                    .event = row->event};
        enum act_end end =
            portal_act(run->portal, run->now, NULL, machine_act, &deed, &error);
        good = end != ACT_FAILED;
        run->count->ended += end == ACT_KEPT;
        arena_reset(arena);
    }
    arena_free(arena);
    return good;
}

static bool end_all(struct run *run)
{
    static struct finding finding; /* one tick at a time */
    for (size_t i = 0; i < run->machines->count; i++) {
        const struct machine *machine = run->machines->of[i];
        for (size_t j = 0; j < machine->transition_count; j++)
            if (machine->transitions[j].is_at_due &&
                !end_over(run, machine, &machine->transitions[j], &finding))
                return false;
    }
    return true;
}

/* ---- a tick ---- */

struct believing {
    struct run *run;
    bool is_confirmed;
};

/* Those who can mend the clock see it among their work. */
static enum act_end tell_doubt(struct db *db, struct wall_time now,
                               void *context, struct error_text *error)
{
    struct run *run = context;
    (void)now;
    error_set(error, "%s", db_error(db));
    return open_task(db, run, "clock", "") ? ACT_KEPT : ACT_FAILED;
}

static enum act_end believe(struct db *db, struct wall_time now, void *context,
                            struct error_text *error)
{
    const struct believing *b = context;
    if (!b->is_confirmed && !is_believed(db, now, error))
        return ACT_REFUSED;
    error_set(error, "%s", db_error(db));
    return set_mark(db, "tick", now) && close_task(db, b->run, "clock", "")
               ? ACT_KEPT
               : ACT_FAILED;
}

enum clock_end clock_job_tick(struct portal *portal, struct wall_time now,
                              const struct machines *machines,
                              bool is_confirmed, struct clock_count *count,
                              struct error_text *error)
{
    struct run run = {portal, now, machines, portal_due_terms(portal), count};
    struct believing believing = {&run, is_confirmed};
    struct error_text ignored;
    *count = (struct clock_count){0};
    enum act_end end =
        portal_act(portal, now, NULL, believe, &believing, error);
    if (end == ACT_REFUSED)
        portal_act(portal, now, NULL, tell_doubt, &run, &ignored);
    if (end != ACT_KEPT)
        return end == ACT_REFUSED ? CLOCK_DOUBTED : CLOCK_FAILED;
    for (size_t i = 0; i < sizeof(JOBS) / sizeof(JOBS[0]); i++) {
        struct job_run job = {&run, &JOBS[i]};
        if (portal_act(portal, now, NULL, run_job, &job, error) != ACT_KEPT)
            return CLOCK_FAILED;
    }
    size_t scanned;
    return end_all(&run) && attachment_rescan(portal, now, &scanned)
               ? CLOCK_DONE
               : CLOCK_FAILED;
}
