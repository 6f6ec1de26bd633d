#!/bin/bash
# The whole demo with live traffic in network namespaces; each of its checks is
# a case. Skipped with the reason where namespaces cannot be used.
. tests/tap.sh
. tests/demo/network.sh
tap_begin namespaces
reason=$(why_no_network)
if [ -n "$reason" ]; then
    tap_skip "the demo with live traffic" "$reason"
else
    tap_demo
fi
tap_end
