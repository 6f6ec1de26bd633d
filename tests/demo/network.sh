# The demo's network: namespaces of its own, nothing in the machine's.
#
#   pc1 .11 ─┐                                      ┌ 203.0.113.10 ERP, nginx
#   pc2 .12 ─┤ lan ── lan0 [gateway] wan0 ── cloud ─┼ 203.0.113.11 MES, caddy
#   pc3 .13 ─┘ (switch) 10.77.0.1  │                ├ 203.0.113.12 MQTT broker
#                                  │ up0            └ 203.0.113.13 news, nginx
#                               province: 192.0.2.10, the collector
#
# Names carry this process's id, so that several demos run side by side, and a
# later demo can tell what a killed one left behind. All links are made inside
# the namespaces and vanish with them.

HOSTS="pc1 pc2 pc3"
COLLECTOR_ADDRESS=192.0.2.10
ERP=203.0.113.10 MES=203.0.113.11 MQTT=203.0.113.12 NEWS=203.0.113.13

net_name() { echo "yz-$$-$1"; }
# net_prefix NAME: what stands before a command that shall run there. The
# command takes its place, so its process id is the one that was started.
# (nsenter, because ip netns exec also wants to change mounts, and cannot in a
# chroot.)
net_prefix() { echo "nsenter --net=/run/netns/$(net_name "$1")"; }
net_exec() { nsenter --net="/run/netns/$(net_name "$1")" "${@:2}"; }
net_ip() { net_exec "$1" ip "${@:2}"; }

# why_no_network: prints why namespaces cannot be used here; nothing if they
# can.
why_no_network()
{
    local error
    if [ "$(id -u)" != 0 ]; then
        echo "not root; sudo make demo shows it live"
    elif ! command -v ip >/dev/null; then
        echo "the command ip (Debian package iproute2) is missing"
    elif ! error=$(ip netns add "$(net_name try)" 2>&1); then
        echo "no network namespaces here: ${error##*$'\n'}"
    elif ! error=$(net_exec try sh -c \
        'echo 1 >/proc/sys/net/ipv4/ip_forward' 2>&1) ||
        ! error=$(net_ip try link add name a type veth peer name b 2>&1); then
        echo "no use of network namespaces here: ${error##*$'\n'}"
    fi
    ip netns del "$(net_name try)" 2>/dev/null
    return 0
}

# link_namespaces A DEVICE B DEVICE: a cable.
link_namespaces()
{
    net_ip "$1" link add name "$2" type veth peer name "$4" \
        netns "$(net_name "$3")" &&
        net_ip "$1" link set "$2" up && net_ip "$3" link set "$4" up
}

add_namespace()
{
    ip netns add "$(net_name "$1")" || return 1
    # Only what the demo sends shall be on its cables.
    net_exec "$1" sh -c \
        'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6' 2>/dev/null
    net_ip "$1" link set lo up
}

add_lan_host()
{
    link_namespaces lan "$1" "$1" eth0 &&
        net_ip lan link set "$1" master switch &&
        net_ip "$1" address add "$2/24" dev eth0 &&
        net_ip "$1" route add default via 10.77.0.1
}

make_lan()
{
    net_ip lan link add name switch type bridge && net_ip lan link set switch up &&
        link_namespaces lan uplink gateway lan0 &&
        net_ip lan link set uplink master switch &&
        net_ip gateway address add 10.77.0.1/24 dev lan0 &&
        add_lan_host pc1 10.77.0.11 && add_lan_host pc2 10.77.0.12 &&
        add_lan_host pc3 10.77.0.13
}

make_cloud()
{
    local address
    link_namespaces gateway wan0 cloud eth0 &&
        net_ip gateway address add 203.0.113.1/24 dev wan0 &&
        net_ip cloud route add default via 203.0.113.1 dev eth0 onlink ||
        return 1
    for address in $ERP $MES $MQTT $NEWS; do
        net_ip cloud address add "$address/24" dev eth0 || return 1
    done
}

make_province()
{
    link_namespaces gateway up0 province eth0 &&
        net_ip gateway address add 192.0.2.1/24 dev up0 &&
        net_ip province address add $COLLECTOR_ADDRESS/24 dev eth0
}

# make_network: all of it; false when a step failed.
make_network()
{
    local name
    for name in lan gateway cloud province $HOSTS; do
        add_namespace "$name" || return 1
    done
    net_exec gateway sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' &&
        make_cloud && make_province && make_lan
}

# remove_namespaces ID: those of the demo with this process id, and what still
# runs in them.
remove_namespaces()
{
    local name pids
    for name in $(ip netns list 2>/dev/null |
        sed -n "s/^\(yz-$1-[a-z0-9]*\).*/\1/p"); do
        pids=$(ip netns pids "$name" 2>/dev/null)
        # shellcheck disable=SC2086
        [ -z "$pids" ] || kill -9 $pids 2>/dev/null
        ip netns del "$name" 2>/dev/null
    done
}

# remove_leftovers: namespaces of demos that were killed before they could.
remove_leftovers()
{
    local id
    for id in $(ip netns list 2>/dev/null |
        sed -n 's/^yz-\([0-9]*\)-.*/\1/p' | sort -u); do
        [ -d "/proc/$id" ] || remove_namespaces "$id"
    done
}
