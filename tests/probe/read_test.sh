#!/bin/bash
# yz-probe read over the recorded captures: each line of --local as expected
# (GOLDEN=write writes the expectation), totals as tshark counts them, wrong use
# answered in one line, and -w giving a batch that the decoder takes.
. tests/tap.sh
probe=$B/san/bin/yz-probe
data=tests/data/captures
work=$(mktemp -d "$B/read-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
for capture in "$data"/*.pcap; do
    name=$(basename "$capture" .pcap)
    "$probe" read -r "$capture" --local >"$work/$name.jsonl" 2>"$work/errors"
    status=$?
    [ "${GOLDEN:-}" = write ] && cp "$work/$name.jsonl" "$data/$name.jsonl"
    if [ $status -eq 0 ] && [ ! -s "$work/errors" ]; then
        diff -u "$data/$name.jsonl" "$work/$name.jsonl" | sed 's/^/# /'
        result "${PIPESTATUS[0]}" "$name.pcap: flows as expected"
    else
        sed 's/^/# /' "$work/errors"
        result 1 "$name.pcap: flows as expected"
    fi
    keys=$(head -n 1 "$work/$name.jsonl" | grep -o '"[a-z_]*":' | tr -d '":' | tr '\n' ' ')
    [ "$keys" = "start end proto src sport dst dport packets octets rpackets roctets payload rpayload flags rflags vlan name name_source app token fingerprint rtt_ms end_reason rtt_client_ms retransmissions rretransmissions tls_version alpn answered " ]
    result $? "$name.pcap: the keys of --local"
done

if command -v tshark >/dev/null; then
    for capture in "$data"/*.pcap; do
        want=$(tshark -r "$capture" -T fields -E occurrence=f -e ip.len -e ipv6.plen 2>/dev/null |
            awk -F'\t' '{ p++; o += $1 != "" ? $1 : $2 + 40 } END { print p, o }')
        got=$("$probe" read -r "$capture" |
            sed -n 's/.*"packets":\([0-9]*\),"octets":\([0-9]*\).*/\1 \2/p')
        [ "$want" = "$got" ] || echo "# tshark $want, probe $got"
        [ "$want" = "$got" ]
        result $? "$(basename "$capture"): packets and octets as tshark counts"
    done
else
    tap_skip "packets and octets as tshark counts" "no tshark"
fi

"$probe" read -r - --local <"$data/tls.pcap" | cmp -s - "$data/tls.jsonl"
result $? "a capture from standard input"

cat >"$work/endpoints.csv" <<'END'
id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared
erp,a,erp,127.0.0.1,,tcp,443,,,no
END
"$probe" read -r "$data/tls.pcap" -e "$work/endpoints.csv" --local >"$work/some" &&
    [ "$(grep -c '"dport":443,' "$work/some")" -eq 3 ] &&
    ! grep -q '"dport":4433' "$work/some" && grep -q '"filtered":[1-9]' "$work/some"
result $? "PRIV-03: with -e only registered endpoints are seen"

"$probe" read -r "$data/tls.pcap" -w "$work/out.ipfix" >/dev/null &&
    "$probe" show "$work/out.ipfix" >"$work/shown" && [ -s "$work/shown" ] &&
    ! grep -q 'supplier-a.example' "$work/out.ipfix"
result $? "-w: a batch that show reads, without names"

head -c 30000 "$data/tls.pcap" >"$work/cut.pcap"
"$probe" read -r "$work/cut.pcap" --local >"$work/cut" 2>"$work/errors"
[ $? -eq 1 ] && grep -q '"summary"' "$work/cut" && [ "$(wc -l <"$work/errors")" -eq 1 ]
result $? "a capture that is cut off: what was there, one line, status 1"

expect() { # STATUS NAME ARGUMENTS...
    local status=$1 name=$2
    shift 2
    "$probe" "$@" >"$work/out" 2>"$work/errors"
    local got=$?
    [ $got -eq "$status" ] && [ "$(wc -l <"$work/errors")" -eq 1 ] && [ ! -s "$work/out" ]
    local good=$?
    [ $good -eq 0 ] || echo "# status $got: $(cat "$work/errors")"
    result $good "$name"
}
echo 'not a capture, and long enough to be sure' >"$work/text"
expect 2 "no -r is wrong usage" read --local
expect 2 "an unknown option is wrong usage" read -r "$data/tls.pcap" --unknown
expect 1 "a capture that is not there" read -r "$work/none.pcap"
expect 1 "a file that is no capture" read -r "$work/text"
expect 2 "endpoints that are not there" read -r "$data/tls.pcap" -e "$work/none.csv"
expect 2 "a key that is not there" read -r "$data/tls.pcap" -w "$work/x" --key "$work/none.pem"
for id in '' 'a b/../c' "$(printf '%064d' 0)"; do
    expect 2 "'$id' is no probe id" read -r "$data/tls.pcap" -w "$work/x" --probe "$id"
done
"$probe" read -r "$data/tls.pcap" --local >/dev/full 2>"$work/errors"
[ $? -eq 1 ] && [ "$(wc -l <"$work/errors")" -eq 1 ] &&
    grep -q 'standard output: No space left' "$work/errors"
result $? "standard output that is full: one line, status 1"
expect 1 "an output that cannot be written" read -r "$data/tls.pcap" -w "$work/none/x"
tap_end
