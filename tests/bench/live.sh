#!/bin/bash
# The probe on a live veth beside `tcpdump -w /dev/null` with the same
# selection, ring (16 MiB) and snap length (4096): the highest rate at which
# each loses no packet (its own word: "dropped by kernel", kernel.dropped),
# found by halving, interleaved, medians of ROUNDS. Goal: probe at least 0.9 of
# tcpdump. Then the user time of the probe while only unregistered traffic
# passes. The traffic: 4,000 TLS sessions opened and closed again and again,
# PERCENT of the packets registered, 720 octets on average.
#
# Two ways of sharing two cores:
#   two cores  sender on core 0, receiver on core 1
#   one core   both on core 1, the sender before everything else (SCHED_FIFO),
#              as a gateway's forwarding is: here a receiver that needs more
#              time loses packets at a lower rate
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/bench/live_common
rounds=${ROUNDS:-3} seconds=${SECONDS_EACH:-3} percent=${PERCENT:-30}
steps=${STEPS:-7}
selection='net 198.18.0.0/16'
lowest=200000
all_out=10000000 # packets a second, more than can be sent

# How the sender is run, and on which core.
placement=
interface_drops()
{
    ip netns exec "${tag}b" cat /sys/class/net/v1/statistics/rx_dropped
}

# Sets reached, the sender's rate, and strayed, the frames that never came so
# far as a filter: the kernel had no time to take them in.
flood() # RATE SECONDS PERCENT
{
    local before
    before=$(interface_drops)
    if [ "$placement" = one ]; then
        taskset -c 1 chrt -f 1 ip netns exec "${tag}a" \
            "$sender" flood v0 "$1" "$2" "$3"
    else
        taskset -c 0 ip netns exec "${tag}a" "$sender" flood v0 "$1" "$2" "$3"
    fi >"$work/sent" || exit 1
    reached=$(sed -n 's/.*: \([0-9]*\) packets.s$/\1/p' "$work/sent")
    strayed=$(($(interface_drops) - before))
}

# Each sets lost and got.
try_tcpdump() # RATE
{
    taskset -c 1 ip netns exec "${tag}b" tcpdump -i v1 -n -s 4096 -B 16384 \
        -w /dev/null "$selection" 2>"$work/tcpdump.log" &
    local pid=$!
    sleep 0.5
    flood "$1" "$seconds" "$percent"
    sleep 0.3
    kill -INT $pid
    wait $pid
    lost=$(sed -n 's/ packets dropped by kernel//p' "$work/tcpdump.log")
    got=$(sed -n 's/ packets captured//p' "$work/tcpdump.log")
}

try_probe() # RATE
{
    rm -rf "$work/state"
    start_probe 1
    flood "$1" "$seconds" "$percent"
    stop_probe || exit 1
    lost=$(status_of kernel dropped)
    got=$(status_of process packets)
}

# A trial in which frames strayed says nothing about the receiver, and what the
# interface dropped is in the probe's count as well: three trials at most.
try_valid() # tcpdump|probe RATE
{
    for _ in 1 2 3; do
        "try_$1" "$2"
        echo "  $1: asked $2/s, sent $reached/s, got $got, lost $lost," \
            "strayed $strayed" >>"$work/trials"
        [ "$strayed" = 0 ] && return
    done
}

# Halves the interval between a rate that was carried and one that was not, by
# ratio; a rate that the sender does not reach by 3 % counts as not carried.
find_rate() # tcpdump|probe
{
    local low=$lowest high=$top rate
    for _ in $(seq "$steps"); do
        rate=$(awk -v a="$low" -v b="$high" 'BEGIN {printf "%d", sqrt(a * b)}')
        try_valid "$1" "$rate"
        if [ "$lost" = 0 ] && [ $((reached * 100)) -ge $((rate * 97)) ]; then
            low=$rate
        else
            high=$rate
        fi
    done
    echo "$1 $low" >>"$work/rates"
}

median_of() # NAME
{
    awk -v n="$1" '$1 == n {print $2}' "$work/rates" | sort -n |
        awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'
}

two_cores()
{
    placement=two
    try_tcpdump $all_out
    echo "two cores, as fast as the sender can: tcpdump lost $lost packets at" \
        "$reached/s"
    try_probe $all_out
    echo "two cores, as fast as the sender can: the probe lost $lost packets" \
        "at $reached/s"
}

one_core()
{
    placement=one
    flood $all_out 2 "$percent" # nobody receives: what the sender can at most
    top=$reached
    : >"$work/rates"
    : >"$work/trials"
    for _ in $(seq "$rounds"); do
        find_rate tcpdump
        find_rate probe
    done
    [ -n "${VERBOSE:-}" ] && cat "$work/trials"
    echo "one core, the sender alone: $top packets/s; without a loss: tcpdump" \
        "$(awk '$1 == "tcpdump" {printf "%s ", $2}' "$work/rates")probe" \
        "$(awk '$1 == "probe" {printf "%s ", $2}' "$work/rates")packets/s"
    awk -v p="$(median_of probe)" -v t="$(median_of tcpdump)" 'BEGIN {
        printf "one core, medians: tcpdump %d, probe %d packets/s; probe / " \
               "tcpdump %.2f   goal >= 0.9\n", t, p, p / t }'
}

unregistered()
{
    local before after
    placement=two
    rm -rf "$work/state"
    start_probe 1
    sleep 1
    before=$(user_ms "$probe_pid")
    flood $all_out 20 0
    after=$(user_ms "$probe_pid")
    stop_probe || exit 1
    echo "only unregistered traffic, $reached packets/s for 20 s: $((after -
        before)) ms of user time, $(status_of process packets) packets reached" \
        "the process   goal 0"
}

open_live
configure 'batch_period_s = 300' 'flow_limit = 65536'
echo "$percent % registered, tcpdump -B 16384 -s 4096 '$selection', probe" \
    "buffer_mb 16 snap_length 4096, $seconds s each"
two_cores
one_core
unregistered
