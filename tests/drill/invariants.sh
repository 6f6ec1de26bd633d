# What must hold at the end of a drill, by witnesses outside of the programs:
# the copies that power_tool made of each batch when it was promised (in the
# probe's spool for sure) or acknowledged, added up here with yz-probe show and
# awk.

query() { sqlite3 -readonly "$demo/collector/usage.db" "$@"; }

# hashes FOLDER: of all witnesses; "*" is all folders.
hashes()
{
    find "$demo"/witness-*/$1 -name '*.ipfix' -printf '%f\n' |
        sed 's/\.ipfix$//' | sort -u
}

ledger_hashes() { query 'SELECT lower(hex(batch_hash)) FROM ledger' | sort; }

# none_of WHAT: standard input is the list of what is wrong.
none_of()
{
    local list count
    list=$(cat)
    count=$(grep -c . <<<"$list")
    echo "$count $1"
    [ "$count" = 0 ] || { head -n 3 <<<"$list"; return 1; }
}

nothing_acknowledged_is_lost()
{
    comm -23 <(hashes acknowledged) <(ledger_hashes) |
        none_of "of $(hashes acknowledged | wc -l) acknowledged are lost"
}

# The collector's signed word, as probes kept it through all of this: check holds
# each against the ledger. Only whole receipts may be in the files.
receipts_agree()
{
    local files
    files=$(find "$demo" -path '*/receipts/*.ipfix' ! -path '*/witness-*')
    # shellcheck disable=SC2086
    "$bin/yz-probe" show --key "$demo/keys/receipt.pub" $files |
        awk '/"receiptSignature":"valid"/ { n++ } /"fault"/ { wrong++ }
            END { print n + 0 " receipts, " wrong + 0 " torn"
                exit !n || wrong > 0 }' &&
        "$bin/yz-collector" check -c "$demo/collector.conf" --receipt $files
}

# A batch dated in the future is refused and kept aside (VER-19).
nothing_promised_is_lost()
{
    comm -23 <(hashes promised) \
        <(sort -u <(ledger_hashes) <(hashes refused)) |
        none_of "of $(hashes promised | wc -l) in a spool are lost"
}

no_batch_is_there_twice()
{
    query 'SELECT (count(*) - count(DISTINCT batch_hash)) || " of " ||
        count(*) FROM ledger' | tee "$demo/twice"
    grep -q '^0 of [1-9]' "$demo/twice"
}

# One copy of each batch, by its hash.
witnessed()
{
    find "$demo"/witness-*/ -name '*.ipfix' -printf '%f %p\n' |
        sort -u -k1,1 | sed 's/^[^ ]* //'
}

# sums: "endpoint bucket flows octets packets roctets rpackets" of the counted
# batches, from their own bytes.
sums()
{
    query 'SELECT lower(hex(batch_hash)) FROM ledger WHERE is_counted' \
        >"$demo/counted"
    witnessed | xargs "$bin/yz-probe" show | TZ=UTC awk '
        function text(key) {
            if (!match($0, "\"" key "\":\"[^\"]*\""))
                return ""
            return substr($0, RSTART + length(key) + 4,
                RLENGTH - length(key) - 5)
        }
        function value(key) {
            if (!match($0, "\"" key "\":[0-9]+"))
                return 0
            return substr($0, RSTART + length(key) + 3,
                RLENGTH - length(key) - 3) + 0
        }
        NR == FNR { counted[$1] = 1; next }
        /"flowStartMilliseconds"/ {
            n++
            start = text("flowStartMilliseconds")
            gsub(/[-T:]/, " ", start)
            start = mktime(substr(start, 1, 19))
            cell[n] = text("endpointId") " " start - start % 300
            octets[n] = value("octetDeltaCount")
            packets[n] = value("packetDeltaCount")
            roctets[n] = value("reverseOctetDeltaCount")
            rpackets[n] = value("reversePacketDeltaCount")
            next
        }
        /"batchHash"/ {
            hash = text("batchHash")
            for (i = 1; i <= n && hash in counted; i++) {
                flows[cell[i]]++
                o[cell[i]] += octets[i]
                p[cell[i]] += packets[i]
                ro[cell[i]] += roctets[i]
                rp[cell[i]] += rpackets[i]
            }
            n = 0
        }
        END {
            for (c in flows)
                printf "%s %d %.0f %.0f %.0f %.0f\n", c, flows[c], o[c], p[c],
                    ro[c], rp[c]
        }' "$demo/counted" - | sort
}

usage_sums()
{
    query -separator ' ' 'SELECT endpoint_id, bucket, sum(flows), sum(octets),
        sum(packets), sum(roctets), sum(rpackets) FROM usage
        JOIN endpoint_key ON key = endpoint GROUP BY 1, 2
        HAVING sum(flows) > 0' | sort
}

# Rows of usage without flows are 5 minutes into which a flow lasted.
each_is_counted_once()
{
    sums >"$demo/sums.witness"
    usage_sums >"$demo/sums.usage"
    echo "$(wc -l <"$demo/sums.witness") cells," \
        "$(awk '{ n += $3 } END { print n + 0 }' "$demo/sums.witness") flows," \
        "$(comm -13 <(hashes '*') <(ledger_hashes) | wc -l) batches unwitnessed"
    [ -s "$demo/sums.witness" ] &&
        diff "$demo/sums.witness" "$demo/sums.usage"
}

all_agrees() { "$bin/yz-collector" check -c "$demo/collector.conf"; }

rebuild_gives_the_same()
{
    usage_sums >"$demo/before" && all_agrees >"$demo/check.before" &&
        "$bin/yz-collector" rebuild -c "$demo/collector.conf" &&
        usage_sums >"$demo/after" && all_agrees >"$demo/check.after" &&
        cmp "$demo/before" "$demo/after" &&
        cmp "$demo/check.before" "$demo/check.after"
}

# The rules of time (intake.h): late after 10 minutes; kept and not counted
# after 72 hours, or when a period that the clock jumped over reaches too far.
times_are_judged()
{
    query 'SELECT idx, probe_id, is_late, is_counted, late_ms FROM (SELECT *,
        received_us / 1000 - period_end_ms AS late_ms, EXISTS (SELECT 1
        FROM event WHERE kind = "stale" AND other_hash = batch_hash) AS is_stale
        FROM ledger) WHERE is_late <> (late_ms > 600000) OR
        is_counted <> (late_ms <= 259200000 AND NOT is_stale)' |
        none_of "batches are judged wrongly by their time"
}

nobody_was_needed()
{
    echo "$gone programs ended by themselves; $given_up while the disk failed"
    [ $gone = 0 ] || { cat "$demo/log/trouble.log"; return 1; }
}
