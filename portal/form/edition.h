/*
 * The editions of a record that are kept (table item_edition): 0 is the draft
 * being written, 1 and on are what was submitted, which never change. After a
 * submission there is no draft; what is written next begins with the newest
 * edition.
 */
#ifndef PORTAL_FORM_EDITION_H
#define PORTAL_FORM_EDITION_H

#include "common/db.h"
#include "portal/form/form.h"

enum { EDITION_DRAFT = 0 };

struct edition {
    int64_t number;
    struct digest sha256;
    struct wall_time saved_at;
    const char *saved_by; /* in the arena; "" of none */
};

/* Texts go into the arena of the answers. False when there is no such edition,
 * or the query failed: the answers are then as they were. */
bool edition_read(struct db *db, int64_t item, int64_t number,
                  struct answers *answers, struct edition *edition);
/* What is written on: the draft, or else the newest edition, or nothing, which
 * has number 0 and nobody's name. False: the query failed. */
bool edition_read_draft(struct db *db, int64_t item, struct answers *answers,
                        struct edition *edition);
/* The newest one that was submitted; 0: none. */
int64_t edition_newest(struct db *db, int64_t item);

/* Inside an act. False: the query failed. */
bool edition_save_draft(struct db *db, struct wall_time now, int64_t item,
                        const struct answers *answers, const char *by);
/* The answers become the next edition, and the draft is gone. */
bool edition_submit(struct db *db, struct wall_time now, int64_t item,
                    const struct answers *answers, const char *by,
                    int64_t *number);

#endif
