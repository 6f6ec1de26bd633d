/*
 * A file gets its name by link(2), which never replaces: it is written under
 * another name and synced before, so that no reader sees half of it.
 */
#include "collector/tlog/checkpoint_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/proof/note.h"

static const char SUFFIX[] = ".checkpoint";
enum { LIST_MAX = 10 * 1000 * 1000 };

static bool number_of(const char *name, uint64_t *number)
{
    struct slice text = slice_of_text(name);
    if (!slice_ends_with_nocase(text, SLICE(".checkpoint")))
        return false;
    text.length -= sizeof(SUFFIX) - 1;
    return text.length >= 6 && parse_u64(text, 1, INT64_MAX, number);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool append(uint64_t **numbers, size_t *count, uint64_t number)
{
    if ((*count & (*count - 1)) == 0) { /* a power of two, or none yet */
        size_t room = *count > 0 ? 2 * *count : 1;
        uint64_t *more =
            *count < LIST_MAX ? realloc(*numbers, room * sizeof(*more)) : NULL;
        if (more == NULL)
            return false;
        *numbers = more;
    }
    (*numbers)[(*count)++] = number;
    return true;
}

bool checkpoint_file_list(const char *folder, uint64_t **numbers, size_t *count,
                          struct error_text *error)
{
    *numbers = NULL;
    *count = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return errno == ENOENT || error_set(error, "%s: %m", folder);
    bool good = true;
    for (struct dirent *e; good && (e = readdir(dir)) != NULL;) {
        uint64_t number;
        if (number_of(e->d_name, &number))
            good = append(numbers, count, number);
    }
    closedir(dir);
    if (!good)
        return error_set(error, "%s: out of memory", folder);
    if (*count > 0)
        qsort(*numbers, *count, sizeof(**numbers), compare);
    return true;
}

static bool path_of(const char *folder, uint64_t number, const char *suffix,
                    char path[static PATH_MAX])
{
    int length = snprintf(path, PATH_MAX, "%s/%06llu%s", folder,
                          (unsigned long long)number, suffix);
    return length > 0 && length < PATH_MAX;
}

bool checkpoint_file_read(const char *folder, uint64_t number,
                          struct buffer *note, struct error_text *error)
{
    char path[PATH_MAX];
    buffer_init(note, NOTE_MAX);
    if (!path_of(folder, number, SUFFIX, path))
        return error_set(error, "%s: too long a path", folder);
    return buffer_read_file(note, path, NOTE_MAX) ||
           error_set(error, "%s: %m", path);
}

static bool write_synced(const char *path, struct slice note)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    bool good = write(fd, note.data, note.length) == (ssize_t)note.length &&
                fsync(fd) == 0;
    return close(fd) == 0 && good;
}

static bool sync_and_close(int fd)
{
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* The names in it, and its own, which may be new; unless the folder around it is
 * not ours to read, and so was not made by us. */
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int parent =
        fd < 0 ? -1 : openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_named =
        (fd >= 0 && parent < 0 && errno == EACCES) || sync_and_close(parent);
    return sync_and_close(fd) && is_named;
}

static bool holds(const char *folder, uint64_t number, struct slice note)
{
    struct buffer there;
    struct error_text unused;
    bool is_same = checkpoint_file_read(folder, number, &there, &unused) &&
                   slice_equal(buffer_slice(&there), note);
    buffer_clear(&there);
    return is_same;
}

bool checkpoint_file_write(const char *folder, uint64_t number,
                           struct slice note, struct error_text *error)
{
    char path[PATH_MAX], draft[PATH_MAX];
    if (!path_of(folder, number, SUFFIX, path) ||
        !path_of(folder, number, ".new", draft))
        return error_set(error, "%s: too long a path", folder);
    if (mkdir(folder, 0755) != 0 && errno != EEXIST)
        return error_set(error, "%s: %m", folder);
    if (!write_synced(draft, note)) {
        error_set(error, "%s: %m", draft);
        unlink(draft);
        return false;
    }
    bool is_there = link(draft, path) != 0 && errno == EEXIST;
    bool good =
        is_there ? holds(folder, number, note) : access(path, F_OK) == 0;
    if (!good)
        error_set(error, is_there ? "%s holds another checkpoint" : "%s: %m",
                  path);
    unlink(draft);
    return good && (sync_folder(folder) || error_set(error, "%s: %m", folder));
}
