#!/bin/bash
# Enrolment as strangers do it: the real portal, openssl and curl. The commands
# are those of doc/enrolment.md, taken from there.
. tests/tap.sh
tap_begin est
portal="$bin/yz-portal"
conf=$demo/portal.conf

write_conf() # CERTIFICATE_DAYS
{
    cat >"$conf" <<END
listen = 127.0.0.1:0
portal_db = $demo/portal.db
usage_db = $demo/usage.db
verdict_db = $demo/verdict.db
rules = $PWD/rules/guangdong-2018
est_listen = 127.0.0.1:0
est_certificate = $demo/est.pem
est_key = $demo/est.key
ca_certificate = $demo/ca.pem
ca_key = $demo/ca.key
certificate_days = $1
collector = collector.example:4740
collector_name = collector.example
receipt_key = $demo/receipt.pub
END
}

# Each source has some attempts only; a section of this test is a source.
export CURL_HOME=$demo
from_source() { echo "interface = 127.0.0.$1" >"$demo/.curlrc"; }
refuses() { ! "$@"; }

# The shell blocks of the page, one after the other.
page_block() # NUMBER
{
    awk -v wanted="$1" '/^```sh$/ { n++; is_in = 1; next }
        /^```$/ { is_in = 0 } is_in && n == wanted' doc/enrolment.md
}

start_portal()
{
    spawn portal "$portal" run -c "$conf"
    pid=$spawned
    for _ in $(seq 100); do
        port=$(sed -n 's/.*enrolment on .*, port \([0-9]*\)$/\1/p' \
            "$demo/log/portal.log" | tail -n 1)
        [ -n "$port" ] && break
        kill -0 "$pid" || return 1
        sleep 0.1
    done
    PORTAL=https://127.0.0.1:$port
    export PORTAL
    [ -n "$port" ]
}

# issue ARGUMENT...: a code into $CODE.
issue()
{
    CODE=$("$portal" code issue -c "$conf" "$@" | head -n 1)
    export CODE
    [ ${#CODE} = 34 ]
}
issue_for() { issue --enterprise "$1" --site "$2" --agreed 2026-01-01 "${@:3}"; }

# enrol FOLDER [ALGORITHM]: the page's first block.
enrol()
{
    mkdir -p "$demo/$1" &&
        (cd "$demo/$1" && ALGORITHM=${2:-ed25519} bash "$demo/enrol.sh")
}
renew() { (cd "$demo/$1" && bash -e "$demo/renew.sh"); }
subject()
{
    openssl x509 -in "$demo/$1/probe.pem" -noout -subject -nameopt multiline |
        sed -n 's/.*commonName *= //p'
}
serial() { openssl x509 -in "$demo/$1/probe.pem" -noout -serial; }
sql() { sqlite3 "$demo/portal.db" "$1"; }

# post STATUS ADDRESS CURL...: what curl gets, its head and body kept.
post()
{
    local wanted=$1 address=$2 got
    shift 2
    got=$(curl -sS -m 20 --cacert "$demo/ca.pem" -o "$demo/body" -D "$demo/head" \
        -w '%{http_code}' "$@" "$PORTAL/.well-known/$address")
    cat "$demo/body"
    [ "$got" = "$wanted" ] || { echo "status $got, wanted $wanted"; return 1; }
}
# enrols_as STATUS REQUEST_FILE [CODE]
enrols_as()
{
    post "$1" est/simpleenroll -u "any:${3:-$CODE}" \
        -H 'Content-Type: application/pkcs10' --data-binary "@$2"
}
head_has() { grep -qi -- "$1" "$demo/head" || { cat "$demo/head"; return 1; }; }
body_has() { grep -q -- "$1" "$demo/body" || { cat "$demo/body"; return 1; }; }

# complains STATUS WORD COMMAND...: one line on standard error with the word.
complains()
{
    local status=$1 word=$2 got=0
    shift 2
    timeout 20 "$@" >/dev/null 2>"$demo/said" </dev/null || got=$?
    cat "$demo/said"
    [ $got = "$status" ] && [ "$(wc -l <"$demo/said")" = 1 ] &&
        grep -qF -- "$word" "$demo/said"
}

# --- before anything runs ---

write_conf 30
openssl genpkey -algorithm ED25519 -out "$demo/receipt.key"
openssl pkey -in "$demo/receipt.key" -pubout -out "$demo/receipt.pub"
"$portal" load -c "$conf" rules/guangdong-2018 >/dev/null
"$portal" load -c "$conf" --sample tests/portal/registry >/dev/null
tap "no authority: run says so" complains 1 ca.pem "$portal" run -c "$conf"
tap "authority init makes one" "$portal" authority init -c "$conf"
tap "authority init does not overwrite" \
    complains 1 ca.key "$portal" authority init -c "$conf"
tap "its key is for the owner alone" \
    test "$(stat -c %a "$demo/ca.key")" = 600
tap "authority issue makes a server's certificate" "$portal" authority issue \
    -c "$conf" --name localhost,127.0.0.1 --out "$demo/est"
tap "openssl verifies it" openssl verify -CAfile "$demo/ca.pem" \
    -purpose sslserver -verify_ip 127.0.0.1 "$demo/est.pem"
tap "a host name that could be something else is refused" complains 2 --name \
    "$portal" authority issue -c "$conf" --name 'a,email:x' --out "$demo/no"
FINGERPRINT=$("$portal" authority show -c "$conf" |
    sed -n 's/ *fingerprint *//p')
export FINGERPRINT
page_block 1 >"$demo/enrol.sh"
page_block 2 >"$demo/renew.sh"
tap "the page has its two blocks" test -s "$demo/renew.sh"

# --- codes ---

tap "no code without the enterprise's agreement (PRIV-07)" complains 2 \
    "--agreed is required" "$portal" code issue -c "$conf" --enterprise ENT-1 \
    --site SITE-1
tap "no code for an agreement of tomorrow" complains 1 "later day" "$portal" \
    code issue -c "$conf" --enterprise ENT-1 --site SITE-1 --agreed 2999-01-01
tap "no code for a site of another enterprise" complains 1 SITE-2 "$portal" \
    code issue -c "$conf" --enterprise ENT-1 --site SITE-2 --agreed 2026-01-01
tap "no code that moves a probe" complains 1 "does not move" "$portal" \
    code issue -c "$conf" --enterprise ENT-2 --site SITE-2 \
    --agreed 2026-01-01 --probe probe-1
tap "the portal starts" start_portal
tap "a code" issue_for ENT-1 SITE-1
hidden() { ! grep -aqF "$CODE" "$demo"/portal.db* "$demo"/log/portal.log; }
tap "the code itself is nowhere in the database or the log" hidden

# --- enrolment ---

from_source 2
tap "openssl and curl alone enrol, as the page says" enrol one
cp "$demo/one/probe.pem" "$demo/one/first.pem"
id=$(subject one)
tap "the certificate is a client's, of our authority" openssl verify \
    -CAfile "$demo/ca.pem" -purpose sslclient "$demo/one/probe.pem"
tap "enterprise, site, agreement and key stand in the registry" test \
    "$(sql "SELECT enterprise_id, site_id, algorithm, length(signing_key),
       date(agreed_at / 1000000, 'unixepoch', '+8 hours'), is_sample
       FROM probe WHERE id = '$id'")" = "ENT-1|SITE-1|ed25519|32|2026-01-01|1"
tap "the registered key is the probe's" test \
    "$(sql "SELECT lower(hex(signing_key)) FROM probe WHERE id = '$id'")" = \
    "$(openssl pkey -in "$demo/one/batch.key" -pubout -outform DER |
        tail -c 32 | od -An -v -tx1 | tr -d ' \n')"
tap "it lives 30 days and began five minutes ago" test \
    "$(sql "SELECT (not_after - not_before) / 1000000 - 30 * 86400,
       (issued_at - not_before) / 1000000 FROM certificate")" = "300|300"
portal_json() { grep -q '"collector":"collector.example:4740"' \
    "$demo/one/portal.json" && grep -q 'BEGIN PUBLIC KEY' \
    "$demo/one/portal.json"; }
tap "collector and receipt key come along" portal_json

same_again() { enrol one && [ "$(sql 'SELECT count(*) FROM certificate')" = 1 ] &&
    cmp "$demo/one/probe.pem" "$demo/one/first.pem"; }
tap "whoever lost the answer gets the same certificate again" same_again
mkdir -p "$demo/thief"
tap "the code is good for no other key" refuses enrol thief
tap "... which is said so" enrols_as 403 "$demo/thief/request"
tap "a code of another site" issue_for ENT-2 SITE-2
tap "a batch key belongs to one probe" enrols_as 403 "$demo/one/request"
tap "... which is said so" body_has "belongs to another probe"
tap "that code is still good, for an SM2 batch key" enrol two sm2
tap "its probe is at the code's site, whatever the request says" test \
    "$(sql "SELECT enterprise_id || site_id || algorithm FROM probe
       WHERE id = '$(subject two)'")" = ENT-2SITE-2sm2

# --- codes that do not work ---

from_source 3
request=$demo/thief/request
tap "no code: 401" post 401 est/simpleenroll -H \
    'Content-Type: application/pkcs10' --data-binary "@$request"
tap "... which asks for one" head_has '^WWW-Authenticate: Basic'
tap "a code that was never issued: 401" enrols_as 401 "$request" \
    0000-0000-0000-0000-0000-0000-0000
tap "a mistyped code: 401 and why" enrols_as 401 "$request" \
    1000-0000-0000-0000-0000-0000-0000
tap "... mistyped, it says" body_has mistyped
issue_for ENT-1 SITE-1
handle=$("$portal" code list -c "$conf" | sed -n 's/ *open .*//p' | tail -n 1)
tap "code list knows it, code revoke ends it" \
    "$portal" code revoke -c "$conf" "$handle"
tap "a revoked code: 401" enrols_as 401 "$request"
tap "... revoked, it says" body_has revoked
issue_for ENT-1 SITE-1
sql "UPDATE enrolment_code SET issued_at = issued_at - 86400000000,
     expires_at = expires_at - 86400000000 WHERE used_at IS NULL"
tap "a code after its time: 401" enrols_as 401 "$request"
tap "... expired, it says" body_has expired
audited() { [ "$(sql "SELECT count(*) FROM audit WHERE
    action = 'enrol.refused'")" -ge 4 ]; }
tap "wrong attempts are in the audit log" audited

# --- requests that are refused ---

from_source 4
issue_for ENT-1 SITE-1
plain() # KEY_OPTIONS...: a request without the extension, in base64
{
    openssl req -new -newkey "$@" -nodes -keyout /dev/null -subj /CN=x \
        -outform DER 2>/dev/null | openssl base64 >"$demo/plain"
}
plain ec -pkeyopt ec_paramgen_curve:P-256
tap "no batch key: 400" enrols_as 400 "$demo/plain"
plain rsa:2048
tap "an RSA key: 400" enrols_as 400 "$demo/plain"
tap "... and why" body_has P-256
plain ec -pkeyopt ec_paramgen_curve:P-384
tap "P-384: 400" enrols_as 400 "$demo/plain"
# The extension of one request in another one, whose key it does not prove.
splice()
{
    local extension
    extension=$(openssl base64 -d -in "$demo/one/request" |
        openssl asn1parse -inform DER | sed -n \
        '/1.3.6.1.4.1.32473.1.1/{n;s/.*HEX DUMP\]://p}')
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -keyout /dev/null -subj /CN=x -outform DER \
        -addext "1.3.6.1.4.1.32473.1.1=DER:$extension" 2>/dev/null |
        openssl base64 >"$demo/spliced"
}
splice
tap "the proof of another request: 400" enrols_as 400 "$demo/spliced"
tap "... wrong proof, it says" body_has proof
echo 'not base64!' >"$demo/garbage"
tap "no base64: 400" enrols_as 400 "$demo/garbage"
echo AAAA >"$demo/garbage"
tap "no PKCS#10: 400" enrols_as 400 "$demo/garbage"
tap "another content type: 415" post 415 est/simpleenroll -u "x:$CODE" \
    --data-binary "@$request"
head -c 100000 /dev/zero >"$demo/garbage"
tap "too long a request: 413" enrols_as 413 "$demo/garbage"
tap "none of it used the code up" enrol three

# --- the rest of the protocol ---

tap "cacerts: the authority" post 200 est/cacerts
tap "... as PKCS#7" head_has '^Content-Type: application/pkcs7-mime'
tap "... in base64" head_has '^Content-Transfer-Encoding: base64'
tap "another method: 405" post 405 est/simpleenroll
tap "... which is named" head_has '^Allow: POST'
tap "another address: 404" post 404 est/csrattrs
not_tls12() { ! curl -sS -m 5 --tls-max 1.2 --cacert "$demo/ca.pem" \
    "$PORTAL/.well-known/est/cacerts"; }
tap "TLS 1.2 is not spoken" not_tls12

# --- renewal ---

from_source 5
# A minute is not waited for: what was issued moves back.
age() { sql "UPDATE certificate SET issued_at = issued_at - 400000000"; }
age
before=$(serial one)
renewed() { renew one && [ "$(subject one)" = "$id" ] &&
    [ "$(serial one)" != "$before" ] && openssl verify -purpose sslclient \
    -CAfile "$demo/ca.pem" "$demo/one/probe.pem"; }
tap "the certificate renews itself and keeps its name" renewed
# Issued while the portal's clock was ten days ahead: not to be used yet.
sql "UPDATE certificate SET issued_at = issued_at + 864000000000"
before=$(serial one)
tap "what was issued with a wrong clock is not given again" renewed
sql "UPDATE certificate SET issued_at = issued_at - 864000000000
    WHERE issued_at > 1000000 * (unixepoch() + 86400)"
reenrols_as() # STATUS FOLDER REQUEST
{
    post "$1" est/simplereenroll -H 'Content-Type: application/pkcs10' \
        --data-binary "@$3" --cert "$demo/$2/probe.pem" \
        --key "$demo/$2/probe.key"
}
tap "without a certificate: 403" post 403 est/simplereenroll \
    -H 'Content-Type: application/pkcs10' --data-binary "@$demo/one/request"
tap "for another probe's name: 403" reenrols_as 403 two "$demo/one/request"
openssl req -new -newkey ed25519 -nodes -keyout "$demo/new.key" \
    -subj "/CN=$id" -outform DER 2>/dev/null | openssl base64 >"$demo/new.req"
tap "a new TLS key of another kind is welcome" reenrols_as 200 one "$demo/new.req"
# A certificate of the same name by somebody else's authority.
mkdir -p "$demo/forged"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj "/CN=$id" -keyout "$demo/forged/probe.key" \
    -out "$demo/forged/probe.pem" 2>/dev/null
tap "a certificate of another authority: 403" reenrols_as 403 forged \
    "$demo/one/request"
# The collector's or the portal's own certificate is no probe's.
mkdir -p "$demo/server"
cp "$demo/est.pem" "$demo/server/probe.pem"
cp "$demo/est.key" "$demo/server/probe.key"
tap "a server's certificate: 403" reenrols_as 403 server "$demo/one/request"

# --- the deny list ---

from_source 6
tap "probe revoke" "$portal" probe revoke -c "$conf" "$id" --reason "stolen"
tap "probe list says so" sh -c \
    "'$portal' probe list -c '$conf' | grep '$id' | grep DENIED | grep stolen"
tap "a denied probe renews nothing: 403" reenrols_as 403 one "$demo/one/request"
tap "no code for a denied probe" complains 1 denied "$portal" code issue \
    -c "$conf" --enterprise ENT-1 --site SITE-1 --agreed 2026-01-01 --probe "$id"
tap "twice is once" complains 1 already "$portal" probe revoke -c "$conf" \
    "$id" --reason again
tap "probe restore" "$portal" probe restore -c "$conf" "$id"
tap "and it renews again" reenrols_as 200 one "$demo/one/request"

# --- the same probe again, with a code of its own ---

tap "a code for this probe" issue_for ENT-1 SITE-1 --probe "$id"
tap "another batch key is refused" enrols_as 403 "$request"
rm "$demo/one/probe.key"
tap "its own batch key and a fresh TLS key" enrol one
tap "it is the same probe" test "$(subject one)" = "$id"

# --- many attempts ---

from_source 7
many() { local i
    for i in $(seq 25); do
        enrols_as 401 "$request" 0000-0000-0000-0000-0000-0000-0000 || return 0
    done >/dev/null
    return 1; }
tap "guessing comes to its end" many
tap "... with 429" enrols_as 429 "$request" 0000-0000-0000-0000-0000-0000-0000
tap "... and when to come again" head_has '^Retry-After: [0-9]'
tap "the authority is still told to everybody" post 200 est/cacerts
tap "the audit chain is whole" "$portal" audit check -c "$conf"

# --- those who say nothing ---

# As many as one address may have, and more: the others do not notice.
silent()
{
    local i fds=()
    for i in $(seq 60); do
        exec {fd}<>"/dev/tcp/127.0.0.1/$port" && fds+=("$fd")
    done 2>/dev/null
    from_source 8
    post 200 est/cacerts -m 5
    local status=$?
    for fd in "${fds[@]}"; do exec {fd}>&-; done
    return $status
}
tap "sixty silent connections hold nobody up" silent

# --- a stop that loses nothing ---

stops() { kill -TERM "$pid" && await 10 has_ended "$pid" &&
    tail -n 1 "$demo/log/portal.log" | grep -q stopped; }
tap "it stops in good order" stops
# A port whose own certificate ends soon: nobody could renew then.
tap "nobody was warned of a certificate that lasts" \
    refuses grep -q 'ends on' "$demo/log/portal.log"
ends_soon()
{
    rm "$demo/est.pem" "$demo/est.key"
    : >"$demo/log/portal.log"
    "$portal" authority issue -c "$conf" --name localhost,127.0.0.1 --days 20 \
        --out "$demo/est" && start_portal && from_source 9 &&
        renew two && renew two && kill -TERM "$pid" &&
        await 10 has_ended "$pid" &&
        [ "$(grep -c 'est.pem ends on .*: make a new one' \
            "$demo/log/portal.log")" = 1 ]
}
tap "one whose end is near says so, once a day" ends_soon
tap_end
