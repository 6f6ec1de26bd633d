#!/bin/bash
# A registration in a real browser (registration_walk.js), as enterprise and city,
# in both languages, at 1280 and 400 px and with text of twice the size, looked at
# by axe. It needs chromium, node, and playwright-core and axe-core in NODE_PATH.
# SHOTS=FOLDER keeps a picture of each page.
. tests/tap.sh
. tests/portal/visit.sh
browser=$(command -v chromium || command -v chromium-browser)
if [ -z "$browser" ] || ! node -e 'require("playwright-core"); require.resolve("axe-core")' 2>/dev/null; then
    tap_skip "a registration in a browser" "chromium, playwright-core or axe-core is not installed"
    tap_end
    exit 0
fi
tap_begin portal-registration-browser
dir=$demo portal=$bin/yz-portal
trap 'status=$?; stop_server; end_spawned; exit $status' EXIT
cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
attachments = $dir/attachments
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = no
END
{
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018
    sqlite3 "$dir/portal.db" "INSERT INTO applicant VALUES ('A-1', 'enterprise', 0)"
    echo password-li | "$portal" user add -c "$dir/portal.conf" li --role ENT \
        --organisation A-1 --display-name 李四 --password-file -
    echo password-wang | "$portal" user add -c "$dir/portal.conf" wang --role CITY \
        --organisation 441500 --display-name 王五 --password-file -
} >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
cp portal/pages/icon.svg "$dir/" && base64 -d >"$dir/licence.png" <<'END'
iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52fTcuYAAAAAElFTkSuQmCC
END
start_server || { cat "$dir/server.log"; exit 1; }
[ -z "${SHOTS:-}" ] || mkdir -p "$SHOTS"
HOME=$dir BROWSER=$browser node tests/portal/registration_walk.js "$url" "$dir" ${SHOTS:+"$SHOTS"}
