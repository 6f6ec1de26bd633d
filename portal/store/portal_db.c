/* See registry.h. */
#include "portal/store/portal_db.h"

#include <sys/stat.h>

struct db *portal_db_open(const char *path, struct error_text *error)
{
    static const struct db_migration MIGRATIONS[] = {
#include "portal/store/schema.inc"
    };
    mode_t before = umask(027);
    struct db *db = db_open(path, DB_WRITE, MIGRATIONS,
                            sizeof(MIGRATIONS) / sizeof(MIGRATIONS[0]), error);
    umask(before);
    return db;
}
