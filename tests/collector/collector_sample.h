/* The configuration of a collector in a test's folder. */
#ifndef TESTS_COLLECTOR_COLLECTOR_SAMPLE_H
#define TESTS_COLLECTOR_COLLECTOR_SAMPLE_H

#include "collector/collector_config.h"
#include "tests/collector/ledger/store_sample.h"

/* Configuration of a collector that works in the folder, on portal.db. */
static inline struct collector_config
sample_config(const struct sample_folder *folder)
{
    struct collector_config config;
    config_set_defaults(collector_config_keys, collector_config_key_count,
                        &config);
    sample_path(folder, "portal.db", config.registry);
    sample_path(folder, "usage.db", config.usage_db);
    sample_path(folder, "archive", config.archive);
    return config;
}

static inline struct ledger_paths
sample_config_paths(const struct collector_config *config)
{
    return (struct ledger_paths){config->registry, config->usage_db,
                                 config->archive};
}

static inline struct store *sample_store(const struct collector_config *config,
                                         struct error_text *error)
{
    struct ledger_paths paths = sample_config_paths(config);
    return store_open(&paths, config->accept_sample, error);
}

#endif
