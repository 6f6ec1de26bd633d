#!/bin/bash
# A registered address inside a tunnel, live: two namespaces with VXLAN between
# them, the probe on the wire. The kernel must let through just the packets
# whose inner address is registered, super packets of segmentation offload
# among them. Needs root, namespaces and VXLAN; skipped with a reason otherwise.
name=tunnel gateway=a interface=w0
. tests/probe/gateway.sh

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

make_keys
cat >"$work/endpoints.csv" <<END
id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared
four,S,E,192.168.4.2,,tcp,8443,,,no
six,S,E,192.168.6.2,,tcp,8443,,,no
END

head -c 300000 /dev/urandom >"$work/blob"
(cd "$work" && exec ip netns exec "${tag}b" openssl s_server -quiet -WWW \
    -accept '*:8443' -cert tls.pem -key tls.key >/dev/null 2>&1) &
pids+=($!)

fetch() # ADDRESS
{
    in_ns a curl -ksf -m 10 -o /dev/null \
        "https://$1:8443/blob"
}
wait_until fetch 10.0.0.2

send_mark() { in_ns a bash -c 'echo "$0" >/dev/udp/10.0.0.2/9' "$1"; }

# One run of the probe beside dumpcap; leaves all.pcap and status.json.
capture_with() # FILTER
{
    configure "$1"
    start_probe && start_dump all.pcap || return 1
    for address in 192.168.4.2 192.168.6.2 10.0.0.2; do
        fetch $address || return 1
    done
    end_dump
    end_probe
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
tap_end
