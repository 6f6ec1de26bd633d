#!/bin/bash
# The probe on a gateway of its own making: two namespaces beside it, a lan and
# a cloud; the counts must equal tshark's, and what is not registered must not
# reach the process. Needs root and namespaces; skipped with a reason otherwise.
# runs first
name=live gateway=gw interface=l1
. tests/probe/gateway.sh

network()
{
    ip netns add "${tag}lan" && ip netns add "${tag}cloud" &&
        ip link add l0 netns "${tag}lan" type veth peer l1 netns "${tag}gw" &&
        ip link add c0 netns "${tag}cloud" type veth peer c1 netns "${tag}gw" &&
        in_ns lan ip addr add 10.77.0.2/24 dev l0 &&
        in_ns gw ip addr add 10.77.0.1/24 dev l1 &&
        in_ns gw ip addr add 203.0.113.1/24 dev c1 &&
        in_ns cloud ip addr add 203.0.113.10/24 dev c0 &&
        in_ns cloud ip addr add 203.0.113.20/24 dev c0 &&
        in_ns lan ip link set l0 up && in_ns gw ip link set l1 up &&
        in_ns gw ip link set c1 up && in_ns cloud ip link set c0 up &&
        in_ns lan ip route add default via 10.77.0.1 &&
        in_ns cloud ip route add default via 203.0.113.1 &&
        in_ns gw sysctl -qw net.ipv4.ip_forward=1
}
network 2>"$work/network.log" ||
    skip_all "no network: $(head -n 1 "$work/network.log")"

make_keys
cat >"$work/endpoints.csv" <<END
id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared
erp,S,E,203.0.113.10,,tcp,8443,,,no
END

head -c 300000 /dev/urandom >"$work/blob"
for address in 203.0.113.10 203.0.113.20; do
    (cd "$work" && exec ip netns exec "${tag}cloud" openssl s_server -quiet \
        -WWW -accept $address:8443 -cert tls.pem -key tls.key \
        >/dev/null 2>&1) &
    pids+=($!)
done

fetch() # ADDRESS
{
    in_ns lan curl -ksf -m 10 -o /dev/null "https://$1:8443/blob"
}
wait_until fetch 203.0.113.10
wait_until fetch 203.0.113.20

send_mark() { in_ns lan bash -c 'echo "$0" >/dev/udp/203.0.113.20/9' "$1"; }

# One run of the probe beside dumpcap; leaves all.pcap, show.json, status.json.
capture_with() # FILTER
{
    configure "$1"
    start_probe && start_dump all.pcap || return 1
    for _ in 1 2 3; do
        fetch 203.0.113.10
        fetch 203.0.113.20
    done
    in_ns lan curl -so /dev/null http://203.0.113.10:8081/ # nothing there
    end_dump
    end_probe
    local status=$?
    "$probe" show --key "$work/batch.pub" "$work/state-$1"/spool/*.ipfix \
        >"$work/show.json" || return 1
    return $status
}

# value KEY: the number behind "KEY": on a line of JSON; for awk programs.
value='function value(key) {
    if (!match($0, "\"" key "\":[0-9]+"))
        return -1
    return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0
}'

# Packets and octets of the registered service: shown, and as tshark has them.
compare()
{
    local shown wanted
    shown=$(awk "$value"'
        /"endpointId":"erp"/ {
            packets += value("packetDeltaCount")
            packets += value("reversePacketDeltaCount")
            octets += value("octetDeltaCount") + value("reverseOctetDeltaCount")
        }
        END { print packets, octets }' "$work/show.json")
    wanted=$(tshark -r "$work/all.pcap" -T fields -e ip.len \
        -Y 'ip.addr == 203.0.113.10 && tcp.port == 8443' 2>/dev/null |
        awk '{ packets++; octets += $1 } END { print packets, octets }')
    echo "# shown $shown, tshark $wanted"
    [ "$shown" = "$wanted" ] && [ "${wanted%% *}" -gt 20 ]
}

# status.json: all that came was counted, and the kernel refused the rest.
refused() # FILTER
{
    awk -v filter="$1" "$value"'
        {
            good = index($0, "\"filter\":\"" filter "\"") &&
                value("filtered") == 0 && value("link") == 0 &&
                value("truncated") == 0 && value("header") == 0 &&
                value("packets") > 20 && value("packets") == value("matched")
            if (filter == "ebpf")
                good = good && value("refused") > 20
        }
        END { exit !good }' "$work/state-$1/status.json"
}

for filter in ebpf cbpf; do
    capture_with $filter
    result $? "$filter: captures, makes a last batch on SIGTERM, ends with 0"
    compare >"$work/compare.log"
    result $? "$filter: packets and octets equal tshark's"
    cat "$work/compare.log"
    refused $filter
    result $? "$filter: nothing unregistered reached the process"
    grep -q '10\.77\.0\.2' "$work/show.json"
    result $((1 - $?)) "$filter: no inside address in what is shown"
done

# --- validities that end while the probe runs ---

# As another user, where one can get at the folder: rights are gone by then.
configure_ending() # FILTER SECONDS: sets $end
{
    configure "$1" "state-$1-ending"
    local state=$work/state-$1-ending
    end=$(date -u -d "+$2 seconds" +%Y-%m-%dT%H:%M:%SZ)
    rm -rf "$state"
    {
        head -n 1 "$work/endpoints.csv"
        echo "erp,S,E,203.0.113.10,,tcp,8443,,,no"
        echo "old,S,O,203.0.113.20,,tcp,8443,,2020-01-01,no"
        echo "new,S,N,203.0.113.20,,tcp,8443,,$end,no"
    } >"$work/ending.csv"
    mkdir "$state" && chown nobody "$state"
    sed -i 's/^endpoints.*/endpoints = ending.csv/' "$work/probe.conf"
    if setpriv --reuid=nobody --clear-groups test -w "$state" 2>/dev/null; then
        echo 'user = nobody' >>"$work/probe.conf"
    else # the probe would become the folder's owner
        chown root "$state"
    fi
}

# Packets to 203.0.113.20 come before the end of its validity and not after.
ends_live() # FILTER
{
    local seconds
    for seconds in 5 15 25; do # a slow machine starts and fetches for longer
        configure_ending "$1" $seconds
        start_probe || return 1
        fetch 203.0.113.20
        [[ ! $(date -u +%Y-%m-%dT%H:%M:%SZ) < $end ]] || break
        end_probe
    done
    wait_until grep -q '1 rules are valid now, 2 were' "$work/probe.log" ||
        return 1
    fetch 203.0.113.20
    fetch 203.0.113.10
    end_probe || return 1
    "$probe" show "$work/state-$1-ending"/spool/*.ipfix >"$work/show.json"
    grep -q '"endpointId":"new"' "$work/show.json" &&
        grep -q '"endpointId":"erp"' "$work/show.json" &&
        grep -q '"filtered":0' "$work/state-$1-ending/status.json"
}
for filter in ebpf cbpf; do
    ends_live $filter
    result $? "$filter: a validity that ends while it runs ends in the kernel"
done

# --- a new endpoint list while the probe runs ---

list() # ID ADDRESS...: writes endpoints.csv in one step
{
    {
        head -n 1 "$work/endpoints.csv"
        while [ $# -gt 0 ]; do
            echo "$1,S,$1,$2,,tcp,8443,,,no"
            shift 2
        done
    } >"$work/next.csv"
    mv "$work/next.csv" "$work/endpoints.csv"
}

flows_of() # ID: records of an endpoint
{
    grep -c "\"endpointId\":\"$1\"" "$work/show.json"
}

# A download that is under way goes on being counted whole; what is new counts
# from then on, what is gone no longer; a list that is wrong changes nothing.
reloads() # FILTER
{
    local state=$work/state-$1-reload wanted shown
    list erp 203.0.113.10 old 203.0.113.20
    configure "$1" "state-$1-reload"
    start_probe && start_dump slow.pcap || return 1
    fetch 203.0.113.20
    in_ns lan curl -ksf -m 20 --limit-rate 100k -o /dev/null \
        https://203.0.113.10:8443/blob &
    local download=$!
    sleep 1
    list new 203.0.113.11 erp 203.0.113.10
    kill -HUP "$probe_pid"
    wait_until grep -q '2 rules are in force now, 2 were' "$work/probe.log" ||
        return 1
    fetch 203.0.113.11
    fetch 203.0.113.20
    echo nonsense >>"$work/endpoints.csv"
    kill -HUP "$probe_pid"
    wait_until grep -q 'list before stays in force' "$work/probe.log" ||
        return 1
    wait "$download"
    end_dump
    end_probe || return 1
    "$probe" show --key "$work/batch.pub" "$state"/spool/*.ipfix >"$work/show.json"
    shown=$(awk "$value"'/"endpointId":"erp"/ {
        n += value("packetDeltaCount") + value("reversePacketDeltaCount") }
        END { print n }' "$work/show.json")
    wanted=$(tshark -r "$work/slow.pcap" -Y 'ip.addr == 203.0.113.10' \
        2>/dev/null | wc -l)
    echo "# the download: shown $shown, tshark $wanted; old $(flows_of old), new $(flows_of new)"
    [ "$shown" = "$wanted" ] && [ "$(flows_of old)" = 1 ] &&
        [ "$(flows_of new)" = 1 ] &&
        [ "$(grep -o '"registryVersion":"[0-9a-f]*"' "$work/show.json" |
            sort -u | wc -l)" = 2 ]
}
in_ns cloud ip addr add 203.0.113.11/24 dev c0
(cd "$work" && exec ip netns exec "${tag}cloud" openssl s_server -quiet -WWW \
    -accept 203.0.113.11:8443 -cert tls.pem -key tls.key >/dev/null 2>&1) &
pids+=($!)
wait_until fetch 203.0.113.11
for filter in ebpf cbpf; do
    reloads $filter >"$work/reload.log"
    result $? "$filter: a new list takes over without a gap, a wrong one does not"
    cat "$work/reload.log"
done
list erp 203.0.113.10

# --- both sides of the gateway, several workers ---

# INTERFACES WORKERS: runs with them; leaves show.json.
counts_once()
{
    local state=$work/state-once
    rm -rf "$state"
    configure ebpf state-once
    sed -i "s/^interface.*/interface = $1/" "$work/probe.conf"
    echo "workers = $2" >>"$work/probe.conf"
    start_probe && start_dump all.pcap || return 1
    for _ in 1 2 3 4 5 6 7 8; do
        fetch 203.0.113.10
    done
    end_dump
    end_probe || return 1
    "$probe" show "$state"/spool/*.ipfix >"$work/show.json"
    compare
}
one_interface()
{
    counts_once l1 3 && [ "$(grep -c 'reader (process' "$work/probe.log")" = 3 ]
}
one_interface >"$work/once.log"
result $? "three workers: every flow is one's, counts equal tshark's"
cat "$work/once.log"
counts_once 'l1, c1' 2 >"$work/once.log"
result $? "two interfaces, two workers: what passes both interfaces counts once"
cat "$work/once.log"
counts_once any 1 >"$work/once.log"
result $? "all interfaces: what passes two of them counts once"
cat "$work/once.log"

# --- the end, with much still in the ring ---

first_reader()
{
    sed -n 's/.*reader (process \([0-9]*\)).*/\1/p' "$work/probe.log" | head -n 1
}

# The reader is held while packets come, and goes on only to stop.
stops_late()
{
    local reader packets=200000 state=$work/state-late
    # Nobody answers there, not even that nobody is there.
    in_ns gw ip route add blackhole 203.0.113.12
    sed 's/203.0.113.10,,tcp/203.0.113.12,,udp/' "$work/endpoints.csv" \
        >"$work/udp.csv"
    configure ebpf state-late
    sed -i "s/^endpoints.*/endpoints = udp.csv/" "$work/probe.conf"
    echo 'buffer_mb = 128' >>"$work/probe.conf"
    start_probe || return 1
    reader=$(first_reader)
    kill -STOP "$reader"
    in_ns lan bash -c "dd if=/dev/zero bs=1 count=$packets \
        >/dev/udp/203.0.113.12/8443" 2>/dev/null # a packet each
    kill -TERM "$probe_pid"
    kill -CONT "$reader"
    wait "$probe_pid" || return 1
    "$probe" show "$state"/spool/*.ipfix | awk -v wanted=$packets "$value"'
        /"endpointId":"erp"/ { n += value("packetDeltaCount") }
        END { print "# shown " n ", sent " wanted; exit n != wanted }'
}
stops_late >"$work/late.log"
result $? "a reader that is late when it is stopped still counts all"
cat "$work/late.log"

# --- the sandbox, as other programs see it ---

# In the plain program: the sanitizers' runtime would need more.
confined()
{
    local reader
    configure ebpf state-box
    start_probe "$B/bin/yz-probe" || return 1
    reader=$(first_reader)
    for p in $probe_pid $reader; do
        grep -q '^CapEff:.0*$' /proc/$p/status &&
            grep -q '^CapPrm:.0*$' /proc/$p/status &&
            grep -q '^CapBnd:.0*$' /proc/$p/status &&
            grep -q '^NoNewPrivs:.1$' /proc/$p/status &&
            grep -q '^Seccomp:.2$' /proc/$p/status || return 1
    done
    grep -q '^Uid:.65534' /proc/$reader/status || return 1
    [ "$(find /proc/$reader/fd -lname '*bpf*' | wc -l)" = 0 ] || return 1
    # The ring of packets is mapped by the reader alone.
    grep -q 'socket:' /proc/$reader/maps || return 1
    grep -q 'socket:' /proc/$probe_pid/maps && return 1
    kill -KILL "$probe_pid"
    wait "$probe_pid" 2>/dev/null
    wait_until [ ! -d "/proc/$reader" ]
}
confined
result $? "no rights are left in either process; the reader ends with its parent"
reader_dies()
{
    local reader
    start_probe "$B/bin/yz-probe" || return 1
    reader=$(first_reader)
    kill -KILL "$reader"
    wait "$probe_pid"
    [ $? -eq 1 ] && grep -q 'reader: ended by signal 9' "$work/probe.log"
}
reader_dies
result $? "a reader that is killed ends the probe with 1, to be started again"

# Hundredths of a second that processes have worked.
ticks_of()
{
    local p n=0
    for p in "$@"; do
        n=$((n + $(awk '{ print $14 + $15 }' "/proc/$p/stat")))
    done
    echo $n
}
# In the plain program, whose sandbox is the whole one. The address and the
# routes go with the link.
ups_and_downs()
{
    local state=$work/state-down spent
    configure ebpf state-down
    start_probe "$B/bin/yz-probe" || return 1
    fetch 203.0.113.10
    in_ns gw ip link set l1 down
    sleep 2
    spent=$(ticks_of "$probe_pid" "$(first_reader)")
    sleep 2
    [ $(($(ticks_of "$probe_pid" "$(first_reader)") - spent)) -lt 20 ] ||
        echo "# busy while the interface is down"
    in_ns gw ip link set l1 up
    wait_until fetch 203.0.113.10
    fetch 203.0.113.10
    sleep 1
    end_probe || { cat "$work/probe.log"; return 1; }
    [ "$("$probe" show "$state"/spool/*.ipfix | grep -c \
        '"endpointId":"erp"')" -ge 3 ]
}
ups_and_downs >"$work/down.log"
result $? "an interface that goes down and up again is captured on"
cat "$work/down.log"

# Of many flows with a packet each some are every reader's.
others_count()
{
    local reader shown state=$work/state-others
    configure ebpf state-others
    sed -i "s/^endpoints.*/endpoints = udp.csv/" "$work/probe.conf"
    echo 'workers = 2' >>"$work/probe.conf"
    start_probe || return 1
    in_ns lan bash -c 'for i in {1..60}; do
        echo x >/dev/udp/203.0.113.12/8443; done'
    reader=$(first_reader)
    kill -KILL "$reader"
    wait "$probe_pid"
    [ $? -eq 1 ] || return 1
    shown=$("$probe" show "$state"/spool/*.ipfix |
        grep -c '"endpointId":"erp"')
    echo "# $shown of 60 flows"
    [ "$shown" -gt 0 ] && [ "$shown" -lt 60 ]
}
others_count >"$work/others.log"
result $? "when one reader is killed, what the others have still counts"
cat "$work/others.log"

# --- clear refusals ---

refuses() # STATUS PATTERN NAME: one line on standard error, this exit status
{
    ip netns exec "${tag}gw" timeout 20 "$probe" run -c "$work/probe.conf" \
        >"$work/out" 2>"$work/err"
    [ $? -eq "$1" ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -q "$2" "$work/err"
    result $? "$3"
    [ -s "$work/err" ] && sed 's/^/# /' "$work/err"
}
configure auto
sed -i 's/^interface.*/interface = nowhere0/' "$work/probe.conf"
refuses 2 'interface nowhere0: there is no such interface' "no such interface"
configure auto
sed -i 's/^endpoints.*/endpoints = missing.csv/' "$work/probe.conf"
refuses 2 'missing.csv: No such file' "no endpoint list"
configure auto
echo 'colour = red' >>"$work/probe.conf"
refuses 2 'probe.conf:14: ' "unknown key, with file and line"
configure cbpf
{
    head -n 1 "$work/endpoints.csv"
    for i in $(seq 0 2999); do
        echo "e$i,S,V,100.$((64 + i / 250)).$((i % 250)).$((i % 200))/32,,tcp,443,,,no"
    done
} >"$work/many.csv"
sed -i 's/^endpoints.*/endpoints = many.csv/' "$work/probe.conf"
refuses 1 'the kernel takes 4096' "a classic filter that does not fit"
tap_end
