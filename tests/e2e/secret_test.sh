#!/bin/bash
# PRIV-02: planted secrets (inside addresses, hardware addresses, page
# addresses, payload, unregistered names) are in a capture of real traffic, and
# nowhere in the bytes of the batch that the probe makes of it, before any
# encryption: not as text, not as bytes, not turned round.
. tests/tap.sh
. tests/demo/certificates.sh
. tests/demo/network.sh
. tests/demo/clients.sh
. tests/demo/secrets.sh

# The service in the clear (port 80) is registered here, so that the probe
# really reads the page address and the payload that it must not tell.
write_endpoints()
{
    printf '%s\n' \
        id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared \
        erp-a,s,erp,$ERP/32,,tcp,"\"80,443\"",2018-01-01,,no \
        erp-a,s,erp,,erp.supplier-a.example,tcp,"\"80,443\"",2018-01-01,,no \
        mes-b,s,mes,$MES/32,,,443,2018-01-01,,no \
        mes-b,s,mes,,mes.supplier-b.example,,443,2018-01-01,,no
}

capture=tests/data/demo.pcap
tap_begin secret
make_signing_key "$demo" batch
write_endpoints >"$demo/endpoints.csv"
patterns=$(secret_patterns $capture)

# A search that finds nothing proves something only if it can find.
finds_each_planted()
{
    local name hex bytes
    while read -r name hex; do
        bytes=$(turn_hex "$hex")
        printf 'before %b after' "$(printf '%s' "$bytes" |
            sed 's/../\\x&/g')" >"$demo/planted"
        ! find_secrets "$patterns" "$demo/planted" >"$demo/found" &&
            grep -qF "holds $name" "$demo/found" || return 1
    done <<<"$patterns"
}

capture_holds()
{
    find_secrets "$patterns" $capture >"$demo/in-capture"
    local name
    for name in address-10.77.0.11 address-10.77.0.12 address-10.77.0.13 mac- \
        path payload name broker broker-address news-address; do
        grep -qF " $name" "$demo/in-capture" || return 1
    done
}

make_batch()
{
    "$bin/yz-probe" read -r $capture -e "$demo/endpoints.csv" \
        -w "$demo/batch.ipfix" --key "$demo/batch.key"
}

# Name evidence 2 is a QUIC Initial's name, 3 an HTTP Host field.
shows_records()
{
    "$bin/yz-probe" show "$demo/batch.ipfix" >"$demo/shown" &&
        grep -q erp-a "$demo/shown" && grep -q mes-b "$demo/shown" &&
        grep -q '"nameEvidence":3' "$demo/shown" &&
        grep -q '"nameEvidence":2' "$demo/shown"
}

tap "the capture holds every kind of planted secret" capture_holds
tap "the search finds each of them, also turned round" finds_each_planted
tap "PRIV-02: the probe makes a batch of this traffic" make_batch
tap "PRIV-02: the batch names endpoints and evidence" shows_records
tap "PRIV-02: none of the secrets is in the batch's bytes" \
    find_secrets "$patterns" "$demo/batch.ipfix"
tap "PRIV-02: none of them is in what yz-probe show prints" \
    find_secrets "$patterns" "$demo/shown"
tap_end
