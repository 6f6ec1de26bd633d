#!/bin/bash
# yz-probe explain: every field of real batches is on the page, in both
# languages and forms, with a meaning; nothing is there that is in no batch; the
# configuration shows; a page is a page.
. tests/tap.sh
B=${B:-build}
probe=$(realpath "$B/san/bin/yz-probe")
work=$(mktemp -d "$B/explain-test.XXXXXX")
work=$(realpath "$work")
trap 'rm -rf "$work"' EXIT
# Names of all fields in batches: one kept in the tree, one made now.
"$probe" read -r tests/data/captures/tls.pcap -w "$work/new.ipfix" >/dev/null
for f in tests/data/ipfix/batch.ipfix "$work/new.ipfix"; do
    # Of a loss record, which no batch of a capture has.
    printf '%s\n' lossFirstSequence lossLastSequence lossReason
    "$probe" show "$f" | grep '^{"template":' | tr ',{' '\n\n' |
        sed -n 's/^"\([A-Za-z0-9]*\)":.*/\1/p' | grep -v '^template$' | sort -u
done | sort -u >"$work/fields"
[ "$(wc -l <"$work/fields")" -ge 40 ]
result $? "batches have fields: $(wc -l <"$work/fields")"
! grep -q '^unknown' "$work/fields"
result $? "and none that the table does not know"

"$probe" explain --lang zh >"$work/zh" && "$probe" explain --lang en >"$work/en" &&
    "$probe" explain --html >"$work/html" && "$probe" explain >"$work/both"
result $? "the page in each form"
# Rows: number, field, bytes, meaning.
for l in zh en; do
    sed -n 's/^[0-9][0-9/]*  *\([A-Za-z0-9]*\)  *\(1+n\|[0-9]*\)  *\([^ ].*\)$/\1/p' \
        "$work/$l" | sort >"$work/$l.fields"
    diff "$work/fields" "$work/$l.fields" | sed 's/^/# /'
    [ "${PIPESTATUS[0]}" -eq 0 ]
    result $? "$l: exactly the fields of batches, each once"
done
awk '/^[0-9]/ && $4 !~ /[^ -~]/ && $2 != "signatureAlgorithm" && $2 != "?" {
    print "# no Chinese meaning: " $0; bad = 1 } END { exit bad }' "$work/zh"
result $? "zh: each has a Chinese meaning"
awk '/^[0-9]/ && (NF < 5 || $0 !~ /^[^ ]+ +[^ ]+ +[^ ]+ +[A-Za-z0-9][^ ]* /) {
    print "# no meaning: " $0; bad = 1 } END { exit bad }' "$work/en"
result $? "en: each has an English meaning"
good=0
while read -r f; do
    [ "$(grep -c "<td>$f</td>" "$work/html")" -eq 2 ] || { echo "# $f"; good=1; }
done <"$work/fields"
[ $good -eq 0 ]
result $? "html: each field once per language"
[ "$(tr -cd '\f' <"$work/both" | wc -c)" -eq 1 ] &&
    tr -d '\f' <"$work/both" | sed '/^$/d' | cmp -s - <(cat "$work/zh" "$work/en")
result $? "both: Chinese first, a form feed, English"
"$probe" explain >"$work/again" && cmp -s "$work/both" "$work/again"
result $? "the same page each time"
[ "$(wc -l <"$work/zh")" -le 75 ] && [ "$(wc -l <"$work/en")" -le 75 ]
result $? "a page: at most 75 lines ($(wc -l <"$work/zh"), $(wc -l <"$work/en"))"
[ "$(LC_ALL=C.UTF-8 awk '{ print length }' "$work/en" | sort -n | tail -n 1)" -le 113 ]
result $? "and at most 113 columns"

cat >"$work/endpoints.csv" <<'END'
id,supplier,service,address,host,protocol,ports,valid_from,valid_to,shared
erp,a,erp,203.0.113.0/24,,tcp,443,,,no
mes,a,mes,198.51.100.7,,,,,,no
END
cat >"$work/probe.conf" <<END
interface = eth7
probe_id = gate-7
collector = [2001:db8::7]:4741
collector_name = evidence.example
state = $work/state&<b>
endpoints = endpoints.csv
user = watcher
batch_period_s = 60
sent_mb = 0
END
"$probe" explain -c "$work/probe.conf" --lang en >"$work/own" &&
    "$probe" explain -c "$work/probe.conf" --html >"$work/own.html"
result $? "with a configuration"
good=0
for word in gate-7 eth7 '[2001:db8::7]:4741' 'host 2001:db8::7 and port 4741' evidence.example \
    watcher 'every 60' '2 registered prefixes' "$work/state&<b>" 'sent_mb = 0' "$work/endpoints.csv"; do
    tr -s '\n ' '  ' <"$work/own" | grep -qF "$word" || { echo "# missing: $word"; good=1; }
done
[ $good -eq 0 ]
result $? "its values are on the page"
grep -qF 'state&amp;&lt;b&gt;' "$work/own.html" && ! grep -q 'state&<b>' "$work/own.html"
result $? "html is escaped"
"$probe" explain -c "$work/none.conf" >"$work/out" 2>"$work/errors"
[ $? -eq 2 ] && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/errors")" -eq 1 ]
result $? "no configuration: status 2"
"$probe" explain --lang de >"$work/out" 2>"$work/errors"
[ $? -eq 2 ] && [ ! -s "$work/out" ]
result $? "an unknown language: status 2"
tap_end
