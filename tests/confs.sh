# Configurations of a province whose files are all in $demo, for the scripts that
# run one. A line that a script wants beside these is added by it.
#
#   portal_conf >"$demo/portal.conf"
#   enrolment_conf 127.0.0.1:18443 127.0.0.1:14740 >>"$demo/portal.conf"
#   collector_conf 127.0.0.1:14740 >"$demo/collector.conf"

portal_conf()
{
    cat <<END
listen = 127.0.0.1:18080
portal_db = $demo/portal.db
usage_db = $demo/usage.db
verdict_db = $demo/verdict.db
rules = $PWD/rules/guangdong-2018
END
}

# enrolment_conf EST COLLECTOR: probes enrol there, and report there.
enrolment_conf()
{
    cat <<END
est_listen = $1
est_certificate = $demo/est.pem
est_key = $demo/est.key
ca_certificate = $demo/ca.pem
ca_key = $demo/ca.key
collector = $2
collector_name = collector.example
receipt_key = $demo/receipt.pub
END
}

# collector_conf LISTEN [KEYS [RECEIPT_KEY]]: KEYS is what its certificate and
# key are called without .pem and .key; the authority stands beside them.
collector_conf()
{
    local keys=${2:-$demo/collector}
    cat <<END
listen = $1
ca = ${keys%/*}/ca.pem
certificate = $keys.pem
tls_key = $keys.key
receipt_key = ${3:-$demo/receipt.key}
registry = $demo/portal.db
usage_db = $demo/usage.db
archive = $demo/archive
accept_sample = yes
END
}
