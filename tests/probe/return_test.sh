#!/bin/bash
# The return channel from end to end: the portal publishes lists of endpoints,
# the collector passes on what changed, and the running probe sees a new service
# without a restart; its batches carry challenges and the clock's offset. The
# plain probe under its sandbox, real portal, real collector, real traffic.
. tests/tap.sh
tap_begin return
title="a running probe takes new lists"
portal_signs=yes
. tests/probe/province.sh

# --- the factory's network: l1 on the gateway, servers behind l0 ---

cloud=yzc$$
trap 'leave_province; ip netns del $cloud' EXIT
ip netns add "$cloud"
ip -n "$space" link set l0 netns "$cloud"
ip -n "$space" addr add 203.0.113.1/24 dev l1
ip -n "$cloud" addr add 203.0.113.10/24 dev l0
ip -n "$cloud" addr add 203.0.113.20/24 dev l0
ip -n "$cloud" link set l0 up
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=cloud.example -keyout "$demo/cloud.key" -out "$demo/cloud.pem" \
    2>/dev/null
spawn cloud ip netns exec "$cloud" openssl s_server -accept 443 -www -quiet \
    -cert "$demo/cloud.pem" -key "$demo/cloud.key"
uses() { inside curl -sk -m 5 -o /dev/null "https://$1/"; }
cloud_is_up() { uses 203.0.113.10; }
tap "the cloud's servers answer" await 20 cloud_is_up

# --- the probe joins ---

home=$demo/gateway
write_probe_conf "$home"
issue
tap "version 1 is published" "$portal" registry publish -c "$demo/portal.conf"
tap "the probe enrols" enrol "$home" --fingerprint "$fingerprint"
tap "and knows the key of the lists" grep -q '^registry_key = .*registry.pub' \
    "$home/probe.conf"
counted() # ENDPOINT: after a use of its address, each try
{
    uses "$2"
    [ "$(sql usage "SELECT count(*) FROM usage JOIN endpoint_key
        ON key = endpoint WHERE endpoint_id = '$1'")" -gt 0 ]
}
tap "it runs" start_probe || { tap_end; exit; }
tap "use of a registered service is counted" await 30 counted erp-1 203.0.113.10

# --- a new service ---

mkdir "$demo/more"
{
    head -n 1 tests/portal/registry/endpoint.csv
    sed -n 's/^erp-1,/erp-2,/p' tests/portal/registry/endpoint.csv
} >"$demo/more/endpoint.csv"
{
    head -n 1 tests/portal/registry/endpoint_address.csv
    sed -n 's/^erp-1,203.0.113.10/erp-2,203.0.113.20/p' \
        tests/portal/registry/endpoint_address.csv
} >"$demo/more/endpoint_address.csv"
publish()
{
    "$portal" load -c "$demo/portal.conf" --sample "$1" &&
        "$portal" registry publish -c "$demo/portal.conf"
}
for _ in 1 2 3; do uses 203.0.113.20; done
tap "a service is registered and the list published" publish "$demo/more"
tap "the running probe takes it" await 60 logged \
    'endpoints: [0-9]* rules are in force now'
tap "and its use is counted, without a restart" await 30 counted erp-2 \
    203.0.113.20
started_once() { [ "$(grep -c 'in force' "$demo/log/probe.log")" -ge 1 ] &&
    is_running "$probe_pid" && [ "$(sql usage 'SELECT count(DISTINCT boot_id)
        FROM ledger')" = 1 ]; }
tap "it is the same run of the probe" started_once
newest() { [ "$(sql usage "SELECT lower(hex(registry_version)) FROM ledger
    ORDER BY idx DESC LIMIT 1")" = "$("$portal" registry list \
    -c "$demo/portal.conf" | grep -o '[0-9a-f]\{64\}' | tail -n 1)" ]; }
tap "batches name the version" await 20 newest
tap "what is kept is the published list" cmp "$home/state/endpoints.csv" \
    <("$portal" endpoints -c "$demo/portal.conf")

# --- challenges, clock ---

carries() { [ "$(sql usage "SELECT count(*) FROM ledger WHERE $1")" -gt 0 ]; }
tap "batches carry the collector's challenge" await 20 carries \
    "challenge_ms > 0"
tap "and the clock's offset, which is small" await 30 carries \
    "clock_offset_ms BETWEEN -2000 AND 2000"
no_events() { [ "$(sql usage "SELECT count(*) FROM event WHERE kind IN
    ('challenge', 'stale-challenge', 'backdated', 'clock', 'registry',
    'registry-old', 'fork', 'overlap')")" = 0 ] ||
    { sql usage "SELECT kind, detail FROM event"; return 1; }; }
tap "no event accuses an honest probe" no_events
tap "no process fell out of its sandbox" not_logged 'gone\|system call'

# --- lists that must not be taken ---

# An old version's row again under a higher serial, and a changed signature.
forge() # SERIAL SQL-OF-SIGNATURE
{
    sql portal "INSERT INTO registry_version SELECT $1, hash, issued_ms,
        algorithm, $2, list FROM registry_version WHERE serial = 1"
}
forge 3 signature
tap "a head with another serial than was signed is refused" await 60 logged \
    'refused: its signature is wrong'
kept() { cmp "$home/state/endpoints.csv" "$demo/kept"; }
"$portal" endpoints -c "$demo/portal.conf" >"$demo/kept"
tap "and the list stays" kept
sql portal "DELETE FROM registry_version WHERE serial = 3"

# --- a restart, a proxy ---

flows_of_new() { sql usage "SELECT sum(flows) FROM usage JOIN endpoint_key
    ON key = endpoint WHERE endpoint_id = 'erp-2'"; }
flows_before=0
counted_anew() { uses 203.0.113.20; [ "$(flows_of_new)" -gt "$flows_before" ]; }

tap "it stops" stop_probe
sleep 1
flows_before=$(flows_of_new)
tap "it starts again" start_probe
tap "with the newest list" await 30 counted_anew
n=$(sql usage "SELECT count(*) FROM ledger")
more() { [ "$(sql usage "SELECT count(*) FROM ledger")" -gt "$1" ]; }
tap "and goes on" await 30 more "$n"
if command -v tinyproxy >/dev/null; then
    stop_probe
    printf '%s\n' 'Port 18888' 'Listen 127.0.0.1' 'Timeout 60' \
        'BasicAuth worker secret' 'ConnectPort 14740' \
        "LogFile \"$demo/log/tinyproxy.log\"" >"$demo/tinyproxy.conf"
    spawn tinyproxy ip netns exec "$space" tinyproxy -d -c "$demo/tinyproxy.conf"
    await 10 inside bash -c "ss -Hltn 'sport = :18888' | grep -q ."
    sed -i '/^proxy/d' "$home/probe.conf"
    echo "proxy = http://worker:secret@127.0.0.1:18888" >>"$home/probe.conf"
    n=$(sql usage "SELECT count(*) FROM ledger")
    start_probe
    tap "batches go through a CONNECT proxy with a password" await 30 more "$n"
    tap "... and not past it" grep -q 'CONNECT 127.0.0.1:14740' \
        "$demo/log/tinyproxy.log"
    stop_probe
    sed -i 's/worker:secret@//' "$home/probe.conf"
    start_probe
    tap "a proxy that wants a password is named" await 30 logged '407'
else
    tap_skip "through a CONNECT proxy" "no tinyproxy"
fi
tap "the probe ends in good order" stop_probe
tap "the ledger, the log and usage agree" "$bin/yz-collector" check \
    -c "$demo/collector.conf"
tap_end
