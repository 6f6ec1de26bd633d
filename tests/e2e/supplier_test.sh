#!/bin/bash
# The supplier's probe from end to end: factory, address translation, cloud.
#
#   pc1..3 ── lan0 [gateway] wan0 ── eth0 cloud: nginx, caddy, mosquitto, DTLS
#             the enterprise's probe      the supplier's probe
#             before masquerade           behind it
#
# Both enrol with codes of the portal and send to one collector, which matches
# what they saw: by token through the translation, else by shape. Then what only
# one side saw: a capture played to the enterprise's probe, read offline.
. tests/tap.sh
. tests/confs.sh
for part in certificates network servers clients; do
    # shellcheck source=/dev/null
    . "tests/demo/$part.sh"
done
tap_begin supplier
title="the supplier's probe sees what the enterprise's saw"
DTLS=203.0.113.14
probe="$build/bin/yz-probe"
portal="$bin/yz-portal"
province=$COLLECTOR_ADDRESS

reason=$(why_no_network)
if [ -z "$reason" ] && ! command -v nft >/dev/null; then
    reason="no nft"
fi
if [ -n "$reason" ]; then
    tap_skip "$title" "$reason"
    tap_end
    exit 0
fi
leave_network()
{
    end_spawned
    remove_namespaces $$
}
trap leave_network EXIT

# --- the network, with address translation ---

translate()
{
    net_exec gateway nft add table ip nat &&
        net_exec gateway nft \
            'add chain ip nat out { type nat hook postrouting priority 100; }' &&
        net_exec gateway nft add rule ip nat out oifname wan0 masquerade random
}

# in_network NAME NAMESPACE COMMAND...: in the background
in_network()
{
    # shellcheck disable=SC2046
    spawn "$1" $(net_prefix "$2") "${@:3}"
}

serve_datagrams()
{
    net_ip cloud address add $DTLS/24 dev eth0 || return 1
    # Its standard input is what it would say; silence, and no end.
    in_network dtls cloud sh -c "sleep 120 | exec openssl s_server -dtls -quiet \
        -accept $DTLS:4433 -cert '$demo/keys/erp.pem' -key '$demo/keys/erp.key'"
}

if ! make_network || ! translate; then
    tap_skip "$title" "no address translation here"
    tap_end
    exit 0
fi
tap "certificates" make_demo_certificates "$demo/keys" unused
write_hosts >"$demo/hosts"
tap "the cloud's servers listen" start_servers "$demo/servers"
tap "... and one that speaks DTLS" serve_datagrams

# --- the province ---

write_registry() # FOLDER
{
    mkdir -p "$1"
    cp tests/portal/registry/{enterprise,site,supplier}.csv "$1"
    cat >"$1/service.csv" <<END
id,supplier_id,item_no,class,name_zh,name_en
erp,SUP-1,9,A,云进销存,Cloud stock control
mes,SUP-1,2,A,云制造执行,Cloud manufacturing execution
machines,SUP-1,2,B,设备监控云,Equipment monitoring cloud
other,SUP-2,2,B,设备监控云,Equipment monitoring cloud
END
    cat >"$1/endpoint.csv" <<END
id,service_id,protocol,ports,is_shared,valid_from,valid_to
erp-tls,erp,tcp,443,0,2026-01-01,
erp-plain,erp,tcp,80,0,2026-01-01,
mes,mes,udp,443,0,2026-01-01,
machines,machines,tcp,8883,0,2026-01-01,
datagrams,machines,udp,4433,0,2026-01-01,
foreign,other,tcp,443,0,2026-01-01,
END
    cat >"$1/endpoint_address.csv" <<END
endpoint_id,address,host
erp-tls,$ERP,
erp-plain,$ERP,
mes,$MES,
machines,$MQTT,
datagrams,$DTLS,
foreign,$NEWS,
END
}

write_confs()
{
    portal_conf >"$demo/portal.conf"
    enrolment_conf $province:8443 $province:4740 >>"$demo/portal.conf"
    collector_conf $province:4740 >"$demo/collector.conf"
}

write_probe_conf() # FOLDER INTERFACE
{
    mkdir -p "$1/state"
    cat >"$1/probe.conf" <<END
interface = $2
endpoints = $demo/endpoints.csv
probe_id =
collector =
collector_name =
state = state
batch_period_s = 2
idle_timeout_s = 3
active_timeout_s = 10
ca = identity/ca.pem
certificate = identity/probe.pem
tls_key = identity/probe.key
signing_key = identity/batch.key
receipt_key = identity/receipt.pub
END
}

with_portal() # WORD... -- OPTION...: a command of the portal
{
    "$portal" "$1" ${2:+"$2"} -c "$demo/portal.conf" "${@:3}"
}

fill_province()
{
    with_portal load "" rules/guangdong-2018 &&
        with_portal load "" --sample "$demo/registry" &&
        with_portal authority init &&
        with_portal authority issue --name $province --out "$demo/est" &&
        with_portal authority issue --name collector.example \
            --out "$demo/collector" &&
        with_portal endpoints "" >"$demo/endpoints.csv"
}

is_up() { grep -q "$2" "$demo/log/$1.log"; }
sql() { sqlite3 -readonly -cmd '.timeout 5000' "$demo/usage.db" "$1"; }

write_registry "$demo/registry"
write_confs
make_signing_key "$demo" receipt
tap "the registry, an authority" fill_province
net_ip province route add default via 192.0.2.1
in_network portal province "$portal" run -c "$demo/portal.conf"
in_network collector province "$bin/yz-collector" run -c "$demo/collector.conf"
tap "the portal runs" await 30 is_up portal 'enrolment on'
tap "the collector runs" await 30 is_up collector 'listening'

# --- two probes join ---

code_issue() { with_portal code issue --agreed 2026-01-01 "$@"; }
fingerprint=$(with_portal authority show | sed -n 's/ *fingerprint *//p')

join() # NAME NAMESPACE INTERFACE OWNER...
{
    local code
    write_probe_conf "$demo/$1" "$3"
    code=$(code_issue "${@:4}" | head -n 1)
    net_exec "$2" timeout 60 "$probe" enrol -c "$demo/$1/probe.conf" --lang en \
        --portal "https://$province:8443" --code "$code" \
        --fingerprint "$fingerprint"
}

# complains STATUS WORD COMMAND...
complains()
{
    local status=$1 word=$2 got=0
    shift 2
    "$@" >"$demo/said" 2>&1 </dev/null || got=$?
    cat "$demo/said"
    [ $got = "$status" ] && grep -qF -- "$word" "$demo/said"
}

id_of() { sed -n 's/^probe_id = //p' "$demo/$1/probe.conf"; }

tap "no code for an unknown supplier" complains 1 "no supplier 'SUP-9'" \
    code_issue --supplier SUP-9
tap "a probe is an enterprise's or a supplier's" complains 2 "whose probe" \
    code_issue --supplier SUP-1 --enterprise ENT-1 --site SITE-1
tap "the enterprise's probe enrols" join factory gateway lan0 \
    --enterprise ENT-1 --site SITE-1
tap "the supplier's probe enrols" join cloud cloud eth0 --supplier SUP-1
tap "a supplier's probe does not move to an enterprise" complains 1 \
    "belongs to supplier 'SUP-1'" code_issue --enterprise ENT-1 \
    --site SITE-1 --probe "$(id_of cloud)"
tap "... nor an enterprise's to a supplier" complains 1 "site 'SITE-1'" \
    code_issue --supplier SUP-1 --probe "$(id_of factory)"

start_probe() # NAME NAMESPACE
{
    in_network "$1" "$2" "$probe" run -c "$demo/$1/probe.conf"
    eval "$1_pid=$spawned"
    await 30 is_up "$1" 'in force'
}
tap "the enterprise's probe runs" start_probe factory gateway
tap "the supplier's probe runs" start_probe cloud cloud

# --- traffic ---

send_datagrams() # HOST: a DTLS session, of which there is no token
{
    {
        sleep 0.5
        echo "pressure 7"
        sleep 1
    } | on_host "$1" timeout 20 openssl s_client -dtls \
        -connect $DTLS:4433 -quiet -no_ign_eof >/dev/null 2>&1
    return 0
}

# One connection that is silent for longer than the idle timeout.
read_slowly()
{
    browse "$1" --rate 12/m https://erp.supplier-a.example/ \
        https://erp.supplier-a.example/list.html
}

# With a download that goes on for longer than the active timeout: each side
# cuts it at moments of its own.
work()
{
    local i download
    download_report pc1 25000 &
    download=$!
    read_slowly pc2 &
    for i in 1 2 3 4; do
        work_round $i || return 1
        send_datagrams pc$((i % 3 + 1))
    done
    wait $! && wait $download
}
stop() { kill -TERM "$1" && await 20 has_ended "$1"; }
spools_are_empty()
{
    [ -z "$(find "$demo"/{factory,cloud}/state/spool -type f)" ]
}
tap "curl, an HTTP/3 client, mosquitto_pub and DTLS work" work
sleep 4
tap "the enterprise's probe ends" stop "$factory_pid"
tap "the supplier's probe ends" stop "$cloud_pid"
tap "nothing waits to be sent" spools_are_empty

# --- what the collector makes of it ---

today=$(TZ=Asia/Shanghai date +%F)
tomorrow=$(TZ=Asia/Shanghai date -d tomorrow +%F)
with_collector() { "$bin/yz-collector" "$1" -c "$demo/collector.conf" "${@:2}"; }
match() { with_collector match --from "$today" --to "$tomorrow" "$@"; }
said() # ENDPOINT COLUMN
{
    sql "SELECT sum($2) FROM match_day WHERE endpoint_id = '$1'"
}
all_matched() # ENDPOINT HOW: every connection, of at least one
{
    local n
    n=$(said "$1" flows)
    match
    [ "${n:-0}" -gt 0 ] && [ "$(said "$1" "matched_by_$2")" = "$n" ]
}
octets_are_equal()
{
    match
    [ "$(said "$1" octets)" -gt 0 ] &&
        [ "$(said "$1" octets)" = "$(said "$1" matched_octets)" ]
}
json_says() # HOW MANY endpoints are matched by 100 %
{
    match --json --enterprise ENT-1 | tee "$demo/match.json"
    [ "$(sqlite3 :memory: "SELECT count(*) FROM json_each(readfile(
        '$demo/match.json')) WHERE value ->> 'matched_share' = 1 AND
        value ->> 'supplier' = 'SUP-1'")" = "$1" ]
}
# Usage holds the enterprise's own records alone.
is_not_added()
{
    with_collector usage --enterprise ENT-1 --from "$today" --to "$tomorrow" \
        --json | tee "$demo/usage.json"
    [ "$(sqlite3 :memory: "SELECT json(readfile('$demo/usage.json')) ->>
        '$.sample_total.flows'")" = "$(records_of probe)" ] &&
        [ "$(records_of supplier_probe)" -gt 0 ] &&
        [ "$(sql "SELECT group_concat(DISTINCT source) FROM usage")" = probe ]
}
records_of()
{
    sql "SELECT sum(record_count) FROM ledger WHERE source = '$1' AND is_counted"
}
foreign_event()
{
    with_collector events | tee "$demo/events"
    grep 'foreign' "$demo/events" | grep -q "$(id_of cloud)"
}

tap "yz-collector match" match
tap "TLS: every connection by its token, through the translation" \
    all_matched erp-tls token
tap "... octet for octet" octets_are_equal erp-tls
tap "QUIC: every connection by its token" all_matched mes token
tap "MQTT over TLS: the same" all_matched machines token
tap "HTTP in the clear: by shape" all_matched erp-plain shape
tap "DTLS over UDP: by shape" all_matched datagrams shape
tap "--json says 100 % of each" json_says 5
tap "what the supplier saw is not added to the enterprise's" is_not_added
tap "what it says of another supplier's endpoint is an event" foreign_event
tap "ledger, log and usage agree" with_collector check
tap_end
