#!/bin/bash
# The probe offline beside its peers, in one run: wall time of whole processes,
# median of RUNS, interleaved so that noise meets all alike. Goals: at most 1.6
# times the time tcpdump needs to walk the file (libpcap alone), at least 2.5
# times faster than softflowd with the same filter, 3 times with everything
# registered.
set -eu
B=${B:-build}
runs=${RUNS:-5}
dir=$B/bench
mkdir -p "$dir"
capture=$dir/traffic.pcap endpoints=$dir/endpoints.csv
"$B/tools/traffic_tool" "$capture" "$endpoints" "${FLOWS:-100000}" 15 30 500

# A capture filter for 500 /24s, which is what softflowd takes: as its one range.
filter='net 198.18.0.0/15'

now() { date +%s%N; }
median() { sort -n | awk '{a[NR]=$1} END {print a[int((NR+1)/2)]}'; }
: >"$dir/times"
measure() { # NAME COMMAND...
    local name=$1 start
    shift
    start=$(now)
    "$@" >/dev/null 2>&1 || true
    echo "$name $((($(now) - start) / 1000))" >>"$dir/times"
}
for _ in $(seq "$runs"); do
    measure walk tcpdump -r "$capture" -w /dev/null
    measure probe "$B/bin/yz-probe" read -r "$capture" -e "$endpoints" -w "$dir/out.ipfix"
    measure probe-all "$B/bin/yz-probe" read -r "$capture" -w "$dir/all.ipfix"
    if command -v softflowd >/dev/null; then
        measure softflowd softflowd -r "$capture" -n 127.0.0.1:9 -v 10 "$filter"
        measure softflowd-all softflowd -r "$capture" -n 127.0.0.1:9 -v 10
    fi
done
of() { awk -v n="$1" '$1 == n {print $2}' "$dir/times" | median; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (b > 0) printf "%.2f", a / b; else printf "?"}'; }
echo "medians of $runs, ms: walk $(($(of walk) / 1000)), probe $(($(of probe) / 1000)), probe with everything $(($(of probe-all) / 1000))"
echo "probe / walk of the file (tcpdump -w /dev/null):   $(ratio "$(of probe)" "$(of walk)")   goal <= 1.6"
if command -v softflowd >/dev/null; then
    echo "softflowd / probe, 30 % registered:                $(ratio "$(of softflowd)" "$(of probe)")   goal >= 2.5"
    echo "softflowd / probe, everything registered:          $(ratio "$(of softflowd-all)" "$(of probe-all)")   goal >= 3"
fi
