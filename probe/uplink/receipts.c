#include "probe/uplink/receipts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buffer.h"
#include "common/durable.h"
#include "common/wire/ipfix_decode.h"

enum {
    DAYS_MAX = 4096,
    FILE_MAX = 64 * 1024 * 1024,
    NAME_LEN = RECEIPTS_DAY_LEN + sizeof(".ipfix") - 1,
};

struct day {
    char name[RECEIPTS_DAY_LEN];
    uint64_t bytes;
};

struct receipts {
    char path[DURABLE_PATH_LEN];
    uint64_t limit_bytes, bytes;
    struct day days[DAYS_MAX]; /* oldest first */
    size_t count;
    char whole[RECEIPTS_DAY_LEN]; /* its tail was looked at in this run */
    bool has_failed;
};

/* --- names --- */

static bool is_day(struct slice text)
{
    if (text.length != RECEIPTS_DAY_LEN - 1)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        bool is_dash = i == 4 || i == 7;
        char c = text.data[i];
        if (is_dash ? c != '-' : c < '0' || c > '9')
            return false;
    }
    return true;
}

static void path_of(const struct receipts *r, const char *day,
                    char path[static DURABLE_PATH_LEN])
{
    char name[NAME_LEN];
    snprintf(name, sizeof(name), "%s.ipfix", day);
    (void)durable_path(path, r->path, name); /* receipts_open() tried */
}

/* Where the day is, or belongs. */
static size_t place_of(const struct receipts *r, const char *day)
{
    size_t i = r->count;
    while (i > 0 && strcmp(r->days[i - 1].name, day) >= 0)
        i--;
    return i;
}

/* NULL when there are too many. */
static struct day *day_of(struct receipts *r, const char *name)
{
    size_t i = place_of(r, name);
    if (i < r->count && strcmp(r->days[i].name, name) == 0)
        return &r->days[i];
    if (r->count == DAYS_MAX)
        return NULL;
    memmove(&r->days[i + 1], &r->days[i], (r->count - i) * sizeof(r->days[0]));
    r->count++;
    r->days[i].bytes = 0;
    memcpy(r->days[i].name, name, RECEIPTS_DAY_LEN);
    return &r->days[i];
}

/* --- the bound --- */

static void remove_oldest(struct receipts *r)
{
    char path[DURABLE_PATH_LEN];
    path_of(r, r->days[0].name, path);
    if (unlink(path) != 0 && errno != ENOENT)
        log_warn("%s: cannot be removed: %s", path, strerror(errno));
    r->bytes -= r->days[0].bytes;
    r->count--;
    memmove(&r->days[0], &r->days[1], r->count * sizeof(r->days[0]));
}

/* The newest day stays, whatever it has grown to. */
static void keep_bound(struct receipts *r)
{
    size_t kept = r->limit_bytes == 0 ? 0 : 1;
    while (r->count > kept && r->bytes > r->limit_bytes)
        remove_oldest(r);
}

/* --- opening --- */

static void take_name(struct receipts *r, const char *name)
{
    char day[RECEIPTS_DAY_LEN], path[DURABLE_PATH_LEN];
    struct slice text = slice_of_text(name);
    struct stat info;
    if (!slice_ends_with_nocase(text, SLICE(".ipfix")) ||
        !slice_copy((struct slice){text.data, text.length - 6}, day,
                    sizeof(day)) ||
        !is_day(slice_of_text(day)))
        return;
    path_of(r, day, path);
    if (lstat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return;
    struct day *d = day_of(r, day);
    if (d == NULL)
        return;
    d->bytes = (uint64_t)info.st_size;
    r->bytes += d->bytes;
}

struct receipts *receipts_open(const char *state, uint64_t limit_bytes,
                               struct error_text *error)
{
    char longest[DURABLE_PATH_LEN];
    DIR *dir = NULL;
    struct receipts *r = calloc(1, sizeof(*r));
    bool good = r != NULL && durable_path(r->path, state, "receipts") &&
                durable_path(longest, r->path, "0000-00-00.ipfix") &&
                durable_folder(r->path) && (dir = opendir(r->path)) != NULL &&
                access(r->path, W_OK) == 0;
    if (!good)
        error_set(error, "%s/receipts: %s", state, strerror(errno));
    for (struct dirent *d; good && (d = readdir(dir)) != NULL;)
        take_name(r, d->d_name);
    if (dir != NULL)
        closedir(dir);
    if (!good) {
        free(r);
        return NULL;
    }
    r->limit_bytes = limit_bytes;
    keep_bound(r);
    return r;
}

void receipts_free(struct receipts *r)
{
    free(r);
}

/* --- adding --- */

/* Octets of whole messages at the start of the file. */
static uint64_t whole_length(struct slice content)
{
    const uint8_t *data = (const uint8_t *)content.data;
    size_t done = 0;
    while (done < content.length) {
        size_t left = content.length - done;
        int length = ipfix_message_length(data + done, left);
        if (length <= 0 || (size_t)length > left)
            break;
        done += (size_t)length;
    }
    return done;
}

static bool shorten(const char *path, uint64_t length)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && ftruncate(fd, (off_t)length) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* What a crash left behind the last whole message goes. */
static bool cut_tail(struct receipts *r, struct day *d, const char *path)
{
    struct buffer content;
    if (strcmp(r->whole, d->name) == 0)
        return true;
    bool good = buffer_read_file(&content, path, FILE_MAX);
    if (!good && errno == ENOENT) {
        buffer_clear(&content);
        return true;
    }
    uint64_t whole = good ? whole_length(buffer_slice(&content)) : 0;
    if (good && whole < content.length) {
        log_warn("%s: %zu octets of a receipt that was cut off are removed",
                 path, content.length - (size_t)whole);
        good = shorten(path, whole);
    }
    buffer_clear(&content);
    if (!good)
        return false;
    r->bytes = r->bytes - d->bytes + whole;
    d->bytes = whole;
    memcpy(r->whole, d->name, RECEIPTS_DAY_LEN);
    return true;
}

static bool write_whole(int fd, struct slice message, uint64_t at)
{
    ssize_t n;
    do
        n = pwrite(fd, message.data, message.length, (off_t)at);
    while (n < 0 && errno == EINTR);
    if (n >= 0 && (size_t)n < message.length)
        errno = ENOSPC;
    return n == (ssize_t)message.length && fdatasync(fd) == 0;
}

/* All of it and synced, or the file is as before. */
static bool append(struct day *d, const char *path, struct slice message)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool good = write_whole(fd, message, d->bytes) &&
                (d->bytes > 0 || durable_sync_folder_of(path));
    int reason = errno;
    if (!good && ftruncate(fd, (off_t)d->bytes) != 0)
        reason = errno;
    close(fd);
    errno = reason;
    return good;
}

static bool add(struct receipts *r, struct slice message, const char *name)
{
    char path[DURABLE_PATH_LEN];
    if (r->count == DAYS_MAX && place_of(r, name) > 0)
        remove_oldest(r);
    struct day *d = day_of(r, name);
    errno = EFBIG;
    if (d == NULL || d->bytes + message.length > FILE_MAX)
        return false;
    path_of(r, name, path);
    if (!cut_tail(r, d, path))
        return false;
    if (!append(d, path, message)) {
        r->whole[0] = '\0'; /* looked at again, by the next one */
        return false;
    }
    d->bytes += message.length;
    r->bytes += message.length;
    keep_bound(r);
    return true;
}

bool receipts_add(struct receipts *r, struct slice message,
                  struct wall_time received)
{
    char text[WALL_TEXT_LEN], day[RECEIPTS_DAY_LEN];
    if (r->limit_bytes == 0)
        return true;
    wall_to_text(received, text);
    bool good = slice_copy(slice_of_bytes(text, RECEIPTS_DAY_LEN - 1), day,
                           sizeof(day)) &&
                is_day(slice_of_text(day)) && add(r, message, day);
    if (!good && !r->has_failed)
        log_error("%s: a receipt cannot be kept: %s", r->path, strerror(errno));
    if (good && r->has_failed)
        log_info("%s: receipts are kept again", r->path);
    r->has_failed = !good;
    return good;
}

struct receipts_view receipts_view(const struct receipts *r)
{
    struct receipts_view view = {
        .bytes = r->bytes, .days = r->count, .has_failed = r->has_failed};
    if (r->count > 0)
        memcpy(view.oldest, r->days[0].name, RECEIPTS_DAY_LEN);
    return view;
}
