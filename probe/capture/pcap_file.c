/* The block holds at least one whole record of the largest size that is taken;
 * what is left of it moves to the front before more is read. */
#include "probe/capture/pcap_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_HEADER_LEN = 24,
    RECORD_HEADER_LEN = 16,
    CAPTURED_MAX = 262144, /* as libpcap */
    BLOCK_LEN = 128 * 1024 + CAPTURED_MAX + 16,
    LINK_TYPE_MAX = 0xffff, /* above: about frame check sequences */
};

struct pcap_file {
    int fd;
    bool is_swapped, is_nano;
    int link_type;
    size_t start, end; /* of what is left in the block */
    struct error_text error;
    uint8_t block[BLOCK_LEN];
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
    return f;
}

void pcap_file_close(struct pcap_file *f)
{
    if (f == NULL)
        return;
    if (f->fd >= 0)
        close(f->fd);
    free(f);
}

int pcap_file_link_type(const struct pcap_file *f)
{
    return f->link_type;
}

/* More bytes behind those that are left; false at the end of the file. */
static bool fill(struct pcap_file *f)
{
    ssize_t got;
    memmove(f->block, f->block + f->start, f->end - f->start);
    f->end -= f->start;
    f->start = 0;
    do {
        got = read(f->fd, f->block + f->end, sizeof(f->block) - f->end);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        error_set(&f->error, "cannot be read: %s", strerror(errno));
    f->end += got > 0 ? (size_t)got : 0;
    return got > 0;
}

/* Are this many bytes in the block, or can they be had? */
static bool have(struct pcap_file *f, size_t wanted)
{
    while (f->end - f->start < wanted)
        if (!fill(f))
            return false;
    return true;
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
        if (f->end == f->start && f->error.text[0] == '\0')
            return PCAP_FILE_END;
        return damaged(f, "cut off within a packet's header");
    }
    const uint8_t *head = f->block + f->start;
    uint32_t captured = get_u32(f, head + 8);
    if (captured > CAPTURED_MAX)
        return damaged(f, "damaged: a packet longer than any can be");
    if (!have(f, RECORD_HEADER_LEN + (size_t)captured))
        return damaged(f, "cut off within a packet");
    head = f->block + f->start;
    uint32_t fraction = get_u32(f, head + 4);
    *record = (struct pcap_record){
        .data = head + RECORD_HEADER_LEN,
        .captured = captured,
        .length = get_u32(f, head + 12),
        .seconds = get_u32(f, head),
        .fraction_us = f->is_nano ? fraction / 1000 : fraction,
    };
    f->start += RECORD_HEADER_LEN + (size_t)captured;
    return PCAP_FILE_RECORD;
}

const char *pcap_file_error(const struct pcap_file *f)
{
    return f->error.text;
}
