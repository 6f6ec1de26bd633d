#!/bin/bash
# yz-probe check: everything well against a server that speaks yz/1, then one
# fault after the other, each with its FAIL or warn line and an advice; nothing
# is left behind. Capturing and the kernel filter need root.
. tests/tap.sh
B=${B:-build}
probe=$(realpath "$B/san/bin/yz-probe")
work=$(mktemp -d /tmp/yz-check-test.XXXXXX)
server=
clean() {
    [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
    rm -rf "$work"
}
trap clean EXIT
unset LC_ALL LC_MESSAGES
export LANG=C
if [ "$(id -u)" != 0 ] || ! command -v openssl >/dev/null; then
    tap_skip "check" "not root, or no openssl"
    tap_end
    exit 0
fi
chmod 755 "$work"

# An authority, the collector's certificate and the probe's.
authority() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
        -subj "/CN=$1" -keyout "$work/$1.key" -out "$work/$1.pem" 2>/dev/null
}
issue() { # AUTHORITY FILE COMMON-NAME DAYS
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" \
        -keyout "$work/$2.key" -out "$work/$2.csr" 2>/dev/null &&
        openssl x509 -req -in "$work/$2.csr" -CA "$work/$1.pem" -CAkey "$work/$1.key" \
            -CAcreateserial -days "$4" -out "$work/$2.pem" \
            -extfile <(echo "subjectAltName=DNS:$3") 2>/dev/null
}
authority ca && authority other
issue ca server collector.example 30 && issue ca probe gate-1 30 &&
    issue ca short gate-1 9 && issue other foreign gate-1 30 && issue ca wrong gate-2 30
openssl genpkey -algorithm ED25519 -out "$work/batch.key" 2>/dev/null
openssl genpkey -algorithm ED25519 2>/dev/null | openssl pkey -pubout -out "$work/receipt.pub"
chmod 600 "$work"/*.key
cat >"$work/endpoints.csv" <<'END'
id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared
erp,a,erp,203.0.113.0/24,,tcp,443,,,no
old,a,erp,198.51.100.0/24,,,,2019-01-01,2019-12-31,no
END
install -d -m 700 "$work/state"

serve() { # ALPN-ARGUMENTS...: a server on a free port, in $port
    [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
    for port in $(shuf -i 20000-29000 -n 5); do
        openssl s_server -accept "127.0.0.1:$port" -cert "$work/server.pem" \
            -key "$work/server.key" -CAfile "$work/ca.pem" -Verify 2 -verify_return_error \
            -tls1_3 -quiet "$@" >"$work/server.log" 2>&1 </dev/zero &
        server=$!
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            sleep 0.1
            (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
            kill -0 $server 2>/dev/null || break
        done
    done
}
configure() { # LINES that replace those of the same key
    cat >"$work/probe.conf" <<END
interface = lo
probe_id = gate-1
collector = 127.0.0.1:$port
collector_name = collector.example
endpoints = endpoints.csv
ca = ca.pem
certificate = probe.pem
tls_key = probe.key
signing_key = batch.key
receipt_key = receipt.pub
state = state
user = nobody
END
    local line
    for line in "$@"; do
        sed -i "/^${line%% *} = /d" "$work/probe.conf"
        echo "$line" >>"$work/probe.conf"
    done
}
ask() { # STATUS ARGUMENTS...
    local want=$1
    shift
    timeout 60 "$probe" check -c "$work/probe.conf" "$@" >"$work/out" 2>"$work/errors"
    local got=$?
    [ $got -eq "$want" ] && [ ! -s "$work/errors" ] && return 0
    echo "# status $got, wanted $want"
    sed 's/^/# /' "$work/out" "$work/errors"
    return 1
}
has() { # PATTERN of a line that has advice, or is ok
    grep -Eq "$1" "$work/out" && return 0
    echo "# no line like: $1"
    sed 's/^/# /' "$work/out"
    return 1
}
serve -alpn yz/1
chown nobody "$work/state"

configure
ask 0
result $? "all is well: status 0"
has '^ok +kernel filter +proved to be in force on lo: (eBPF|classic BPF) with 1 prefix' &&
    has '^ok +endpoints +2 prefixes: 1 valid now, 1 expired' &&
    has '^ok +certificate +29 days left' &&
    has '^ok +collector +127.0.0.1, port [0-9]+ can be reached' &&
    has '^ok +collector +TLS 1.3 with both certificates.* yz/1$' &&
    has '^ok +state +writable' && has '^(ok|warn) +sandbox ' && has '^(ok|warn) +clock ' &&
    has '^ok +in all +0 failed'
result $? "a line each"
awk '/^(warn|FAIL)/ && !/ -> / && !/ in all / { print "# " $0; bad = 1 } END { exit bad }' "$work/out"
result $? "each warning has its advice"
[ -z "$(ls -A "$work/state")" ]
result $? "nothing is left in the state folder"
ask 0 --lang zh && has '^ok +内核过滤 +lo 上已证实生效' && has '^ok +采集方 +TLS 1.3 双向认证成功'
result $? "in Chinese"
LANG=zh_CN.UTF-8 ask 0 && has '^ok +合计 '
result $? "in Chinese by LANG"

fails() { # NAME PATTERN LINES...
    local name=$1 pattern=$2
    shift 2
    configure "$@"
    ask 1 && has "^FAIL +$pattern.* -> ."
    result $? "$name"
}
fails "no such interface" 'interface +there is no interface nope0' 'interface = nope0'
fails "no such user" 'user +there is no user yz-nobody' 'user = yz-nobody'
fails "a folder of somebody else" 'state .*cannot be written by user daemon' 'user = daemon'
fails "no state folder" 'state .*No such file' 'state = missing'
fails "no endpoints" 'endpoints .*none.csv' 'endpoints = none.csv'
fails "no signing key" 'keys .*none.key' 'signing_key = none.key'
fails "no receipt key" 'keys .*none.pub' 'receipt_key = none.pub'
fails "a key of another certificate" 'certificate .*not the key' 'tls_key = wrong.key'
fails "a certificate for another name" 'certificate +it does not name gate-1' \
    'certificate = wrong.pem' 'tls_key = wrong.key'
fails "a certificate of another authority" 'certificate +it was not issued by' \
    'certificate = foreign.pem' 'tls_key = foreign.key'
has '^FAIL +collector +TLS: '
result $? "which the collector refuses, too"
fails "the collector is somebody else" 'collector +TLS: .*certificate' \
    'collector_name = evidence.example'
fails "nobody listens" 'collector .*port 1: Connection refused' 'collector = 127.0.0.1:1'
fails "metrics for the world" 'metrics .*only this machine' 'metrics = 0.0.0.0:9465'
[ -z "$(ls -A "$work/state")" ]
result $? "still nothing is left behind"

configure 'certificate = short.pem' 'tls_key = short.key'
ask 0 && has '^ok +certificate +8 days left'
result $? "8 of 9 days: no warning for a short life"
printf 'id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared\n' >"$work/empty.csv"
configure 'endpoints = empty.csv'
ask 0 && has '^warn +endpoints +0 prefixes.* -> nothing would be recorded'
result $? "an empty list warns"
configure
chmod 640 "$work/probe.key"
ask 0 && has '^warn +keys .*probe.key can be read by others -> sudo chmod 600'
result $? "a TLS key that others can read warns"
chmod 644 "$work/batch.key"
ask 1 && has '^FAIL +keys .*batch.key'
result $? "a signing key that others can read fails, as run refuses it"
chmod 600 "$work"/*.key
: >"$work/state/lock"
flock "$work/state/lock" sleep 20 &
holder=$!
sleep 0.3
ask 0 && has '^warn +state +a probe is running on'
result $? "a probe that runs is noticed"
kill $holder 2>/dev/null
serve
configure
ask 1 && has '^FAIL +collector .*does not speak yz/1'
result $? "a server without yz/1"
echo 'colour = red' >>"$work/probe.conf"
ask 2 && has '^FAIL +configuration .*probe.conf:13: .* -> yz-probe run -n'
result $? "a wrong configuration: status 2"
"$probe" check --lang fr >"$work/out" 2>"$work/errors"
[ $? -eq 2 ]
result $? "an unknown language: status 2"
tap_end
