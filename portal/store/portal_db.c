/* See registry.h. */
#include "portal/store/portal_db.h"

#include <sys/stat.h>

static const char REGISTRY_001[] =
#include "portal/store/001-registry.sql.inc"
    ;
static const char ENROLMENT_002[] =
#include "portal/store/002-enrolment.sql.inc"
    ;
static const char EXPORTER_003[] =
#include "portal/store/003-exporter.sql.inc"
    ;
static const char VERSION_004[] =
#include "portal/store/004-registry-version.sql.inc"
    ;

static const char SUPPLIER_COUNTS_005[] =
#include "portal/store/005-supplier-counts.sql.inc"
    ;
static const char ROLE_AND_STATE_006[] =
#include "portal/store/006-role-and-state.sql.inc"
    ;
static const char LIST_KEYS_007[] =
#include "portal/store/007-list-keys.sql.inc"
    ;
static const char AUDIT_HASH_008[] =
#include "portal/store/008-audit-hash.sql.inc"
    ;
static const char OUTBOX_009[] =
#include "portal/store/009-outbox.sql.inc"
    ;
static const char ACCOUNTS_010[] =
#include "portal/store/010-accounts.sql.inc"
    ;
static const char WORKFLOW_011[] =
#include "portal/store/011-workflow.sql.inc"
    ;
static const char ATTACHMENT_012[] =
#include "portal/store/012-attachment.sql.inc"
    ;
static const char SEARCH_KEYS_013[] =
#include "portal/store/013-search-keys.sql.inc"
    ;
static const char EDITION_014[] =
#include "portal/store/014-edition.sql.inc"
    ;

struct db *portal_db_open(const char *path, struct error_text *error)
{
    static const struct db_migration MIGRATIONS[] = {
        {"001-registry.sql", REGISTRY_001},
        {"002-enrolment.sql", ENROLMENT_002},
        {"003-exporter.sql", EXPORTER_003},
        {"004-registry-version.sql", VERSION_004},
        {"005-supplier-counts.sql", SUPPLIER_COUNTS_005},
        {"006-role-and-state.sql", ROLE_AND_STATE_006},
        {"007-list-keys.sql", LIST_KEYS_007},
        {"008-audit-hash.sql", AUDIT_HASH_008},
        {"009-outbox.sql", OUTBOX_009},
        {"010-accounts.sql", ACCOUNTS_010},
        {"011-workflow.sql", WORKFLOW_011},
        {"012-attachment.sql", ATTACHMENT_012},
        {"013-search-keys.sql", SEARCH_KEYS_013},
        {"014-edition.sql", EDITION_014},
    };
    mode_t before = umask(027);
    struct db *db = db_open(path, DB_WRITE, MIGRATIONS,
                            sizeof(MIGRATIONS) / sizeof(MIGRATIONS[0]), error);
    umask(before);
    return db;
}
