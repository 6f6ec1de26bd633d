/* Programme data of a rules folder into the registry; a step of load.c. */
#ifndef PORTAL_LOAD_LOAD_PROGRAMME_H
#define PORTAL_LOAD_LOAD_PROGRAMME_H

#include "portal/load/load.h"

/* Inside a transaction. A catalogue version that is there already must be the
 * same (CAT-04); titles and cities may change. */
bool load_programme(struct db *db, const struct load_options *options,
                    struct load_counts *counts, struct error_text *error);

#endif
