/*
 * The archive: the signed batches themselves, compressed, append-only.
 *
 * Segments "000001.yza", "000002.yza", ... in one folder, each a run of
 * frames. The ledger says where a batch's frame is; nothing else finds it.
 *
 * Order of work: archive_begin(), append any number of batches, archive_sync(),
 * and only then commit the ledger rows that name them. So a committed row
 * always has its bytes on disk, and bytes without a row are what a crash left
 * behind: they are cut off by the next writer (archive_open).
 *
 * A writer holds a lock on its segment. A second one (an import beside the
 * running collector) gets a segment of its own. A full segment, and with it the
 * lock, is given up in archive_begin() alone, when all of it is committed:
 * nobody else can take uncommitted bytes for a crash's.
 */
#ifndef COLLECTOR_LEDGER_ARCHIVE_H
#define COLLECTOR_LEDGER_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/log.h"
#include "common/pack.h"

struct archive;

struct archive_place {
    uint32_t segment; /* from 1 */
    uint64_t offset;
    uint64_t length; /* of the frame, its header included */
};

/* A mark to return to, taken by archive_mark(). */
struct archive_mark {
    uint32_t segment;
    uint64_t offset;
};

/* End of the committed frames of a segment, by the ledger; false when the
 * ledger cannot be read. */
typedef bool archive_end_fn(void *context, uint32_t segment, uint64_t *end);

/* Makes the folder when it is missing. Cuts torn tails of segments that no
 * other process writes, and takes one of them, or a new one, for writing.
 * `cut_bytes` (may be NULL) is what was cut off. A segment shorter than the
 * ledger says is left alone and reported in `damage`. */
struct archive *archive_open(const char *folder, archive_end_fn *end,
                             void *context, uint64_t *cut_bytes,
                             struct error_text *damage,
                             struct error_text *error);
/* For reading only: nothing is made, locked or cut. */
struct archive *archive_open_read(const char *folder, struct error_text *error);
void archive_close(struct archive *archive);

/* Smaller segments for tests; 256 MiB otherwise. */
void archive_set_segment_size(struct archive *archive, uint64_t bytes);

/* Starts a group: all that was appended before is committed or returned.
 * Goes to a new segment when the old one is full, so that a group lies in one
 * segment. False with errno set. */
bool archive_begin(struct archive *archive);
struct archive_mark archive_mark(const struct archive *archive);
/* Makes the frame of one batch, in any thread; *frame is initialised by the
 * caller (archive_frame_max) and emptied here. False without memory. */
bool archive_make_frame(struct packer *packer, struct slice batch,
                        struct buffer *frame);
size_t archive_frame_max(void);
/* Appends a frame. False with errno set; then return to the mark. */
bool archive_append(struct archive *archive, struct slice frame,
                    struct archive_place *place);
/* Forgets everything appended since the mark, which is of the same group. */
void archive_return(struct archive *archive, struct archive_mark mark);
/* What was appended is on disk. False with errno set. */
bool archive_sync(struct archive *archive);

/* Reads a batch back into *batch (initialised by the caller, emptied here).
 * False with a reason naming segment and offset. */
bool archive_read(struct archive *archive, struct archive_place place,
                  struct buffer *batch, struct error_text *error);
/* Size of a segment, 0 when there is none. */
uint64_t archive_segment_size(const struct archive *archive, uint32_t segment);
/* Somebody has it open for writing. */
bool archive_is_written(const struct archive *archive, uint32_t segment);
/* Deletes a whole segment that the ledger no longer needs. False with errno
 * set; EBUSY when somebody writes it. One that is missing is deleted. */
bool archive_delete_segment(struct archive *archive, uint32_t segment);
/* Highest segment number in the folder, 0 without any. */
uint32_t archive_last_segment(const struct archive *archive);

#endif
