/* A registry of its own for a test, below $B, gone when it ends. */
#ifndef TESTS_PORTAL_SCRATCH_H
#define TESTS_PORTAL_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "portal/store/portal_db.h"

struct scratch {
    char folder[200];
    char path[256]; /* of portal.db */
    struct db *db;
};

static inline void scratch_open(struct scratch *scratch)
{
    struct error_text error;
    const char *base = getenv("B");
    snprintf(scratch->folder, sizeof(scratch->folder), "%s/scratch-XXXXXX",
             base != NULL ? base : "build");
    if (mkdtemp(scratch->folder) == NULL)
        fatal(1, "%s: cannot make a folder", scratch->folder);
    snprintf(scratch->path, sizeof(scratch->path), "%s/portal.db",
             scratch->folder);
    scratch->db = portal_db_open(scratch->path, &error);
    if (scratch->db == NULL)
        fatal(1, "%s", error.text);
}

static inline int scratch_remove(const char *path, const struct stat *about,
                                 int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void scratch_close(struct scratch *scratch)
{
    db_close(scratch->db);
    nftw(scratch->folder, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
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
