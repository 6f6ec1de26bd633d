#!/bin/bash
# What moves from state to state: tests/data/policy/machines.tsv and states.tsv are
# whole in themselves, say what workflow.md says, and the states that the portal
# stores are among them.
#
# Events have our names and are met in the paper's order. A start or an end that
# the paper puts in words has one word here; a row of `words` below is the paper's
# phrase and ours.
. tests/policy/paper.sh
tap_begin policy-machines
work=$demo
machines=$data/machines.tsv states=$data/states.tsv

# ---- the tables themselves ----

odd_rows() {
    awk -F'\t' -v words='none any open same recomputed next_run' '
    BEGIN { n = split(words, w, " "); for (i = 1; i <= n; i++) is_word[w[i]] = 1 }
    function complain(reason) { print FILENAME ":" FNR ": " reason }
    FILENAME ~ /states/ {
        if (FNR == 1) next
        if (NF != 4 || $4 !~ /^[01]$/) complain("not four fields")
        if (($1, $2) in state) complain($1 " " $2 " stands twice")
        state[$1, $2] = 1; is_final[$1, $2] = $4; machine[$1] = 1
        next
    }
    FNR == 1 { next }
    NF != 6 || $3 == "" || $4 == "" || $6 == "" { complain("a field is missing") }
    { seen[$1] = 1 }
    !($1 in machine) { complain("no states for " $1) }
    ($1, $2, $3, $5) in row { complain("stands twice") }
    { row[$1, $2, $3, $5] = 1 }
    {
        # "A..B", "-A" and words name states too.
        text = $2 " " $5; gsub(/[.][.]/, " ", text); gsub(/ -/, " ", text)
        n = split(text, part, " ")
        for (i = 1; i <= n; i++)
            if (!(part[i] in is_word) && !(($1, part[i]) in state))
                complain($1 " has no state " part[i])
        n = split($3, part, " "); m = split($5, to, " ")
        if (n > 1 && n != m) complain(n " events, " m " ends")
    }
    { n = split($2, part, " "); for (i = 1; i <= n; i++) leaves[$1, part[i]] = $5 }
    { n = split($5, part, " "); for (i = 1; i <= n; i++) enters[$1, part[i]] = 1 }
    END {
        for (m in machine) if (!(m in seen)) print "nothing happens to " m
        # What is final is entered, and left only by what takes anything.
        for (key in is_final) {
            split(key, part, SUBSEP)
            if (is_final[key] == 1 && !(key in enters)) print part[1] " never gets to " part[2]
            # Money may still be asked back and use looked at: it stays paid.
            if (is_final[key] == 1 && (key in leaves) && leaves[key] != part[2])
                print part[1] " leaves " part[2] ", which is final"
        }
    }' "$states" "$machines"
}
tap "machines and states know one another" silent odd_rows

unknown_names() {
    LC_ALL=C comm -23 <(column actor "$machines" | grep -vx 'anyone\|two_persons') \
        <(column role "$data/roles.tsv") | sed 's/^/no role /'
    LC_ALL=C comm -23 <(column requirement "$machines") \
        <(column id "$data/requirements.tsv") | sed 's/^/no requirement /'
}
tap "actors are roles, requirements exist" silent unknown_names

# ---- the paper ----

# MACHINE|its heading.
headings='cycle|4. Cycle and deadlines
catalogue|5. Catalogue version
supplier_registration|6.1 Registration
supplier_standing|6.2 Standing (only when REGISTERED)
enterprise_registration|7.1 Registration
enterprise_standing|7.2 Standing
voucher_application|8. Voucher application
voucher|8.1 Voucher
settlement|9. Settlement application
verification_run|10. Verification run and completion table
evidence|10.1 Decisions on evidence (F33)
settlement_list|11. Settlement list and public notice
objection|12. Objection
pilot|13. Pilot application and pilot title
recovery_case|14. Related-party and recovery case
complaint|15. Complaint or message'

# Who only prepares, or only brings what is acted on, is no actor.
words='—|none
any but CANCELLED|any -CANCELLED
any before its passing|any
any open|open
lacking (unconfirmed)|unconfirmed
same, held|same
judged: COMPLETE|COMPLETE
judged: NOT_COMPLETE|NOT_COMPLETE
judged or lacking, by the next run|next_run
judged: NOT_COMPLETE, or without the evidence set aside|NOT_COMPLETE next_run
same until the next issued table; refused: NOT_COMPLETE|same NOT_COMPLETE
PROV with EXP|PROV EXP
PROV via SYS|PROV
SYS nightly, PROV|SYS PROV
SYS, with the issued table|SYS
PROV (strength 1: two persons)|PROV two_persons
ENT asks, CITY accepts; SYS|ENT CITY SYS
CITY (OPC prepares)|CITY
PROV (OPP prepares)|PROV
CITY, PROV, AUDT'"'"'s report|CITY PROV
anyone; OPP or PROV for calls|anyone OPP PROV
ENT; CITY, second person|ENT CITY two_persons
CITY, second person|CITY two_persons
PROV, second person|PROV two_persons'

# MACHINE FROM ACTOR TO REQUIREMENTS of a table of the paper.
paper_rows() {
    awk -F'\t' -v machine="$1" -v words="$words" '
    BEGIN {
        n = split(words, line, "\n")
        for (i = 1; i <= n; i++) {
            at = index(line[i], "|")
            ours[substr(line[i], 1, at - 1)] = substr(line[i], at + 1)
        }
    }
    function cell(text) {
        if (text in ours) return ours[text]
        gsub(/, /, " ", text)
        sub(/ to /, "..", text)
        return text
    }
    # "VER-10 to VER-12" are three; numbers of ambiguities are left out.
    function ids(text,    n, part, i, j, ends, names) {
        n = split(text, part, ", ")
        for (i = 1; i <= n; i++) {
            if (part[i] ~ /^AMB-/) continue
            split(part[i] " to " part[i], ends, " to ")
            for (j = substr(ends[1], length(ends[1]) - 1) + 0;
                 j <= substr(ends[2], length(ends[2]) - 1) + 0; j++)
                names = names (names == "" ? "" : " ") \
                    sprintf("%s%02d", substr(ends[1], 1, length(ends[1]) - 2), j)
        }
        return names
    }
    NR > 1 { print machine "\t" cell($1) "\t" cell($3) "\t" cell($5) "\t" ids($8) }'
}

# MACHINE STATE NAME IS_FINAL of the section's first diagram.
paper_states() {
    awk -v machine="$1" '
    /^```/ { if (inside) exit; inside = 1; next }
    !inside { next }
    /--> \[\*\]/ { is_final[$1] = 1 }
    / : / && !/-->/ {
        state = $1; sub(/^ *[A-Z_]+ : /, ""); names[++n] = state; name[state] = $0
    }
    END {
        for (i = 1; i <= n; i++)
            print machine "\t" names[i] "\t" name[names[i]] "\t" is_final[names[i]] + 0
    }'
}

# Listings stand in a sentence, the kinds of evidence in words: no table, no
# diagram.
if has_paper workflow.md "transitions are the paper's"; then
    while IFS='|' read -r machine heading; do
        section workflow.md "$heading" | table_rows | paper_rows "$machine"
    done <<<"$headings" >"$work/theirs"
    tail -n +2 "$machines" | grep -v '^listing' | cut -f 1,2,4- >"$work/ours"
    tap "transitions are the paper's" \
        same "$work/ours" "$work/theirs"
    while IFS='|' read -r machine heading; do
        section workflow.md "$heading" | paper_states "$machine"
    done <<<"$headings" >"$work/theirs"
    tail -n +2 "$states" | grep -v '^listing\|^evidence' >"$work/ours"
    tap "states are the paper's" \
        same "$work/ours" "$work/theirs"
    grep '^Listing of one service' "$papers/workflow.md" |
        grep -oE '[A-Z_]{2,}(-[0-9]+)?' | grep -vx PROV | LC_ALL=C sort -u >"$work/theirs"
    { grep '^listing' "$states" | cut -f 2
      grep '^listing' "$machines" | cut -f 6 | tr ' ' '\n'; } |
        LC_ALL=C sort -u >"$work/ours"
    tap "a listing's states are the paper's" \
        same "$work/ours" "$work/theirs"
fi

# ---- the portal ----

# A portal.db of today, from the portal's own schema.
cat portal/store/0*.sql | sqlite3 -batch "$work/portal.db" >"$work/made" 2>&1
tap "the portal's schema is readable" silent cat "$work/made"

# How an account lives (ORG-07), and is recovered (F32), is no table of the papers.
foreign_states() {
    local rows
    rows=$(sqlite3 -separator $'\t' "$work/portal.db" \
        "SELECT machine, name FROM state WHERE machine NOT IN ('account', 'account_recovery') ORDER BY 1, 2")
    [ -n "$rows" ] || echo "the portal has no states"
    LC_ALL=C comm -23 <(LC_ALL=C sort <<<"$rows") \
        <(tail -n +2 "$states" | cut -f 1,2 | LC_ALL=C sort) | sed 's/$/ is no state/'
    # A state that a CHECK lists would be looked for in vain above.
    sqlite3 "$work/portal.db" "SELECT name || ' has states that are no rows'
        FROM sqlite_schema WHERE sql LIKE '%CHECK (state IN%'"
}
tap "every state that the portal stores is one of the papers'" silent foreign_states

sqlite3 "$work/portal.db" 'SELECT name FROM role' | LC_ALL=C sort >"$work/ours"
column role "$data/roles.tsv" | grep -vx SYS >"$work/theirs"
tap "the portal's roles are the papers', but the platform" \
        same "$work/ours" "$work/theirs"

# ---- the portal's machines ----

# Rows of the papers that no machine has yet, and why.
waiting='enterprise_registration recover_account: a record of its own, account_recovery'

is_machine() { cut -f 1 "$work/printed" | tail -n +2 | sort -u; }
"$bin/yz-portal" machines >"$work/printed"
"$bin/yz-portal" machines --states >"$work/printed_states"
# The record of a recovery (F32), of which the papers have that one row.
no_paper='^account_recovery	'
printed_rows() { tail -n +2 "$work/printed" | grep -vP "$no_paper" | cut -f 1-4,6,10; }
paper_machines() {
    awk -F'\t' -v OFS='\t' -v waiting="$waiting" '
        BEGIN {
            n = split(waiting, line, "\n")
            for (i = 1; i <= n; i++) { sub(/:.*/, "", line[i]); waits[line[i]] = 1 }
        }
        FILENAME == "-" { is_there[$1] = 1; next }
        FNR > 1 && ($1 in is_there) && !(($1 " " $3) in waits)' - "$1" \
        < <(is_machine)
}
printed_rows >"$work/ours"
paper_machines "$machines" >"$work/theirs"
tap "what the portal's machines do is what the papers say, row for row" \
    same "$work/ours" "$work/theirs"
tail -n +2 "$work/printed_states" | grep -vP "$no_paper" | cut -f 1,2,4 >"$work/ours"
paper_machines "$states" | cut -f 1,2,4 >"$work/theirs"
tap "the states of its machines are the papers'" same "$work/ours" "$work/theirs"

stored() { sqlite3 -separator $'\t' "$work/portal.db" \
    "SELECT machine, name FROM state WHERE machine IN
        ('$(is_machine | paste -sd, | sed "s/,/','/g")') ORDER BY 1, 2"; }
stored >"$work/ours"
tail -n +2 "$work/printed_states" | cut -f 1,2 | LC_ALL=C sort >"$work/theirs"
tap "the schema has the states of the machines" same "$work/ours" "$work/theirs"

tap_end
