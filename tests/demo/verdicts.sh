# Verdicts and completion tables, and what they were expected to be.

verdict_query() { sqlite3 -readonly -separator , "$demo/verdict.db" "$1"; }

# verdicts_as_expected: the generator says what each habit must lead to.
verdicts_as_expected()
{
    verdict_query 'SELECT voucher_number, verdict, mark FROM verdict
        WHERE run_id = (SELECT max(id) FROM run)' |
        sort >"$demo/verdicts.csv"
    tr -d '\r' <"$demo/history/expected.csv" | sed 1d | cut -d, -f1-3 |
        sort >"$demo/verdicts.expected.csv"
    [ -s "$demo/verdicts.expected.csv" ] &&
        join -t, "$demo/verdicts.expected.csv" "$demo/verdicts.csv" |
        awk -F, '$2 != $4 || $3 != $5 {
            print $1 ": expected " $2 " " $3 ", is " $4 " " $5; bad = 1 }
            END { exit bad }' &&
        [ -z "$(join -t, -v 1 "$demo/verdicts.expected.csv" \
            "$demo/verdicts.csv")" ]
}

# write_tables: the latest table of each city, as published, under tables/.
write_tables()
{
    mkdir -p "$demo/tables"
    verdict_query "SELECT writefile('$demo/tables/' || number || '.csv', csv)
        FROM completion_table AS t WHERE version = (SELECT max(version)
        FROM completion_table WHERE number = t.number)" >/dev/null &&
        ls "$demo"/tables/*.csv >/dev/null
}

print_tables()
{
    local table
    for table in "$demo"/tables/*.csv; do
        printf '\n   完成情况表 completion table %s\n' \
            "$(basename "$table" .csv)"
        tr -d '\r\357\273\277' <"$table" | sed 's/^/     /'
    done
}

print_reasons()
{
    printf '\n   Why, in one sentence each (yz-verifier explain VOUCHER):\n'
    verdict_query "SELECT '     ' || voucher_number || '  ' || verdict ||
        ': ' || reason_en FROM verdict
        WHERE run_id = (SELECT max(id) FROM run) ORDER BY voucher_number"
}

verdict_part()
{
    title "4. Verdicts and completion tables"
    say "A verdict is a pure function of what was counted and of the" \
        "programme's published rules; the reasons come with it."
    check "yz-verifier run --cycle demo" verifier run --cycle demo ||
        give_up "no verdicts"
    check "every verdict is what the enterprise's habit must lead to" \
        verdicts_as_expected
    check "yz-verifier explain gives each rule's value and threshold" \
        explain_first
    check "each city has its completion table" write_tables
    print_tables
    print_reasons
}

explain_first()
{
    local number
    number=$(head -n 1 "$demo/verdicts.csv" | cut -d, -f1)
    verifier explain "$number" && verifier explain "$number" --json |
        grep -q '"rule'
}
