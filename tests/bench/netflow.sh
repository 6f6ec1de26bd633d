#!/bin/bash
# Routers' records beside nfcapd and nfacctd, on the same messages in one run.
#
# CPU time of the whole process (user and kernel, children included) for each
# million records received over loopback UDP: what a core can take is its
# inverse. All three decode, aggregate or store, and write to disk. The sender
# goes as fast as the slowest can read; who loses records is named. Beside them
# what our library alone needs for the same messages, decoded and aggregated.
# yz-collector keeps what goes to registered endpoints, signed, archived and in
# the ledger, so what it costs depends on how much that is: PERCENTS of the
# flows. Medians of RUNS.
# Goal: 3 million records a second decoded and aggregated on one core.
set -eu
. tests/collector/netflow/rig.sh
set -eu
runs=${RUNS:-5} records=${RECORDS:-2000000} pause_us=${PAUSE_US:-1000}
bin=$build/bin
tap_begin bench-netflow

median() { sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }
udp_listens() { [ -n "$(ss -Hlun "sport = :$1")" ]; }

# CPU ticks of a process and of the children that it still has.
ticks()
{
    local pid
    for pid in $1 $(pgrep -P "$1" || true); do
        awk '{sub(/.*\) /, ""); print $12 + $13 + $14 + $15}' "/proc/$pid/stat"
    done | awk '{sum += $1} END {print sum}'
}

# measure NAME PID PORT: nanoseconds of CPU a record, into times.
measure()
{
    local before after
    await 10 udp_listens "$3"
    before=$(ticks "$2")
    "$netflow_tool" send udp 127.0.0.1 "$3" "$demo/messages.ipfix" "$pause_us"
    sleep 2.5
    after=$(ticks "$2")
    echo "$1 $(((after - before) * 10000000 / records))" >>"$demo/times"
}

run_collector()
{
    rig_fresh
    rig_start
    measure "yz-collector-$1" "$collector_pid" "$udp_port"
    rig_stop
    rig_sql "SELECT 'yz-collector-$1', sum(packets_seen), sum(flows_evicted)
        FROM ledger" >>"$demo/received"
}

run_nfcapd()
{
    local port
    port=$(free_port)
    rm -rf "$demo/nfcapd" && mkdir "$demo/nfcapd"
    spawn nfcapd nfcapd -p "$port" -b 127.0.0.1 -l "$demo/nfcapd" -y \
        -B 33554432 -t 3600
    measure nfcapd "$spawned" "$port"
    end_process "$spawned"
    grep "Flows:" "$demo/log/nfcapd.log" | tail -n 1 |
        sed 's/.*Flows: \([0-9]*\).*/nfcapd \1/' >>"$demo/flows"
}

run_nfacctd()
{
    local port
    port=$(free_port)
    cat >"$demo/nfacctd.conf" <<END
daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: $port
nfacctd_pipe_size: 33554432
plugins: print
aggregate: src_host, dst_host, src_port, dst_port, proto
plugin_pipe_size: 67108864
plugin_buffer_size: 65536
print_cache_entries: 1000003
print_output: csv
print_output_file: $demo/nfacctd.csv
print_refresh_time: 60
END
    spawn nfacctd nfacctd -f "$demo/nfacctd.conf"
    measure nfacctd "$spawned" "$port"
    end_process "$spawned"
}

percents=${PERCENTS:-5 50}
make_messages() # PERCENT: made now, old records would not count
{
    "$netflow_tool" make "$demo/messages.ipfix" "$records" \
        "$demo/registered.csv" "$1"
}

: >"$demo/times"
make_messages 5
rig_make "$demo/registered.csv"
sed -i 's/^batch_period_s = .*/batch_period_s = 5/' "$demo/collector.conf"
for _ in $(seq "$runs"); do
    for percent in $percents; do
        make_messages "$percent"
        run_collector "$percent"
    done
    run_nfcapd
    run_nfacctd
done

rate() { awk -v n="$1" 'BEGIN {if (n > 0) printf "%.2f", 1e3 / n}'; }
of() { awk -v n="$1" '$1 == n {print $2}' "$2" | median; }
line() { printf '%-52s %5d ns of CPU a record, %s M records/s a core\n' \
    "$1" "$2" "$(rate "$2")"; }
for percent in $percents; do
    line "yz-collector over UDP, $percent % registered and stored" \
        "$(of "yz-collector-$percent" "$demo/times")"
    echo "    received $(of "yz-collector-$percent" "$demo/received") of $records"
done
line "nfcapd over UDP, all stored" "$(of nfcapd "$demo/times")"
echo "    received $(of nfcapd "$demo/flows") of $records"
line "nfacctd over UDP, aggregated" "$(of nfacctd "$demo/times")"
for percent in $percents; do
    make_messages "$percent"
    for what in '' "$demo/registered.csv"; do
        per=$("$netflow_tool" decode "$demo/messages.ipfix" $what |
            awk '/records\/s/ {print $(NF - 2)}' | median)
        printf '%-52s %s M records/s a core   goal >= 3\n' \
            "library, $percent %, decoded${what:+ and aggregated}" "$per"
    done
done
