#!/bin/bash
# Carriers' files through the commands, into a store made by the real programs:
# what counts and what does not, that nothing counts twice, and that no number
# is kept or printed in clear (VER-03, PRIV-04).
. tests/collector/carrier_rig.sh

# gz000000 to gz000003, of which the rig declares the first two.
export ACCOUNTS=4 DECLARED_FROM=2026-01-01
NUMBERS=number,kind,address,port_from,port_to,from,to
RECORDS=start,end,number,user_address,user_port,cloud_address,cloud_port
RECORDS+=,protocol,octets_up,octets_down,packets_up,packets_down
SIM=1064812345678 # of ENT-2

collector() { "$bin/yz-collector" "$1" -c "$demo/collector.conf" "${@:2}"; }
numbers() { collector import --as numbers --carrier CT-GD "$@"; }
csv() { collector import --as carrier-csv --carrier CT-GD "$@"; }
ipfix() { collector import --as carrier-ipfix --carrier CT-GD "$@"; }

by_number() # ENTERPRISE...
{
    collector usage --enterprise "$1" --from 2026-01-01 --to 2026-11-25 \
        --by number "${@:2}"
}

# says STATUS WORDS COMMAND...: everything said is kept in $demo/log/said.
says()
{
    local wanted=$1 words=$2 status=0
    shift 2
    "$@" >"$demo/said" 2>&1 || status=$?
    tee -a "$demo/log/said" <"$demo/said"
    [ $status = "$wanted" ] && grep -qF -- "$words" "$demo/said"
}

# faults FILE WORD...: refused as a whole, with these lines of it named.
faults()
{
    local file=$1 status=0 fault
    shift
    numbers "$file" >"$demo/said" 2>&1 || status=$?
    tee -a "$demo/log/said" <"$demo/said"
    [ $status = 1 ] || return 1
    for fault; do
        grep -qF -- "$file:$fault" "$demo/said" || return 1
    done
    grep -qF "refused as a whole: $# rows are wrong" "$demo/said"
}

# is WANTED COMMAND...: says just that.
is()
{
    local wanted=$1 found
    shift
    found=$("$@" 2>&1)
    echo "$found"
    [ "$found" = "$wanted" ]
}

counted() # records, octets towards the cloud and back
{
    usage_sql "SELECT sum(flows), sum(octets), sum(roctets) FROM usage
        WHERE source = 'carrier'"
}

stored() # of everything that carriers' files leave behind
{
    usage_sql "SELECT (SELECT count(*) FROM number),
        (SELECT count(*) FROM number_interval),
        (SELECT count(*) FROM source_file),
        (SELECT count(*) FROM ledger)"
}

# table FILE HEADER ROW...
table() { printf '%s\n' "${@:2}" >"$demo/$1"; }

# record START END NUMBER ADDRESS PORT, times of November
record()
{
    echo "2026-11-$1+08:00,2026-11-$2+08:00,$3,$4,$5,203.0.113.10,443,tcp,${6:-500},900,5,6"
}

make_tables()
{
    local in_november=2026-11-01T00:00:00+08:00
    local changed=2026-11-15T00:00:00+08:00
    table ports.csv $NUMBERS \
        "gz000000,broadband_account,192.0.2.1,1024,2047,$in_november," \
        "gz000001,broadband_account,192.0.2.1,2048,3071,$in_november," \
        "gz000001,broadband_account,192.0.2.1,2000,2010,$changed,"
    table overlap.csv $NUMBERS \
        "gz000000,broadband_account,192.0.2.1,,,$in_november," \
        "gz000000,broadband_account,192.0.2.1,,,$changed," \
        "gz000000,broadband_account,10.0.0.1,,,$changed,"
    table wrong.csv $NUMBERS \
        "gz000000,broadband_account,192.0.2.8,,,2026-11-01," \
        "13800138000,mobile_number,192.0.2.8,9,8,$in_november," \
        "gz000000,broadband_account,192.0.0.0/16,,,$in_november," \
        "12800138000,mobile_number,192.0.2.8,,,$in_november," \
        "gz000000,broadband_account,192.0.2.8,,,2100-01-01T00:00:00Z,"
    table later.csv $NUMBERS \
        "13800138000,mobile_number,192.0.2.1,1024,2047,$in_november," \
        "$SIM,iot_sim,192.0.2.1,2048,3071,$in_november," \
        "13800138000,mobile_number,192.0.2.9,,,$in_november,$changed" \
        "$SIM,iot_sim,192.0.2.9,,,$changed,"
    table nat.csv $RECORDS \
        "$(record 12T08:00:00 12T08:01:00 '' 192.0.2.1 1024)" \
        "$(record 12T08:00:00 12T08:01:00 '' 192.0.2.1 2048)" \
        "$(record 12T08:00:00 12T08:01:00 '' 192.0.2.1 3072)" \
        "$(record 12T08:00:00 12T08:01:00 '' 192.0.2.1 '')"
    table changed.csv $RECORDS \
        "$(record 14T23:00:00 14T23:59:59 '' 192.0.2.9 '')" \
        "$(record 14T23:50:00 15T00:10:00 '' 192.0.2.9 '')" \
        "$(record 15T00:00:00 15T00:10:00 '' 192.0.2.9 '')" \
        "$(record 16T00:00:00 16T00:10:00 13800138000 192.0.2.9 '')"
}

# every_form COUNTED: each into an empty store, the same sums.
every_form()
{
    local form
    for form in csv ipfix uniflows; do
        rm -rf "$demo"/usage.db* "$demo/archive"
        numbers "$demo/numbers.csv" || return 1
        if [ $form = csv ]; then csv "$R.csv"; else ipfix "$R.$form"; fi ||
            return 1
        echo "$form: $(counted)"
        [ "$(counted)" = "$1" ] || return 1
    done
}

# What by_number should say of FILE's accounts: each one's octets up and down.
sums()
{
    awk -F, -v mask="$2" 'NR > 1 {
        split($4, a, ".")
        n = $3 != "" ? substr($3, 8) + 0 : a[4]
        if (n == mask) { up += $8; down += $9; flows++ }
    } END { print flows, up, down }' "$1"
}

by_text() # MASK
{
    by_number ENT-1 | awk -v mask="$1" '$1 == mask && $5 == "DEMO" {
        flows += $6; up += $7; down += $9 } END { print flows, up, down }'
}

by_json() # MASK
{
    by_number ENT-1 --json | tr '}' '\n' | grep -F "\"number\":\"$1\"" | grep -F '"sample":true' |
        sed 's/.*"flows":\([0-9]*\),"octets":\([0-9]*\).*"roctets":\([0-9]*\).*/\1 \2 \3/' |
        awk '{ flows += $1; up += $2; down += $3 } END { print flows, up, down }'
}

is_private() # nobody but its owner reads what is not attributed
{
    [ "$(stat -c %a "$1")" = 600 ] && [ "$(wc -l <"$1")" = "$2" ]
}

# In clear nowhere: neither kept nor said.
hidden()
{
    local number
    [ -s "$demo/log/said" ] || return 1
    for number in gz00000 13800138000 "$SIM"; do
        ! grep -rlaF "$number" "$demo/archive" "$demo"/usage.db* \
            "$demo/log/said" || return 1
    done
}

agrees() { collector check && collector rebuild && collector check; }

# --- a crash ---

# A day for each number is a batch, so the store is committed on the way.
make_large()
{
    local day
    {
        echo $RECORDS
        for day in $(seq 0 319); do
            day=$(date -d "2026-01-02 +$day days" +%F)
            for number in 13800138000 $SIM; do
                echo "${day}T08:00:00Z,${day}T08:01:00Z,$number,,,203.0.113.10,443,tcp,500,900,5,6"
            done
        done
    } >"$demo/large.csv"
    head -n 5 "$demo/large.csv" >"$demo/part.csv"
}

ledger_rows() { usage_sql "SELECT count(*) FROM ledger" 2>/dev/null; }

# Killed with some of its batches in the ledger and the file not whole; when the
# import was faster than we are, once more.
kill_on_the_way()
{
    local pid
    for _ in 1 2 3 4 5 6 7 8; do
        rm -rf "$demo"/usage.db* "$demo/archive"
        "$bin/yz-collector" import -c "$demo/collector.conf" --as carrier-csv \
            --carrier CT-GD "$demo/large.csv" &
        pid=$!
        until [ "$(ledger_rows || echo 0)" -ge 256 ] 2>/dev/null ||
            ! kill -0 $pid 2>/dev/null; do
            :
        done
        kill -KILL $pid 2>/dev/null
        wait $pid
        [ "$(usage_sql "SELECT is_whole FROM source_file")" = 0 ] &&
            [ "$(ledger_rows)" -lt 640 ] && return 0
    done
    return 1
}

tap_begin carrier
carrier_rig >"$demo/log/rig.log" 2>&1 && make_tables && make_large ||
    { echo "Bail out!"; exit 1; }
for form in csv ipfix uniflows; do
    "$carrier_tool" $form "$demo/records.$form" 40
done
"$carrier_tool" numbers "$demo/numbers.csv" 4
head -c -5 "$demo/records.ipfix" >"$demo/cut.ipfix"
R=$demo/records

tap "a carrier's table needs its carrier" says 2 "--carrier ID goes with" \
    collector import --as carrier-csv "$R.csv"
tap "a table of numbers, too" says 2 "--carrier ID goes with" \
    collector import --as numbers "$demo/numbers.csv"
tap "a router has no carrier" says 2 "--carrier ID goes with" \
    collector import --as router --exporter r --carrier CT-GD "$R.ipfix"
tap "batches have none" says 2 "--carrier ID goes with" \
    collector import --carrier CT-GD "$R.ipfix"
tap "a carrier's name is an id" says 2 "letters, digits" \
    collector import --as carrier-csv --carrier "CT GD" "$R.csv"
tap "a form that is none is named" says 2 "unknown source" \
    collector import --as carrier-xml --carrier CT-GD "$R.csv"
tap "numbers have no rejects" says 2 "--rejects FILE goes with" \
    numbers --rejects "$demo/rejects" "$demo/numbers.csv"
tap "usage is by endpoint or number" says 2 "--by" \
    collector usage --enterprise ENT-1 --from 2026-11-01 --to 2026-11-25 \
    --by month

tap "numbers are taken" says 0 "4 intervals, 4 of them new" \
    numbers "$demo/numbers.csv"
tap "and once" says 0 "4 intervals, 0 of them new" numbers "$demo/numbers.csv"
tap "ranges of ports that overlap are named by both lines" \
    faults "$demo/ports.csv" \
    "4: address, ports and period overlap another's in line 2"
tap "periods, too, and those that overlap one of before" \
    faults "$demo/overlap.csv" \
    "3: address, ports and period overlap this number's in line 2" \
    "4: address, ports and period overlap another's from before"
tap "rows that are wrong are named by line" faults "$demo/wrong.csv" \
    "2: from: not a time" "3: port_to: before port_from" \
    "4: address: a prefix wider than /24" "5: number: it" \
    "6: from: in the future"
tap "nothing of them was stored" is "4 4 0 0" stored

tap "a cut file is named with its byte" \
    says 1 "cut.ipfix: message at byte 2216: runs past its end" \
    ipfix "$demo/cut.ipfix"
table columns.csv start,end 1,2
tap "a table with other columns is named" says 1 "columns.csv" \
    csv "$demo/columns.csv"
tap "a table is no IPFIX file" says 1 "records.csv: message at byte 0" \
    ipfix "$R.csv"
tap "and IPFIX no table" says 1 "records.ipfix" csv "$R.ipfix"
tap "a file that is not there is named" says 1 "No such file" \
    csv "$demo/none.csv"
touch "$demo/there"
tap "rejects overwrite nothing" says 1 "there: File exists" \
    csv --rejects "$demo/there" "$R.csv"
tap "nothing of all this was stored" is "4 4 0 0" stored

tap "records count" says 0 "40 records, 20 attributed" \
    csv --rejects "$demo/rejects" "$R.csv"
tap "what did not is for its owner's eyes" is_private "$demo/rejects" 21
tap "it can be given again" says 0 "20 records, 0 attributed" \
    csv "$demo/rejects"
for account in 0 1; do
    tap "octets of account $account, by number" \
        is "$(sums "$R.csv" $account)" by_text "g******$account"
    tap "and as JSON" \
        is "$(sums "$R.csv" $account)" by_json "g******$account"
done
tap "usage that cannot be printed is no success" \
    says 1 "standard output: No space left" \
    eval 'by_number ENT-1 2>&1 >/dev/full'
tap "another enterprise has none of them" is "[]" by_number ENT-2 --json
sum=$(counted)
tap "the same file again counts nothing" says 0 "nothing was counted again" \
    csv "$R.csv"
cp "$R.csv" "$demo/renamed.csv"
tap "nor under another name" says 0 "nothing was counted again" \
    csv "$demo/renamed.csv"
for form in ipfix uniflows; do
    tap "the same rows as $form are refused, their file named" \
        says 1 "20 rows were counted before, with records.csv" \
        ipfix "$R.$form"
done
tap "nothing was counted again" is "$sum" counted

tap "numbers behind one address, by ports, and over time" \
    says 0 "4 intervals, 4 of them new" numbers "$demo/later.csv"
tap "a port says whose it is" says 0 "4 records, 2 attributed" \
    csv "$demo/nat.csv"
tap "nobody has the other ports" grep -F "1 not: nobody is known" "$demo/said"
tap "and without a port it is nobody's" \
    grep -F "1 not: the address is shared by ports" "$demo/said"
tap "an address changes hands" says 0 "4 records, 2 attributed" \
    csv "$demo/changed.csv"
tap "no record spans that" \
    grep -F "1 not: the address changed owner meanwhile" "$demo/said"
tap "a number is not believed against its address" \
    grep -F "1 not: number and address belong to different ones" "$demo/said"
tap "each number has its own" is "$(printf '2026-11-12 1\n2026-11-15 1')" \
    eval "by_number ENT-2 | awk '/iot_sim/ { print \$4, \$6 }'"
by_number ENT-1 >>"$demo/log/said"
by_number ENT-2 --json >>"$demo/log/said"
collector events >>"$demo/log/said"
tap "no number is kept or said in clear (PRIV-04)" hidden
tap "ledger, archive and usage agree, also rebuilt" agrees

tap "every form counts the same" every_form "$sum"
tap "killed in the middle of a file" kill_on_the_way
tap "what is there agrees" agrees
tap "no other file counts its rows" \
    says 1 "not taken to its end: import it again" csv "$demo/part.csv"
tap "given again it is taken to its end" says 0 "640 records, 640 attributed" \
    csv "$demo/large.csv"
tap "and everything counts once" is "640 320000 576000" counted
tap "once it is whole it counts nothing" says 0 "nothing was counted again" \
    csv "$demo/large.csv"
tap "everything counts once still" is "640 320000 576000" counted
tap "ledger, archive and usage agree then" agrees
tap_end
