/* The verifier's configuration: one table of keys. */
#ifndef VERIFIER_VERIFIER_CONFIG_H
#define VERIFIER_VERIFIER_CONFIG_H

#include <limits.h>

#include "common/config.h"
#include "common/log.h"

struct verifier_config {
    char registry[PATH_MAX];
    char usage_db[PATH_MAX];
    char verdict_db[PATH_MAX];
    char rules[PATH_MAX];
    char signing_key[PATH_MAX];
    int log_level; /* enum log_level */
};

extern const struct config_key verifier_config_keys[];
extern const size_t verifier_config_key_count;

bool verifier_config_read(const char *path, struct verifier_config *config,
                          struct error_text *error);

#endif
