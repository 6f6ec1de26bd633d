# The registry, and a month of history for sample enterprises.
#
# history_tool (tests/demo/history_tool.c) generates it: signed batches from
# probes of made-up enterprises with different habits. They enter through the
# same collector as everything else and stay marked as demo data wherever they
# count.

load_registry()
{
    check "history_tool generates sample enterprises and their batches" \
        make_history ||
        give_up "no history"
    check "yz-portal load: the programme's rules and catalogue" \
        portal load rules/guangdong-2018 || give_up "no rules"
    check "yz-portal load --sample: the sample enterprises" \
        portal load --sample "$demo/history/registry" || give_up "no registry"
    check "yz-portal load: the enterprise with the live probe" \
        portal load "$demo/history/registry-live" ||
        give_up "no registry"
    check "yz-portal endpoints: the list for the probe" list_endpoints ||
        give_up "no endpoints"
}

make_history()
{
    cp "$demo/keys/batch.pub" "$demo/keys/$PROBE_ID.sign.pub.pem" &&
        "$tools/history_tool" "$demo/history" --live-keys "$demo/keys" \
            --live-probe "$PROBE_ID"
}

list_endpoints()
{
    portal endpoints >"$demo/endpoints.csv" &&
        grep -q '^erp-a,' "$demo/endpoints.csv" &&
        grep -q '^mes-b,' "$demo/endpoints.csv"
}

history_batches() { find "$demo/history/batches" -name '*.ipfix' | sort; }

import_history()
{
    history_batches >"$demo/batches.txt" && [ -s "$demo/batches.txt" ] &&
        xargs -d '\n' "$bin/yz-collector" import -c "$demo/collector.conf" \
            <"$demo/batches.txt"
}

# every_batch_counted: each file of the history is one ledger row, counted.
every_batch_counted()
{
    local rows
    rows=$(sqlite3 -readonly "$demo/usage.db" \
        'SELECT count(*) FROM ledger WHERE is_counted AND is_sample')
    echo "$rows rows for $(wc -l <"$demo/batches.txt") batches"
    [ "$rows" = "$(wc -l <"$demo/batches.txt")" ]
}

history_part()
{
    title "2. A month of history, generated and marked as demo data"
    say "Office staff on an ERP, three shifts on a MES, machine telemetry, too" \
        "little use, a script that pretends to be staff, a replay: as signed" \
        "batches, through the same collector as live ones."
    check "yz-collector import takes every batch" import_history
    check "each batch is in the ledger once, marked as demo data" \
        every_batch_counted
}
