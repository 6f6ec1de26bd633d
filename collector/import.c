/*
 * One group stays open over several batches, also across files, and is
 * committed when it is large enough: a transaction for each batch would spend
 * its time waiting for the disk.
 */
#include "collector/import.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/peer_session.h"

enum {
    GROUP_BATCHES = 512,
    GROUP_BYTES = 32 * 1024 * 1024,
    FOLDER_DEPTH = 8,
};

const struct import_source import_sources[] = {
    {"enterprise-probe", IMPORT_BATCHES},
    {"supplier-probe", IMPORT_BATCHES},
    {"router", IMPORT_ROUTER},
    {"carrier-csv", IMPORT_CARRIER_CSV},
    {"carrier-ipfix", IMPORT_CARRIER_IPFIX},
    {"numbers", IMPORT_NUMBERS},
};
const size_t import_source_count =
    sizeof(import_sources) / sizeof(import_sources[0]);

const struct import_source *import_source_find(const char *name)
{
    for (size_t i = 0; i < import_source_count; i++)
        if (strcmp(import_sources[i].name, name) == 0)
            return &import_sources[i];
    return NULL;
}

struct import {
    struct store *collector;
    struct import_result *result;
    struct error_text *error;
    bool is_open; /* a group */
    size_t group_batches, group_bytes;
};

static bool stop(struct import *im, const char *why)
{
    if (im->is_open)
        store_rollback(im->collector);
    im->is_open = false;
    return error_set(im->error, "%s", why);
}

static bool commit(struct import *im)
{
    if (!im->is_open)
        return true;
    im->is_open = false;
    im->group_batches = im->group_bytes = 0;
    return store_commit(im->collector) ||
           error_set(im->error, "the batches could not be stored");
}

static bool take(struct import *im, const char *path,
                 struct peer_session *session)
{
    struct receipt receipt;
    struct batch_origin origin = {TRANSPORT_FILE, NULL, path};
    if (!im->is_open && !store_begin(im->collector))
        return stop(im, "the batches could not be stored");
    im->is_open = true;
    size_t bytes = batch_reader_bytes(peer_session_reader(session)).length;
    if (store_take(im->collector, &origin, peer_session_reader(session),
                   peer_session_content(session), wall_now(),
                   &receipt) == TAKE_GROUP_FAILED)
        return stop(im, "the batches could not be stored");
    im->result->batches++;
    im->group_batches++;
    im->group_bytes += bytes;
    return (im->group_batches < GROUP_BATCHES &&
            im->group_bytes < GROUP_BYTES) ||
           commit(im);
}

/* One line names a file that is not what it should be; the others go on. */
static bool bad_file(struct import *im, const char *path, const char *why)
{
    log_error("%s: %s", path, why);
    im->result->bad_files++;
    return true;
}

static bool import_stream(struct import *im, const char *path, int fd,
                          struct peer_session *session)
{
    uint64_t offset = 0;
    for (;;) {
        enum peer_session_status status = peer_session_next(session);
        if (status == PEER_SESSION_MESSAGE) /* of a recorded connection */
            continue;
        if (status == PEER_SESSION_BAD) {
            char why[200];
            snprintf(why, sizeof(why), "%s (in the bytes before %llu)",
                     peer_session_fault(session), (unsigned long long)offset);
            return bad_file(im, path, why);
        }
        if (status == PEER_SESSION_BATCH) {
            if (!take(im, path, session))
                return false;
            peer_session_release(session);
            continue;
        }
        size_t length;
        uint8_t *space = peer_session_space(session, &length);
        ssize_t n = space ? read(fd, space, length) : -1;
        if (n < 0 && space != NULL && errno == EINTR)
            continue;
        if (n < 0)
            return bad_file(im, path,
                            space ? strerror(errno) : "out of memory");
        if (n == 0)
            return peer_session_is_between(session) ||
                   bad_file(im, path, "it ends within a batch");
        peer_session_filled(session, (size_t)n);
        offset += (uint64_t)n;
    }
}

static bool import_file(struct import *im, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct peer_session *session = peer_session_new();
    bool good;
    im->result->files++;
    if (fd < 0 || session == NULL)
        good = bad_file(im, path, fd < 0 ? strerror(errno) : "out of memory");
    else
        good = import_stream(im, path, fd, session);
    peer_session_free(session);
    if (fd >= 0)
        close(fd);
    return good;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool import_path(struct import *im, const char *path, int depth);

static bool import_folder(struct import *im, const char *path, int depth)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_visible, alphasort);
    bool good = true;
    if (count < 0)
        return bad_file(im, path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char name[PATH_MAX];
        int length =
            snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        if (good && length >= PATH_MAX)
            good = bad_file(im, path, "a name in it is too long");
        else if (good)
            good = import_path(im, name, depth + 1);
        free(entries[i]);
    }
    free(entries);
    return good;
}

static bool import_path(struct import *im, const char *path, int depth)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return bad_file(im, path, strerror(errno));
    if (S_ISREG(st.st_mode))
        return import_file(im, path);
    if (!S_ISDIR(st.st_mode))
        return bad_file(im, path, "neither a file nor a folder");
    if (depth >= FOLDER_DEPTH)
        return bad_file(im, path, "folders are nested too deeply");
    return import_folder(im, path, depth);
}

bool import_files(struct store *collector, char *const *paths, size_t count,
                  struct import_result *result, struct error_text *error)
{
    struct import im = {
        .collector = collector, .result = result, .error = error};
    *result = (struct import_result){0};
    for (size_t i = 0; i < count; i++)
        if (!import_path(&im, paths[i], 0))
            return false;
    return commit(&im);
}
