/*
 * Files that are there whole or not at all, also after a power loss.
 *
 * Written beside the final name, synced, renamed, and the folder synced. All
 * functions give false with errno set; a file half written is removed again.
 */
#ifndef PROBE_DURABLE_H
#define PROBE_DURABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/slice.h"

enum { DURABLE_PATH_LEN = 1024 };

bool durable_write(const char *path, struct slice content, mode_t mode);
/* Moves a file to another folder of the same file system, and syncs both. */
bool durable_move(const char *from, const char *to);
/* Made when it is not there, with mode 0700; its name outlives a loss of power,
 * unless the folder around it is not ours to read (EACCES). */
bool durable_folder(const char *path);
/* folder/name; false with ENAMETOOLONG. */
bool durable_path(char path[static DURABLE_PATH_LEN], const char *folder,
                  const char *name);
/* The folder that the file stands in: "." without a slash. */
bool durable_folder_of(char folder[static DURABLE_PATH_LEN], const char *path);

#endif
