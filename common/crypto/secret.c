#include "common/crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/durable.h"
#include "common/slice.h"

enum { FILE_LEN = 2 * SECRET_LEN + 1 };

static bool make(const char *path, struct secret *secret,
                 struct error_text *error)
{
    char hex[FILE_LEN + 1];
    random_bytes(secret->bytes, SECRET_LEN);
    hex_of(secret->bytes, SECRET_LEN, hex);
    hex[FILE_LEN - 1] = '\n';
    bool good =
        durable_create(path, slice_of_bytes(hex, FILE_LEN), 0600) ||
        error_set(error, "%s: cannot be written: %s", path, strerror(errno));
    explicit_bzero(hex, sizeof(hex));
    return good;
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
