#include "common/crypto/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/durable.h"

FILE *key_file_open(const char *path, struct error_text *error)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (f == NULL || fstat(fileno(f), &st) != 0)
        error_set(error, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        error_set(error, "%s: not a file", path);
    else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        error_set(error,
                  "%s: others than the owner may use this key (mode %03o, "
                  "should be 600)",
                  path, (unsigned)(st.st_mode & 0777));
    else
        return f;
    if (f != NULL)
        fclose(f);
    return NULL;
}

FILE *key_file_create(const char *path, struct error_text *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (f == NULL) {
        error_set(error, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    return f;
}

bool key_file_finish(FILE *file, const char *path, bool is_written,
                     struct error_text *error)
{
    bool good = is_written && fflush(file) == 0 && fsync(fileno(file)) == 0;
    good = fclose(file) == 0 && good;
    if (good && durable_sync_folder_of(path))
        return true;
    unlink(path);
    return error_set(error, "%s: could not be written", path);
}
