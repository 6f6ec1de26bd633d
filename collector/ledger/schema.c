#include "collector/ledger/schema.h"

const struct db_migration ledger_migrations[] = {
    {
        "001-ledger.sql",
#include "collector/ledger/001-ledger.sql.inc"
    },
    {
        "002-detail.sql",
#include "collector/ledger/002-detail.sql.inc"
    },
    {
        "003-loss.sql",
#include "collector/ledger/003-loss.sql.inc"
    },
    {
        "004-log.sql",
#include "collector/ledger/004-log.sql.inc"
    },
    {
        "005-match.sql",
#include "collector/ledger/005-match.sql.inc"
    },
    {
        "006-number.sql",
#include "collector/ledger/006-number.sql.inc"
    },
    {
        "007-boot.sql",
#include "collector/ledger/007-boot.sql.inc"
    },
    {
        "008-event-list.sql",
#include "collector/ledger/008-event-list.sql.inc"
    },
};
const size_t ledger_migration_count =
    sizeof(ledger_migrations) / sizeof(ledger_migrations[0]);
