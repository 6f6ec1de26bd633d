#!/bin/bash
# Receipts that a probe keeps: from a batch that a real collector acknowledged to
# a proof that the applicant checks with public keys; and the loss that they show
# when the collector's tail was cut, with its keys, so that nothing on its
# machine disagrees.
. tests/tap.sh
tap_begin kept-receipts
title="a probe keeps its receipts"
. tests/probe/province.sh
collector_pid=$spawned
home=$demo/gateway
kept=$home/state/receipts
write_probe_conf "$home"
issue
tap "the probe enrols" enrol "$home" --fingerprint "$fingerprint"
id=$(sql portal "SELECT probe_id FROM certificate")
start_collector()
{
    : >"$demo/log/collector.log"
    spawn collector ip netns exec "$space" "$bin/yz-collector" run \
        -c "$demo/collector.conf"
    collector_pid=$spawned
    await 30 collector_is_up
}
stop_collector() { kill -TERM "$collector_pid" &&
    await 20 has_ended "$collector_pid"; }
collector() { local command=$1
    shift
    "$bin/yz-collector" $command -c "$demo/collector.conf" "$@"; }

# --- kept ---

tap "it runs" start_probe || { tap_end; exit; }
tap "five batches are counted" await 30 more_than 4
status_says() { "$probe" status -c "$home/probe.conf" --lang en |
    tee "$demo/status" | grep -q -- "$1" || { cat "$demo/status"; return 1; }; }
tap "status says since when, how much and where" await 20 status_says \
    "kept since 20..-..-.., [0-9]* KiB: $kept\$"
tap "it stops" stop_probe
cat "$kept"/*.ipfix >"$demo/receipts.ipfix"
show() { "$probe" show --key "$home/identity/receipt.pub" "$1" >"$demo/shown"; }
tap "show prints them, their signatures are right" show "$demo/receipts.ipfix"
valid() { grep -c '"receiptSignature":"valid"' "$demo/shown"; }
sent() { find "$home/state/sent" -name '*.ipfix' | wc -l; }
tap "one for each batch that was acknowledged" sh -c "
    [ '$(valid)' = '$(sent)' ] && [ '$(valid)' -ge 5 ]"
tap "for their owner alone" sh -c "
    [ \"\$(stat -c %a%U '$kept')\" = 700nobody ] &&
    [ \"\$(stat -c %a%U '$kept'/*.ipfix | sort -u)\" = 600nobody ]"

# --- a proof, checked by the applicant ---

collector checkpoint >"$demo/log/checkpoint.log" 2>&1
collector "checkpoint key" >"$demo/log.vkey"
batch=$(find "$home/state/sent" -name '*.ipfix' | sort | sed -n 3p)
hash=$(basename "$batch" .ipfix)
hash=${hash#*-}
prove() { collector proof --receipt "$demo/receipts.ipfix" --batch "$hash" \
    >"$demo/batch.proof"; }
verify() # FILE: with public keys and what the probe keeps, and nothing else
{
    local file=$1
    shift
    "$bin/yz-collector" verify --key "$demo/log.vkey" \
        --receipts "$demo/receipts.ipfix" \
        --receipt-key "$home/identity/receipt.pub" "$@" "$file"
}
says() { local word=$1
    shift
    "$@" >"$demo/said" 2>&1
    cat "$demo/said"
    grep -q -- "$word" "$demo/said"; }
tap "the platform proves the receipt's batch" prove
tap "the applicant verifies batch, receipt and proof" says \
    'that of the batch agrees' verify "$demo/batch.proof" --batch "$batch"
other=$(find "$home/state/sent" -name '*.ipfix' | sort | sed -n 4p)
tap "another batch is not that of the proof" says 'not the batch of the proof' \
    verify "$demo/batch.proof" --batch "$other"
changed_receipts()
{
    local sum
    cp "$demo/receipts.ipfix" "$demo/kept.ipfix"
    head -c 100 "$demo/kept.ipfix" | tail -c 4 | od -An -tx1
    printf 'zzzz' | dd of="$demo/receipts.ipfix" bs=1 seek=150 conv=notrunc \
        2>/dev/null
    ! show "$demo/receipts.ipfix"
    sum=$?
    mv "$demo/kept.ipfix" "$demo/receipts.ipfix"
    return $sum
}
tap "a changed receipt is found" changed_receipts
tap "the platform's check agrees with them" collector check --receipt \
    "$kept"/*.ipfix

# --- the tail is cut ---

# The whole machine as it was, with keys and checkpoints; then it goes on.
stop_collector
machine='usage.db* archive'
# shellcheck disable=SC2086
(cd "$demo" && mkdir before && cp -a $machine before/)
known=$(batches)
start_collector
start_probe
tap "ten more batches are acknowledged" await 30 more_than $((known + 10))
tap "the probe stops" stop_probe
stop_collector
cut_tail()
{
    # shellcheck disable=SC2086
    (cd "$demo" && rm -rf $machine && cp -a before/. .)
}
tap "the machine is set back to before them" cut_tail
tap "nothing on it disagrees" collector check
cat "$kept"/*.ipfix >"$demo/receipts.ipfix"
tap "but with the probe's receipts" says \
    "^.*cut: a receipt in .* promises ledger row" collector check --receipt \
    "$kept"/*.ipfix
batch=$(find "$home/state/sent" -name '*.ipfix' | sort | tail -n 1)
hash=$(basename "$batch" .ipfix)
hash=${hash#*-}
tap "a proof of a batch that is gone is not made, and it says why" says \
    'cut: .* promises ledger row .*, which is not there' prove
tap "its copy and its receipt are with the probe" show "$demo/receipts.ipfix"
tap "... by the batch's hash" grep -qi "$hash" "$demo/shown"

# --- other batches take the place of those ---

start_collector
start_probe
tap "the collector goes on, with other batches at their rows" await 30 \
    more_than $((known + 12))
stop_probe
stop_collector
tap "the receipts name the row" says 'rollback: a receipt in .* promises another' \
    collector check --receipt "$kept"/*.ipfix
tap_end
