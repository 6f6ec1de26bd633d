/* collector.conf: every key, its default and bounds. */
#ifndef COLLECTOR_COLLECTOR_CONFIG_H
#define COLLECTOR_COLLECTOR_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"

enum {
    LISTEN_LEN = 280,
    LISTEN_LIST_LEN = 1024,
    USER_LEN = 33,
    ORIGIN_LEN = 128
};

struct collector_config {
    char listen[LISTEN_LEN];
    char ca[PATH_MAX], certificate[PATH_MAX], tls_key[PATH_MAX];
    char receipt_key[PATH_MAX];
    char registry[PATH_MAX], usage_db[PATH_MAX], archive[PATH_MAX];
    char log_key[PATH_MAX], log_origin[ORIGIN_LEN];
    char log_former_keys[PATH_MAX];
    char checkpoints[PATH_MAX], witnesses[PATH_MAX];
    uint64_t checkpoint_minutes, witness_quorum;
    bool accept_sample;
    uint64_t workers; /* 0: as many as there are processors */
    uint64_t max_connections, connections_per_probe, idle_timeout_s;
    uint64_t detail_days, archive_days;
    char metrics[LISTEN_LEN];
    char netflow_udp[LISTEN_LIST_LEN], ipfix_tcp[LISTEN_LIST_LEN];
    char endpoints[PATH_MAX], secret[PATH_MAX], number_key[PATH_MAX];
    uint64_t batch_period_s, template_lifetime_s;
    char user[USER_LEN];
    int log_level; /* enum log_level */
};

extern const struct config_key collector_config_keys[];
extern const size_t collector_config_key_count;

#endif
