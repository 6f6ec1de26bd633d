/*
 * The folder of attachments, and a file that comes into it.
 *
 *   FOLDER/incoming/   what is being received, under names of chance
 *   FOLDER/files/ab/   what was kept, each under its SHA-256 in hex
 *
 * A file is written and hashed while it comes and never held in memory. Nothing
 * stays in incoming: what fails is removed at once, what a killed program left
 * when the portal starts. Nothing is taken when the disk has less than 512 MiB.
 */
#ifndef PORTAL_STORE_ATTACHMENT_FILE_H
#define PORTAL_STORE_ATTACHMENT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto/digest.h"
#include "common/log.h"
#include "common/slice.h"
#include "portal/store/portal_config.h"
#include "portal/store/virus_scan.h"

struct attachments;

/* NULL with a reason. The configuration is borrowed. */
struct attachments *attachments_open(const struct portal_config *config,
                                     struct error_text *error);
void attachments_close(struct attachments *attachments);
/* For who receives, at its start: removes what a killed one received half,
 * unless another portal receives into the folder now. */
void attachments_clean(struct attachments *attachments);
uint64_t attachments_file_max(const struct attachments *attachments);
/* Whether there is a scanner; else every file is 'not scanned'. */
bool attachments_are_scanned(const struct attachments *attachments);

/* Whether the account may begin to send files: it sends few forms at a time, and
 * all accounts together not too many. Each true is ended once. */
bool attachments_begin(struct attachments *attachments, const char *account);
void attachments_end(struct attachments *attachments, const char *account);

/* ---- a file that comes in ---- */

enum attachment_state {
    ATTACHMENT_GOOD,
    ATTACHMENT_EMPTY,
    ATTACHMENT_TOO_LARGE,
    ATTACHMENT_WRONG_TYPE,
    ATTACHMENT_HARMFUL,
    ATTACHMENT_NOT_KEPT, /* no room, or the disk failed: the log says which */
};
/* "E_FILE_TYPE"; NULL of a good one. */
const char *attachment_state_code(enum attachment_state state);

struct attachment_file;

/* Of the types in `accepted` (attachment_type.h). NULL without memory. */
struct attachment_file *attachment_file_new(struct attachments *attachments,
                                            unsigned accepted);
/* Once it is not good any more nothing is written. */
void attachment_file_add(struct attachment_file *file, struct slice piece);
/* No more comes. A good one is on disk when this returns: slow. */
void attachment_file_end(struct attachment_file *file);
/* Shows it to the scanner, where there is one: slow. False when that does not
 * answer; the clock asks again later. */
bool attachment_file_look(struct attachment_file *file);
/* What holds of it; digest, bytes and type of a good one. */
enum attachment_state attachment_file_state(const struct attachment_file *file);
struct digest attachment_file_digest(const struct attachment_file *file);
uint64_t attachment_file_bytes(const struct attachment_file *file);
unsigned attachment_file_type(const struct attachment_file *file);
enum virus_scan attachment_file_scan(const struct attachment_file *file);
/* Gives a good one its lasting name; false with a reason. From then on it stays
 * when it is freed. */
bool attachment_file_keep(struct attachment_file *file,
                          struct error_text *error);
void attachment_file_free(struct attachment_file *file);

/* ---- what was kept ---- */

/* To read from, or -1 with errno. */
int attachments_open_file(const struct attachments *attachments,
                          struct digest sha256);
enum virus_scan attachments_scan(const struct attachments *attachments,
                                 struct digest sha256);
bool attachments_remove_file(const struct attachments *attachments,
                             struct digest sha256);
/* Calls with each file there is, until it gives false; false when it did, or
 * the folder cannot be read. */
bool attachments_each(const struct attachments *attachments,
                      bool (*fn)(void *context, struct digest sha256),
                      void *context);

#endif
