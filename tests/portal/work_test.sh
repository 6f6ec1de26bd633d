#!/bin/bash
# My work after the log-in: what waits for whom, who holds the rest, what is new;
# and the inbox. Records are there as a machine leaves them; who does what with
# them is tested with the machines.
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal-work
dir=$demo portal=$bin/yz-portal
trap 'status=$?; stop_server; end_spawned; exit $status' EXIT
db() { sqlite3 -cmd '.timeout 10000' "$dir/portal.db" "$@"; }

cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = no
END

now=$(date +%s)000000
day=86400000000
# item ID STATE HOLDER CITY NUMBER DUE: DUE as so many days from now, or none
item()
{
    local due="'registration_review', $now, $now + ($6) * $day"
    [ "$6" = none ] && due='NULL, NULL, NULL'
    db "INSERT INTO item (id, machine, state, number, version, party, city_code,
            title, holder, opened_at, state_at, due_rule, due_from, due_at)
        VALUES ($1, 'enterprise_registration', '$2', nullif('$5', ''), 1,
            'ENT-1', '$4', '甲厂 $1', nullif('$3', ''), $now, $now, $due)"
}
prepare()
{
    local row
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018 &&
        "$portal" load -c "$dir/portal.conf" --sample tests/portal/registry || return 1
    for row in 'li ENT ENT-1' 'wang CITY 441500' 'shen CITY 440300' 'chen PROV' \
        'audi AUDT'; do
        set -- $row
        echo "password-$1" | "$portal" user add -c "$dir/portal.conf" "$1" \
            --role "$2" ${3:+--organisation "$3"} --password-file - || return 1
    done
    item 1 PENDING_CITY city 441500 R-2026-000001 -3
    item 2 PENDING_CITY city 441500 R-2026-000002 30
    item 3 RETURNED party 441500 R-2026-000003 14
    item 4 DRAFT party 441500 '' none
    item 5 ACTIVE '' 441500 R-2026-000005 none
    db "INSERT INTO message (id, account_name, made_at, subject_zh, subject_en,
            body_zh, body_en, is_secret) VALUES
        (1, 'li', $now, '企业注册被退回补正：R-2026-000003', 'Returned: R-2026-000003',
            '第一行' || char(10) || '<第二行>', 'One' || char(10) || 'Two', 0),
        (2, 'li', $now, '密码重置', 'Reset', 'https://portal/secret-link', 'x', 1),
        (3, 'wang', $now, '别人的消息', 'of somebody else', 'x', 'x', 0);
        INSERT INTO delivery (message_id, channel, address, language, token, is_refused,
            tries, problem) VALUES (1, 'mail', 'li@example.com', 'zh', 'a', 1, 1, '550 nobody');
        UPDATE account SET mail = 'li@example.com' WHERE name = 'li';"
}
tap "a registry with records on several desks" prepare
tap "the server starts" start_server
all_enter()
{
    local who
    for who in li wang shen chen audi; do
        login "$who" "password-$who" && [ "$status" = 303 ] || return 1
        grep -q '^[Ll]ocation: /.$' "$dir/head" || return 1
    done
}
tap "a log-in leads to one's work" all_enter

# order A B: A stands in front of B on the page
order()
{
    local page
    page=$(tr -d '\n' <"$dir/page")
    case $page in *"$1"*"$2"*) ;; *) echo "$1 not before $2"; return 1 ;; esac
}
city_page()
{
    gives 200 wang '/?lang=zh' && has '等待我处理 <small>2' "$dir/page" &&
        has '已逾期' "$dir/page" && has '还有' "$dir/page" &&
        has '/registrations/R-2026-000001' "$dir/page" &&
        order R-2026-000001 R-2026-000002 && lacks '甲厂 4' "$dir/page" &&
        order 等待他人处理 R-2026-000003
}
tap "SYS-01: the city sees what waits for it, the overdue one first, and no draft" city_page
party_page()
{
    gives 200 li '/?lang=zh' && has '等待我处理 <small>2' "$dir/page" &&
        order 'R-2026-000003' '甲厂 4' && has '没有确定的日期' "$dir/page" &&
        order '等待他人处理 <small>2' 地市经信部门 &&
        lacks R-2026-000005 "$dir/page"
}
tap "SYS-01: the party sees its return and its draft, and who holds the rest" party_page
english() { gives 200 li '/?lang=en' && has 'Waiting for me <small>2' "$dir/page" &&
    has 'no date fixed' "$dir/page" && has 'working days left' "$dir/page"; }
tap "the same in English" english
other_city() { gives 200 shen '/?lang=zh' && has '没有需要您处理的事项' "$dir/page" &&
    lacks R-2026 "$dir/page"; }
tap "ORG-02: another city sees none of it" other_city
province() { gives 200 chen '/?lang=zh' && order '等待他人处理 <small>1' R-2026-000001 &&
    lacks R-2026-000002 "$dir/page"; }
tap "DEAD-11: the province sees what is overdue at a bureau" province
reader() { gives 200 audi '/?lang=zh' && lacks 等待我处理 "$dir/page" && has 新消息 "$dir/page"; }
tap "who only reads has no desk" reader
json()
{
    gives 200 wang /api/v1/work &&
        has '"desk":"city","waiting":{"total":2,"items":[{"id":1,"machine":"enterprise_registration","number":"R-2026-000001"' "$dir/page" &&
        gives 401 nobody /api/v1/work && gives 303 nobody /work
}
tap "the same for programs" json

inbox()
{
    gives 200 li '/messages?lang=zh' && has '企业注册被退回补正：R-2026-000003' "$dir/page" &&
        has '<p>第一行</p>' "$dir/page" && has '<p>&lt;第二行&gt;</p>' "$dir/page" &&
        lacks 密码重置 "$dir/page" && lacks secret-link "$dir/page" &&
        lacks 别人的消息 "$dir/page" && has '没有送达' "$dir/page"
}
tap "the inbox has one's own messages, none with a secret, and says when mail fails" inbox
inbox_json() { gives 200 li /api/v1/messages && has '"is_read":false' "$dir/page" &&
    lacks secret-link "$dir/page"; }
tap "and as JSON" inbox_json
read_all()
{
    get li /messages
    gives 303 li /messages/read -d "csrf=$(csrf)" && gives 200 li '/?lang=zh' &&
        has 没有未读消息 "$dir/page" && gives 403 li /messages/read -d csrf=0
}
tap "marking them read needs the form of the page" read_all

lost()
{
    gives 200 chen '/messages/undelivered?lang=zh' && has li@example.com "$dir/page" &&
        has '550 nobody' "$dir/page" && gives 403 wang /messages/undelivered &&
        gives 403 li /messages/undelivered
}
tap "PRIV-09: what reached nobody is seen by those who can mend it alone" lost
seen()
{
    "$portal" tick -c "$dir/portal.conf" >/dev/null || return 1
    gives 200 chen '/?lang=zh' && has /messages/undelivered "$dir/page" || return 1
    get chen /messages/undelivered
    gives 303 chen /messages/undelivered -d "csrf=$(csrf)" &&
        gives 200 chen '/messages/undelivered?lang=zh' && lacks li@example.com "$dir/page" &&
        gives 200 chen / && lacks /messages/undelivered "$dir/page"
}
tap "SYS-01: it is a task of the province until somebody has seen it" seen
tap "the server ends cleanly" stop_server
tap_end
