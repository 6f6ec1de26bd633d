/*
 * The databases that other programs write, as a reader of the portal sees them:
 * `usage` (yz-collector) and `verdict` (yz-verifier).
 *
 * A page never asks whether one is there. As long as its file is missing, or
 * has not yet all the tables that pages read, an empty one made from its owner's
 * schema stands in its place; it is looked for again with every request. Where a
 * file is there whose owner of today has not opened it yet, every page says so.
 */
#ifndef PORTAL_STORE_OTHERS_H
#define PORTAL_STORE_OTHERS_H

#include <stdbool.h>

#include "common/db.h"
#include "portal/store/portal_config.h"

enum other { OTHER_USAGE, OTHER_VERDICT, OTHER_COUNT };

struct others {
    bool is_there[OTHER_COUNT]; /* the file; false: an empty one */
    bool is_older[OTHER_COUNT]; /* the file lacks tables of today */
};

/* Once for a connection: everything is empty at first. */
bool others_open(struct db *db, struct error_text *error);
/* Outside a transaction. False when a connection is left without one of them,
 * which only a lack of memory can do. */
bool others_look(struct db *db, const struct portal_config *config,
                 struct others *others);

#endif
