# For the scripts of this folder: a collector that receives routers on the
# loopback, its registry with one exporter, and what it counted.
#
#   . tests/collector/netflow/rig.sh
#   tap_begin NAME
#   rig_make                    keys, portal.db, endpoints.csv, collector.conf
#   rig_start && rig_stop       $udp_port, $tcp_port, $collector_pid
#   rig_counted                 "flows octets packets" of the router's source
#   rig_fresh                   an empty usage.db and archive
. tests/tap.sh
. tests/demo/certificates.sh

netflow_tool=$build/tools/netflow_tool

rig_registry()
{
    cat portal/store/001-registry.sql portal/store/003-exporter.sql
    cat <<'END'
INSERT INTO city (code, name_zh, name_en) VALUES ('441500', '汕尾', 'Shanwei');
INSERT INTO enterprise (id, name_zh, name_en, credit_code, city_code)
    VALUES ('ENT-1', '一', 'One', '91441500MA00000001', '441500');
INSERT INTO site (id, enterprise_id, name_zh, name_en, city_code)
    VALUES ('SITE-1', 'ENT-1', '厂', 'Plant', '441500');
INSERT INTO exporter (id, address, enterprise_id, site_id, agreed_at)
    VALUES ('router-1', '127.0.0.1', 'ENT-1', 'SITE-1', 0);
PRAGMA journal_mode = WAL;
END
}

rig_conf()
{
    cat <<END
listen = 127.0.0.1:$tls_port
ca = $demo/keys/programme-ca.pem
certificate = $demo/keys/collector.pem
tls_key = $demo/keys/collector.key
receipt_key = $demo/keys/receipt.key
registry = $demo/portal.db
usage_db = $demo/usage.db
archive = $demo/archive
netflow_udp = 127.0.0.1:$udp_port
ipfix_tcp = 127.0.0.1:$tcp_port
endpoints = $demo/endpoints.csv
secret = $demo/secret
batch_period_s = 1
metrics = unix:$demo/metrics
END
}

# rig_make ENDPOINTS.csv
rig_make()
{
    make_demo_certificates "$demo/keys" probe-1 >"$demo/log/keys.log" 2>&1 &&
        rig_registry | sqlite3 "$demo/portal.db" >"$demo/log/portal.log" &&
        cp "$1" "$demo/endpoints.csv" || return 1
    tls_port=$(free_port) && tcp_port=$(free_port) && udp_port=$(free_port)
    rig_conf >"$demo/collector.conf"
}

rig_listens()
{
    is_running "$collector_pid" &&
        [ -n "$(ss -Hltn "sport = :$tls_port")" ] &&
        [ -n "$(ss -Hlun "sport = :$udp_port")" ]
}

rig_start()
{
    spawn collector "$bin/yz-collector" run -c "$demo/collector.conf"
    collector_pid=$spawned
    await 10 rig_listens
}

# The whole way out: what was received is batched and stored.
rig_stop()
{
    kill -TERM "$collector_pid" && await 20 has_ended "$collector_pid"
}

rig_sql() { sqlite3 -separator ' ' "$demo/usage.db" "$1"; }

rig_counted()
{
    rig_sql "SELECT sum(flows), sum(octets + roctets),
        sum(packets + rpackets) FROM usage WHERE source = 'router'"
}

rig_fresh() { rm -rf "$demo"/usage.db* "$demo/archive"; }
