/*
 * Where the kept evidence lies, and the schema of usage.db.
 */
#ifndef COLLECTOR_LEDGER_SCHEMA_H
#define COLLECTOR_LEDGER_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "common/db.h"

/* The files that the functions of this folder work on; borrowed. */
struct ledger_paths {
    const char *registry; /* portal.db, read only */
    const char *usage_db;
    const char *archive; /* folder */
};

/* The schema of usage.db, for those who open it too. */
extern const struct db_migration ledger_migrations[];
extern const size_t ledger_migration_count;

#endif
