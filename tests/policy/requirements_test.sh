#!/bin/bash
# The table of requirements: whole, the paper's, and every id that the tree names
# stands in it. And what `make requirements` says, on a small tree of its own.
. tests/policy/paper.sh
tap_begin policy-requirements
work=$demo
table=$data/requirements.tsv

odd_rows() {
    awk -F'\t' '
    NR == 1 { if ($0 != "id\tarea\tstatus\ttitle") print "another head: " $0; next }
    NF != 4 || $4 == "" { print NR ": " NF " fields" }
    $1 in seen { print NR ": " $1 " stands twice" }
    { seen[$1] = 1 }
    $3 !~ /^[SRI]$/ { print NR ": status " $3 }
    $1 !~ /^[A-Z]+-[0-9][0-9]$/ || $1 != sprintf("%s-%02d", $2, ++number[$2]) {
        print NR ": " $1 " is not the next of " $2
    }' "$table"
}
tap "requirements are numbered without a gap, each with status and title" silent odd_rows

# Ids in code, tests, schemas, pages, manuals. Numbers of ambiguities, of cases and
# of sample records (AMB-VER-02, SP-VER-03, ENT-0001) are longer words.
unknown_ids() {
    local areas
    areas=$(column area "$table" | paste -sd '|')
    find . -path ./.git -prune -o -path './build*' -prune -o \
        -path "./${B:-build}" -prune -o -path ./tests/data -prune -o \
        -type f -print0 |
        xargs -0 grep -IowE "([A-Z0-9]+-)*($areas)-[0-9][0-9]" /dev/null |
        awk -F: 'NR == FNR { known[$1] = 1; next }
            $2 !~ /^[A-Z]+-[0-9]+$/ { next }
            !($2 in known) { print $1 ": no requirement " $2 }' \
            <(column id "$table") -
}
tap "every requirement that the tree names is there" silent unknown_ids

unknown_in_tables() {
    local file
    for file in actions limits; do
        LC_ALL=C comm -23 <(column requirement "$data/$file.tsv") <(column id "$table") |
            sed "s/^/$file.tsv: no requirement /"
    done
}
tap "every requirement that the tables name is there" silent unknown_in_tables

if has_paper requirements.md "ids, statuses and titles are the paper's"; then
    sed -n 's/^#### \([A-Z]*\)-\([0-9]*\) — \(.*\) `\[\(.\)\]`.*/\1-\2\t\1\t\4\t\3/p' \
        "$papers/requirements.md" >"$work/theirs"
    tail -n +2 "$table" >"$work/ours"
    tap "ids, statuses and titles are the paper's" \
        same "$work/ours" "$work/theirs"
    # What the sed above would pass over.
    tap "none of the paper's is left out" test \
        "$(grep -c '^#### ' "$papers/requirements.md")" -eq "$(wc -l <"$work/ours")"
fi

# ---- make requirements ----

tree=$work/tree
mkdir -p "$tree/tests/a/b" "$tree/tests/data/policy" "$tree/build/test-logs"
printf 'id\tarea\tstatus\ttitle\n' >"$tree/tests/data/policy/requirements.tsv"
printf '%s\n' 'ONE-01 ONE S first' 'ONE-02 ONE R second' 'ONE-03 ONE I third' \
    'TWO-01 TWO S fourth' 'TWO-02 TWO S fifth' 'TWO-03 TWO S sixth' |
    tr ' ' '\t' >>"$tree/tests/data/policy/requirements.tsv"
cat >"$tree/tests/a/b/x_test.c" <<'END'
/*
 * ONE-03, and a line of an essay with a "name" in it.
 */
/* ONE-02, TWO-01: the text may go on
 * over lines */
test_case("above");
/* Not ONE-03, because the comment begins with a word. */
test_case("ONE-01: in its name, and no SP-ONE-03");
test_case("TWO-02: falls");
END
printf 'say "skipped (ONE-01)"\n' >"$tree/tests/a/y_test.sh"
printf 'say "TWO-03: left out"\n' >"$tree/tests/a/z_test.sh"
cat >"$tree/build/test-logs/a_b_x_test.log" <<'END'
ok 1 - above
ok 2 - ONE-01: in its name, and no SP-ONE-03
not ok 3 - TWO-02: falls
1..3
END
printf 'ok 1 - skipped (ONE-01) # skip no reason\n' \
    >"$tree/build/test-logs/a_y_test.sh.log"

ROOT=$tree B=build tests/policy/requirements --tsv | cut -f 1,5- >"$work/ours"
sed 's/|/\t/g' >"$work/theirs" <<'END'
id|file|result|name
ONE-01|tests/a/b/x_test.c|ok|ONE-01: in its name, and no SP-ONE-03
ONE-01|tests/a/y_test.sh|skipped|skipped (ONE-01)
ONE-02|tests/a/b/x_test.c|ok|above
ONE-03||no test|
TWO-01|tests/a/b/x_test.c|ok|above
TWO-02|tests/a/b/x_test.c|failed|TWO-02: falls
TWO-03|tests/a/z_test.sh|not run|TWO-03: left out
END
tap "a test is of the ids in its name and of those in the comment above it, no others" \
        same "$work/ours" "$work/theirs"

ROOT=$tree B=build tests/policy/requirements | tail -n 4 | tr -s ' ' >"$work/ours"
cat >"$work/theirs" <<'END'
area all ok failed skipped not run no test
ONE 3 2 0 0 0 1
TWO 3 1 1 0 1 0
total 6 3 1 0 1 1
END
tap "areas and the whole are added up" \
        same "$work/ours" "$work/theirs"

tap_end
