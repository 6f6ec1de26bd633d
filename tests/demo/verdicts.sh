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

# tables_say_the_marks: each voucher stands in exactly one city's file, with the
# mark of its verdict in the programme's word.
tables_say_the_marks()
{
    local number mark
    while IFS=, read -r number _ mark; do
        case $mark in
        COMPLETE) mark=已完成 ;;
        NOT_COMPLETE) mark=未完成 ;;
        UNDETERMINED) mark=待核实 ;;
        esac
        [ "$(cat "$demo"/tables/*.csv | grep -F ",$number," |
            grep -cF ",$mark,")" = 1 ] || return 1
    done <"$demo/verdicts.csv"
}

# print_tables: the short form; the files have the reasons and figures, too.
print_tables()
{
    local number name
    for number in $(basename -s .csv "$demo"/tables/*.csv); do
        name=$(registry_query "SELECT name_zh || ' ' || name_en FROM city
            WHERE code = '${number##*-}'")
        printf '\n   完成情况表 Completion table %s %s  演示数据 DEMO DATA\n' \
            "$number" "$name"
        printf '   %-3s %-12s %-8s %-10s %-20s %s\n' no. voucher genuine \
            effective mark enterprise
        table_rows "$number"
    done
    printf '\n   As published (CSV): %s\n' "$demo/tables/"
}

table_rows()
{
    sqlite3 -readonly "$demo/verdict.db" \
        "ATTACH 'file:$demo/portal.db?mode=ro' AS registry;
        SELECT printf('   %-3d %-12s %-8s %-10s %s %-13s %s', r.seq,
            r.voucher_number, iif(v.is_genuine, 'yes', 'no'),
            iif(v.is_effective, 'yes', 'no'), CASE r.mark
            WHEN 'COMPLETE' THEN '已完成' WHEN 'NOT_COMPLETE' THEN '未完成'
            ELSE '待核实' END, r.mark, e.name_zh)
        FROM completion_table AS t JOIN completion_row AS r
        USING (number, version) JOIN verdict AS v ON v.run_id = t.run_id
        AND v.voucher_number = r.voucher_number
        JOIN registry.enterprise AS e ON e.id = r.enterprise_id
        WHERE number = '$1' AND version = (SELECT max(version)
            FROM completion_table WHERE number = '$1') ORDER BY r.seq"
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
    check "in it, each voucher has the mark of its verdict" \
        tables_say_the_marks
    print_tables
    print_reasons
}

# The reasons come with values and thresholds, as text and as JSON.
explain_first()
{
    local number
    number=$(head -n 1 "$demo/verdicts.csv" | cut -d, -f1)
    verifier explain "$number" && verifier explain "$number" --json |
        grep -q '"rule'
}
