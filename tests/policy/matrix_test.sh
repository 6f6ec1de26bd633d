#!/bin/bash
# Who may do what: actions, roles, rights and limits under
# tests/data/policy are whole in themselves, and say what the paper says.
#
# The paper is workflow.md, sections 1 and 2. Its actions are met in its order;
# its cells are read as rights with limits in brackets, "R (own city), D
# answers", and a limit's name is its words joined by "_" where the table below
# knows no shorter one.
. tests/policy/paper.sh
tap_begin policy-matrix
work=$demo

# ---- the tables themselves ----

# unknown COLUMN TABLE OTHER-COLUMN OTHER-TABLE: values that the other lacks.
unknown() {
    LC_ALL=C comm -23 <(column "$1" "$data/$2") <(column "$3" "$data/$4") |
        sed "s|^|$2: $1 |; s|\$| is not in $4|"
}
unknown_names() {
    unknown action matrix.tsv action actions.tsv
    unknown action actions.tsv action matrix.tsv
    unknown role matrix.tsv role roles.tsv
    unknown right matrix.tsv right rights.tsv
    unknown limit matrix.tsv limit limits.tsv
    unknown limit roles.tsv limit limits.tsv
    LC_ALL=C comm -13 \
        <(cat <(column limit "$data/matrix.tsv") <(column limit "$data/roles.tsv") |
            LC_ALL=C sort -u) \
        <(column limit "$data/limits.tsv") | sed 's/$/: a limit that nothing has/'
}
tap "actions, roles, rights and limits of the matrix are known" \
    silent unknown_names

# A cell may have two rights, each once.
odd_rows() {
    local table
    for table in actions matrix roles rights limits; do
        awk -F'\t' -v table="$table" '
        NR == 1 { fields = NF }
        NF != fields { print table ".tsv:" NR ": " NF " fields, not " fields }
        { key = table == "matrix" ? $1 " " $2 " " $3 : $1 }
        key in seen { print table ".tsv:" NR ": " key " stands twice" }
        { seen[key] = 1 }' "$data/$table.tsv"
    done
}
tap "each row stands once and has all its fields" silent odd_rows

# ---- the paper ----

# Cells of the paper as rows like ours: ACTION ROLE RIGHT LIMITS, the action by
# its place.
paper_cells() {
    awk -F'\t' '
    BEGIN {
        name["A"] = "assigned"
        name["own OPC"] = "own_operator"
        name["figures of open days only"] = "open_days"
        name["its probe gets its own customers\047 addresses"] = "probe_gets_own_customers"
        name["strength and label in the register"] = "strength_and_label"
    }
    NR == FNR { if (FNR > 1) action[FNR - 1] = $1; next }
    FNR == 1 { for (i = 2; i <= NF; i++) role[i] = $i; next }
    function limit_name(words) {
        if (words in name) return name[words]
        gsub(/,/, "", words); gsub(/ /, "_", words)
        return words
    }
    # The limits of a right: what stands in brackets, or the words after it.
    function limits_of(text,    n, part, i, names) {
        gsub(/^ *\(|\)$|^ /, "", text)
        if (text ~ /^invited, or /) return limit_name("invited or at confirmation")
        n = split(text, part, /[,;] /)
        for (i = 1; i <= n; i++)
            if (part[i] !~ /^[A-Z]+-[0-9][0-9]$/)
                names = names (names == "" ? "" : " ") limit_name(part[i])
        return names
    }
    # A comma between brackets parts no rights.
    function cut(cell,    i, c, depth) {
        part_count = 1; parts[1] = ""
        for (i = 1; i <= length(cell); i++) {
            c = substr(cell, i, 1)
            depth += (c == "(") - (c == ")")
            if (c == "," && depth == 0) { parts[++part_count] = ""; i++ }
            else parts[part_count] = parts[part_count] c
        }
    }
    {
        for (i = 2; i <= NF; i++) {
            if ($i == "") continue
            cut($i)
            for (j = 1; j <= part_count; j++) {
                text = parts[j]
                # Two cells leave out their letter.
                if (text == "proposes") text = "P (proposes)"
                if (parts[j + 1] == "records arrival" && j < part_count) {
                    text = text " (records arrival)"; j++
                }
                print action[FNR - 1] "\t" role[i] "\t" substr(text, 1, 1) "\t" \
                    limits_of(substr(text, 2))
            }
        }
    }' "$data/actions.tsv" <(section workflow.md "2. Permission matrix" | table_rows)
}

if has_paper workflow.md "the matrix is the paper's, cell by cell"; then
    paper_cells | LC_ALL=C sort >"$work/theirs"
    tail -n +2 "$data/matrix.tsv" | LC_ALL=C sort >"$work/ours"
    tap "the matrix is the paper's, cell by cell" \
        same "$work/ours" "$work/theirs"
fi

if has_paper workflow.md "the actions are the paper's, in its order"; then
    section workflow.md "2. Permission matrix" | table_rows | tail -n +2 |
        awk -F'\t' '{
            ids = ""
            while (match($1, /[A-Z]+-[0-9][0-9]/)) {
                ids = ids (ids == "" ? "" : " ") substr($1, RSTART, RLENGTH)
                $1 = substr($1, RSTART + RLENGTH)
            }
            print NR ":" ids
        }' >"$work/theirs"
    tail -n +2 "$data/actions.tsv" | awk -F'\t' '{ print NR ":" $3 }' >"$work/ours"
    tap "the actions are the paper's, in its order" \
        same "$work/ours" "$work/theirs"
fi

if has_paper workflow.md "the roles are the paper's"; then
    section workflow.md "1. Roles" | table_rows | tail -n +2 |
        cut -f 1,3 >"$work/theirs"
    tail -n +2 "$data/roles.tsv" | cut -f 1,2 >"$work/ours"
    tap "the roles are the paper's" \
        same "$work/ours" "$work/theirs"
fi

tap_end
