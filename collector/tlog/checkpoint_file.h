/* The folder of checkpoints: NNNNNN.checkpoint, written once each and synced,
 * folder included. */
#ifndef COLLECTOR_TLOG_CHECKPOINT_FILE_H
#define COLLECTOR_TLOG_CHECKPOINT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/log.h"

/* Numbers of all files there, ascending; the caller frees. A folder that is
 * not there has none. */
bool checkpoint_file_list(const char *folder, uint64_t **numbers, size_t *count,
                          struct error_text *error);
/* The buffer is initialised here and the caller's. */
bool checkpoint_file_read(const char *folder, uint64_t number,
                          struct buffer *note, struct error_text *error);
/* Makes the folder when it is missing. A file that is there already with the
 * same bytes is fine; with others it stays, and false is given. */
bool checkpoint_file_write(const char *folder, uint64_t number,
                           struct slice note, struct error_text *error);

#endif
