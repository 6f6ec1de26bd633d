#!/bin/bash
# Mails and short messages against a real server: a day without one, an address
# that is none, a sender that is killed, a server that does not keep secrets. The
# clock is moved (yz-portal tick --now).
. tests/tap.sh
tap_begin mail
dir=$demo portal=$bin/yz-portal box=$dir/box
server=
mkdir -p "$box/mails" "$box/sms"
trap 'status=$?; stop_mail; end_spawned; exit $status' EXIT
db() { sqlite3 -cmd '.timeout 10000' "$dir/portal.db" "$@"; }

write_conf() # TLS PORT
{
    cat <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = no
number_key = $dir/number.key
mail_server = localhost:$2
mail_tls = $1
mail_authority = $box/server.pem
mail_user = ${3-portal}
mail_password_file = $dir/password
mail_from = portal@example.gov.cn
sms_hook = ${4-}
sms_token_file = $dir/token
END
}

start_mail() # MODE [PORT]
{
    rm -f "$box/port" "$box/hook_port"
    /usr/bin/python3 tests/portal/mail_server.py "$box" "$@" \
        2>>"$dir/log/mail_server.err" &
    server=$!
    await 20 test -s "$box/port" && port=$(cat "$box/port")
}
stop_mail()
{
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=
}

start=$(date +%s)
time_after() { date -u -d "@$((start + $1))" +%Y-%m-%dT%H:%M:%SZ; } # SECONDS
tick_after() { "$portal" tick -c "$dir/portal.conf" --now "$(time_after "$1")"; }

# messages FIRST LAST [CHANNEL ADDRESS]: as an act would have written them.
messages()
{
    local channel=${3:-mail} at=$((start * 1000000))
    db "WITH RECURSIVE n (i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM n
            WHERE i < $2)
        INSERT INTO message (id, account_name, made_at, subject_zh, subject_en,
            body_zh, body_en, is_secret)
        SELECT i, 'li', $at, '企业注册被退回补正：R-2026-' || i || '，请在期限内补正后重新提交',
            'Registration returned: R-2026-' || i, '正文' || i, 'Body ' || i, 0
        FROM n;
        INSERT INTO delivery (message_id, channel, address, language, token,
            next_at)
        SELECT id, '$channel', replace('${4:-person#@example.com}', '#', id),
            'zh', lower(hex(randomblob(16))), $at
        FROM message WHERE id BETWEEN $1 AND $2;"
}
mails() { ls "$box/mails" | wc -l; }
different() { grep -h '^Message-ID:' "$box"/mails/* | sort -u | wc -l; }
is() { [ "$1" = "$2" ] || { echo "is $1, expected $2"; return 1; }; }

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -keyout "$box/server.key" -out "$box/server.pem" -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost 2>/dev/null
printf 'secret\n' >"$dir/password"
printf 'gateway-token\n' >"$dir/token"

# --- a day without the server ---
start_mail starttls && stop_mail
write_conf starttls "$port" >"$dir/portal.conf"
"$portal" load -c "$dir/portal.conf" rules/guangdong-2018 >/dev/null
db "INSERT INTO enterprise (id, name_zh, name_en, credit_code, city_code)
    VALUES ('ENT-1', '甲厂', 'Works A', '91441500MA0000001X', '441500');
    INSERT INTO account (name, role, organisation, display_name, password_hash,
        created_at) VALUES ('li', 'ENT', 'ENT-1', 'Li', 'x', 0);"
messages 1 50
a_day_down()
{
    local hour
    for hour in 0 4 8 12 16 20 24; do
        tick_after $((hour * 3600)) || return 1
    done
    is "$(mails)" 0
    is "$(db 'SELECT count(*) FROM delivery WHERE next_at IS NULL')" 0
    is "$(db "SELECT count(*) FROM delivery WHERE problem LIKE '%onnect%'") tried" "7 tried"
}
tap "SYS-01: with the mail server down for a day nothing is lost or given up" a_day_down
all_in_the_inbox() { is "$(db "SELECT count(*) FROM message WHERE account_name = 'li'")" 50; }
tap "SYS-01: and all of it is in the inbox" all_in_the_inbox

start_mail starttls "$port"
all_arrive() { tick_after $((25 * 3600)) && tick_after $((31 * 3600)) &&
    is "$(mails) $(different)" "50 50"; }
tap "then every mail arrives, once" all_arrive
nothing_twice() { tick_after $((40 * 3600)) && is "$(mails)" 50; }
tap "and none of it again" nothing_twice

is_readable()
{
    /usr/bin/python3 - "$box"/mails/* <<'END'
import email, email.policy, sys
for path in sys.argv[1:]:
    mail = email.message_from_binary_file(open(path, "rb"), policy=email.policy.default)
    number = mail["X-To"].split("@")[0][len("person"):]
    assert mail["To"].strip("<>") == mail["X-To"], mail["To"]
    assert mail["Subject"] == "企业注册被退回补正：R-2026-%s，请在期限内补正后重新提交" % number, mail["Subject"]
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    assert text.index("正文" + number) < text.index("Body " + number), text
    assert not mail.defects
END
}
tap "SYS-04: Chinese first and English behind it, as other programs read it" is_readable

# --- an address that is none ---
messages 51 51 mail 'nobody#@example.com'
messages 52 52
refused() { tick_after $((41 * 3600)) && is "$(mails)" 51 &&
    is "$(db 'SELECT is_refused, next_at IS NULL, problem <> '"''"' FROM delivery
        WHERE message_id = 51')" '1|1|1'; }
tap "an address that the server does not have holds nobody up" refused
task() { tick_after $((41 * 3600 + 60)) && is "$(db "SELECT count(*) FROM task WHERE kind = 'undelivered' AND closed_at IS NULL")" 1; }
tap "SYS-01: and is a task of those who run the portal" task
stop_mail

# --- secrets ---
start_mail plain "$port"
messages 60 60
not_in_clear() { tick_after $((42 * 3600)) && is "$(mails)" 51; }
tap "a server without STARTTLS gets neither password nor mail" not_in_clear
stop_mail
write_conf none "$port" >"$dir/far.conf"
sed -i 's/^mail_server.*/mail_server = mail.example.com:25/' "$dir/far.conf"
not_far() { ! "$portal" tick -c "$dir/far.conf" 2>"$dir/err" && grep -q mail_tls "$dir/err"; }
tap "without any secrecy only this machine's own server is taken" not_far
crlf() { write_conf none "$port" '' >"$dir/far.conf"
    sed -i 's/^mail_from.*/mail_from = a b@example.com/' "$dir/far.conf"
    ! "$portal" tick -c "$dir/far.conf" 2>"$dir/err" && grep -q mail_from "$dir/err"; }
tap "mail_from is an address" crlf

# --- a sender that is killed ---
start_mail slow "$port"
write_conf none "$port" '' >"$dir/portal.conf"
rm -f "$box"/mails/*
messages 70 75
killed()
{
    local try count
    for try in 1 2 3; do
        count=$(mails)
        "$portal" tick -c "$dir/portal.conf" --now \
            "$(time_after $((48 * 3600 + try * 600)))" >"$dir/log/tick" 2>&1 &
        local pid=$!
        await 20 has_more "$count"
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null
    done
    true
}
has_more() { [ "$(mails)" -gt "$1" ]; }
all_the_same()
{
    killed
    touch "$box/go"
    tick_after $((60 * 3600)) && tick_after $((70 * 3600)) || return 1
    # Seven mails with the one that waited for STARTTLS.
    is "$(different)" 7 &&
        is "$(grep -h '^X-To' "$box"/mails/* | sort -u | wc -l)" 7 &&
        [ "$(mails)" -gt 7 ]
}
tap "SYS-06: killed three times while it sends: each mail at least once, and those that came twice have one Message-ID" all_the_same
stop_mail

# --- short messages ---
start_mail plain "$port"
write_conf none "$port" '' "http://127.0.0.1:$(cat "$box/hook_port")/send" >"$dir/portal.conf"
messages 80 80 sms +8613800138000
sms()
{
    tick_after $((71 * 3600)) || return 1
    cat "$box"/sms/*
    grep -q '^Authorization: Bearer gateway-token' "$box"/sms/* &&
        grep -q '"to":"+8613800138000"' "$box"/sms/* &&
        grep -q '企业注册被退回补正：R-2026-80' "$box"/sms/*
}
tap "a short message is one request of the gateway, with its token" sms
write_conf none "$port" '' "http://gateway.example.com/send" >"$dir/far.conf"
not_in_clear() { ! "$portal" tick -c "$dir/far.conf" 2>"$dir/err" && grep -q sms_hook "$dir/err"; }
tap "a gateway elsewhere is asked over HTTPS only" not_in_clear

tap_end
