#include "common/proof/note_keys.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

const struct note_key *note_keys_find(const struct note_keys *keys,
                                      const char *name)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->keys[i].name, name) == 0)
            return &keys->keys[i];
    return NULL;
}

static bool load_one(const char *path, bool is_witness, struct note_keys *w,
                     struct error_text *error)
{
    struct note_key key;
    if (w->count == NOTE_KEYS_MAX)
        return error_set(error, "%s: more than %d keys", path, NOTE_KEYS_MAX);
    if (!note_key_load(path, NULL, is_witness, &key, error))
        return false;
    if (note_keys_find(w, key.name) != NULL)
        return error_set(error, "%s: a second key of %s", path, key.name);
    w->keys[w->count++] = key;
    return true;
}

bool note_keys_load(const char *folder, bool are_witnesses,
                    struct note_keys *keys, struct error_text *error)
{
    keys->count = 0;
    if (folder[0] == '\0')
        return true;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return error_set(error, "%s: %m", folder);
    bool good = true;
    for (struct dirent *e; good && (e = readdir(dir)) != NULL;) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (e->d_name[0] == '.' || length < 0 || (size_t)length >= sizeof(path))
            continue;
        good = load_one(path, are_witnesses, keys, error);
    }
    closedir(dir);
    return good;
}
