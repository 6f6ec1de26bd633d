#!/bin/bash
# The captures of tests/data cut at each of their first bytes and with bits
# turned: nothing of it may end the probe's path, hang it or make its counts
# disagree. `make mutate CORPUS=DIR` does more of it.
set -u
B=${B:-build}
number=0
for capture in tests/data/captures/*.pcap tests/data/hostile/*.pcap; do
    number=$((number + 1))
    if said=$(timeout 120 "$B/san/tests/probe/mutate_tool" \
        "$capture" 2>&1); then
        echo "ok $number - $(basename "$capture"): ${said##*$'\n'}"
    else
        echo "not ok $number - $(basename "$capture")"
        while IFS= read -r line; do echo "# $line"; done <<<"$said"
    fi
done
# A finding is told, and is the exit status: what cannot be read is one.
number=$((number + 1))
"$B/san/tests/probe/mutate_tool" tests/data/missing.pcap 2>/dev/null |
    grep '^FOUND: dies: .* tests/data/missing.pcap$' >/dev/null
if [ "${PIPESTATUS[*]}" = "1 0" ]; then
    echo "ok $number - a finding is told"
else
    echo "not ok $number - a finding is told"
fi
echo "1..$number"
