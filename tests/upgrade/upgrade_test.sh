#!/bin/bash
# What an older version left is opened by the programs of today: databases and
# archive of each version under tests/data/upgrade (made by make_sample at its
# release) are unpacked, the programs started on them as after an upgrade, and
# nothing that was acknowledged may be missing, counted differently or judged
# differently. Every change of a table is tried here.
#
# portal.db and usage.db are changed in place. verdict.db can be made again from
# them, so there it is the verdicts that must stay, not the rows.
. tests/tap.sh
tap_begin upgrade
bin=$build/bin # several starts; the sanitizers have had their turn elsewhere

# ---- a folder as the old version left it ----

unpack() {
    local file
    mkdir -p "$demo/archive"
    for file in "$old"/*.zst; do
        zstd -dqf "$file" -o "$demo/$(basename "$file" .zst)" || return 1
    done
    mv "$demo"/*.yza "$demo/archive/"
}

# The log goes on under its key; the other keys are new, as after a change of keys.
make_keys() {
    local name
    install -m 600 "$old/log.key.pem" "$demo/log.key" &&
        openssl pkey -in "$demo/log.key" -pubout -out "$demo/log.pub" || return 1
    for name in receipt table; do
        openssl genpkey -algorithm ED25519 -out "$demo/$name.key" 2>/dev/null &&
            chmod 600 "$demo/$name.key" || return 1
    done
    openssl req -x509 -newkey ed25519 -nodes -days 2 -subj '/CN=upgrade' \
        -keyout "$demo/collector.key" -out "$demo/collector.pem" 2>/dev/null
    chmod 600 "$demo/collector.key"
}

configure() {
    portal_port=$(free_port) collector_port=$(free_port) || return 1
    cat >"$demo/portal.conf" <<END
listen = 127.0.0.1:$portal_port
portal_db = $demo/portal.db
usage_db = $demo/usage.db
verdict_db = $demo/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
second_factor = no
END
    cat >"$demo/collector.conf" <<END
listen = 127.0.0.1:$collector_port
ca = $demo/collector.pem
certificate = $demo/collector.pem
tls_key = $demo/collector.key
receipt_key = $demo/receipt.key
registry = $demo/portal.db
usage_db = $demo/usage.db
archive = $demo/archive
log_key = $demo/log.key
accept_sample = yes
detail_days = 3650
archive_days = 36500
END
    cat >"$demo/verifier.conf" <<END
registry = $demo/portal.db
usage_db = $demo/usage.db
verdict_db = $demo/verdict.db
rules = $PWD/rules/guangdong-2018
signing_key = $demo/table.key
END
}

portal() { "$bin/yz-portal" "$@" -c "$demo/portal.conf"; }
collector() { "$bin/yz-collector" "$@" -c "$demo/collector.conf"; }
verifier() { "$bin/yz-verifier" "$@" -c "$demo/verifier.conf"; }

# ---- what must hold ----

# starts PROGRAM: it opens its database, changes its tables and listens.
starts() {
    spawn "$1" "$bin/yz-$1" run -c "$demo/$1.conf"
    await 20 grep -q listening "$demo/log/$1.log" && return
    cat "$demo/log/$1.log"
    return 1
}

# at_version DATABASE FOLDER: as many changes as there are numbered files, with
# whole pages and references.
at_version() {
    local files version
    files=$(find "$2" -name '0*.sql' | wc -l)
    version=$(sqlite3 -readonly "$demo/$1.db" 'PRAGMA user_version')
    echo "version $version, $files files"
    [ "$version" = "$files" ] &&
        [ "$(sqlite3 -readonly "$demo/$1.db" 'PRAGMA integrity_check;
            PRAGMA foreign_key_check')" = ok ]
}

counts_as_before() { tests/upgrade/counts "$demo" >"$demo/counts" && diff "$old/counts.txt" "$demo/counts"; }

judges_as_before() {
    local was is
    was=$(grep '^verdicts: ' "$old/counts.txt")
    verifier run --cycle demo --now 2026-12-01T03:00:00Z || return 1
    is=$(tests/upgrade/counts "$demo" | grep '^verdicts: ')
    [ "$is" = "$was" ] || { printf '%s\n' "$was" "$is"; return 1; }
}

explains() { verifier explain V-2026-0009 >"$demo/out" && grep -q 'V-2026-0009' "$demo/out"; }

tables_verify() { # what was published then is still there, byte for byte
    sqlite3 -readonly "$demo/verdict.db" \
        "SELECT number, version, hex(csv) FROM completion_table WHERE version = 1 ORDER BY 1" \
        >"$demo/tables"
    zstd -dqf "$old/verdict.db.zst" -o "$demo/verdict.db.old" &&
        sqlite3 -readonly "$demo/verdict.db.old" \
            "SELECT number, version, hex(csv) FROM completion_table WHERE version = 1 ORDER BY 1" |
        cmp - "$demo/tables" && [ -s "$demo/tables" ]
}

# A checkpoint of then, under its key of then, is the root of the first batches.
checkpoint_holds() {
    sqlite3 -readonly "$demo/usage.db" "SELECT text || char(10) || trim(signature, char(10)) FROM
        checkpoint WHERE number = 1" >"$demo/note" &&
        "$bin/yz-collector" verify --key "$demo/log.pub" "$demo/note"
}

# ---- pages ----

# page WHO PATH: 200, into $demo/page
page() {
    local status
    status=$(curl -s -m 30 -o "$demo/page" -w '%{http_code}' -b "$demo/$1.jar" \
        -c "$demo/$1.jar" "http://127.0.0.1:$portal_port$2" "${@:3}")
    [ "$status" = 200 ] || [ "$status" = 303 ] || { echo "$2: $status"; return 1; }
}

# Passwords of then work, and everybody sees what the role may see.
logs_in() {
    rm -f "$demo/$1.jar"
    page "$1" /login && page "$1" /login --data-urlencode \
        "csrf=$(sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p' "$demo/page" | head -n 1)" \
        -d "name=$1&password=sample-password" && page "$1" /vouchers
}
sees() { # sees WHO COUNT: vouchers
    logs_in "$1" || return 1
    seen=$(grep -oE 'V-2026-[0-9]{4}' "$demo/page" | sort -u | wc -l)
    [ "$seen" = "$2" ] || { echo "$1 sees $seen vouchers"; return 1; }
}
all_pages() {
    page prov /vouchers/V-2026-0009 && page prov /tables &&
        page prov /probes && page prov /events && page prov /
}

# Pages say so as long as the verifier of today has not opened its file.
tells_age() {
    local older=no told=no
    at_version verdict verifier || older=yes
    logs_in prov || return 1
    grep -q 核验程序的数据库还是旧版本 "$demo/page" && told=yes
    [ $older = $told ] || { echo "older: $older, told: $told"; return 1; }
}

for old in tests/data/upgrade/*/; do
    old=${old%/}
    from="from ${old##*/}"
    rm -rf "$demo"/*.db* "$demo/archive" "$demo"/*.jar
    tap "$from: unpacked" unpack || continue
    make_keys && configure || exit 1
    tap "$from: the portal starts" starts portal
    tap "$from: portal.db has today's tables" at_version portal portal/store
    tap "$from: the collector starts" starts collector
    tap "$from: usage.db has today's tables" at_version usage collector/ledger
    tap "$from: what was acknowledged is there and counts the same" counts_as_before
    tap "AUD-02: $from: the audit chain holds" portal audit check
    tap "VER-18: $from: ledger, chain, archive and tree agree" collector check
    tap "$from: the checkpoint of then holds under its key" checkpoint_holds
    tap "$from: usage is told" collector usage --enterprise ENT-0009 \
        --from 2026-11-01 --to 2026-12-01
    tap "$from: pages say that verdict.db is of an older version" tells_age
    tap "VER-17: $from: the same data is judged the same" judges_as_before
    tap "$from: verdict.db has today's tables" at_version verdict verifier
    tap "$from: pages say it no more" tells_age
    tap "$from: a verdict is explained" explains
    tap "VER-13: $from: published tables stay as they were" tables_verify
    tap "$from: the province sees nine vouchers" sees prov 9
    tap "$from: an auditor sees nine vouchers" sees auditor 9
    tap "ORG-02: $from: a city sees its three vouchers" sees city 3
    tap "$from: an enterprise sees its own" sees enterprise 1
    tap "$from: pages answer" all_pages
    end_spawned
done
tap_end
