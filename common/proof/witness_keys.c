#include "common/proof/witness_keys.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

const struct note_key *witness_keys_find(const struct witness_keys *witnesses,
                                         const char *name)
{
    for (size_t i = 0; i < witnesses->count; i++)
        if (strcmp(witnesses->keys[i].name, name) == 0)
            return &witnesses->keys[i];
    return NULL;
}

static bool load_one(const char *path, struct witness_keys *w,
                     struct error_text *error)
{
    struct note_key key;
    if (w->count == WITNESS_KEYS_MAX)
        return error_set(error, "%s: more than %d witnesses", path,
                         WITNESS_KEYS_MAX);
    if (!note_key_load(path, NULL, true, &key, error))
        return false;
    if (witness_keys_find(w, key.name) != NULL)
        return error_set(error, "%s: a second key of %s", path, key.name);
    w->keys[w->count++] = key;
    return true;
}

bool witness_keys_load(const char *folder, struct witness_keys *witnesses,
                       struct error_text *error)
{
    witnesses->count = 0;
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
        good = load_one(path, witnesses, error);
    }
    closedir(dir);
    return good;
}
