#!/bin/bash
# soak.sh [MINUTES]: `yz-probe run` under endless new flows (2,000 a second,
# FLOWS_PER_SECOND), with no collector to take its batches. Every 10 seconds
# resident memory and descriptors of all its processes are noted. After
# warming up (a fifth of the time, at least a minute) memory must stay flat:
# a slope over the second half of more than 16 KiB a minute, or more
# descriptors at the end than then, is a failure. SAMPLES=FILE keeps the notes.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/bench/live_common
minutes=${1:-30} rate=${FLOWS_PER_SECOND:-2000}
seconds=$((minutes * 60))
warm_up=$((seconds / 5 > 60 ? seconds / 5 : 60))
limit=16

sample() # SECOND
{
    echo "$1 $(resident_kib "$probe_pid") $(descriptors "$probe_pid")" \
        "$(status_of flows begun) $(status_of flows active)" \
        "$(status_of flows evicted) $(status_of kernel dropped)" \
        "$(status_of batches waiting_octets) $(status_of batches lost)" \
        >>"$work/samples"
}

watch_probe()
{
    local start=$SECONDS
    while [ $((SECONDS - start)) -lt "$seconds" ]; do
        sleep 10
        kill -0 "$probe_pid" 2>/dev/null || return 1
        sample $((SECONDS - start))
    done
}

# Least squares over the second half; the sums are of small numbers.
judge()
{
    awk -v warm="$warm_up" -v half=$((seconds / 2)) -v limit="$limit" '
    $1 >= warm && !first { first = $2; first_fd = $3 }
    $1 >= warm && $2 > max { max = $2 }
    { last = $2; last_fd = $3; line = $0 }
    $1 >= half {
        x = ($1 - half) / 60; y = $2 - first
        n++; sx += x; sy += y; sxx += x * x; sxy += x * y
    }
    END {
        slope = n > 1 ? (n * sxy - sx * sy) / (n * sxx - sx * sx) : 0
        split(line, v, " ")
        printf "resident KiB: %d after warming up, %d at the end, %d at most\n",
               first, last, max
        printf "slope over the second half: %.1f KiB/min   goal <= %d\n",
               slope, limit
        printf "descriptors: %d after warming up, %d at the end\n",
               first_fd, last_fd
        printf "flows begun %s, active %s, evicted %s; packets dropped %s; " \
               "spool %s octets, %s batches lost\n", v[4], v[5], v[6], v[7],
               v[8], v[9]
        exit !(n > 1 && slope <= limit && last_fd <= first_fd)
    }' "$work/samples"
}

open_live
configure 'batch_period_s = 10' 'spool_mb = 16' 'sent_mb = 16'
start_probe 1
taskset -c 0 ip netns exec "${tag}a" "$sender" endless v0 "$rate" \
    $((seconds + 60)) tests/data/quic/rfc*.bin >"$work/sent" &
sender_pid=$!
watch_probe
alive=$?
[ -n "${SAMPLES:-}" ] && cp "$work/samples" "$SAMPLES"
echo "soak: $minutes minutes, $rate new flows a second"
if [ $alive -ne 0 ]; then
    echo "the probe ended by itself"
    tail -n 20 "$work/probe.log"
    exit 1
fi
judge
verdict=$?
stop_probe || verdict=1
exit $verdict
