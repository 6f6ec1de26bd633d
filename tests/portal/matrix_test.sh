#!/bin/bash
# Every page, file and JSON as every role, for an own and a foreign record: what the
# programme's matrix (tests/data/policy/matrix.tsv) says of its action decides
# whether it opens (200, 403, to the log-in), the account's scope which records are
# in it (404 for one of somebody else, as for one that is not there).
set -u
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal-matrix
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

# role organisation: an account each, named as its role
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
prepare()
{
    local role organisation
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018 &&
        "$portal" load -c "$dir/portal.conf" --sample tests/portal/registry || return 1
    { echo 'PRAGMA journal_mode = WAL;'
        cat verifier/*.sql tests/portal/verdict.sql; } | sqlite3 "$dir/verdict.db" || return 1
    # A foreign probe, an event of each probe, and registrations in two cities.
    sqlite3 "$dir/portal.db" "INSERT INTO probe (id, enterprise_id, site_id, algorithm,
        signing_key, agreed_at) VALUES ('probe-2', 'ENT-2', 'SITE-2', 'ed25519',
        randomblob(32), 1);
        INSERT INTO item (machine, state, number, version, party, city_code, opened_at,
        state_at) VALUES
        ('enterprise_registration', 'PENDING_CITY', 'R-OWN', 1, 'ENT-3', '441500', 1, 1),
        ('enterprise_registration', 'PENDING_CITY', 'R-FOREIGN', 1, 'ENT-2', '440600', 1, 1),
        ('account_recovery', 'PENDING_FIRST', 'F-OWN', 1, 'ENT-3', '441500', 1, 1),
        ('account_recovery', 'PENDING_FIRST', 'F-FOREIGN', 1, 'ENT-2', '440600', 1, 1)" ||
        return 1
    { echo 'PRAGMA journal_mode = WAL;'
        cat collector/ledger/*.sql
        echo "INSERT INTO event (at_us, last_us, times, kind, probe_id, detail) VALUES
            (1, 1, 1, 'gap', 'probe-1', ''), (2, 2, 1, 'gap', 'probe-2', '');"
    } | sqlite3 "$dir/usage.db" || return 1
    for role in $roles; do
        organisation=$(organisation_of "$role")
        echo "password-$role" | "$portal" user add -c "$dir/portal.conf" "$role" \
            --role "$role" ${organisation:+--organisation "$organisation"} \
            --until 2100-01-01 --password-file - || return 1
    done
}
enter()
{
    local role
    for role in $roles; do
        login "$role" "password-$role"
        [ "$status" = 303 ] || return 1
    done
}
tap "an account for each role of the paper" prepare
tap "the server starts" start_server
tap "each logs in" enter

# may ROLE ACTION BUT: a right, and none of them with that limit
matrix=tests/data/policy/matrix.tsv
may()
{
    awk -F'\t' -v role="$1" -v action="$2" -v but="$3" '
        $1 == action && $2 == role {
            has = 1
            if (but != "-" && (" " $4 " ") ~ (" " but " ")) refused = 1
        }
        END { exit !(has && !refused) }' "$matrix"
}
# scope_has ROLE RECORD: is the record in the role's scope?
scope_has()
{
    case $1:$2 in
    PROV:* | AUDT:* | CITY:own | OPC:own | SUPP:own | ENT:own) ;;
    *) return 1 ;;
    esac
}
without_login() # ADDRESS
{
    echo "$1" >>"$dir/asked"
    case $1 in
    /api/*) gives 401 nobody "$1" ;;
    *) gives 303 nobody "$1" ;;
    esac
}

# --- one record ---

# record_as ROLE ADDRESS ACTION BUT KIND: KIND is own or foreign
record_as()
{
    local wanted=403
    may "$1" "$3" "$4" && wanted=404
    [ $wanted = 403 ] || ! scope_has "$1" "$5" || wanted=200
    gives $wanted "$1" "$2" || { echo "$1"; return 1; }
}
record()
{
    local role
    for role in $roles; do
        record_as "$role" "$@" || return 1
    done
    without_login "$1"
}
while read -r address action but kind; do
    tap "$address as every role: $action" record "$address" "$action" "$but" "$kind"
done <<'END'
/vouchers/V-1 verification_run - own
/vouchers/V-2 verification_run - foreign
/api/v1/vouchers/V-1 verification_run - own
/api/v1/vouchers/V-2 verification_run - foreign
/tables/test-441500/1 verification_run own_result own
/tables/test-440600/1 verification_run own_result foreign
/api/v1/tables/test-441500/1 verification_run own_result own
/api/v1/tables/test-440600/1 verification_run own_result foreign
/tables/test-441500/1/table.csv verification_run own_result own
/tables/test-440600/1/table.csv verification_run own_result foreign
END

# --- lists: as page, files and JSON ---

# The texts in a workbook, or the answer as it is.
answer_text()
{
    case $1 in
    *.xlsx)
        /usr/bin/python3 -c 'import sys, zipfile
book = zipfile.ZipFile(sys.argv[1])
for name in book.namelist():
    print(book.read(name).decode())' "$dir/page"
        ;;
    *) cat "$dir/page" ;;
    esac
}
# shows ROLE KIND MARK: the record's mark is in the answer when its scope has it
shows()
{
    if scope_has "$1" "$2"; then
        has "$3" "$dir/text"
    else
        lacks "$3" "$dir/text"
    fi
}
# list_as ROLE ADDRESS ACTION BUT OWN FOREIGN: what an own and a foreign record is
# known by
list_as()
{
    local wanted=403
    may "$1" "$3" "$4" && wanted=200
    gives $wanted "$1" "$2" || { echo "$1"; return 1; }
    [ $wanted = 200 ] || return 0
    answer_text "$2" >"$dir/text" && shows "$1" own "$5" && shows "$1" foreign "$6" ||
        { echo "$1"; return 1; }
}
list()
{
    local role
    for role in $roles; do
        list_as "$role" "$@" || return 1
    done
    without_login "$1"
}
while read -r name action but own foreign; do
    for address in "/$name" "/$name.csv" "/$name.xlsx" "/api/v1/$name"; do
        tap "$address as every role: $action" list "$address" "$action" "$but" \
            "$own" "$foreign"
    done
done <<'END'
vouchers verification_run - V-1 V-2
tables verification_run own_result test-441500 test-440600
probes identifier_record probe_gets_own_customers probe-1 probe-2
events audit_log own_city probe-1 probe-2
registrations enterprise_review - R-OWN R-FOREIGN
recoveries account_recovery_confirm - F-OWN F-FOREIGN
END

# --- what has no records of others, or none here ---

page_as() # ROLE ADDRESS ACTION BUT
{
    local wanted=403
    may "$1" "$3" "$4" && wanted=200
    gives $wanted "$1" "$2" || { echo "$1"; return 1; }
}
page()
{
    local role
    for role in $roles; do
        page_as "$role" "$@" || return 1
    done
    without_login "$1"
}
while read -r address action but; do
    tap "$address as every role: $action" page "$address" "$action" "$but"
done <<'END'
/api/v1/log audit_log own_city
/registration enterprise_file -
/registration/check enterprise_file -
/registration/basics enterprise_file -
/recovery account_recovery_ask -
/accounts bureau_account -
/accounts.csv bureau_account -
/accounts.xlsx bureau_account -
/api/v1/accounts bureau_account -
/colleagues account_recovery_ask -
/colleagues.csv account_recovery_ask -
/colleagues.xlsx account_recovery_ask -
/api/v1/colleagues account_recovery_ask -
END
# Accounts are seen by whom they are to manage: accounts_test.sh. One's own is
# everybody's.
own_account()
{
    local role
    for role in $roles; do
        gives 200 "$role" /account && gives 200 "$role" /account/second-factor || return 1
    done
    gives 303 nobody /account && gives 303 nobody /account/second-factor &&
        gives 303 nobody /accounts/new && gives 303 nobody /accounts/ENT
}
tap "/account as every role: one's own" own_account

# A page that was not asked above. Files have a test of their own,
# attachment_test.sh, and so have registrations, registration_test.sh.
all_asked()
{
    local address pattern
    for address in $(grep -oE '\{HTTP_GET, "/[^"]*"' portal/pages/site.c | grep -oE '/[^"]*' |
        grep -vE '^/$|^/style.css$|^/icon.svg$|^/login$|^/supplier/counts$|^/files/|^/work$|^/messages|^/registrations/|^/registration/receipt$|^/login/code$|^/(register|forgotten)$|^/activate/|^/recoveries/|^/account(s/.*|/second-factor)?$'); do
        pattern=$(echo "$address" | sed 's|[.]|[.]|g;s|[*]|[^/]*|g')
        grep -qE "^(/api/v1)?$pattern\$" "$dir/asked" || { echo "$address is not asked"; return 1; }
    done
}
tap "every page of the site is asked, or named as public" all_asked

# --- a wrong cell is found ---

# turned ROLE ACTION BUT: the matrix with this cell the other way
turned()
{
    local has=1
    may "$1" "$2" "$3" || has=0
    awk -F'\t' -v role="$1" -v action="$2" '!($1 == action && $2 == role)' \
        tests/data/policy/matrix.tsv
    [ $has = 1 ] || printf '%s\t%s\tR\t\n' "$2" "$1"
}
wrong_cell() # ADDRESS ACTION BUT OWN FOREIGN
{
    local role found
    for role in $roles; do
        turned "$role" "$2" "$3" >"$dir/matrix.tsv"
        matrix=$dir/matrix.tsv
        list_as "$role" "$@" >/dev/null
        found=$?
        matrix=tests/data/policy/matrix.tsv
        [ $found != 0 ] || { echo "$role"; return 1; }
    done
}
tap "a wrong cell of verification_run is found" wrong_cell /vouchers.csv \
    verification_run - V-1 V-2
tap "... of identifier_record" wrong_cell /probes.xlsx identifier_record \
    probe_gets_own_customers probe-1 probe-2
tap "... of audit_log" wrong_cell /events.csv audit_log own_city probe-1 probe-2
tap "the server ends cleanly" stop_server
tap_end
