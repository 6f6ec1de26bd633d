#include "verifier/verifier_config.h"

#include <stddef.h>

#define PATH(member)                                                           \
    CONFIG_PATH, offsetof(struct verifier_config, member),                     \
        sizeof(((struct verifier_config *)NULL)->member)

const struct config_key verifier_config_keys[] = {
    {"registry", PATH(registry), .initial = "/var/lib/yunzheng/portal.db",
     .help = "The portal's database, read only: vouchers, services, endpoints, "
             "settlements."},
    {"usage_db", PATH(usage_db), .initial = "/var/lib/yunzheng/usage.db",
     .help = "The collector's database, read only: ledger and connection "
             "records."},
    {"verdict_db", PATH(verdict_db), .initial = "/var/lib/yunzheng/verdict.db",
     .help = "Facts, verdicts and completion tables; made when it is missing."},
    {"rules", PATH(rules),
     .initial = "/usr/local/share/yunzheng/guangdong-2018",
     .help = "Folder of the programme's rules: catalogue, parameters, "
             "calendar."},
    {"signing_key", PATH(signing_key), .initial = "/etc/yunzheng/verifier.key",
     .help = "Key that signs completion tables (PKCS#8 PEM, mode 0600)."},
    {"log_level", CONFIG_CHOICE, offsetof(struct verifier_config, log_level), 0,
     .choices = "error|warn|info|debug", .initial = "info",
     .help = "How much is written to standard error."},
};

const size_t verifier_config_key_count =
    sizeof(verifier_config_keys) / sizeof(verifier_config_keys[0]);

bool verifier_config_read(const char *path, struct verifier_config *config,
                          struct error_text *error)
{
    return config_read(path, verifier_config_keys, verifier_config_key_count,
                       config, error);
}
