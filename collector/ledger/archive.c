/*
 * Frames and segments.
 *
 *   offset size meaning
 *   0      4    "YZA1"
 *   4      4    length of the compressed data, big-endian
 *   8      4    length of the batch
 *   12     8    first 8 bytes of SHA-256 over bytes 0..11 and the data
 *   20     n    the batch, one zstd frame
 *
 * The check value finds torn and flipped bytes before anything is unpacked,
 * so a decompressor never works on bytes that we did not write. Sealing
 * against people is not its task: the batch's own hash and signature are.
 */
#include "collector/ledger/archive.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cursor.h"
#include "common/wire/batch.h"

enum {
    HEADER_LEN = 20,
    CHECK_LEN = 8,
    NAME_LEN = 16,
    SEGMENT_MAX = 999999,
};
static const uint64_t SEGMENT_BYTES = 256u << 20;
static const char FRAME_MAGIC[4] = {'Y', 'Z', 'A', '1'};

struct archive {
    int folder;
    int fd; /* the segment being written, locked; -1 when reading */
    uint32_t segment;
    uint64_t end;
    uint64_t segment_bytes;
    bool is_dirty;
    int read_fd; /* the segment read last */
    uint32_t read_segment;
    struct unpacker *unpacker;
    struct buffer frame;
};

static void segment_name(uint32_t segment, char name[static NAME_LEN])
{
    snprintf(name, NAME_LEN, "%06u.yza", segment % (SEGMENT_MAX + 1u));
}

static uint32_t segment_of_name(const char *name)
{
    uint64_t number;
    if (strlen(name) != 10 || strcmp(name + 6, ".yza") != 0 ||
        !parse_u64(slice_of_bytes(name, 6), 1, SEGMENT_MAX, &number))
        return 0;
    return (uint32_t)number;
}

uint32_t archive_last_segment(const struct archive *archive)
{
    uint32_t last = 0;
    int copy = openat(archive->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (dir == NULL) {
        if (copy >= 0)
            close(copy);
        return 0;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        uint32_t segment = segment_of_name(e->d_name);
        if (segment > last)
            last = segment;
    }
    closedir(dir);
    return last;
}

bool archive_is_written(const struct archive *archive, uint32_t segment)
{
    char name[NAME_LEN];
    segment_name(segment, name);
    if (segment == archive->segment)
        return true;
    int fd = openat(archive->folder, name, O_RDONLY | O_CLOEXEC);
    bool is_written = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
    if (fd >= 0)
        close(fd);
    return is_written;
}

bool archive_delete_segment(struct archive *archive, uint32_t segment)
{
    char name[NAME_LEN];
    segment_name(segment, name);
    int fd = openat(archive->folder, name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT;
    if (segment == archive->segment || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        errno = EBUSY;
        return false;
    }
    bool good =
        unlinkat(archive->folder, name, 0) == 0 && fsync(archive->folder) == 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return good;
}

uint64_t archive_segment_size(const struct archive *archive, uint32_t segment)
{
    char name[NAME_LEN];
    struct stat st;
    segment_name(segment, name);
    return fstatat(archive->folder, name, &st, 0) == 0 ? (uint64_t)st.st_size
                                                       : 0;
}

static struct archive *archive_new(const char *folder, struct error_text *error)
{
    struct archive *a = calloc(1, sizeof(*a));
    if (a == NULL) {
        error_set(error, "%s: out of memory", folder);
        return NULL;
    }
    a->fd = a->read_fd = -1;
    a->segment_bytes = SEGMENT_BYTES;
    buffer_init(&a->frame, archive_frame_max());
    a->unpacker = unpacker_new();
    a->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (a->folder < 0 || a->unpacker == NULL) {
        error_set(error, "%s: %s", folder,
                  a->folder < 0 ? strerror(errno) : "out of memory");
        archive_close(a);
        return NULL;
    }
    return a;
}

void archive_close(struct archive *archive)
{
    if (archive == NULL)
        return;
    int fds[] = {archive->fd, archive->read_fd, archive->folder};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    unpacker_free(archive->unpacker);
    buffer_clear(&archive->frame);
    free(archive);
}

/* A new segment must still be there after a power loss: the folder is synced
 * with it. One that another process got hold of first, looking for torn tails,
 * is left to it, and nothing is ever unlinked: it may be writing there. */
static bool start_segment(struct archive *a, uint32_t segment)
{
    char name[NAME_LEN];
    for (; segment <= SEGMENT_MAX; segment++) {
        segment_name(segment, name);
        int fd = openat(a->folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                        0640);
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0)
            return false;
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            close(fd);
            continue;
        }
        if (fsync(a->folder) != 0) {
            int saved = errno;
            close(fd);
            errno = saved;
            return false;
        }
        if (a->fd >= 0)
            close(a->fd);
        a->fd = fd;
        a->segment = segment;
        a->end = 0;
        return true;
    }
    errno = EFBIG;
    return false;
}

struct opening {
    archive_end_fn *end;
    void *context;
    uint64_t cut_bytes;
    struct error_text *damage, *error;
};

/* Cuts what a crash left behind in one segment, and keeps it for writing when
 * there is room in it. */
static bool visit_segment(struct archive *a, uint32_t segment,
                          struct opening *o)
{
    char name[NAME_LEN];
    struct stat st;
    uint64_t end = 0;
    bool good = true;
    segment_name(segment, name);
    int fd = openat(a->folder, name, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
        goto out; /* another process writes it */
    /* Size and ledger only now: what its last writer committed is in both. */
    if (fd < 0 || fstat(fd, &st) != 0) {
        good = error_set(o->error, "archive %s: %s", name, strerror(errno));
        goto out;
    }
    if (!o->end(o->context, segment, &end)) {
        good =
            error_set(o->error, "archive %s: the ledger cannot be read", name);
        goto out;
    }
    if ((uint64_t)st.st_size < end) {
        error_set(o->damage, "archive %s has %llu bytes, the ledger needs %llu",
                  name, (unsigned long long)st.st_size,
                  (unsigned long long)end);
        goto out;
    }
    if ((uint64_t)st.st_size > end) {
        if (ftruncate(fd, (off_t)end) != 0 || fsync(fd) != 0) {
            good = error_set(o->error, "archive %s: %s", name, strerror(errno));
            goto out;
        }
        o->cut_bytes += (uint64_t)st.st_size - end;
    }
    if (end < a->segment_bytes && a->fd < 0) {
        a->fd = fd;
        a->segment = segment;
        a->end = end;
        fd = -1;
    }
out:
    if (fd >= 0)
        close(fd);
    return good;
}

/* The folder and its segments keep their names when the power goes, also those
 * of a writer that was killed before it could see to it. A folder around it that
 * is not ours to read was not changed by us. */
static bool sync_names(const struct archive *a)
{
    int parent = openat(a->folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_named = parent >= 0 ? fsync(parent) == 0 : errno == EACCES;
    bool good = is_named && fsync(a->folder) == 0;
    int saved = errno;
    if (parent >= 0)
        close(parent);
    errno = saved;
    return good;
}

struct archive *archive_open(const char *folder, archive_end_fn *end,
                             void *context, uint64_t *cut_bytes,
                             struct error_text *damage,
                             struct error_text *error)
{
    struct opening o = {end, context, 0, damage, error};
    if (mkdir(folder, 0750) != 0 && errno != EEXIST) {
        error_set(error, "%s: %s", folder, strerror(errno));
        return NULL;
    }
    struct archive *a = archive_new(folder, error);
    if (a == NULL)
        return NULL;
    if (!sync_names(a)) {
        error_set(error, "%s: %s", folder, strerror(errno));
        goto fail;
    }
    uint32_t last = archive_last_segment(a);
    for (uint32_t segment = last; segment > 0; segment--)
        if (!visit_segment(a, segment, &o))
            goto fail;
    if (a->fd < 0 && !start_segment(a, last + 1)) {
        error_set(error, "%s: %s", folder, strerror(errno));
        goto fail;
    }
    if (cut_bytes != NULL)
        *cut_bytes = o.cut_bytes;
    return a;
fail:
    archive_close(a);
    return NULL;
}

struct archive *archive_open_read(const char *folder, struct error_text *error)
{
    return archive_new(folder, error);
}

void archive_set_segment_size(struct archive *archive, uint64_t bytes)
{
    archive->segment_bytes = bytes;
}

bool archive_begin(struct archive *archive)
{
    struct archive *a = archive;
    return a->end < a->segment_bytes || start_segment(a, a->segment + 1);
}

struct archive_mark archive_mark(const struct archive *archive)
{
    return (struct archive_mark){archive->segment, archive->end};
}

static void frame_check(const uint8_t *header, const void *data, size_t length,
                        uint8_t check[static CHECK_LEN])
{
    struct digest_stream *s = digest_stream_new();
    digest_stream_add(s, header, HEADER_LEN - CHECK_LEN);
    digest_stream_add(s, data, length);
    struct digest digest = digest_stream_now(s);
    digest_stream_free(s);
    memcpy(check, digest.bytes, CHECK_LEN);
}

size_t archive_frame_max(void)
{
    return HEADER_LEN + pack_bound(BATCH_SIZE_MAX);
}

bool archive_make_frame(struct packer *packer, struct slice batch,
                        struct buffer *frame)
{
    static const uint8_t no_check[CHECK_LEN];
    uint8_t check[CHECK_LEN];
    struct buffer head;
    buffer_reset(frame);
    if (batch.length > BATCH_SIZE_MAX ||
        buffer_extend(frame, HEADER_LEN) == NULL ||
        !packer_pack(packer, batch, frame))
        return false;
    size_t packed = frame->length - HEADER_LEN;
    buffer_init(&head, HEADER_LEN);
    buffer_add(&head, FRAME_MAGIC, sizeof(FRAME_MAGIC));
    buffer_add_u32(&head, (uint32_t)packed);
    buffer_add_u32(&head, (uint32_t)batch.length);
    buffer_add(&head, no_check, CHECK_LEN);
    if (!head.failed) {
        memcpy(frame->data, head.data, HEADER_LEN);
        frame_check(frame->data, frame->data + HEADER_LEN, packed, check);
        memcpy(frame->data + HEADER_LEN - CHECK_LEN, check, CHECK_LEN);
    }
    bool good = !head.failed;
    buffer_clear(&head);
    return good;
}

static bool write_all(int fd, const uint8_t *data, size_t length,
                      uint64_t offset)
{
    while (length > 0) {
        ssize_t n = pwrite(fd, data, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return false;
        }
        data += n;
        length -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

bool archive_append(struct archive *archive, struct slice frame,
                    struct archive_place *place)
{
    struct archive *a = archive;
    a->is_dirty = true;
    if (!write_all(a->fd, (const uint8_t *)frame.data, frame.length, a->end))
        return false;
    *place = (struct archive_place){a->segment, a->end, frame.length};
    a->end += frame.length;
    return true;
}

void archive_return(struct archive *archive, struct archive_mark mark)
{
    struct archive *a = archive;
    assert(a->segment == mark.segment);
    a->end = mark.offset;
    /* Only tidiness: appending goes on at `end` in any case. */
    if (ftruncate(a->fd, (off_t)a->end) != 0)
        a->is_dirty = true;
}

bool archive_sync(struct archive *archive)
{
    if (archive->is_dirty && fdatasync(archive->fd) != 0)
        return false;
    archive->is_dirty = false;
    return true;
}

static bool open_for_reading(struct archive *a, uint32_t segment)
{
    char name[NAME_LEN];
    if (a->read_fd >= 0 && a->read_segment == segment)
        return true;
    if (a->read_fd >= 0)
        close(a->read_fd);
    segment_name(segment, name);
    a->read_fd = openat(a->folder, name, O_RDONLY | O_CLOEXEC);
    a->read_segment = segment;
    return a->read_fd >= 0;
}

static bool read_all(int fd, uint8_t *data, size_t length, uint64_t offset)
{
    while (length > 0) {
        ssize_t n = pread(fd, data, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        length -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

/* What is wrong with the frame in a->frame, or NULL. */
static const char *frame_fault(const struct buffer *frame, size_t *batch_length)
{
    struct cursor c = cursor_of(frame->data, frame->length);
    const uint8_t *magic = cursor_bytes(&c, sizeof(FRAME_MAGIC));
    uint32_t packed = cursor_u32(&c);
    uint32_t length = cursor_u32(&c);
    const uint8_t *check = cursor_bytes(&c, CHECK_LEN);
    if (c.failed || memcmp(magic, FRAME_MAGIC, sizeof(FRAME_MAGIC)) != 0 ||
        packed != cursor_left(&c) || length > BATCH_SIZE_MAX)
        return "no frame stands here";
    uint8_t want[CHECK_LEN];
    frame_check(frame->data, frame->data + HEADER_LEN, packed, want);
    if (memcmp(check, want, CHECK_LEN) != 0)
        return "the frame's bytes were changed";
    *batch_length = length;
    return NULL;
}

bool archive_read(struct archive *archive, struct archive_place place,
                  struct buffer *batch, struct error_text *error)
{
    struct archive *a = archive;
    const char *fault = NULL;
    size_t length = 0;
    buffer_reset(&a->frame);
    uint8_t *frame = place.length >= HEADER_LEN
                         ? buffer_extend(&a->frame, place.length)
                         : NULL;
    if (frame == NULL)
        fault = "the length is impossible";
    else if (!open_for_reading(a, place.segment))
        fault = "the segment is missing";
    else if (!read_all(a->read_fd, frame, place.length, place.offset))
        fault = "the segment ends before the frame does";
    else if ((fault = frame_fault(&a->frame, &length)) == NULL)
        fault = unpacker_unpack(a->unpacker,
                                slice_of_bytes(a->frame.data + HEADER_LEN,
                                               a->frame.length - HEADER_LEN),
                                length, batch)
                    ? NULL
                    : "the frame cannot be unpacked";
    if (fault != NULL)
        error_set(error, "archive segment %06u at %llu: %s", place.segment,
                  (unsigned long long)place.offset, fault);
    return fault == NULL;
}
