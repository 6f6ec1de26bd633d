#!/bin/bash
# One version, in the file VERSION: every program says it, and what is installed
# carries it.
. tests/tap.sh
tap_begin version
bin=$build/bin # what make install installs
version=$(cat VERSION)
root=$demo/root

three_numbers() { [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]; }
says_version() { [ "$("$1/yz-$2" --version)" = "yz-$2 $version" ]; }

# Nothing is built here: a make with other flags must find its files as they were.
installs() {
    MAKEFLAGS='' make -s -o all -o "$build/flags/ok" B="$build" DESTDIR="$root" \
        PREFIX=/usr install
}
is_installed() {
    says_version "$root/usr/bin" portal && cmp VERSION "$root/usr/share/yunzheng/VERSION"
}
pages_name_it() {
    local page
    for page in probe collector verifier portal; do
        grep -q "^\.TH .* \"Yunzheng $version\" " \
            "$root/usr/share/man/man1/yz-$page.1" || { echo "yz-$page.1"; return 1; }
    done
}

tap "VERSION has three numbers" three_numbers
for program in probe collector verifier portal; do
    tap "yz-$program says its version" says_version "$bin" $program
done
tap "make install goes through" installs
tap "what is installed says the version" is_installed
tap "each manual page names it" pages_name_it
tap_end
