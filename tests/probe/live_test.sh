#!/bin/bash
# The probe on a gateway of its own making: two namespaces beside it, a lan and
# a cloud; the counts must equal tcpdump's, and what is not registered must not
# reach the process. Needs root and namespaces; skipped with a reason otherwise.
set -u
B=${B:-build}
number=0
tag=yzp$$
work=$B/test-live-$$
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
    echo "ok 1 - live capture # skip $1"
    echo "1..1"
    exit 0
}

clean()
{
    for p in "${pids[@]}"; do
        kill "$p" 2>/dev/null && wait "$p" 2>/dev/null
    done
    for n in lan gw cloud; do
        ip netns del "$tag$n" 2>/dev/null
    done
    rm -rf "$work"
}

[ "$(id -u)" = 0 ] || skip_all "not root"
for program in ip tcpdump curl openssl python3; do
    command -v $program >/dev/null || skip_all "no $program"
done
ip netns add "${tag}gw" 2>/dev/null || skip_all "no network namespaces here"
trap clean EXIT
mkdir -p "$work"
work=$(cd "$work" && pwd)

in_ns()
{
    local name=$1
    shift
    ip netns exec "$tag$name" "$@"
}

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

# Keys that are only read, not used: the collector is not there.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=live -keyout "$work/tls.key" -out "$work/tls.pem" 2>/dev/null
openssl genpkey -algorithm ED25519 -out "$work/batch.key" 2>/dev/null
openssl pkey -in "$work/batch.key" -pubout -out "$work/batch.pub"
chmod 600 "$work"/*.key
cat >"$work/endpoints.csv" <<END
id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared
erp,S,E,203.0.113.10,,tcp,8080,,,no
END

configure() # FILTER
{
    cat >"$work/probe.conf" <<END
interface = l1
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

head -c 300000 /dev/urandom >"$work/blob"
for address in 203.0.113.10 203.0.113.20; do
    (cd "$work" && exec ip netns exec "${tag}cloud" python3 -m http.server \
        --bind $address 8080 >/dev/null 2>&1) &
    pids+=($!)
done
wait_until in_ns lan curl -sfo /dev/null http://203.0.113.10:8080/blob
wait_until in_ns lan curl -sfo /dev/null http://203.0.113.20:8080/blob

# One run of the probe beside tcpdump; leaves show.json, wanted and status.json.
capture_with() # FILTER
{
    local probe_pid dump_pid
    configure "$1"
    ip netns exec "${tag}gw" "$probe" run -c "$work/probe.conf" \
        2>"$work/probe.log" &
    probe_pid=$!
    pids+=($probe_pid)
    ip netns exec "${tag}gw" tcpdump -Z root --immediate-mode -i l1 -U -s 128 -w "$work/all.pcap" \
        "ip" 2>"$work/dump.log" &
    dump_pid=$!
    pids+=($dump_pid)
    wait_until grep -q 'in force' "$work/probe.log" || return 1
    wait_until grep -q 'listening on' "$work/dump.log" || return 1
    for _ in 1 2 3; do
        in_ns lan curl -sfo /dev/null http://203.0.113.10:8080/blob
        in_ns lan curl -sfo /dev/null http://203.0.113.20:8080/blob
    done
    in_ns lan curl -so /dev/null http://203.0.113.10:8081/ # nothing there
    sleep 0.5
    kill -TERM "$dump_pid" && wait "$dump_pid" 2>/dev/null
    kill -TERM "$probe_pid" && wait "$probe_pid"
    local status=$?
    "$probe" show --key "$work/batch.pub" "$work/state-$1"/spool/*.ipfix \
        >"$work/show.json" || return 1
    return $status
}

# Packets and octets of the registered service: shown, and as tcpdump has them.
compare()
{
    python3 - "$work" <<'END'
import json, struct, sys
work = sys.argv[1]
shown = [0, 0]
for line in open(work + "/show.json"):
    r = json.loads(line)
    if "endpointId" in r:
        assert r["endpointId"] == "erp"
        shown[0] += r["packetDeltaCount"] + r["reversePacketDeltaCount"]
        shown[1] += r["octetDeltaCount"] + r["reverseOctetDeltaCount"]
wanted = [0, 0]
data = open(work + "/all.pcap", "rb").read()
at = 24
while at + 16 <= len(data):
    length = struct.unpack_from("<I", data, at + 8)[0]
    p = data[at + 16 : at + 16 + length]
    at += 16 + length
    ip = p[14:]
    ends = (ip[12:16], ip[16:20])
    erp = bytes([203, 0, 113, 10])
    ports = struct.unpack_from(">HH", ip, (ip[0] & 15) * 4)
    if ip[9] == 6 and (ends[0], ports[0]) == (erp, 8080) or \
       ip[9] == 6 and (ends[1], ports[1]) == (erp, 8080):
        wanted[0] += 1
        wanted[1] += struct.unpack_from(">H", ip, 2)[0]
print("# shown", shown, "tcpdump", wanted, file=sys.stderr)
sys.exit(0 if shown == wanted and wanted[0] > 20 else 1)
END
}

# status.json: all that came was counted, and the kernel refused the rest.
refused() # FILTER
{
    python3 - "$work/state-$1/status.json" "$1" <<'END'
import json, sys
s = json.load(open(sys.argv[1]))
assert s["filter"] == sys.argv[2]
assert s["process"]["filtered"] == 0, s["process"]
assert sum(s["process"]["undecodable"].values()) == 0
assert s["process"]["packets"] == s["kernel"]["matched"]
if s["filter"] == "ebpf":
    assert s["kernel"]["refused"] > 20
END
}

for filter in ebpf cbpf; do
    capture_with $filter
    result $? "$filter: captures, makes a last batch on SIGTERM, ends with 0"
    compare 2>"$work/compare.log"
    result $? "$filter: packets and octets equal tcpdump's"
    cat "$work/compare.log"
    refused $filter
    result $? "$filter: nothing unregistered reached the process"
    grep -q '10\.77\.0\.2' "$work/show.json"
    result $((1 - $?)) "$filter: no inside address in what is shown"
done

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
echo "1..$number"
