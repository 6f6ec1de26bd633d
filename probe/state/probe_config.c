#include "probe/state/probe_config.h"

#include <string.h>

#include "common/slice.h"
#include "common/wire/flow_record.h"
#include "probe/process/readers.h"
#include "probe/state/est_client.h"

#define TEXT(member)                                                           \
    .kind = CONFIG_TEXT, .offset = offsetof(struct probe_config, member),      \
    .size = sizeof(((struct probe_config *)0)->member)
#define PATH(member)                                                           \
    .kind = CONFIG_PATH, .offset = offsetof(struct probe_config, member),      \
    .size = sizeof(((struct probe_config *)0)->member)
#define ADDRESS(member)                                                        \
    .kind = CONFIG_ADDRESS, .offset = offsetof(struct probe_config, member),   \
    .size = sizeof(((struct probe_config *)0)->member)
#define NUMBER(member, low, high)                                              \
    .kind = CONFIG_U64, .offset = offsetof(struct probe_config, member),       \
    .min = (low), .max = (high)
#define YES_NO(member)                                                         \
    .kind = CONFIG_BOOL, .offset = offsetof(struct probe_config, member)
#define CHOICE(member, words)                                                  \
    .kind = CONFIG_CHOICE, .offset = offsetof(struct probe_config, member),    \
    .choices = (words)

const struct config_key probe_config_keys[] = {
    {.name = "interface",
     TEXT(interface),
     .help = "Network interface where the traffic passes, such as eth1; up to "
             "8, separated by commas. Choose one side of an address "
             "translation (NAT), best the inner one: behind it all hosts look "
             "like one, and on both sides each connection would count twice."},
    {.name = "workers",
     NUMBER(workers, 1, READERS_MAX),
     .initial = "1",
     .help = "Processes that read packets; the kernel gives each its share of "
             "the connections. One is enough up to some hundred thousand "
             "registered packets a second."},
    {.name = "snap_length",
     NUMBER(snap_length, 128, 65535),
     .initial = "4096",
     .help = "Bytes looked at of each packet. Openings of TLS sessions can "
             "arrive as one packet of more than 2000."},
    {.name = "buffer_mb",
     NUMBER(buffer_mb, 1, 1024),
     .initial = "16",
     .help = "Kernel buffer for packets that wait for the probe, in MiB."},
    {.name = "promiscuous",
     YES_NO(is_promiscuous),
     .initial = "no",
     .help = "Also see packets that are not for this machine; needed on a "
             "mirror port."},
    {.name = "kernel_filter",
     CHOICE(kernel_filter, "auto|ebpf|cbpf"),
     .initial = "auto",
     .help = "How the kernel keeps unregistered packets away: ebpf takes any "
             "number of prefixes, cbpf some hundred. auto tries ebpf, then "
             "cbpf. Without one of them the probe does not start."},
    {.name = "endpoints",
     PATH(endpoints),
     .initial = "/etc/yunzheng/endpoints.csv",
     .help = "Registered endpoints, ENDPOINTS.csv as the portal prints it."},
    {.name = "probe_id",
     TEXT(probe_id),
     .initial = "",
     .help = "Identity of this probe: the common name of its certificate. "
             "Needed to run; yz-probe enrol fills it in."},
    {.name = "state",
     PATH(state),
     .initial = "/var/lib/yunzheng/probe",
     .help = "Folder for batches that wait (spool), copies of what left "
             "(sent), refused batches, status.json and the pseudonym key."},
    {.name = "voucher_period",
     TEXT(voucher_period),
     .initial = "default",
     .help = "Name of the current voucher period, such as 2026-1. With a new "
             "name the key that hides inside addresses is born again, so that "
             "hosts cannot be followed from one period to the next."},
    {.name = "spool_mb",
     NUMBER(spool_mb, 1, 1048576),
     .initial = "256",
     .help = "Bound of the batches that wait, in MiB. Past it the oldest is "
             "given up, and the next batch says so."},
    {.name = "sent_mb",
     NUMBER(sent_mb, 0, 1048576),
     .initial = "64",
     .help = "Bound of the copies of what left, in MiB; also of the refused "
             "batches. The oldest go first; 0 keeps none."},
    {.name = "receipts_mb",
     NUMBER(receipts_mb, 0, 1024),
     .initial = "16",
     .help = "Bound of the collector's receipts that are kept, in MiB; 16 are "
             "half a year of batches of five minutes. The oldest days go "
             "first; 0 keeps none."},
    {.name = "collector",
     ADDRESS(collector),
     .initial = "",
     .help = "Where batches are sent, HOST:PORT. Needed to run; yz-probe enrol "
             "fills it in."},
    {.name = "collector_name",
     TEXT(collector_name),
     .initial = "",
     .help = "Name that the collector's certificate must carry. Needed to run; "
             "yz-probe enrol fills it in."},
    {.name = "ca",
     PATH(ca),
     .initial = "/var/lib/yunzheng/identity/ca.pem",
     .help = "Certificate authority that vouches for the collector."},
    {.name = "certificate",
     PATH(certificate),
     .initial = "/var/lib/yunzheng/identity/probe.pem",
     .help = "Certificate of this probe."},
    {.name = "tls_key",
     PATH(tls_key),
     .initial = "/var/lib/yunzheng/identity/probe.key",
     .help = "Private key of the certificate; only its owner may read it."},
    {.name = "signing_key",
     PATH(signing_key),
     .initial = "/var/lib/yunzheng/identity/batch.key",
     .help = "Private key that signs batches (PKCS#8 PEM, Ed25519 or SM2); "
             "only its owner may read it."},
    {.name = "receipt_key",
     PATH(receipt_key),
     .initial = "/var/lib/yunzheng/identity/receipt.pub",
     .help = "Public key that signs the collector's receipts (PEM)."},
    {.name = "portal",
     TEXT(portal),
     .initial = "",
     .help = "Where the certificate is renewed at two thirds of its life, such "
             "as https://portal.example:8443; yz-probe enrol writes it. The "
             "folder of the certificate must then belong to the user below. "
             "Empty: certificates are exchanged by hand."},
    {.name = "registry_key",
     PATH(registry_key),
     .initial = "",
     .help = "Public key that signs the list of endpoints (PEM). With it newer "
             "lists come through the collector, and the one kept in the state "
             "folder (endpoints.csv) goes before the file named by endpoints. "
             "Empty: no list is taken."},
    {.name = "proxy",
     TEXT(proxy),
     .initial = "",
     .help = "HTTP proxy on the way out (CONNECT), HOST:PORT or "
             "http://USER:PASSWORD@HOST:PORT; empty: none."},
    {.name = "batch_period_s",
     NUMBER(batch_period_s, 1, 3600),
     .initial = "300",
     .help = "Seconds between batches."},
    {.name = "idle_timeout_s",
     NUMBER(idle_timeout_s, 1, FLOW_PAUSE_MAX_S),
     .initial = "30",
     .help = "A flow without packets for so long is reported."},
    {.name = "active_timeout_s",
     NUMBER(active_timeout_s, 1, 43200),
     .initial = "300",
     .help = "A longer flow is reported every so often."},
    {.name = "flow_limit",
     NUMBER(flow_limit, 64, 16777216),
     .initial = "65536",
     .help = "Flows held at once; past it the oldest is reported early."},
    {.name = "hello_limit",
     NUMBER(hello_limit, METER_HELLO_LIMIT_MIN, METER_HELLO_LIMIT_MAX),
     .initial = "8192",
     .help =
         "Bytes gathered of the opening of one TLS or QUIC session to find "
         "its server name. Openings with post-quantum keys have some 2000."},
    {.name = "observation_point",
     CHOICE(observation_point, "interface|vlan"),
     .initial = "vlan",
     .help = "Where the same packet can pass twice: at several interfaces, or "
             "with vlan also on one interface with and without its VLAN tag. "
             "The point that saw a direction of a connection first counts it; "
             "what others see of it is a duplicate."},
    {.name = "duplicate_window_ms",
     NUMBER(duplicate_window_ms, 0, 60000),
     .initial = "1000",
     .help = "When the counting point has been silent for so long another may "
             "take over, as after a fail-over. 0: nothing is a duplicate, for "
             "interfaces that share the packets of one connection."},
    {.name = "user",
     TEXT(user),
     .initial = "",
     .help = "User to become once the interface and the keys are open; empty "
             "stays. The state folder must belong to this user."},
    {.name = "metrics",
     TEXT(metrics),
     .initial = "",
     .help = "Where Prometheus reads metrics: unix:/run/yz-probe/metrics.sock, "
             "127.0.0.1:9465 or [::1]:9465. Only this machine is served; empty "
             "serves nobody."},
    {.name = "log_level",
     CHOICE(log_level, "error|warn|info|debug"),
     .initial = "info",
     .help = "What is logged to standard error."},
};
const size_t probe_config_key_count =
    sizeof(probe_config_keys) / sizeof(probe_config_keys[0]);

bool probe_config_is_id(const char *id)
{
    return strlen(id) < PROBE_ID_LEN && slice_is_id(slice_of_text(id));
}

/* "eth0, eth1" into its parts; the same one twice would count twice. */
static bool split_interfaces(struct probe_config *c)
{
    struct slice rest = slice_of_text(c->interface), part;
    for (c->interface_count = 0; slice_next(&rest, ',', &part);) {
        part = slice_trim(part);
        if (c->interface_count == READER_INTERFACES_MAX || part.length == 0 ||
            !slice_copy(part, c->interfaces[c->interface_count],
                        sizeof(c->interfaces[0])))
            return false;
        for (size_t i = 0; i < c->interface_count; i++)
            if (slice_equal_text(part, c->interfaces[i]))
                return false;
        c->interface_count++;
    }
    return c->interface_count > 0;
}

struct meter_options probe_config_meter(const struct probe_config *c)
{
    return (struct meter_options){
        .flow_limit = c->flow_limit,
        .idle_timeout_s = c->idle_timeout_s,
        .active_timeout_s = c->active_timeout_s,
        .duplicate_window_ms = c->duplicate_window_ms,
        .hello_limit = c->hello_limit,
        .is_vlan_point = c->observation_point == OBSERVATION_VLAN,
    };
}

/* What enrolment fills in. */
static bool has_all(const struct probe_config *c, struct error_text *error)
{
    const struct {
        const char *name, *value;
    } keys[] = {{"probe_id", c->probe_id},
                {"collector", c->collector},
                {"collector_name", c->collector_name}};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].value[0] == '\0')
            return error_set(error,
                             "%s: may not be empty; yz-probe enrol fills it in",
                             keys[i].name);
    return true;
}

static bool check_portal(const struct probe_config *c, struct error_text *error)
{
    struct slice host;
    uint16_t port;
    if (c->portal[0] != '\0' && !est_client_portal(c->portal, &host, &port))
        return error_set(error, "portal: https://HOST[:PORT] is expected");
    if (c->proxy[0] != '\0' && !est_client_proxy(c->proxy, &port))
        return error_set(error, "proxy: HOST:PORT or "
                                "http://USER:PASSWORD@HOST:PORT is expected");
    return true;
}

bool probe_config_read_keys(const char *path, struct probe_config *config,
                            struct error_text *error)
{
    *config = (struct probe_config){0};
    return config_read(path, probe_config_keys, probe_config_key_count, config,
                       error);
}

bool probe_config_read(const char *path, struct probe_config *config,
                       struct error_text *error)
{
    struct error_text reason;
    if (!probe_config_read_keys(path, config, error))
        return false;
    if (!has_all(config, &reason))
        return error_set(error, "%s: %s", path, reason.text);
    if (!probe_config_is_id(config->probe_id))
        return error_set(error,
                         "%s: probe_id: letters, digits, \".\", \"_\" and "
                         "\"-\" only",
                         path);
    if (!check_portal(config, &reason))
        return error_set(error, "%s: %s", path, reason.text);
    if (strchr(config->voucher_period, '\n') != NULL ||
        config->voucher_period[0] == '\0')
        return error_set(error, "%s: voucher_period: may not be empty", path);
    if (!split_interfaces(config))
        return error_set(error,
                         "%s: interface: 1 to %d different names, separated "
                         "by commas",
                         path, READER_INTERFACES_MAX);
    return true;
}
