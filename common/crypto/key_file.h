/*
 * Files of private keys: read only when nobody but their owner may, made with
 * mode 0600 and never in place of another. What is in them is their user's.
 */
#ifndef COMMON_CRYPTO_KEY_FILE_H
#define COMMON_CRYPTO_KEY_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/log.h"

/* NULL with a sentence naming the file: not there, no regular file, or others
 * than the owner may use it. The caller closes it. */
FILE *key_file_open(const char *path, struct error_text *error);
/* NULL with a sentence, also when there is a file of that name. */
FILE *key_file_create(const char *path, struct error_text *error);
/* Syncs and closes what key_file_create() gave. With `is_written` false, or when
 * that fails, the file is removed again: false with a sentence. */
bool key_file_finish(FILE *file, const char *path, bool is_written,
                     struct error_text *error);

#endif
