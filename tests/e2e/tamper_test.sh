#!/bin/bash
# The tampering drill: twelve ways to falsify evidence, each done for real to a
# real collector with signed batches that came through TLS, and each must be
# detected AND named with its class. The table at the end says what was done
# and what named it.
#
# Who does it: somebody with a probe, with the network, with the collector's
# database (then all hashes are computed again, but no key is there), or with
# the whole machine and its keys (then only what others kept tells).
. tests/tap.sh
. tests/demo/certificates.sh
. tests/demo/network.sh
. tests/demo/programs.sh
. tests/demo/replay.sh
. tests/demo/secrets.sh
tool=$build/tools/tamper_tool
RECEIPT_BYTES=220 # of the encoded form for a name of 3 letters, common/wire/receipt.h
ORIGIN=drill.example/log
table=

# --- the world: a registry, two probes, a collector, a witness ---

sql() { sqlite3 "$demo/t/usage.db" "PRAGMA foreign_keys = OFF; $1"; }
usage() { sqlite3 -readonly "$demo/$1/usage.db" "$2"; }

# collector_conf FOLDER: a collector whose evidence lies there.
collector_conf()
{
    sed -e "s|^usage_db.*|usage_db = $demo/$1/usage.db|" \
        -e "s|^archive.*|archive = $demo/$1/archive|" "$demo/collector.conf"
    echo "log_origin = $ORIGIN"
    echo "witnesses = $demo/witnesses"
    echo "witness_quorum = 1"
}

make_registry()
{
    local probe
    cp "$demo/keys/batch.pub" "$demo/keys/$PROBE_ID.sign.pub.pem" &&
        "$build/tools/history_tool" "$demo/history" --days 3 \
            --live-keys "$demo/keys" --live-probe "$PROBE_ID" &&
        portal load rules/guangdong-2018 &&
        portal load --sample "$demo/history/registry" &&
        portal load "$demo/history/registry-live" &&
        portal endpoints >"$demo/endpoints.csv" || return 1
    for probe in P-1 P-2; do
        make_signing_key "$demo/keys" "$probe-sign" &&
            issue_certificate "$demo/keys" programme-ca "$probe" "$probe" \
                clientAuth || return 1
        sqlite3 "$demo/portal.db" "INSERT INTO probe (id, enterprise_id,
            site_id, algorithm, signing_key, agreed_at, is_sample)
            SELECT '$probe', enterprise_id, site_id, 'ed25519',
            x'$(public_key_hex "$demo/keys/$probe-sign.pub")', 0, 0
            FROM probe ORDER BY id LIMIT 1
            OFFSET $(($(tr -dc 0-9 <<<"$probe") - 1))" || return 1
    done
    make_signing_key "$demo/keys" w1 && mkdir "$demo/witnesses" &&
        cp "$demo/keys/w1.pub" "$demo/witnesses"
}

# batches PROBE FIRST COUNT PREVIOUS FOLDER [SALT] [AGE_S] [BOOT]: signed ones;
# their hashes go to FOLDER.hashes.
batches()
{
    mkdir -p "$demo/$5" && chmod 600 "$demo/keys/$1-sign.key" &&
        "$tool" batches "$demo/keys/$1-sign.key" "$1" "${8:-boot-$1}" "$2" \
            "$3" $(($(date +%s) - ${7:-10})) "$4" "${6:-0}" "$demo/$5" \
            >"$demo/$5.hashes"
}
last_hash() { tail -n 1 "$demo/$1.hashes" | cut -d' ' -f1; }

start_collector()
{
    collector_conf "$1" >"$demo/$1.conf"
    spawn collector "$bin/yz-collector" run -c "$demo/$1.conf"
    collector_pid=$spawned
    await 10 answers
}
answers()
{
    is_running "$collector_pid" &&
        [ -n "$(ss -Hltn "sport = :$COLLECTOR_PORT")" ]
}
stop_collector()
{
    kill -TERM "$collector_pid" && await 15 has_ended "$collector_pid"
}

# send CERTIFICATE ANSWER FILE...: over TLS with receipts, which go to ANSWER.
send()
{
    local certificate=$1 answer=$2 i
    shift 2
    : >"$answer"
    {
        cat "$@"
        for i in $(seq 200); do
            sleep 0.05
            [ "$(stat -c %s "$answer")" -lt $(($# * RECEIPT_BYTES)) ] || break
        done
    } | openssl s_client -quiet -nocommands -tls1_3 -alpn yz/1 \
        -connect "127.0.0.1:$COLLECTOR_PORT" \
        -CAfile "$demo/keys/programme-ca.pem" -no_ign_eof \
        -cert "$demo/keys/$certificate.pem" \
        -key "$demo/keys/$certificate.key" >"$answer" 2>>"$demo/log/client.log"
    [ "$(stat -c %s "$answer")" -ge $(($# * RECEIPT_BYTES)) ]
}

co() { local folder=$1; shift; "$bin/yz-collector" "$@" -c "$demo/$folder.conf"; }
import() { "$bin/yz-collector" import -c "$demo/$1.conf" "${@:2}"; }

# witness STATE CHECKPOINT [PROOF]: cosigns with w1's key.
witness()
{
    local state=$1
    shift
    "$bin/yz-collector" witness --key "$demo/keys/w1.key" --state "$demo/$state" \
        --log "$demo/log.vkey" "$@"
}

# The honest history: twelve batches, a cosigned checkpoint, three more, and
# the one signed at the stop.
honest_history()
{
    mkdir -p "$demo/good" "$demo/receipts" "$demo/outside" &&
        batches P-1 1 6 - in1 && batches P-2 1 6 - in2 &&
        batches P-1 7 3 "$(last_hash in1)" in3 && start_collector good &&
        send P-1 "$demo/receipts/P-1.1" "$demo"/in1/*.ipfix &&
        send P-2 "$demo/receipts/P-2.1" "$demo"/in2/*.ipfix &&
        co good checkpoint && co good checkpoint show >"$demo/outside/12" &&
        co good checkpoint key >"$demo/log.vkey" &&
        witness w1.state "$demo/outside/12" >"$demo/outside/12.cosigned" &&
        co good cosign "$demo/outside/12.cosigned" &&
        send P-1 "$demo/receipts/P-1.2" "$demo"/in3/*.ipfix &&
        stop_collector && co good checkpoint show >"$demo/outside/15" &&
        [ "$(usage good 'SELECT count(*), sum(is_counted) FROM ledger')" = \
            "15|15" ]
}

# --- proofs, as an outsider checks them ---

verify() { "$bin/yz-collector" verify --key "$demo/log.vkey" "$@"; }

proofs_hold()
{
    local first
    first=$(head -n 1 "$demo/in1.hashes" | cut -d' ' -f1)
    co good proof --batch "$first" --size 12 >"$demo/batch.tlog-proof" &&
        verify --witness "$demo/keys/w1.pub" --batch "$demo/in1/000001.ipfix" \
            "$demo/batch.tlog-proof" &&
        co good proof --receipt "$demo/receipts/P-1.1" >"$demo/receipt.proof" &&
        verify --batch "$demo/in1/000001.ipfix" "$demo/receipt.proof" &&
        co good proof --from 12 >"$demo/12-15.proof" &&
        verify --old "$demo/outside/12" "$demo/12-15.proof" &&
        witness w1.state "$demo/outside/15" "$demo/12-15.proof" \
            >"$demo/outside/15.cosigned" &&
        co good cosign "$demo/outside/15.cosigned" &&
        co good checkpoint list | grep -c ' w1$' | grep -qx 2
}

# false_proofs: another batch, a changed leaf, another key: each is refused.
false_proofs()
{
    openssl genpkey -algorithm ED25519 2>/dev/null |
        openssl pkey -pubout >"$demo/other.pub"
    sed 's/^extra e/extra f/' "$demo/batch.tlog-proof" >"$demo/false.proof"
    ! cmp -s "$demo/false.proof" "$demo/batch.tlog-proof" &&
        ! verify "$demo/false.proof" &&
        ! verify --batch "$demo/in1/000002.ipfix" "$demo/batch.tlog-proof" &&
        ! "$bin/yz-collector" verify --key "$demo/other.pub" \
            "$demo/batch.tlog-proof" &&
        ! verify --witness "$demo/other.pub" "$demo/batch.tlog-proof"
}

# openssl_verifies: the checkpoint's signature, with nothing of ours.
openssl_verifies()
{
    local time
    sed '/^$/,$d' "$demo/outside/15.cosigned" >"$demo/note.text"
    sed -n '/^— drill/s/.* //p' "$demo/outside/15.cosigned" | base64 -d \
        >"$demo/note.line"
    tail -c 64 "$demo/note.line" >"$demo/note.signature"
    openssl pkeyutl -verify -rawin -pubin -inkey "$demo/keys/receipt.pub" \
        -in "$demo/note.text" -sigfile "$demo/note.signature" || return 1
    sed -n '/^— w1/s/.* //p' "$demo/outside/15.cosigned" | base64 -d \
        >"$demo/note.line"
    tail -c 64 "$demo/note.line" >"$demo/note.signature"
    time=$((16#$(tail -c +5 "$demo/note.line" | head -c 8 | hex_of)))
    { printf 'cosignature/v1\ntime %d\n' $time; cat "$demo/note.text"; } \
        >"$demo/note.cosigned"
    openssl pkeyutl -verify -rawin -pubin -inkey "$demo/keys/w1.pub" \
        -in "$demo/note.cosigned" -sigfile "$demo/note.signature"
}

# sm2_signs: a log with an SM2 key; other tools skip its line, ours verify it.
sm2_signs()
{
    restore
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 \
        -out "$demo/keys/sm2.key" 2>/dev/null && chmod 600 "$demo/keys/sm2.key"
    sed -e 's|^log_origin.*|log_origin = sm2.example/log|' \
        -e "\$ a log_key = $demo/keys/sm2.key" "$demo/t.conf" >"$demo/sm2.conf"
    co sm2 checkpoint && co sm2 checkpoint show >"$demo/outside/sm2" &&
        co sm2 checkpoint key >"$demo/sm2.vkey" &&
        "$bin/yz-collector" verify --key "$demo/sm2.vkey" "$demo/outside/sm2" &&
        ! "$bin/yz-collector" verify --key "$demo/log.vkey" \
            "$demo/outside/sm2" && co sm2 check --checkpoint "$demo/outside/sm2"
}

# --- the drill ---

# named CLASS WHAT PATTERN COMMAND...: the command does the tampering and shows
# what noticed it; a line of its output must begin with the class's PATTERN.
named()
{
    local class=$1 what=$2 pattern=$3 line
    shift 3
    "$@" >"$demo/log/named" 2>&1
    line=$(sed 's/^yz-collector: //' "$demo/log/named" | grep -m 1 -E "$pattern")
    if [ -z "$line" ]; then
        line="NOT NAMED: $(tail -n 1 "$demo/log/named")"
        tap "$class: $what" tail_fails "$demo/log/named"
    else
        tap "$class: $what" true
    fi
    table+=$(printf '# %-12s | %-52s | %s' "$class" "$what" "${line:0:110}")
    table+=$'\n'
}
tail_fails() { tail -n 5 "$1"; return 1; }

# A fresh copy of the honest evidence in t/.
restore()
{
    rm -rf "$demo/t"
    cp -a "$demo/good" "$demo/t"
    collector_conf t >"$demo/t.conf"
}

# checked SQL [CHECK ARGUMENTS]: tampers and asks check.
checked()
{
    restore
    [ -z "$1" ] || sql "$1" || return 1
    shift
    "$bin/yz-collector" check -c "$demo/t.conf" "$@"
}
# The same, then all hashes computed again.
rehashed()
{
    restore
    sql "$1" && "$tool" rehash "$demo/t/usage.db" || return 1
    shift
    "$bin/yz-collector" check -c "$demo/t.conf" "$@"
}

flip_archive_byte()
{
    local at
    restore
    at=$(usage t 'SELECT archive_offset + archive_length - 5 FROM ledger
        WHERE idx = 4')
    printf '\377' | dd of="$demo/t/archive/000001.yza" bs=1 seek="$at" \
        conv=notrunc 2>/dev/null
    co t check
}

# delete_frame: its bytes are gone and the later ones moved up.
delete_frame()
{
    local from to file=$demo/t/archive/000001.yza
    restore
    from=$(usage t 'SELECT archive_offset FROM ledger WHERE idx = 4')
    to=$(usage t 'SELECT archive_offset FROM ledger WHERE idx = 5')
    { head -c "$from" "$file"; tail -c +$((to + 1)) "$file"; } >"$file.new"
    mv "$file.new" "$file"
    co t check
}

# forge_batch: a batch that P-1 never signed, put in with row and frame by
# lending P-1 another key for a moment; then the row names P-1's key.
forge_batch() { forge; reassign && co t check; }
forge_with_key() { forge; co t check; }
reassign()
{
    sql "UPDATE ledger SET signer = (SELECT signer FROM ledger WHERE idx = 1)
        WHERE idx = 16" && "$tool" rehash "$demo/t/usage.db"
}
forge()
{
    restore
    make_signing_key "$demo/keys" thief
    cp "$demo/portal.db" "$demo/thief.db"
    sqlite3 "$demo/thief.db" "UPDATE probe SET signing_key =
        x'$(public_key_hex "$demo/keys/thief.pub")' WHERE id = 'P-1'"
    mkdir -p "$demo/forged"
    chmod 600 "$demo/keys/thief.key"
    "$tool" batches "$demo/keys/thief.key" P-1 boot-P-1 10 1 "$(date +%s)" \
        "$(last_hash in3)" 5 "$demo/forged" >/dev/null &&
        sed "s|^registry.*|registry = $demo/thief.db|" "$demo/t.conf" \
            >"$demo/thief.conf" &&
        import thief "$demo/forged"
}

FORGED_ROW="CREATE TEMP TABLE f AS SELECT * FROM ledger WHERE idx = 15;
    UPDATE f SET idx = 16, sequence = sequence + 1, previous_hash = batch_hash,
        batch_hash = randomblob(32),
        archive_offset = archive_offset + archive_length;
    INSERT INTO ledger SELECT * FROM f"
PUT_IN="UPDATE ledger SET idx = idx + 1000 WHERE idx > 5;
    UPDATE ledger SET idx = idx - 999 WHERE idx > 1000;
    CREATE TEMP TABLE f AS SELECT * FROM ledger WHERE idx = 5;
    UPDATE f SET idx = 6, sequence = 1, boot_id = randomblob(16),
        batch_hash = randomblob(32), archive_offset = 1000000;
    INSERT INTO ledger SELECT * FROM f"
SWAP="UPDATE ledger SET idx = 1000 WHERE idx = 5;
    UPDATE ledger SET idx = 5 WHERE idx = 6;
    UPDATE ledger SET idx = 6 WHERE idx = 1000"

# Row 5 taken out, and the later ones moved up (by way of large numbers).
TAKE_OUT="DELETE FROM ledger WHERE idx = 5;
    UPDATE ledger SET idx = idx + 1000 WHERE idx > 5;
    UPDATE ledger SET idx = idx - 1001 WHERE idx > 1000"

# cut_rows ROW: SQL by which every table that names a ledger row loses those from it on.
cut_rows()
{
    local name
    for name in $(usage t "SELECT m.name FROM sqlite_schema AS m
        JOIN pragma_table_info(m.name) AS c ON c.name = 'ledger_idx'
        WHERE m.type = 'table'"); do
        echo "DELETE FROM $name WHERE ledger_idx > $1;"
    done
    echo "DELETE FROM merkle_leaf WHERE idx > $1;
        DELETE FROM ledger WHERE idx > $1;"
}

# cut_tail [CHECK ARGUMENTS]: the last rows and all that came of them, hashes
# computed again.
cut_tail()
{
    restore
    sql "$(cut_rows 13)" && "$tool" rehash "$demo/t/usage.db" &&
        co t rebuild || return 1
    "$bin/yz-collector" check -c "$demo/t.conf" "$@"
}

# cut_with_keys [CHECK ARGUMENTS]: and by somebody with the keys, who signs the
# shorter log anew: nothing on the machine disagrees.
cut_with_keys()
{
    restore
    sql "$(cut_rows 11)
        DELETE FROM cosignature; DELETE FROM checkpoint" &&
        rm -rf "$demo/t/usage.db.checkpoints" &&
        "$tool" rehash "$demo/t/usage.db" && co t rebuild &&
        truncate -s "$(usage t 'SELECT max(archive_offset + archive_length)
            FROM ledger')" "$demo/t/archive/000001.yza" &&
        co t checkpoint && co t check || return 1
    [ $# = 0 ] || "$bin/yz-collector" check -c "$demo/t.conf" "$@"
}
whole_machine_is_silent() { cut_with_keys | grep -q 'all agree'; }

replay_batch()
{
    restore
    import t "$demo/in1" "$demo/in1" "$demo/in3"
    [ "$(usage t 'SELECT sum(flows), sum(octets) FROM usage')" = \
        "$(usage good 'SELECT sum(flows), sum(octets) FROM usage')" ] &&
        echo "sums unchanged" || echo "counted twice"
}

# replay_capture: the same recorded traffic once more, 40 minutes later.
replay_capture()
{
    local first shift_s file enterprise
    restore
    rm -rf "$demo/replayed" && mkdir "$demo/replayed"
    first=$(first_second $RECORDED)
    for shift_s in 3000 600; do
        file=$demo/replayed/$shift_s
        editcap -t $(($(date +%s) - shift_s - first)) $RECORDED "$file.pcap" &&
            probe read -r "$file.pcap" -e "$demo/endpoints.csv" \
                -w "$file.ipfix" --key "$demo/keys/batch.key" \
                --probe "$PROBE_ID" >/dev/null &&
            import t "$file.ipfix" || return 1
    done
    sed "s|^usage_db.*|usage_db = $demo/t/usage.db|" "$demo/verifier.conf" \
        >"$demo/replay.conf"
    rm -f "$demo"/verdict.db*
    "$bin/yz-verifier" run -c "$demo/replay.conf" --cycle demo || return 1
    enterprise=$(sqlite3 "$demo/portal.db" \
        "SELECT enterprise_id FROM probe WHERE id = '$PROBE_ID'")
    for voucher in $(sqlite3 "$demo/portal.db" "SELECT v.number FROM voucher v
        JOIN voucher_application a ON a.id = v.application_id
        WHERE a.enterprise_id = '$enterprise'"); do
        "$bin/yz-verifier" explain -c "$demo/replay.conf" "$voucher"
    done
}

# sent_as CERTIFICATE FOLDER: to a collector at t/; then its events.
sent_as()
{
    start_collector t || return 1
    send "$1" "$demo/receipts/try" "$demo/$2"/*.ipfix
    stop_collector
    usage t "SELECT kind || ': ' || detail FROM event ORDER BY id"
}

# clone_key: a second machine with P-1's key and state goes on from batch 9 in
# its own way, and both send.
clone_key()
{
    restore
    batches P-1 10 2 "$(last_hash in3)" own 0 5 &&
        batches P-1 10 2 "$(last_hash in3)" clone 99 4 &&
        import t "$demo/own" && sent_as P-1 clone
}

# clone_boot: the clone starts anew, with a boot of its own, at the same time.
clone_boot()
{
    restore
    batches P-1 10 2 "$(last_hash in3)" own 0 5 &&
        batches P-1 1 2 - boot 98 4 boot-clone &&
        import t "$demo/own" && sent_as P-1 boot
}

# clone_turns: two machines that are never on at the same time, and each goes on
# where it was: only that a boot comes back tells.
clone_turns()
{
    restore
    batches P-2 7 1 "$(last_hash in2)" turn1 0 900 &&
        batches P-2 1 1 - turn2 0 600 boot-turn &&
        batches P-2 8 1 "$(last_hash turn1)" turn3 0 300 &&
        batches P-2 2 1 "$(last_hash turn2)" turn4 0 0 boot-turn &&
        import t "$demo"/turn[12] && sent_as P-2 turn3 && sent_as P-2 turn4
}

# The probe's state is set back to where batch 6 was the last.
roll_back_probe()
{
    restore
    batches P-1 7 2 "$(last_hash in1)" again 77 3 && sent_as P-1 again
}

# The collector's usage.db of twelve batches in place of that of fifteen.
old_usage()
{
    restore
    sql "$(cut_rows 12) DELETE FROM cosignature WHERE checkpoint IN
            (SELECT number FROM checkpoint WHERE size > 12);
        DELETE FROM checkpoint WHERE size > 12" &&
        "$tool" rehash "$demo/t/usage.db" && co t rebuild
}
roll_back_usage() { old_usage && co t check; }
roll_back_and_run() { old_usage && co t run; }

splice_identity() { restore; batches P-2 7 1 "$(last_hash in2)" p2 0 5 &&
    sent_as P-1 p2; }
splice_renamed()
{
    restore
    batches P-2 7 1 "$(last_hash in2)" p2 0 5
    LC_ALL=C sed -i 's/P-2/P-1/g' "$demo"/p2/*.ipfix
    sent_as P-1 p2
}

# split_view: the collector keeps a second history and signs it with its key.
split_history()
{
    rm -rf "$demo/t" && mkdir "$demo/t" && collector_conf t >"$demo/t.conf" &&
        import t "$demo/in2" "$demo/in1" && import t "$demo/in3" &&
        co t checkpoint && co t checkpoint show >"$demo/outside/other"
}
split_to_witness()
{
    split_history && cp "$demo/w1.state" "$demo/w.state" &&
        witness w.state "$demo/outside/other"
}
split_to_check() { split_history && co t check --checkpoint "$demo/outside/12"; }

# back_date AGE_S: made now, with the times of then.
back_date()
{
    restore
    batches P-2 7 1 "$(last_hash in2)" late 0 "$1" && import t "$demo/late" &&
        usage t "SELECT iif(is_counted, 'counted, marked late', 'kept, ' ||
            'not counted') FROM ledger WHERE idx = 16 AND is_late"
}

drill()
{
    named edit "a byte of a ledger row" '^edit: ledger row 3 ' \
        checked "UPDATE ledger SET octets = octets + 1 WHERE idx = 3"
    named edit "the same, all hashes computed again" '^edit: ' \
        rehashed "UPDATE ledger SET received_us = received_us - 1
            WHERE idx = 3"
    named edit "a sum in usage" '^edit: usage ' \
        checked "UPDATE usage SET octets = octets + 1"
    named edit "a byte in the archive" '^edit: ledger row 4 ' flip_archive_byte
    named edit "a Merkle leaf" '^edit: ledger row 2 ' \
        checked "UPDATE merkle_leaf SET hash = zeroblob(32) WHERE idx = 2"
    named edit "a checkpoint's size" "^edit: checkpoint $of_12 " \
        checked "UPDATE checkpoint SET text = replace(text, char(10) || '12' ||
            char(10), char(10) || '11' || char(10)), size = 11
            WHERE number = $of_12"
    named edit "an event" '^edit: the events 1 to [0-9]* are not' \
        checked "UPDATE event SET detail = 'nothing' WHERE id = 1"
    named delete "an event" '^delete: event 1 is missing' \
        checked "DELETE FROM event WHERE id = 1"
    named delete "a ledger row with its leaf" '^delete: ledger row 5 ' \
        checked "DELETE FROM merkle_leaf WHERE idx = 5;
            DELETE FROM ledger WHERE idx = 5"
    named delete "the same, renumbered, hashes computed again" \
        '^delete: chain of P-1: the batch before 6 ' rehashed "$TAKE_OUT"
    named delete "a batch in the archive" '^delete: ledger row 4 ' delete_frame
    named insert "a forged row, all hashes computed again" \
        '^insert: ledger row 16 ' rehashed "$FORGED_ROW"
    named insert "the same in the middle, the later rows moved up" \
        '^insert: ledger row 6: without it ' rehashed "$PUT_IN"
    named insert "a forged batch with row and frame" '^insert: ledger row 16 ' \
        forge_batch
    named insert "the same with the thief's own key in the ledger" \
        '^ledger row 16 of P-1 is signed with a key .* forged batch' \
        forge_with_key
    named reorder "two rows exchanged, all hashes computed again" \
        '^reorder: ledger row 6 ' rehashed "$SWAP"
    named "cut tail" "rows, leaves, detail, sums; hashes computed again" \
        '^cut: checkpoint [0-9]+ signed 15 batches, the log has 13' cut_tail
    tap "cut tail: with the machine's keys nothing on the machine disagrees" \
        whole_machine_is_silent
    named "cut tail" "with the keys: against a checkpoint kept elsewhere" \
        '^cut: 12.cosigned was signed over 12 batches, the log has 11' \
        cut_with_keys --checkpoint "$demo/outside/12.cosigned"
    named "cut tail" "with the keys: against a receipt" \
        '^cut: a receipt in P-1.2 promises ledger row 1[345]' \
        cut_with_keys --receipt "$demo/receipts/P-1.2"
    named "replay batch" "nine batches again, some twice" \
        ' 15 repeated, 0 refused' replay_batch
    named "replay batch" "what it did to the sums" '^sums unchanged' \
        replay_batch
    named "replay capture" "recorded traffic once more, 40 minutes later" \
        'S9.*suspicious|suspicious.*S9' replay_capture
    named "clone key" "the same key and state on two machines" \
        '^(conflict|clone): ' clone_key
    named "clone key" "the same key, the clone starts anew" \
        '^(clone|overlap): ' clone_boot
    named "clone key" "two machines in turns, never at the same time" \
        '^clone: ' clone_turns
    named "roll back" "the probe's state: numbers used again" '^conflict: ' \
        roll_back_probe
    named "roll back" "the collector's usage.db, asked by check" \
        '^rollback: ' roll_back_usage
    named "roll back" "the collector's usage.db, at the start" \
        'rollback: .* it is an older copy' roll_back_and_run
    named splice "another enterprise's batch under one's own certificate" \
        '^identity: ' splice_identity
    named splice "the same with the probe's name replaced" '^signature: ' \
        splice_renamed
    named "split view" "a second signed history, shown to the witness" \
        'split view: another checkpoint of 15 batches' split_to_witness
    named "split view" "the same, against a checkpoint kept elsewhere" \
        '^split view: 12 was signed over 12 batches' split_to_check
    named back-date "20 minutes" '^counted, marked late' back_date 1200
    named back-date "four days" '^kept, not counted' back_date 345600
}

tap_begin tamper
COLLECTOR_PORT=$(free_port)
make_demo_certificates "$demo/keys" "$PROBE_ID"
write_confs 127.0.0.1
tap "a registry, two probes, a witness" make_registry
tap "fifteen batches over TLS, checkpoints while it runs and at the stop" \
    honest_history
# On a slow machine the collector has signed fewer before.
of_12=$(usage good "SELECT min(number) FROM checkpoint WHERE size = 12")
tap "proofs of a batch, a receipt and growth hold for an outsider" proofs_hold
tap "changed proofs, other keys and other batches do not" false_proofs
tap "openssl alone verifies a checkpoint and its cosignature" openssl_verifies
tap "an SM2 key signs checkpoints, too" sm2_signs
tap "check finds nothing before the drill" co good check
tap "check --checkpoint and --receipt agree as well" \
    co good check --checkpoint "$demo/outside/12.cosigned" "$demo/outside/15"
tap "check --quick and --since read less" co good check --quick \
    --since 2026-01-01
drill
tap_end
echo "#"
echo "# class        | what was done                                        | what named it"
printf '%s' "$table"
