/*
 * Configuration from a table of keys.
 *
 * One row per key gives parsing, default, bounds, the sample file, the manual
 * and the printed form. A file has `key = value` lines, `#` comments and
 * [section] lines that only repeat (rows with a section belong to each of its
 * sections); here every key stands at top level. Unknown keys, repeated keys
 * and values out of bounds are errors that name file and line.
 *
 * The normal form, printed by `-n`, lists every key in table order with its
 * effective value; reading that print gives the same print.
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buffer.h"
#include "common/log.h"

enum config_kind {
    CONFIG_TEXT,    /* char[]; size is the array's size */
    CONFIG_PATH,    /* the same; relative paths are taken from the file's
                        folder */
    CONFIG_U64,     /* uint64_t within min..max */
    CONFIG_BOOL,    /* bool: yes or no */
    CONFIG_CHOICE,  /* int: index into the words of `choices`, "a|b|c" */
    CONFIG_ADDRESS, /* char[]: HOST:PORT or [V6]:PORT, checked for form */
};

struct config_key {
    const char *name;
    enum config_kind kind;
    size_t offset; /* of the member in the program's config struct */
    size_t size;   /* of a char array member */
    uint64_t min, max;
    const char *choices;
    const char *initial; /* default in the file's own syntax; NULL: required */
    const char *help;    /* one or two sentences for sample and manual */
};

/* Fills every key with its default, then reads the file over it. False with
 * "FILE:LINE: reason" in error. */
bool config_read(const char *path, const struct config_key *keys, size_t count,
                 void *config, struct error_text *error);
/* Defaults only; required keys stay empty. */
void config_set_defaults(const struct config_key *keys, size_t count,
                         void *config);
void config_print(const struct config_key *keys, size_t count,
                  const void *config, struct buffer *out);
/* The sample file: help as comments, defaults as values. */
void config_print_sample(const struct config_key *keys, size_t count,
                         struct buffer *out);

#endif
