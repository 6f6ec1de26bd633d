/* A registry of its own for a test, below $B, gone when it ends. */
#ifndef TESTS_PORTAL_SCRATCH_H
#define TESTS_PORTAL_SCRATCH_H

#include <stdio.h>

#include "portal/store/portal_db.h"
#include "tests/folder.h"

struct scratch {
    char folder[FOLDER_LEN];
    char path[FOLDER_LEN + 16]; /* of portal.db */
    struct db *db;
};

static inline void scratch_open(struct scratch *scratch)
{
    struct error_text error;
    folder_make(scratch->folder);
    snprintf(scratch->path, sizeof(scratch->path), "%s/portal.db",
             scratch->folder);
    scratch->db = portal_db_open(scratch->path, &error);
    if (scratch->db == NULL)
        fatal(1, "%s", error.text);
}

static inline void scratch_close(struct scratch *scratch)
{
    db_close(scratch->db);
    folder_remove(scratch->folder);
}

/* A file in the scratch folder. */
static inline void scratch_write(const struct scratch *scratch,
                                 const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", scratch->folder, name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        fatal(1, "%s: cannot write", path);
    fputs(text, file);
    fclose(file);
}

#endif
