/*
 * The disk of one machine of the drill, as its journal tells it: what the
 * programs see (the kernel's view), and what is sure to be there after the
 * power has gone.
 *
 * The rules are POSIX's, with nothing added that a kind file system would do:
 *
 *   file        a sync makes its bytes and its size sure, not its name
 *   folder      a sync makes the names in it sure, each by itself
 *   otherwise   every change since may have reached the disk or not, in any
 *               order: a write in any of its sectors of 512 bytes, a sector
 *               also up to some byte of it; a name with any of the meanings it
 *               had since, so that after a rename there may be two names, or
 *               none; where a file grew and its bytes did not come, there is
 *               noise or nothing
 *   failed sync each change before it is on the disk or never will be,
 *               whatever later syncs say
 *
 * One kindness is SQLite's documented assumption: bytes that were not written
 * to do not change (its "powersafe overwrite").
 */
#ifndef TESTS_DRILL_DISK_H
#define TESTS_DRILL_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/log.h"

struct disk;

/* Reads a journal. NULL with a sentence. */
struct disk *disk_load(const char *journal, struct error_text *error);
void disk_free(struct disk *disk);

/* A program was killed, the machine was not: what it did between the kernel and
 * the journal is seen in the live folder, and added to the journal. */
bool disk_follow(struct disk *disk, const char *root, struct error_text *error);

struct disk_losses {
    uint64_t unsure, lost, torn; /* changes; torn: in part */
};
/* The power goes: `root` becomes one of the states it can leave, by chance of
 * the seed, and the journal starts anew from there. Seed 0: the state in which
 * nothing came through that was not sure. */
bool disk_cut(struct disk *disk, const char *root, uint64_t seed,
              struct disk_losses *losses, struct error_text *error);

/* Every name, with its bytes as programs see them; is_sure: this name with
 * these bytes outlives any loss of power. */
typedef bool disk_visit(void *context, const char *name, const void *data,
                        uint64_t length, bool is_sure);
bool disk_each(const struct disk *disk, disk_visit *visit, void *context);

/* An empty folder and a journal that says so. */
bool disk_new(const char *root, const char *journal, struct error_text *error);

#endif
