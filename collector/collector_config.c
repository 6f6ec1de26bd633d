#include "collector/collector_config.h"

#define TEXT(member)                                                           \
    offsetof(struct collector_config, member),                                 \
        sizeof(((struct collector_config *)NULL)->member)
#define VALUE(member) offsetof(struct collector_config, member), 0

const struct config_key collector_config_keys[] = {
    {"listen", CONFIG_ADDRESS, TEXT(listen), .initial = "[::]:4740",
     .help = "Address and port on which probes are received (IPFIX over TLS)."},
    {"ca", CONFIG_PATH, TEXT(ca), .initial = "/etc/yunzheng/ca.pem",
     .help = "Certificates (PEM) of the authority that signs probes' "
             "certificates."},
    {"certificate", CONFIG_PATH, TEXT(certificate),
     .initial = "/etc/yunzheng/collector.pem",
     .help = "The collector's own certificate, with its chain (PEM)."},
    {"tls_key", CONFIG_PATH, TEXT(tls_key),
     .initial = "/etc/yunzheng/collector.key",
     .help = "The key of that certificate (PEM)."},
    {"receipt_key", CONFIG_PATH, TEXT(receipt_key),
     .initial = "/etc/yunzheng/receipt.key",
     .help = "Key that signs receipts (PKCS#8 PEM, mode 0600). Probes know its "
             "public half."},
    {"registry", CONFIG_PATH, TEXT(registry),
     .initial = "/var/lib/yunzheng/portal.db",
     .help = "The portal's database, read only: which probe speaks for which "
             "enterprise and site."},
    {"usage_db", CONFIG_PATH, TEXT(usage_db),
     .initial = "/var/lib/yunzheng/usage.db",
     .help = "Ledger, usage and flow detail; made when it is missing."},
    {"archive", CONFIG_PATH, TEXT(archive),
     .initial = "/var/lib/yunzheng/archive",
     .help = "Folder of the signed batches; made when it is missing."},
    {"accept_sample", CONFIG_BOOL, VALUE(accept_sample), .initial = "no",
     .help = "Take batches of probes that are registered as demo data. They "
             "stay marked wherever they count."},
    {"max_connections", CONFIG_U64, VALUE(max_connections), .min = 1,
     .max = 65536, .initial = "4096", .help = "Connections at a time."},
    {"idle_timeout_s", CONFIG_U64, VALUE(idle_timeout_s), .min = 5,
     .max = 86400, .initial = "900",
     .help = "Seconds after which a silent connection is closed. Longer than "
             "the probes' batch period."},
    {"endpoints", CONFIG_PATH, TEXT(endpoints),
     .initial = "/var/lib/yunzheng/endpoints.csv",
     .help = "Registered endpoints (yz-portal endpoints): what of routers' "
             "records is kept. Read again when it changes."},
    {"number_key", CONFIG_PATH, TEXT(number_key),
     .initial = "/var/lib/yunzheng/number.key",
     .help = "Key under which numbers (broadband accounts, mobile and SIM "
             "numbers) are hashed; made when it is missing. The portal has to "
             "name the same file."},
    {"user", CONFIG_TEXT, TEXT(user), .initial = "",
     .help = "Work as this user after the port is open and the keys are read. "
             "Empty: stay."},
    {"log_level", CONFIG_CHOICE, VALUE(log_level),
     .choices = "error|warn|info|debug", .initial = "info",
     .help = "How much is written to standard error."},
};

const size_t collector_config_key_count =
    sizeof(collector_config_keys) / sizeof(collector_config_keys[0]);
