#!/bin/bash
# The durability drill (tests/drill/world.sh), in short: each kind of fault once,
# some kills and losses of power. DRILL_SEED repeats the decisions of a run.
# The long form is `make drill`.
. tests/e2e/tap.sh
. tests/drill/world.sh
. tests/drill/faults.sh
. tests/drill/invariants.sh

ROUNDS=${ROUNDS:-12} CUT_SHARE=${CUT_SHARE:-3} LIFE_MS=${LIFE_MS:-500}
DRILL_SEED=${DRILL_SEED:-20261125}

faults_happen()
{
    storm "$ROUNDS"
    bad_disks 1 5
    clock_steps collector gen
    storm "$ROUNDS"
    windows 10 15
}

figures()
{
    local name
    for name in collector "${probes[@]}"; do
        echo "# $name: ${kills[$name]} kill -9, ${cuts[$name]} losses of power," \
            "$(ask "$name" faults) operations failed"
    done
    echo "# of $unsure changes unsure when the power went $lost were lost," \
        "$torn torn"
    echo "# $(hashes acknowledged | wc -l) batches acknowledged," \
        "$(hashes promised | wc -l) were in a spool," \
        "$(refused_hashes | wc -l) refused"
}

leave() { drill_end; tap_leave; }

tap_begin drill
trap leave EXIT
exec 2>>"$demo/log/shell.log" # it comments on each that was killed
echo "# seed $DRILL_SEED"
tap "the machines stand" drill_begin "$DRILL_SEED"
faults_happen
tap "after all faults everything drains" drain "${probes[@]}"
figures
tap "72 hours without a collector lose nothing" long_silence
tap "what is delivered three times is counted once" three_times
tap "nobody was needed" nobody_was_needed
tap "nothing acknowledged is lost" nothing_acknowledged_is_lost
tap "nothing that was safe in a spool is lost" nothing_promised_is_lost
tap "no batch is in the ledger twice" no_batch_is_there_twice
tap "usage is the sum of the batches, each once" each_is_counted_once
tap "late and too late are judged by the rules" times_are_judged
tap "ledger, chain, archive and Merkle tree agree" all_agrees
tap "usage rebuilt from the archive is the same" rebuild_gives_the_same
tap "the drill finds usage that was counted twice" double_counting_is_found
tap "the drill finds a disk that only says that it syncs" lies_are_found
tap_end
