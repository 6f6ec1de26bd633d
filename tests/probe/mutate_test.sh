#!/bin/bash
# The captures of tests/data cut at each of their first bytes and with bits
# turned: nothing of it may end the probe's path, hang it or make its counts
# disagree. `make mutate CORPUS=DIR` does more of it.
. tests/tap.sh
B=${B:-build}
for capture in tests/data/captures/*.pcap tests/data/hostile/*.pcap; do
    if said=$(timeout 120 "$B/san/tests/probe/mutate_tool" \
        "$capture" 2>&1); then
        result 0 "$(basename "$capture"): ${said##*$'\n'}"
    else
        result 1 "$(basename "$capture")"
        while IFS= read -r line; do echo "# $line"; done <<<"$said"
    fi
done
# A finding is told, and is the exit status: what cannot be read is one.
"$B/san/tests/probe/mutate_tool" tests/data/missing.pcap 2>/dev/null |
    grep '^FOUND: dies: .* tests/data/missing.pcap$' >/dev/null
if [ "${PIPESTATUS[*]}" = "1 0" ]; then
    result 0 "a finding is told"
else
    result 1 "a finding is told"
fi
tap_end
