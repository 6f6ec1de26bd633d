#!/bin/bash
# Log-in that strangers cannot deny (ORG-12), at the real server: one source posts
# wrong passwords as fast as it can while twenty people log in from elsewhere. The
# sources are what a proxy on this machine says, in its header. And the other way
# of configuring: HTTPS in front, cookies that no other host can set.
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal-login
dir=$demo portal=$bin/yz-portal
trap 'status=$?; stop_server; end_spawned; exit $status' EXIT

write_conf() # SECURE
{
    cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = $1
second_factor = no
trusted_proxies = 127.0.0.1
END
}

# user-0 to user-19, all with one password
add_users()
{
    echo 'password of all' | "$portal" user add -c "$dir/portal.conf" user-0 \
        --role PROV --password-file - &&
        sqlite3 "$dir/portal.db" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
            SELECT i + 1 FROM n WHERE i < 19) INSERT INTO account (name, role,
            display_name, password_hash, created_at) SELECT 'user-' || i, role,
            '', password_hash, 0 FROM account, n WHERE name = 'user-0'"
}

# from ADDRESS NAME PASSWORD: leaves the status
from()
{
    local address=$1
    get "$2" /login -H "X-Forwarded-For: $address"
    get "$2" /login -H "X-Forwarded-For: $address" -d "csrf=$(csrf)" \
        --data-urlencode "name=$2" --data-urlencode "password=$3"
}

# attack N: as many wrong passwords for known names as one connection can carry
attack()
{
    get "attacker$1" /login
    local token i
    token=$(csrf)
    for i in $(seq 200); do
        [ "$i" = 1 ] || echo next
        printf '%s\n' "url = \"$url/login\"" 'header = "X-Forwarded-For: 192.0.2.66"' \
            "cookie = \"$dir/attacker$1.jar\"" 'silent' "output = \"$dir/attack.page\"" \
            'write-out = "%{http_code}\n"' \
            "data = \"csrf=$token&name=user-$((i % 20))&password=wrong-$i\""
    done >"$dir/attack$1.conf"
    curl -K "$dir/attack$1.conf" >"$dir/attack$1.out"
}
person() # N: the status of a right log-in from a network of its own
{
    curl -s -c "$dir/person$1.jar" -H "X-Forwarded-For: 198.51.$1.9" "$url/login" |
        sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p' >"$dir/person$1.token"
    curl -s -o "$dir/person$1.page" -w '%{http_code}\n' -b "$dir/person$1.jar" \
        -H "X-Forwarded-For: 198.51.$1.9" -d "csrf=$(cat "$dir/person$1.token")" \
        -d "name=user-$1" --data-urlencode 'password=password of all' "$url/login"
}
under_attack()
{
    local attackers i people=''
    attack 1 &
    attackers=$!
    attack 2 &
    attackers="$attackers $!"
    for i in $(seq 0 19); do
        person "$i" >"$dir/person$i.out" &
        people="$people $!"
    done
    wait $people $attackers
    cat "$dir"/person*.out | sort | uniq -c
    [ "$(cat "$dir"/person*.out | grep -c '^303$')" = 20 ]
}
attacker_is_slowed()
{
    cat "$dir"/attack?.out | sort | uniq -c
    [ "$(cat "$dir"/attack?.out | wc -l)" = 400 ] &&
        [ "$(cat "$dir"/attack?.out | grep -c '^429$')" -gt 100 ] &&
        ! grep -q '^303$' "$dir"/attack?.out
}
locked_there_only()
{
    sqlite3 "$dir/portal.db" 'DELETE FROM login_failure; DELETE FROM login_lock'
    for _ in 1 2 3 4 5; do
        from 203.0.113.1 user-3 wrong && [ "$status" = 401 ] || return 1
    done
    from 203.0.113.2 user-3 'password of all' && [ "$status" = 401 ] &&
        from 198.51.100.9 user-3 'password of all' && [ "$status" = 303 ]
}
in_the_log()
{
    sqlite3 "$dir/portal.db" "SELECT action, object, result FROM audit WHERE
        actor = 'user-3' ORDER BY seq" | tail -n 3 >"$dir/rows"
    printf '%s\n' 'login.lock|203.0.113.1|DENIED' 'login.locked|203.0.113.2|DENIED' \
        'login|198.51.100.9|OK' | diff - "$dir/rows"
}
# A header of a stranger is not believed, so neither of these is another source.
not_believed()
{
    sed -i 's/^trusted_proxies.*/trusted_proxies = 192.0.2.1/' "$dir/portal.conf"
    sqlite3 "$dir/portal.db" 'DELETE FROM login_failure; DELETE FROM login_lock'
    stop_server
    start_server || return 1
    for i in 1 2 3 4 5; do
        from 203.0.$i.1 user-4 wrong && [ "$status" = 401 ] || return 1
    done
    from 198.51.100.9 user-4 'password of all' && [ "$status" = 401 ]
}
# Where the form leads after the right password.
next_is() # NEXT LOCATION
{
    rm -f "$dir/user-5.jar"
    get user-5 /login
    get user-5 /login -d "csrf=$(csrf)" -d name=user-5 \
        --data-urlencode 'password=password of all' -d "next=$1"
    [ "$status" = 303 ] && grep -qx "Location: $2" <(tr -d '\r' <"$dir/head")
}
stays_here()
{
    local next
    for next in '//evil.example' '/%5Cevil.example' '/%09/evil.example' \
        'https://evil.example' '/a%20b' '/%E4%BD%A0'; do
        next_is "$next" / || { echo "$next"; return 1; }
    done
    next_is '/tables?page=%26' '/tables?page=&'
}

write_conf no
tap "twenty accounts" add_users
tap "the server starts" start_server
tap "ORG-12: twenty right log-ins amid an attack from one source: all let in" under_attack
tap "... and the attacker is slowed" attacker_is_slowed
tap "ORG-12: five wrong ones lock a name for their network alone" locked_there_only
tap "AUD-01: the log has the visitor's address, and the refused attempts" in_the_log
tap "the way back stays on this site, without control characters" stays_here
tap "who is no proxy of ours cannot say who he is" not_believed

# --- HTTPS in front ---
plain_for_the_world()
{
    sed 's/^listen.*/listen = 0.0.0.0:0/' "$dir/portal.conf" >"$dir/world.conf"
    "$portal" run -c "$dir/world.conf" 2>"$dir/err"
    [ $? = 2 ] && has 'secure_cookie = no' "$dir/err"
}
tap "plain HTTP is for this machine only" plain_for_the_world
tap "... and its log-in page says so" \
    eval 'gives 200 nobody /login && has "仅供在本机试用" "$dir/page"'
stop_server
write_conf yes
tap "a portal behind HTTPS starts" start_server
host_cookies()
{
    gives 200 nobody /login -H 'X-Forwarded-Proto: https' &&
        grep -qi '^set-cookie: __Host-yz_form=[0-9a-f]*; Path=/; HttpOnly; SameSite=Strict; Secure' \
            "$dir/head" && has 'Strict-Transport-Security: max-age=' "$dir/head" &&
        lacks '仅供在本机试用' "$dir/page"
}
tap "its cookies are __Host-, and HTTPS is to stay" host_cookies
over_https() # CURL...: as a browser does that has the cookie
{
    local token cookie
    gives 200 nobody /login || return 1
    token=$(csrf) cookie=$(sed -n 's/^Set-Cookie: \(__Host-yz_form=[0-9a-f]*\).*/\1/p' "$dir/head")
    get nobody /login -d "csrf=$token" -d name=user-6 \
        --data-urlencode 'password=password of all' -H "Cookie: $cookie" "$@"
}
let_in()
{
    over_https && [ "$status" = 303 ] &&
        grep -q '^Set-Cookie: __Host-yz_session=[0-9a-f]*; Path=/; HttpOnly; SameSite=Strict; Secure' \
            "$dir/head"
}
tap "the right password lets in" let_in
other_name()
{
    get nobody /login
    local token
    token=$(csrf)
    gives 403 other /login -d "csrf=$token" -d name=user-6 \
        -H "Cookie: yz_form=00000000000000000000000000000000"
}
tap "a cookie that another host can have set is none of ours" other_name
told()
{
    gives 200 plain '/login?lang=en' -H 'X-Forwarded-Proto: http' &&
        has 'begins with https://' "$dir/page" &&
        ! grep -qi '^strict-transport' "$dir/head" &&
        gives 403 bare '/login?lang=en' -d csrf=0 -d name=user-6 \
            --data-urlencode 'password=password of all' &&
        has 'begins with https://' "$dir/page"
}
tap "a right password over plain HTTP is told what is wrong" told
tap "the audit chain is whole" "$portal" audit check -c "$dir/portal.conf"
tap_end
