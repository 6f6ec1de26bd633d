/* The public keys of the witnesses that one trusts. */
#ifndef COMMON_PROOF_WITNESS_KEYS_H
#define COMMON_PROOF_WITNESS_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/log.h"
#include "common/proof/note.h"

enum { WITNESS_KEYS_MAX = 64 };

/* The public keys in a folder, one a file (note_key_load); names are unique.
 * "" has none. */
struct witness_keys {
    struct note_key keys[WITNESS_KEYS_MAX];
    size_t count;
};
bool witness_keys_load(const char *folder, struct witness_keys *witnesses,
                       struct error_text *error);

/* The one of this name, NULL without. */
const struct note_key *witness_keys_find(const struct witness_keys *witnesses,
                                         const char *name);

#endif
