#!/bin/bash
# An older list of endpoints that is rightly signed: a portal.db put back from a
# copy, handed on by a real collector. The running probe refuses it, says so
# everywhere, keeps its list and goes on delivering; also after a restart, and
# when the restored portal uses a number twice. Then the province goes on.
. tests/tap.sh
tap_begin rollback
title="a list that was set back is refused"
portal_signs=yes
. tests/probe/province.sh
portal_pid=${spawned_pids[0]} collector_pid=${spawned_pids[1]}

# --- a probe with the list number 2 ---

home=$demo/gateway
write_probe_conf "$home"
echo "metrics = 127.0.0.1:19465" >>"$home/probe.conf"
issue
publish() { "$portal" registry publish -c "$demo/portal.conf" "$@"; }
# service NAME ADDRESS: one more in the registry.
service()
{
    mkdir -p "$demo/$1"
    { head -n 1 tests/portal/registry/endpoint.csv
      sed -n "s/^erp-1,/$1,/p" tests/portal/registry/endpoint.csv
    } >"$demo/$1/endpoint.csv"
    { head -n 1 tests/portal/registry/endpoint_address.csv
      sed -n "s/^erp-1,203.0.113.10/$1,$2/p" \
          tests/portal/registry/endpoint_address.csv
    } >"$demo/$1/endpoint_address.csv"
    "$portal" load -c "$demo/portal.conf" --sample "$demo/$1"
}
tap "number 1 is published" publish
tap "the probe enrols" enrol "$home" --fingerprint "$fingerprint"
id=$(sql portal "SELECT probe_id FROM certificate")
status_says() { "$probe" status -c "$home/probe.conf" --lang "${2:-en}" \
    >"$demo/status"; grep -q -- "$1" "$demo/status" ||
    { cat "$demo/status"; return 1; }; }
metric_is() { inside curl -s http://127.0.0.1:19465/metrics >"$demo/metrics"
    grep -qx -- "yunzheng_probe_$1" "$demo/metrics" ||
    { grep registry "$demo/metrics"; return 1; }; }
goes_on() { local n; n=$(batches) && await 20 more_than "$n"; }
has_list() { "$portal" endpoints -c "$demo/portal.conf" |
    cmp - "$home/state/endpoints.csv"; }
tap "it runs" start_probe || { tap_end; exit; }
tap "its status names number 1" await 120 status_says \
    '^Registry *number 1, issued .*confirmed by the collector'
sqlite3 "$demo/portal.db" ".backup '$demo/backup.db'"
service erp-2 203.0.113.20 >/dev/null
tap "number 2 is published" publish
tap "the probe takes it" await 40 has_list
cp "$home/state/endpoints.csv" "$demo/list-2"
tap "its status names number 2" await 120 status_says '^Registry *number 2, '

# --- portal.db is put back ---

start_province()
{
    : >"$demo/log/portal.log"
    : >"$demo/log/collector.log"
    spawn portal ip netns exec "$space" "$portal" run -c "$demo/portal.conf"
    portal_pid=$spawned
    spawn collector ip netns exec "$space" "$bin/yz-collector" run \
        -c "$demo/collector.conf"
    collector_pid=$spawned
    await 30 portal_is_up && await 30 collector_is_up
}
stop_province()
{
    kill -TERM "$portal_pid" "$collector_pid"
    await 20 has_ended "$portal_pid" && await 20 has_ended "$collector_pid"
}
put_back()
{
    stop_province || return 1
    rm -f "$demo"/portal.db*
    cp "$demo/backup.db" "$demo/portal.db"
    start_province
}
keeps_list() { cmp "$home/state/endpoints.csv" "$demo/list-2"; }
tap "portal.db is put back from a copy, and collector and portal start" put_back
tap "the probe refuses the old list" await 60 logged \
    'list of endpoints number 1 from the collector: refused: it is older'
tap "the collector names a probe that knows more" await 20 logged \
    "knows the list of endpoints number 2, the newest here is 1" collector
tap "the list stays" keeps_list
tap "and batches go on" goes_on
tap "on the same connection: nothing is refused again and again" test \
    "$(grep -c 'number 1 from the collector: refused' "$demo/log/probe.log")" = 1
tap "the status says what, and what to do" await 120 status_says \
    "list number 1 (issued .*) is refused: it is older"
tap "... also who" status_says 'yz-portal registry publish --serial N, N above 2'
tap "... in Chinese" status_says '登记表第 1 号（签发于 .*）已拒用' zh
says_json()
{
    "$probe" status -c "$home/probe.conf" --json >"$demo/status.json"
    cat "$demo/status.json"
    [ "$(sqlite3 :memory: "SELECT json(readfile('$demo/status.json')) ->>
        '$.registry.refused.kind', json(readfile('$demo/status.json')) ->>
        '$.registry.refused.serial'")" = 'older|1' ]
}
tap "... as JSON" says_json
tap "the metrics say so" metric_is 'registry_refused{reason="older"} 1'
tap "... and the number that is known" metric_is 'registry_known_serial 2'

# --- a restart of the probe ---

tap "the probe is stopped" stop_probe
tap "and starts again" start_probe
tap "it still refuses" await 60 logged 'number 1 from the collector: refused'
tap "with the list that it had" keeps_list
tap "and goes on" goes_on

# --- the restored portal uses number 2 for something else ---

service erp-3 203.0.113.30 >/dev/null
tap "the restored portal publishes another number 2" publish
tap "which the probe refuses as well" await 60 logged \
    'number 2 from the collector: refused: it is another than the one known'
tap "the list stays" keeps_list
tap "the metrics name it" metric_is 'registry_refused{reason="another"} 1'
tap "the metrics drop the reason before" metric_is \
    'registry_refused{reason="older"} 0'

# --- the province goes on ---

complains_of_number() { complains 1 "$2" "$portal" registry publish \
    -c "$demo/portal.conf" --serial "$1"; }
tap "a number that was used is not given again" complains_of_number 2 \
    'the newest version is 2'
tap "nor one from which numbers would end" complains_of_number \
    9000000000000000000 'by at most'
tap "the same list goes out above all that probes know" publish --serial 20261125
tap "the probe takes it, and no hand touched it" await 60 has_list
tap "its status names the number and refuses nothing" await 120 status_says \
    '^Registry *number 20261125, '
tap "nothing is refused any more" sh -c "! grep -q 'is refused' '$demo/status'"
service erp-4 203.0.113.40 >/dev/null
tap "from there numbers count up" sh -c "'$portal' registry publish \
    -c '$demo/portal.conf' | grep -q '^version 20261126 '"
tap "and the probe follows" await 60 has_list
tap "batches go on" goes_on
tap "the probe ends in good order" stop_probe

# --- one probe by hand ---

tap "by hand, without its memory, it would take any number" sh -c "
    rm '$home/state/registry-serial' '$home/state/endpoints.csv'"
tap "it starts with the file that it was given first" start_probe
tap "and takes the newest list" await 60 has_list
stop_probe
tap_end
