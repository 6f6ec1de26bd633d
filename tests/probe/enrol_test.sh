#!/bin/bash
# A probe that enrols itself, renews its certificate while it runs, and counts:
# the plain probe under its sandbox, a real portal, a real collector, a real
# proxy. Needs root and namespaces for the interface.
. tests/tap.sh
tap_begin enrol
title="a probe enrols itself"
. tests/probe/province.sh

# --- enrolment ---

home=$demo/gateway
write_probe_conf "$home"
chown nobody:nogroup "$home/probe.conf"
chmod 640 "$home/probe.conf"
issue
tap "nobody is trusted unseen: the fingerprint is shown" \
    complains 1 "$fingerprint" enrol "$home"
tap "a wrong fingerprint ends it" \
    complains 1 "compare it" enrol "$home" --fingerprint "$(printf %064d 7)"
tap "no key was born for that" test ! -e "$home/identity"
tap "a mistyped code is said so" complains 1 "mistyped" \
    env code=x bash -c "ip netns exec $space '$probe' enrol --lang en \
    -c '$home/probe.conf' --portal $PORTAL --code 1234-5678 \
    --fingerprint $fingerprint"
tap "with the right one it enrols" enrol "$home" \
    --fingerprint "$fingerprint" || { tap_end; exit; }
cp "$demo/log/case.out" "$demo/told"
id=$(sql portal "SELECT probe_id FROM certificate")
tap "what it did stands in plain words" grep -q "Enrolled as probe $id" \
    "$demo/told"
keys_are_private() { local f
    for f in probe.key batch.key; do
        [ "$(stat -c %a%U "$home/identity/$f")" = 600nobody ] || return 1
    done; }
tap "the keys are for its user alone" keys_are_private
tap "nothing is left under way" test -z "$(find "$home" -name '*.enrol' \
    -o -name '*.new')"
conf_is_whole() { grep -qx "probe_id = $id" "$home/probe.conf" &&
    grep -qx "collector = 127.0.0.1:14740" "$home/probe.conf" &&
    grep -qx "collector_name = collector.example" "$home/probe.conf" &&
    grep -qx "portal = $PORTAL" "$home/probe.conf" &&
    grep -qx "# The gateway's." "$home/probe.conf"; }
tap "the configuration is complete, its comments are there" conf_is_whole
tap "and whose it was" test \
    "$(stat -c %a%U:%G "$home/probe.conf")" = 640nobody:nogroup
tap "a working identity is not overwritten" complains 1 "--again" \
    enrol "$home" --fingerprint "$fingerprint"

# --- it counts ---

tap "it runs" start_probe || { tap_end; exit; }
tap "its batches are counted" await 30 more_than 0
tap "under the enterprise and the site of the code" test \
    "$(sql usage "SELECT DISTINCT enterprise_id || ' ' || site_id FROM ledger
       WHERE probe_id = '$id'")" = "ENT-1 SITE-1"
tap "the renewer is in its sandbox" \
    logged 'renewer (process .*): user nobody, capabilities none.*seccomp yes'
status_says() { "$probe" status -c "$home/probe.conf" --lang en |
    tee "$demo/status" | grep -q -- "$1" || { cat "$demo/status"; return 1; }; }
tap "status says when it renews" await 20 status_says '^Renewal.*next 20'

# --- renewal: the certificate is made old, as a month would make it ---

serial() { openssl x509 -in "$home/identity/probe.pem" -noout -serial; }
# age_certificate DAYS_AGO DAYS_LEFT: same key and name.
age_certificate()
{
    : >"$demo/index.txt"
    openssl rand -hex 8 >"$demo/serial"
    printf '%s\n' '[ca]' 'default_ca = demo' '[demo]' \
        "database = $demo/index.txt" "serial = $demo/serial" 'policy = any' \
        'unique_subject = no' 'x509_extensions = client' '[any]' \
        'commonName = supplied' '[client]' 'extendedKeyUsage = clientAuth' \
        'basicConstraints = critical,CA:FALSE' >"$demo/aged.conf"
    openssl req -new -key "$home/identity/probe.key" -subj "/CN=$id" \
        -out "$demo/aged.csr" &&
        openssl ca -batch -config "$demo/aged.conf" -notext -md sha256 \
            -outdir "$demo" -in "$demo/aged.csr" -cert "$demo/ca.pem" \
            -keyfile "$demo/ca.key" \
            -startdate "$(date -u -d "-$1 days" +%Y%m%d%H%M%SZ)" \
            -enddate "$(date -u -d "$2 days" +%Y%m%d%H%M%SZ)" \
            -out "$demo/aged.pem" 2>"$demo/log/openssl.log" &&
        install -o nobody -m 644 "$demo/aged.pem" "$home/identity/aged.pem" &&
        mv "$home/identity/aged.pem" "$home/identity/probe.pem"
}
tap "it stops" stop_probe
tap "a certificate of 25 days, 5 are left" age_certificate 25 5
old=$(serial)
start_probe
tap "the running probe renews it by itself" \
    await 60 logged 'certificate: renewed, good until'
changed() { [ "$(serial)" != "$old" ] && openssl verify -purpose sslclient \
    -CAfile "$demo/ca.pem" "$home/identity/probe.pem"; }
tap "the file is the new one" changed
tap "the uplink takes it without a restart" await 20 logged 'a new one is used'
n=$(batches)
tap "and goes on counting" await 20 more_than "$n"
tap "no process fell out of its sandbox" not_logged 'gone\|system call'
old=$(serial)
# Within minutes of the last the portal gives the same one again.
sql portal "UPDATE certificate SET issued_at = issued_at - 400000000"
tap "yz-probe renew does it by hand" inside "$probe" renew \
    -c "$home/probe.conf" --lang en
tap "... also seen by the running probe" await 20 changed

# --- through a proxy ---

printf '%s\n' 'Port 18888' 'Listen 127.0.0.1' 'Timeout 60' \
    'BasicAuth worker secret' 'ConnectPort 18443' \
    "LogFile \"$demo/log/tinyproxy.log\"" >"$demo/tinyproxy.conf"
if command -v tinyproxy >/dev/null; then
    spawn tinyproxy ip netns exec "$space" tinyproxy -d -c "$demo/tinyproxy.conf"
    proxy_is_up() { inside ss -Hltn 'sport = :18888' | grep -q .; }
    await 10 proxy_is_up
    with_proxy() { sed "/^proxy/d" "$home/probe.conf" >"$home/proxied.conf" &&
        echo "proxy = $1" >>"$home/proxied.conf"; }
    with_proxy http://worker:secret@127.0.0.1:18888
    sql portal "UPDATE certificate SET issued_at = issued_at - 400000000"
    tap "through a CONNECT proxy with a password" inside "$probe" renew \
        -c "$home/proxied.conf"
    tap "... and not past it" grep -q 'CONNECT 127.0.0.1:18443' \
        "$demo/log/tinyproxy.log"
    with_proxy 127.0.0.1:18888
    tap "a proxy that wants a password is named" complains 1 "407" inside \
        "$probe" renew -c "$home/proxied.conf"
    with_proxy 127.0.0.1:18889
    tap "a proxy that is not there is named" complains 1 "18889" inside \
        "$probe" renew -c "$home/proxied.conf"
else
    tap_skip "through a CONNECT proxy" "no tinyproxy"
fi

# --- who may not ---

tap "the province denies the probe" "$portal" probe revoke \
    -c "$demo/portal.conf" "$id" --reason "test"
tap "it renews nothing any more" complains 1 "denied" inside "$probe" renew \
    -c "$home/probe.conf" --lang en
sleep 2
n=$(batches)
refused() { [ -n "$(ls "$home/state/refused")" ]; }
tap "its batches are refused" await 20 refused
refuses_more() { [ "$(batches)" = "$n" ]; }
tap "and not counted" refuses_more
"$portal" probe restore -c "$demo/portal.conf" "$id"
stop_probe
tap "a certificate whose time is over" age_certificate 40 -1
tap "... renews nothing and says what to do" complains 1 "ask the programme" \
    inside "$probe" renew -c "$home/probe.conf" --lang en
issue --probe "$id"
cp "$home/identity/batch.key" "$demo/batch.before"
by_input() { local given=$code code=-; echo "$given" | enrol "$home"; }
tap "a code for this probe enrols it again, from standard input" by_input
tap "with the batch key that it had" cmp "$home/identity/batch.key" \
    "$demo/batch.before"
tap "it is the same probe" grep -qx "probe_id = $id" "$home/probe.conf"
tap "the old certificate is kept aside" test -s "$home/identity/probe.pem.old"
n=$(batches)
start_probe
tap "and it counts again" await 30 more_than "$n"
stop_probe

# A portal of another authority, which the probe must not follow.
mv "$home/identity/ca.pem" "$demo/good-ca.pem"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj "/CN=Another" -addext basicConstraints=critical,CA:TRUE \
    -keyout "$demo/other.key" -out "$home/identity/ca.pem" 2>/dev/null
tap "a portal of another authority: refused, and the clock is told" \
    complains 1 "this machine's clock says" inside "$probe" renew \
    -c "$home/probe.conf"
mv "$demo/good-ca.pem" "$home/identity/ca.pem"

# --- cut short at any point ---

# The last file cannot be written: what is there is already its user's.
home=$demo/last
write_probe_conf "$home"
sed -i 's|^certificate =.*|certificate = /proc/self/probe.pem|' "$home/probe.conf"
issue
tap "a certificate that cannot be written is said so" complains 1 \
    /proc/self/probe.pem enrol "$home" --fingerprint "$fingerprint"
tap "its keys are for the user that run becomes" keys_are_private
sed -i 's|^certificate =.*|certificate = identity/probe.pem|' "$home/probe.conf"
tap "it goes on with the same code" enrol "$home" --fingerprint "$fingerprint"

# The answer may be lost, the machine may go down between any two files: in the
# end there is one probe, one certificate, and everything fits.
cut_short() # FOLDER
{
    local ms
    for ms in $(seq 2 2 60); do
        timeout -s KILL "$(printf '0.%03d' "$ms")" ip netns exec "$space" \
            "$probe" enrol -c "$1/probe.conf" --portal "$PORTAL" \
            --code "$code" --fingerprint "$fingerprint"
    done 2>&1 | grep -c Enrolled
    enrol "$1" --fingerprint "$fingerprint" 2>&1 |
        grep 'Enrolled as\|is probe .* already'
}
issue
home=$demo/cut
write_probe_conf "$home"
known=$(sql portal "SELECT count(*) FROM certificate")
tap "killed again and again on the way, it enrols in the end" \
    cut_short "$home"
tap "with one certificate for one code" test \
    "$(sql portal "SELECT count(*) FROM certificate")" = $((known + 1))
id=$(sql portal "SELECT probe_id FROM certificate ORDER BY issued_at DESC")
tap "the configuration names it" grep -qx "probe_id = ${id%%[[:space:]]*}" \
    "$home/probe.conf"
tap "everything fits: check finds no fault in keys and certificate" sh -c "
    ip netns exec $space '$probe' check -c '$home/probe.conf' --lang en |
    grep -E '^ *ok +(keys|certificate)' | wc -l | grep -qx 3"
tap_end
