#!/bin/bash
# Accounts as records with a life, at the real server: invited, opened by a link
# that works once, disabled, reset, handed over; whose they are to manage; a second
# factor; signing up; what strangers learn (nothing).
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal-accounts
dir=$demo portal=$bin/yz-portal
trap 'status=$?; stop_server; end_spawned; exit $status' EXIT

write_conf() # SECOND_FACTOR
{
    cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = $1
trusted_proxies = 127.0.0.1
public_url = https://portal.example
END
}
user() { "$portal" user "$1" -c "$dir/portal.conf" "${@:2}"; }
sql() { sqlite3 -cmd '.timeout 5000' "$dir/portal.db" "$1"; }
good='two horses behind a hedge'
logs_in() # NAME [PASSWORD]
{
    rm -f "$dir/$1.jar"
    login "$1" "${2:-$good}"
    [ "$status" = 303 ] || { echo "$1: $status"; return 1; }
}
# post STATUS WHO PAGE ADDRESS FIELD...: the form on PAGE, sent to ADDRESS
post()
{
    local wanted=$1 who=$2 page=$3 address=$4 field
    local -a fields=()
    shift 4
    for field in "$@"; do fields+=(--data-urlencode "$field"); done
    gives 200 "$who" "$page" || return 1
    gives "$wanted" "$who" "$address" --data-urlencode "csrf=$(csrf)" "${fields[@]}"
}
choose() # STATUS LINK PASSWORD [AGAIN]
{
    post "$1" "link-$RANDOM" "$2" "$2" "password=$3" "again=${4:-$3}"
}
# The newest link that a mail to this address carries.
mailed()
{
    sql "SELECT m.body_en FROM message m JOIN delivery d ON d.message_id = m.id
        WHERE d.address = '$1' ORDER BY m.id DESC LIMIT 1" |
        sed -n 's|.*https://portal.example\(/activate/[0-9a-f]*\).*|\1|p' | head -n 1
}
audited() # NAME ACTION BY: one row
{
    [ "$(sql "SELECT count(*) FROM audit WHERE object = '$1' AND action = '$2'
        AND actor = '$3' AND result = 'OK'")" = 1 ]
}

# --- on the server ---
prepare()
{
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018 &&
        "$portal" load -c "$dir/portal.conf" --sample tests/portal/registry &&
        echo "$good" | user add anna --role PROV --password-file - &&
        echo "$good" | user add shanwei --role CITY --organisation 441500 --password-file - &&
        echo "$good" | user add audt --role AUDT --password-file -
}
invited()
{
    link=$(user invite bert --role ENT --organisation ENT-1 --mail bert@firm.example 2>"$dir/err" |
        sed -n 's|^https://portal.example||p')
    [ -n "$link" ] && has bert "$dir/err" && audited bert account.invite SYS
}
once()
{
    choose 303 "$link" "$good" && logs_in bert && gives 403 x "$link" &&
        has '这个链接不能使用' "$dir/page" && audited bert account.activate bert
}
weak()
{
    choose 422 "$link" Bert-2018-bert && has '容易被猜中' "$dir/page" &&
        choose 422 "$link" short && choose 422 "$link" "$good" "$good." &&
        [ "$(sql "SELECT state FROM account WHERE name = 'bert'")" = INVITED ]
}
over()
{
    link=$(user invite late --role ENT --organisation ENT-1 2>/dev/null | sed 's|.*example||') &&
        gives 200 x "$link" || return 1
    sql "UPDATE account_link SET expires_at = expires_at - 86400000000"
    gives 403 x "$link"
}
kept_as_hash() { ! sql .dump | grep -q "${link#/activate/}"; }
write_conf no
tap "accounts to begin with" prepare
tap "the server starts" start_server
tap "ORG-07: an invitation is a link" invited
tap "ORG-12: common words, names and short ones are no passwords" weak
tap "ORG-07: the link works once" once
tap "ORG-07: ... and for 24 hours" over
tap "... and is kept as a hash" kept_as_hash

# --- on pages, by the matrix ---
province_invites()
{
    logs_in anna && post 303 anna /accounts/new /accounts/new role=CITY body=440600 \
        account=foshan2 person=王 mail=foshan@city.example mobile=13800138000 &&
        audited foshan2 account.invite anna && link=$(mailed foshan@city.example) &&
        [ -n "$link" ] && choose 303 "$link" "$good" && logs_in foshan2 &&
        gives 200 anna /accounts && has foshan2 "$dir/page" && lacks bert "$dir/page"
}
city_invites()
{
    logs_in shanwei && post 422 shanwei /accounts/new /accounts/new account=helper \
        person=李 mail=h@x.example && post 303 shanwei /accounts/new /accounts/new \
        account=helper person=李 mail=h@x.example until=2100-01-01 &&
        [ "$(sql "SELECT role || organisation FROM account WHERE name = 'helper'")" = OPC441500 ] &&
        gives 200 shanwei /accounts && has helper "$dir/page" && lacks foshan2 "$dir/page" &&
        gives 404 shanwei /accounts/foshan2 && gives 404 shanwei /accounts/bert
}
firm_invites()
{
    post 303 bert /accounts/new /accounts/new account=cleo person=陈 mail=cleo@firm.example &&
        choose 303 "$(mailed cleo@firm.example)" "$good" && logs_in cleo &&
        [ "$(sql "SELECT role || organisation FROM account WHERE name = 'cleo'")" = ENTENT-1 ] &&
        gives 200 bert /colleagues && has cleo "$dir/page" && lacks anna "$dir/page" &&
        gives 404 bert /accounts/anna && gives 403 bert /accounts
}
nobody_else()
{
    logs_in audt && gives 403 audt /accounts && gives 403 audt /accounts/new &&
        gives 404 audt /accounts/cleo && gives 303 stranger /accounts/cleo &&
        gives 200 bert /colleagues &&
        gives 404 bert /accounts/anna/disable -d "csrf=$(csrf)" &&
        gives 200 shanwei /accounts/shanwei &&
        gives 403 shanwei /accounts/shanwei/disable -d "csrf=$(csrf)" &&
        gives 403 bert /accounts/cleo/disable -d csrf=0
}
disabled()
{
    post 303 bert /accounts/cleo /accounts/cleo/disable &&
        gives 303 cleo /account && has 'Location: /login' "$dir/head" &&
        login cleo "$good" && [ "$status" = 401 ] &&
        gives 200 bert /accounts/cleo && lacks cleo@firm.example "$dir/page" &&
        post 303 bert /accounts/cleo /accounts/cleo/enable && logs_in cleo &&
        audited cleo account.disable bert && audited cleo account.enable bert
}
reset()
{
    post 303 bert /accounts/cleo /accounts/cleo/reset && gives 303 cleo /account &&
        login cleo "$good" && [ "$status" = 401 ] &&
        choose 303 "$(mailed cleo@firm.example)" "another hedge with horses" &&
        logs_in cleo 'another hedge with horses'
}
handed_over()
{
    post 409 bert /accounts/cleo /accounts/cleo/hand-over to=anna &&
        post 303 bert /accounts/cleo /accounts/cleo/hand-over to=bert &&
        gives 303 cleo /account && post 409 bert /accounts/cleo /accounts/cleo/enable &&
        [ "$(sql "SELECT state || mail || mobile || successor FROM account
            WHERE name = 'cleo'")" = DISABLEDbert ] && audited cleo account.hand_over bert
}
unlocked()
{
    for _ in 1 2 3 4 5; do rm -f "$dir/shanwei.jar"; login shanwei wrong; done
    login shanwei "$good" && [ "$status" = 401 ] || return 1
    user unlock shanwei && logs_in shanwei
}
tap "ORG-07: the province invites a bureau's officer by mail" province_invites
tap "ORG-04: a city invites its own operator, with an end" city_invites
tap "ENT-06: a firm invites its own people" firm_invites
tap "ORG-02: an account of others is not there, and nobody acts on his own" nobody_else
tap "ORG-12: a disabled account is out at once, its contacts are not shown (PRIV-09)" disabled
tap "invited again: the old password is void" reset
tap "ORG-07: handed over, it is closed for good and keeps its history" handed_over
tap "what holds a name back is ended" unlocked
listed() { user list >"$dir/out" && has 'cleo  ENT  ENT-1  DISABLED' "$dir/out" && has 'successor bert' "$dir/out"; }
tap "the server lists them" listed

# --- one's own ---
own_password()
{
    logs_in bert && cp "$dir/bert.jar" "$dir/kept.jar" && rm "$dir/bert.jar" && logs_in bert &&
        post 422 bert /account /account/password old=wrong 'password=a stone under the bridge' \
            'again=a stone under the bridge' &&
        gives 200 kept /account &&
        post 303 bert /account /account/password "old=$good" \
            'password=a stone under the bridge' 'again=a stone under the bridge' &&
        gives 200 bert /account && gives 303 kept /account && logs_in bert 'a stone under the bridge'
}
own_sessions()
{
    post 303 bert /account /account/sessions/end && cp "$dir/bert.jar" "$dir/one.jar" && rm "$dir/bert.jar" && logs_in bert 'a stone under the bridge' &&
        gives 200 bert /account && [ "$(grep -c 'name="session"' "$dir/page")" = 1 ] &&
        has 127.0.0.1 "$dir/page" && has curl/ "$dir/page" || return 1
    local handle
    handle=$(sed -n 's/.*name="session" value="\([0-9a-f]*\)".*/\1/p' "$dir/page")
    gives 303 bert /account/sessions/end -d "csrf=$(csrf)" -d "session=$handle" &&
        gives 303 one /account && has /login "$dir/head" && gives 200 bert /account
}
tap "ORG-12: another password ends all other log-ins" own_password
tap "where one is logged in is seen, and ended" own_sessions

# --- a second factor ---
# code SECRET OFFSET: of the step so many from now
code()
{
    local hex step mac at
    hex=$(printf '%s' "$1" | base32 -d | od -An -tx1 | tr -d ' \n')
    step=$(printf '%016x' $(($(date +%s) / 30 + $2)))
    mac=$(printf '%b' "$(sed 's/../\\x&/g' <<<"$step")" |
        openssl dgst -sha1 -mac HMAC -macopt "hexkey:$hex" | sed 's/.*= //')
    at=$((16#${mac:39:1} * 2))
    printf '%06d' $(((16#${mac:$at:8} & 0x7fffffff) % 1000000))
}
forced()
{
    stop_server
    write_conf yes
    start_server || return 1
    logs_in anna && gives 303 anna /vouchers && has 'Location: /account/second-factor' "$dir/head" &&
        gives 403 anna /api/v1/vouchers && gives 200 anna /account &&
        gives 200 bert /vouchers
}
enrolled()
{
    post 303 anna /account/second-factor /account/second-factor &&
        gives 200 anna /account/second-factor && has '<svg class="qr"' "$dir/page" || return 1
    secret=$(sed -n 's|.*<code>\([A-Z2-7 ]*\)</code>.*|\1|p' "$dir/page" | tr -d ' ')
    [ ${#secret} = 32 ] && ! sql .dump | grep -q "$secret" &&
        post 422 anna /account/second-factor /account/second-factor/confirm code=000000 &&
        post 200 anna /account/second-factor /account/second-factor/confirm "code=$(code "$secret" -1)" &&
        [ "$(grep -c '<li><code>' "$dir/page")" = 10 ] && gives 200 anna /vouchers || {
        gives 200 anna /account/second-factor
        return 1
    }
    paper=$(sed -n 's|.*<li><code>\(.*\)</code>.*|\1|p' "$dir/page" | head -n 1)
    gives 200 anna /account
}
two_steps()
{
    rm "$dir/anna.jar"
    login anna "$good"
    [ "$status" = 303 ] && has 'Location: /login/code?next=' "$dir/head" &&
        gives 303 anna /vouchers && has 'Location: /login' "$dir/head" &&
        post 401 anna /login/code /login/code code=123 &&
        post 303 anna /login/code /login/code "code=$(code "$secret" 0)" next=/accounts &&
        has 'Location: /accounts' "$dir/head" && gives 200 anna /accounts
}
replayed()
{
    rm "$dir/anna.jar"
    login anna "$good"
    post 401 anna /login/code /login/code "code=$(code "$secret" -1)"
}
on_paper()
{
    sql "SELECT 1" >/dev/null
    stop_server
    start_server || return 1
    # shown once, so made anew by confirming again
    user reset anna >"$dir/link" 2>/dev/null || return 1
    choose 303 "$(sed 's|.*example||' "$dir/link")" "$good" && logs_in anna &&
        post 303 anna /account/second-factor /account/second-factor || return 1
    gives 200 anna /account/second-factor
    secret=$(sed -n 's|.*<code>\([A-Z2-7 ]*\)</code>.*|\1|p' "$dir/page" | tr -d ' ')
    post 200 anna /account/second-factor /account/second-factor/confirm "code=$(code "$secret" 0)" || return 1
    paper=$(sed -n 's|.*<li><code>\(.*\)</code>.*|\1|p' "$dir/page" | head -n 1)
    rm "$dir/anna.jar"
    login anna "$good"
    post 303 anna /login/code /login/code "code=$paper" && gives 200 anna /accounts || return 1
    rm "$dir/anna.jar"
    login anna "$good"
    post 401 anna /login/code /login/code "code=$paper"
}
guessed()
{
    sql "DELETE FROM login_failure"
    sql "DELETE FROM login_lock"
    for _ in 1 2 3 4 5; do post 401 anna /login/code /login/code code=000001 || return 1; done
    post 401 anna /login/code /login/code "code=$(code "$secret" 1)" &&
        [ "$(sql "SELECT count(*) FROM audit WHERE actor = 'anna' AND action = 'login.lock'")" = 1 ]
}
tap "ORG-12: whose role needs one sets up a second factor before all else" forced
tap "it is set up with a picture and confirmed by a code" enrolled
tap "then the password alone opens nothing" two_steps
tap "a code that was used lets nobody in again" replayed
tap "a code on paper serves once" on_paper
tap "ORG-12: codes are not to be guessed" guessed

# --- strangers ---
signs_up()
{
    post 200 new /register /register kind=enterprise person=赵 mail=zhao@new.example \
        mobile=13900139000 && has '请查收邮件' "$dir/page" && cp "$dir/page" "$dir/first" || return 1
    link=$(mailed zhao@new.example)
    fresh=$(sql "SELECT name FROM account WHERE mail = 'zhao@new.example'")
    [ -n "$link" ] && choose 303 "$link" "$good" && logs_in "$fresh" &&
        rm "$dir/$fresh.jar" && login zhao@new.example "$good" && [ "$status" = 303 ] &&
        [ "$(sql "SELECT role FROM account WHERE name = '$fresh'")" = ENT ] &&
        [ "$(sql "SELECT count(*) FROM enterprise WHERE id = (SELECT organisation FROM account
            WHERE name = '$fresh')")" = 0 ]
}
same_answer()
{
    post 200 new /register /register kind=enterprise person=钱 mail=zhao@new.example \
        mobile=13900139001 && diff <(sed 's/value="[^"]*"//' "$dir/first") \
        <(sed 's/value="[^"]*"//' "$dir/page") &&
        [ "$(sql "SELECT count(*) FROM account WHERE mail = 'zhao@new.example'")" = 1 ] &&
        [ "$(sql "SELECT count(*) FROM message WHERE subject_en = 'You have an account already'")" = 1 ]
}
forgets()
{
    post 200 new /forgotten /forgotten mail=nobody@nowhere.example && cp "$dir/page" "$dir/none" &&
        post 200 new /forgotten /forgotten mail=zhao@new.example &&
        diff <(sed 's/value="[^"]*"//' "$dir/none") <(sed 's/value="[^"]*"//' "$dir/page") &&
        logs_in "$fresh" && link=$(mailed zhao@new.example) &&
        choose 303 "$link" 'wind over a field of rice' && logs_in "$fresh" 'wind over a field of rice'
}
bounded()
{
    local i
    for i in $(seq 12); do
        get many /register -H 'X-Forwarded-For: 203.0.113.9'
        get many /register -H 'X-Forwarded-For: 203.0.113.9' -d "csrf=$(csrf)" -d kind=supplier \
            -d person=x -d "mail=m$i@many.example" -d mobile=13900139002
    done
    [ "$status" = 429 ] &&
        [ "$(sql "SELECT count(*) FROM account WHERE mail LIKE '%@many.example'")" = 10 ] &&
        post 200 new /register /register kind=supplier person=y mail=other@elsewhere.example \
            mobile=13900139003
}
forgotten_again()
{
    sql "UPDATE account SET created_at = created_at - 90000000000 WHERE mail LIKE '%many.example'"
    sql "UPDATE applicant SET created_at = created_at - 90000000000"
    post 200 new /register /register kind=supplier person=y mail=third@elsewhere.example \
        mobile=13900139004 &&
        [ "$(sql "SELECT count(*) FROM account WHERE mail LIKE '%@many.example'")" = 0 ] &&
        [ "$(sql "SELECT count(*) FROM applicant WHERE NOT EXISTS (SELECT 1 FROM account
            WHERE organisation = applicant.id)")" = 0 ]
}
tap "ENT-01: a stranger signs up, and reserves nothing" signs_up
tap "... and learns not who has an account" same_answer
tap "... nor does who has forgotten a password" forgets
tap "signing up is bounded for each network" bounded
tap "what nobody opened is forgotten" forgotten_again
tap "AUD-02: the audit chain is whole" "$portal" audit check -c "$dir/portal.conf"
tap_end
