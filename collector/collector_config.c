#include "collector/collector_config.h"

#include "collector/ledger/retention.h"

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
    {"log_origin", CONFIG_TEXT, TEXT(log_origin), .initial = "yunzheng/log",
     .help = "Name of the log, on its checkpoints and as the name of its key; "
             "best an address of one's own such as cloud.example.cn/log. A log "
             "that starts anew gets another name. One that goes on with "
             "another key gets another name, too, and the key before goes into "
             "log_former_keys; otherwise nothing is signed."},
    {"log_key", CONFIG_PATH, TEXT(log_key), .initial = "",
     .help = "Key that signs checkpoints (PKCS#8 PEM, mode 0600). Empty: the "
             "receipt key."},
    {"log_former_keys", CONFIG_PATH, TEXT(log_former_keys), .initial = "",
     .help = "Folder of the public keys under which the log was signed before, "
             "as checkpoint key prints them, each in a file; check needs them "
             "for the older checkpoints. Empty: none."},
    {"checkpoints", CONFIG_PATH, TEXT(checkpoints), .initial = "",
     .help = "Folder of the checkpoints' files, for people to carry elsewhere; "
             "made when it is missing. Empty: beside usage_db, with its name "
             "and .checkpoints behind."},
    {"checkpoint_minutes", CONFIG_U64, VALUE(checkpoint_minutes), .min = 1,
     .max = 1440, .initial = "60",
     .help = "Minutes from one checkpoint to the next."},
    {"witnesses", CONFIG_PATH, TEXT(witnesses), .initial = "",
     .help = "Folder of the public keys of witnesses who cosign checkpoints, "
             "each in a file NAME.pub. Empty: none."},
    {"witness_quorum", CONFIG_U64, VALUE(witness_quorum), .min = 0, .max = 64,
     .initial = "0",
     .help = "Cosignatures that a checkpoint should have; check and the events "
             "page count those that have them."},
    {"accept_sample", CONFIG_BOOL, VALUE(accept_sample), .initial = "no",
     .help = "Take batches of probes that are registered as demo data. They "
             "stay marked wherever they count."},
    {"workers", CONFIG_U64, VALUE(workers), .max = 64, .initial = "0",
     .help = "Threads that receive and check batches. 0: one for each "
             "processor."},
    {"max_connections", CONFIG_U64, VALUE(max_connections), .min = 1,
     .max = 65536, .initial = "4096", .help = "Connections at a time."},
    {"connections_per_probe", CONFIG_U64, VALUE(connections_per_probe),
     .min = 1, .max = 1024, .initial = "4",
     .help = "Connections of one certificate name at a time. When a probe "
             "opens more, its oldest one is closed."},
    {"idle_timeout_s", CONFIG_U64, VALUE(idle_timeout_s), .min = 5,
     .max = 86400, .initial = "900",
     .help = "Seconds after which a silent connection is closed. Longer than "
             "the probes' batch period."},
    {"detail_days", CONFIG_U64, VALUE(detail_days), .min = DETAIL_DAYS_MIN,
     .max = DETAIL_DAYS_MAX, .initial = "90",
     .help = "Days for which connection detail is kept (PRIV-05; the "
             "programme's priv.flow_detail_days). Sums, ledger and proofs "
             "stay."},
    {"archive_days", CONFIG_U64, VALUE(archive_days), .min = ARCHIVE_DAYS_MIN,
     .max = ARCHIVE_DAYS_MAX, .initial = "730",
     .help = "Days for which the signed batches are kept: a cycle of a year, "
             "half a year to settle it, priv.flow_retention_days. Deleted are "
             "whole segments. Never less than 180 (network logs are kept six "
             "months by law)."},
    {"metrics", CONFIG_TEXT, TEXT(metrics), .initial = "",
     .help = "Where metrics (/metrics) and health (/healthz) are served: "
             "127.0.0.1:PORT, [::1]:PORT or unix:/PATH. Empty: nowhere."},
    {"netflow_udp", CONFIG_TEXT, TEXT(netflow_udp), .initial = "",
     .help = "Addresses and ports, with commas between them, on which routers "
             "are received: NetFlow v5, v9 and IPFIX over UDP, such as "
             "[::]:4739. Empty: none. Exporters are registered by address."},
    {"ipfix_tcp", CONFIG_TEXT, TEXT(ipfix_tcp), .initial = "",
     .help = "The same for IPFIX over plain TCP. Nothing is encrypted there: "
             "for networks of one's own only."},
    {"endpoints", CONFIG_PATH, TEXT(endpoints),
     .initial = "/var/lib/yunzheng/endpoints.csv",
     .help = "Registered endpoints (yz-portal endpoints): what of routers' "
             "records is kept. Read again when it changes."},
    {"secret", CONFIG_PATH, TEXT(secret),
     .initial = "/var/lib/yunzheng/collector.secret",
     .help = "Secret from which keys are derived, such as that of routers' "
             "host pseudonyms; made when it is missing."},
    {"number_key", CONFIG_PATH, TEXT(number_key),
     .initial = "/var/lib/yunzheng/number.key",
     .help = "Key under which numbers (broadband accounts, mobile and SIM "
             "numbers) are hashed; made when it is missing. The portal has to "
             "name the same file."},
    {"batch_period_s", CONFIG_U64, VALUE(batch_period_s), .min = 1, .max = 3600,
     .initial = "300",
     .help = "Seconds after which what routers reported is sealed into "
             "batches."},
    {"template_lifetime_s", CONFIG_U64, VALUE(template_lifetime_s), .min = 60,
     .max = 604800, .initial = "1800",
     .help = "Seconds for which a template holds that came over UDP. At least "
             "three times the interval at which exporters repeat them."},
    {"user", CONFIG_TEXT, TEXT(user), .initial = "",
     .help = "Work as this user after the port is open and the keys are read. "
             "Empty: stay."},
    {"log_level", CONFIG_CHOICE, VALUE(log_level),
     .choices = "error|warn|info|debug", .initial = "info",
     .help = "How much is written to standard error."},
};

const size_t collector_config_key_count =
    sizeof(collector_config_keys) / sizeof(collector_config_keys[0]);
