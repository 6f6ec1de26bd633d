#!/bin/bash
# One capture, read by an enterprise's probe and by its supplier's: the files of
# both are imported, and every connection is matched. Then what only one side
# saw: the capture replayed a day earlier. No root needed.
. tests/tap.sh
. tests/confs.sh
. tests/demo/certificates.sh
tap_begin two-probes
. tests/demo/replay.sh
probe="$build/bin/yz-probe"
portal="$bin/yz-portal"
for tool in editcap tshark; do
    command -v $tool >/dev/null && continue
    tap_skip "one capture, two probes" "no $tool"
    tap_end
    exit 0
done

# --- a registry with three probes ---

keys=$demo/keys
mkdir "$keys"
for name in factory copied cloud receipt; do
    make_signing_key "$keys" $name
done
mkdir "$demo/registry"
cp tests/portal/registry/{enterprise,site,supplier,service}.csv "$demo/registry"
cat >"$demo/registry/endpoint.csv" <<END
id,service_id,protocol,ports,is_shared,valid_from,valid_to
erp,erp-test,tcp,443,0,2026-01-01,
mes,erp-test,udp,443,0,2026-01-01,
END
cat >"$demo/registry/endpoint_address.csv" <<END
endpoint_id,address,host
erp,203.0.113.10,
mes,203.0.113.11,
END
{
    echo id,enterprise_id,site_id,algorithm,signing_key,agreed_at,denied_at
    for line in factory,ENT-1,SITE-1 copied,ENT-2,SITE-2; do
        echo "$line,ed25519,$(public_key_hex "$keys/${line%%,*}.pub"),2026-01-01T00:00:00+08:00,"
    done
} >"$demo/registry/probe.csv"
{
    echo id,supplier_id,algorithm,signing_key,agreed_at,denied_at
    echo "cloud,SUP-1,ed25519,$(public_key_hex "$keys/cloud.pub"),2026-01-01T00:00:00+08:00,"
} >"$demo/registry/supplier_probe.csv"
portal_conf >"$demo/portal.conf"
collector_conf 127.0.0.1:4740 "$keys/none" "$keys/receipt.key" \
    >"$demo/collector.conf"
fill_registry()
{
    "$portal" load -c "$demo/portal.conf" rules/guangdong-2018 &&
        "$portal" load -c "$demo/portal.conf" --sample "$demo/registry" &&
        "$portal" endpoints -c "$demo/portal.conf" >"$demo/endpoints.csv"
}

# --- captures and what the probes make of them ---

read_as() # PROBE CAPTURE
{
    "$probe" read -r "$2" -e "$demo/endpoints.csv" -w "$demo/$1.ipfix" \
        --key "$keys/$1.key" --probe "$1"
}
with_collector() { "$bin/yz-collector" "$1" -c "$demo/collector.conf" "${@:2}"; }
import_as() # SOURCE FILE
{
    with_collector import --as "$1" "$2"
}
first_day=$(TZ=Asia/Shanghai date -d '2 days ago' +%F)
last_day=$(TZ=Asia/Shanghai date -d tomorrow +%F)
match()
{
    with_collector match --from "$first_day" --to "$last_day" "$@"
}
say() # ENTERPRISE EXPRESSION
{
    sqlite3 -readonly "$demo/usage.db" \
        "SELECT $2 FROM match_day WHERE enterprise_id = '$1'"
}
day_before()
{
    editcap -t -86400 "$demo/own.pcap" "$demo/before.pcap"
}

tap "a registry with an enterprise's probe and its supplier's" fill_registry
tap "a recorded capture, moved to now" move_to_now
tap "... and to the day before" day_before
tap "the enterprise's probe reads it" read_as factory "$demo/own.pcap"
tap "the supplier's probe reads it, too" read_as cloud "$demo/own.pcap"
tap "import of its batch" import_as enterprise-probe "$demo/factory.ipfix"
tap "import --as supplier-probe" import_as supplier-probe "$demo/cloud.ipfix"
all_by_token()
{
    match
    [ "$(say ENT-1 "sum(flows)")" -gt 4 ] &&
        [ "$(say ENT-1 "sum(flows) = sum(matched_by_token)")" = 1 ] &&
        [ "$(say ENT-1 "sum(octets) = sum(matched_octets)")" = 1 ]
}
tap "match: each connection by its token, octet for octet" all_by_token
says_all()
{
    match --json | tee "$demo/match.json"
    [ "$(sqlite3 :memory: "SELECT min(value ->> 'matched_share') = 1 AND
        count(*) >= 2 FROM json_each(readfile('$demo/match.json'))")" = 1 ]
}
tap "--json: a share of 1" says_all
again() { import_as supplier-probe "$demo/cloud.ipfix" && all_by_token; }
tap "the supplier's file once more changes nothing" again

# --- what only one side saw ---

none_matched()
{
    match
    [ "$(say ENT-2 "sum(flows)")" = "$(say ENT-1 "sum(flows)")" ] &&
        [ "$(say ENT-2 "sum(matched_by_token + matched_by_shape)")" = 0 ]
}
tap "another enterprise's probe reads the capture of the day before" \
    read_as copied "$demo/before.pcap"
tap "and its batch is imported" import_as enterprise-probe "$demo/copied.ipfix"
tap "nothing of it is matched" none_matched
tap "the first enterprise's stays" all_by_token
tap "ledger, log and usage agree" with_collector check
tap_end
