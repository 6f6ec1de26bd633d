#!/bin/bash
# yz-verifier as people call it: usage, configuration, one clear line each.
. tests/tap.sh
B=${B:-build}
verifier=$B/san/bin/yz-verifier
work=$(mktemp -d "$B/test-verifier-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# expect NAME STATUS PATTERN COMMAND...: the status, one line on standard error
# that has the pattern (none is expected when it is empty).
expect()
{
    local name=$1 status=$2 pattern=$3 got
    shift 3
    "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ $got -eq "$status" ] && { [ -z "$pattern" ] ||
        { grep -q -- "$pattern" "$work/err" &&
            [ "$(wc -l <"$work/err")" = 1 ]; }; }; then
        result 0 "$name"
    else
        echo "# status $got, said:"
        sed 's/^/#   /' "$work/err"
        result 1 "$name"
    fi
}

cat >"$work/good.conf" <<END
registry = portal.db
usage_db = usage.db
verdict_db = verdict.db
rules = $PWD/rules/guangdong-2018
signing_key = key.pem
END
sed 's/usage_db/usage_database/' "$work/good.conf" >"$work/bad.conf"
openssl genpkey -algorithm ED25519 -out "$work/key.pem" 2>/dev/null
chmod 600 "$work/key.pem"

expect "VER-01: --help" 0 "" "$verifier" --help
expect "VER-01: --version" 0 "" "$verifier" --version
expect "VER-01: no command" 2 . "$verifier"
expect "VER-01: unknown command" 2 . "$verifier" judge
expect "VER-01: run without a cycle" 2 -- "$verifier" run -c "$work/good.conf"
expect "VER-19: --now that is no time" 2 noon \
    "$verifier" run -c "$work/good.conf" --cycle x --now noon
expect "VER-01: no configuration" 2 none.conf \
    "$verifier" run -c "$work/none.conf" --cycle x
expect "VER-01: unknown key, with its line" 2 'bad.conf:2' \
    "$verifier" run -c "$work/bad.conf" --cycle x
expect "VER-01: no registry" 1 portal.db \
    "$verifier" run -c "$work/good.conf" --cycle x
expect "VER-09: explain without verdicts" 1 verdict.db \
    "$verifier" explain -c "$work/good.conf" V-1
expect "VER-09: explain what?" 2 . "$verifier" explain -c "$work/good.conf"
chmod 644 "$work/key.pem"
expect "VER-10: a key that others may read is refused" 2 key.pem \
    "$verifier" run -c "$work/good.conf" --cycle x

# The printed form reads back the same, and the sample is that form.
expect "VER-01: run -n prints the configuration" 0 "" \
    "$verifier" run -n -c "$work/good.conf"
cp "$work/out" "$work/printed.conf"
"$verifier" run -n -c "$work/printed.conf" >"$work/again.conf"
expect "VER-01: the print reads back the same" 0 "" \
    cmp "$work/printed.conf" "$work/again.conf"
"$verifier" run -n -c deploy/verifier.conf >"$work/sample.out"
sed -e '/^#/d' -e '/^$/d' deploy/verifier.conf >"$work/sample.in"
expect "VER-01: deploy/verifier.conf is the normal form" 0 "" \
    cmp "$work/sample.in" "$work/sample.out"
tap_end
