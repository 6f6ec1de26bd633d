#!/bin/bash
# Pages as a browser lays them out: nothing wider than a 400 px window, text in
# both languages there, and no complaint about the policy or a missing file.
# The page is served by a real portal; the browser sees the pages that need no
# login directly, and a logged-in page through a copy on disk.
. tests/tap.sh
. tests/portal/visit.sh
B=$(cd "${B:-build}" && pwd) # also from inside other folders
portal=$B/bin/yz-portal
browser=$(command -v chromium || command -v chromium-browser)
if [ -z "$browser" ]; then
    tap_skip "pages in a browser" "chromium is not installed"
    tap_end
    exit 0
fi
dir=$(mktemp -d "$B/browser-test-XXXXXX")
trap 'stop_server; rm -rf "$dir"' EXIT

cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = no
END
{
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018
    "$portal" load -c "$dir/portal.conf" --sample tests/portal/registry
    echo password-anna | "$portal" user add -c "$dir/portal.conf" anna \
        --role PROV --password-file -
    { echo 'PRAGMA journal_mode = WAL;'
        cat verifier/*.sql tests/portal/verdict.sql; } |
        sqlite3 "$dir/verdict.db"
    { echo 'PRAGMA journal_mode = WAL;'
        cat collector/ledger/001-ledger.sql collector/ledger/004-log.sql tests/portal/events.sql; } |
        sqlite3 "$dir/usage.db"
} >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
start_server || { cat "$dir/server.log"; exit 1; }

# What a browser keeps for itself goes with the folder, not into anybody's home.
chrome() # OPTION... URL: the document after layout
{
    HOME=$dir XDG_CONFIG_HOME=$dir/config XDG_CACHE_HOME=$dir/cache \
        XDG_DATA_HOME=$dir/data timeout 300 "$browser" --headless \
        --no-sandbox --disable-gpu --no-first-run --disable-sync \
        --disable-background-networking --disable-component-update \
        --disable-dev-shm-usage --user-data-dir="$dir/profile" --dump-dom "$@"
}

browse() # URL
{
    chrome --enable-logging=stderr --v=0 --window-size=400,900 \
        --virtual-time-budget=2000 "$1" 2>"$dir/console"
}

check() # NAME COMMAND...
{
    local name=$1
    shift
    if "$@" >"$dir/case" 2>&1; then
        result 0 "$name"
    else
        sed 's/^/# /' "$dir/case" | head -n 10
        result 1 "$name"
    fi
}
quiet() { ! grep -E 'Content Security Policy|Failed to load resource' "$dir/console"; }

opens()
{
    browse "$url/" >"$dir/dom"
    grep -q '政策三句话' "$dir/dom" && quiet
}
login_page()
{
    browse "$url/login?lang=en" >"$dir/dom"
    grep -q 'Log in' "$dir/dom" && quiet
}

# A frame 400 px wide and a script of the test's own measure the real page.
fetch()
{
    local token
    token=$(curl -s -c "$dir/jar" "$url/login" |
        sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p')
    curl -s -o "$dir/ignored" -b "$dir/jar" -c "$dir/jar" -d "csrf=$token" \
        -d 'name=anna&password=password-anna' "$url/login"
    curl -s -b "$dir/jar" "$url$1" |
        sed "s|href=\"/style.css|href=\"$url/style.css|" >"$dir/page.html"
}
fits() # PATH: at 400 px nothing sticks out to the right
{
    fetch "$1"
    cat >"$dir/measure.html" <<'END'
<!DOCTYPE html><title>measure</title>
<iframe src="page.html" width="400" height="900" style="border:0"></iframe>
<script>
onload = function () {
  var d = document.querySelector('iframe').contentDocument.documentElement;
  document.title = 'width ' + d.scrollWidth + ' of ' + d.clientWidth;
};
</script>
END
    chrome --allow-file-access-from-files --window-size=800,1000 \
        --virtual-time-budget=3000 "file://$(realpath "$dir")/measure.html" \
        2>/dev/null >"$dir/dom"
    sed -n 's/.*<title>width \([0-9]*\) of \([0-9]*\)<.*/\1 \2/p' "$dir/dom" \
        >"$dir/width"
    cat "$dir/width"
    read -r wide room <"$dir/width" && [ "$wide" -le "$room" ]
}

check "the start page opens without a complaint" opens
check "the login page opens in English" login_page
check "the list fits into 400 px" fits /vouchers
check "a voucher fits into 400 px" fits /vouchers/V-2
check "a completion table fits into 400 px" fits /tables/test-441500/1
check "events fit into 400 px" fits /events
check "events in English fit into 400 px" fits '/events?lang=en'
tap_end
