#!/bin/bash
# Files that were handed in, as every role: who sees the record sees its files,
# everybody else is told that there is none (PRIV-10); how they are shown; and
# that each opening is in the audit log.
set -u
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal-attachments
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
END

organisation_of()
{
    case $1 in
    CITY | OPC) echo 441500 ;;
    COUNTY) echo 441500/海丰县 ;;
    SUPP) echo SUP-1 ;;
    ENT) echo ENT-1 ;;
    esac
}
roles=$(awk -F'\t' 'NR > 1 && $1 != "SYS" { print $1 }' tests/data/policy/roles.tsv)
sql() { sqlite3 "$dir/portal.db" "$1"; }

# keep CONTENT: puts it where the portal keeps such bytes; prints its hash
keep()
{
    local hash
    hash=$(printf "$1" | sha256sum | cut -c1-64)
    mkdir -p "$dir/attachments/files/${hash:0:2}"
    printf "$1" >"$dir/attachments/files/${hash:0:2}/$hash"
    echo "$hash"
}
# file ID ITEM NAME TYPE CONTENT SUBMITTED SCAN
file()
{
    local hash
    hash=$(keep "$5")
    sql "INSERT INTO attachment (id, owner_kind, owner_id, field, name, type,
            bytes, sha256, uploaded_by, uploaded_at, submitted_at, scan,
            scan_tried_at)
        VALUES ($1, 'enterprise_registration', '$2', 'licence', '$3', '$4',
            $(printf "$5" | wc -c), x'$hash', 'ENT', 0, $6, '$7', 0)"
}
item() # ID PARTY CITY
{
    sql "INSERT INTO item (id, machine, state, number, version, party, city_code,
            holder, opened_at, first_submitted_at, state_at)
        VALUES ($1, 'enterprise_registration', 'PENDING_CITY', 'R-2026-00000$1',
            1, '$2', '$3', 'city', 0, 0, 0)"
}
prepare()
{
    local role organisation
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018 &&
        "$portal" load -c "$dir/portal.conf" --sample tests/portal/registry || return 1
    for role in $roles; do
        organisation=$(organisation_of "$role")
        echo "password-$role" | "$portal" user add -c "$dir/portal.conf" "$role" \
            --role "$role" ${organisation:+--organisation "$organisation"} \
            --until 2100-01-01 --password-file - || return 1
    done
    item 1 ENT-1 441500 && item 2 ENT-2 440100 &&
        file 1 1 '营业执照 "1".pdf' PDF '%%PDF-1.7 licence' 5 CLEAN &&
        file 2 1 draft.png PNG '\x89PNG\r\n\x1a\n draft' NULL NOT_SCANNED &&
        file 3 2 foreign.pdf PDF '%%PDF-1.7 of another' 5 CLEAN &&
        file 4 1 invoice.xml XML '<?xml version="1.0"?><html/>' 5 CLEAN &&
        file 5 1 bad.pdf PDF '%%PDF-1.7 harmful' 5 INFECTED
}
enter()
{
    local role
    for role in $roles; do
        login "$role" "password-$role"
        [ "$status" = 303 ] || return 1
    done
}
tap "an account for each role, and files" prepare
tap "the server starts" start_server
tap "each logs in" enter

# as_scope FILE STATUS ROLES: these roles get the status, all others 404
as_scope()
{
    local role wanted
    for role in $roles; do
        wanted=404
        case " $3 " in *" $role "*) wanted=$2 ;; esac
        gives $wanted "$role" "/files/$1" || { echo "$role"; return 1; }
    done
    gives 303 nobody "/files/$1"
}
# PRIV-10
tap "a submitted file is seen by those who see its record" \
    as_scope 1 200 'PROV CITY OPC ENT AUDT'
tap "PRIV-10: one of a draft by its party alone" as_scope 2 200 'ENT'
tap "PRIV-10: one of another enterprise in another city" \
    as_scope 3 200 'PROV AUDT'
tap "CON-10: one found harmful later is not opened" \
    as_scope 5 403 'PROV CITY OPC ENT AUDT'
tap "a file that is not there" as_scope 99 404 ''
tap "nor what is no number" gives 404 PROV /files/1x
tap "nor without its record" bash -c "sqlite3 '$dir/portal.db' \"INSERT INTO
    attachment (id, owner_kind, owner_id, field, name, type, bytes, sha256,
    uploaded_by, uploaded_at, submitted_at, scan, scan_tried_at) VALUES (9,
    'enterprise_registration', '77', 'f', 'x', 'PDF', 1, zeroblob(32), 'ENT', 0,
    0, 'CLEAN', 0)\""
tap "it is not there" as_scope 9 404 ''

shown_inline()
{
    gives 200 CITY /files/1 && has '%PDF-1.7 licence' "$dir/page" &&
        has 'Content-Type: application/pdf' "$dir/head" &&
        has 'X-Content-Type-Options: nosniff' "$dir/head" &&
        has "sandbox" "$dir/head" && has "frame-ancestors 'self'" "$dir/head" &&
        has 'X-Frame-Options: SAMEORIGIN' "$dir/head" &&
        has 'Cache-Control: no-store' "$dir/head" &&
        has 'Content-Disposition: inline; ' "$dir/head" &&
        has "filename*=UTF-8''%E8%90%A5%E4%B8%9A%E6%89%A7%E7%85%A7%20%221%22.pdf" "$dir/head" &&
        [ "$(grep -ci '^Content-Security-Policy' "$dir/head")" -eq 1 ]
}
# CON-10
tap "a PDF opens inside the page, and runs nothing" shown_inline
saved()
{
    gives 200 CITY /files/4 && has 'Content-Disposition: attachment; ' "$dir/head" &&
        has 'Content-Type: application/xml' "$dir/head" && has sandbox "$dir/head"
}
tap "CON-10: XML is saved, never shown" saved

openings() { sql "SELECT count(*) FROM audit WHERE action = 'file.open' AND object = '$1' AND actor = '$2'"; }
logged()
{
    local before
    before=$(openings 1 AUDT)
    gives 200 AUDT /files/1 && [ "$(openings 1 AUDT)" -eq $((before + 1)) ] &&
        [ "$(openings 3 ENT)" -eq 0 ]
}
# PRIV-10
tap "each opening leaves one row in the audit log" logged

tap "the server ends cleanly" stop_server
tap_end
