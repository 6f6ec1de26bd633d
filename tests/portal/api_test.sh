#!/bin/bash
# The interface for programs as doc/portal-api.yaml describes it, held against a
# running portal: each path is asked, each answer is as its schema says, each
# member had a value, nothing depends on a language, refusals have their codes.
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal-api
dir=$demo portal=$bin/yz-portal
trap 'status=$?; stop_server; end_spawned; exit $status' EXIT

cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
attachments = $dir/attachments
second_factor = no
END
other() # NAME SQL-FILES...
{
    { echo 'PRAGMA journal_mode = WAL;'
        cat "${@:2}"; } | sqlite3 "$dir/$1.db"
}
# The registry of the portal's other tests, more than a page of everything, and
# what the verifier says of it.
judge()
{
    openssl genpkey -algorithm ed25519 -out "$dir/table.key" 2>/dev/null &&
        chmod 600 "$dir/table.key" || return 1
    printf '%s\n' "registry = $dir/portal.db" "usage_db = $dir/usage.db" \
        "verdict_db = $dir/verdict.db" "rules = $PWD/rules/guangdong-2018" \
        "signing_key = $dir/table.key" >"$dir/verifier.conf"
    "$bin/yz-verifier" run -c "$dir/verifier.conf" --cycle test
}
# A day of V-3's, as rules/fact.c writes a day on which nothing was seen.
seen_day()
{
    local day=$(($(date +%s) / 86400 - 3))
    printf "INSERT OR REPLACE INTO fact VALUES ('ENT-3', 'erp-test', %d, zeroblob(32),
        x'02%08x%0424d');\n" $day $day 0
}
registrants()
{
    sqlite3 "$dir/portal.db" "INSERT INTO applicant VALUES ('A-3', 'enterprise', 0)" &&
        echo password-he | "$portal" user add -c "$dir/portal.conf" he \
            --role ENT --organisation A-3 --password-file - &&
        echo password-wang | "$portal" user add -c "$dir/portal.conf" wang \
            --role CITY --organisation 441500 --password-file - &&
        echo password-shen | "$portal" user add -c "$dir/portal.conf" shen \
            --role CITY --organisation 440600 --password-file -
}
prepare()
{
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018 &&
        "$portal" load -c "$dir/portal.conf" --sample tests/portal/registry &&
        echo password-anna | "$portal" user add -c "$dir/portal.conf" anna \
            --role PROV --password-file - &&
        echo password-supp | "$portal" user add -c "$dir/portal.conf" supp \
            --role SUPP --organisation SUP-1 --password-file - &&
        registrants &&
        { echo "CREATE TEMP TABLE many (vouchers, enterprises, suppliers, probes);
            INSERT INTO many VALUES (150, 20, 2, 150);"
            cat tests/portal/many.sql tests/portal/api.sql; } | sqlite3 "$dir/portal.db" &&
        sqlite3 "$dir/portal.db" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT
            i + 1 FROM n WHERE i < 150) INSERT INTO account (name, role, organisation,
            display_name, mail, mobile, password_hash, created_at, ends_at)
            SELECT r.name || i, r.name, iif(r.name = 'SUPP', 'SUP-1', ''), 'N', 'n' || i
            || '@body.example', '+8613800138000', 'x', 0, 4102416000000000
            FROM n JOIN role r ON r.name IN ('PROV', 'SUPP');
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
            INSERT INTO item (machine, state, number, version, party, city_code, title,
            opened_at, first_submitted_at, state_at) SELECT 'account_recovery', 'RECOVERED',
            'F-' || i, 1, 'ENT-1', '441500', 'N', 1, 1, 1 FROM n" &&
        other usage collector/ledger/*.sql tests/portal/usage.sql tests/portal/events.sql \
            tests/portal/api_usage.sql &&
        judge && { cat tests/portal/api_verdict.sql && seen_day; } | sqlite3 "$dir/verdict.db" &&
        "$portal" probe revoke -c "$dir/portal.conf" probe-1 --reason stolen &&
        token=$("$portal" token add -c "$dir/portal.conf" --supplier SUP-1)
}
tap "a registry, what was counted and judged" prepare
tap "the server starts" start_server
enter() { login anna password-anna && [ "$status" = 303 ] && login supp password-supp &&
    login he password-he && login wang password-wang && login shen password-shen; }
tap "people log in" enter

# ask STATUS WHO METHOD PATH-OF-THE-DOCUMENT ADDRESS [CURL...]: keeps the answer.
asked=0
ask()
{
    local wanted=$1 who=$2 method=$3 path=$4 address=$5
    shift 5
    gives "$wanted" "$who" "/api/v1$address" -X "$method" "$@" &&
        has 'Content-Type: application/json' "$dir/head" || return 1
    asked=$((asked + 1))
    cp "$dir/page" "$dir/answer-$asked.json"
    printf '%s\t%s\t%s\t%s\n' "$method" "$path" "$wanted" "$dir/answer-$asked.json" \
        >>"$dir/answers.tsv"
}
# one_language WHO ADDRESS: the same bytes whatever the reader's language
one_language()
{
    gives 200 "$1" "/api/v1$2" -H 'Cookie: yz_lang=en' && cp "$dir/page" "$dir/one" &&
        gives 200 "$1" "/api/v1$2?lang=en" && cmp "$dir/page" "$dir/one" &&
        gives 200 "$1" "/api/v1$2?lang=zh" && cmp "$dir/page" "$dir/one"
}
while read -r path address; do
    tap "$address is answered" ask 200 anna GET "$path" "$address"
    tap "$address is the same in each language" one_language anna "${address%%\?*}"
done <<'END'
/vouchers /vouchers
/probes /probes
/tables /tables
/events /events
/registrations /registrations
/log /log
/work /work
/messages /messages
/accounts /accounts
/recoveries /recoveries
/vouchers/{number} /vouchers/V-1
/vouchers/{number} /vouchers/V-2
/vouchers/{number} /vouchers/V-3
/tables/{number}/{version} /tables/test-441500/1
/tables/{number}/{version} /tables/test-440600/1
END
# A supplier's own people are the supplier's to see.
tap "/colleagues is answered" ask 200 supp GET /colleagues /colleagues
# Where something follows, its address is in `next`.
follows() # PATH-OF-THE-DOCUMENT ADDRESS [WHO]
{
    local next
    ask 200 "${3:-anna}" GET "$1" "$2" || return 1
    next=$(sed -n 's/.*"next":"\([^"]*\)".*/\1/p' "$dir/page")
    [ -n "$next" ] && ask 200 "${3:-anna}" GET "$1" "${next#/api/v1}" &&
        has '"next":null' "$dir/page"
}
tap "colleagues: next leads on, and ends" follows /colleagues /colleagues supp
tap "messages: next leads on, and ends" follows /messages /messages supp
for list in vouchers probes tables events registrations accounts recoveries; do
    tap "$list: next leads on, and ends" follows "/$list" "/$list?city="
done
tap "a table's next leads on, and ends" follows '/tables/{number}/{version}' /tables/test-long/1

# --- an enterprise registers ---
json='Content-Type: application/json'
own=/registration named='/registrations/{number}'
member() { sed -n "s/.*\"$1\":\"*\([^\",]*\)[\",].*/\1/p" "$dir/page"; }
typed='"name":"汕尾丙机械有限公司","credit_code":"91441500MATEXT9036","legal_form":"LIMITED","industry":"3311","established":"2015-3-8","city":"441500","county":"海丰县","address":"科技路3号","revenue":1200000050,"revenue_year":2025,"contact":"何六","mobile":"13800138001","mail":"he@example.com","shareholders":[{"name":"何六","share":100}],"no_violation":true,"undertaking":true'
tap "nothing yet, and what is missing" ask 200 he GET $own $own
tap "a wrong type: E_FIELD_VALUE" ask 422 he POST $own $own -H "$json" -d '{"answers":{"name":{}}}'
tap "answers are saved" ask 200 he POST $own $own -H "$json" -d "{\"answers\":{$typed}}"
tap "an old mark: E_STALE" ask 409 he POST $own $own -H "$json" \
    -d '{"answers":{"name":"x"},"mark":"0000000000000000"}'
papers()
{
    local token mark
    printf '%%PDF-1.4\n%%%%EOF\n' >"$dir/licence.pdf"
    gives 200 he /api/v1$own && token=$(member csrf) && gives 200 he $own/papers || return 1
    mark=$(sed -n 's/.*name="mark" value="\([^"]*\)".*/\1/p' "$dir/page" | head -n 1)
    ask 200 he POST "$own/{step}" $own/papers -F "csrf=$token" \
        -F "mark=$mark" -F "licence=@$dir/licence.pdf" -F no_violation=yes \
        -F undertaking=yes && has '"refusals":[]' "$dir/page"
}
tap "a step with its file is saved" papers
submits()
{
    ask 200 he POST $own/submit $own/submit -H "$json" \
        -d "{\"event\":\"submit\",\"version\":$(member version),\"request\":\"r-1\",\"asked\":{\"mark\":\"$(member mark)\"}}" &&
        number=$(member number)
}
tap "it is submitted" submits
tap "its number for another act: E_IDEMPOTENCY" ask 409 he POST $own/submit $own/submit \
    -H "$json" -d '{"event":"submit","version":9,"request":"r-1"}'
tap "the city reads it" ask 200 wang GET "$named" "/registrations/$number"
tap "another city does not" ask 404 shen GET "$named" "/registrations/$number"
tap "it is returned" ask 200 wang POST "$named/{event}" "/registrations/$number/return" -H "$json" \
    -d '{"version":2,"request":"w-1","asked":{"points":[{"field":"county","reason":"不符","material":"核对"}]}}'
tap "a decision on an old version: E_STALE" ask 409 wang POST "$named/{event}" \
    "/registrations/$number/approve" -H "$json" -d '{"version":2,"request":"w-2"}'
tap "the enterprise reads the point" ask 200 he GET $own $own

# --- suppliers' programs ---
by_token() { ask "$1" nobody "$2" /supplier/counts "$3" -H "Authorization: Bearer $token" "${@:4}"; }
today=$(TZ=Asia/Shanghai date +%F)
count() # ENTERPRISE
{
    printf '{"request": "r-1", "rows": [{"enterprise": "%s", "service": "erp-test", "day": "%s",
        "connections": 1, "octets_up": 1, "octets_down": 1, "active_users": 7}]}' "$1" "$today"
}
tap "counts are taken" by_token 200 POST /supplier/counts -H "$json" -d "$(count ENT-1)"
tap "and read back" by_token 200 GET \
    "/supplier/counts?from=$today&to=$(date -d "$today + 1 day" +%F)"
tap "E_IDEMPOTENCY" by_token 409 POST /supplier/counts -H "$json" -d "$(count ENT-3)"
tap "E_FIELD_VALUE" by_token 422 POST /supplier/counts -H "$json" \
    -d "$(count ENT-2 | sed s/r-1/r-2/)"
tap "E_FIELD_VALUE of a period" by_token 422 GET '/supplier/counts?from=x&to=y'
tap "E_BODY" by_token 400 POST /supplier/counts -H "$json" -d '{'
tap "E_CONTENT_TYPE" by_token 415 POST /supplier/counts -d "$(count ENT-1)"
head -c 300000 /dev/zero >"$dir/large"
tap "E_BODY_SIZE" by_token 413 POST /supplier/counts -H "$json" --data-binary "@$dir/large"
tap "E_TOKEN" ask 401 nobody GET /supplier/counts /supplier/counts

# --- refusals ---
refuses_each() # STATUS WHO SUFFIX: every path that an account can ask
{
    local path
    for path in /vouchers /probes /tables /events /registrations /log /work /messages /vouchers/V-1 /tables/test-441500/1; do
        ask "$1" "$2" GET "$(sed 's|/V-1|/{number}|;s|/test-441500/1|/{number}/{version}|' <<<"$path")" \
            "$path$3" || { echo "$path"; return 1; }
    done
}
tap "E_LOGIN everywhere" refuses_each 401 nobody ''
tap "E_REQUEST everywhere" refuses_each 400 anna '?a=%zz'
tap "E_ENCODING everywhere" refuses_each 400 anna '?a=%D4%C6'
for list in probes tables events registrations log; do
    tap "E_ROLE: $list" ask 403 supp GET "/$list" "/$list"
done
tap "E_NO_RECORD: a foreign voucher" ask 404 supp GET '/vouchers/{number}' /vouchers/V-2
tap "E_NO_RECORD: no such table" ask 404 anna GET '/tables/{number}/{version}' /tables/none/1

# --- the document ---
for look in "closed|the document leaves nothing open" "asked|every path of it was asked" \
    "valid|each answer is as it says" "seen|each member had a value"; do
    tap "${look#*|}" tests/portal/api_check doc/portal-api.yaml "$dir/answers.tsv" "${look%%|*}"
done
tap "it is what the tables say of themselves" \
    eval '"$portal" openapi | cmp - doc/portal-api.yaml'
# What the enrolment port and log lines say is not of this interface.
codes_stand_there()
{
    local code
    for code in $(grep -rhoE '"E_[A-Z_]+"' portal --include=*.c --exclude-dir=enrol |
        tr -d '"' | sort -u); do
        grep -qE "^            - $code # [45][0-9][0-9]\$" doc/portal-api.yaml ||
            { echo "$code"; return 1; }
    done
}
tap "every code that the portal refuses with stands there" codes_stand_there
# A word that is not as it is described is found.
finds() # LOOK SED
{
    sed "$2" doc/portal-api.yaml >"$dir/wrong.yaml"
    ! cmp -s doc/portal-api.yaml "$dir/wrong.yaml" &&
        ! tests/portal/api_check "$dir/wrong.yaml" "$dir/answers.tsv" "$1"
}
tap "a wrong type is found" finds valid 's/fee_fen: {type: integer/fee_fen: {type: string/'
tap "a member that is not described is found" finds valid '/^        is_masked:/d'
tap "a member that never comes is found" finds seen 's/^        is_masked:/        other: {type: string}\n&/'
tap "a code that is not named is found" finds valid 's/E_ROLE, //'
tap "the server ends cleanly" stop_server
tap_end
