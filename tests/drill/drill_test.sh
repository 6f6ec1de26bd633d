#!/bin/bash
# The durability drill (world.sh has the machines, faults.sh what happens to
# them, invariants.sh what must hold afterwards).
#
# In short, as a test: each kind of fault once, some kills and losses of power.
# `make drill` is the long form: until there were DRILL_KILLS kill -9 of the
# collector and the probe, and DRILL_CUTS losses of power, or DRILL_MINUTES are
# over. DRILL_SEED repeats the decisions of a run, not its moments.
. tests/tap.sh
. tests/drill/world.sh
. tests/drill/faults.sh
. tests/drill/invariants.sh

DRILL_KILLS=${DRILL_KILLS:-0} DRILL_CUTS=${DRILL_CUTS:-200}
DRILL_MINUTES=${DRILL_MINUTES:-40} DRILL_SEED=${DRILL_SEED:-20261125}
LIFE_MS=400   # longest time between two strikes
CUT_SHARE=2   # one of so many takes the power away
HOLD_MS=600   # how long a disk fails

short_form()
{
    births 2 2 # the file is there, and nothing in it
    roll 90
    births $((rolled + 1)) $((rolled + 1))
    storm 8
    second_try
    bad_disks 1 5
    clock_steps collector gen
    storm 8
}

# The real programs: the collector, and yz-probe where it can run.
struck_so_far()
{
    local probe=${probes[-1]}
    killed=$((${kills[collector]} + ${kills[$probe]}))
    cut=0
    for probe in collector "${probes[@]}"; do
        cut=$((cut + ${cuts[$probe]}))
    done
}

is_over()
{
    struck_so_far
    [ $SECONDS -ge $((DRILL_MINUTES * 60)) ] ||
        { [ $killed -ge "$DRILL_KILLS" ] && [ $cut -ge "$DRILL_CUTS" ]; }
}

long_form()
{
    local i
    LIFE_MS=900 CUT_SHARE=4 HOLD_MS=3000
    gen_options[gen]="--pace-ms 50 --records 5"
    for ((i = 0; ; i++)); do
        is_over && return
        storm 20
        case $((i % 6)) in
        0) roll 140 && births $((rolled + 1)) $((rolled + 5)) ;;
        1) second_try && roll 5 && bad_disks $((rolled + 1)) ;;
        3) roll $((${#probes[@]} + 1)) &&
            clock_steps "$(printf '%s\n' collector "${probes[@]}" |
                sed -n $((rolled + 1))p)" ;;
        5) roll 50 && windows $((rolled + 1)) $((rolled + 5)) ;;
        esac
        echo "# $SECONDS s: $killed kills, $cut losses of power"
    done
}

figures()
{
    local name
    for name in collector "${probes[@]}"; do
        echo "# $name: ${kills[$name]} kill -9, ${cuts[$name]} losses of" \
            "power, $(ask "$name" faults) operations failed"
    done
    echo "# when the power went $unsure changes were not synced: $lost were" \
        "lost, $torn torn"
    query "SELECT '# ' || count(*) || ' batches in the ledger, ' ||
        sum(is_late) || ' late, ' || sum(NOT is_counted) || ' not counted, ' ||
        sum(record_count) || ' records' FROM ledger"
    query "SELECT '# events: ' || group_concat(kind || ' ' || n, ', ')
        FROM (SELECT kind, sum(times) AS n FROM event GROUP BY 1)"
}

verdict()
{
    echo "# $(hashes acknowledged | wc -l) batches acknowledged," \
        "$(comm -23 <(hashes acknowledged) <(ledger_hashes) | wc -l) lost," \
        "$(query 'SELECT count(*) - count(DISTINCT batch_hash) FROM ledger')" \
        "double, $gone repairs by hand, $(hashes refused | wc -l) refused," \
        "$given_up ends while a disk failed, $SECONDS s"
}

leave()
{
    drill_end
    rm -f "$demo"/*.journal
    tap_leave
}

tap_begin drill
trap leave EXIT
exec 2>>"$demo/log/shell.log" # it comments on each that was killed
bin=$build/bin
echo "# seed $DRILL_SEED"
tap "the machines stand" drill_begin "$DRILL_SEED"
[ -z "$no_network" ] || echo "# without yz-probe: $no_network"
tap "the first hour's batches outlive a loss of power" first_hour
windows 24 28
if [ "$DRILL_KILLS" = 0 ]; then
    short_form
else
    long_form
fi
tap "after all faults everything drains" drain "${probes[@]}"
figures
tap "72 hours without a collector lose nothing" long_silence
tap "what is delivered three times is counted once" three_times
tap "nobody was needed" nobody_was_needed
tap "nothing acknowledged is lost" nothing_acknowledged_is_lost
tap "the receipts that probes kept are whole and agree" receipts_agree
tap "nothing that was safe in a spool is lost" nothing_promised_is_lost
tap "no batch is in the ledger twice" no_batch_is_there_twice
tap "usage is the sum of the batches, each once" each_is_counted_once
tap "late and too late are judged by the rules" times_are_judged
tap "ledger, chain, archive and Merkle tree agree" all_agrees
tap "usage rebuilt from the archive is the same" rebuild_gives_the_same
verdict
tap "the drill finds usage that was counted twice" double_counting_is_found
tap "the drill finds a disk that only says that it syncs" lies_are_found
tap_end
