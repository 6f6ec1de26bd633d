/*
 * Who is told, in which words (SYS-01, REV-06).
 *
 * A row of a machine names roles; the party's role means all its people, a
 * bureau's those of the item's city, the province's all. Each gets the message
 * in the portal's inbox, and where there is an address by mail. Sentences may
 * use {number} {title} {state} {at} {due} {city} {reason} {left} {consequence}.
 */
#ifndef PORTAL_WORKFLOW_NOTICE_H
#define PORTAL_WORKFLOW_NOTICE_H

#include <stdbool.h>

#include "common/db.h"
#include "portal/workflow/item.h"

struct machine;

struct notice {
    const struct machine *machine;
    const struct item *item;
    unsigned roles;             /* ROLE_BIT of each */
    const char *subject, *body; /* text keys */
    const char *reason;         /* NULL: none */
    unsigned left;              /* working days, of a reminder */
    bool rings;                 /* by short message, too */
    bool is_quiet;              /* in the inbox alone */
    const char *once; /* told once to each: the start of a name; NULL: always */
};

/* Inside a transaction. */
bool notice_tell(struct db *db, struct wall_time now,
                 const struct notice *notice);

#endif
