#!/bin/bash
# The malformed messages of tests/data/netflow/malformed against the running
# collector, over UDP, over TCP, and over TLS as a registered probe's (without
# ALPN, plain IPFIX): it lives on, its memory and its time stay
# bounded, it names the exporter, and a good message is counted before and
# after.
. tests/collector/netflow/rig.sh

corpus=tests/data/netflow/malformed
# Sanitizers would keep freed memory for long, and take several times as long.
export ASAN_OPTIONS=quarantine_size_mb=4:thread_local_quarantine_size_kb=64
rss_growth_kb=120000 cpu_most_s=60

rss_kb() { awk '/^VmRSS/ {print $2}' "/proc/$collector_pid/status"; }
cpu_ticks() { awk '{print $14 + $15}' "/proc/$collector_pid/stat"; }

# good udp|tcp: messages that are counted, made now.
good()
{
    "$netflow_tool" make "$demo/good.ipfix" 50 "$demo/unused.csv" 100 &&
        "$netflow_tool" send "$1" 127.0.0.1 "$(port_of "$1")" "$demo/good.ipfix"
}

port_of() { [ "$1" = udp ] && echo "$udp_port" || echo "$tcp_port"; }

octets() { rig_sql "SELECT ifnull(sum(octets + roctets), 0) FROM usage"; }

has_octets() { [ "$(octets)" = "$1" ]; }
has_some() { [ "$(octets)" -gt 0 ]; }

logged() { grep -qF -- "$1" "$demo/log/collector.log"; }

closed_count() { grep -c "connection closed" "$demo/log/collector.log"; }
has_closed() { [ "$(closed_count)" -gt "$1" ]; }

# As a probe with a certificate sends it; the collector ends the connection.
over_tls()
{
    { "$netflow_tool" bytes "$1"; sleep 0.2; } |
        timeout 20 openssl s_client -quiet -no_ign_eof \
            -connect "127.0.0.1:$tls_port" -cert "$demo/keys/probe.pem" \
            -key "$demo/keys/probe.key" >"$demo/log/tls.out" 2>&1
    grep -q "verify return" "$demo/log/tls.out" && is_running "$collector_pid"
}

# survives FILE udp|tcp. Over TCP the end of each connection is logged.
survives()
{
    local before
    before=$(closed_count)
    timeout 60 "$netflow_tool" hex "$2" 127.0.0.1 "$(port_of "$2")" "$1" ||
        return 1
    [ "$2" = udp ] || await 20 has_closed "$before" || return 1
    is_running "$collector_pid"
}

metrics_tell()
{
    sleep 1 # they are as old as that
    curl -s --unix-socket "$demo/metrics" http://localhost/metrics \
        >"$demo/metrics.txt"
    local name
    for name in messages malformed_messages withdrawals templates_refused \
        templates_evicted duplicate_messages old_records kept_records; do
        grep "^yunzheng_collector_netflow_${name}_total [1-9]" \
            "$demo/metrics.txt" || return 1
    done
}

tap_begin netflow-malformed
"$netflow_tool" make "$demo/good.ipfix" 50 "$demo/registered.csv" 100 || exit 1
rig_make "$demo/registered.csv" && rig_start || { echo "Bail out!"; exit 1; }

tap "a good message over UDP is sent" good udp
tap "and counted" await 15 has_some
each=$(octets)
start_kb=$(rss_kb) start_ticks=$(cpu_ticks)
for transport in udp tcp; do
    for file in "$corpus"/*.hex; do
        name=$(basename "$file" .hex)
        tap "$transport: $name" survives "$file" $transport
    done
done
for file in "$corpus"/*.hex; do
    tap "tls: $(basename "$file" .hex)" over_tls "$file"
done
used_s=$((($(cpu_ticks) - start_ticks) / $(getconf CLK_TCK)))
grown_kb=$(($(rss_kb) - start_kb))
echo "# CPU $used_s s, resident memory grew by $grown_kb kB"
tap "no more than $cpu_most_s s of CPU time" [ $used_s -le $cpu_most_s ]
tap "memory grew by no more than $rss_growth_kb kB" \
    [ $grown_kb -le $rss_growth_kb ]
tap "the log names the exporter and the fault" \
    logged "exporter router-1 (127.0.0.1): a fault in"
tap "also a probe's, over TLS" logged "probe-1 from 127.0.0.1"
tap "the log says why a connection was closed" \
    logged "connection closed: template not allowed"

tap "a good message over UDP is sent again" good udp
tap "and counted again" await 15 has_octets $((2 * each))
tap "a good message over TCP is sent" good tcp
tap "and counted, too" await 15 has_octets $((3 * each))
tap "metrics tell of messages, malformed ones and withdrawals" metrics_tell
tap "the collector stops" rig_stop
tap "ledger, archive and usage agree" \
    "$bin/yz-collector" check -c "$demo/collector.conf"
tap_end
