/* Public keys that one trusts: of witnesses, of names that a log had before. */
#ifndef COMMON_PROOF_NOTE_KEYS_H
#define COMMON_PROOF_NOTE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/log.h"
#include "common/proof/note.h"

enum { NOTE_KEYS_MAX = 64 };

/* The public keys in a folder, one a file (note_key_load); names are unique.
 * "" has none. */
struct note_keys {
    struct note_key keys[NOTE_KEYS_MAX];
    size_t count;
};
bool note_keys_load(const char *folder, bool are_witnesses,
                    struct note_keys *keys, struct error_text *error);

/* The one of this name, NULL without. */
const struct note_key *note_keys_find(const struct note_keys *keys,
                                      const char *name);

#endif
