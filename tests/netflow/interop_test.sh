#!/bin/bash
# softflowd, in every protocol, transport and time format that it has, to a
# running yz-collector: flows, octets and packets equal what tshark counts in
# the same capture. And the way round: what a yz-probe writes is read by nfcapd,
# nfacctd, tshark and libfixbuf.
. tests/netflow/rig.sh

# The capture is made to have happened just now: what is old is not counted.
make_capture()
{
    local shift
    "$build/tools/traffic_tool" "$demo/old.pcap" "$demo/registered.csv" \
        400 9 60 20 >"$demo/log/traffic.log" || return 1
    shift=$(($(date +%s) - 1700000000 - 120))
    editcap -t $shift -F pcap "$demo/old.pcap" "$demo/now.pcap"
}

# "flows octets packets" of registered traffic, by tshark.
tshark_counts()
{
    tshark -r "$demo/now.pcap" -Y 'ip.addr == 198.18.0.0/15' -T fields \
        -e ip.src -e ip.dst -e tcp.srcport -e tcp.dstport -e ip.len \
        2>/dev/null | awk '
        {
            key = $1 < $2 ? $1 $2 $3 $4 : $2 $1 $4 $3
            if (!(key in seen)) { seen[key] = 1; flows++ }
            octets += $5; packets++
        }
        END { print flows, octets, packets }'
}

# exports OPTION...: softflowd reads the capture once; it ends by itself.
exports()
{
    timeout 60 softflowd -r "$demo/now.pcap" -a -d -c none \
        -p "$demo/softflowd.pid" "$@" >>"$demo/log/softflowd.log" 2>&1
}

# counts_equal OPTION...: a fresh collector counts what tshark counts.
counts_equal()
{
    local counted
    rig_fresh
    rig_start || return 1
    exports "$@"
    rig_stop || return 1
    counted=$(rig_counted)
    echo "tshark $expected; collector $counted"
    [ "$counted" = "$expected" ]
}

# A sampled exporter: counts are scaled and marked, and near the truth.
sampled_is_marked()
{
    rig_fresh
    rig_start || return 1
    exports -v 9 -s 2 -n "127.0.0.1:$udp_port"
    rig_stop || return 1
    rig_counted
    [ "$(rig_sql "SELECT min(is_scaled) FROM usage")" = 1 ] &&
        rig_counted | awk -v e="$expected" '{
            split(e, want, " ")
            exit !($3 > want[3] * 0.8 && $3 < want[3] * 1.2)
        }'
}

ledger_agrees() { "$bin/yz-collector" check -c "$demo/collector.conf"; }

# --- from softflowd ---

tap_begin netflow-interop
make_capture || { echo "Bail out! no capture"; exit 1; }
rig_make "$demo/registered.csv" || { echo "Bail out! no registry"; exit 1; }
expected=$(tshark_counts)

udp=127.0.0.1:$udp_port tcp=127.0.0.1:$tcp_port
tap "softflowd NetFlow v5 over UDP" counts_equal -v 5 -n $udp
tap "softflowd NetFlow v9 over UDP" counts_equal -v 9 -n $udp
tap "softflowd IPFIX over UDP" counts_equal -v 10 -n $udp
tap "softflowd IPFIX over TCP" counts_equal -v 10 -P tcp -n $tcp
tap "softflowd IPFIX, biflows (RFC 5103)" counts_equal -v 10 -b -n $udp
for format in sec milli micro nano; do
    tap "softflowd IPFIX, times in $format" \
        counts_equal -v 10 -A $format -n $udp
done
tap "sampled NetFlow v9 is scaled and marked" sampled_is_marked
tap "ledger, archive and usage agree" ledger_agrees

tap_end
