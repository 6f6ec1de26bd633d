# What the tests share that let a probe join a province: a namespace with an
# interface, an authority, a running portal and a running collector. The test
# says first:
#
#   . tests/tap.sh
#   tap_begin NAME
#   title="a probe enrols itself"   for the skip without root
#   portal_more() { ... }           further lines of portal.conf; optional
#   portal_signs=yes                its lists of endpoints are signed; optional
#
# It gets: $space and inside, $portal, $fingerprint, $PORTAL, sql, issue, enrol,
# write_probe_conf, complains; for the probe whose folder is in $home and whose
# name in $id: start_probe (sets $probe_pid), stop_probe, logged, not_logged,
# batches, more_than.
. tests/confs.sh
probe="$build/bin/yz-probe"
id=

space=yz$$
if [ "$(id -u)" != 0 ] || ! ip netns add "$space" 2>/dev/null; then
    tap_skip "$title" "needs root and namespaces"
    tap_end
    exit 0
fi
# The probe's user must reach its folders; a clone may lie where nobody may go.
temporary=
if ! setpriv --reuid=nobody --clear-groups test -x "$demo"; then
    temporary=$(mktemp -d /tmp/yz-test-XXXXXX) && chmod 755 "$temporary"
    demo=$temporary
    mkdir "$demo/log"
fi
leave_province()
{
    end_spawned
    ip netns del "$space"
    [ -z "$temporary" ] || rm -rf "$temporary"
}
trap leave_province EXIT
inside() { timeout 60 ip netns exec "$space" "$@"; }
inside ip link set lo up
inside ip link add l1 type veth peer name l0
inside ip link set l0 up
inside ip link set l1 up

sign_lists()
{
    openssl genpkey -algorithm ED25519 -out "$demo/registry.key"
    openssl pkey -in "$demo/registry.key" -pubout -out "$demo/registry.pub"
    echo "registry_key = $demo/registry.key"
    echo "registry_public_key = $demo/registry.pub"
}

write_confs()
{
    portal_conf >"$demo/portal.conf"
    enrolment_conf 127.0.0.1:18443 127.0.0.1:14740 >>"$demo/portal.conf"
    [ -z "${portal_signs:-}" ] || sign_lists >>"$demo/portal.conf"
    ! declare -F portal_more >/dev/null || portal_more >>"$demo/portal.conf"
    collector_conf 127.0.0.1:14740 >"$demo/collector.conf"
}

# What an administrator writes, and no more.
write_probe_conf() # FOLDER
{
    mkdir -p "$1" && cat >"$1/probe.conf" <<END
# The gateway's.
interface = l1
endpoints = $demo/endpoints.csv
probe_id =
collector =
collector_name =
state = state
batch_period_s = 1
user = nobody
ca = identity/ca.pem
certificate = identity/probe.pem
tls_key = identity/probe.key
signing_key = identity/batch.key
receipt_key = identity/receipt.pub
END
    install -d -m 700 -o nobody "$1/state"
}

portal_is_up() { grep -q 'enrolment on' "$demo/log/portal.log"; }
collector_is_up() { grep -q 'listening' "$demo/log/collector.log"; }
sql() { sqlite3 -cmd '.timeout 5000' "$demo/$1.db" "$2"; }
issue()
{
    code=$("$bin/yz-portal" code issue -c "$demo/portal.conf" \
        --enterprise ENT-1 --site SITE-1 --agreed 2026-01-01 "$@" | head -n 1)
    [ ${#code} = 34 ]
}
# enrol FOLDER OPTION...
enrol()
{
    local folder=$1
    shift
    timeout 60 ip netns exec "$space" "$probe" enrol -c "$folder/probe.conf" --portal "$PORTAL" \
        --code "$code" --lang en "$@"
}
# complains STATUS WORD COMMAND...: one line on standard error with the word.
complains()
{
    local status=$1 word=$2 got=0
    shift 2
    "$@" >/dev/null 2>"$demo/said" </dev/null || got=$?
    echo "status $got:"
    cat "$demo/said"
    [ $got = "$status" ] && [ "$(wc -l <"$demo/said")" = 1 ] &&
        grep -qF -- "$word" "$demo/said"
}

start_probe()
{
    : >"$demo/log/probe.log"
    spawn probe ip netns exec "$space" "$probe" run -c "$home/probe.conf"
    probe_pid=$spawned
    await 30 grep -q 'in force' "$demo/log/probe.log"
}
stop_probe() { kill -TERM "$probe_pid" && await 20 has_ended "$probe_pid"; }
# logged PATTERN [PROGRAM]
logged()
{
    grep -q -- "$1" "$demo/log/${2:-probe}.log" ||
        { tail -n 5 "$demo/log/${2:-probe}.log"; return 1; }
}
not_logged() { ! grep -- "$1" "$demo/log/probe.log"; }
batches() { sql usage "SELECT count(*) FROM ledger WHERE probe_id = '$id'"; }
more_than() { [ "$(batches)" -gt "$1" ]; }

PORTAL=https://127.0.0.1:18443
portal="$bin/yz-portal"
write_confs
openssl genpkey -algorithm ED25519 -out "$demo/receipt.key"
openssl pkey -in "$demo/receipt.key" -pubout -out "$demo/receipt.pub"
tap "the province: an authority, certificates, the registry" sh -e -c "
    '$portal' load -c '$demo/portal.conf' rules/guangdong-2018
    '$portal' load -c '$demo/portal.conf' --sample tests/portal/registry
    '$portal' authority init -c '$demo/portal.conf'
    '$portal' authority issue -c '$demo/portal.conf' --name 127.0.0.1 \
        --out '$demo/est'
    '$portal' authority issue -c '$demo/portal.conf' --name collector.example \
        --out '$demo/collector'
    '$portal' endpoints -c '$demo/portal.conf' >'$demo/endpoints.csv'"
fingerprint=$("$portal" authority show -c "$demo/portal.conf" |
    sed -n 's/ *fingerprint *//p')
spawn portal ip netns exec "$space" "$portal" run -c "$demo/portal.conf"
spawn collector ip netns exec "$space" "$bin/yz-collector" run \
    -c "$demo/collector.conf"
tap "portal and collector run" await 30 portal_is_up
await 30 collector_is_up
