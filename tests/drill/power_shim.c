/*
 * power_shim.so, loaded before a program (LD_PRELOAD): a disk that writes down
 * what it is asked, fails on demand, and a wall clock that can be set.
 *
 *   DRILL_ROOT     folder whose files are watched
 *   DRILL_JOURNAL  its journal (journal.h), made by power_tool
 *
 * Every change below the root happens and is recorded; a sync is only
 * recorded. What of it a power loss leaves is decided later, by power_tool cut.
 * Files that end in -shm are left out: SQLite maps them and takes them for lost
 * with the power. A sandboxed program is given no more system calls than it
 * makes anyway (fstat at an open aside).
 *
 * Not seen, since our programs do not use it: stdio for writing, writev,
 * links, folders that are renamed. A descriptor that is not below the root
 * costs one look into a table.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/drill/journal.h"

enum { FDS = 16384, NAME_MAX_LEN = 256, WRITE_MAX = 1 << 20 };
#define EXPORT __attribute__((visibility("default")))

struct watched {
    bool is_watched;
    uint64_t inode;
    char name[NAME_MAX_LEN]; /* of folders, for openat */
};

static struct {
    const char *root;
    size_t root_length;
    uint8_t *journal; /* NULL: nothing is watched */
    struct control *control;
    struct watched fds[FDS];
    pthread_mutex_t order; /* a change and its record belong together */
} shim = {.order = PTHREAD_MUTEX_INITIALIZER};

static struct {
    int (*openat)(int, const char *, int, ...);
    int (*close)(int);
    int (*closedir)(DIR *);
    int (*dup2)(int, int);
    int (*dup3)(int, int, int);
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*pread)(int, void *, size_t, off_t);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    int (*ftruncate)(int, off_t);
    int (*rename)(const char *, const char *);
    int (*unlink)(const char *);
    int (*mkdir)(const char *, mode_t);
    int (*fsync)(int);
    int (*clock_gettime)(clockid_t, struct timespec *);
} real;

_Noreturn static void die(const char *why)
{
    dprintf(2, "power_shim: %s\n", why);
    _exit(99);
}

/* ISO C has no conversion from void * to a function. */
static void find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        die(name);
    memcpy(function, &found, sizeof(found));
}

static void find_all(void)
{
    find(&real.openat, "openat64");
    find(&real.close, "close");
    find(&real.closedir, "closedir");
    find(&real.dup2, "dup2");
    find(&real.dup3, "dup3");
    find(&real.read, "read");
    find(&real.pread, "pread64");
    find(&real.write, "write");
    find(&real.pwrite, "pwrite64");
    find(&real.ftruncate, "ftruncate64");
    find(&real.rename, "rename");
    find(&real.unlink, "unlink");
    find(&real.mkdir, "mkdir");
    find(&real.fsync, "fsync");
    find(&real.clock_gettime, "clock_gettime");
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("DRILL_JOURNAL");
    find_all();
    shim.root = getenv("DRILL_ROOT");
    if (path == NULL || shim.root == NULL)
        return;
    int fd = real.openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    void *map = fd < 0 ? MAP_FAILED
                       : mmap(NULL, JOURNAL_BYTES, PROT_READ | PROT_WRITE,
                              MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        die(path);
    real.close(fd);
    shim.root_length = strlen(shim.root);
    shim.control = map;
    shim.journal = map;
}

/* --- the journal --- */

static void append(enum record_kind kind, const char *name, uint64_t inode,
                   uint64_t offset, const void *data, size_t length)
{
    size_t name_length = name != NULL ? strlen(name) + 1 : 0;
    uint64_t size = record_size(name_length, length);
    uint64_t at = atomic_fetch_add(&shim.control->end, size);
    if (at + size > JOURNAL_BYTES)
        die("the journal is full");
    struct record *r = (struct record *)(void *)(shim.journal + at);
    r->kind = kind;
    r->name_length = (uint32_t)name_length;
    r->inode = inode;
    r->offset = offset;
    r->data_length = length;
    uint8_t *tail = (uint8_t *)(r + 1);
    if (name_length > 0)
        memcpy(tail, name, name_length);
    if (length > 0)
        memcpy(tail + name_length, data, length);
    atomic_store(&r->magic, JOURNAL_MAGIC ^ at);
}

/* Before each change: it may be the one at which the power goes. */
static void count_operation(void)
{
    struct control *c = shim.control;
    atomic_fetch_add(&c->operations, 1);
    uint64_t left = atomic_load(&c->die_after);
    if (left > 0 && atomic_fetch_sub(&c->die_after, 1) == 1)
        _exit(137); /* as kill -9 leaves it; exit_group is always allowed */
}

static uint64_t draw(void)
{
    uint64_t z =
        atomic_fetch_add(&shim.control->chance, UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Whether an operation of this kind shall fail now; errno is set then. */
static bool fails(enum fault kind)
{
    struct control *c = shim.control;
    uint64_t fault = atomic_load(&c->fault);
    if (fault != kind && (fault != FAULT_ANY || kind == FAULT_SPACE))
        return false;
    if (draw() % 100 >= atomic_load(&c->fault_percent))
        return false;
    atomic_fetch_add(&c->faults, 1);
    errno = kind == FAULT_SPACE ? ENOSPC : EIO;
    return true;
}

static void lock(void)
{
    pthread_mutex_lock(&shim.order);
}
static void unlock(void)
{
    pthread_mutex_unlock(&shim.order);
}

/* --- names and descriptors --- */

static struct watched *watched_of(int fd)
{
    if (shim.journal == NULL || fd < 0 || fd >= FDS || !shim.fds[fd].is_watched)
        return NULL;
    return &shim.fds[fd];
}

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* The name relative to the root, into `name`; false when it lies elsewhere. */
static bool name_of(int folder, const char *path, char name[NAME_MAX_LEN])
{
    int n = -1;
    if (shim.journal == NULL || path == NULL || ends_with(path, "-shm"))
        return false;
    struct watched *w = path[0] == '/' ? NULL : watched_of(folder);
    const char *slash = w != NULL ? strrchr(w->name, '/') : NULL;
    if (w != NULL && strcmp(path, ".") == 0)
        n = snprintf(name, NAME_MAX_LEN, "%s", w->name);
    else if (w != NULL && strcmp(path, "..") == 0) /* not above the root */
        n = w->name[0] == '\0'
                ? -1
                : snprintf(name, NAME_MAX_LEN, "%.*s",
                           slash != NULL ? (int)(slash - w->name) : 0, w->name);
    else if (w != NULL)
        n = snprintf(name, NAME_MAX_LEN, "%s%s%s", w->name,
                     w->name[0] != '\0' ? "/" : "", path);
    else if (strncmp(path, shim.root, shim.root_length) == 0 &&
             (path[shim.root_length] == '/' || path[shim.root_length] == '\0'))
        n = snprintf(name, NAME_MAX_LEN, "%s",
                     path + shim.root_length + (path[shim.root_length] == '/'));
    if (n >= NAME_MAX_LEN)
        die("a name is too long");
    return n >= 0;
}

static uint64_t inode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void watch(int fd, const char *name)
{
    struct stat st;
    if (fd >= FDS || fstat(fd, &st) != 0)
        die("a descriptor cannot be watched");
    struct watched *w = &shim.fds[fd];
    w->is_watched = true;
    w->inode = st.st_ino;
    snprintf(w->name, sizeof(w->name), "%s", name);
}

static void forget(int fd)
{
    if (fd >= 0 && fd < FDS)
        shim.fds[fd].is_watched = false;
}

/* --- opening --- */

static int open_watched(int folder, const char *path, int flags, mode_t mode,
                        const char *name)
{
    struct stat st;
    bool is_there = fstatat(folder, path, &st, 0) == 0;
    bool makes = !is_there && (flags & O_CREAT) != 0;
    bool cuts = is_there && (flags & O_TRUNC) != 0 && st.st_size > 0;
    if (makes || cuts)
        count_operation();
    if (makes && (fails(FAULT_SPACE) || fails(FAULT_WRITE)))
        return -1;
    int fd = real.openat(folder, path, flags, mode);
    if (fd < 0)
        return -1;
    watch(fd, name);
    uint64_t inode = shim.fds[fd].inode;
    if (makes)
        append(RECORD_FILE, name, inode, 0, NULL, 0);
    else if (cuts)
        append(RECORD_RESIZE, NULL, inode, 0, NULL, 0);
    return fd;
}

static int open_any(int folder, const char *path, int flags, mode_t mode)
{
    char name[NAME_MAX_LEN];
    if (!name_of(folder, path, name))
        return real.openat(folder, path, flags, mode);
    lock();
    int fd = open_watched(folder, path, flags, mode, name);
    unlock();
    return fd;
}

static mode_t mode_of(int flags, va_list rest)
{
    bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    return has_mode ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                                             \
    EXPORT int name(const char *path, int flags, ...)                          \
    {                                                                          \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = mode_of(flags, rest);                                    \
        va_end(rest);                                                          \
        return open_any(AT_FDCWD, path, flags, mode);                          \
    }
#define OPEN_AT(name)                                                          \
    EXPORT int name(int folder, const char *path, int flags, ...)              \
    {                                                                          \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        mode_t mode = mode_of(flags, rest);                                    \
        va_end(rest);                                                          \
        return open_any(folder, path, flags, mode);                            \
    }
OPEN(open)
OPEN(open64)
OPEN_AT(openat)
OPEN_AT(openat64)

EXPORT int close(int fd)
{
    forget(fd);
    return real.close(fd);
}

EXPORT int closedir(DIR *folder)
{
    forget(dirfd(folder));
    return real.closedir(folder);
}

/* A second descriptor of the same file. */
static int is_same(int from, int to)
{
    if (to >= 0 && to < FDS && from >= 0 && from < FDS)
        shim.fds[to] = shim.fds[from];
    return to;
}

EXPORT int dup2(int from, int to)
{
    return is_same(from, real.dup2(from, to));
}

EXPORT int dup3(int from, int to, int flags)
{
    return is_same(from, real.dup3(from, to, flags));
}

/* --- reading, writing --- */

EXPORT ssize_t read(int fd, void *data, size_t length)
{
    if (watched_of(fd) != NULL && fails(FAULT_READ))
        return -1;
    return real.read(fd, data, length);
}

static ssize_t read_at(int fd, void *data, size_t length, off_t offset)
{
    if (watched_of(fd) != NULL && fails(FAULT_READ))
        return -1;
    return real.pread(fd, data, length, offset);
}

EXPORT ssize_t pread(int fd, void *data, size_t length, off_t offset)
{
    return read_at(fd, data, length, offset);
}

EXPORT ssize_t pread64(int fd, void *data, size_t length, off_t offset)
{
    return read_at(fd, data, length, offset);
}

/* A disk that runs full often takes some of it first. */
static ssize_t write_watched(int fd, const struct watched *w, const void *data,
                             size_t length, off_t offset)
{
    count_operation();
    if (length > WRITE_MAX)
        length = WRITE_MAX;
    if (fails(FAULT_SPACE) || fails(FAULT_WRITE)) {
        if (length < 2 || draw() % 4 != 0)
            return -1;
        length /= 2;
    }
    ssize_t n = real.pwrite(fd, data, length, offset);
    if (n > 0)
        append(RECORD_WRITE, NULL, w->inode, (uint64_t)offset, data, (size_t)n);
    return n;
}

EXPORT ssize_t write(int fd, const void *data, size_t length)
{
    struct watched *w = watched_of(fd);
    if (w == NULL)
        return real.write(fd, data, length);
    lock();
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t n = write_watched(fd, w, data, length, at);
    int saved = errno;
    if (n > 0)
        (void)lseek(fd, at + n, SEEK_SET);
    errno = saved;
    unlock();
    return n;
}

static ssize_t write_at(int fd, const void *data, size_t length, off_t offset)
{
    struct watched *w = watched_of(fd);
    if (w == NULL)
        return real.pwrite(fd, data, length, offset);
    lock();
    ssize_t n = write_watched(fd, w, data, length, offset);
    unlock();
    return n;
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    return write_at(fd, data, length, offset);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset)
{
    return write_at(fd, data, length, offset);
}

static int resize(int fd, off_t length)
{
    struct watched *w = watched_of(fd);
    if (w == NULL)
        return real.ftruncate(fd, length);
    lock();
    count_operation();
    int status = fails(FAULT_WRITE) ? -1 : real.ftruncate(fd, length);
    if (status == 0)
        append(RECORD_RESIZE, NULL, w->inode, (uint64_t)length, NULL, 0);
    unlock();
    return status;
}

EXPORT int ftruncate(int fd, off_t length)
{
    return resize(fd, length);
}
EXPORT int ftruncate64(int fd, off_t length)
{
    return resize(fd, length);
}

/* --- folders --- */

EXPORT int rename(const char *from, const char *to)
{
    char old_name[NAME_MAX_LEN], new_name[NAME_MAX_LEN];
    if (!name_of(AT_FDCWD, from, old_name) || !name_of(AT_FDCWD, to, new_name))
        return real.rename(from, to);
    lock();
    count_operation();
    uint64_t inode = inode_of(from);
    int status =
        fails(FAULT_SPACE) || fails(FAULT_WRITE) ? -1 : real.rename(from, to);
    if (status == 0) {
        append(RECORD_LINK, new_name, inode, 0, NULL, 0);
        append(RECORD_UNLINK, old_name, inode, 0, NULL, 0);
    }
    unlock();
    return status;
}

EXPORT int unlink(const char *path)
{
    char name[NAME_MAX_LEN];
    if (!name_of(AT_FDCWD, path, name))
        return real.unlink(path);
    lock();
    count_operation();
    int status = fails(FAULT_WRITE) ? -1 : real.unlink(path);
    if (status == 0)
        append(RECORD_UNLINK, name, 0, 0, NULL, 0);
    unlock();
    return status;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    char name[NAME_MAX_LEN];
    if (!name_of(AT_FDCWD, path, name))
        return real.mkdir(path, mode);
    lock();
    count_operation();
    int status = fails(FAULT_SPACE) ? -1 : real.mkdir(path, mode);
    if (status == 0)
        append(RECORD_FOLDER, name, inode_of(path), 0, NULL, 0);
    unlock();
    return status;
}

static int sync_any(int fd)
{
    struct watched *w = watched_of(fd);
    if (w == NULL)
        return real.fsync(fd);
    lock();
    count_operation();
    int status = fails(FAULT_SYNC) ? -1 : 0;
    if (status != 0)
        append(RECORD_SYNC_FAILED, NULL, w->inode, draw(), NULL, 0);
    else if (atomic_load(&shim.control->lies) == 0)
        append(RECORD_SYNC, NULL, w->inode, 0, NULL, 0);
    unlock();
    return status;
}

EXPORT int fsync(int fd)
{
    return sync_any(fd);
}
EXPORT int fdatasync(int fd)
{
    return sync_any(fd);
}

/* --- the wall clock --- */

static int64_t clock_step_s(void)
{
    return shim.control != NULL ? atomic_load(&shim.control->clock_s) : 0;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *now)
{
    int status = real.clock_gettime(clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        now->tv_sec += clock_step_s();
    return status;
}

EXPORT time_t time(time_t *where)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where != NULL)
        *where = now.tv_sec;
    return now.tv_sec;
}

EXPORT int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
