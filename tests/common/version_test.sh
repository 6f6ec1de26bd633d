#!/bin/bash
# One version, in the file VERSION: every program says it, and what is installed
# carries it.
set -u
B=${B:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
version=$(cat VERSION)
number=0

say() { # say STATUS NAME
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
    fi
}

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]
say $? "VERSION has three numbers"
for program in probe collector verifier portal; do
    [ "$("$B/bin/yz-$program" --version)" = "yz-$program $version" ]
    say $? "yz-$program says its version"
done

# Nothing is built here: a make of another test's flags must not be disturbed.
MAKEFLAGS='' make -s -o all -o "$B/flags/ok" B="$B" DESTDIR="$work/root" \
    PREFIX=/usr install >"$work/out" 2>&1
say $? "make install goes through"
sed 's/^/# /' "$work/out"
[ "$("$work/root/usr/bin/yz-portal" --version)" = "yz-portal $version" ] &&
    [ "$(cat "$work/root/usr/share/yunzheng/VERSION")" = "$version" ]
say $? "what is installed says it too"
for page in probe collector verifier portal; do
    grep -q "^\.TH .* \"Yunzheng $version\" " "$work/root/usr/share/man/man1/yz-$page.1" ||
        echo "# yz-$page.1"
done >"$work/pages"
cat "$work/pages"
[ ! -s "$work/pages" ]
say $? "each manual page names it"

echo "1..$number"
