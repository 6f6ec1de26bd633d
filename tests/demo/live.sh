# The live part: real traffic past a real probe, and the two independent
# witnesses against which its counts are held: tcpdump's capture of the same
# interface, and the servers' own access logs.

WORK_ROUNDS=14

start_collector()
{
    # shellcheck disable=SC2046
    spawn collector $(net_prefix province) "$bin/yz-collector" run \
        -c "$demo/collector.conf"
    collector_pid=$spawned
    await 5 collector_listens
}

collector_listens()
{
    is_running "$collector_pid" && [ -n "$(net_exec province \
        ss -Hlnt "sport = :$COLLECTOR_PORT")" ]
}

# start_capture: the demo's own, of everything on the gateway's LAN interface.
start_capture()
{
    # shellcheck disable=SC2046
    spawn tcpdump $(net_prefix gateway) tcpdump -Z root -i lan0 -U \
        --immediate-mode \
        -B 16384 -w "$demo/own.pcap"
    tcpdump_pid=$spawned
    await 5 grep -q 'listening on' "$demo/log/tcpdump.log"
}

start_probe()
{
    # shellcheck disable=SC2046
    spawn probe $(net_prefix gateway) "$bin/yz-probe" run -c "$demo/probe.conf"
    probe_pid=$spawned
    await 5 test -s "$demo/probe/status.json"
}

# kill_collector: as the power cut does it, while batches are on their way.
kill_collector()
{
    kill -KILL "$collector_pid" && await 3 has_ended "$collector_pid"
}

# live_work: three hosts work for a quarter of a minute, a long download runs
# across it all, and in the middle the collector dies and comes back.
live_work()
{
    local i rounds=$WORK_ROUNDS download= good=0
    if [ -n "${DEMO_RECORD:-}" ]; then
        # What is kept in the repository shall be small.
        rounds=5
    else
        download_report pc1 30000 &
        download=$!
    fi
    for ((i = 1; i <= rounds; i++)); do
        work_round $i || good=1
        case $i in
        $((rounds / 3))) kill_collector || good=1 ;;
        $((rounds * 2 / 3))) start_collector || good=1 ;;
        esac
        sleep 1
    done
    # shellcheck disable=SC2086
    wait $download && return $good
}

spool_is_empty() { [ -z "$(ls "$demo/probe/spool" 2>/dev/null)" ]; }

# stop_probe: it ends its flows, sends the last batch, and waits for receipts.
stop_probe()
{
    kill -TERM "$probe_pid" && await 15 has_ended "$probe_pid"
}

# stop_capture: what the kernel still holds is written first.
stop_capture()
{
    kill -TERM "$tcpdump_pid" && await 5 has_ended "$tcpdump_pid" &&
        grep -q '^0 packets dropped by kernel' "$demo/log/tcpdump.log"
}

run_live()
{
    check "the collector listens in the province (TLS 1.3, client certificates)" \
        start_collector || give_up "no collector" "$demo/log/collector.log"
    check "the probe runs on the gateway, its filter attached in the kernel" \
        start_probe || give_up "no probe" "$demo/log/probe.log"
    check "tcpdump keeps the demo's own capture of the same interface" \
        start_capture || give_up "no capture" "$demo/log/tcpdump.log"
    say "The three hosts work; meanwhile the collector is killed with -9 and" \
        "comes back some seconds later ..."
    check "curl, an HTTP/3 client and mosquitto_pub did their work" live_work
    check "the probe ends: flows flushed, last batch sent, receipt in hand" \
        stop_probe
    check "tcpdump lost nothing" stop_capture
    [ -z "${DEMO_RECORD:-}" ] || cp "$demo/own.pcap" "$DEMO_RECORD"
}

status_value()
{
    sqlite3 :memory: "SELECT readfile('$demo/probe/status.json') ->> '\$.$1'"
}

# How many packets of the capture match, by tshark.
captured()
{
    tshark -n -r "$demo/own.pcap" -Y "$1" -T fields -e frame.number \
        2>/dev/null | wc -l
}

registered_packets()
{
    awk '{ sum += $2 + $4 } END { print sum }' "$demo/counts.tshark"
}

# only_registered_seen: what the kernel let pass, what the process read, and
# what tshark finds for the registered endpoints are the same packets.
only_registered_seen()
{
    local want
    want=$(registered_packets)
    echo "registered in the capture $want," \
        "matched in the kernel $(status_value kernel.matched)," \
        "in the process $(status_value process.packets)," \
        "filtered there $(status_value process.filtered)"
    [ "$(status_value kernel.matched)" = "$want" ] &&
        [ "$(status_value process.packets)" = "$want" ] &&
        [ "$(status_value process.filtered)" = 0 ]
}

# unregistered_was_used: by the servers' own word and in the capture.
unregistered_was_used()
{
    news_requests=$(grep -c . "$demo/servers/news.access.log")
    mqtt_messages=$(grep -c 'Received PUBLISH' "$demo/log/mqtt.log")
    unregistered_packets=$(captured "ip.addr == $NEWS || ip.addr == $MQTT")
    [ "$news_requests" -gt 0 ] && [ "$mqtt_messages" -gt 0 ] &&
        [ "$unregistered_packets" -gt 0 ]
}

# refused_in_kernel: the eBPF filter counts what it refuses; the classic filter,
# taken where eBPF is not allowed, cannot.
refused_in_kernel()
{
    [ "$(status_value filter)" = ebpf ] || return 0
    [ "$(status_value kernel.refused)" -ge "$unregistered_packets" ]
}

print_filter()
{
    echo
    printf '   %-44s %9s\n' \
        'unregistered: requests in the news access log' "$news_requests" \
        'unregistered: messages in the broker'\''s log' "$mqtt_messages" \
        'unregistered: packets in the capture' "$unregistered_packets" \
        "kernel filter ($(status_value filter)): packets refused" \
        "$(status_value kernel.refused)" \
        'kernel filter: packets let pass' "$(status_value kernel.matched)" \
        'probe process: packets read' "$(status_value process.packets)" \
        'registered: packets in the capture' "$(registered_packets)"
    echo
}

# all_acknowledged: nothing waits, nothing was lost or refused.
all_acknowledged()
{
    spool_is_empty && [ "$(status_value batches.made)" = \
        "$(status_value batches.acknowledged)" ] &&
        [ "$(status_value batches.lost)" = 0 ] &&
        [ "$(status_value batches.refused)" = 0 ]
}

# sent_batches_in_ledger: as many rows as batches, in spite of the outage.
sent_batches_in_ledger()
{
    local rows
    rows=$(sqlite3 -readonly "$demo/usage.db" "SELECT count(*) FROM ledger
        WHERE probe_id = '$PROBE_ID' AND is_counted")
    echo "$rows in the ledger, $(status_value batches.made) made"
    [ "$rows" = "$(status_value batches.made)" ] && [ "$rows" -ge 2 ]
}

sent_files() { find "$demo/probe/sent" -name '*.ipfix' | sort; }

# show_sent: what left, in words; among it records with a name that was found in
# a QUIC Initial (name evidence 2).
show_sent()
{
    # shellcheck disable=SC2046
    probe show $(sent_files) >"$demo/sent.jsonl" &&
        grep -q '"erp-a"' "$demo/sent.jsonl" &&
        grep -q '"mes-b"' "$demo/sent.jsonl" &&
        grep -q '"nameEvidence":2' "$demo/sent.jsonl"
}

# no_secrets_sent CAPTURE: neither in the bytes of any batch nor in what show
# prints of them.
no_secrets_sent()
{
    # shellcheck disable=SC2046
    find_secrets "$(secret_patterns "$1")" $(sent_files) "$demo/sent.jsonl"
}

check_live()
{
    check "each batch made is in the ledger once, in spite of the kill -9" \
        sent_batches_in_ledger
    check "each of them was acknowledged with a signed receipt" all_acknowledged
    check "usage.db equals tshark, to the packet and octet, each way" \
        counts_equal "$demo/own.pcap"
    print_counts
    check "the unregistered services were really used meanwhile" \
        unregistered_was_used
    check "only registered packets reached the probe's process" \
        only_registered_seen
    check "the kernel refused the others" refused_in_kernel
    print_filter
    check "yz-probe show prints what left: endpoint ids, counts, evidence" \
        show_sent
    check "no inside address, MAC, page, payload or foreign name is in it" \
        no_secrets_sent "$demo/own.pcap"
    print_record
    check "yz-collector check: ledger, chain, archive and Merkle tree agree" \
        collector check
}

print_record()
{
    printf '   One record as it left (yz-probe show %s):\n' \
        "\$STATE/sent/*.ipfix"
    grep -m 1 '"nameEvidence":2' "$demo/sent.jsonl" | sed 's/,/, /g' |
        fold -s -w 74 | sed -e 's/^/     /' -e 's/ *$//'
}
