/*
 * Tokens with which suppliers' programs show who they are. A token is 32 random
 * bytes in hex, shown once; its SHA-256 is kept. Being random it cannot be
 * guessed, so it is found by its hash alone.
 */
#ifndef PORTAL_ACCESS_API_TOKEN_H
#define PORTAL_ACCESS_API_TOKEN_H

#include <stdbool.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/slice.h"

enum {
    API_TOKEN_LEN = 65,  /* with its NUL */
    API_HANDLE_LEN = 13, /* with its NUL */
    API_SUPPLIER_LEN = 65,
};

struct api_caller {
    char handle[API_HANDLE_LEN];
    char supplier_id[API_SUPPLIER_LEN];
};

/* With its audit row, in a transaction of its own. */
bool api_token_add(struct db *db, struct wall_time now, const char *supplier_id,
                   char token[static API_TOKEN_LEN],
                   char handle[static API_HANDLE_LEN],
                   struct error_text *error);
bool api_token_revoke(struct db *db, struct wall_time now, const char *handle,
                      struct error_text *error);
/* `authorization` as in the header: "Bearer TOKEN". */
bool api_token_find(struct db *db, struct slice authorization,
                    struct api_caller *caller);

#endif
