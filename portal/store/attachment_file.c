#include "portal/store/attachment_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/durable.h"
#include "portal/store/attachment_type.h"

enum {
    CHANCE_LEN = 16,
    SENDERS_MAX = 64, /* forms at a time */
    SENDERS_OF_ONE_MAX = 3,
    ACCOUNT_LEN = 65,
    ROOM_MIN = 512 * 1024 * 1024, /* bytes that stay free on the disk */
};

struct attachments {
    char folder[DURABLE_PATH_LEN], incoming[DURABLE_PATH_LEN];
    char files[DURABLE_PATH_LEN];
    const char *scanner; /* "": none */
    uint64_t file_max;
    int lock; /* of who receives; -1: not this one */
    pthread_mutex_t senders_lock;
    char senders[SENDERS_MAX][ACCOUNT_LEN]; /* "": free */
};

struct attachment_file {
    const struct attachments *attachments;
    unsigned accepted, type;
    enum attachment_state state;
    char path[DURABLE_PATH_LEN]; /* in incoming; "": not there any more */
    int fd;
    struct digest_stream *hash;
    uint64_t bytes;
    char start[ATTACHMENT_START_LEN];
    size_t start_length;
    enum virus_scan scan;
};

/* ---- the folder ---- */

/* Beside the database unless the configuration says where. */
static bool find_folder(const struct portal_config *config,
                        char folder[static DURABLE_PATH_LEN])
{
    char home[DURABLE_PATH_LEN];
    if (config->attachments[0] != '\0')
        return slice_copy(slice_of_text(config->attachments), folder,
                          DURABLE_PATH_LEN);
    return durable_folder_of(home, config->portal_db) &&
           durable_path(folder, home, "attachments");
}

static bool make_folders(struct attachments *a,
                         const struct portal_config *config)
{
    return find_folder(config, a->folder) &&
           durable_path(a->incoming, a->folder, "incoming") &&
           durable_path(a->files, a->folder, "files") &&
           durable_folder(a->folder) && durable_folder(a->incoming) &&
           durable_folder(a->files);
}

struct attachments *attachments_open(const struct portal_config *config,
                                     struct error_text *error)
{
    struct attachments *a = calloc(1, sizeof(*a));
    if (a == NULL) {
        error_set(error, "no memory");
        return NULL;
    }
    a->lock = -1;
    pthread_mutex_init(&a->senders_lock, NULL);
    a->scanner = config->clamd;
    a->file_max = config->attachment_mib << 20;
    if (make_folders(a, config))
        return a;
    error_set(error, "%s: %s", a->folder, strerror(errno));
    attachments_close(a);
    return NULL;
}

void attachments_close(struct attachments *attachments)
{
    if (attachments == NULL)
        return;
    if (attachments->lock >= 0)
        close(attachments->lock);
    pthread_mutex_destroy(&attachments->senders_lock);
    free(attachments);
}

/* Calls with the path of everything in the folder; false when the folder
 * cannot be read, or the function says so. */
static bool each_in(const char *folder,
                    bool (*fn)(void *context, const char *path,
                               const char *name),
                    void *context)
{
    char path[DURABLE_PATH_LEN];
    DIR *open = opendir(folder);
    bool good = open != NULL;
    struct dirent *entry;
    while (good && (entry = readdir(open)) != NULL)
        if (entry->d_name[0] != '.' &&
            durable_path(path, folder, entry->d_name))
            good = fn(context, path, entry->d_name);
    if (open != NULL)
        closedir(open);
    return good;
}

static bool remove_path(void *context, const char *path, const char *name)
{
    size_t *count = context;
    (void)name;
    *count += unlink(path) == 0;
    return true;
}

/* Whoever receives into the folder holds a lock on it as long as it runs. */
static bool take_lock(struct attachments *attachments)
{
    if (attachments->lock >= 0)
        return true;
    int fd = open(attachments->incoming, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        attachments->lock = fd;
        return true;
    }
    if (fd >= 0)
        close(fd);
    return false;
}

void attachments_clean(struct attachments *attachments)
{
    size_t count = 0;
    if (!take_lock(attachments))
        return;
    each_in(attachments->incoming, remove_path, &count);
    if (count > 0)
        log_info("attachments: %zu half received are gone", count);
}

uint64_t attachments_file_max(const struct attachments *attachments)
{
    return attachments->file_max;
}

bool attachments_are_scanned(const struct attachments *attachments)
{
    return attachments->scanner[0] != '\0';
}

bool attachments_begin(struct attachments *attachments, const char *account)
{
    char *place = NULL;
    int count = 0;
    pthread_mutex_lock(&attachments->senders_lock);
    for (size_t i = 0; i < SENDERS_MAX; i++) {
        count += strcmp(attachments->senders[i], account) == 0;
        if (attachments->senders[i][0] == '\0')
            place = attachments->senders[i];
    }
    bool may = place != NULL && count < SENDERS_OF_ONE_MAX &&
               slice_copy(slice_of_text(account), place, ACCOUNT_LEN);
    pthread_mutex_unlock(&attachments->senders_lock);
    return may;
}

void attachments_end(struct attachments *attachments, const char *account)
{
    bool found = false;
    pthread_mutex_lock(&attachments->senders_lock);
    for (size_t i = 0; !found && i < SENDERS_MAX; i++) {
        found = strcmp(attachments->senders[i], account) == 0;
        if (found)
            attachments->senders[i][0] = '\0';
    }
    pthread_mutex_unlock(&attachments->senders_lock);
}

/* ---- a file that comes in ---- */

const char *attachment_state_code(enum attachment_state state)
{
    static const char *const CODES[] = {
        [ATTACHMENT_GOOD] = NULL,
        [ATTACHMENT_EMPTY] = "E_FILE_EMPTY",
        [ATTACHMENT_TOO_LARGE] = "E_FILE_TOO_BIG",
        [ATTACHMENT_WRONG_TYPE] = "E_FILE_TYPE",
        [ATTACHMENT_HARMFUL] = "E_FILE_HARMFUL",
        [ATTACHMENT_NOT_KEPT] = "E_FILE_NOT_KEPT",
    };
    return CODES[state];
}

/* What is not good leaves the disk at once. */
static void give_up(struct attachment_file *file, enum attachment_state state)
{
    if (file->state == ATTACHMENT_GOOD)
        file->state = state;
    if (file->fd >= 0)
        close(file->fd);
    if (file->path[0] != '\0')
        unlink(file->path);
    file->fd = -1;
    file->path[0] = '\0';
}

static void fail(struct attachment_file *file, const char *what)
{
    log_error("attachments: %s: %s", what, strerror(errno));
    give_up(file, ATTACHMENT_NOT_KEPT);
}

/* The database stands on the same disk, as a rule: files never fill it. */
static bool has_room(const struct attachments *attachments)
{
    struct statvfs disk;
    if (statvfs(attachments->incoming, &disk) != 0)
        return false;
    if ((uint64_t)disk.f_bavail * disk.f_frsize >= ROOM_MIN)
        return true;
    errno = ENOSPC;
    return false;
}

static bool create(struct attachment_file *file)
{
    uint8_t chance[CHANCE_LEN];
    char name[2 * CHANCE_LEN + 1];
    if (!has_room(file->attachments))
        return false;
    random_bytes(chance, sizeof(chance));
    hex_of(chance, sizeof(chance), name);
    if (!durable_path(file->path, file->attachments->incoming, name))
        return false;
    file->fd = open(file->path,
                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file->fd >= 0)
        return true;
    file->path[0] = '\0';
    return false;
}

struct attachment_file *attachment_file_new(struct attachments *attachments,
                                            unsigned accepted)
{
    struct attachment_file *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return NULL;
    file->attachments = attachments;
    file->accepted = accepted;
    file->hash = digest_stream_new();
    file->fd = -1;
    if (!create(file))
        fail(file, attachments->incoming);
    return file;
}

static void add_to_start(struct attachment_file *file, struct slice piece)
{
    size_t room = sizeof(file->start) - file->start_length;
    size_t length = piece.length < room ? piece.length : room;
    memcpy(file->start + file->start_length, piece.data, length);
    file->start_length += length;
}

static void find_type(struct attachment_file *file)
{
    file->type =
        attachment_type_of(slice_of_bytes(file->start, file->start_length));
    if ((file->type & file->accepted) == 0)
        give_up(file, ATTACHMENT_WRONG_TYPE);
}

void attachment_file_add(struct attachment_file *file, struct slice piece)
{
    bool knew_type = file->start_length == sizeof(file->start);
    if (file->state != ATTACHMENT_GOOD || piece.length == 0)
        return;
    if (piece.length > file->attachments->file_max - file->bytes) {
        give_up(file, ATTACHMENT_TOO_LARGE);
        return;
    }
    file->bytes += piece.length;
    if (!knew_type) {
        add_to_start(file, piece);
        if (file->start_length == sizeof(file->start))
            find_type(file);
    }
    if (file->state != ATTACHMENT_GOOD)
        return;
    digest_stream_add(file->hash, piece.data, piece.length);
    if (!durable_add(file->fd, piece))
        fail(file, file->path);
}

/* One that is not scanned now is scanned by the clock job later. */
static enum virus_scan scan(const struct attachments *attachments, int fd)
{
    struct error_text said = {""};
    if (attachments->scanner[0] == '\0')
        return VIRUS_NOT_SCANNED;
    enum virus_scan result = virus_scan(attachments->scanner, fd, &said);
    if (result == VIRUS_NOT_SCANNED || result == VIRUS_NO_ANSWER)
        log_warn("attachments: not scanned: %s", said.text);
    if (result == VIRUS_FOUND)
        log_warn("attachments: %s", said.text);
    return result;
}

void attachment_file_end(struct attachment_file *file)
{
    if (file->state == ATTACHMENT_GOOD && file->bytes == 0)
        give_up(file, ATTACHMENT_EMPTY);
    if (file->state == ATTACHMENT_GOOD &&
        file->start_length < sizeof(file->start))
        find_type(file);
    if (file->state == ATTACHMENT_GOOD && fsync(file->fd) != 0)
        fail(file, file->path);
}

bool attachment_file_look(struct attachment_file *file)
{
    if (file->state == ATTACHMENT_GOOD)
        file->scan = scan(file->attachments, file->fd);
    if (file->scan == VIRUS_FOUND)
        give_up(file, ATTACHMENT_HARMFUL);
    return file->scan != VIRUS_NO_ANSWER;
}

enum attachment_state attachment_file_state(const struct attachment_file *file)
{
    return file->state;
}

struct digest attachment_file_digest(const struct attachment_file *file)
{
    return digest_stream_now(file->hash);
}

uint64_t attachment_file_bytes(const struct attachment_file *file)
{
    return file->bytes;
}

unsigned attachment_file_type(const struct attachment_file *file)
{
    return file->type;
}

enum virus_scan attachment_file_scan(const struct attachment_file *file)
{
    return file->scan;
}

/* FOLDER/files/ab/HEX, its folder made when asked. */
static bool path_of(const struct attachments *attachments, struct digest sha256,
                    bool makes_folder, char path[static DURABLE_PATH_LEN])
{
    char hex[DIGEST_HEX_LEN], two[3], folder[DURABLE_PATH_LEN];
    digest_to_hex(sha256, hex);
    snprintf(two, sizeof(two), "%.2s", hex);
    return durable_path(folder, attachments->files, two) &&
           (!makes_folder || durable_folder(folder)) &&
           durable_path(path, folder, hex);
}

/* The same bytes are there already, whole. */
static bool is_there(const char *path, uint64_t bytes)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISREG(file.st_mode) &&
           (uint64_t)file.st_size == bytes && durable_sync_folder_of(path);
}

bool attachment_file_keep(struct attachment_file *file,
                          struct error_text *error)
{
    char path[DURABLE_PATH_LEN];
    if (file->state != ATTACHMENT_GOOD)
        return error_set(error, "the file is not good");
    if (file->path[0] == '\0')
        return true;
    if (!path_of(file->attachments, attachment_file_digest(file), true, path))
        return error_set(error, "%s: %s", path, strerror(errno));
    if (is_there(path, file->bytes)) {
        unlink(file->path);
    } else if (!durable_move(file->path, path)) {
        return error_set(error, "%s: %s", path, strerror(errno));
    }
    file->path[0] = '\0';
    return true;
}

void attachment_file_free(struct attachment_file *file)
{
    if (file == NULL)
        return;
    give_up(file, file->state);
    digest_stream_free(file->hash);
    free(file);
}

/* ---- what was kept ---- */

int attachments_open_file(const struct attachments *attachments,
                          struct digest sha256)
{
    char path[DURABLE_PATH_LEN];
    return path_of(attachments, sha256, false, path)
               ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
               : -1;
}

enum virus_scan attachments_scan(const struct attachments *attachments,
                                 struct digest sha256)
{
    int fd = attachments_open_file(attachments, sha256);
    if (fd < 0)
        return VIRUS_NOT_SCANNED;
    enum virus_scan result = scan(attachments, fd);
    close(fd);
    return result;
}

bool attachments_remove_file(const struct attachments *attachments,
                             struct digest sha256)
{
    char path[DURABLE_PATH_LEN];
    return path_of(attachments, sha256, false, path) &&
           (unlink(path) == 0 || errno == ENOENT);
}

struct walk {
    bool (*fn)(void *context, struct digest sha256);
    void *context;
};

static bool walk_file(void *context, const char *path, const char *name)
{
    struct walk *walk = context;
    struct digest sha256;
    (void)path;
    if (!parse_hex(slice_of_text(name), sha256.bytes, sizeof(sha256.bytes)))
        return true;
    return walk->fn(walk->context, sha256);
}

static bool walk_folder(void *context, const char *path, const char *name)
{
    (void)name;
    return each_in(path, walk_file, context);
}

bool attachments_each(const struct attachments *attachments,
                      bool (*fn)(void *context, struct digest sha256),
                      void *context)
{
    struct walk walk = {fn, context};
    return each_in(attachments->files, walk_folder, &walk);
}
