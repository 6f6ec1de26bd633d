#!/bin/bash
# The portal as people use it: the real (sanitized) server and curl. Logins,
# roles and scope, forms, headers, exports, both languages, wrong starts.
set -u
B=$(cd "${B:-build}" && pwd) # also from inside other folders
portal=$B/san/bin/yz-portal
dir=$(mktemp -d "$B/portal-test-XXXXXX")
number=0
server=
trap 'stop_server; rm -rf "$dir"' EXIT

check() # NAME COMMAND...: one case
{
    local name=$1
    shift
    number=$((number + 1))
    if "$@" >"$dir/case" 2>&1; then
        echo "ok $number - $name"
    else
        sed 's/^/# /' "$dir/case" | head -n 20
        echo "not ok $number - $name"
    fi
}

stop_server()
{
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null
    wait "$server"
    local status=$?
    server=
    return $status
}

write_conf() # LISTEN
{
    cat <<END
listen = $1
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
number_key = $dir/number.key
END
}

start_server()
{
    "$portal" run -c "$dir/portal.conf" 2>"$dir/log" &
    server=$!
    for _ in $(seq 100); do
        port=$(sed -n 's/.*listening on .*, port \([0-9]*\)$/\1/p' "$dir/log")
        [ -n "$port" ] && break
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.1
    done
    url=http://127.0.0.1:$port
    [ -n "$port" ]
}

has() { grep -qF -- "$1" "$2" || { echo "missing: $1"; head -c 600 "$2"; return 1; }; }
lacks() { ! grep -qF -- "$1" "$2" || { echo "there: $1"; return 1; }; }

# get WHO PATH [CURL...]: body to page, headers to head, status to status.
get()
{
    local who=$1 path=$2
    shift 2
    touch "$dir/$who.jar"
    status=$(curl -s -m 30 -o "$dir/page" -D "$dir/head" -w '%{http_code}' \
        -b "$dir/$who.jar" -c "$dir/$who.jar" "$@" "$url$path")
}
# gives STATUS WHO PATH [CURL...]
gives()
{
    local wanted=$1
    shift
    get "$@"
    [ "$status" = "$wanted" ] || { echo "status $status, wanted $wanted"; return 1; }
}
csrf() { sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p' "$dir/page" | head -n 1; }

login() # WHO PASSWORD: leaves the status
{
    get "$1" /login
    get "$1" /login --data-urlencode "csrf=$(csrf)" \
        --data-urlencode "name=$1" --data-urlencode "password=$2"
}
logs_in() { rm -f "$dir/$1.jar"; login "$1" "password-$1"; [ "$status" = 303 ]; }

add_user() # NAME ROLE [ORGANISATION]
{
    echo "password-$1" | "$portal" user add -c "$dir/portal.conf" "$1" \
        --role "$2" ${3:+--organisation "$3"} --password-file -
}

load_all()
{
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018 &&
        "$portal" load -c "$dir/portal.conf" --sample tests/portal/registry
}
make_others()
{
    { echo 'PRAGMA journal_mode = WAL;'
        cat collector/ledger/*.sql tests/portal/usage.sql; } |
        sqlite3 "$dir/usage.db" &&
        { echo 'PRAGMA journal_mode = WAL;'
            cat verifier/*.sql tests/portal/verdict.sql; } |
        sqlite3 "$dir/verdict.db"
}

# --- starting ---
fails_with() # STATUS TEXT COMMAND...: one line on standard error
{
    local wanted=$1 text=$2
    shift 2
    "$@" >/dev/null 2>"$dir/err" </dev/null
    local got=$?
    cat "$dir/err"
    [ $got = "$wanted" ] && [ "$(wc -l <"$dir/err")" = 1 ] &&
        grep -qF -- "$text" "$dir/err"
}

write_conf 127.0.0.1:0 >"$dir/portal.conf"
printf 'listen = 127.0.0.1:0\ncolour = red\n' >"$dir/wrong.conf"
sed 's|^rules.*|rules = /nonexistent|' "$dir/portal.conf" >"$dir/norules.conf"
reads_back()
{
    "$portal" run -c "$dir/portal.conf" -n >"$dir/normal.conf" &&
        "$portal" run -c "$dir/normal.conf" -n | cmp - "$dir/normal.conf"
}
check "run -n prints what reads back the same" reads_back
check "wrong configuration: file and line, status 2" \
    fails_with 2 "wrong.conf:2" "$portal" run -c "$dir/wrong.conf"
check "missing configuration: status 2" \
    fails_with 2 "nowhere.conf" "$portal" run -c "$dir/nowhere.conf"
check "missing rules: status 1" \
    fails_with 1 "/nonexistent/parameters.conf" \
    "$portal" run -c "$dir/norules.conf"
check "an unknown role: status 2" \
    fails_with 2 "--role" "$portal" user add -c "$dir/portal.conf" x --role BOSS
check "programme data and registry load" load_all
check "loading twice adds nothing" load_all
check "a short password is refused" \
    fails_with 1 "at least 10" "$portal" user add -c "$dir/portal.conf" x \
    --role PROV --password-file <(echo short)
add_users()
{
    add_user anna PROV && add_user shanwei CITY 441500 &&
        add_user foshan CITY 440600 && add_user ent ENT ENT-1 &&
        add_user supp SUPP SUP-1 && add_user audt AUDT && add_user locked PROV
}
check "accounts for every role" add_users
check "an account twice is refused" \
    fails_with 1 "there already" "$portal" user add -c "$dir/portal.conf" anna \
    --role PROV --password-file <(echo password-anna)
check "the server starts" start_server
sed "s|^listen.*|listen = 127.0.0.1:$port|" "$dir/portal.conf" \
    >"$dir/taken.conf"
check "an occupied port: status 1, naming it" \
    fails_with 1 "127.0.0.1:$port" "$portal" run -c "$dir/taken.conf"

# --- without a login ---
start_page() { gives 200 nobody / && has '政策三句话' "$dir/page"; }
check "the start page is public, Chinese first" start_page
in_english()
{
    gives 200 reader '/?lang=en' && has 'Use first, award afterwards' "$dir/page" &&
        gives 200 reader / && has 'lang="en"' "$dir/page" &&
        gives 200 reader '/?lang=zh' && has 'lang="zh-CN"' "$dir/page"
}
check "English by ?lang=en, remembered" in_english
public_is_clean()
{
    for path in / /login '/?lang=en' /nope '/?lang=zh'; do
        get nobody "$path"
        for secret in 203.0.113. 198.51.100. erp.example.com 91441500MATEXT \
            HT-2026- V-1; do
            lacks "$secret" "$dir/page" || return 1
        done
    done
}
check "PRIV-08: public pages hold no identifier, endpoint, code or contract" \
    public_is_clean
to_login()
{
    gives 303 nobody /vouchers/V-1 &&
        has 'Location: /login?next=%2Fvouchers%2FV-1' "$dir/head"
}
check "a page that needs a login leads to it and back" to_login
filter_comes_back()
{
    gives 303 nobody '/vouchers?mark=COMPLETE' &&
        has 'next=%2Fvouchers%3Fmark%3DCOMPLETE' "$dir/head"
}
check "the way back keeps the filter" filter_comes_back
long_way_back()
{
    local path n to
    for n in 20 26 60; do
        path=/vouchers/$(printf '%%E4%%BD%%A0%.0s' $(seq "$n"))
        gives 303 nobody "$path" || return 1
        to=$(tr -d '\r' <"$dir/head" | sed -n 's/^Location: //p')
        gives 200 nobody "$to" || return 1
    done
}
check "a long address of any length leads to a login page" long_way_back
check "JSON without a login is 401" gives 401 nobody /api/v1/vouchers
safe_headers()
{
    for path in / /login /nope /style.css; do
        get nobody "$path"
        has "Content-Security-Policy: default-src 'none'" "$dir/head" &&
            has 'X-Content-Type-Options: nosniff' "$dir/head" &&
            has 'X-Frame-Options: DENY' "$dir/head" &&
            has 'Referrer-Policy: same-origin' "$dir/head" || return 1
    done
    lacks "script-src" "$dir/head" && lacks "unsafe-inline" "$dir/head"
}
check "security headers on every page" safe_headers
no_script()
{
    for f in portal/pages/*.html; do
        ! grep -qiE '<script|style="|onclick|javascript:' "$f" || return 1
    done
}
check "pages have no script and no inline style" no_script
errors()
{
    gives 404 nobody '/nope?lang=en' && has 'There is no such page' "$dir/page" &&
        gives 404 nobody '/nope?lang=zh' && has '没有这个页面' "$dir/page" &&
        gives 404 nobody /vouchers/ && gives 404 nobody //login &&
        gives 405 nobody / -X DELETE && gives 405 nobody /vouchers -X POST -d a=b &&
        gives 400 nobody '/?a=%zz'
}
check "error pages in both languages: 400, 404, 405" errors
oversize()
{
    head -c 20000 /dev/zero | tr '\0' a >"$dir/large"
    gives 413 nobody /login --data-binary "@$dir/large" -H 'Expect:' &&
        has '内容太大' "$dir/page" &&
        gives 431 nobody / -H "X-Large: $(head -c 17000 "$dir/large")" &&
        gives 414 nobody "/$(head -c 5000 "$dir/large")"
}
check "oversize requests: 413, 414, 431" oversize

# --- logging in ---
check "no token, no login" gives 403 nobody /login -d 'name=anna&password=x'
other_cookie()
{
    get one /login
    local token
    token=$(csrf)
    gives 403 two /login --data-urlencode "csrf=$token" -d name=anna \
        --data-urlencode password=password-anna
}
check "a form token of another browser does not count" other_cookie
wrong_form()
{
    get one /login
    gives 400 one /login -H 'Content-Type: text/plain' \
        -d "csrf=$(csrf)&name=anna"
}
check "another type of body is refused" wrong_form
same_answer()
{
    login anna wrong-password
    [ "$status" = 401 ] || return 1
    sed 's/value="[^"]*"//g' "$dir/page" >"$dir/known"
    login nobodyatall wrong-password
    [ "$status" = 401 ] || return 1
    sed 's/value="[^"]*"//g' "$dir/page" | cmp - "$dir/known"
}
check "ORG-12: the same answer for an unknown name and a wrong password" \
    same_answer
lock_out()
{
    for _ in 1 2 3 4 5; do
        login locked wrong-password
        [ "$status" = 401 ] || return 1
    done
    login locked password-locked
    [ "$status" = 401 ]
}
check "ORG-12: after five failures the right password is 401 too" lock_out
check "the right password logs in" logs_in anna
cookie_flags()
{
    rm -f "$dir/anna.jar"
    login anna password-anna
    grep -i '^set-cookie: yz_session=' "$dir/head" >"$dir/cookie"
    has HttpOnly "$dir/cookie" && has 'SameSite=Strict' "$dir/cookie" &&
        has 'Location: /vouchers' "$dir/head"
}
check "the session cookie is HttpOnly and SameSite=Strict" cookie_flags
no_open_redirect()
{
    rm -f "$dir/anna.jar"
    get anna /login
    get anna /login --data-urlencode "csrf=$(csrf)" -d name=anna \
        --data-urlencode password=password-anna --data-urlencode 'next=//evil.example'
    has 'Location: /vouchers' "$dir/head"
}
check "the way back stays on this site" no_open_redirect
rotates()
{
    local before after
    before=$(awk '$6 == "yz_session" {print $7}' "$dir/anna.jar")
    cp "$dir/anna.jar" "$dir/old.jar"
    get anna /vouchers
    get anna /logout --data-urlencode "csrf=$(csrf)"
    [ "$status" = 303 ] || return 1
    gives 303 old /vouchers || return 1
    logs_in anna
    after=$(awk '$6 == "yz_session" {print $7}' "$dir/anna.jar")
    [ -n "$after" ] && [ "$before" != "$after" ]
}
check "logging out ends the session; the next login has a new one" rotates
second_window()
{
    local token
    rm -f "$dir/two.jar"
    get two /login
    token=$(csrf)
    for _ in 1 2; do
        gives 303 two /login --data-urlencode "csrf=$token" -d name=anna \
            --data-urlencode password=password-anna || return 1
    done
    gives 403 two /login -d "csrf=0&name=anna&password=x"
}
check "a login form left open in a second window still works" second_window
check "logging out needs the form's token" gives 403 anna /logout -d csrf=0
idle()
{
    cp "$dir/anna.jar" "$dir/idle.jar"
    sqlite3 "$dir/portal.db" '.timeout 5000' \
        "UPDATE session SET used_at = used_at - 16 * 60000000"
    gives 303 idle /vouchers
    logs_in anna
}
check "ORG-12: a session idle for 15 minutes is over" idle
for user in shanwei foshan ent supp audt; do
    check "$user logs in" logs_in $user
done

# --- before the other databases are there ---
not_yet()
{
    gives 200 anna /vouchers && has '核验程序尚未运行' "$dir/page" &&
        gives 200 anna /vouchers/V-1 && has '采集程序的数据库尚不存在' "$dir/page" &&
        gives 200 anna /tables && has '核验程序尚未运行' "$dir/page" &&
        gives 404 anna /tables/test-441500/1
}
check "without usage.db and verdict.db pages say what is not there yet" not_yet
check "the other two databases appear" make_others
appears() { gives 200 anna /vouchers/V-1 && has '21 个活跃天' "$dir/page"; }
check "pages find them without a restart" appears

# --- roles and scope ---
sees() # WHO NUMBERS...: exactly these vouchers in list and export
{
    local who=$1 n
    shift
    get "$who" /vouchers
    grep -o 'href="/vouchers/V-[0-9]*"' "$dir/page" | grep -o 'V-[0-9]*' \
        >"$dir/list"
    get "$who" /vouchers.csv
    grep -o '^V-[0-9]*' "$dir/page" >"$dir/export"
    printf '%s\n' "$@" | cmp - "$dir/list" &&
        printf '%s\n' "$@" | cmp - "$dir/export" || return 1
    for n in V-1 V-2 V-3; do
        case " $* " in
        *" $n "*) gives 200 "$who" "/vouchers/$n" || return 1 ;;
        *) gives 404 "$who" "/vouchers/$n" &&
            gives 404 "$who" "/api/v1/vouchers/$n" || return 1 ;;
        esac
    done
}
check "PROV sees every voucher" sees anna V-1 V-2 V-3
check "AUDT sees every voucher" sees audt V-1 V-2 V-3
check "ORG-02: Shanwei sees Shanwei's only, others are 404" sees shanwei V-1
check "ORG-02: Foshan sees Foshan's only" sees foshan V-2 V-3
check "ENT sees its own" sees ent V-1
check "SUPP sees its own" sees supp V-1 V-3
denied_row()
{
    sqlite3 -readonly "$dir/portal.db" "SELECT count(*) FROM audit WHERE
        actor = 'shanwei' AND object = 'V-2' AND result = 'DENIED'" |
        grep -qv '^0$'
}
check "a refused look is in the audit log" denied_row
filters()
{
    get anna '/vouchers?mark=COMPLETE'
    has V-1 "$dir/page" && lacks 'href="/vouchers/V-2"' "$dir/page" &&
        get anna '/vouchers.csv?mark=NONE' && has V-3 "$dir/page" &&
        lacks V-1 "$dir/page" &&
        get anna '/vouchers?city=440600&text=%E6%9C%BA%E6%A2%B0' &&
        has 'href="/vouchers/V-2"' "$dir/page" &&
        lacks 'href="/vouchers/V-3"' "$dir/page" &&
        get anna '/vouchers?text=SHANWEI&lang=en' && has V-1 "$dir/page" &&
        get anna '/vouchers?text=%25' && lacks 'href="/vouchers/V-' "$dir/page" &&
        get anna '/?lang=zh'
}
check "filters by mark, city and text, in list and export" filters
shows_masks()
{
    get foshan /vouchers/V-2
    has '0757****001' "$dir/page" && lacks abababab "$dir/page" || return 1
    get shanwei /vouchers/V-1
    has '198.51.*.*' "$dir/page" && lacks 198.51.100.7 "$dir/page" || return 1
    get shanwei /api/v1/vouchers/V-1
    lacks 198.51.100.7 "$dir/page" || return 1
    get ent /vouchers/V-1
    has 198.51.100.7 "$dir/page"
}
check "PRIV-04: cities and suppliers see masks, the enterprise its own" \
    shows_masks
escaped()
{
    get anna /vouchers/V-3
    has '佛山&lt;测试&gt;&amp;家具' "$dir/page" && lacks '<测试>' "$dir/page" &&
        get anna /vouchers/V-2 && has '&lt;b&gt;&amp;&lt;/b&gt;' "$dir/page" &&
        lacks '<b>&</b>' "$dir/page"
}
check "what is stored is escaped" escaped
explained()
{
    get anna '/vouchers/V-2?lang=en'
    for text in 'Connections are as regular as a clock' 'suspicious, held' \
        'What would change this' 'Suspicious</span>' '&lt;= 0.80' '9 / 12' \
        'Rules version' 'Evidence root' 'Demo data' '<svg' \
        '2026-10-22/2026-11-21' 'Timer-driven connections <small>S1</small>' \
        'Class B: device service'; do
        has "$text" "$dir/page" || return 1
    done
    get anna '/vouchers/V-2?lang=zh'
    has '可疑' "$dir/page" && has '怎样可以改变结论' "$dir/page"
}
check "the verdict is explained with value, threshold, window and remedy" \
    explained
timeline()
{
    get anna /vouchers/V-3
    has '<svg' "$dir/page" && has '尚未核验' "$dir/page" &&
        [ "$(grep -c '<th scope="row">20' "$dir/page")" = 35 ]
}
check "the timeline stands beside a table of the same 35 days" timeline
# What a router, a carrier and the supplier's probe say of the last days.
others_say()
{
    sqlite3 "$dir/usage.db" "
        CREATE TEMP TABLE at AS SELECT (strftime('%s', 'now') + 28800) / 86400
            - 3 AS day;
        INSERT INTO usage SELECT 'ENT-3', 'SITE-3', 1,
            day * 86400 - 28800 + 43200, 'router', 0, 0, 1000, 7000000, 1000,
            1000000, 500, 31, 1, 0, 0 FROM at;
        INSERT INTO usage SELECT 'ENT-3', 'SITE-3', 1,
            day * 86400 - 28800 + 43200, 'carrier', 0, 0, 50, 600000, 100,
            400000, 50, 31, 1, 0, 0 FROM at;
        INSERT INTO match_day SELECT 'ENT-3', 'erp-1', day, 0, 'SUP-1', 72,
            1440000, 60, 9, 1, 1400000, 1440, 0 FROM at;
        INSERT INTO match_day SELECT 'ENT-3', 'erp-1', day + 1, 0, 'SUP-1', 72,
            1440000, 0, 0, 0, 0, 0, 0 FROM at"
}
shows_others()
{
    get anna /vouchers/V-3
    cp "$dir/page" "$dir/page-before"
    lacks 其他来源 "$dir/page" && others_say && get anna /vouchers/V-3 &&
        has 其他来源 "$dir/page" && has '95.8 %' "$dir/page" &&
        has 运营商记录 "$dir/page" && has 尽力而为 "$dir/page" &&
        get anna /api/v1/vouchers/V-3 && has '"confirmed":69' "$dir/page"
}
# The days beside the chart are the enterprise's probes' alone.
adds_nothing()
{
    get anna /vouchers/V-3
    diff <(grep '<th scope="row">20' "$dir/page-before") \
        <(grep '<th scope="row">20' "$dir/page")
}
check "other sources stand beside the timeline, each with its tier" shows_others
check "... and are not added to it" adds_nothing
small_pages()
{
    for path in / /vouchers /vouchers/V-2 /tables /tables/test-441500/1; do
        get anna "$path"
        [ "$(cat "$dir/page" portal/pages/style.css portal/pages/icon.svg |
            wc -c)" -lt 60000 ] || return 1
    done
}
check "a page with its stylesheet is below 60 kB" small_pages

# --- probes ---
probes()
{
    "$portal" probe revoke -c "$dir/portal.conf" probe-1 --reason '网关 <b> 失窃' &&
        gives 200 anna /probes && has probe-1 "$dir/page" &&
        has '已停用' "$dir/page" && has '网关 &lt;b&gt; 失窃' "$dir/page" &&
        gives 200 anna '/probes?lang=en' && has 'Denied' "$dir/page" &&
        gives 200 anna /api/v1/probes && has '"state":"denied"' "$dir/page" &&
        gives 200 shanwei /probes && has probe-1 "$dir/page" &&
        gives 200 foshan /probes && lacks probe-1 "$dir/page" &&
        gives 200 ent /probes && gives 403 supp /probes &&
        "$portal" probe restore -c "$dir/portal.conf" probe-1 &&
        gives 200 anna '/probes?lang=zh' && lacks '失窃' "$dir/page"
}
check "each sees its probes, and who is denied and why" probes

# Every one is on a page, also suppliers'.
probe_paging()
{
    local shown=0 path=/probes n
    sqlite3 "$dir/portal.db" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT
        i + 1 FROM n WHERE i < 250) INSERT INTO probe (id, enterprise_id,
        site_id, algorithm, signing_key, agreed_at, supplier_id)
        SELECT 'more-' || i, iif(i > 10, 'ENT-1', NULL),
        iif(i > 10, 'SITE-1', NULL), 'ed25519', randomblob(32), 1,
        iif(i > 10, NULL, 'SUP-1') FROM n"
    while [ -n "$path" ]; do
        gives 200 anna "$path" || return 1
        n=$(grep -o '>more-[0-9]*<' "$dir/page" | wc -l)
        [ "$n" -le 100 ] || return 1
        shown=$((shown + n))
        path=$(sed -n 's|.*href="\(/probes?after=[^"]*\)".*|\1|p' "$dir/page")
    done
    sqlite3 "$dir/portal.db" "DELETE FROM probe WHERE id LIKE 'more-%'"
    [ "$shown" = 250 ]
}
check "all probes are shown, a hundred a page" probe_paging

# --- completion tables ---
tables()
{
    get anna /tables
    has test-441500 "$dir/page" && has test-440600 "$dir/page" &&
        gives 200 anna /tables/test-440600/1 && has 佛山测试机械 "$dir/page" &&
        gives 200 shanwei /tables && lacks test-440600 "$dir/page" &&
        gives 200 shanwei /tables/test-441500/1 && has '达到要求, 21 天' "$dir/page"
}
table_in_english()
{
    gives 200 anna '/tables/test-440600/1?lang=en' &&
        has '<span class="mark NOT_COMPLETE">Not complete</span>' "$dir/page" &&
        has 'in Chinese; each' "$dir/page" &&
        gives 200 anna /api/v1/tables/test-440600/1 && has '未完成' "$dir/page" &&
        gives 200 anna '/tables/test-440600/1?lang=zh' &&
        has '<span class="mark NOT_COMPLETE">未完成</span>' "$dir/page"
}
check "a table's marks in English; JSON has the file's words" table_in_english
check "VER-10: tables, for the province all, for a city its own" tables
other_table()
{
    gives 404 shanwei /tables/test-440600/1 &&
        gives 404 shanwei /tables/test-440600/1/table.csv &&
        gives 404 shanwei /api/v1/tables/test-440600/1
}
check "VER-11: another city's table is 404" other_table
check "suppliers have no tables" gives 403 supp /tables
check "enterprises have no tables" gives 403 ent /tables/test-441500/1
exact_file()
{
    gives 200 shanwei /tables/test-441500/1/table.csv &&
        sqlite3 -readonly "$dir/verdict.db" "SELECT writefile('$dir/stored',
            csv) FROM completion_table WHERE number = 'test-441500'" &&
        cmp "$dir/page" "$dir/stored" && has 'attachment' "$dir/head"
}
check "the file is as stored, byte for byte" exact_file
opened_once()
{
    gives 200 shanwei /tables/test-441500/1
    [ "$(sqlite3 -readonly "$dir/portal.db" "SELECT count(*) FROM audit
        WHERE action = 'table.open' AND result = 'OK'")" = 1 ]
}
check "VER-11: a city's first opening is in the audit log, once" opened_once
json()
{
    gives 200 anna /api/v1/vouchers/V-1 &&
        has 'Content-Type: application/json' "$dir/head" &&
        has '"amount_fen":5000000' "$dir/page" && has '"mark":"COMPLETE"' "$dir/page" &&
        lacks '"_' "$dir/page" && gives 404 anna /api/v1/nope &&
        has '"status":404' "$dir/page" && gives 200 anna /api/v1/tables
}
check "the same as JSON below /api/v1" json

# --- events ---
no_events_yet()
{
    gives 200 anna /events && has '没有发现需要查看的情况' "$dir/page" &&
        has '台账中的批次数' "$dir/page" && has '还没有' "$dir/page"
}
check "events of a log without any" no_events_yet
add_events()
{
    cat tests/portal/events.sql | sqlite3 "$dir/usage.db"
}
check "events and checkpoints appear" add_events
events()
{
    gives 200 anna /events && has '探针被复制' "$dir/page" &&
        has '&lt;b&gt;from&lt;/b&gt;' "$dir/page" && has abababab "$dir/page" &&
        has '编号 2 · 12 批' "$dir/page" && has 'finance' "$dir/page" &&
        gives 200 audt '/events?lang=en' && has 'the probe was cloned' "$dir/page"
}
check "events in both languages, escaped, with hashes and the log's state" \
    events
events_filtered()
{
    get anna '/events?lang=zh'
    has '<small>签名不正确</small>' "$dir/page" &&
        has '<option value="signature">签名不正确</option>' "$dir/page" || return 1
    get anna '/events?kind=conflict'
    has 'probe was cloned' "$dir/page" || has '探针被复制' "$dir/page" || return 1
    lacks 'stranger' "$dir/page" &&
        get anna '/events?text=ent-1' && lacks 'stranger' "$dir/page" &&
        has 'probe-1' "$dir/page" &&
        get anna "/events?since=$(date +%F)" && lacks 'stranger' "$dir/page" &&
        get anna '/events?since=nonsense&after=x&kind=%27' &&
        [ "$status" = 200 ]
}
check "events by kind, enterprise and day; odd filters do no harm" \
    events_filtered
events_elsewhere()
{
    gives 200 anna '/events.csv?kind=conflict' && has 'text/csv' "$dir/head" &&
        has 'conflict' "$dir/page" && has ',17,' "$dir/page" &&
        lacks stranger "$dir/page" && gives 200 anna /api/v1/events &&
        has '"kind":"rollback"' "$dir/page" &&
        lacks '"_' "$dir/page" && gives 200 anna /api/v1/log &&
        has '"witnesses":["finance"]' "$dir/page"
}
check "events as CSV and JSON" events_elsewhere
# More than one file can hold: it says where the rest is.
many_events()
{
    sqlite3 "$dir/usage.db" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT
        i + 1 FROM n WHERE i < 250000) INSERT INTO event (at_us, last_us, times,
        kind, probe_id, sequence, known_hash, other_hash, detail) SELECT i,
        i, 1, 'gap', 'many', i, randomblob(32), randomblob(32), hex(zeroblob(60))
        FROM n"
    local path=/events.csv rows=0 files=0
    while [ -n "$path" ] && [ $files -lt 5 ]; do
        gives 200 anna "$path" || return 1
        rows=$((rows + $(grep -c ',many,' "$dir/page")))
        files=$((files + 1))
        path=$(tail -n 1 "$dir/page" | tr -d '\r' | sed -n 's/.*,"*\(\/events.csv[^"]*\)"*$/\1/p')
    done
    sqlite3 "$dir/usage.db" "DELETE FROM event WHERE probe_id = 'many'"
    echo "$rows rows in $files files"
    [ $rows = 250000 ] && [ $files = 3 ]
}
check "as many events as there are come as CSV, file by file" many_events
events_for_whom()
{
    local who
    for who in shanwei ent supp; do
        gives 403 $who /events && gives 403 $who /events.csv &&
            gives 403 $who /api/v1/events || return 1
    done
    gives 303 nobody /events
}
check "events are for the province and auditors" events_for_whom

# --- suppliers' own counts ---
today=$(TZ=Asia/Shanghai date +%F)
# counts STATUS TOKEN BODY
counts()
{
    status=$(curl -s -m 30 -o "$dir/page" -D "$dir/head" -w '%{http_code}' \
        ${2:+-H "Authorization: Bearer $2"} -H 'Content-Type: application/json' \
        --data-binary "$3" "$url/api/v1/supplier/counts")
    [ "$status" = "$1" ] || { echo "status $status, wanted $1"; cat "$dir/page"; return 1; }
}
row() # ENTERPRISE SERVICE DAY CONNECTIONS
{
    printf '{"enterprise": "%s", "service": "%s", "day": "%s", "connections": %s,
        "octets_up": 1000, "octets_down": 9000}' "$@"
}
make_token()
{
    token=$("$portal" token add -c "$dir/portal.conf" --supplier SUP-1) &&
        other=$("$portal" token add -c "$dir/portal.conf" --supplier SUP-2) &&
        [ ${#token} = 64 ] && [ "$token" != "$other" ] &&
        ! sqlite3 -readonly "$dir/portal.db" .dump | grep -q "$token"
}
check "a supplier's token is shown once and kept as a hash" make_token
are_taken()
{
    counts 200 "$token" "{\"request\": \"r-1\", \"rows\": [$(row ENT-1 erp-test "$today" 120)]}" &&
        has '"added":1' "$dir/page" && has '"repeated":false' "$dir/page"
}
check "counts are taken" are_taken
once()
{
    counts 200 "$token" "{\"request\": \"r-1\", \"rows\": [$(row ENT-1 erp-test "$today" 120)]}" &&
        has '"repeated":true' "$dir/page" &&
        counts 409 "$token" "{\"request\": \"r-1\", \"rows\": [$(row ENT-1 erp-test "$today" 121)]}" &&
        has E_IDEMPOTENCY "$dir/page"
}
check "SYS-03: the same request counts once, another content is refused" once
corrected()
{
    counts 200 "$token" "{\"request\": \"r-2\", \"rows\": [$(row ENT-1 erp-test "$today" 99)]}" &&
        has '"corrected":1' "$dir/page" &&
        [ "$(sqlite3 -readonly "$dir/portal.db" 'SELECT group_concat(connections) FROM supplier_count')" = 120,99 ]
}
check "a correction keeps what was said before" corrected
# As many rows as one request may have, and spread out as people do.
many_counts()
{
    {
        printf '{"request": "r-many", "rows": ['
        for i in $(seq 0 399); do
            [ "$i" = 0 ] || echo ,
            row ENT-1 erp-test "$(date -d "$today - $i days" +%F)" 1000000
        done
        printf ']}'
    } >"$dir/many"
    counts 200 "$token" "@$dir/many" && has '"corrected":1' "$dir/page" &&
        has '"added":399' "$dir/page" &&
        sqlite3 "$dir/portal.db" "DELETE FROM supplier_count WHERE request =
            (SELECT id FROM supplier_request WHERE number = 'r-many')" &&
        head -c 300000 /dev/zero >"$dir/many" &&
        counts 413 "$token" "@$dir/many"
}
check "hundreds of rows in one request" many_counts
refused_counts()
{
    counts 401 "" '{}' && counts 401 "${token%?}0x" '{}' &&
        counts 422 "$other" "{\"request\": \"r-1\", \"rows\": [$(row ENT-1 erp-test "$today" 1)]}" &&
        counts 422 "$token" "{\"request\": \"r-3\", \"rows\": [$(row ENT-2 erp-test "$today" 1)]}" &&
        counts 400 "$token" "{\"request\": \"r-4\", \"rows\": [$(row ENT-1 erp-test 2999-01-01 1)]}" &&
        counts 400 "$token" "{\"request\": \"r-5\", \"rows\": [$(row ENT-1 erp-test "$today" -1)]}" &&
        counts 400 "$token" '{"request": "r-6", "rows": [' && counts 400 "$token" '[]'
}
check "strangers, others' services, no contract, the future, bad JSON: refused" refused_counts
read_back()
{
    [ "$(curl -s -m 30 -o "$dir/page" -w '%{http_code}' -H "Authorization: Bearer $token" \
        "$url/api/v1/supplier/counts?from=$today&to=$(date -d "$today + 1 day" +%F)")" = 200 ] &&
        has '"connections":99' "$dir/page" && lacks '"connections":120' "$dir/page"
}
check "and are read back by whom they belong to" read_back
revoked()
{
    "$portal" token revoke -c "$dir/portal.conf" \
        "$("$portal" token list -c "$dir/portal.conf" | awk '/SUP-1/ { print $1 }')" &&
        counts 401 "$token" '{}'
}
check "a revoked token is none" revoked
check "without /api/v1 there is no such page" gives 404 anna /supplier/counts

# --- numbers ---
hashed()
{
    printf '%s\n' 13800138000 '+86 13800138000' 12 >"$dir/numbers"
    "$portal" number -c "$dir/portal.conf" --kind mobile_number \
        <"$dir/numbers" >"$dir/hashes" 2>"$dir/err" && return 1
    grep -q 'line 3' "$dir/err" && [ "$(sort -u "$dir/hashes" | wc -l)" = 1 ] &&
        grep -q '^[0-9a-f]\{64\},138\*\*\*\*8000$' "$dir/hashes" &&
        [ "$(stat -c %a "$dir/number.key")" = 600 ]
}
check "PRIV-04: a number's keyed hash and mask, a wrong one by its line" hashed

# --- the end ---
# --- an account whose organisation is gone ---
refused_by_schema() # SQL
{
    ! sqlite3 "$dir/portal.db" "$1" 2>"$dir/err" &&
        has 'role and organisation do not fit' "$dir/err"
}
emptied()
{
    refused_by_schema "UPDATE account SET organisation = '' WHERE name = 'shanwei'" &&
        refused_by_schema "UPDATE account SET role = 'SUPP' WHERE name = 'shanwei'"
}
check "the schema refuses a city without a city" emptied
sees_nothing() # WHO: no list, page, export or API shows a row of anybody
{
    local path
    for path in /vouchers /vouchers.csv /api/v1/vouchers /probes /api/v1/probes \
        /tables /api/v1/tables '/vouchers?text=V' '/vouchers.csv?mark=COMPLETE'; do
        get "$1" "$path"
        [ "$status" = 200 ] || [ "$status" = 403 ] || return 1
        grep -E 'V-[123]|ENT-[123]|SUP-[12]|汕尾测试|test-441500|P-[0-9]' "$dir/page" &&
            return 1
    done
    for path in /vouchers/V-1 /api/v1/vouchers/V-2 /tables/test-441500/1 \
        /tables/test-441500/1/table.csv; do
        get "$1" "$path"
        [ "$status" = 404 ] || [ "$status" = 403 ] || return 1
    done
}
forced() # SQL WHO: past the schema; nothing is left to see
{
    local triggers
    triggers=$(sqlite3 "$dir/portal.db" \
        "SELECT sql || ';' FROM sqlite_schema WHERE name LIKE 'account_%_fits'")
    sqlite3 "$dir/portal.db" "DROP TRIGGER account_update_fits;
        CREATE TABLE kept AS SELECT * FROM account; $1"
    sees_nothing "$2"
    local result=$?
    sqlite3 "$dir/portal.db" "UPDATE account SET (role, organisation, ends_at) =
        (SELECT role, organisation, ends_at FROM kept WHERE kept.name = account.name);
        DROP TABLE kept; DROP TRIGGER account_insert_fits; $triggers"
    return $result
}
for who in shanwei ent supp; do
    check "$who without its organisation sees nothing" forced \
        "UPDATE account SET organisation = '' WHERE name = '$who'" $who
done
check "an account that has ended sees nothing" forced \
    "UPDATE account SET ends_at = 1 WHERE name = 'anna'" anna
for role in EXP COUNTY OPP OPC ALLI PUBLIC; do
    check "$role sees nothing that no list names for it" forced \
        "UPDATE account SET role = '$role' WHERE name = 'shanwei'" shanwei
done
check "... and afterwards as before" sees shanwei V-1

check "HEAD is answered" gives 200 anna /vouchers -I
check "SIGTERM ends the server cleanly" stop_server
no_trouble() { ! grep -E 'ERROR: AddressSanitizer|runtime error| error ' "$dir/log"; }
check "nothing went wrong in the server's log" no_trouble
check "AUD-02: the audit chain is whole" \
    "$portal" audit check -c "$dir/portal.conf"
endpoints()
{
    "$portal" endpoints -c "$dir/portal.conf" >"$dir/endpoints.csv" &&
        grep -q '^erp-1,SUP-1,erp-test,203.0.113.10,,tcp,443,' "$dir/endpoints.csv"
}
check "endpoints prints the registry for probes" endpoints
echo "1..$number"
