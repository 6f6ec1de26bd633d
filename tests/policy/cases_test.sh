#!/bin/bash
# The programme's cases: questions with their answers, one JSON object a line.
# What is asked of them here is that they can be read: each line parses, ids stand
# once, the requirements that decide them exist, and facts, question and answer
# are the paper's. Why it is so stands in our own words.
. tests/policy/paper.sh
tap_begin policy-cases
work=$demo

# over FILE SQL: each line of the file is a row of `line`, numbered; no line holds
# the characters that part fields here.
over() {
    sqlite3 -batch -cmd 'CREATE TABLE line (text TEXT)' \
        -cmd '.mode ascii' -cmd '.separator "\001" "\n"' \
        -cmd ".import $1 line" -cmd '.mode list' -cmd '.separator "\t" "\n"' \
        :memory: "$2"
}

unreadable() {
    [ "$(over "$data/cases.jsonl" 'SELECT count(*) FROM line')" = \
        "$(wc -l <"$data/cases.jsonl")" ] || echo "lines were lost in reading"
    over "$data/cases.jsonl" "
        SELECT 'line ' || rowid || ' is no JSON' FROM line WHERE NOT json_valid(text)"
}
tap "each line is JSON" silent unreadable

odd_cases() {
    over "$data/cases.jsonl" "
        SELECT 'line ' || line.rowid || ': ' || part.name || ' is no ' || part.type
          FROM line, (SELECT 'id' AS name, 'text' AS type UNION VALUES
            ('area', 'text'), ('kind', 'text'), ('given', 'object'),
            ('when', 'object'), ('then', 'object'), ('req', 'array'),
            ('clause', 'text'), ('why', 'text')) AS part
         WHERE json_type(text, '\$.' || part.name) IS NOT part.type
            OR json_extract(text, '\$.' || part.name) IN ('', '{}', '[]');
        SELECT json_extract(text, '\$.id') || ' stands more than once'
          FROM line GROUP BY 1 HAVING count(*) > 1;
        SELECT json_extract(text, '\$.id') || ': an amount that is no whole number of fen'
          FROM line, json_tree(text) AS node
         WHERE node.key LIKE '%\\_fen' ESCAPE '\\' AND node.type = 'real'"
}
tap "each case has its parts, each id stands once, fen are whole" silent odd_cases

unknown_requirements() {
    over "$data/cases.jsonl" "
        SELECT DISTINCT value FROM line, json_each(text, '\$.req')" |
        LC_ALL=C sort | LC_ALL=C comm -23 - <(column id "$data/requirements.tsv") |
        sed 's/^/no requirement /'
}
tap "each case names requirements that exist" silent unknown_requirements

# Roles that are asked about are the matrix's.
unknown_roles() {
    over "$data/cases.jsonl" "
        SELECT DISTINCT json_extract(text, '\$.when.role') FROM line
         WHERE json_extract(text, '\$.when.role') IS NOT NULL" |
        LC_ALL=C sort | LC_ALL=C comm -23 - <(column role "$data/roles.tsv") |
        sed 's/^/no role /'
}
tap "each case asks for roles that exist" silent unknown_roles

if has_paper cases.jsonl "facts, questions and answers are the paper's"; then
    for side in ours:$data theirs:$papers; do
        over "${side#*:}/cases.jsonl" "
            SELECT json_extract(text, '\$.id', '\$.kind', '\$.given', '\$.when',
                '\$.then', '\$.req') FROM line" >"$work/${side%%:*}"
    done
    tap "facts, questions and answers are the paper's" \
        same "$work/ours" "$work/theirs"
fi

# ---- what the portal says to them ----

printf 'rules = %s/rules/guangdong-2018\n' "$PWD" >"$work/portal.conf"
cat >"$work/more" <<'END'
{"id":"more-1","kind":"transition","given":{"machine":"enterprise_registration","state":"PENDING_CITY","facts":{"ground":"illegal_conduct","reason":"given"}},"when":{"event":"reject","role":"CITY"},"then":{"outcome":"accepted","to":"REJECTED"}}
{"id":"more-2","kind":"transition","given":{"machine":"enterprise_registration","state":"PENDING_CITY","facts":{"ground":"illegal_conduct"}},"when":{"event":"reject","role":"CITY"},"then":{"outcome":"refused","code":"E_REASON_REQUIRED"}}
{"id":"more-3","kind":"transition","given":{"machine":"enterprise_registration","state":"PENDING_CITY","facts":{"basic_information_true":false}},"when":{"event":"approve","role":"CITY"},"then":{"outcome":"refused"}}
{"id":"more-4","kind":"transition","given":{"machine":"enterprise_registration","state":"PENDING_CITY","facts":{}},"when":{"event":"approve","role":"PROV"},"then":{"outcome":"refused","code":"E_ROLE"}}
{"id":"more-5","kind":"transition","given":{"machine":"enterprise_registration","state":"REJECTED","facts":{}},"when":{"event":"approve","role":"CITY"},"then":{"outcome":"refused","code":"E_STATE"}}
{"id":"more-6","kind":"due_date","given":{"what":"registration_review","history":[{"event":"submitted","at":"2018-09-20"}]},"when":{"ask":"state","at":"2018-09-28 23:59:59.999"},"then":{"due":"2018-09-28","overdue":0}}
{"id":"more-7","kind":"due_date","given":{"what":"application_review","history":[{"event":"reaches_city","at":"2018-09-27"}]},"when":{"ask":"state","at":"2018-10-18"},"then":{"state":"PENDING_CITY","overdue":1,"overdue_workdays":2}}
{"id":"more-8","kind":"due_date","given":{"what":"correction","history":[{"event":"returned","at":"2018-12-28"}]},"when":{"ask":"state","at":"2019-01-15"},"then":{"state":"EXPIRED"}}
{"id":"more-9","kind":"may","given":{"record":"voucher_application","record_city":"Shanwei"},"when":{"role":"PROV","action":"approve_application"},"then":{"http":403}}
{"id":"more-10","kind":"may","given":{"record_city":"Shanwei","mandate_until":"2018-12-31"},"when":{"role":"OPC","of":"Shanwei","action":"list_for_review","on":"2019-01-01"},"then":{"http":403}}
END
cat "$data/cases.jsonl" "$work/more" >"$work/cases"
"$bin/yz-portal" ask -c "$work/portal.conf" <"$work/cases" >"$work/answers" 2>"$work/unread"

# Each member of the paper's answer is in the portal's.
other_answers() {
    sqlite3 -batch -cmd 'CREATE TABLE said (text TEXT)' \
        -cmd 'CREATE TABLE line (text TEXT)' \
        -cmd '.mode ascii' -cmd '.separator "\001" "\n"' \
        -cmd ".import $work/answers said" -cmd ".import $work/cases line" \
        -cmd '.mode list' :memory: "
        SELECT json_extract(line.text, '\$.id') || ': ' || wanted.key || ' is ' ||
            ifnull(json_extract(said.text, '\$.then.' || wanted.key), 'not said')
            || ', the paper says ' || wanted.value
          FROM line JOIN said
            ON json_extract(said.text, '\$.id') = json_extract(line.text, '\$.id'),
            json_each(line.text, '\$.then') AS wanted
         WHERE json_extract(said.text, '\$.unknown') IS NULL
           AND json_extract(said.text, '\$.then.' || wanted.key) IS NOT wanted.value"
}
tap "DEAD-06 REV-03 ORG-02: what yz-portal ask answers is the paper's answer" silent other_answers
answered() { # IDS...
    local id
    for id; do
        grep -q "^{\"id\":\"$id\",\"then\"" "$work/answers" || echo "$id is not answered"
    done
}
tap "and it answers deadlines, rights and the machines there are" silent answered \
    SP-DEADLINE-08 SP-DEADLINE-15 SP-REVIEW-05 SP-ACCESS-01 more-{1,2,3,4,5,6,7,8,9,10}

tap_end
