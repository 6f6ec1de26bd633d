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
