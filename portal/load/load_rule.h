/*
 * What must hold between the columns of a row, and between it and the registry:
 * the programme's rules for what is loaded, so that a file is no way around
 * what the pages refuse (ORG-08).
 *
 * A rule is a row: the requirement, the column it is about, the sentence, and a
 * query that finds something when it is broken. The query names the row's
 * columns as parameters, and :now. What it selects fills the sentence, by the
 * names of its columns: those that end in `_at` are instants. {value} is the
 * cell. To add one: a row here, its sentence in text/load.po, a row in
 * tests/portal/load/refusals.rows.
 */
#ifndef PORTAL_LOAD_LOAD_RULE_H
#define PORTAL_LOAD_LOAD_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/db.h"
#include "portal/load/load_table.h"

struct load_rule {
    const char *table, *requirement, *column, *said;
    const char *broken;
    /* What SQL cannot compare: whether what was found, its first column, does
     * break the rule. */
    bool (*confirm)(const struct load_row *row, const char *found);
    bool is_real; /* not asked of a demonstration's rows */
    bool is_flag; /* told to whoever loads, and nothing is refused */
};

extern const struct load_rule LOAD_RULES[];
extern const size_t LOAD_RULE_COUNT;

/* The whole row, before it is inserted or changes the one that is there. False
 * when it is refused. */
bool load_rule_check(struct db *db, struct load_row *row);

/* The next flag from *index on that the row, which is in the registry now,
 * raises: *index is behind it, row->refused_column and row->refusal say what it
 * is. False when there is none. */
bool load_rule_flag(struct db *db, struct load_row *row, size_t *index);

#endif
