#!/bin/bash
# A registered address inside a tunnel, live: two namespaces with VXLAN between
# them, the probe on the wire. The kernel must let through just the packets
# whose inner address is registered, super packets of segmentation offload
# among them. Needs root, namespaces and VXLAN; skipped with a reason otherwise.
set -u
B=${B:-build}
number=0
tag=yzt$$
work=$B/test-tunnel-$$
probe=$B/san/bin/yz-probe
[ -x "$probe" ] || probe=$B/bin/yz-probe
pids=()

result() # STATUS NAME
{
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
    fi
}

skip_all()
{
    echo "ok 1 - tunnels live # skip $1"
    echo "1..1"
    exit 0
}

clean()
{
    for p in "${pids[@]}"; do
        kill "$p" 2>/dev/null && wait "$p" 2>/dev/null
    done
    ip netns del "${tag}a" 2>/dev/null
    ip netns del "${tag}b" 2>/dev/null
    rm -rf "$work"
}

[ "$(id -u)" = 0 ] || skip_all "not root"
for program in ip dumpcap tshark curl openssl; do
    command -v $program >/dev/null || skip_all "no $program"
done
ip netns add "${tag}a" 2>/dev/null || skip_all "no network namespaces here"
trap clean EXIT
mkdir -p "$work"
work=$(cd "$work" && pwd)

# vxlan NAME NUMBER UNDERLAY: 192.168.NUMBER.1 and .2 over 1 and 2 of it.
vxlan()
{
    local options="type vxlan id $2 dstport 4789"
    [ "$3" = fd00:: ] && options="$options udp6zerocsumtx udp6zerocsumrx"
    # shellcheck disable=SC2086
    ip -n "${tag}a" link add "$1" $options local "${3}1" remote "${3}2" &&
        ip -n "${tag}b" link add "$1" $options local "${3}2" remote "${3}1" &&
        ip -n "${tag}a" addr add "192.168.$2.1/24" dev "$1" &&
        ip -n "${tag}b" addr add "192.168.$2.2/24" dev "$1" &&
        ip -n "${tag}a" link set "$1" up && ip -n "${tag}b" link set "$1" up
}

network()
{
    ip netns add "${tag}b" &&
        ip link add w0 netns "${tag}a" type veth peer w0 netns "${tag}b" &&
        ip -n "${tag}a" link set w0 up && ip -n "${tag}b" link set w0 up &&
        ip -n "${tag}a" addr add 10.0.0.1/24 dev w0 &&
        ip -n "${tag}b" addr add 10.0.0.2/24 dev w0 &&
        ip -n "${tag}a" addr add fd00::1/64 dev w0 nodad &&
        ip -n "${tag}b" addr add fd00::2/64 dev w0 nodad &&
        vxlan vx4 4 10.0.0. && vxlan vx6 6 fd00::
}
network 2>"$work/network.log" ||
    skip_all "no network: $(head -n 1 "$work/network.log")"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=live -keyout "$work/tls.key" -out "$work/tls.pem" 2>/dev/null
openssl genpkey -algorithm ED25519 -out "$work/batch.key" 2>/dev/null
openssl pkey -in "$work/batch.key" -pubout -out "$work/batch.pub"
chmod 600 "$work"/*.key
cat >"$work/endpoints.csv" <<END
id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared
four,S,E,192.168.4.2,,tcp,8443,,,no
six,S,E,192.168.6.2,,tcp,8443,,,no
END

configure() # FILTER
{
    cat >"$work/probe.conf" <<END
interface = w0
kernel_filter = $1
endpoints = endpoints.csv
probe_id = live-1
state = state-$1
collector = 127.0.0.1:9
collector_name = collector.example
ca = tls.pem
certificate = tls.pem
tls_key = tls.key
signing_key = batch.key
receipt_key = batch.pub
batch_period_s = 3600
END
}

# Half a minute for anything that we wait for.
wait_until()
{
    for _ in $(seq 300); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}

# Waits until dumpcap has written what it saw: the file grows no more.
settled() # FILE
{
    local before=-1 now
    for _ in $(seq 20); do
        now=$(stat -c %s "$1" 2>/dev/null || echo 0)
        [ "$now" = "$before" ] && return
        before=$now
        sleep 1
    done
}

head -c 300000 /dev/urandom >"$work/blob"
(cd "$work" && exec ip netns exec "${tag}b" openssl s_server -quiet -WWW \
    -accept '*:8443' -cert tls.pem -key tls.key >/dev/null 2>&1) &
pids+=($!)

fetch() # ADDRESS
{
    ip netns exec "${tag}a" curl -ksf -m 10 -o /dev/null \
        "https://$1:8443/blob"
}
wait_until fetch 10.0.0.2

# One run of the probe beside dumpcap; leaves all.pcap and status.json.
capture_with() # FILTER
{
    configure "$1"
    rm -f "$work/probe.log"
    ip netns exec "${tag}a" "$probe" run -c "$work/probe.conf" \
        2>"$work/probe.log" &
    local probe_pid=$!
    pids+=($probe_pid)
    rm -f "$work/dump.log"
    ip netns exec "${tag}a" dumpcap -q -B 64 -i w0 -s 200 -w "$work/all.pcap" \
        2>"$work/dump.log" &
    local dump_pid=$!
    pids+=($dump_pid)
    wait_until grep -q 'in force' "$work/probe.log" || return 1
    wait_until grep -q '^File:' "$work/dump.log" || return 1
    for address in 192.168.4.2 192.168.6.2 10.0.0.2; do
        fetch $address || return 1
    done
    settled "$work/all.pcap"
    kill -TERM "$dump_pid" && wait "$dump_pid" 2>/dev/null
    kill -TERM "$probe_pid" && wait "$probe_pid"
}

# Packets that the kernel let through, and those that tshark finds inside.
compare() # FILTER
{
    local matched wanted super
    matched=$(grep -o '"matched":[0-9]*' "$work/state-$1/status.json" |
        head -n 1 | tr -dc 0-9)
    tshark -r "$work/all.pcap" -T fields -e frame.len \
        -Y 'vxlan && ip.addr in {192.168.4.2, 192.168.6.2} && tcp.port == 8443' \
        2>/dev/null >"$work/lengths"
    wanted=$(wc -l <"$work/lengths")
    super=$(awk '$1 > 1600' "$work/lengths" | wc -l)
    echo "# let through $matched, tshark $wanted, super packets $super"
    [ "$matched" = "$wanted" ] && [ "$wanted" -gt 20 ]
}

for filter in ebpf cbpf; do
    capture_with $filter
    result $? "$filter: captures beside tunnels"
    compare $filter >"$work/compare.log"
    result $? "$filter: what is registered inside VXLAN passes, nothing else"
    cat "$work/compare.log"
done
echo "1..$number"
