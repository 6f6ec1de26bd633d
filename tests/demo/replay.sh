# Recorded traffic in place of live: where there are no namespaces, or no root.
#
# The capture was made by this demo (DEMO_RECORD). Its times are moved to now;
# apart from that it takes the path of any capture file through the probe.

RECORDED=tests/data/demo.pcap

# The time of the first packet in whole seconds.
first_second()
{
    tshark -n -r "$1" -c 1 -T fields -e frame.time_epoch 2>/dev/null |
        cut -d. -f1
}

# move_to_now: the recorded traffic ended a moment ago.
move_to_now()
{
    local first
    first=$(first_second $RECORDED) && [ -n "$first" ] &&
        editcap -t $(($(date +%s) - 60 - first)) $RECORDED "$demo/own.pcap"
}

read_recorded()
{
    mkdir -p "$demo/probe/sent" &&
        probe read -r "$demo/own.pcap" -e "$demo/endpoints.csv" \
            -w "$demo/probe/sent/1.ipfix" --key "$demo/keys/batch.key" \
            --probe "$PROBE_ID"
}

import_recorded() { collector import "$demo/probe/sent"; }

replay_part()
{
    title "3. Recorded traffic"
    say "No live capture here: $no_network." \
        "A capture that this demo recorded elsewhere takes its place."
    not_shown "live capture behind the kernel filter"
    not_shown "sending over TLS with receipts, and killing the collector"
    check "the recorded capture is taken as if it were now" move_to_now ||
        give_up "no capture"
    check "yz-probe read makes a signed batch of it" read_recorded ||
        give_up "no batch"
    check "yz-collector import verifies and counts it" import_recorded
    check "usage.db equals tshark, to the packet and octet, each way" \
        counts_equal "$demo/own.pcap"
    print_counts
    check "yz-probe show prints what left: endpoint ids, counts, evidence" \
        show_sent
    check "no inside address, MAC, page, payload or foreign name is in it" \
        no_secrets_sent "$demo/own.pcap"
    print_record
    check "yz-collector check: ledger, chain, archive and Merkle tree agree" \
        collector check
}
