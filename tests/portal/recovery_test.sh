#!/bin/bash
# The way back when a firm's only agent is gone (ENT-06, F32), from signing up to the
# second officer, at the real server: what is carried over, and what is dead.
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal-recovery
dir=$demo portal=$bin/yz-portal
trap 'status=$?; stop_server; end_spawned; exit $status' EXIT

cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = no
public_url = https://portal.example
END
good='two horses behind a hedge'
sql() { sqlite3 -cmd '.timeout 5000' "$dir/portal.db" "$1"; }
add_user() # NAME ROLE [ORGANISATION] [OPTION...]
{
    echo "$good" | "$portal" user add -c "$dir/portal.conf" "$1" --role "$2" \
        ${3:+--organisation "$3"} "${@:4}" --password-file -
}
logs_in()
{
    rm -f "$dir/$1.jar"
    login "$1" "$good"
    [ "$status" = 303 ] || { echo "$1: $status"; return 1; }
}
# post STATUS WHO PAGE ADDRESS FIELD...: the form on PAGE, sent to ADDRESS
post()
{
    local wanted=$1 who=$2 page=$3 address=$4 field request version
    local -a fields=()
    shift 4
    for field in "$@"; do fields+=(--data-urlencode "$field"); done
    gives 200 "$who" "$page" || return 1
    version=$(sed -n 's/.*name="version" value="\([0-9]*\)".*/\1/p' "$dir/page" | head -n 1)
    gives "$wanted" "$who" "$address" --data-urlencode "csrf=$(csrf)" \
        ${version:+-d "version=$version"} "${fields[@]}"
}
# saved STATUS FIELD...: the request with its files
saved()
{
    local wanted=$1 field
    local -a fields=()
    shift
    for field in "$@"; do fields+=(-F "$field"); done
    gives 200 "$agent" /recovery || return 1
    gives "$wanted" "$agent" /recovery -F "csrf=$(csrf)" "${fields[@]}"
}

# A firm with one agent, two officers of its city; two drafts and a returned item
# with some days left.
prepare()
{
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018 &&
        "$portal" load -c "$dir/portal.conf" --sample tests/portal/registry &&
        add_user old ENT ENT-1 --mail old@firm.example --mobile 13800138000 &&
        add_user li CITY 441500 && add_user wu CITY 441500 && add_user he CITY 440600 &&
        firm=$(sql "SELECT name_zh FROM enterprise WHERE id = 'ENT-1'") &&
        code=$(sql "SELECT credit_code FROM enterprise WHERE id = 'ENT-1'") &&
        printf '%%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%%%EOF\n' >"$dir/a.pdf"
}
things()
{
    sql "INSERT INTO item (machine, state, version, party, title, opened_at, state_at,
            holder, party_kind) VALUES
            ('enterprise_registration', 'DRAFT', 1, 'ENT-1', 'one', 1, 1, 'party', 'enterprise'),
            ('enterprise_registration', 'DRAFT', 1, 'ENT-1', 'two', 1, 1, 'party', 'enterprise');
        INSERT INTO item (machine, state, number, version, party, city_code, title, opened_at,
            first_submitted_at, state_at, holder, party_kind, due_rule, due_from, due_at) VALUES
            ('enterprise_registration', 'RETURNED', 'R-2026-900001', 3, 'ENT-1', '441500', 'three',
            1, 2, 3, 'party', 'enterprise', 'correction', 3, 4102416000000000)"
    sql "SELECT * FROM item WHERE party = 'ENT-1' ORDER BY id" >"$dir/items"
    [ "$(wc -l <"$dir/items")" = 3 ] && logs_in old && cp "$dir/old.jar" "$dir/kept.jar" &&
        logs_in old && "$portal" code issue -c "$dir/portal.conf" --enterprise ENT-1 \
            --site SITE-1 --agreed 2026-11-25 >/dev/null 2>&1
    sql "INSERT INTO message (account_name, made_at, subject_zh, subject_en, body_zh, body_en,
        is_secret) VALUES ('old', 1, '待办', 'to do', 'x', 'x', 0)"
}
signs_up()
{
    post 200 nobody /register /register kind=enterprise person=新人 mail=new@firm.example \
        mobile=13900139000 || return 1
    agent=$(sql "SELECT name FROM account WHERE mail = 'new@firm.example'")
    local link
    link=$(sql "SELECT body_en FROM message ORDER BY id DESC LIMIT 1" |
        sed -n 's|.*portal.example\(/activate/[0-9a-f]*\).*|\1|p')
    post 303 nobody "$link" "$link" "password=$good" "again=$good" && logs_in "$agent"
}
code_sent()
{
    sql "SELECT m.subject_en FROM message m JOIN delivery d ON d.message_id = m.id
        WHERE d.channel = 'sms' AND d.address = '+8613900139000' ORDER BY m.id DESC LIMIT 1" |
        grep -o '[0-9]\{6\}'
}
without_papers()
{
    saved 303 go=code "name=$firm" "credit_code=$code" why=离职 mobile=13900139000 &&
        post 422 "$agent" /recovery /recovery/submit "code=$(code_sent)" &&
        has '营业执照' "$dir/page" &&
        [ "$(sql "SELECT result FROM audit WHERE action = 'account_recovery.submit'
            ORDER BY seq DESC LIMIT 1")" = E_FILE_REQUIRED ]
}
with_papers()
{
    saved 303 go=save "name=$firm" "credit_code=$code" why=离职 mobile=13900139000 \
        "licence=@$dir/a.pdf" "letter=@$dir/a.pdf"
}
unproved()
{
    sql "UPDATE mobile_check SET confirmed_at = NULL, tries = 0" &&
        post 422 "$agent" /recovery /recovery/submit code=000000 && has '还没有用短信验证码' "$dir/page"
}
no_such_firm()
{
    saved 303 go=save "name=${firm}x" "credit_code=$code" why=离职 mobile=13900139000 &&
        post 422 "$agent" /recovery /recovery/submit "code=$(code_sent)" &&
        has '没有这个名称和代码' "$dir/page"
}
handed_in()
{
    with_papers && post 303 "$agent" /recovery /recovery/submit "code=$(code_sent)" &&
        number=$(sql "SELECT number FROM item WHERE machine = 'account_recovery'") &&
        [ "$(sql "SELECT state || city_code FROM item WHERE number = '$number'")" = PENDING_FIRST441500 ]
}
confirm() # STATUS WHO EVENT
{
    post "$1" "$2" "/recoveries/$number" "/recoveries/$number/$3" checked_papers=yes checked_agent=yes
}
first_officer()
{
    logs_in li && logs_in wu && logs_in he && gives 404 he "/recoveries/$number" &&
        gives 200 li "/recoveries/$number" && has "$firm" "$dir/page" &&
        grep -q '/files/[0-9]' "$dir/page" &&
        post 422 li "/recoveries/$number" "/recoveries/$number/confirm_first" checked_papers=yes &&
        confirm 303 li confirm_first && gives 200 kept /account
}
same_officer()
{
    confirm 403 li confirm_second && has '必须是不同的人' "$dir/page" &&
        [ "$(sql "SELECT result FROM audit WHERE action = 'account_recovery.confirm_second'")" = E_FOUR_EYES ]
}
second_officer() { confirm 303 wu confirm_second; }
carried_over()
{
    sql "SELECT * FROM item WHERE party = 'ENT-1' ORDER BY id" | diff "$dir/items" - &&
        [ "$(sql "SELECT organisation FROM account WHERE name = '$agent'")" = ENT-1 ] &&
        gives 200 "$agent" /registration && has 'R-2026-900001' "$dir/page" &&
        gives 200 "$agent" /vouchers/V-1 && gives 200 "$agent" /colleagues &&
        [ "$(sql "SELECT count(*) FROM message WHERE account_name = '$agent'
            AND subject_en = 'to do'")" = 1 ]
}
dead()
{
    gives 303 kept /account && gives 303 old /account && gives 401 old /api/v1/vouchers &&
        login old "$good" && [ "$status" = 401 ] &&
        [ "$(sql "SELECT count(*) FROM session WHERE account_name = 'old'")" = 0 ] &&
        [ "$(sql "SELECT count(*) FROM enrolment_code WHERE enterprise_id = 'ENT-1'
            AND revoked_at IS NULL")" = 0 ] &&
        [ "$(sql "SELECT state || password_hash || mail || mobile || successor FROM account
            WHERE name = 'old'")" = "DISABLED$agent" ]
}
told()
{
    [ "$(sql "SELECT group_concat(channel || ' ' || address, ', ') FROM (SELECT d.* FROM delivery d
        JOIN message m ON m.id = d.message_id WHERE m.subject_en LIKE 'Your account old%'
        ORDER BY channel)")" = 'mail old@firm.example, sms +8613800138000' ]
}
in_the_log()
{
    sql "SELECT action, actor, result FROM audit WHERE action LIKE 'account_recovery.confirm%'
        AND result = 'OK' OR action = 'account.recovered' ORDER BY action" >"$dir/rows"
    printf '%s\n' 'account.recovered|wu|OK' 'account_recovery.confirm_first|li|OK' \
        'account_recovery.confirm_second|wu|OK' | diff - "$dir/rows"
}
tap "a firm with one agent, and officers" prepare
tap "the server starts" start_server
tap "two drafts, an item returned, two log-ins, a code, a message" things
tap "ENT-06: the new agent signs up" signs_up
tap "ENT-06: without licence or sealed letter: E_FILE_REQUIRED" without_papers
tap "the papers are added" with_papers
tap "ENT-06: the mobile is checked by a code" unproved
tap "a name and code that are nobody's" no_such_firm
tap "ENT-06: handed in, it is on the desk of the firm's city" handed_in
tap "ENT-06: one officer confirms, and nothing has happened yet" first_officer
tap "ENT-06: the same one again: E_FOUR_EYES" same_officer
tap "ENT-06: a second officer confirms" second_officer
tap "ENT-06: the new agent has drafts, items and clocks, unchanged" carried_over
tap "ENT-06: log-ins, passwords and codes of the old one are dead" dead
tap "ENT-06: his mobile and mail are told" told
tap "ENT-06: the log names both officers" in_the_log
tap "AUD-02: the audit chain is whole" "$portal" audit check -c "$dir/portal.conf"
tap_end
