/* See due.h. */
#include "rules/due.h"

#include <assert.h>
#include <stddef.h>

enum { REMINDERS_MAX = 2 };

struct due_row {
    const char *name;
    size_t workdays;                   /* place of its parameter */
    unsigned reminders[REMINDERS_MAX]; /* working days before; falling */
};

#define PARAMETER(member) offsetof(struct parameters, member)

static const struct due_row ROWS[DUE_RULE_COUNT] = {
    [DUE_NONE] = {"", 0, {0}},
    [DUE_REGISTRATION_REVIEW] = {"registration_review",
                                 PARAMETER(registration_review_workdays),
                                 {0}},
    [DUE_VOUCHER_REVIEW] = {"application_review",
                            PARAMETER(voucher_review_workdays),
                            {0}},
    [DUE_CORRECTION] = {"correction",
                        PARAMETER(correction_window_workdays),
                        {5, 1}}, /* DEAD-16 */
};

const char *due_rule_name(enum due_rule rule)
{
    assert(rule < DUE_RULE_COUNT);
    return ROWS[rule].name;
}

bool due_rule_from(struct slice name, enum due_rule *rule)
{
    for (int i = DUE_NONE; i < DUE_RULE_COUNT; i++) {
        if (slice_equal_text(name, ROWS[i].name)) {
            *rule = (enum due_rule)i;
            return true;
        }
    }
    return false;
}

static unsigned workdays_of(enum due_rule rule,
                            const struct parameters *parameters)
{
    const char *base = (const char *)parameters;
    return (unsigned)*(const uint64_t *)(base + ROWS[rule].workdays);
}

static struct civil_day day_behind(struct civil_day day)
{
    return (struct civil_day){day.number + 1};
}

struct due due_of(enum due_rule rule, struct wall_time start,
                  const struct due_terms *terms, struct wall_time now)
{
    assert(rule > DUE_NONE && rule < DUE_RULE_COUNT);
    struct calendar_due found = calendar_due_day(
        terms->calendar, day_of_wall(start),
        workdays_of(rule, terms->parameters), day_of_wall(now));
    return (struct due){found.day, day_start(day_behind(found.day)),
                        found.is_provisional};
}

bool due_is_over(const struct due *due, struct wall_time now)
{
    return now.us >= due->at.us;
}

unsigned due_workdays_left(const struct due *due, const struct due_terms *terms,
                           struct wall_time now)
{
    struct civil_day today = day_of_wall(now);
    return calendar_count_workdays(terms->calendar, day_behind(today),
                                   day_behind(due->day), today);
}

unsigned due_workdays_late(const struct due *due, const struct due_terms *terms,
                           struct wall_time now)
{
    struct civil_day today = day_of_wall(now);
    return calendar_count_workdays(terms->calendar, day_behind(due->day),
                                   day_behind(today), today);
}

unsigned due_reminder(enum due_rule rule, const struct due *due,
                      const struct due_terms *terms, struct wall_time now)
{
    unsigned left = due_workdays_left(due, terms, now), found = 0;
    if (due_is_over(due, now))
        return 0;
    for (int i = 0; i < REMINDERS_MAX; i++)
        if (left <= ROWS[rule].reminders[i])
            found = ROWS[rule].reminders[i];
    return found;
}
