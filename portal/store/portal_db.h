/* portal.db: opening it with its migrations. */
#ifndef PORTAL_STORE_PORTAL_DB_H
#define PORTAL_STORE_PORTAL_DB_H

#include "common/db.h"

/* For writing; the file is made when it is not there, readable by its owner
 * and group only. NULL with a reason. */
struct db *portal_db_open(const char *path, struct error_text *error);

#endif
