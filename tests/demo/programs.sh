# The four programs: their configuration, their data, their start.

PROBE_ID=probe-live
COLLECTOR_PORT=4740

write_probe_conf()
{
    cat <<END
interface = lan0
endpoints = $demo/endpoints.csv
probe_id = $PROBE_ID
state = $demo/probe
collector = $COLLECTOR_ADDRESS:$COLLECTOR_PORT
collector_name = collector.yunzheng.example
ca = $demo/keys/programme-ca.pem
certificate = $demo/keys/probe.pem
tls_key = $demo/keys/probe.key
signing_key = $demo/keys/batch.key
receipt_key = $demo/keys/receipt.pub
batch_period_s = 5
idle_timeout_s = 3
active_timeout_s = 10
END
}

write_collector_conf()
{
    cat <<END
listen = $1:$COLLECTOR_PORT
ca = $demo/keys/programme-ca.pem
certificate = $demo/keys/collector.pem
tls_key = $demo/keys/collector.key
receipt_key = $demo/keys/receipt.key
registry = $demo/portal.db
usage_db = $demo/usage.db
archive = $demo/archive
accept_sample = yes
END
}

write_verifier_conf()
{
    cat <<END
registry = $demo/portal.db
usage_db = $demo/usage.db
verdict_db = $demo/verdict.db
rules = $PWD/rules/guangdong-2018
signing_key = $demo/keys/table.key
END
}

write_portal_conf()
{
    cat <<END
listen = 127.0.0.1:$1
portal_db = $demo/portal.db
usage_db = $demo/usage.db
verdict_db = $demo/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = no
demo_banner = yes
END
}

write_confs()
{
    write_probe_conf >"$demo/probe.conf"
    write_collector_conf "$1" >"$demo/collector.conf"
    write_verifier_conf >"$demo/verifier.conf"
    write_portal_conf 8080 >"$demo/portal.conf"
    mkdir -p "$demo/probe" "$demo/archive"
}

probe() { "$bin/yz-probe" "$@"; }
collector() { "$bin/yz-collector" "$@" -c "$demo/collector.conf"; }
verifier() { "$bin/yz-verifier" "$@" -c "$demo/verifier.conf"; }
portal() { "$bin/yz-portal" "$@" -c "$demo/portal.conf"; }
