/* collector.conf: every key, its default and bounds. */
#ifndef COLLECTOR_COLLECTOR_CONFIG_H
#define COLLECTOR_COLLECTOR_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

enum { LISTEN_LEN = 280, USER_LEN = 33 };

struct collector_config {
    char listen[LISTEN_LEN];
    char ca[PATH_MAX], certificate[PATH_MAX], tls_key[PATH_MAX];
    char receipt_key[PATH_MAX];
    char registry[PATH_MAX], usage_db[PATH_MAX], archive[PATH_MAX];
    bool accept_sample;
    uint64_t max_connections, idle_timeout_s;
    char endpoints[PATH_MAX], number_key[PATH_MAX];
    char user[USER_LEN];
    int log_level; /* enum log_level */
};

extern const struct config_key collector_config_keys[];
extern const size_t collector_config_key_count;

#endif
