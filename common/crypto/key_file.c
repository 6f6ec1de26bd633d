#include "common/crypto/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "common/durable.h"

static FILE *open_private(const char *path, struct error_text *error)
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

static FILE *create_private(const char *path, struct error_text *error)
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

/* Syncs and closes; what was not written whole is removed again. */
static bool finish(FILE *file, const char *path, bool is_written,
                   struct error_text *error)
{
    bool good = is_written && fflush(file) == 0 && fsync(fileno(file)) == 0;
    good = fclose(file) == 0 && good;
    if (good && durable_sync_folder_of(path))
        return true;
    unlink(path);
    return error_set(error, "%s: could not be written", path);
}

int key_file_no_passphrase(char *text, int size, int is_writing, void *context)
{
    (void)text;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

EVP_PKEY *key_file_read(const char *path, struct error_text *error)
{
    FILE *f = open_private(path, error);
    if (f == NULL)
        return NULL;
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, key_file_no_passphrase, NULL);
    if (key == NULL)
        error_set(error, "%s: no private key in PEM form", path);
    fclose(f);
    ERR_clear_error();
    return key;
}

bool key_file_write(const char *path, const EVP_PKEY *key,
                    struct error_text *error)
{
    FILE *f = create_private(path, error);
    if (f == NULL)
        return false;
    bool good =
        PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;
    ERR_clear_error();
    return finish(f, path, good, error);
}
