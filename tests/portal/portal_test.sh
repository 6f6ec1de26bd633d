#!/bin/bash
# The portal as people use it: the real (sanitized) server and curl. Logins,
# roles and scope, forms, headers, exports, both languages, wrong starts. What a
# page must say to whom stands in pages.rows, a row a test; here is what comes
# between, and what asks for more than a look at one page.
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal
dir=$demo portal=$bin/yz-portal
trap 'status=$?; stop_server; end_spawned; exit $status' EXIT

write_conf() # LISTEN
{
    cat <<END
listen = $1
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = no
number_key = $dir/number.key
END
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
tap "run -n prints what reads back the same" reads_back
tap "wrong configuration: file and line, status 2" \
    fails_with 2 "wrong.conf:2" "$portal" run -c "$dir/wrong.conf"
tap "missing configuration: status 2" \
    fails_with 2 "nowhere.conf" "$portal" run -c "$dir/nowhere.conf"
tap "missing rules: status 1" \
    fails_with 1 "/nonexistent/parameters.conf" \
    "$portal" run -c "$dir/norules.conf"
tap "an unknown role: status 2" \
    fails_with 2 "--role" "$portal" user add -c "$dir/portal.conf" x --role BOSS
tap "programme data and registry load" load_all
tap "loading twice adds nothing" load_all
tap "a short password is refused" \
    fails_with 1 "at least 10" "$portal" user add -c "$dir/portal.conf" x \
    --role PROV --password-file <(echo short)
add_users()
{
    add_user anna PROV && add_user shanwei CITY 441500 &&
        add_user foshan CITY 440600 && add_user ent ENT ENT-1 &&
        add_user supp SUPP SUP-1 && add_user audt AUDT && add_user locked PROV
}
tap "accounts for every role" add_users
tap "an account twice is refused" \
    fails_with 1 "there already" "$portal" user add -c "$dir/portal.conf" anna \
    --role PROV --password-file <(echo password-anna)
tap "the server starts" start_server
sed "s|^listen.*|listen = 127.0.0.1:$port|" "$dir/portal.conf" \
    >"$dir/taken.conf"
tap "an occupied port: status 1, naming it" \
    fails_with 1 "127.0.0.1:$port" "$portal" run -c "$dir/taken.conf"

# --- without a login ---
rows public
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
tap "a long address of any length leads to a login page" long_way_back
no_script()
{
    for f in portal/pages/*.html; do
        ! grep -qiE '<script|style="|onclick|javascript:' "$f" || return 1
    done
}
tap "pages have no script and no inline style" no_script
oversize()
{
    head -c 20000 /dev/zero | tr '\0' a >"$dir/large"
    gives 413 nobody /login --data-binary "@$dir/large" -H 'Expect:' &&
        has E_BODY_SIZE "$dir/page" && has '最多接受 16 KiB' "$dir/page" &&
        gives 431 nobody / -H "X-Large: $(head -c 17000 "$dir/large")" &&
        gives 414 nobody "/$(head -c 5000 "$dir/large")"
}
tap "oversize requests: 413, 414, 431" oversize
# Forms of the programme have 40 fields and more.
many_fields()
{
    seq -f 'f%g=' -s '&' 40 >"$dir/fields"
    gives 403 nobody /login -d "@$dir/fields" && has 表单已过期 "$dir/page" || return 1
    seq -f 'f%g=' -s '&' 513 >"$dir/fields"
    gives 400 nobody /login -d "@$dir/fields" && has E_FIELD_COUNT "$dir/page" &&
        has '512 个字段' "$dir/page"
}
tap "a form of 40 fields is read, one of 513 is told the bound" many_fields

# --- logging in ---
other_cookie()
{
    get one /login
    local token
    token=$(csrf)
    gives 403 two /login --data-urlencode "csrf=$token" -d name=anna \
        --data-urlencode password=password-anna &&
        has 没有保存登录所需的 "$dir/page" || return 1
    get two /login
    gives 403 two /login --data-urlencode "csrf=$token" -d name=anna \
        --data-urlencode password=password-anna && has 表单已过期 "$dir/page"
}
tap "a form token of another browser does not count" other_cookie
wrong_form()
{
    get one /login
    gives 415 one /login -H 'Content-Type: text/plain' \
        -d "csrf=$(csrf)&name=anna" && has E_CONTENT_TYPE "$dir/page" &&
        has application/x-www-form-urlencoded "$dir/page"
}
tap "another type of body is refused" wrong_form
same_answer()
{
    login anna wrong-password
    [ "$status" = 401 ] || return 1
    sed 's/value="[^"]*"//g' "$dir/page" >"$dir/known"
    login nobodyatall wrong-password
    [ "$status" = 401 ] || return 1
    sed 's/value="[^"]*"//g' "$dir/page" | cmp - "$dir/known"
}
tap "ORG-12: the same answer for an unknown name and a wrong password" \
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
tap "ORG-12: after five failures the right password is 401 too" lock_out
tap "the right password logs in" logs_in anna
cookie_flags()
{
    rm -f "$dir/anna.jar"
    login anna password-anna
    grep -i '^set-cookie: yz_session=' "$dir/head" >"$dir/cookie"
    has HttpOnly "$dir/cookie" && has 'SameSite=Strict' "$dir/cookie" &&
        grep -qx 'Location: /.' "$dir/head"
}
tap "the session cookie is HttpOnly and SameSite=Strict" cookie_flags
no_open_redirect()
{
    rm -f "$dir/anna.jar"
    get anna /login
    get anna /login --data-urlencode "csrf=$(csrf)" -d name=anna \
        --data-urlencode password=password-anna --data-urlencode 'next=//evil.example'
    grep -qx 'Location: /.' "$dir/head"
}
tap "the way back stays on this site" no_open_redirect
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
tap "logging out ends the session; the next login has a new one" rotates
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
tap "a login form left open in a second window still works" second_window
# Of password-anna, as they were made before.
renews_hash()
{
    local hash='$argon2id$v=19$m=65536,t=2,p=1$aFEvU8N7HgNwcKAFWi3xXg$Y7GzgDBUKujlGRTFEEyj3jG/bQn8rQhkshpmWq8IZNw'
    sqlite3 "$dir/portal.db" "UPDATE account SET password_hash = '$hash'
        WHERE name = 'anna'"
    rm -f "$dir/anna.jar"
    login anna wrong-password
    [ "$(sqlite3 "$dir/portal.db" "SELECT password_hash FROM account
        WHERE name = 'anna'")" = "$hash" ] || return 1
    logs_in anna && logs_in anna &&
        sqlite3 "$dir/portal.db" "SELECT password_hash FROM account
            WHERE name = 'anna'" | grep -F '$m=32768,t=2,p=1$'
}
tap "a hash of older parameters is good, and made anew at a log-in" renews_hash
rows logged_in
idle()
{
    cp "$dir/anna.jar" "$dir/idle.jar"
    sqlite3 "$dir/portal.db" '.timeout 5000' \
        "UPDATE session SET used_at = used_at - 16 * 60000000"
    gives 303 idle /vouchers && gives 401 idle /api/v1/vouchers &&
        has E_SESSION_ENDED "$dir/page" && gives 401 idle /logout -d csrf=0 &&
        has E_SESSION_ENDED "$dir/page" && has '没有保存' "$dir/page" || return 1
    logs_in anna
}
tap "ORG-12: a session idle for 15 minutes is over" idle
stays()
{
    logs_in anna && sqlite3 "$dir/portal.db" \
        "UPDATE session SET used_at = used_at - 8 * 60000000" &&
        gives 200 anna /vouchers && await 20 was_noted &&
        gives 200 anna /vouchers
}
was_noted()
{
    [ "$(sqlite3 "$dir/portal.db" "SELECT max(used_at) / 1000000 FROM session")" \
        -gt $(($(date +%s) - 300)) ]
}
tap "... and one that is used is not" stays
for user in shanwei foshan ent supp audt; do
    tap "$user logs in" logs_in $user
done

# --- before the other databases are there ---
rows not_yet
tap "the other two databases appear" make_others
# --- roles and scope ---
sees() # WHO NUMBERS...: exactly these vouchers in list and export
{
    local who=$1
    shift
    get "$who" /vouchers
    grep -o 'href="/vouchers/V-[0-9]*"' "$dir/page" | grep -o 'V-[0-9]*' \
        >"$dir/list"
    get "$who" /vouchers.csv
    grep -o '^V-[0-9]*' "$dir/page" >"$dir/export"
    printf '%s\n' "$@" | cmp - "$dir/list" &&
        printf '%s\n' "$@" | cmp - "$dir/export"
}
rows vouchers
tap "PROV sees every voucher" sees anna V-1 V-2 V-3
tap "AUDT sees every voucher" sees audt V-1 V-2 V-3
tap "ORG-02: Shanwei sees Shanwei's only" sees shanwei V-1
tap "ORG-02: Foshan sees Foshan's only" sees foshan V-2 V-3
tap "ENT sees its own" sees ent V-1
tap "SUPP sees its own" sees supp V-1 V-3
denied_row()
{
    sqlite3 -readonly "$dir/portal.db" "SELECT count(*) FROM audit WHERE
        actor = 'shanwei' AND object = 'V-2' AND result = 'DENIED'" |
        grep -qv '^0$'
}
tap "a refused look is in the audit log" denied_row
# Somebody else's voucher, and one that there never was.
same_refusal()
{
    local rest='s/V-9*2*//;s/name="csrf" value="[^"]*"//'
    gives 404 shanwei "$1/V-2" && has E_NO_RECORD "$dir/page" &&
        sed "$rest" "$dir/page" >"$dir/foreign" && gives 404 shanwei "$1/V-99" &&
        sed "$rest" "$dir/page" | cmp - "$dir/foreign"
}
tap "ORG-02: whether a record outside the scope exists is not said" \
    same_refusal /vouchers
tap "... nor as JSON" same_refusal /api/v1/vouchers
timeline()
{
    get anna /vouchers/V-3
    cp "$dir/page" "$dir/page-before"
    [ "$(grep -c '<th scope="row">20' "$dir/page")" = 35 ]
}
tap "the timeline stands beside a table of the same 35 days" timeline
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
# The days beside the chart are the enterprise's probes' alone.
adds_nothing()
{
    get anna /vouchers/V-3
    diff <(grep '<th scope="row">20' "$dir/page-before") \
        <(grep '<th scope="row">20' "$dir/page")
}
tap "a router, a carrier and the supplier's probe say something, too" others_say
rows other_sources
tap "... and are not added to it" adds_nothing
small_pages()
{
    for path in / /vouchers /vouchers/V-2 /tables /tables/test-441500/1; do
        get anna "$path"
        [ "$(cat "$dir/page" portal/pages/style.css portal/pages/icon.svg |
            wc -c)" -lt 60000 ] || return 1
    done
}
tap "a page with its stylesheet is below 60 kB" small_pages

# --- compressed, and kept by browsers ---
masked() { sed 's/name="csrf" value="[0-9a-f]*"//'; }
compressed() # PATH...: the same as without
{
    local path
    for path; do
        get anna "$path"
        masked <"$dir/page" >"$dir/plain"
        has 'Vary: Accept-Encoding' "$dir/head" &&
            lacks Content-Encoding "$dir/head" || return 1
        get anna "$path" -H 'Accept-Encoding: br, gzip'
        has 'Content-Encoding: gzip' "$dir/head" &&
            has 'Vary: Accept-Encoding' "$dir/head" &&
            [ "$(wc -c <"$dir/page")" -lt "$(wc -c <"$dir/plain")" ] &&
            gunzip <"$dir/page" | masked | cmp - "$dir/plain" || return 1
    done
}
tap "pages, files and JSON come compressed to who takes that" compressed \
    /vouchers /vouchers/V-2 /vouchers.csv /api/v1/vouchers/V-2 /style.css
uncompressed()
{
    get anna /vouchers.xlsx -H 'Accept-Encoding: gzip' &&
        lacks Content-Encoding "$dir/head" &&
        get anna /vouchers -H 'Accept-Encoding: gzip;q=0' &&
        lacks Content-Encoding "$dir/head" &&
        get anna /nope -I -H 'Accept-Encoding: gzip' &&
        [ "$status" = 404 ]
}
tap "... what is compressed already, or not wanted so, does not" uncompressed
# BREACH: what a length could tell is not there twice.
other_token()
{
    get anna /vouchers
    csrf >"$dir/first"
    get anna /vouchers
    csrf >"$dir/second"
    [ "$(wc -c <"$dir/first")" = 65 ] &&
        [ "$(cut -c 1-32 "$dir/first")" != "$(cut -c 1-32 "$dir/second")" ] &&
        [ "$(cut -c 33- "$dir/first")" != "$(cut -c 33- "$dir/second")" ]
}
tap "a form's token is other bytes in each answer" other_token
kept()
{
    local name path
    for name in style.css icon.svg; do
        get nobody /login
        path=$(sed -n "s|.*\"\(/$name?v=[0-9a-f]*\)\".*|\1|p" "$dir/page" | head -n 1)
        gives 200 nobody "$path" && has immutable "$dir/head" &&
            cmp "$dir/page" "portal/pages/$name" &&
            tag=$(sed -n 's/^ETag: \(.*\)\r$/\1/p' "$dir/head") &&
            gives 304 nobody "/$name" -H "If-None-Match: $tag" &&
            gives 200 nobody "/$name?v=0" && lacks immutable "$dir/head" ||
            return 1
    done
}
tap "style and picture are kept by their address until they change" kept

# --- probes ---
tap "a probe is denied" "$portal" probe revoke -c "$dir/portal.conf" \
    probe-1 --reason '网关 <b> 失窃'
rows probe_denied
tap "... and restored" "$portal" probe restore -c "$dir/portal.conf" probe-1
rows probe_restored

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
tap "all probes are shown, a hundred a page" probe_paging

# --- completion tables ---
rows tables
exact_file()
{
    gives 200 shanwei /tables/test-441500/1/table.csv &&
        sqlite3 -readonly "$dir/verdict.db" "SELECT writefile('$dir/stored',
            csv) FROM completion_table WHERE number = 'test-441500'" &&
        cmp "$dir/page" "$dir/stored" && has 'attachment' "$dir/head"
}
tap "the file is as stored, byte for byte" exact_file
opened_once()
{
    gives 200 shanwei /tables/test-441500/1
    [ "$(sqlite3 -readonly "$dir/portal.db" "SELECT count(*) FROM audit
        WHERE action = 'table.open' AND result = 'OK'")" = 1 ]
}
tap "VER-11: a city's first opening is in the audit log, once" opened_once
# explain_is VOUCHER: the API's verdict is what explain says, byte for byte
explain_is()
{
    printf '%s\n' "registry = $dir/portal.db" "usage_db = $dir/usage.db" \
        "verdict_db = $dir/verdict.db" 'rules = rules/guangdong-2018' \
        "signing_key = $dir/none.key" >"$dir/verifier.conf"
    "$bin/yz-verifier" explain -c "$dir/verifier.conf" "$1" --json \
        >"$dir/explained" || return 1
    gives 200 anna "/api/v1/vouchers/$1?lang=en" &&
        has "\"verdict\":$(cat "$dir/explained")" "$dir/page" &&
        gives 200 anna "/api/v1/vouchers/$1?lang=zh" &&
        has "\"verdict\":$(cat "$dir/explained")" "$dir/page"
}
one_shape()
{
    explain_is V-1 && has '"unit":"days","value":21' "$dir/explained" &&
        has '"run_at":"2026-' "$dir/explained" &&
        explain_is V-2 && has '"threshold_en":"<= 0.80"' "$dir/explained" &&
        gives 200 anna /api/v1/vouchers/V-3 && has '"verdict":null' "$dir/page"
}
tap "a verdict is the same JSON from the API and from explain, in any language" \
    one_shape

# --- events ---
rows no_events
add_events()
{
    sqlite3 "$dir/usage.db" <tests/portal/events.sql
}
tap "events and checkpoints appear" add_events
rows events
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
    echo "$rows rows in $files files"
    [ $rows = 250000 ] && [ $files = 3 ]
}
tap "as many events as there are come as CSV, file by file" many_events
# The first reader takes a thousandth of it a second.
slow_reader()
{
    rm -f "$dir/slow.head"
    curl -s --limit-rate 20k -o /dev/null -D "$dir/slow.head" -b "$dir/anna.jar" \
        "$url/events.csv" &
    slow=$!
    await 30 grep -q '^HTTP/1.1 200' "$dir/slow.head"
}
is_given() { gives 200 anna '/events.csv?kind=conflict'; }
one_at_a_time()
{
    slow_reader && gives 429 anna /vouchers.csv &&
        has E_EXPORT_RUNNING "$dir/page" && has '请等上一个导出完成' "$dir/page" &&
        has 'Retry-After: 10' "$dir/head" && has text/html "$dir/head" &&
        gives 200 anna /vouchers && gives 200 audt /vouchers.csv
    local result=$?
    kill "$slow"
    wait "$slow"
    return $result
}
tap "an account has one export at a time, another account has its own" one_at_a_time
tap "... and may again when the first has ended" await 30 is_given
sqlite3 "$dir/usage.db" "DELETE FROM event WHERE probe_id = 'many'"
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
tap "a supplier's token is shown once and kept as a hash" make_token
are_taken()
{
    counts 200 "$token" "{\"request\": \"r-1\", \"rows\": [$(row ENT-1 erp-test "$today" 120)]}" &&
        has '"added":1' "$dir/page" && has '"repeated":false' "$dir/page"
}
tap "counts are taken" are_taken
once()
{
    counts 200 "$token" "{\"request\": \"r-1\", \"rows\": [$(row ENT-1 erp-test "$today" 120)]}" &&
        has '"repeated":true' "$dir/page" &&
        counts 409 "$token" "{\"request\": \"r-1\", \"rows\": [$(row ENT-1 erp-test "$today" 121)]}" &&
        has E_IDEMPOTENCY "$dir/page"
}
tap "SYS-03: the same request counts once, another content is refused" once
corrected()
{
    counts 200 "$token" "{\"request\": \"r-2\", \"rows\": [$(row ENT-1 erp-test "$today" 99)]}" &&
        has '"corrected":1' "$dir/page" &&
        [ "$(sqlite3 -readonly "$dir/portal.db" 'SELECT group_concat(connections) FROM supplier_count')" = 120,99 ]
}
tap "a correction keeps what was said before" corrected
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
        counts 413 "$token" "@$dir/many" && has E_BODY_SIZE "$dir/page" &&
        has 'At most 256 KiB' "$dir/page"
}
tap "hundreds of rows in one request" many_counts
refused_counts()
{
    counts 401 "" '{}' && has E_TOKEN "$dir/page" && counts 401 "${token%?}0x" '{}' &&
        counts 422 "$other" "{\"request\": \"r-1\", \"rows\": [$(row ENT-1 erp-test "$today" 1)]}" &&
        counts 422 "$token" "{\"request\": \"r-3\", \"rows\": [$(row ENT-2 erp-test "$today" 1)]}" &&
        counts 400 "$token" "{\"request\": \"r-4\", \"rows\": [$(row ENT-1 erp-test 2999-01-01 1)]}" &&
        counts 400 "$token" "{\"request\": \"r-5\", \"rows\": [$(row ENT-1 erp-test "$today" -1)]}" &&
        counts 400 "$token" '{"request": "r-6", "rows": [' && counts 400 "$token" '[]' &&
        has '"code":"E_BODY"' "$dir/page" && has '"detail":"body:1' "$dir/page"
}
tap "strangers, others' services, no contract, the future, bad JSON: refused" refused_counts
read_back()
{
    [ "$(curl -s -m 30 -o "$dir/page" -w '%{http_code}' -H "Authorization: Bearer $token" \
        "$url/api/v1/supplier/counts?from=$today&to=$(date -d "$today + 1 day" +%F)")" = 200 ] &&
        has '"connections":99' "$dir/page" && lacks '"connections":120' "$dir/page"
}
tap "and are read back by whom they belong to" read_back
revoked()
{
    "$portal" token revoke -c "$dir/portal.conf" \
        "$("$portal" token list -c "$dir/portal.conf" | awk '/SUP-1/ { print $1 }')" &&
        counts 401 "$token" '{}'
}
tap "a revoked token is none" revoked
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
tap "PRIV-04: a number's keyed hash and mask, a wrong one by its line" hashed

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
tap "the schema refuses a city without a city" emptied
sees_nothing() # WHO: no list, page, export or API shows a row of anybody
{
    local path
    for path in /vouchers /vouchers.csv /api/v1/vouchers /probes /api/v1/probes \
        /tables /api/v1/tables '/vouchers?text=V' '/vouchers.csv?mark=COMPLETE'; do
        get "$1" "$path"
        [[ $status =~ ^(200|303|401|403)$ ]] || return 1
        grep -E 'V-[123]|ENT-[123]|SUP-[12]|汕尾测试|test-441500|P-[0-9]' "$dir/page" &&
            return 1
    done
    for path in /vouchers/V-1 /api/v1/vouchers/V-2 /tables/test-441500/1 \
        /tables/test-441500/1/table.csv; do
        get "$1" "$path"
        [[ $status =~ ^(303|401|403|404)$ ]] || return 1
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
    tap "$who without its organisation sees nothing" forced \
        "UPDATE account SET organisation = '' WHERE name = '$who'" $who
done
# The right password is told so, a wrong one nothing.
ended()
{
    add_user brief PROV && logs_in brief && gives 200 brief /vouchers || return 1
    sqlite3 "$dir/portal.db" "UPDATE account SET ends_at = 1 WHERE name = 'brief'"
    gives 303 brief /vouchers && gives 401 brief /api/v1/vouchers || return 1
    rm -f "$dir/brief.jar"
    login brief password-brief
    [ "$status" = 403 ] && has E_MANDATE "$dir/page" && has '账号已到期' "$dir/page" &&
        has '1970-01-01' "$dir/page" && lacks yz_session "$dir/head" || return 1
    login brief wrong-password
    [ "$status" = 401 ] && lacks E_MANDATE "$dir/page"
}
tap "ORG-04: an account that has ended logs in no more, and its session is over" ended
tap "an account that has ended sees nothing" forced \
    "UPDATE account SET ends_at = 1 WHERE name = 'anna'" anna
for role in EXP COUNTY OPP OPC ALLI PUBLIC; do
    tap "$role sees nothing that no list names for it" forced \
        "UPDATE account SET role = '$role' WHERE name = 'shanwei'" shanwei
done
tap "... and afterwards as before" sees shanwei V-1

# --- the end ---
rows the_end
tap "SIGTERM ends the server cleanly" stop_server
no_trouble() { ! grep -E 'ERROR: AddressSanitizer|runtime error| error ' "$dir/server.log"; }
tap "nothing went wrong in the server's log" no_trouble
tap "AUD-02: the audit chain is whole" \
    "$portal" audit check -c "$dir/portal.conf"
endpoints()
{
    "$portal" endpoints -c "$dir/portal.conf" >"$dir/endpoints.csv" &&
        grep -q '^erp-1,SUP-1,erp-test,203.0.113.10,,tcp,443,' "$dir/endpoints.csv"
}
tap "endpoints prints the registry for probes" endpoints
tap_end
