/* See portal_config.h. The order here is the order of the sample file. */
#include "portal/portal_config.h"

#define MEMBER(name)                                                           \
    offsetof(struct portal_config, name),                                      \
        sizeof(((struct portal_config *)NULL)->name)

const struct config_key PORTAL_CONFIG_KEYS[] = {
    {"listen", CONFIG_ADDRESS, MEMBER(listen), .initial = "127.0.0.1:8080",
     .help = "Address and port to serve plain HTTP on. A proxy in front of it "
             "speaks HTTPS; port 0 takes a free one and logs it."},
    {"portal_db", CONFIG_PATH, MEMBER(portal_db),
     .initial = "/var/lib/yunzheng/portal.db",
     .help = "The portal's own database: registry, vouchers, accounts, audit "
             "log. Made when it is not there."},
    {"usage_db", CONFIG_PATH, MEMBER(usage_db),
     .initial = "/var/lib/yunzheng/usage.db",
     .help = "The collector's database, read only. Pages say so while it is "
             "not there."},
    {"verdict_db", CONFIG_PATH, MEMBER(verdict_db),
     .initial = "/var/lib/yunzheng/verdict.db",
     .help = "The verifier's database, read only. Pages say so while it is "
             "not there."},
    {"rules", CONFIG_PATH, MEMBER(rules),
     .initial = "/usr/local/share/yunzheng/guangdong-2018",
     .help = "Folder of the programme's rules."},
    {"registry_key", CONFIG_PATH, MEMBER(registry_key), .initial = "",
     .help = "Key that signs the versions of the list of endpoints (PKCS#8 "
             "PEM, Ed25519 or SM2, mode 0600); probes know its public half. "
             "Empty: no versions are published."},
    {"session_idle_minutes", CONFIG_U64, MEMBER(session_idle_minutes), 1, 480,
     .initial = "15",
     .help = "A login ends after so many minutes without a request."},
    {"secure_cookie", CONFIG_BOOL, MEMBER(secure_cookie), .initial = "yes",
     .help = "Browsers send the login cookie over HTTPS only. Say no when "
             "people use the portal over plain HTTP, on one machine."},
    {"demo_banner", CONFIG_BOOL, MEMBER(demo_banner), .initial = "no",
     .help = "Every page says that this is a demonstration."},
    {"log_level", CONFIG_CHOICE, MEMBER(log_level),
     .choices = "error|warn|info|debug", .initial = "info",
     .help = "How much is written to standard error."},
};
const size_t PORTAL_CONFIG_KEY_COUNT =
    sizeof(PORTAL_CONFIG_KEYS) / sizeof(PORTAL_CONFIG_KEYS[0]);
