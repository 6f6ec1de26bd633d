#!/bin/bash
# yz-collector import --as router: an IPFIX file counts once, however often it
# is imported, as the same messages would over the network; what is wrong with
# it is named and nothing of it counts.
. tests/collector/netflow/rig.sh

import() { "$bin/yz-collector" import -c "$demo/collector.conf" "$@" 2>&1; }

says() # WORD STATUS COMMAND...
{
    local word=$1 wanted=$2 status=0
    shift 2
    "$@" >"$demo/said" 2>&1 || status=$?
    cat "$demo/said"
    [ $status = "$wanted" ] && grep -qF -- "$word" "$demo/said"
}

as_router() { import --as router --exporter router-1 "$@"; }
counts() { [ "$(rig_counted | cut -d ' ' -f 1)" = "$1" ]; }

tap_begin netflow-import
"$netflow_tool" make "$demo/good.ipfix" 50 "$demo/registered.csv" 100 &&
    rig_make "$demo/registered.csv" || { echo "Bail out!"; exit 1; }
head -c 700 "$demo/good.ipfix" >"$demo/cut.ipfix"

tap "a cut file is named" says "cut.ipfix: message at byte 0" 1 \
    as_router "$demo/cut.ipfix"
tap "a file that is none is named" says "neither NetFlow" 1 \
    as_router /bin/true
tap "an exporter that is not registered is named" says "not registered" 1 \
    import --as router --exporter nobody "$demo/good.ipfix"
tap "a router needs its name" says "belong together" 2 \
    import --as router "$demo/good.ipfix"
tap "a file is counted" says "1 counted" 0 as_router "$demo/good.ipfix"
tap "25 biflows of 50 records" counts 25
tap "and counts once" says "1 repeated" 0 as_router "$demo/good.ipfix"
tap "25 biflows still" counts 25
tap "ledger, archive and usage agree" \
    "$bin/yz-collector" check -c "$demo/collector.conf"
tap_end
