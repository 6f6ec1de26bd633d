#!/bin/bash
# The generator of demo history: what it writes is there, verifies, is the same
# on every run, and a changed byte is found.
. tests/tap.sh
B=${B:-build}
tool=$B/tools/history_tool
work=$(mktemp -d "$B/history_test.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# Everything but keys and signatures: probe, batches, boots, records.
sums() { "$tool" --check "$1"; }

make_key()
{
    mkdir "$work/live" &&
        openssl genpkey -algorithm ED25519 -out "$work/live/k.pem" \
            2>/dev/null &&
        openssl pkey -in "$work/live/k.pem" -pubout \
            -out "$work/live/probe-live.sign.pub.pem"
}

has_tables()
{
    local table
    for table in cycle enterprise site supplier service endpoint \
        endpoint_address probe voucher_application voucher voucher_line \
        settlement user_side_identifier; do
        [ "$(wc -l <"$1/registry/$table.csv")" -ge 2 ] || return 1
    done
    [ "$(wc -l <"$1/expected.csv")" = 10 ]
}

has_live_rows()
{
    grep -q '^SITE-LIVE,ENT-0001,' "$1/registry-live/site.csv" &&
        grep -Eq '^probe-live,ENT-0001,SITE-LIVE,ed25519,[0-9a-f]{64},' \
            "$1/registry-live/probe.csv"
}

# The last bytes of a batch are its signature; those before it are hashed.
change_byte()
{
    local file=$1/batches/probe-sample-2/000010.ipfix
    printf '\377' | dd of="$file" bs=1 seek=300 conv=notrunc 2>/dev/null
}

make_key
"$tool" "$work/a" --until 2026-11-20 --days 3 --live-keys "$work/live" \
    >"$work/a.out" 2>"$work/a.err"
result $? "three days are written"
has_tables "$work/a"
result $? "every registry table is there"
has_live_rows "$work/a"
result $? "the live probe's rows stand apart, with its key"
sums "$work/a" >"$work/a.sums"
result $? "every batch verifies, in an unbroken chain"
[ "$(grep -c ' 72 batches 1 boots' "$work/a.sums")" = 8 ]
result $? "a probe that was up has a batch for every hour"

"$tool" "$work/b" --until 2026-11-20 --days 3 >/dev/null 2>&1
sums "$work/b" >"$work/b.sums"
cmp -s "$work/a.sums" "$work/b.sums"
result $? "the same arguments give the same records"

change_byte "$work/b"
! sums "$work/b" >/dev/null 2>"$work/b.err" && grep -q 000010 "$work/b.err"
result $? "a changed byte is found, and the file named"

"$tool" "$work/a" >/dev/null 2>"$work/c.err"
[ $? = 1 ] && grep -q "File exists" "$work/c.err"
result $? "an existing folder is left alone"
"$tool" "$work/c" --until yesterday >/dev/null 2>&1
[ $? = 2 ]
result $? "a wrong date is wrong usage"
"$tool" "$work/d" --days 1 --live-keys "$work/nowhere" >/dev/null \
    2>"$work/d.err"
[ $? = 1 ] && grep -q "nowhere/probe-live.sign.pub.pem" "$work/d.err"
result $? "a missing live key is named"

if command -v tshark >/dev/null; then
    [ -z "$(tshark -n -r "$work/a/batches/probe-sample-1/000012.ipfix" \
        -Y _ws.malformed 2>&1 | grep -v 'Running as user')" ]
    result $? "tshark reads a batch and finds nothing malformed"
else
    tap_skip "tshark reads a batch" "tshark is not installed"
fi
tap_end
