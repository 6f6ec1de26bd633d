# What the tests share that run the probe on a gateway of their own making. The
# test says first:
#
#   name=live          for its names and its folder
#   gateway=gw         the namespace that the probe runs in, without its tag
#   interface=l1       there
#
# It gets: tag and in_ns for its namespaces, work for its folder, result, and
# the programs it starts (pids are ended at the end). Needs root and namespaces;
# the test is skipped with a reason otherwise.
. tests/tap.sh
B=${B:-build}
tag=yz$name$$-
work=$B/test-$name-$$
probe=$B/san/bin/yz-probe
[ -x "$probe" ] || probe=$B/bin/yz-probe
pids=()

skip_all()
{
    tap_skip "$name" "$1"
    tap_end
    exit 0
}

clean()
{
    local n
    for p in "${pids[@]}"; do
        kill "$p" 2>/dev/null && wait "$p" 2>/dev/null
    done
    for n in $(ip netns list | awk -v tag="$tag" 'index($1, tag) == 1 {print $1}'); do
        ip netns del "$n"
    done
    rm -rf "$work"
}

in_ns() # NAMESPACE COMMAND...
{
    local name=$1
    shift
    ip netns exec "$tag$name" "$@"
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

# Keys that are only read, not used: the collector is not there.
make_keys()
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -days 2 -subj /CN=live -keyout "$work/tls.key" -out "$work/tls.pem" \
        2>/dev/null
    openssl genpkey -algorithm ED25519 -out "$work/batch.key" 2>/dev/null
    openssl pkey -in "$work/batch.key" -pubout -out "$work/batch.pub"
    chmod 600 "$work"/*.key
}

configure() # FILTER [STATE]: state folder state-FILTER unless said
{
    cat >"$work/probe.conf" <<END
interface = $interface
kernel_filter = $1
endpoints = endpoints.csv
probe_id = live-1
state = ${2:-state-$1}
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

# Sets probe_pid; the log is of this run alone.
start_probe() # [PROGRAM]
{
    rm -f "$work/probe.log"
    ip netns exec "$tag$gateway" "${1:-$probe}" run -c "$work/probe.conf" \
        2>"$work/probe.log" &
    probe_pid=$!
    pids+=($probe_pid)
    wait_until grep -qs 'in force' "$work/probe.log"
}

end_probe()
{
    kill -TERM "$probe_pid" && wait "$probe_pid"
}

# Sets dump_pid; what passes the interface, into a file of its folder.
start_dump() # FILE
{
    rm -f "$work/dump.log"
    ip netns exec "$tag$gateway" dumpcap -q -B 64 -i "$interface" -s 200 \
        -w "$work/$1" 2>"$work/dump.log" &
    dump_pid=$! dump_file=$work/$1
    pids+=($dump_pid)
    wait_until grep -qs '^File:' "$work/dump.log"
}

# dump_has TEXT: dumpcap has written this much; what it has read goes into the
# file some time later.
dump_has()
{
    send_mark "$1"
    grep -qaF -- "$1" "$dump_file"
}

# Once the file holds what was sent after all else, by the test's send_mark TEXT:
# one datagram that passes the interface and counts for nothing.
end_dump()
{
    wait_until dump_has "the end $RANDOM $RANDOM"
    kill -TERM "$dump_pid" && wait "$dump_pid" 2>/dev/null
}

[ "$(id -u)" = 0 ] || skip_all "not root"
for program in ip dumpcap tshark curl openssl; do
    command -v $program >/dev/null || skip_all "no $program"
done
ip netns add "$tag$gateway" 2>/dev/null || skip_all "no network namespaces here"
trap clean EXIT
mkdir -p "$work"
work=$(cd "$work" && pwd)
