#!/bin/bash
# Carriers' files: a table of RECORDS (CSV), the same as IPFIX biflows and as a
# record each way, and a table of INTERVALS of numbers. Each into an empty
# store; wall time and peak memory.
set -eu
. tests/collector/carrier_rig.sh
set -eu
records=${RECORDS:-1000000} intervals=${INTERVALS:-500000}
bin=$build/bin
export ACCOUNTS=200 DECLARED=200
tap_begin bench-carrier
carrier_rig >"$demo/log/rig.log"

# measure NAME FILE COUNT --as FORM
measure()
{
    local name=$1 file=$2 count=$3
    shift 3
    /usr/bin/time -f '%e %M' -o "$demo/time" "$bin/yz-collector" import \
        -c "$demo/collector.conf" "$@" --carrier CT-GD "$file" \
        >"$demo/log/$name.log"
    awk -v name="$name" -v count="$count" '{
        printf "%-10s %9d in %6.1f s, %7.0f a second, peak %.0f MiB\n",
            name, count, $1, count / $1, $2 / 1024}' "$demo/time"
}

fresh() { rm -rf "$demo"/usage.db* "$demo/archive"; }

"$carrier_tool" numbers "$demo/numbers.csv" "$ACCOUNTS"
for form in csv ipfix uniflows; do
    "$carrier_tool" "$form" "$demo/$form" "$records"
    fresh
    "$bin/yz-collector" import -c "$demo/collector.conf" --as numbers \
        --carrier CT-GD "$demo/numbers.csv" >"$demo/log/numbers.log"
    measure "$form" "$demo/$form" "$records" \
        --as "carrier-$([ "$form" = csv ] && echo csv || echo ipfix)"
    grep -q " $records attributed" "$demo/log/$form.log" || {
        echo "carrier: not all records were attributed:" >&2
        cat "$demo/log/$form.log" >&2
        exit 1
    }
    rm "$demo/$form"
done
fresh
"$carrier_tool" numbers "$demo/numbers.csv" "$intervals"
measure numbers "$demo/numbers.csv" "$intervals" --as numbers
measure again "$demo/numbers.csv" "$intervals" --as numbers
