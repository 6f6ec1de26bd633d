#include "ledger/schema.h"

const struct db_migration ledger_migrations[] = {
    {
        "001-ledger.sql",
#include "ledger/001-ledger.sql.inc"
    },
    {
        "002-detail.sql",
#include "ledger/002-detail.sql.inc"
    },
    {
        "003-loss.sql",
#include "ledger/003-loss.sql.inc"
    },
    {
        "004-log.sql",
#include "ledger/004-log.sql.inc"
    },
    {
        "005-match.sql",
#include "ledger/005-match.sql.inc"
    },
    {
        "006-number.sql",
#include "ledger/006-number.sql.inc"
    },
    {
        "007-boot.sql",
#include "ledger/007-boot.sql.inc"
    },
};
const size_t ledger_migration_count =
    sizeof(ledger_migrations) / sizeof(ledger_migrations[0]);
