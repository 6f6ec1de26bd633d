#!/bin/bash
# Peak memory of `yz-probe read` with many flows open at once: MiB at 10,000
# flows (goal at most 16) and bytes for each flow beyond (goal at most 400).
set -eu
B=${B:-build}
dir=$B/bench-memory
mkdir -p "$dir"
trap 'rm -rf "$dir"' EXIT

# Peak resident KiB with that many flows; fails unless all were held at once.
peak() # FLOWS
{
    cat >"$dir/probe.conf" <<END
interface = none
probe_id = memory
flow_limit = $1
collector = 127.0.0.1:9
collector_name = collector.example
END
    "$B/tools/send_tool" capture "$1" |
        /usr/bin/time -f %M -o "$dir/kib" \
            "$B/bin/yz-probe" read -r - -c "$dir/probe.conf" >"$dir/summary"
    grep -q "\"flows\":$1,\"evicted\":0" "$dir/summary" || {
        echo "memory: not all of $1 flows were held: $(cat "$dir/summary")" >&2
        return 1
    }
    tail -n 1 "$dir/kib"
}

at_10000=$(peak 10000)
at_100000=$(peak 100000)
at_500000=$(peak 500000)
awk -v a="$at_10000" -v b="$at_100000" -v c="$at_500000" 'BEGIN {
    printf "peak memory: %.1f MiB at 10,000 flows (goal <= 16), %.1f at " \
           "100,000, %.1f at 500,000\n", a / 1024, b / 1024, c / 1024
    printf "bytes for each flow beyond: %.0f from 10,000 to 100,000, %.0f " \
           "from 100,000 to 500,000 (goal <= 400)\n",
           (b - a) * 1024 / 90000, (c - b) * 1024 / 400000
}'
