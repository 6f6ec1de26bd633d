#include "collector/ledger/schema.h"

const struct db_migration ledger_migrations[] = {
#include "collector/ledger/schema.inc"
};
const size_t ledger_migration_count =
    sizeof(ledger_migrations) / sizeof(ledger_migrations[0]);
