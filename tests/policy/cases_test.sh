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

tap_end
