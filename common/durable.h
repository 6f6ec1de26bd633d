/*
 * Files that are there whole or not at all, also after a power loss.
 *
 * Written beside the final name, synced, given its name, and the folder synced. All
 * functions give false with errno set; a file half written is removed again.
 */
#ifndef COMMON_DURABLE_H
#define COMMON_DURABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/slice.h"

enum { DURABLE_PATH_LEN = 4096 };

bool durable_write(const char *path, struct slice content, mode_t mode);
/* The same, but never in place of a file that is there: EEXIST. */
bool durable_create(const char *path, struct slice content, mode_t mode);
/* All of it behind what was written to the file so far; not synced. */
bool durable_add(int fd, struct slice content);
/* Moves a file to another folder of the same file system, and syncs both. */
bool durable_move(const char *from, const char *to);
/* Made when it is not there, with mode 0700; its name outlives a loss of power,
 * unless the folder around it is not ours to read (EACCES). */
bool durable_folder(const char *path);
/* folder/name; false with ENAMETOOLONG. */
bool durable_path(char path[static DURABLE_PATH_LEN], const char *folder,
                  const char *name);
/* The names in the folder that the file stands in are on disk. */
bool durable_sync_folder_of(const char *path);
/* The folder that the file stands in: "." without a slash. */
bool durable_folder_of(char folder[static DURABLE_PATH_LEN], const char *path);

#endif
