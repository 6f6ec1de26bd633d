#!/bin/bash
# yz-portal load as people use it: what a preview prints, what a file of refused
# rows says and where, the exit status, both languages.
. tests/tap.sh
tap_begin load_command
portal=$build/bin/yz-portal
conf=$demo/portal.conf
cat >"$conf" <<END
listen = 127.0.0.1:1
portal_db = $demo/portal.db
usage_db = $demo/usage.db
verdict_db = $demo/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
END

# does STATUS OUT ERR [OPTION...]: how it ends, a piece of what each stream has.
does()
{
    local status
    "$portal" load -c "$conf" "$demo/up" "${@:4}" >"$demo/out" 2>"$demo/err"
    status=$?
    [ "$status" = "$1" ] && grep -qF -- "$2" "$demo/out" "$demo/none" &&
        grep -qF -- "$3" "$demo/err" "$demo/none"
}
echo >"$demo/none" # an empty pattern finds its line

is_as_before()
{
    [ "$(sqlite3 "$demo/portal.db" \
        "SELECT name_en, valid_to FROM supplier WHERE id = 'SUP-1'")" = \
        "Sample Cloud Software|" ]
}

corrected()
{
    [ "$(sqlite3 "$demo/portal.db" "SELECT name_zh, valid_to IS NOT NULL
        FROM supplier WHERE id = 'SUP-1'")" = "样例云|1" ] &&
        "$portal" audit check -c "$conf" >/dev/null
}

"$portal" load -c "$conf" rules/guangdong-2018 >/dev/null
"$portal" load -c "$conf" --sample tests/portal/registry >/dev/null
mkdir "$demo/up"
# As a Chinese Excel saves it: GBK, CR LF, dates with slashes.
printf 'id,name_zh,name_en,credit_code,valid_to\r\nSUP-1,样例云,Sample Cloud Software,91440100MATEXT0045,2027/1/1\r\n' |
    iconv -f UTF-8 -t GBK >"$demo/up/supplier.csv"

tap "a row that is there is refused" does 1 "" \
    "supplier.csv:2: name_zh: SUP-1 is there with '样例云软件有限公司', not '样例云'; to correct it, look at it with --preview" --lang en
tap "and the rows are counted" does 1 "" \
    "1 rows are refused and nothing was changed" --lang en
tap "in Chinese, too" does 1 "" "1 行被拒绝，没有任何更改" --lang zh
tap "a preview says how the file was read" does 0 \
    "supplier.csv is read as GB18030" "" --lang en --preview
tap "old and new value" does 0 "“样例云软件有限公司”改为“样例云”" "" --lang zh \
    --preview
tap "what ends" does 0 \
    "valid_to: SUP-1 ends at '2027-01-01T00:00:00+08:00'" "" --lang en --preview
tap "how many" does 0 \
    "a preview, nothing was changed: 1 rows, 0 new, 0 corrected, 1 ended, 0 unchanged" \
    "" --lang en --preview
tap "and leaves all as it was" is_as_before
tap "a correction" does 0 "1 rows, 0 new, 0 corrected, 1 ended, 0 unchanged" "" \
    --lang en --correct
tap "AUD-01: it is there, and the audit chain is whole" corrected
tap "the same again" does 0 "1 rows, 0 new, 0 corrected, 0 ended, 1 unchanged" \
    "" --lang en
tap_end
