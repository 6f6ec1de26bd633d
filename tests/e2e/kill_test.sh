#!/bin/bash
# The collector is killed with -9 at random moments while probes send to it.
# Clients are openssl's own, so that no code of ours is on the sending side;
# they do what a probe does: a batch is sent again until its receipt has come,
# and never after. In the end the totals must be those of an undisturbed
# import: nothing acknowledged is lost, nothing is counted twice.
. tests/e2e/tap.sh
. tests/demo/certificates.sh
. tests/demo/network.sh
. tests/demo/programs.sh
. tests/demo/secrets.sh

KILLS=6 PROBES=3 BATCHES=240 CHUNK=12

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
RECEIPT_BYTES=150

# client PROBE: a connection for each dozen of batches until all have receipts.
client()
{
    local round=0 files answer
    while files=$(unacknowledged "$1" | head -n $CHUNK) && [ -n "$files" ]; do
        round=$((round + 1))
        answer=$demo/receipts/$1.$round
        : >"$answer"
        # shellcheck disable=SC2086
        feed $files 2>/dev/null | openssl s_client -quiet -tls1_3 \
            -alpn yz/1 -connect "127.0.0.1:$COLLECTOR_PORT" \
            -CAfile "$demo/keys/programme-ca.pem" -no_ign_eof \
            -cert "$demo/keys/$1.pem" -key "$demo/keys/$1.key" \
            >"$answer" 2>>"$demo/log/client.log"
        [ -s "$answer" ] || sleep 0.1
    done
    echo $round >"$demo/$1.rounds"
}
