/*
 * The journal: what a program asked of its disk, as power_shim.so saw it.
 *
 * One file per machine of the drill, mapped by every program that runs on it:
 * a page of control, then records, each aligned to RECORD_ALIGN. Records are
 * appended with stores alone, so a sandboxed program needs no system call for
 * it, and a killed one leaves everything up to its last operation.
 *
 *   offset size meaning
 *   0      8    JOURNAL_MAGIC ^ position in the file; written last: without it
 *               the record was cut off and counts as not there
 *   8      4    enum record_kind
 *   12     4    length of the name, its NUL included; 0: none
 *   16     8    inode number
 *   24     8    offset in the file, its new size, or the chance of a failed
 *               sync
 *   32     8    length of the data
 *   40     n    the name, relative to the root; then the data
 */
#ifndef TESTS_DRILL_JOURNAL_H
#define TESTS_DRILL_JOURNAL_H

#include <stdatomic.h>
#include <stdint.h>

#define JOURNAL_MAGIC UINT64_C(0x797a64696c6c3031)

enum {
    JOURNAL_START = 4096, /* of the records */
    RECORD_ALIGN = 16,
    SECTOR = 512,
};
static const uint64_t JOURNAL_BYTES = UINT64_C(1) << 30; /* sparse */

enum record_kind {
    RECORD_FILE = 1, /* a new file with this name and inode */
    RECORD_FOLDER,
    RECORD_LINK,   /* the name means this inode now */
    RECORD_UNLINK, /* it means nothing any more; folders, too */
    RECORD_WRITE,
    RECORD_RESIZE,
    RECORD_SYNC,        /* of a file or a folder */
    RECORD_SYNC_FAILED, /* the disk got an unknown part of it */
    RECORD_KINDS,
};

struct record {
    _Atomic uint64_t magic;
    uint32_t kind, name_length;
    uint64_t inode, offset, data_length;
};

enum fault {
    FAULT_NONE,
    FAULT_SPACE, /* ENOSPC where room is needed */
    FAULT_WRITE, /* EIO */
    FAULT_SYNC,
    FAULT_READ,
    FAULT_ANY, /* EIO in any of the three */
};

/* Set from outside at any time (power_tool set). */
struct control {
    _Atomic uint64_t end;           /* of the records */
    _Atomic int64_t clock_s;        /* added to the wall clock */
    _Atomic uint64_t die_after;     /* operations; 0: lives on */
    _Atomic uint64_t fault;         /* enum fault */
    _Atomic uint64_t fault_percent; /* of the operations that can fail */
    _Atomic uint64_t lies;          /* syncs succeed and do nothing */
    _Atomic uint64_t faults;        /* made so far */
    _Atomic uint64_t operations;    /* seen so far */
    _Atomic uint64_t chance;        /* of the faults */
};

static inline uint64_t record_size(uint64_t name_length, uint64_t data_length)
{
    uint64_t size = sizeof(struct record) + name_length + data_length;
    return (size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

#endif
