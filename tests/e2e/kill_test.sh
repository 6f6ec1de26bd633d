#!/bin/bash
# The collector is killed with -9 at random moments while probes send to it.
# Clients are openssl's own, so that no code of ours is on the sending side;
# they do what a probe does: a batch is sent again until its receipt has come,
# and never after. In the end the totals must be those of an undisturbed
# import: nothing acknowledged is lost, nothing is counted twice.
. tests/tap.sh
. tests/demo/certificates.sh
. tests/demo/network.sh
. tests/demo/programs.sh
. tests/demo/secrets.sh

KILLS=6 PROBES=3 BATCHES=160 CHUNK=8
RECEIPT_BYTES=231 # of the encoded form, common/wire/receipt.h

start_collector()
{
    spawn collector "$bin/yz-collector" run -c "$demo/collector.conf"
    collector_pid=$spawned
    await 10 answers
}

answers()
{
    is_running "$collector_pid" &&
        [ -n "$(ss -Hltn "sport = :$COLLECTOR_PORT")" ]
}

# unacknowledged PROBE: files whose batch hash is in no receipt that came.
unacknowledged()
{
    local file hash got
    got=$(cat "$demo/receipts/$1".* 2>/dev/null | hex_of)
    while read -r hash file; do
        [[ $got == *"$hash"* ]] || echo "$file"
    done <"$demo/$1.hashes"
}

# feed FILE...: their bytes, then stays until the connection has nothing more
# to give (a receipt for each) or a second is over.
feed()
{
    local i
    cat "$@"
    for i in $(seq 20); do
        sleep 0.05
        [ "$(stat -c %s "$answer")" -lt $(($# * RECEIPT_BYTES)) ] || break
    done
}

# client PROBE: a connection for each dozen of batches until all have receipts.
client()
{
    local round=0 files answer
    while files=$(unacknowledged "$1" | head -n $CHUNK) && [ -n "$files" ]; do
        round=$((round + 1))
        answer=$demo/receipts/$1.$round
        : >"$answer"
        # shellcheck disable=SC2086
        feed $files 2>/dev/null | openssl s_client -quiet -nocommands -tls1_3 \
            -alpn yz/1 -connect "127.0.0.1:$COLLECTOR_PORT" \
            -CAfile "$demo/keys/programme-ca.pem" -no_ign_eof \
            -cert "$demo/keys/$1.pem" -key "$demo/keys/$1.key" \
            >"$answer" 2>>"$demo/log/client.log"
        [ -s "$answer" ] || sleep 0.1
    done
    echo $round >"$demo/$1.rounds"
}

# prepare_batches: some sample probes' first batches, in files with one each,
# with their hashes, as yz-probe show prints them.
prepare_batches()
{
    local probe
    "$build/tools/history_tool" "$demo/history" --days 14 &&
        "$bin/yz-portal" load -c "$demo/portal.conf" rules/guangdong-2018 &&
        "$bin/yz-portal" load -c "$demo/portal.conf" --sample \
            "$demo/history/registry" || return 1
    mkdir "$demo/batches" "$demo/receipts"
    for probe in $(ls "$demo/history/batches" | head -n $PROBES); do
        issue_certificate "$demo/keys" programme-ca "$probe" "$probe" \
            clientAuth || return 1
        find "$demo/history/batches/$probe" -name '*.ipfix' | sort |
            head -n $BATCHES >"$demo/$probe.files"
        [ "$(wc -l <"$demo/$probe.files")" = $BATCHES ] &&
            list_hashes "$probe" >"$demo/$probe.hashes" &&
            [ "$(grep -c '^[0-9a-f]\{64\} .' "$demo/$probe.hashes")" = \
                $BATCHES ] || return 1
    done
}

# list_hashes PROBE: "HASH FILE" lines; one batch a file, in the same order.
list_hashes()
{
    xargs "$bin/yz-probe" show <"$demo/$1.files" |
        grep -o '"batchHash":"[0-9a-f]\{64\}"' | cut -d'"' -f4 |
        paste -d' ' - "$demo/$1.files"
}

totals()
{
    sqlite3 -readonly "$1" 'SELECT enterprise_id, endpoint_id, bucket, flows,
        octets, packets, roctets, rpackets, minutes, hosts, names_confirmed
        FROM usage JOIN endpoint_key ON key = endpoint ORDER BY 1, 2, 3;
        SELECT probe_id, sequence, hex(batch_hash), record_count FROM ledger
        ORDER BY 1, 2; SELECT sum(record_count) FROM flow_block'
}

import_undisturbed()
{
    sed -e "s|/usage.db|/usage-import.db|" -e "s|/archive|/archive-import|" \
        "$demo/collector.conf" >"$demo/import.conf"
    mkdir "$demo/archive-import"
    cat "$demo"/*.files | xargs "$bin/yz-collector" import \
        -c "$demo/import.conf" && totals "$demo/usage-import.db" \
        >"$demo/totals.import"
}

# kill_while_sending: the clients work until all is acknowledged; meanwhile the
# collector dies again and again.
kill_while_sending()
{
    local probe i clients=()
    start_collector || return 1
    for probe in $(basename -s .hashes "$demo"/*.hashes); do
        client "$probe" &
        clients+=($!)
    done
    for ((i = 0; i < KILLS; i++)); do
        sleep "0.$((2 + RANDOM % 7))"
        kill -KILL "$collector_pid"
        await 5 has_ended "$collector_pid"
        start_collector || return 1
    done
    echo "acknowledged when the kills were over:" \
        "$(cat "$demo"/receipts/* | wc -c) octets of receipts"
    for i in "${clients[@]}"; do
        await 60 has_ended "$i" || { kill "$i"; return 1; }
    done
}

nothing_waits()
{
    local probe
    for probe in $(basename -s .hashes "$demo"/*.hashes); do
        [ -z "$(unacknowledged "$probe")" ] || return 1
    done
}

totals_equal()
{
    totals "$demo/usage.db" >"$demo/totals.killed" &&
        [ -s "$demo/totals.import" ] &&
        diff "$demo/totals.import" "$demo/totals.killed"
}

tap_begin kill
COLLECTOR_PORT=$(free_port)
make_demo_certificates "$demo/keys" "$PROBE_ID"
write_confs 127.0.0.1
tap "signed batches of $PROBES probes are ready" prepare_batches
tap "the same batches, imported undisturbed" import_undisturbed
tap "$KILLS kill -9 while probes send; the collector comes back each time" \
    kill_while_sending
tap "every batch has its receipt" nothing_waits
tap "totals, ledger and flows equal the undisturbed import" totals_equal
tap "ledger, chain, archive and Merkle tree agree" \
    "$bin/yz-collector" check -c "$demo/collector.conf"
tap_end
