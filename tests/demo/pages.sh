# The portal: demo accounts for each role, and what each of them may see.

# add_user NAME ROLE ORGANISATION: with a password of its own, kept in
# logins.txt for the person at the demo.
add_user()
{
    local password
    password=$(openssl rand -hex 6)
    printf '%s\n' "$password" | portal user add "$1" --role "$2" \
        --organisation "$3" --display-name "$1 (demo)" --password-file - ||
        return 1
    printf '%s %s %s\n' "$1" "$password" "$2" >>"$demo/logins.txt"
}

registry_query() { sqlite3 -readonly "$demo/portal.db" "$1"; }

# add_users: one person for every role; a city bureau for each city that has
# vouchers, a supplier and an enterprise that have some.
add_users()
{
    local city
    add_user prov PROV '' && add_user auditor AUDT '' || return 1
    for city in $(registry_query "SELECT DISTINCT city_code FROM enterprise
        JOIN voucher_application ON enterprise_id = enterprise.id"); do
        add_user "city-$city" CITY "$city" || return 1
    done
    add_user supplier SUPP "$(registry_query 'SELECT min(supplier_id)
        FROM voucher_application')" &&
        add_user enterprise ENT "$(registry_query 'SELECT min(enterprise_id)
            FROM voucher_application')"
}

# start_portal: on port 8080 of the loopback, or on a free one.
start_portal()
{
    local port
    for port in 8080 "$(free_port)" "$(free_port)"; do
        write_portal_conf "$port" >"$demo/portal.conf"
        portal_url=http://127.0.0.1:$port
        spawn portal "$bin/yz-portal" run -c "$demo/portal.conf"
        portal_pid=$spawned
        await 10 portal_answers_or_ended
        is_running "$portal_pid" && return 0
    done
    return 1
}

# By its own word: on this port another program might answer.
portal_answers_or_ended()
{
    has_ended "$portal_pid" ||
        grep -q "listening on ${portal_url#http://}" "$demo/log/portal.log"
}

# fetch WHO PATH [OPTION...]: a page as this person sees it; fails for pages
# that are not given.
fetch()
{
    curl -sf -m 10 -b "$demo/cookies.$1" -c "$demo/cookies.$1" \
        "${@:3}" "$portal_url$2"
}

# log_in NAME: through the form, as a browser does.
log_in()
{
    local password token
    password=$(sed -n "s/^$1 \([0-9a-f]*\) .*/\1/p" "$demo/logins.txt")
    rm -f "$demo/cookies.$1"
    token=$(fetch "$1" /login | grep -o 'name="csrf"[^>]*value="[0-9a-f]*"' |
        sed 's/.*value="\([0-9a-f]*\)"/\1/')
    fetch "$1" /login -o /dev/null --data-urlencode "name=$1" \
        --data-urlencode "password=$password" --data-urlencode "csrf=$token" \
        --data-urlencode "next=/vouchers" &&
        fetch "$1" /vouchers | grep -q /logout
}

everybody_logs_in()
{
    local name
    while read -r name _; do
        log_in "$name" || { echo "no login for $name"; return 1; }
    done <"$demo/logins.txt"
}

wrong_password_is_refused()
{
    local token
    rm -f "$demo/cookies.nobody"
    token=$(fetch nobody /login |
        sed -n 's/.*name="csrf"[^>]*value="\([0-9a-f]*\)".*/\1/p')
    ! fetch nobody /login --data-urlencode "name=prov" --data "csrf=$token" \
        --data "password=wrong" && ! fetch nobody /vouchers | grep -q /logout
}

# sees_exactly WHO SQL: the vouchers of the person's list are those of the
# query.
sees_exactly()
{
    fetch "$1" /vouchers.csv >"$demo/vouchers.$1" || return 1
    diff <(grep -o 'V-[0-9A-Za-z-]*' "$demo/vouchers.$1" | sort -u) \
        <(registry_query "SELECT number FROM voucher JOIN voucher_application
            AS a ON a.id = application_id JOIN enterprise AS e
            ON e.id = a.enterprise_id $2" | sort)
}

each_role_sees_its_own()
{
    local name
    sees_exactly prov "" && sees_exactly auditor "" || return 1
    for name in $(sed -n 's/^city-\([0-9]*\) .*/\1/p' "$demo/logins.txt"); do
        sees_exactly "city-$name" "WHERE e.city_code = '$name'" || return 1
    done
    sees_exactly supplier "WHERE a.supplier_id = (SELECT min(supplier_id)
        FROM voucher_application)" &&
        sees_exactly enterprise "WHERE a.enterprise_id = (SELECT
            min(enterprise_id) FROM voucher_application)"
}

# The page of a voucher: a drawing, a table, the verdict, in two languages.
voucher_page_is_whole()
{
    local number
    number=$(head -n 1 "$demo/verdicts.csv" | cut -d, -f1)
    fetch prov "/vouchers/$number" >"$demo/page.zh.html" &&
        fetch prov "/vouchers/$number?lang=en" >"$demo/page.en.html" &&
        grep -q '<svg' "$demo/page.zh.html" &&
        grep -q '<table' "$demo/page.zh.html" &&
        grep -q 'lang="zh' "$demo/page.zh.html" &&
        grep -q 'lang="en' "$demo/page.en.html" &&
        grep -qF "$number" "$demo/page.en.html"
}

# A city sees its own completion table as a page and as the signed file, and
# not that of another city.
tables_are_given()
{
    local number city other
    for number in $(basename -s .csv "$demo"/tables/*.csv); do
        city=${number##*-}
        fetch "city-$city" /tables | grep -qF "$number" &&
            fetch "city-$city" "/tables/$number/1" | grep -q '<table' &&
            fetch "city-$city" "/tables/$number/1/table.csv" |
            cmp - "$demo/tables/$number.csv" || return 1
        for other in $(sed -n 's/^\(city-[0-9]*\) .*/\1/p' \
            "$demo/logins.txt"); do
            [ "$other" = "city-$city" ] ||
                ! fetch "$other" "/tables/$number/1" >/dev/null || return 1
        done
    done
}

print_logins()
{
    local name password role
    printf '\n   %s\n\n   %-14s %-14s %s\n' "$portal_url" login password role
    while read -r name password role; do
        printf '   %-14s %-14s %s\n' "$name" "$password" "$role"
    done <"$demo/logins.txt"
}

portal_part()
{
    title "5. The portal"
    say "Chinese first, English beside it; who logs in sees what the role may" \
        "see, and every figure is marked where it is demo data."
    check "yz-portal user add: a person for each role" add_users ||
        give_up "no accounts"
    check "yz-portal run answers on the loopback" start_portal ||
        give_up "no portal" "$demo/log/portal.log"
    check "every person logs in through the form" everybody_logs_in
    check "a wrong password does not" wrong_password_is_refused
    check "each role's list of vouchers is exactly its own" \
        each_role_sees_its_own
    check "a voucher's page draws its evidence and explains, in two languages" \
        voucher_page_is_whole
    check "a city gets its completion table, page and file, and no other" \
        tables_are_given
    print_logins
}
