#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/slice.h"

enum { FILE_LEN = 2 * SECRET_LEN + 1, PATH_LEN = 4096 };

static bool sync_folder(const char *path)
{
    char folder[PATH_LEN];
    const char *slash = strrchr(path, '/');
    struct slice name = slash == NULL
                            ? SLICE(".")
                            : slice_of_bytes(path, (size_t)(slash - path));
    if (slash == path)
        name = SLICE("/");
    if (!slice_copy(name, folder, sizeof(folder)))
        return false;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* Under another name first: a crash leaves a whole secret or none. */
static bool make(const char *path, struct secret *secret,
                 struct error_text *error)
{
    char hex[FILE_LEN + 1], other[PATH_LEN];
    random_bytes(secret->bytes, SECRET_LEN);
    hex_of(secret->bytes, SECRET_LEN, hex);
    hex[FILE_LEN - 1] = '\n';
    if (snprintf(other, sizeof(other), "%s.new", path) >= (int)sizeof(other))
        return error_set(error, "%s: the path is too long", path);
    int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, hex, FILE_LEN) == FILE_LEN &&
                fsync(fd) == 0 && link(other, path) == 0;
    if (!good)
        error_set(error, "%s: cannot be written: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    unlink(other);
    explicit_bzero(hex, sizeof(hex));
    return good && (sync_folder(path) ||
                    error_set(error, "%s: the folder cannot be synced", path));
}

static bool read_secret(int fd, const char *path, struct secret *secret,
                        struct error_text *error)
{
    char hex[FILE_LEN + 1];
    struct stat st;
    if (fstat(fd, &st) != 0)
        return error_set(error, "%s: %s", path, strerror(errno));
    if ((st.st_mode & 077) != 0)
        return error_set(error, "%s: others may read it; mode 0600 is needed",
                         path);
    ssize_t n = read(fd, hex, sizeof(hex));
    bool good =
        n == FILE_LEN && hex[FILE_LEN - 1] == '\n' &&
        parse_hex(slice_of_bytes(hex, FILE_LEN - 1), secret->bytes, SECRET_LEN);
    explicit_bzero(hex, sizeof(hex));
    return good ||
           error_set(error, "%s: not 64 hex digits and a newline", path);
}

bool secret_load(const char *path, struct secret *secret,
                 struct error_text *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return make(path, secret, error);
    if (fd < 0)
        return error_set(error, "%s: %s", path, strerror(errno));
    bool good = read_secret(fd, path, secret, error);
    close(fd);
    return good;
}

struct secret secret_derive(const struct secret *secret, const char *label)
{
    struct secret derived;
    struct digest digest =
        hmac_sha256(secret->bytes, SECRET_LEN, label, strlen(label));
    memcpy(derived.bytes, digest.bytes, SECRET_LEN);
    return derived;
}

uint64_t secret_pseudonym(const struct secret *secret, const void *data,
                          size_t length)
{
    struct digest digest = hmac_sha256(secret->bytes, SECRET_LEN, data, length);
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | digest.bytes[i];
    return value;
}
