#!/bin/bash
# Generated from the table of transitions (yz-portal machines): in every state,
# for every role, the work list says "you must act" for those alone on whose desk
# the record lies; its page then offers exactly the actions that the table names;
# and each of them works and leads where the table says. All the while the mail
# server is down, which nobody notices who reads the work list.
#
# A machine is walked by four functions named after it: a new record of a party of
# its own that is complete (begin_), what its page offers to somebody (offers_), and
# how an event is done there (do_), and who has a role in it (who_). A machine of the
# table without them fails.
set -u
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal-machines
dir=$demo portal=$bin/yz-portal
trap 'status=$?; stop_server; end_spawned; exit $status' EXIT
db() { sqlite3 -cmd '.timeout 10000' "$dir/portal.db" "$@"; }

cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
attachments = $dir/attachments
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = no
mail_server = 127.0.0.1:1
mail_tls = none
mail_from = portal@example.gov.cn
END
user() { # NAME ROLE ORGANISATION
    echo "password-$1" | "$portal" user add -c "$dir/portal.conf" "$1" \
        --role "$2" ${3:+--organisation "$3"} --password-file -
}
is() { [ "$1" = "$2" ] || { echo "is: $1"; echo "wanted: $2"; return 1; }; }
hidden() { sed -n 's/.*name="'"$1"'" value="\([^"]*\)".*/\1/p' "$dir/page" | head -n 1; }

# ---- the table ----

"$portal" machines | tail -n +2 >"$dir/rows"
"$portal" machines --states | tail -n +2 >"$dir/states"
machines() { cut -f 1 "$dir/states" | sort -u; }
first_state() { awk -F'\t' -v m="$1" '$1 == m { print $2; exit }' "$dir/states"; }
holder_of() { awk -F'\t' -v m="$1" -v s="$2" '$1 == m && $2 == s { print $3 }' "$dir/states"; }
# MACHINE STATE ROLE: the events that the role may do there, sorted
events_of()
{
    awk -F'\t' -v m="$1" -v s="$2" -v r="$3" '
        $1 == m && (" " $2 " ") ~ (" " s " ") && (" " $4 " ") ~ (" " r " ") { print $3 }' \
        "$dir/rows" | sort
}
# MACHINE STATE EVENT: where it leads
end_of()
{
    awk -F'\t' -v m="$1" -v s="$2" -v e="$3" '
        $1 == m && $3 == e && (" " $2 " ") ~ (" " s " ") { print $6 == "same" ? s : $6; exit }' "$dir/rows"
}
actor_of() { awk -F'\t' -v m="$1" -v e="$2" '$1 == m && $3 == e { split($4, role, " "); print role[1]; exit }' "$dir/rows"; }
# MACHINE STATE: the shortest way there from the first state, events in a line; "-"
# where no person's events lead.
way_to()
{
    awk -F'\t' -v m="$1" -v goal="$2" -v start="$(first_state "$1")" '
        $1 == m && $6 != "same" && $4 !~ /SYS/ {
            n = split($2, from, " ")
            for (i = 1; i <= n; i++) { count++; a[count] = from[i]; b[count] = $6; e[count] = $3 }
        }
        END {
            way[start] = ""; seen[start] = 1; queue[1] = start; last = 1
            for (at = 1; at <= last; at++)
                for (i = 1; i <= count; i++)
                    if (a[i] == queue[at] && !(b[i] in seen)) {
                        seen[b[i]] = 1; way[b[i]] = way[a[i]] " " e[i]; queue[++last] = b[i]
                    }
            print goal in seen ? way[goal] : "-"
        }' "$dir/rows"
}

# ---- enterprise registration ----

printf '%%PDF-1.4\n%%licence\n%%%%EOF\n' >"$dir/licence.pdf"
# The check character of a unified social credit code (GB 32100): 17 characters.
credit_code()
{
    awk -v body="$1" 'BEGIN {
        signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"; weight = 1
        for (i = 1; i <= 17; i++) {
            sum += (index(signs, substr(body, i, 1)) - 1) * weight
            weight = weight * 3 % 31
        }
        print body substr(signs, (31 - sum % 31) % 31 + 1, 1)
    }'
}
who_enterprise_registration() # ROLE: accounts, in the record's city or not
{
    case $1 in
    ENT) echo "$party" ;;
    CITY) echo wang ;;
    PROV) echo chen ;;
    AUDT) echo audi ;;
    esac
}
save() # WHO STEP FIELD=VALUE...
{
    local who=$1 step=$2 field args
    shift 2
    get "$who" "/registration/$step?all=1"
    args=(-F "csrf=$(csrf)" -F "mark=$(hidden mark)" -F all=1)
    for field; do
        case $field in
        *=@*) args+=(-F "$field") ;;
        *) args+=(--form-string "$field") ;;
        esac
    done
    get "$who" "/registration/$step" "${args[@]}"
    [ "$status" = 303 ] || { echo "$step: $status"; return 1; }
}
begin_enterprise_registration() # sets $party and $item
{
    party=ent$((++parties))
    db "INSERT INTO applicant VALUES ('P-$parties', 'enterprise', 0)"
    user "$party" ENT "P-$parties" >/dev/null &&
        db "UPDATE account SET mail = name || '@example.com'" && login "$party" "password-$party" || return 1
    save "$party" basics "name=第$parties厂" legal_form=LIMITED industry=3311 \
        established=2015-03-08 \
        "credit_code=$(credit_code "$(printf '91441500MA%07d' "$parties")")" &&
        save "$party" place city=441500 county=海丰县 address=科技路1号 &&
        save "$party" business revenue=12000000 revenue_year=2025 &&
        save "$party" people contact=李四 mobile=13800138000 mail=li@example.com \
            shareholders.0.name=张三 shareholders.0.share=60 &&
        save "$party" papers "licence=@$dir/licence.pdf" no_violation=yes undertaking=yes ||
        return 1
    item=$(db "SELECT id FROM item WHERE party = 'P-$parties'")
}
number() { db "SELECT ifnull(number, '') FROM item WHERE id = $item"; }
offers_enterprise_registration() # WHO: events, sorted
{
    if [ "$1" = "$party" ]; then
        # Who was rejected may begin again: the page is the new record's.
        [ "$(state)" != REJECTED ] || return 0
        get "$1" /registration/check
        hidden event
    else
        get "$1" "/registrations/$(number)"
        sed -n 's|.*action="/registrations/'"$(number)"'/\([a-z_]*\)".*|\1|p' "$dir/page" |
            grep -vx interest | sort -u
    fi
}
do_enterprise_registration() # EVENT
{
    local args=()
    case $1 in
    change_key_data) save "$party" business revenue=13000000 revenue_year=2025 || return 1 ;;
    resubmit) save "$party" business revenue=12500000 revenue_year=2025 || return 1 ;;
    approve) args=(-d checked_identity=yes -d checked_place=yes -d checked_facts=yes
        -d checked_record=yes) ;;
    return) args=(-d points.0.field=revenue --data-urlencode points.0.reason=与年报不一致
        --data-urlencode points.0.material=核对) ;;
    reject) args=(-d ground=ILLEGAL --data-urlencode reason=有违法违规行为) ;;
    esac
    case $1 in
    submit | resubmit | change_key_data)
        get "$party" /registration/check
        get "$party" /registration/submit --data-urlencode "csrf=$(csrf)" \
            -d "mark=$(hidden mark)" -d "event=$(hidden event)" \
            -d "version=$(hidden version)" -d "request=$(hidden request)"
        ;;
    *)
        get wang "/registrations/$(number)"
        get wang "/registrations/$(number)/$1" --data-urlencode "csrf=$(csrf)" \
            -d "version=$(hidden version)" -d "request=$(hidden request)-$1" "${args[@]}"
        ;;
    esac
    [ "$status" = 303 ] || { echo "$1: $status"; return 1; }
}

# ---- account recovery ----

who_account_recovery() { who_enterprise_registration "$1"; }
begin_account_recovery() # sets $party and $item; the firm is another party
{
    local firm code
    party=ent$((++parties)) firm=第$parties厂
    code=$(credit_code "$(printf '91441500MB%07d' "$parties")")
    db "INSERT INTO applicant VALUES ('P-$parties', 'enterprise', 0);
        INSERT INTO enterprise (id, name_zh, name_en, credit_code, city_code)
        VALUES ('FIRM-$parties', '$firm', '', '$code', '441500')"
    user "$party" ENT "P-$parties" >/dev/null &&
        db "UPDATE account SET mail = name || '@example.com'" && login "$party" "password-$party" || return 1
    db "INSERT INTO mobile_check VALUES ('$party', '+8613800138000', zeroblob(32), 0, 0, 1)"
    get "$party" /recovery
    get "$party" /recovery -F "csrf=$(csrf)" -F go=save -F "name=$firm" \
        -F "credit_code=$code" -F why=离职 -F mobile=13800138000 \
        -F "licence=@$dir/licence.pdf" -F "letter=@$dir/licence.pdf"
    [ "$status" = 303 ] || { echo "recovery: $status"; return 1; }
    item=$(db "SELECT id FROM item WHERE party = 'P-$parties'")
}
offers_account_recovery() # WHO
{
    if [ "$1" = "$party" ]; then
        # Who was refused may begin again: the page is the new record's.
        get "$1" /recovery
        sed -n 's|.*action="/recovery/\([a-z_]*\)".*|\1|p' "$dir/page"
    else
        get "$1" "/recoveries/$(number)"
        sed -n 's|.*action="/recoveries/'"$(number)"'/\([a-z_]*\)".*|\1|p' "$dir/page" | sort -u
    fi
}
do_account_recovery() # EVENT
{
    local who=wang
    case $1 in
    submit)
        get "$party" /recovery
        get "$party" /recovery/submit --data-urlencode "csrf=$(csrf)" \
            -d "version=$(hidden version)" -d "request=$(hidden request)"
        ;;
    *)
        [ "$1" != confirm_second ] || who=wu
        get $who "/recoveries/$(number)"
        get $who "/recoveries/$(number)/$1" --data-urlencode "csrf=$(csrf)" \
            -d "version=$(hidden version)" -d checked_papers=yes -d checked_agent=yes \
            --data-urlencode reason=材料不符
        ;;
    esac
    [ "$status" = 303 ] || { echo "$1: $status"; return 1; }
}

# ---- the walk ----

parties=0
prepare()
{
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018 &&
        user wang CITY 441500 && user wu CITY 441500 && user shen CITY 440300 && user chen PROV && user audi AUDT
}
tap "accounts of every role" prepare
tap "the server starts" start_server
enter() { local who; for who in wang wu shen chen audi; do login "$who" "password-$who"; done; }
enter
all_walked()
{
    local machine function
    for machine in $(machines); do
        for function in begin who offers do; do
            declare -F "${function}_$machine" >/dev/null ||
                { echo "there is no ${function}_$machine"; return 1; }
        done
    done
}
tap "every machine of the table is walked" all_walked

state() { db "SELECT state FROM item WHERE id = $item"; }
reach() # MACHINE STATE: a new record that stands there
{
    local event way
    way=$(way_to "$1" "$2")
    "begin_$1" || return 1
    for event in $way; do "do_$1" "$event" || return 1; done
    is "$(state)" "$2"
}
waits_for() { get "$1" /api/v1/work && # WHO: is the record in its list?
    sed 's/"elsewhere".*//' "$dir/page" | grep -q "{\"id\":$item,"; }
# Whoever has the desk is told so, and is offered what the table names; nobody else
# is told so, or offered anything that is not a row.
desks() # MACHINE STATE
{
    local role who holder wanted waits
    reach "$1" "$2" || return 1
    holder=$(holder_of "$1" "$2")
    for role in ENT CITY PROV AUDT; do
        who=$("who_$1" "$role")
        waits=no
        case $holder:$role in party:ENT | city:CITY | province:PROV) waits=yes ;; esac
        if [ $waits = yes ]; then
            waits_for "$who" || { echo "$role is not told of $2"; return 1; }
            [ -n "$(events_of "$1" "$2" "$role")" ] || { echo "$role can do nothing in $2"; return 1; }
        else
            waits_for "$who" && { echo "$role is told of $2"; return 1; }
        fi
        wanted=$(events_of "$1" "$2" "$role")
        is "$("offers_$1" "$who" | paste -sd ' ')" "$(echo "$wanted" | paste -sd ' ')" ||
            { echo "offered to $role in $2"; return 1; }
    done
}
works() # MACHINE STATE EVENT
{
    reach "$1" "$2" && "do_$1" "$3" && is "$(state)" "$(end_of "$1" "$2" "$3")"
}
for machine in $(machines); do
    for state in $(awk -F'\t' -v m="$machine" '$1 == m { print $2 }' "$dir/states"); do
        tap "SYS-01: $machine, $state: who must act is told so and offered it, nobody else" \
            desks "$machine" "$state"
        for event in $(awk -F'\t' -v m="$machine" -v s="$state" '
            $1 == m && $4 !~ /SYS/ && (" " $2 " ") ~ (" " s " ") { print $3 }' "$dir/rows" | sort -u); do
            tap "$machine, $state: $event works" works "$machine" "$state" "$event"
        done
    done
done
nothing_sent()
{
    local mails
    mails=$(db "SELECT count(*) FROM delivery WHERE channel = 'mail'")
    is "$(db "SELECT count(*) FROM delivery WHERE sent_at IS NOT NULL OR next_at IS NULL")" 0 &&
        [ "$mails" -gt 10 ]
}
tap "SYS-01: all that with the mail server down; its mails wait" nothing_sent
tap "the server ends cleanly" stop_server
tap_end
