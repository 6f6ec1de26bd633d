#!/bin/bash
# The portal at size: PORTAL_VOUCHERS (100,000) vouchers, 10,000 enterprises,
# 200 suppliers; PORTAL_USERS (200) people with 1 to 3 s between pages for
# PORTAL_SECONDS (20), searches, tables, exports and log-ins among them. Goals:
# 99 % of pages within 20 ms, of searches within 100 ms; exports and log-ins
# are told, without a goal. Load generator and portal share the machine.
set -eu
cd "$(dirname "$0")/../.."
B=$(cd "${B:-build}" && pwd)
vouchers=${PORTAL_VOUCHERS:-100000} users=${PORTAL_USERS:-200}
seconds=${PORTAL_SECONDS:-20}
dir=$B/bench-portal
portal=$B/bin/yz-portal
server=
rm -rf "$dir"
mkdir -p "$dir"
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT

cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
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
csrf() { sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p' "$dir/page" | head -n 1; }
for who in prov city supp ent; do
    curl -s -b "$dir/$who" -c "$dir/$who" -o "$dir/page" "$url/login"
    curl -s -b "$dir/$who" -c "$dir/$who" -o /dev/null "$url/login" \
        --data-urlencode "csrf=$(csrf)" --data-urlencode "name=$who" \
        --data-urlencode "password=password-$who"
    echo "$who $(awk '$6 == "yz_session" { print $7 }' "$dir/$who")"
done >"$dir/sessions"

# --- one at a time ---
one() # WHO PATH
{
    local cookie i
    cookie=$(sed -n "s/^$1 //p" "$dir/sessions")
    for i in 1 2 3 4 5 6 7; do
        curl -s -o "$dir/page" -w '%{time_total} %{size_download} %{http_code}\n' \
            -H "Cookie: yz_session=$cookie" "$url$2"
    done | sort -n | sed -n 4p |
        awk -v what="$1 $2" '{ printf "  %8.1f ms %8d kB  %s  %s\n", $1 * 1000, $2 / 1024, $3, what }'
}
echo "one request at a time, median of 7, $vouchers vouchers:"
middle=$(printf 'V-2026-%06d' $((vouchers / 2)))
while read -r who path; do one "$who" "$path"; done <<END
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
prov /probes
prov /probes?state=denied
prov /events
prov /api/v1/vouchers
supp /vouchers.csv
prov /vouchers.csv
prov /vouchers.xlsx
END
grep VmHWM "/proc/$server/status"

# --- many people ---
cat >"$dir/paths" <<END
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
table prov /tables/many-440300/1
table prov /probes
json prov /api/v1/vouchers?after=NUMBER
END
load=
for kind in list:30 filter:15 search:5 voucher:30 table:5 json:15; do
    people=$((users * ${kind#*:} / 100))
    SESSIONS=$dir/sessions PATHS=$dir/paths VOUCHERS=$vouchers KIND=${kind%:*} \
        SEED=$people wrk -t1 -c"$people" -d"${seconds}s" --timeout 30s \
        -s tests/bench/portal.lua "$url" >"$dir/wrk-${kind%:*}" &
    load="$load $!"
done
end=$((SECONDS + seconds))
# Beside them, one after the other: exports, and log-ins.
export_some()
{
    while [ $SECONDS -lt $end ]; do one supp /vouchers.csv; done
}
log_in()
{
    while [ $SECONDS -lt $end ]; do
        rm -f "$dir/in"
        curl -s -b "$dir/in" -c "$dir/in" -o "$dir/form" "$url/login"
        curl -s -b "$dir/in" -c "$dir/in" -o /dev/null "$url/login" \
            -w '%{http_code}\n' --data-urlencode "name=ent" \
            --data-urlencode "csrf=$(sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p' "$dir/form" | head -n 1)" \
            --data-urlencode "password=password-ent"
        sleep 0.1
    done
}
[ "${PORTAL_BESIDE:-yes}" = no ] || export_some >"$dir/exports" &
first=$!
[ "${PORTAL_BESIDE:-yes}" = no ] || log_in >"$dir/logins" &
wait $load $first $!
echo "$users people, 1 to 3 s between pages, $seconds s; exports and log-ins beside them:"
grep -h ' requests  p50' "$dir"/wrk-*
echo "  exports beside them (files of $((vouchers / 5)) rows, seven a line):"
cat "$dir/exports"
sort "$dir/logins" | uniq -c | sed 's/^/  log-ins and their status: /'
grep 'VmHWM\|VmRSS' "/proc/$server/status"
