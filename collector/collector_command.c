#include "collector/collector_command.h"

#include "collector/ledger/schema.h"

void collector_read_config(const char *path, struct collector_config *config)
{
    struct error_text error;
    if (!config_read(path, collector_config_keys, collector_config_key_count,
                     config, &error))
        fatal(2, "%s", error.text);
    log_set_level((enum log_level)config->log_level);
}

struct db *collector_open_usage(const struct collector_config *config,
                                enum db_mode mode)
{
    struct error_text error;
    struct db *db = db_open(config->usage_db, mode, ledger_migrations,
                            ledger_migration_count, &error);
    if (db == NULL)
        fatal(1, "%s", error.text);
    return db;
}
