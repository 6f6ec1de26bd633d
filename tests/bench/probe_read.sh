#!/bin/bash
# The probe offline beside its peers, in one run: wall time of whole processes,
# median of RUNS, interleaved so that noise meets all alike, with a batch written
# (-w) and without. Goals: at most 1.6 times the time of a bare pcap_loop() over
# the file, at least 2.5 times faster than softflowd with the same filter, 3 times
# with everything registered.
set -eu
B=${B:-build}
runs=${RUNS:-5}
dir=$B/bench
mkdir -p "$dir"
capture=$dir/traffic.pcap endpoints=$dir/endpoints.csv
"$B/tools/traffic_tool" "$capture" "$endpoints" "${FLOWS:-200000}" "${PACKETS:-7}" 30 500

# A capture filter for 500 /24s, which is what softflowd takes: as its one range.
filter='net 198.18.0.0/15'
probe=$B/bin/yz-probe

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
has_softflowd=$(command -v softflowd || true)
for _ in $(seq "$runs"); do
    measure walk "$B/tools/walk_tool" "$capture"
    measure probe "$probe" read -r "$capture" -e "$endpoints"
    measure probe-w "$probe" read -r "$capture" -e "$endpoints" -w "$dir/out.ipfix"
    measure probe-all "$probe" read -r "$capture"
    measure probe-all-w "$probe" read -r "$capture" -w "$dir/all.ipfix"
    if [ -n "$has_softflowd" ]; then
        measure softflowd softflowd -r "$capture" -n 127.0.0.1:9 -v 10 "$filter"
        measure softflowd-all softflowd -r "$capture" -n 127.0.0.1:9 -v 10
    fi
done
of() { awk -v n="$1" '$1 == n {print $2}' "$dir/times" | median; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (b > 0) printf "%.2f", a / b; else printf "?"}'; }
line() { printf '%-52s %s   %s\n' "$1" "$2" "$3"; }
names='walk probe probe-w probe-all probe-all-w'
[ -z "$has_softflowd" ] || names="$names softflowd softflowd-all"
for name in $names; do
    line "$name, median of $runs" "$(($(of "$name") / 1000)) ms" ''
done
for w in '' -w; do
    line "probe $w / bare pcap_loop, 30 % registered:" "$(ratio "$(of "probe$w")" "$(of walk)")" 'goal <= 1.6'
    [ -n "$has_softflowd" ] || continue
    line "softflowd / probe $w, 30 % registered:" "$(ratio "$(of softflowd)" "$(of "probe$w")")" 'goal >= 2.5'
    line "softflowd / probe $w, everything registered:" "$(ratio "$(of softflowd-all)" "$(of "probe-all$w")")" 'goal >= 3'
done
