# Sourced by the tests of tests/data/policy: what stands there is the
# programme's own papers carried over as tables. Where the papers lie beside the
# repository (../shared, or where PAPERS points) they are compared with them, cell by
# cell; elsewhere those cases are skipped and the tables are the rule.
. tests/tap.sh
data=tests/data/policy
papers=${PAPERS:-../shared}/policy

# silent COMMAND...: what the command prints are complaints, and none is good.
silent() {
    local complaints
    complaints=$("$@" 2>&1)
    printf '%s' "$complaints"
    [ -z "$complaints" ]
}

# same OURS PAPER: two files are equal, and not for being empty.
same() { [ -s "$2" ] && diff --label tables --label papers -U 0 "$1" "$2"; }

# has_paper FILE NAME: else the case is skipped.
has_paper() {
    [ -f "$papers/$1" ] && return
    tap_skip "$2" "the papers are not beside the repository"
    return 1
}

# column NAME FILE: a column of a table with a head, sorted, each value once;
# fields that name several are taken apart.
column() {
    awk -F'\t' -v name="$1" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
    { n = split($at, word, " "); for (i = 1; i <= n; i++) print word[i] }' "$2" |
        LC_ALL=C sort -u
}

# A section of a paper, "2. Permission matrix": from its heading to the next of
# its level.
section() { # section FILE HEADING
    awk -v heading="$2" '
    /^##+ / {
        level = index($0, " ") - 1
        if (inside && level <= depth) exit
        if (substr($0, level + 2) == heading) { inside = 1; depth = level }
    }
    inside' "$papers/$1"
}

# The rows of the first table on standard input, its head too: cells parted by tabs.
table_rows() {
    awk '
    /^\|[- |]*\|$/ { next }
    /^\|/ {
        seen = 1
        sub(/^\| */, ""); sub(/ *\| *$/, "")
        gsub(/ *\| */, "\t")
        print
        next
    }
    seen { exit }'
}
