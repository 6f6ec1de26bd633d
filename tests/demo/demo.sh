#!/bin/bash
# The demo: from a packet to a completion table, on one machine, with nothing
# of the machine's own network involved.
#
#   1. a network of namespaces with real servers (network.sh, servers.sh)
#   2. a month of generated history through the collector (history.sh)
#   3. real traffic past the probe, the collector killed meanwhile (live.sh),
#      counts held against tshark's (compare.sh)
#   4. verdicts and completion tables (verdicts.sh)
#   5. the portal (pages.sh), which then serves until Ctrl-C
#
# Without root or namespaces a capture that this same demo recorded takes the
# place of step 3's traffic (replay.sh).
#
#   B            build folder; everything made goes to $B/demo
#   DEMO_EXIT=1  ends after the checks; exit status 0 when all of them hold
#   DEMO_RECORD=FILE  keeps the live capture as FILE (for the replay)
#   DEMO_REPLAY=1 takes the recorded traffic even where live is possible
#   DEMO_BIN, DEMO_TOOLS  folders of programs and tools: $B/bin, $B/tools
#
# Exit status: 0 all checks hold, 1 one does not, 130 interrupted. Processes
# and namespaces are removed on every way out.
set -u
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C.UTF-8
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
build=${B:-build}
mkdir -p "$build" && build=$(cd "$build" && pwd) || exit 1
bin=${DEMO_BIN:-$build/bin}
tools=${DEMO_TOOLS:-$build/tools}
PATH=$PATH:/usr/sbin:/sbin

for part in checks processes certificates network servers clients programs \
    history live replay compare secrets verdicts pages; do
    # shellcheck source=/dev/null
    . "tests/demo/$part.sh"
done

# make_folder: $build/demo, or one beside it when another demo is at work there.
make_folder()
{
    demo=$build/demo
    exec 9>"$build/demo.lock" || exit 1
    if ! flock -n 9; then
        demo=$build/demo-$$
        is_extra_folder=1
    fi
    rm -rf "$demo"
    mkdir -p "$demo/log" || exit 1
}

clean_up()
{
    local status=$?
    trap '' INT TERM HUP
    end_spawned
    remove_namespaces $$
    if [ -n "${is_extra_folder:-}" ] && [ "$failed_count" = 0 ]; then
        rm -rf "$demo"
    fi
    exit $status
}

prepare()
{
    title "1. Keys, certificates, a registry"
    check "two authorities and a certificate for each party are made" \
        make_demo_certificates "$demo/keys" "$PROBE_ID" ||
        give_up "no certificates" "$demo/keys/openssl.log"
    write_confs "$COLLECTOR_ADDRESS"
    load_registry
}

live_part()
{
    title "3. Real traffic, live"
    say "Three hosts of an enterprise use four services in the cloud. Two are" \
        "registered; the other two are nobody's business, so the kernel drops" \
        "their packets before the probe's process could read them."
    start_network_and_servers
    run_live
    check_live
}

start_network_and_servers()
{
    remove_leftovers
    check "namespaces: three hosts, a gateway, a cloud, a province" \
        make_network || give_up "no network"
    check "nginx (TLS 1.3), caddy (HTTP/3), mosquitto (TLS), nginx answer" \
        start_servers "$demo/servers" || give_up "no servers"
    write_hosts >"$demo/hosts"
}

serve()
{
    title "Running until Ctrl-C"
    say "portal   $portal_url" "files    $demo"
    while is_running "$portal_pid"; do
        sleep 1
    done
    echo "the portal has ended; see $demo/log/portal.log" >&2
    exit 1
}

finish()
{
    title "Result"
    say "$((check_count - failed_count)) of $check_count checks hold."
    [ -z "$no_network" ] ||
        say "Not shown on this machine: live capture ($no_network)."
    [ "$failed_count" = 0 ] || say "Logs are in $demo/log."
    [ "${DEMO_EXIT:-}" = 1 ] || serve
    [ "$failed_count" = 0 ]
}

main()
{
    make_folder
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    no_network=$(why_no_network)
    [ -z "${DEMO_REPLAY:-}" ] || no_network="DEMO_REPLAY is set"
    echo "Yunzheng demo: from a packet to a completion table"
    prepare
    history_part
    if [ -z "$no_network" ]; then
        live_part
    else
        replay_part
    fi
    verdict_part
    portal_part
    finish
}

main
