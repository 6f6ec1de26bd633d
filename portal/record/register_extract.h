/*
 * Extracts of the company register (F29) as a hint at registrations (ENT-11):
 * what was typed beside what stands there. They refuse nothing and decide
 * nothing; the newest one counts, older ones stay readable.
 */
#ifndef PORTAL_RECORD_REGISTER_EXTRACT_H
#define PORTAL_RECORD_REGISTER_EXTRACT_H

#include "portal/form/field.h"
#include "portal/show/model.h"
#include "portal/store/act.h"

struct visit;

/* "_hints": part_hints.html; for each field that the extract has: same, differs,
 * not in the extract, no extract. */
void register_add_hints(struct visit *visit, const struct answers *answers,
                        struct model *model);

/* A CSV file in UTF-8 with a header line: credit_code, name, state, and where it
 * has them address, established, legal_representative. */
struct register_import {
    const char *by, *source;
    struct civil_day day; /* as of which it is */
    struct slice text;
    struct arena *arena;
    /* Afterwards: */
    struct refusal refusal; /* E_IMPORT_ROW names the first bad row */
    size_t row_count;
};
/* The act_fn of an import, its context: all of it or nothing. */
enum act_end register_import(struct db *db, struct wall_time now, void *import,
                             struct error_text *error);

#endif
