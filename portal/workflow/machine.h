/*
 * State machines: what may happen with a record is a table of rows.
 *
 *   static const struct transition ROWS[] = {
 *       {"DRAFT", "submit", ROLE_BIT(ROLE_ENT), ACTION_ENTERPRISE_FILE,
 *        .form = &REGISTRATION_FORM, .guards = {GUARD(code_is_free)},
 *        .to = "PENDING_CITY", .submits = true, .effects = {EFFECT(keep_edition)},
 *        .due = DUE_REGISTRATION_REVIEW, .tells = ROLE_BIT(ROLE_CITY),
 *        .subject = TEXT_KEY("..."), .body = TEXT_KEY("..."),
 *        .requirement = "ENT-01 ENT-03"},
 *
 * To add an action is to add a row, and a guard of ten lines where there is none
 * yet. One function does an event, machine_act(): who asks may see the item
 * (else E_SCOPE) and do this (E_ROLE), nobody was faster (E_STALE), the item
 * stands where this can happen (E_STATE), every guard agrees; then number and
 * time of a first submission, the row's effects in their order, the new state
 * with whose desk it is on, the deadline, the timeline, the messages, the audit
 * row with the record's hash before and after. It is one transaction: all of it
 * is there, or nothing, whenever the program is killed (SYS-06).
 *
 * A request has a number, which its form carries. The same one again has the
 * effect of one; with other content it is refused (SYS-03). What is refused
 * leaves an audit row with its code (AUD-01).
 *
 * The platform itself is an actor, SYS, for what the clock does.
 */
#ifndef PORTAL_WORKFLOW_MACHINE_H
#define PORTAL_WORKFLOW_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "portal/access/caller.h"
#include "portal/access/permission.h"
#include "portal/form/refusal.h"
#include "portal/store/portal.h"
#include "portal/workflow/item.h"

struct answers;
struct form;
struct machine;
struct step;

enum { TRANSITION_STEPS_MAX = 6, MACHINE_REQUEST_MAX = 64 };

#define ROLE_BIT(role) (1u << (role))

/* Whether this may happen; else it refuses, step->refusal, with one code. */
typedef bool guard_fn(struct step *step);
/* Does one thing in the transaction. False when the database fails, or with a
 * refusal, which undoes everything. */
typedef bool effect_fn(struct step *step);

/* With their names, by which machine_print() says them. */
struct transition_guard {
    const char *name; /* NULL: none */
    guard_fn *is_met;
};
struct transition_effect {
    const char *name;
    effect_fn *run;
};
#define GUARD(fn)                                                              \
    {                                                                          \
#fn, fn                                                                \
    }
#define EFFECT(fn)                                                             \
    {                                                                          \
#fn, fn                                                                \
    }

struct transition {
    const char *from;        /* states, blanks between: "ACTIVE RETURNED" */
    const char *event;       /* "submit" */
    unsigned actors;         /* ROLE_BIT of each */
    enum action action;      /* in which the matrix gives them a right to act */
    const struct form *form; /* what is asked; NULL: nothing */
    struct transition_guard guards[TRANSITION_STEPS_MAX];
    const char *to; /* NULL: it stays where it is */
    struct transition_effect effects[TRANSITION_STEPS_MAX];
    enum due_rule due; /* the deadline that starts; DUE_NONE: none runs */
    bool keeps_due;    /* the one that runs goes on instead */
    bool submits;      /* the first one gives number and time */
    bool is_at_due;    /* the clock does it when the deadline is over */
    unsigned tells;    /* roles that get the message */
    bool rings;        /* by short message, too */
    const char *subject, *body; /* of it; text keys with what notice.h gives */
    const char *requirement;
};

struct machine_state {
    const char *name;
    enum holder holder; /* on whose desk it lies; HOLDER_NONE: on nobody's */
    bool is_final;
};

struct machine {
    const char *name;           /* "enterprise_registration" */
    const char *title;          /* text key: what such a record is called */
    const char *number_prefix;  /* "R": R-2026-000001 */
    enum scope_kind party_kind; /* what its parties are */
    const char *state_words, *event_words; /* prefixes of text keys */
    /* Text key: what follows when a correction window passes (DEAD-16); NULL. */
    const char *consequence;
    const struct machine_state *states;
    size_t state_count;
    const struct transition *transitions;
    size_t transition_count;
    /* What belongs to the record beside its item, for the hash; NULL: nothing. */
    bool (*add_record)(struct db *db, const struct item *item,
                       struct buffer *out);
    const char *page;     /* address of an item: this and its number */
    const char *own_page; /* for its party, which has one such item; or NULL */
};

/* All of them; the table stands above this room, in portal/record/machines.c. */
struct machines {
    const struct machine *const *of;
    size_t count;
};
const struct machine *machine_find(const struct machines *machines,
                                   const char *name);
bool machine_has_state(const struct machine *machine, const char *name);

/* One event while it is done. */
struct step {
    struct db *db;
    struct wall_time now;
    const struct machine *machine;
    const struct transition *transition;
    const struct caller *caller;
    const struct due_terms *terms;
    struct arena *arena;
    const struct item *before;
    struct item item; /* as it will be: effects may set city, title, times */
    const struct answers *answers; /* what was asked; may be NULL */
    int64_t edition;    /* set by the effect that stores one; else 0 */
    const char *reason; /* set by an effect: why, told to the parties */
    struct refusal *refusal;
};

/* What somebody wants done. */
struct machine_deed {
    const struct machine *machine;
    const struct caller *caller;
    const struct due_terms *terms;
    struct arena *arena;
    int64_t item;
    int64_t version; /* that the caller saw */
    const char *event;
    const char *request;           /* the request's number; NULL: none */
    const struct answers *answers; /* NULL: nothing was asked */

    /* Afterwards: */
    struct refusal refusal; /* of ACT_REFUSED */
    struct item after;      /* of ACT_KEPT */
    bool is_repeat;         /* it had been done already */
};

/* The act_fn of a deed, its context. */
enum act_end machine_act(struct db *db, struct wall_time now, void *deed,
                         struct error_text *error);
/* The same through the portal's runner (portal != NULL) or a command's own
 * connection, and the audit row of a refusal. */
enum act_end machine_do(struct portal *portal, struct wall_time now,
                        struct machine_deed *deed, struct error_text *error);
enum act_end machine_do_on(struct db *db, struct wall_time now,
                           struct machine_deed *deed, struct error_text *error);

/* The rows whose event the caller may do now: buttons, and links of the API.
 * Gives their number, at most `max`. */
size_t machine_events(const struct machine *machine, const struct item *item,
                      const struct caller *caller,
                      const struct transition **events, size_t max);

/* Begins an item, inside a transaction of the caller, which needs no audit entry
 * of its own. Of `singular` there is one only: whoever comes second gets the
 * first one. In a state that is no draft it has its number at once (an import).
 * False when the database fails. */
struct machine_opening {
    const struct machine *machine;
    const struct caller *caller;
    const char *state, *party;
    const char *city_code, *title, *singular; /* NULL: none */
};
bool machine_open(struct db *db, struct wall_time now,
                  const struct machine_opening *opening, struct item *item);
/* The name of a draft in lists; inside a transaction. */
bool machine_set_title(struct db *db, int64_t item, const char *title);

/* The caller that is the platform. */
struct caller machine_platform(void);

/* One machine as a table: from, event, actors, guards, to, effects, deadline,
 * told, requirements; parted by tabs. */
void machine_print(const struct machine *machine, struct buffer *out);
/* Its states: name, whose desk, whether it is final. */
void machine_print_states(const struct machine *machine, struct buffer *out);

#endif
