#!/bin/bash
# From a capture file through all four programs to a rendered page, on local
# sockets and without root: the demo as it runs where there are no namespaces.
. tests/tap.sh
tap_begin replay
tap_demo DEMO_REPLAY=1
tap_end
