/* A folder of a test's own, below $B (the build folder), gone when it ends. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_LEN = 256 };

static inline void folder_make(char path[static FOLDER_LEN])
{
    const char *base = getenv("B");
    int length =
        snprintf(path, FOLDER_LEN, "%s/%s-XXXXXX",
                 base != NULL ? base : "build", program_invocation_short_name);
    if (length >= FOLDER_LEN || mkdtemp(path) == NULL) {
        perror(path);
        exit(1);
    }
}

static inline int folder_remove_one(const char *path, const struct stat *about,
                                    int kind, struct FTW *place)
{
    (void)about, (void)kind, (void)place;
    return remove(path);
}

/* With all that is in it. */
static inline void folder_remove(const char *path)
{
    nftw(path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
