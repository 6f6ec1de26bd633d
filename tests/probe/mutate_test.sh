#!/bin/bash
# The captures of tests/data cut at each of their first bytes and with bits
# turned: nothing of it may end the probe's path, hang it or make its counts
# disagree. `make mutate CORPUS=DIR` does more of it.
set -u
B=${B:-build}
number=0
for capture in tests/data/captures/*.pcap; do
    number=$((number + 1))
    if said=$(timeout 120 "$B/san/tests/probe/mutate_tool" --flips 60 \
        "$capture" 2>&1); then
        echo "ok $number - $(basename "$capture"): ${said##*$'\n'}"
    else
        echo "not ok $number - $(basename "$capture")"
        while IFS= read -r line; do echo "# $line"; done <<<"$said"
    fi
done
# What is not even a capture is told from what is, and no path is no success.
number=$((number + 1))
if "$B/san/tests/probe/mutate_tool" tests/data/missing.pcap >/dev/null 2>&1; then
    echo "not ok $number - a capture that is not there is a finding"
else
    echo "ok $number - a capture that is not there is a finding"
fi
echo "1..$number"
