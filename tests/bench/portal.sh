#!/bin/bash
# The portal at size: PORTAL_VOUCHERS (100,000) vouchers, 10,000 enterprises, 200
# suppliers, three events a voucher, and PORTAL_USERS (200) people.
#
# The goals (design.md, section 8): 99 % of pages within 20 ms and of searches
# within 100 ms, while exports and log-ins run beside them; 20 log-ins at once, each
# within 1 s; a page of 60 kB in all.
#
# What 200 people are here: each wants a page every PORTAL_PAUSE_MS (2,000) in the
# mean, for PORTAL_SECONDS (20), whatever became of the page before; that is 100
# pages a second, arriving by chance, each person with a session of their own. A page's time runs from when it was wanted
# to its last byte (tests/bench/people_tool.c). Of the pages 5 % are searches,
# 5 % completion tables, probes, events and people's own work; beside them exports of 20,000 rows go on one
# after the other, and a log-in follows the other after 300 ms.
#
# Told without a goal: pages one at a time, and what the portal does at most, when
# the same people ask again as soon as they are answered (times are then people by
# rate, and no measure of a page).
#
# People, exports, log-ins and portal share the machine, and so does whatever else
# runs on it: the share of its cores that the portal and others had is told.
set -eu
cd "$(dirname "$0")/../.."
B=$(cd "${B:-build}" && pwd)
vouchers=${PORTAL_VOUCHERS:-100000} users=${PORTAL_USERS:-200}
seconds=${PORTAL_SECONDS:-20} pause=${PORTAL_PAUSE_MS:-2000}
dir=$B/bench-portal
portal=$B/bin/yz-portal
server=
rm -rf "$dir"
mkdir -p "$dir"
trap '[ -z "$server" ] || kill "$server" || tail -n 20 "$dir/log"; rm -rf "$dir"' EXIT

cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = no
END

size="CREATE TEMP TABLE many (vouchers, enterprises, suppliers, probes);
    INSERT INTO many VALUES ($vouchers, $((vouchers / 10)), 200, $((vouchers / 10)));"
"$portal" load -c "$dir/portal.conf" rules/guangdong-2018 >/dev/null
{ echo "$size BEGIN;"; grep -v '^PRAGMA' tests/portal/many.sql; echo 'COMMIT;'; } |
    sqlite3 "$dir/portal.db"
{ echo "PRAGMA journal_mode = WAL; BEGIN; $size"
    cat verifier/*.sql tests/portal/many_verdict.sql; echo 'COMMIT;'; } |
    sqlite3 "$dir/verdict.db" >/dev/null
{ echo 'PRAGMA journal_mode = WAL; BEGIN;'; cat collector/ledger/*.sql
    echo "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
        WHERE i < $((3 * vouchers))) INSERT INTO event (at_us, last_us, kind, probe_id,
        sequence, detail) SELECT (unixepoch() - 10 * i) * 1000000,
        (unixepoch() - 10 * i) * 1000000, iif(i % 7, 'late', 'gap'),
        'probe-m' || (i % 10000 + 1), i, '' FROM n;"
    echo 'COMMIT;'; } | sqlite3 "$dir/usage.db" >/dev/null

add_user() # NAME ROLE [ORGANISATION]
{
    echo "password-$1" | "$portal" user add -c "$dir/portal.conf" "$1" \
        --role "$2" ${3:+--organisation "$3"} --password-file - >/dev/null
}
add_user prov PROV
add_user city CITY 440100
add_user supp SUPP SUP-M1
add_user ent ENT ENT-M1

"$portal" run -c "$dir/portal.conf" 2>"$dir/log" &
server=$!
for _ in $(seq 100); do
    port=$(sed -n 's/.*listening on .*, port \([0-9]*\)$/\1/p' "$dir/log")
    [ -n "$port" ] && break
    sleep 0.1
done
url=http://127.0.0.1:$port
# A session for each of the people, as old as those of people who are at it are.
for who in prov city supp ent; do
    "$B/tools/people_tool" logins "$port" "$who" "password-$who" $((users / 4)) \
        "$dir/sessions" >/dev/null
done
sqlite3 "$dir/portal.db" "UPDATE session SET used_at = used_at - abs(random()) % 60000000"

# --- one at a time ---
one() # WHO PATH [CURL...]
{
    local cookie i who=$1 path=$2
    shift 2
    cookie=$(sed -n "s/^$who //p" "$dir/sessions" | head -n 1)
    for i in 1 2 3 4 5 6 7; do
        curl -s -o "$dir/page" -w '%{time_total} %{size_download} %{http_code}\n' \
            -H "Cookie: yz_session=$cookie" "$@" "$url$path"
    done | sort -n | sed -n 4p |
        awk -v what="$who $path" '{ printf "  %8.1f ms %8d kB  %s  %s\n", $1 * 1000, $2 / 1024, $3, what }'
}
echo "one request at a time, median of 7, $vouchers vouchers:"
middle=$(printf 'V-2026-%06d' $((vouchers / 2)))
while read -r who path; do one "$who" "$path"; done <<END
prov /
city /
supp /
ent /
prov /vouchers
prov /vouchers?after=$middle
prov /vouchers?city=441900
prov /vouchers?city=440100&mark=UNDETERMINED
prov /vouchers?mark=UNDETERMINED
prov /vouchers?mark=NONE
prov /vouchers?totals=1
prov /vouchers?text=%E7%94%B5%E5%AD%90
prov /vouchers?text=%E6%B2%A1%E6%9C%89
prov /vouchers?text=v-2026-0999
prov /vouchers?text=914403000000000777
city /vouchers
city /vouchers?mark=UNDETERMINED
city /vouchers?text=%E7%94%B5%E5%AD%90
supp /vouchers
supp /vouchers?after=$middle
supp /vouchers?mark=UNDETERMINED
supp /vouchers?text=%E7%94%B5%E5%AD%90
ent /vouchers
prov /vouchers/$middle
prov /tables
prov /tables/many-440100/1
prov /registrations
city /registrations?state=PENDING_CITY
prov /registrations?text=%E7%94%B5%E5%AD%90
prov /accounts
prov /probes
prov /probes?state=denied
prov /events
prov /events?kind=gap
prov /events?text=probe-m77
prov /api/v1/vouchers
supp /vouchers.csv
prov /vouchers.csv
prov /vouchers.xlsx
END
grep VmHWM "/proc/$server/status"
# What a browser gets for its first page, and for its next ones.
bytes() # PATH
{
    curl -s -o /dev/null -w '%{size_download}' --compressed \
        -H "Cookie: yz_session=$(sed -n 's/^prov //p' "$dir/sessions" | head -n 1)" "$url$1"
}
echo "a page of 100 vouchers: $(bytes /vouchers) bytes; style and picture, once: $((
    $(bytes /style.css) + $(bytes /icon.svg))) bytes (goal: 60,000 in all)"

# --- many people ---
cat >"$dir/paths" <<END
list 30 20
filter 15 20
voucher 30 20
table 5 20
json 15 20
search 5 100
list prov /vouchers?after=NUMBER
list city /vouchers
list supp /vouchers?after=NUMBER
list ent /vouchers
filter prov /vouchers?city=440300
filter prov /vouchers?city=441900
filter prov /vouchers?mark=COMPLETE
filter prov /vouchers?mark=UNDETERMINED
filter city /vouchers?mark=NOT_COMPLETE
filter city /vouchers?mark=UNDETERMINED
filter supp /vouchers?mark=UNDETERMINED
search prov /vouchers?text=%E7%94%B5%E5%AD%90
search prov /vouchers?text=%E6%B2%A1%E6%9C%89
search prov /vouchers?text=v-2026-0777
search city /vouchers?text=works
search supp /vouchers?text=%E9%A3%9F%E5%93%81
voucher prov /vouchers/NUMBER
table prov /tables
table city /
table ent /
table city /registrations
table prov /tables/many-440300/1
table prov /probes
table prov /events
json prov /api/v1/vouchers?after=NUMBER
END
# used: jiffies that the portal, and all cores, have worked since the start.
used()
{
    echo $(($(cut -d ' ' -f 14 "/proc/$server/stat") + $(cut -d ' ' -f 15 "/proc/$server/stat"))) \
        "$(awk '/^cpu / { print $2 + $3 + $4 + $7 + $8, $2 + $3 + $4 + $5 + $6 + $7 + $8 }' /proc/stat)"
}
# people PAUSE_MS SECONDS
people()
{
    local before
    before=$(used)
    "$B/tools/people_tool" pages "$port" "$dir/sessions" "$dir/paths" "$vouchers" \
        "$users" "$1" "$2"
    echo "$before $(used)" | awk '{ printf "  of the cores: the portal %d %%, all others %d %%\n",
        100 * ($4 - $1) / ($6 - $3), 100 * ($5 - $2 - $4 + $1) / ($6 - $3) }'
}
end=$((SECONDS + seconds))
# Beside them, one after the other: exports, and log-ins.
export_some()
{
    while [ $SECONDS -lt $end ]; do one supp /vouchers.csv --compressed; done
}
log_in()
{
    while [ $SECONDS -lt $end ]; do
        "$B/tools/people_tool" logins "$port" ent password-ent 1
        sleep 0.3
    done
}
echo "$users people, a page every $pause ms each, $seconds s; exports and log-ins beside them; load before: $(cut -d ' ' -f 1 /proc/loadavg)"
[ "${PORTAL_BESIDE:-yes}" = no ] || export_some >"$dir/exports" &
first=$!
[ "${PORTAL_BESIDE:-yes}" = no ] || log_in >"$dir/logins" &
second=$!
people "$pause" "$seconds"
wait $first $second
if [ "${PORTAL_BESIDE:-yes}" != no ]; then
    echo "  exports beside them (files of $((vouchers / 5)) rows, seven a line):"
    cat "$dir/exports"
    echo "  log-ins beside them: $(wc -l <"$dir/logins"), slowest $(
        sed -n 's/.*max *\([0-9.]*\) ms.*/\1/p' "$dir/logins" | sort -n | tail -n 1) ms"
fi
grep 'VmHWM\|VmRSS' "/proc/$server/status"
echo "20 log-ins at once, three times:"
for _ in 1 2 3; do "$B/tools/people_tool" logins "$port" ent password-ent 20; done
echo "$users people without a pause (information):"
people 0 10
grep 'VmHWM\|VmRSS' "/proc/$server/status"
