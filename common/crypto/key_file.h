/*
 * Files of private keys: read only when nobody but their owner may, made with
 * mode 0600 and never in place of another. Which kinds of keys will do is their user's to say.
 */
#ifndef COMMON_CRYPTO_KEY_FILE_H
#define COMMON_CRYPTO_KEY_FILE_H

#include <stdbool.h>

#include "common/log.h"

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

/* A private key in PEM form, without a passphrase: one that needs it cannot be
 * used unattended, and nobody is asked. NULL with a sentence naming the file:
 * not there, no regular file, others than the owner may use it, or no key. */
struct evp_pkey_st *key_file_read(const char *path, struct error_text *error);
/* Synced. False with a sentence, also when there is a file of that name; one
 * that could not be written whole is removed again. */
bool key_file_write(const char *path, const struct evp_pkey_st *key,
                    struct error_text *error);
/* For PEM readers: no passphrase. */
int key_file_no_passphrase(char *text, int size, int is_writing, void *context);

#endif
