#!/bin/bash
# Every page as every role, for an own and a foreign record: what the programme's
# matrix (tests/data/policy/matrix.tsv) says of the page's action decides whether
# it opens (200, 403, to the log-in), the account's scope which records it has
# (404 for one of somebody else, as for one that is not there).
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
may()
{
    awk -F'\t' -v role="$1" -v action="$2" -v but="$3" '
        $1 == action && $2 == role {
            has = 1
            if (but != "-" && (" " $4 " ") ~ (" " but " ")) refused = 1
        }
        END { exit !(has && !refused) }' tests/data/policy/matrix.tsv
}
# scope_has ROLE RECORD: is the record in the role's scope?
scope_has()
{
    case $1:$2 in
    PROV:* | AUDT:* | CITY:own | OPC:own | SUPP:own | ENT:own) ;;
    *) return 1 ;;
    esac
}

# as_matrix ADDRESS ACTION BUT KIND: KIND is list, own or foreign
as_matrix()
{
    local role wanted
    for role in $roles; do
        wanted=403
        may "$role" "$2" "$3" && wanted=200
        [ "$wanted$4" = 200list ] || [ $wanted = 403 ] || scope_has "$role" "$4" ||
            wanted=404
        gives $wanted "$role" "$1" || { echo "$role"; return 1; }
    done
    case $1 in
    /api/*) gives 401 nobody "$1" ;;
    *) gives 303 nobody "$1" ;;
    esac
}
while read -r address action but kind; do
    tap "$address as every role: $action" as_matrix "$address" "$action" "$but" "$kind"
done <<'END'
/vouchers verification_run - list
/vouchers.csv verification_run - list
/api/v1/vouchers verification_run - list
/vouchers/V-1 verification_run - own
/vouchers/V-2 verification_run - foreign
/api/v1/vouchers/V-1 verification_run - own
/api/v1/vouchers/V-2 verification_run - foreign
/tables verification_run own_result list
/api/v1/tables verification_run own_result list
/tables/test-441500/1 verification_run own_result own
/tables/test-441500/1/table.csv verification_run own_result own
/probes identifier_record probe_gets_own_customers list
/api/v1/probes identifier_record probe_gets_own_customers list
/events audit_log own_city list
/api/v1/events audit_log own_city list
/api/v1/log audit_log own_city list
/registration enterprise_file - list
/registration/check enterprise_file - list
/registration/basics enterprise_file - list
/registrations enterprise_review - list
/registrations.csv enterprise_review - list
/api/v1/registrations enterprise_review - list
/accounts bureau_account - list
/accounts.csv bureau_account - list
/api/v1/accounts bureau_account - list
/colleagues account_recovery_ask - list
/colleagues.csv account_recovery_ask - list
/api/v1/colleagues account_recovery_ask - list
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
# A page that has no row above would not be asked. Files have a test of their own,
# attachment_test.sh, and so has a registration, registration_test.sh.
all_asked()
{
    local rows asked
    rows=$(grep -oE '\{HTTP_GET, "/[^"]*"' portal/pages/site.c | grep -oE '/[^"]*' |
        grep -vE '^/$|^/style.css$|^/icon.svg$|^/login$|^/supplier/counts$|^/files/|^/work$|^/messages|^/registrations/|^/registration/receipt$|[.]xlsx$|^/login/code$|^/(register|forgotten)$|^/activate/|^/account(s/.*|/second-factor)?$|^/(probes|tables|events)[.]csv$')
    for address in $rows; do
        asked=$(echo "$address" | sed 's|[*]|[^/]*|g')
        grep -qE "^(/api/v1)?$asked " "$0" || { echo "$address is not asked"; return 1; }
    done
}
tap "every page of the site is asked, or named as public" all_asked
tap "the server ends cleanly" stop_server
tap_end
