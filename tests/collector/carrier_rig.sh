# For the scripts about carriers: a registry made by the portal, with numbers
# declared, and a collector's configuration; nothing runs.
#
#   . tests/collector/carrier_rig.sh
#   tap_begin NAME
#   carrier_rig         $demo/portal.db, endpoints.csv, number.key, collector.conf
#
# DECLARED in the environment: how many accounts are (2), DECLARED_FROM since when.
. tests/tap.sh

carrier_tool=$build/tools/carrier_tool

hash_of() { "$carrier_tool" hash "$demo/number.key" "$1" "$2"; }

# declare_number VOUCHER KIND NUMBER SITE [UNTIL]
declare_number()
{
    echo "$1,1,$2,$(hash_of "$2" "$3"),***,$4,${DECLARED_FROM:-2026-07-10},${5:-}"
}

# The first DECLARED (2) accounts of carrier_tool are ENT-1's.
carrier_registry()
{
    local i
    cp -r tests/portal/registry "$demo/registry"
    {
        head -n 1 tests/portal/registry/user_side_identifier.csv
        echo "V-1,1,fixed_ip,198.51.100.7/32,198.51.*.*,SITE-1,2026-07-10,"
        for i in $(seq 0 $((${DECLARED:-2} - 1))); do
            declare_number V-1 broadband_account "$(printf gz%06d "$i")" SITE-1
        done
        declare_number V-1 mobile_number 13800138000 SITE-1
        declare_number V-2 iot_sim 1064812345678 SITE-2
        declare_number V-2 iot_sim 460001234567890 SITE-2
        declare_number V-2 mobile_number 13900139000 SITE-2 2026-11-10
    } >"$demo/registry/user_side_identifier.csv"
}

carrier_conf()
{
    cat <<END
listen = 127.0.0.1:9
ca = ca.pem
certificate = collector.pem
tls_key = collector.key
receipt_key = $demo/receipt.key
registry = $demo/portal.db
usage_db = $demo/usage.db
archive = $demo/archive
endpoints = $demo/endpoints.csv
number_key = $demo/number.key
accept_sample = yes
END
}

carrier_rig()
{
    printf 'portal_db = %s\nrules = %s\nnumber_key = %s\n' "$demo/portal.db" \
        "$PWD/rules/guangdong-2018" "$demo/number.key" >"$demo/portal.conf"
    hash_of mobile_number 13800138000 >/dev/null || return 1 # makes the key
    openssl genpkey -algorithm ED25519 -out "$demo/receipt.key" 2>/dev/null
    chmod 600 "$demo/receipt.key"
    carrier_registry
    carrier_conf >"$demo/collector.conf"
    "$bin/yz-portal" load -c "$demo/portal.conf" rules/guangdong-2018 &&
        "$bin/yz-portal" load -c "$demo/portal.conf" --sample "$demo/registry" &&
        "$bin/yz-portal" endpoints -c "$demo/portal.conf" >"$demo/endpoints.csv"
}

usage_sql() { sqlite3 -separator ' ' "$demo/usage.db" "$1"; }
