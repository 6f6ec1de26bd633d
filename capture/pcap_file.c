/*
 * Blocks are read one after the other into a ring. What is left of a block when
 * the next record does not end in it moves in front of the next block, where
 * there is room for the largest record that is taken.
 *
 * Of a large file the blocks are read ahead by a thread, so that the kernel's
 * copying goes on beside the counting; without one (a small file, or no thread
 * to be had) they are read when needed. Only the three numbers under the lock
 * are shared: a block belongs to the reader until it is counted as filled, then
 * to the caller until it is counted as used.
 */
#include "capture/pcap_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_HEADER_LEN = 24,
    RECORD_HEADER_LEN = 16,
    CAPTURED_MAX = 262144, /* as libpcap */
    RECORD_MAX = RECORD_HEADER_LEN + CAPTURED_MAX,
    BLOCK_LEN = 256 * 1024,
    BLOCKS = 3,
    READ_AHEAD_FROM = 8 * 1024 * 1024, /* bytes of a file */
    LINK_TYPE_MAX = 0xffff,            /* above: about frame check sequences */
};

struct block {
    size_t length; /* 0: the file ended, or could not be read */
    uint8_t front[RECORD_MAX];
    uint8_t bytes[BLOCK_LEN];
};

struct pcap_file {
    int fd;
    bool is_swapped, is_nano;
    int link_type;
    struct error_text error;
    const uint8_t *at, *end; /* what is left, within the current block */
    bool has_ended;
    int read_error;
    uint64_t current; /* blocks that were entered */
    bool has_reader;
    pthread_t reader;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t filled, used; /* blocks; under the lock, as is the next one */
    bool is_closing;
    struct block blocks[BLOCKS];
};

static uint32_t get_u32(const struct pcap_file *f, const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return f->is_swapped ? __builtin_bswap32(value) : value;
}

/* Link types below this are the same in files and in memory on Linux, and so
 * are those from 104 on; in between, and at 12 to 18, systems differ. */
static bool is_plain_link_type(uint32_t type)
{
    return type <= 10 || (type >= 104 && type <= LINK_TYPE_MAX);
}

/* Magic numbers of micro- and nanoseconds in this machine's order. */
static bool read_magic(struct pcap_file *f, const uint8_t *header)
{
    static const uint32_t micro = 0xa1b2c3d4, nano = 0xa1b23c4d;
    uint32_t magic = get_u32(f, header);
    f->is_swapped =
        magic == __builtin_bswap32(micro) || magic == __builtin_bswap32(nano);
    magic = get_u32(f, header);
    f->is_nano = magic == nano;
    return magic == micro || magic == nano;
}

static bool read_header(struct pcap_file *f)
{
    uint8_t header[FILE_HEADER_LEN];
    if (read(f->fd, header, sizeof(header)) != (ssize_t)sizeof(header) ||
        !read_magic(f, header))
        return false;
    uint32_t link_type = get_u32(f, header + 20);
    /* Version 2.4, two numbers of 16 bits in the file's own order. */
    const uint16_t one = 1;
    bool is_little = (*(const uint8_t *)&one == 1) != f->is_swapped;
    uint32_t version = get_u32(f, header + 4);
    f->link_type = (int)link_type;
    return version == (is_little ? 0x00040002u : 0x00020004u) &&
           is_plain_link_type(link_type);
}

/* --- blocks --- */

static struct block *block_at(struct pcap_file *f, uint64_t number)
{
    return &f->blocks[number % BLOCKS];
}

/* Errors are told by who is asked for the next record. */
static void read_block(struct pcap_file *f, struct block *block)
{
    ssize_t got = 1;
    block->length = 0;
    while (got > 0 && block->length < BLOCK_LEN) {
        got = read(f->fd, block->bytes + block->length,
                   BLOCK_LEN - block->length);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            block->length += (size_t)got;
        else if (got < 0)
            f->read_error = errno;
    }
}

/* False when the file is to be closed. */
static bool await_room(struct pcap_file *f)
{
    pthread_mutex_lock(&f->lock);
    while (f->filled - f->used == BLOCKS && !f->is_closing)
        pthread_cond_wait(&f->changed, &f->lock);
    bool is_closing = f->is_closing;
    pthread_mutex_unlock(&f->lock);
    return !is_closing;
}

static void *read_ahead(void *context)
{
    struct pcap_file *f = context;
    uint64_t number = 0;
    size_t length = 1;
    while (length > 0 && await_room(f)) {
        struct block *block = block_at(f, number++);
        read_block(f, block);
        length = block->length; /* afterwards it is no longer ours */
        pthread_mutex_lock(&f->lock);
        f->filled = number;
        pthread_cond_signal(&f->changed);
        pthread_mutex_unlock(&f->lock);
    }
    return NULL;
}

/* The next block, filled. */
static struct block *await_block(struct pcap_file *f)
{
    struct block *block = block_at(f, f->current);
    if (!f->has_reader) {
        read_block(f, block);
        f->current++;
        return block;
    }
    pthread_mutex_lock(&f->lock);
    while (f->filled == f->current)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
    f->current++;
    return block;
}

/* The block before the current one may be filled again. */
static void give_back(struct pcap_file *f)
{
    if (!f->has_reader || f->current < 2)
        return;
    pthread_mutex_lock(&f->lock);
    f->used = f->current - 1;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

/* More bytes behind those that are left, which are fewer than a record; false
 * at the end of the file. */
static bool fill(struct pcap_file *f)
{
    size_t left = (size_t)(f->end - f->at);
    if (f->has_ended)
        return false;
    struct block *block = await_block(f);
    if (block->length == 0) { /* what is left stays where it is */
        f->has_ended = true;
        if (f->read_error != 0)
            error_set(&f->error, "cannot be read: %s", strerror(f->read_error));
        return false;
    }
    uint8_t *start = block->bytes - left;
    if (left > 0)
        memcpy(start, f->at, left);
    f->at = start;
    f->end = block->bytes + block->length;
    give_back(f);
    return true;
}

/* Are this many bytes there, or can they be had? */
static bool have(struct pcap_file *f, size_t wanted)
{
    while ((size_t)(f->end - f->at) < wanted)
        if (!fill(f))
            return false;
    return true;
}

/* --- opening --- */

static void start_reader(struct pcap_file *f)
{
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->has_reader = pthread_create(&f->reader, NULL, read_ahead, f) == 0;
    if (f->has_reader)
        return;
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
}

static void stop_reader(struct pcap_file *f)
{
    pthread_mutex_lock(&f->lock);
    f->is_closing = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->reader, NULL);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
}

struct pcap_file *pcap_file_open(const char *path)
{
    struct stat info;
    struct pcap_file *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return NULL;
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &info) != 0 || !S_ISREG(info.st_mode) ||
        !read_header(f)) {
        pcap_file_close(f);
        return NULL;
    }
    posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (info.st_size >= READ_AHEAD_FROM)
        start_reader(f);
    return f;
}

void pcap_file_close(struct pcap_file *f)
{
    if (f == NULL)
        return;
    if (f->has_reader)
        stop_reader(f);
    if (f->fd >= 0)
        close(f->fd);
    free(f);
}

int pcap_file_link_type(const struct pcap_file *f)
{
    return f->link_type;
}

static enum pcap_status damaged(struct pcap_file *f, const char *what)
{
    if (f->error.text[0] == '\0')
        error_set(&f->error, "%s", what);
    return PCAP_FILE_DAMAGED;
}

enum pcap_status pcap_file_next(struct pcap_file *f, struct pcap_record *record)
{
    if (!have(f, RECORD_HEADER_LEN)) {
        if (f->end == f->at && f->error.text[0] == '\0')
            return PCAP_FILE_END;
        return damaged(f, "cut off within a packet's header");
    }
    const uint8_t *head = f->at;
    uint32_t captured = get_u32(f, head + 8);
    if (captured > CAPTURED_MAX)
        return damaged(f, "damaged: a packet longer than any can be");
    if (!have(f, RECORD_HEADER_LEN + (size_t)captured))
        return damaged(f, "cut off within a packet");
    head = f->at; /* it may have moved */
    uint32_t fraction = get_u32(f, head + 4);
    *record = (struct pcap_record){
        .data = head + RECORD_HEADER_LEN,
        .captured = captured,
        .length = get_u32(f, head + 12),
        .seconds = get_u32(f, head),
        .fraction_us = f->is_nano ? fraction / 1000 : fraction,
    };
    f->at += RECORD_HEADER_LEN + (size_t)captured;
    return PCAP_FILE_RECORD;
}

const char *pcap_file_error(const struct pcap_file *f)
{
    return f->error.text;
}
