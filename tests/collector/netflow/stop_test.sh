#!/bin/bash
# What was delivered before a stop is counted: connections that nobody had
# accepted yet, more of them than an exporter may hold at once, and datagrams
# that wait in the kernel. The collector is held (SIGSTOP) while they come, so
# it cannot have read any of them when it is told to end.
. tests/collector/netflow/rig.sh

connections=60 messages=4000
datagram_bytes=4096 # at most, of the kernel's memory for one of ours

is_held() { grep -q '^State:[[:space:]]*T' "/proc/$collector_pid/status"; }

hold() { kill -STOP "$collector_pid" && await 10 is_held; }

send() { "$netflow_tool" send "$1" 127.0.0.1 "$2" "$3"; }

# stops_with COMMAND...: the command, while the collector is held; then its end.
stops_with()
{
    rig_start && hold && "$@" && kill -TERM "$collector_pid" &&
        kill -CONT "$collector_pid" && await 20 has_ended "$collector_pid"
}

connect_often()
{
    for ((i = 0; i < connections; i++)); do
        send tcp "$tcp_port" "$demo/few.ipfix" || return 1
    done
}

send_many() { send udp "$udp_port" "$demo/many.ipfix"; }

octets() { rig_sql "SELECT ifnull(sum(octets + roctets), 0) FROM usage"; }

# in_file FILE: what its records add up to; the tool reads it several times.
in_file()
{
    "$netflow_tool" decode "$1" |
        awk '/ records,/ { n++ } /^octets/ { printf "%d", $2 / n }'
}

counts()
{
    local before=$1 more=$2
    echo "$(octets) octets, expected $before and $more"
    [ "$more" -gt 0 ] && [ "$(octets)" = $((before + more)) ]
}

# The kernel gives so much for waiting datagrams only to those who may ask.
has_room()
{
    local bytes
    rig_start
    bytes=$(ss -Hlunm "sport = :$udp_port" | sed -n 's/.*,rb\([0-9]*\),.*/\1/p')
    rig_stop
    [ "${bytes:-0}" -ge $((messages * datagram_bytes)) ]
}

tap_begin netflow-stop
"$netflow_tool" make "$demo/few.ipfix" 50 "$demo/registered.csv" 100 &&
    "$netflow_tool" make "$demo/many.ipfix" $((messages * 25)) \
        "$demo/registered.csv" 100 && rig_make "$demo/registered.csv" ||
    { echo "Bail out!"; exit 1; }

for round in 1 2 3; do
    before=$(octets 2>"$demo/log/octets.err")
    tap "$connections connections in the backlog at a stop ($round)" \
        stops_with connect_often
    tap "all of them are counted ($round)" \
        counts "${before:-0}" $((connections * $(in_file "$demo/few.ipfix")))
done

if has_room; then
    before=$(octets)
    tap "$messages datagrams wait at a stop" stops_with send_many
    tap "all of them are counted" counts "$before" "$(in_file "$demo/many.ipfix")"
else
    tap_skip "$messages datagrams wait at a stop" "no room in the kernel here"
    tap_skip "all of them are counted" "no room in the kernel here"
fi
tap "ledger, archive and usage agree" \
    "$bin/yz-collector" check -c "$demo/collector.conf"
tap_end
