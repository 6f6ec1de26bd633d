/* The portal's configuration: one table of keys (common/config.h). */
#ifndef PORTAL_PORTAL_CONFIG_H
#define PORTAL_PORTAL_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

struct portal_config {
    char listen[300];
    char portal_db[PATH_MAX];
    char usage_db[PATH_MAX];
    char verdict_db[PATH_MAX];
    char rules[PATH_MAX];
    char registry_key[PATH_MAX]; /* "": none */
    uint64_t session_idle_minutes;
    bool secure_cookie;
    bool demo_banner;
    int log_level; /* enum log_level */
};

extern const struct config_key PORTAL_CONFIG_KEYS[];
extern const size_t PORTAL_CONFIG_KEY_COUNT;

#endif
