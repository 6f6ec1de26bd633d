/* The configuration of yz-probe (deploy/probe.conf is its printed sample). */
#ifndef PROBE_STATE_PROBE_CONFIG_H
#define PROBE_STATE_PROBE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/wire/batch.h"
#include "probe/meter/meter.h"
#include "probe/process/reader.h"

enum { PROBE_PATH_LEN = 512 };

/* As the key `observation_point` has them. */
enum observation_point { OBSERVATION_INTERFACE, OBSERVATION_VLAN };

struct probe_config {
    char interface[256]; /* as written; in parts: */
    char interfaces[READER_INTERFACES_MAX][32];
    size_t interface_count;
    uint64_t workers;
    uint64_t snap_length, buffer_mb;
    bool is_promiscuous;
    int kernel_filter; /* enum filter_kind */
    char endpoints[PROBE_PATH_LEN];
    char probe_id[PROBE_ID_LEN];
    char state[PROBE_PATH_LEN];
    char voucher_period[32];
    uint64_t spool_mb, sent_mb, receipts_mb;
    char collector[300];
    char collector_name[256];
    char ca[PROBE_PATH_LEN], certificate[PROBE_PATH_LEN];
    char tls_key[PROBE_PATH_LEN], signing_key[PROBE_PATH_LEN];
    char receipt_key[PROBE_PATH_LEN];
    char portal[300];                  /* https://HOST[:PORT]; empty: none */
    char registry_key[PROBE_PATH_LEN]; /* "": no lists are taken */
    char proxy[300]; /* HOST:PORT or http://USER:PASSWORD@HOST:PORT; empty */
    uint64_t batch_period_s, idle_timeout_s, active_timeout_s, flow_limit;
    uint64_t hello_limit, duplicate_window_ms;
    int observation_point; /* enum observation_point */
    char user[64];
    char metrics[160]; /* as metrics_open() takes it */
    int log_level;     /* enum log_level */
};

extern const struct config_key probe_config_keys[];
extern const size_t probe_config_key_count;

/* Reads the file and checks what a key alone cannot: "FILE: reason" or
 * "FILE:LINE: reason" in error. */
bool probe_config_read(const char *path, struct probe_config *config,
                       struct error_text *error);
/* Only what each key says by itself: enrolment fills in what is still empty. */
bool probe_config_read_keys(const char *path, struct probe_config *config,
                            struct error_text *error);
struct meter_options probe_config_meter(const struct probe_config *config);
/* 1 to 63 letters, digits, ".", "_" or "-": usable as a probe's name. */
bool probe_config_is_id(const char *id);

#endif
