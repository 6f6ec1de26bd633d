#include "common/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool durable_path(char path[static DURABLE_PATH_LEN], const char *folder,
                  const char *name)
{
    int length = snprintf(path, DURABLE_PATH_LEN, "%s/%s", folder, name);
    if (length > 0 && length < DURABLE_PATH_LEN)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

bool durable_folder_of(char folder[static DURABLE_PATH_LEN], const char *path)
{
    const char *slash = strrchr(path, '/');
    struct slice name = SLICE(".");
    if (slash != NULL)
        name = slice_of_bytes(path, slash == path ? 1 : (size_t)(slash - path));
    if (slice_copy(name, folder, DURABLE_PATH_LEN))
        return true;
    errno = ENAMETOOLONG;
    return false;
}

bool durable_sync_folder_of(const char *path)
{
    char folder[DURABLE_PATH_LEN];
    if (!durable_folder_of(folder, path))
        return false;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good = fsync(fd) == 0;
    close(fd);
    return good;
}

bool durable_add(int fd, struct slice content)
{
    size_t done = 0;
    while (done < content.length) {
        ssize_t n = write(fd, content.data + done, content.length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

/* link(2) never replaces a name. */
static bool give_name(const char *fresh, const char *path, bool may_replace)
{
    if (may_replace)
        return rename(fresh, path) == 0;
    if (link(fresh, path) != 0)
        return false;
    unlink(fresh);
    return true;
}

static bool write_file(const char *path, struct slice content, mode_t mode,
                       bool may_replace)
{
    char fresh[DURABLE_PATH_LEN];
    int length = snprintf(fresh, sizeof(fresh), "%s.new", path);
    if (length < 0 || length >= (int)sizeof(fresh)) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return false;
    bool good =
        fchmod(fd, mode) == 0 && durable_add(fd, content) && fsync(fd) == 0;
    int reason = errno;
    close(fd);
    if (good && give_name(fresh, path, may_replace))
        return durable_sync_folder_of(path);
    if (good)
        reason = errno;
    unlink(fresh);
    errno = reason;
    return false;
}

bool durable_write(const char *path, struct slice content, mode_t mode)
{
    return write_file(path, content, mode, true);
}

bool durable_create(const char *path, struct slice content, mode_t mode)
{
    return write_file(path, content, mode, false);
}

bool durable_move(const char *from, const char *to)
{
    return rename(from, to) == 0 && durable_sync_folder_of(to) &&
           durable_sync_folder_of(from);
}

/* The folder around it may be one that is not ours to read; it was then made
 * with the system. */
bool durable_folder(const char *path)
{
    struct stat info;
    if (mkdir(path, 0700) != 0) {
        if (errno != EEXIST || stat(path, &info) != 0)
            return false;
        errno = ENOTDIR;
        if (!S_ISDIR(info.st_mode))
            return false;
    }
    return durable_sync_folder_of(path) || errno == EACCES;
}
