#!/bin/bash
# softflowd, in every protocol, transport and time format that it has, and the
# probe of pmacct, to a running yz-collector: flows, octets and packets equal
# what tshark counts in the same capture. And the way round: what a yz-probe writes is read by nfcapd,
# nfacctd, tshark and libfixbuf.
. tests/collector/netflow/rig.sh

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

# pmacct_exports VERSION: the probe of pmacct, another exporter altogether.
pmacct_exports()
{
    cat >"$demo/pmacctd.conf" <<END
daemonize: false
pcap_savefile: $demo/now.pcap
plugins: nfprobe
nfprobe_receiver: 127.0.0.1:$udp_port
nfprobe_version: $1
nfprobe_timeouts: tcp=5:maxlife=3600
aggregate: src_host, dst_host, src_port, dst_port, proto, tcpflags
plugin_buffer_size: 102400
plugin_pipe_size: 10240000
END
    timeout 60 pmacctd -f "$demo/pmacctd.conf" >>"$demo/log/pmacctd.log" 2>&1
}
pmacct_counts_equal()
{
    local counted
    rig_fresh
    rig_start || return 1
    pmacct_exports "$1"
    rig_stop || return 1
    counted=$(rig_counted)
    echo "tshark $expected; collector $counted"
    tail -n 3 "$demo/log/pmacctd.log"
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
for version in 5 9 10; do
    tap "pmacctd, its version $version over UDP" pmacct_counts_equal $version
done
tap "sampled NetFlow v9 is scaled and marked" sampled_is_marked
tap "ledger, archive and usage agree" ledger_agrees

# --- from yz-probe ---

# "records octets packets" of yz-probe's file, forward direction.
probe_counts()
{
    "$bin/yz-probe" show "$demo/out.ipfix" | awk '
    function value(name) {
        if (!match($0, "\"" name "\":[0-9]+")) return 0
        return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
    }
    /"endpointId"/ {
        records++
        octets += value("octetDeltaCount"); packets += value("packetDeltaCount")
        both += value("reverseOctetDeltaCount")
    }
    END { print records, octets, packets, octets + both }'
}

write_probe_file()
{
    "$bin/yz-probe" read -r "$demo/now.pcap" -e "$demo/registered.csv" \
        -w "$demo/out.ipfix" && "$netflow_tool" cut "$demo/out.ipfix" \
        "$demo/cut.ipfix" # messages that fit a datagram
}

# nfcapd_counts: all flows and octets of both directions, as nfdump tells.
nfcapd_reads()
{
    local port pid
    port=$(free_port) && mkdir -p "$demo/nfcapd" || return 1
    spawn nfcapd nfcapd -p "$port" -b 127.0.0.1 -l "$demo/nfcapd" -t 3600
    pid=$spawned
    await 5 udp_listens "$port" &&
        "$netflow_tool" send udp 127.0.0.1 "$port" "$1" 300 && sleep 0.5
    kill -TERM "$pid" && await 10 has_ended "$pid"
    read -r records octets packets both <<<"$(probe_counts)"
    grep "Flows:" "$demo/log/nfcapd.log"
    grep -q "Flows: $records, .* Bytes: $both, Sequence Errors: 0, Bad Packets: 0" \
        "$demo/log/nfcapd.log"
}

udp_listens() { [ -n "$(ss -Hlun "sport = :$1")" ]; }
has_file() { [ -s "$1" ]; }

# nfacctd counts one direction; of batch and signature it makes records of 0.
nfacctd_reads()
{
    local port pid
    port=$(free_port) || return 1
    cat >"$demo/nfacctd.conf" <<END
daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: $port
plugins: print
aggregate: dst_host, proto
print_output: csv
print_output_file: $demo/nfacctd.csv
print_refresh_time: 60
END
    spawn nfacctd nfacctd -f "$demo/nfacctd.conf"
    pid=$spawned
    await 10 udp_listens "$port" &&
        "$netflow_tool" send udp 127.0.0.1 "$port" "$demo/cut.ipfix" 300 &&
        sleep 1
    kill -INT "$pid"
    await 90 has_file "$demo/nfacctd.csv" && sleep 0.5
    read -r records octets packets both <<<"$(probe_counts)"
    awk -F, -v o="$octets" -v p="$packets" '
        NR > 1 { packets += $(NF - 1); octets += $NF }
        END { print octets, packets; exit !(octets == o && packets == p) }' \
        "$demo/nfacctd.csv" && ! grep -q unable "$demo/log/nfacctd.log"
}

# tshark decodes it as CFLOW, with no expert information.
tshark_reads()
{
    local port=4739
    split_datagrams
    text2pcap -q -u 40000,$port "$demo/cut.txt" "$demo/cut.pcap" 2>&1
    read -r records octets packets both <<<"$(probe_counts)"
    tshark -r "$demo/cut.pcap" -d udp.port==$port,cflow -T fields \
        -e cflow.octets -E occurrence=a -E aggregator=' ' 2>/dev/null |
        tr ' ' '\n' | awk -v want="$both" '{ sum += $1 }
            END { print sum, want; exit sum != want }' &&
        [ -z "$(tshark -r "$demo/cut.pcap" -d udp.port==$port,cflow \
            -Y '_ws.expert || _ws.malformed' 2>/dev/null)" ]
}

# One hex dump for each message: text2pcap makes a packet of each.
split_datagrams()
{
    local offset=0 size total
    total=$(stat -c %s "$demo/cut.ipfix")
    : >"$demo/cut.txt"
    while [ $offset -lt "$total" ]; do
        size=$((16#$(od -An -tx1 -j $((offset + 2)) -N 2 "$demo/cut.ipfix" |
            tr -d ' ')))
        od -Ax -tx1 -v -j $offset -N $size "$demo/cut.ipfix" |
            awk '{ $1 = sprintf("%06x", (NR - 1) * 16); print }' |
            awk 'NF > 1' >>"$demo/cut.txt"
        offset=$((offset + size))
    done
}

libfixbuf_reads()
{
    read -r records octets packets both <<<"$(probe_counts)"
    ipfixDump -i "$1" >"$demo/fixbuf.txt" 2>"$demo/fixbuf.err" || return 1
    cat "$demo/fixbuf.err"
    grep "File Stats" "$demo/fixbuf.txt"
    [ ! -s "$demo/fixbuf.err" ] &&
        grep -q " $((records + 2)) Data Records" "$demo/fixbuf.txt"
}

tap "yz-probe read writes a batch" write_probe_file
tap "nfcapd counts its flows and octets" nfcapd_reads "$demo/cut.ipfix"
tap "nfacctd counts its octets and packets" nfacctd_reads
tap "tshark decodes it without complaint" tshark_reads
tap "libfixbuf reads it without complaint" libfixbuf_reads "$demo/out.ipfix"
tap "also in messages that fit a datagram" libfixbuf_reads "$demo/cut.ipfix"

tap_end
