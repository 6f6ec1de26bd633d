#!/bin/bash
# Carriers' files by the commands, against a registry that the portal made:
# numbers over time, records as a table and as IPFIX, usage by number; what is
# refused, counted once, and told to nobody.
. tests/collector/carrier_rig.sh
tap_begin carrier
export ACCOUNTS=4 DECLARED=2 # gz000000 and gz000001 are ENT-1's
RECORDS=4000                 # half of them of the declared accounts

with_collector() { "$bin/yz-collector" "$1" -c "$demo/collector.conf" "${@:2}"; }
import_as() # FORM FILE OPTION...
{
    with_collector import --as "$1" --carrier CT-GD "${@:3}" "$2"
}
usage_of() # ENTERPRISE OPTION...
{
    with_collector usage --enterprise "$1" --from 2026-11-19 --to 2026-11-22 \
        "${@:2}"
}
fresh() { rm -rf "$demo"/usage.db* "$demo/archive"; }

# complains STATUS WORD COMMAND...
complains()
{
    local status=$1 word=$2 got=0
    shift 2
    "$@" >"$demo/said" 2>&1 </dev/null || got=$?
    cat "$demo/said"
    [ $got = "$status" ] && grep -qF -- "$word" "$demo/said"
}
says() # WORD COMMAND...
{
    complains 0 "$@"
}
counted()
{
    usage_sql "SELECT ifnull(sum(flows), 0) FROM usage WHERE source = 'carrier'"
}
agrees() { with_collector check && with_collector rebuild && with_collector check; }

tap "a registry with declared numbers" carrier_rig
make_files()
{
    "$carrier_tool" numbers "$demo/numbers.csv" $ACCOUNTS &&
        "$carrier_tool" csv "$demo/records.csv" $RECORDS &&
        "$carrier_tool" ipfix "$demo/records.ipfix" $RECORDS &&
        "$carrier_tool" uniflows "$demo/each-way.ipfix" $RECORDS
}
tap "files of a carrier" make_files

# --- numbers over time ---

tap "import --as numbers" says '4 intervals, 4 of them new' \
    import_as numbers "$demo/numbers.csv"
tap "... again adds nothing" says '0 of them new' \
    import_as numbers "$demo/numbers.csv"
{
    head -n 1 "$demo/numbers.csv"
    echo 'gz000009,broadband_account,10.1.0.1,,,2026-11-01T00:00:00+08:00,'
    echo 'gz000008,broadband_account,10.0.0.1,,,2026-11-05T00:00:00+08:00,'
} >"$demo/overlap.csv"
overlap_is_refused()
{
    local before
    before=$(usage_sql "SELECT count(*) FROM number_interval")
    complains 1 'overlap.csv:3: ' import_as numbers "$demo/overlap.csv" &&
        grep -q 'refused as a whole' "$demo/said" &&
        [ "$(usage_sql "SELECT count(*) FROM number_interval")" = "$before" ]
}
tap "an overlap is refused with its line, and nothing is kept" overlap_is_refused
{
    head -n 1 "$demo/numbers.csv"
    echo '13800138000,mobile_number,198.51.100.99,1024,2047,2026-11-01T00:00:00+08:00,'
    echo '1064812345678,iot_sim,198.51.100.99,2048,3071,2026-11-01T00:00:00+08:00,2026-11-20T20:00:00+08:00'
    echo '13900139000,mobile_number,198.51.100.99,2048,3071,2026-11-20T20:00:00+08:00,'
} >"$demo/shared.csv"
tap "carrier-grade NAT: ports, and a range that changes hands" \
    says '3 intervals, 3 of them new' import_as numbers "$demo/shared.csv"

# --- records ---

# What each form gives: connections, octets of both directions.
declare -A sums
takes() # FORM FILE
{
    fresh
    import_as numbers "$demo/numbers.csv" && import_as "$1" "$2" || return 1
    sums[$2]=$(usage_sql "SELECT sum(flows), sum(octets + roctets),
        sum(packets + rpackets) FROM usage WHERE source = 'carrier'
        AND enterprise_id = 'ENT-1'")
    echo "${sums[$2]}"
    [ "$(counted)" = $((RECORDS / 2)) ]
}
all_forms_are_equal()
{
    printf '%s\n' "${sums[@]}"
    [ "$(printf '%s\n' "${sums[@]}" | sort -u | wc -l)" = 1 ]
}
tap "import --as carrier-ipfix, a record each way" \
    takes carrier-ipfix "$demo/each-way.ipfix"
tap "import --as carrier-ipfix, biflows" takes carrier-ipfix "$demo/records.ipfix"
tap "import --as carrier-csv" takes carrier-csv "$demo/records.csv"
tap "the same counts in every form" all_forms_are_equal
tap "the same file again counts nothing" says 'taken before' \
    import_as carrier-csv "$demo/records.csv"
once_in_any_form()
{
    complains 1 'records.csv' import_as carrier-ipfix "$demo/records.ipfix" &&
        [ "$(counted)" = $((RECORDS / 2)) ]
}
tap "its rows in another form are refused, with the file that brought them" \
    once_in_any_form
tap "ledger, archive and usage agree, also rebuilt" agrees

# --- usage by number ---

by_number_is_right()
{
    usage_of ENT-1 --by number --json | tee "$demo/by-number.json"
    [ "$(sqlite3 :memory: "SELECT sum(value ->> 'flows'),
        count(DISTINCT value ->> 'number') FROM json_each(
        readfile('$demo/by-number.json'))")" = \
        "$((RECORDS / 2))|2" ]
}
tells_masks_only()
{
    usage_of ENT-1 --by number >"$demo/by-number.txt"
    cat "$demo/by-number.txt"
    grep -q '\*\*\*' "$demo/by-number.txt" &&
        ! grep -q 'gz00000' "$demo/by-number.txt" "$demo/by-number.json"
}
keeps_no_number()
{
    sqlite3 "$demo/usage.db" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
    ! grep -c 'gz00000[0-9]' "$demo"/usage.db "$demo"/archive/*
}
tap "usage --by number: two accounts, every connection" by_number_is_right
tap "... by their masks (PRIV-04)" tells_masks_only
tap "no number in clear in usage.db or archive" keeps_no_number

# --- what is not attributed, what is wrong ---

rejects_are_private()
{
    fresh
    import_as numbers "$demo/numbers.csv" &&
        import_as carrier-csv "$demo/records.csv" --rejects "$demo/rejects.csv" ||
        return 1
    [ "$(stat -c %a "$demo/rejects.csv")" = 600 ] &&
        [ "$(wc -l <"$demo/rejects.csv")" = $((RECORDS / 2 + 1)) ] &&
        complains 1 'File exists' import_as carrier-csv "$demo/records.csv" \
            --rejects "$demo/rejects.csv"
}
tap "--rejects: for their owner alone, and never over another file" \
    rejects_are_private
ports_tell()
{
    {
        echo "start,end,user_address,user_port,cloud_address,cloud_port,protocol,octets_up,octets_down,packets_up,packets_down"
        for row in 10:00:00,1500 10:00:01,2500 13:00:00,2500 13:00:01,4000; do
            echo "2026-11-20T${row%,*}Z,2026-11-20T${row%,*}Z,198.51.100.99,${row#*,},203.0.113.10,443,tcp,1000,9000,10,12"
        done
        echo "2026-11-20T14:00:00Z,2026-11-20T14:00:00Z,198.51.100.99,,203.0.113.10,443,tcp,1000,9000,10,12"
    } >"$demo/nat.csv"
    import_as numbers "$demo/shared.csv" &&
        import_as carrier-csv "$demo/nat.csv" | tee "$demo/said" || return 1
    # 1500: ENT-1's mobile. 2500: ENT-2's SIM, later a mobile that was declared
    # until the 10th. 4000: nobody's. No port: whose is not known.
    [ "$(usage_sql "SELECT sum(flows) FROM usage WHERE enterprise_id = 'ENT-2'")" \
        = 1 ] && grep -q '5 records, 2 attributed' "$demo/said"
}
tap "ports tell who had a shared address at the time" ports_tell
head -c 5000 "$demo/records.ipfix" >"$demo/cut.ipfix"
cut_is_refused()
{
    fresh
    import_as numbers "$demo/numbers.csv" &&
        complains 1 'message at byte ' import_as carrier-ipfix "$demo/cut.ipfix" &&
        [ "$(counted)" = 0 ]
}
tap "a file that was cut off is refused whole, with the byte" cut_is_refused
printf 'start,end\n1,2\n' >"$demo/wrong.csv"
tap "a table with other columns is refused" complains 1 'wrong.csv' \
    import_as carrier-csv "$demo/wrong.csv"
tap "--carrier is needed" complains 2 '--carrier' \
    with_collector import --as carrier-csv "$demo/records.csv"
tap "... and goes with no other source" complains 2 '--carrier' \
    with_collector import --carrier CT-GD "$demo/records.csv"
tap "a carrier's name has a form" complains 2 '--carrier' \
    with_collector import --as numbers --carrier 'a b' "$demo/numbers.csv"
tap "--by has two answers" complains 2 'neither endpoint nor number' \
    usage_of ENT-1 --by carrier

# --- killed in the middle ---

killed_and_again()
{
    local pid tries=0 killed=0
    fresh
    "$carrier_tool" csv "$demo/large.csv" 60000
    import_as numbers "$demo/numbers.csv" || return 1
    for tries in 1 2 3 4 5 6; do
        "$bin/yz-collector" import -c "$demo/collector.conf" --as carrier-csv \
            --carrier CT-GD "$demo/large.csv" >/dev/null 2>&1 &
        pid=$!
        sleep 0.$((tries * 15))
        kill -9 $pid 2>/dev/null && killed=$((killed + 1))
        wait $pid 2>/dev/null
    done
    echo "killed $killed times, $(counted) counted"
    import_as carrier-csv "$demo/large.csv"
    [ "$(counted)" = 30000 ]
}
tap "kill -9 in the middle: the next time counts everything, once" \
    killed_and_again
tap "ledger, archive and usage agree" agrees
tap_end
