#!/bin/bash
# An enterprise registers, and its city decides, by the portal's own pages: drafts
# at each step, papers, the check, the submission, return and resubmission,
# approval, a change of data, rejection (workflow 7.1, F6, F19).
set -u
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal-registration
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
db() { sqlite3 "$dir/portal.db" "$@"; }
user() { # NAME ROLE ORGANISATION
    echo "password-$1" | "$portal" user add -c "$dir/portal.conf" "$1" \
        --role "$2" ${3:+--organisation "$3"} --password-file -
}
{
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018
    "$portal" load -c "$dir/portal.conf" --sample tests/portal/registry
    db "INSERT INTO applicant VALUES ('A-1', 'enterprise', 0), ('A-2', 'enterprise', 0), ('A-3', 'enterprise', 0)"
    user li ENT A-1; user lin ENT A-1; user bai ENT A-2; user he ENT A-3; user fu ENT ENT-1
    user wang CITY 441500; user zhao CITY 441500; user shen CITY 440600
    user chen PROV; user audi AUDT
} >"$dir/out" 2>&1 || { cat "$dir/out"; exit 1; }
start_server || { cat "$dir/server.log"; exit 1; }
for who in li lin bai he fu wang zhao shen chen audi; do
    login "$who" "password-$who" >/dev/null
done

# ---- helpers ----

hidden() { sed -n 's/.*name="'"$1"'" value="\([^"]*\)".*/\1/p' "$dir/page" | head -n 1; }
# save WHO STEP FIELD=VALUE...: opens the step and saves it with these; a value @FILE
# is uploaded.
save()
{
    local who=$1 step=$2 field args=()
    shift 2
    get "$who" "/registration/$step${all:+?all=1}"
    args=(-F "csrf=$(csrf)" -F "mark=$(hidden mark)" ${all:+-F all=1})
    for field; do
        case $field in
        *=@*) args+=(-F "$field") ;;
        *) args+=(--form-string "$field") ;;
        esac
    done
    get "$who" "/registration/$step" "${args[@]}"
}
submit() # WHO [CURL...]
{
    local who=$1
    shift
    get "$who" /registration/check
    get "$who" /registration/submit --data-urlencode "csrf=$(csrf)" \
        -d "mark=$(hidden mark)" -d "event=$(hidden event)" \
        -d "version=$(hidden version)" -d "request=$(hidden request)" "$@"
}
decide() # WHO NUMBER EVENT [CURL...]
{
    local who=$1 number=$2 event=$3
    shift 3
    get "$who" "/registrations/$number"
    get "$who" "/registrations/$number/$event" --data-urlencode "csrf=$(csrf)" \
        -d "version=${version:-$(hidden version)}" \
        -d "request=$(sed -n 's/.*name="request" value="\([^"]*\)".*/\1/p' "$dir/page" | sed -n "${row:-1}p")" "$@"
}
state_of() { db "SELECT state FROM item WHERE party = '$1' ORDER BY id DESC LIMIT 1"; }
number_of() { db "SELECT number FROM item WHERE party = '$1' ORDER BY id DESC LIMIT 1"; }
is() { [ "$1" = "$2" ] || { echo "is: $1"; echo "wanted: $2"; return 1; }; }
printf '%%PDF-1.4\n%%licence one\n%%%%EOF\n' >"$dir/licence.pdf"
printf '%%PDF-1.4\n%%licence two\n%%%%EOF\n' >"$dir/licence2.pdf"
echo 'MZ not a paper' >"$dir/bad.pdf"
code=91441500MATEXT9010 other_code=91441500MATEXT9023
all= version= row=
approve=(-d checked_identity=yes -d checked_place=yes -d checked_facts=yes -d checked_record=yes)

# ---- a draft ----

tap "ENT-01 the first look writes nothing" gives 200 li /registration
tap "  no item yet" is "$(db 'SELECT count(*) FROM item')" 0
tap "the check page says what is missing" gives 200 li /registration/check
tap "  with a link to the field" has '/registration/basics#name' "$dir/page"
tap "  and that it is not submitted (DEAD-16)" has '未提交' "$dir/page"
tap "its title says so first" has '<title>错误：' "$dir/page"

one_field() { save li basics "name=　汕尾　甲机械有限公司 " && [ "$status" = 303 ]; }
tap "a draft with one field is saved" one_field
tap "  and is there in another browser, clean" gives 200 lin /registration/basics
tap "  " has 'value="汕尾 甲机械有限公司"' "$dir/page"
tap "  for nobody else: another enterprise has its own" gives 200 bai /registration/basics
tap "  " lacks '甲机械' "$dir/page"

wrong() { save li business "revenue=很多" "revenue_year=2025"; [ "$status" = 303 ] &&
    gives 200 li /registration/business; }
tap "a wrong value is saved as typed" wrong
tap "  and shown with its refusal" has '不是金额' "$dir/page"
tap "  beside its field" has 'id="revenue" name="revenue" value="很多"' "$dir/page"
tap "  in the title" has '<title>错误：经营情况' "$dir/page"
tap "  in English, too" gives 200 li '/registration/business?lang=en'
tap "  " has 'is not an amount' "$dir/page"
get li '/registration?lang=zh'

# ---- two who write at once (SYS-02) ----

two_editors()
{
    get lin /registration/people
    local mark token
    mark=$(hidden mark) token=$(csrf)
    save li people "contact=李四" "mobile=13800138000" "mail=li@example.com" || return 1
    gives 409 lin /registration/people -F "csrf=$token" -F "mark=$mark" \
        --form-string "contact=王五" --form-string "mobile=13900139000"
}
tap "SYS-02 the second of two editors is asked" two_editors
tap "  with what it typed" has 'value="王五"' "$dir/page"
tap "  and what is saved" has '他人已保存：</b> 李四' "$dir/page"
again() { get lin /registration/people -F "csrf=$(csrf)" -F "mark=$(hidden mark)" \
    --form-string "contact=王五" --form-string "mobile=13900139000" \
    --form-string "mail=lin@example.com"; [ "$status" = 303 ]; }
tap "  knowing it, it may save" again

# ---- papers ----

bad_paper() { save li papers "licence=@$dir/bad.pdf" "no_violation=yes" "undertaking=yes"
    [ "$status" = 422 ]; }
tap "CON-10 a file of another type is refused" bad_paper
tap "  naming what is taken" has 'PDF' "$dir/page"
tap "  what was ticked with it is kept" has 'name="undertaking" value="yes" checked' "$dir/page"
paper() { save li papers "licence=@$dir/licence.pdf;filename=执照.pdf" "no_violation=yes" "undertaking=yes"
    [ "$status" = 303 ]; }
tap "a file that was chosen is stored by saving" paper
licence_hash=$(sha256sum <"$dir/licence.pdf" | cut -c 1-64)
tap "  and listed with its hash" gives 200 li /registration/papers
tap "  " has "$licence_hash" "$dir/page"
tap "  who sees it is said" has '审计可以看到' "$dir/page"

# ---- submission ----

incomplete() { submit li; [ "$status" = 422 ]; }
tap "ENT-01 an incomplete one is not submitted" incomplete
tap "  each field is named" has '请选择“法人类型”' "$dir/page"
tap "  it stays a draft" is "$(state_of A-1)" DRAFT

fill() # WHO CODE
{
    local who=$1
    save "$who" basics "name=汕尾甲机械有限公司" "credit_code=$2" "legal_form=LIMITED" \
        "industry=3311" "established=2015年3月8日"
    save "$who" place "city=441500" "county=海丰县" "address=海丰县科技路１号"
    save "$who" business "revenue=12,000,000" "revenue_year=2025"
    save "$who" people "contact=李四" "mobile=138 0013 8000" "mail=li@example.com" \
        "shareholders.0.name=张三" "shareholders.0.share=60"
}
refused_fields()
{
    save li basics "name=汕尾甲机械有限公司" "credit_code=$code" "legal_form=BRANCH" \
        "industry=X999" "established=2015-03-08"
    save li place "city=430100" "county=海丰县" "address=科技路1号"
    submit li
    has '不具有独立法人资格' "$dir/page" && has '行业代码' "$dir/page" &&
        has '不是广东省的地市' "$dir/page"
}
tap "ENT-05 ELIG-01 ELIG-02 no branch, no such industry, no other province" refused_fields
fill li "$code"
tap "a complete draft is checked" gives 200 li /registration/check
tap "  the hashes of its files stand there" has "$licence_hash" "$dir/page"
tap "  it still says that it is not submitted (DEAD-16)" has '未提交' "$dir/page"
tap "  ENT-11 and that there is no register extract" has '暂无登记信息' "$dir/page"

five_clicks()
{
    get li /registration/check
    local args=(--data-urlencode "csrf=$(csrf)" -d "mark=$(hidden mark)"
        -d "event=$(hidden event)" -d "version=$(hidden version)" -d "request=$(hidden request)")
    for i in 1 2 3 4 5; do
        curl -s -m 60 -o "$dir/answer$i" -w '%{http_code} %{redirect_url}\n' \
            -b "$dir/li.jar" "${args[@]}" "$url/registration/submit" >"$dir/click$i" &
    done
    wait $(jobs -p | grep -v "^$server$")
    get li /registration/submit "${args[@]}" # back, and once more
    echo "$status $(sed -n 's/^[Ll]ocation: //p' "$dir/head" | tr -d '\r')" >"$dir/click6"
    sort -u "$dir"/click? | sed "s|$url||" | uniq
}
tap "SYS-03 five clicks at once and one after Back: one answer" \
    is "$(five_clicks)" "303 /registration?submitted=1"
tap "  one number" is "$(db "SELECT count(*), count(DISTINCT number) FROM item")" "1|1"
tap "  one event" is "$(db "SELECT count(*) FROM item_event WHERE event = 'submit'")" 1
tap "  one audit row" is "$(db "SELECT count(*) FROM audit WHERE action = 'enterprise_registration.submit' AND result = 'OK'")" 1
number=$(number_of A-1)
tap "the receipt has number and hash" gives 200 li /registration/receipt
tap "  " has "$number" "$dir/page"
tap "  the edition's" has "$(db "SELECT lower(hex(sha256)) FROM item_edition WHERE edition = 1")" "$dir/page"
tap "  whose hash is that of what is stored" is \
    "$(db "SELECT answers FROM item_edition WHERE edition = 1" | tr -d '\n' | sha256sum | cut -c 1-64)" \
    "$(db "SELECT lower(hex(sha256)) FROM item_edition WHERE edition = 1")"
tap "ENT-01 the code is reserved" is "$(db "SELECT name_zh, city_code FROM enterprise WHERE id = 'A-1'")" \
    "汕尾甲机械有限公司|441500"
tap "it cannot be written on meanwhile" gives 409 li /registration/basics

# ---- review ----

tap "ENT-05 it waits for its city" gives 200 wang /registrations
tap "  " has "$number" "$dir/page"
tap "  for no other one" gives 200 shen /registrations
tap "  " lacks "$number" "$dir/page"
tap "  which does not find it" gives 404 shen "/registrations/$number"
tap "  the enterprise is led to its own page" gives 303 li "/registrations/$number"
tap "  another enterprise finds nothing" gives 404 bai "/registrations/$number"
tap "the paper stands beside what was typed" gives 200 wang "/registrations/$number"
tap "  " has '<iframe src="/files/' "$dir/page"
tap "  12,000,000.00 in full" has '12,000,000.00' "$dir/page"
tap "PRIV-09 the auditor sees the mobile masked" gives 200 audi "/registrations/$number"
tap "  " lacks 13800138000 "$dir/page"
tap "  and decides nothing" lacks "/registrations/$number/approve" "$dir/page"
tap "  also not by its address" gives 403 audi "/registrations/$number/approve" \
    --data-urlencode "csrf=$(csrf)"

tap "REV-01 an empty list is refused" eval 'row=2 decide wang "$number" return; is "$status" 422'
tap "  in words" has '至少一条' "$dir/page"
tap "  E_RETURN_LIST_EMPTY in the audit log" is "$(db "SELECT result FROM audit ORDER BY seq DESC LIMIT 1")" E_RETURN_LIST_EMPTY
tap "REV-03 the other ground is none for a registration" eval 'row=3 decide wang "$number" reject -d ground=NOT_FIT --data-urlencode "reason=不符合"; is "$status" 422'
tap "  E_REJECT_GROUND" is "$(db "SELECT result FROM audit ORDER BY seq DESC LIMIT 1")" E_REJECT_GROUND
tap "REV-02 no rejection without a reason" eval 'row=3 decide wang "$number" reject -d ground=ILLEGAL; is "$status" 422'
tap "  E_REASON_REQUIRED" is "$(db "SELECT result FROM audit ORDER BY seq DESC LIMIT 1")" E_REASON_REQUIRED
tap "ENT-02 no approval with an open check" eval 'decide wang "$number" approve -d checked_place=yes; is "$status" 422'
tap "  what was ticked stays" has 'name="checked_place" value="yes" checked' "$dir/page"
tap "more rows for points keep what was typed" eval 'row=2 decide wang "$number" return-rows --data-urlencode "points.0.reason=字太小"; is "$status" 200 && has 字太小 "$dir/page" && has points.2.reason "$dir/page"'

returns() { row=2 decide wang "$number" return -d points.0.field=licence \
    --data-urlencode points.0.reason=执照不清晰 --data-urlencode points.0.material=重新上传彩色扫描件 \
    -d points.1.field=revenue --data-urlencode points.1.reason=与年报不一致 \
    --data-urlencode points.1.material=核对金额 -d points.2.field=county \
    --data-urlencode points.2.reason=与执照不一致 --data-urlencode points.2.material=核对或说明
    [ "$status" = 303 ]; }
tap "ENT-04 a return with three points" returns
tap "  RETURNED" is "$(state_of A-1)" RETURNED
tap "SYS-02 a decision on what was seen before is refused" eval 'version=2 decide zhao "$number" approve "${approve[@]}"; is "$status" 409'
tap "the enterprise reads all of them" gives 200 li /registration
tap "  " has '执照不清晰' "$dir/page"
tap "  " has '与执照不一致' "$dir/page"
notice=$(sed -n 's|.*href="\(/registrations/[^"]*/notices/[0-9]*\)".*|\1|p' "$dir/page" | head -n 1)
tap "REV-06 the notice (F19) is there for both" gives 200 li "$notice"
tap "  with its number" has "$number-${notice##*/}" "$dir/page"
tap "  and the bureau" has '汕尾市' "$dir/page"
tap "  in English" gives 200 wang "$notice?lang=en"
get wang '/registrations?lang=zh'
tap "  for nobody else" gives 404 bai "$notice"

# ---- resubmission ----

tap "REV-01 the points' fields are open, others are not" gives 200 li /registration/place
tap "  " has 'name="county"' "$dir/page"
tap "  " lacks 'name="address"' "$dir/page"
tap "  and can be opened" gives 200 li '/registration/place?all=1'
tap "  " has 'name="address"' "$dir/page"
untouched() { save li place "county=海丰县" && is "$(db "SELECT json_extract(answers, '$.address') FROM item_edition WHERE edition = 0")" "海丰县科技路１号"; }
tap "  what was closed stays as it was" untouched
unanswered() { submit li; [ "$status" = 422 ]; }
tap "a point without an answer is not let through" unanswered
change()
{
    get li /registration/papers
    local old
    old=$(sed -n 's/.*name="remove" value="\([0-9]*\)".*/\1/p' "$dir/page" | head -n 1)
    save li papers "remove=$old" && save li papers "licence=@$dir/licence2.pdf;filename=执照新.pdf" &&
        save li business "revenue=11,500,000.50" && [ "$status" = 303 ]
}
tap "one file and one amount are changed" change
resubmits() { submit li -d replies.2.point=3 --data-urlencode "replies.2.reply=区划调整，见执照背面"; [ "$status" = 303 ]; }
tap "REV-05 submitted again" resubmits
tap "  under the same number" is "$(number_of A-1) $(state_of A-1)" "$number PENDING_CITY"
tap "REV-07 the reviewer sees what changed" gives 200 wang "/registrations/$number"
tap "  old and new amount" has '<del>12,000,000.00 元</del> <span aria-hidden="true">→</span> <ins>11,500,000.50 元</ins>' "$dir/page"
tap "  the file by its hash" has "$(sha256sum <"$dir/licence2.pdf" | cut -c 1-64)" "$dir/page"
tap "  that the third is unchanged" has '<b>没有改动</b>' "$dir/page"
tap "  and why" has '区划调整' "$dir/page"
tap "  nothing that no point asked for" lacks '意见之外的改动' "$dir/page"
tap "  both editions open" gives 200 wang "/registrations/$number/editions/1"
tap "  " has "$licence_hash" "$dir/page"
tap "REV-01 a new point about what was not changed is refused" eval 'row=2 decide wang "$number" return -d points.0.field=address --data-urlencode points.0.reason=不全 --data-urlencode points.0.material=写到门牌; is "$status" 422'
tap "  E_RETURN_NOT_ONCE" is "$(db "SELECT result FROM audit ORDER BY seq DESC LIMIT 1")" E_RETURN_NOT_ONCE

# ---- approval ----

contact_mail=$(db "SELECT upper(json_extract(answers, '$.mail')) FROM item_edition JOIN item ON id = item_id WHERE number = '$number' AND edition > 0 ORDER BY edition DESC LIMIT 1")
tap "ORG-13 who has the contact person's mail" db ".timeout 10000" "UPDATE account SET mail = '$contact_mail' WHERE name = 'zhao'"
tap "  decides nothing, and is told why" eval 'get zhao "/registrations/$number"; has 您的手机或邮箱与该企业 "$dir/page" && lacks "/registrations/$number/approve" "$dir/page" && gives 403 zhao "/registrations/$number/approve" --data-urlencode "csrf=$(csrf)" -d "version=$(db "SELECT version FROM item WHERE number = '"'$number'"'")" "${approve[@]}"'
tap "  E_CONFLICT_OF_INTEREST" is "$(db "SELECT result FROM audit ORDER BY seq DESC LIMIT 1")" E_CONFLICT_OF_INTEREST
tap "  and another mail" db ".timeout 10000" "UPDATE account SET mail = '' WHERE name = 'zhao'"
tap "ORG-13 who has declared an interest" eval 'get zhao "/registrations/$number"; get zhao "/registrations/$number/interest" --data-urlencode "csrf=$(csrf)"; is "$status" 303'
tap "  decides nothing any more" eval 'get zhao "/registrations/$number"; lacks "/registrations/$number/approve" "$dir/page" && gives 403 zhao "/registrations/$number/approve" --data-urlencode "csrf=$(csrf)" -d "version=$(db "SELECT version FROM item WHERE number = '"'$number'"'")" "${approve[@]}"'
tap "  E_CONFLICT_OF_INTEREST" is "$(db "SELECT result FROM audit ORDER BY seq DESC LIMIT 1")" E_CONFLICT_OF_INTEREST
tap "ENT-02 approved" eval 'decide wang "$number" approve "${approve[@]}"; is "$status" 303'
tap "  ACTIVE" is "$(state_of A-1)" ACTIVE
tap "the enterprise may change its data" gives 200 li /registration
tap "  " has '变更信息' "$dir/page"

# ---- a change of data (ENT-07) ----

moves() { all=; save li basics "name=汕尾甲智能机械有限公司" "credit_code=$code" "legal_form=LIMITED" \
    "industry=C3311" "established=2015-03-08"; submit li; [ "$status" = 303 ]; }
tap "ENT-07 a change is submitted" moves
tap "  under review" is "$(state_of A-1)" PENDING_CITY
tap "  the old name stays valid" is "$(db "SELECT name_zh FROM enterprise WHERE id = 'A-1'")" "汕尾甲机械有限公司"
tap "  the reviewer sees the change alone" gives 200 wang "/registrations/$number"
tap "  " has '<del>汕尾甲机械有限公司</del>' "$dir/page"
tap "  decided" eval 'decide wang "$number" approve "${approve[@]}"; is "$status" 303'
tap "  the new one is" is "$(db "SELECT name_zh FROM enterprise WHERE id = 'A-1'")" "汕尾甲智能机械有限公司"

# ---- another enterprise: duplicate, flag, rejection ----

second()
{
    fill bai "$code"
    save bai papers "licence=@$dir/licence.pdf" "no_violation=yes" "undertaking=yes"
    submit bai
    [ "$status" = 409 ]
}
tap "ENT-06 a second registration of a code is refused" second
tap "  with the way out" has '账户找回' "$dir/page"
tap "  E_DUPLICATE" is "$(db "SELECT result FROM audit ORDER BY seq DESC LIMIT 1")" E_DUPLICATE
software()
{
    save bai basics "name=汕尾乙软件有限公司" "credit_code=$other_code" "legal_form=LIMITED" \
        "industry=I6510" "established=2015-03-08"
    submit bai
    [ "$status" = 303 ]
}
tap "ELIG-02 software is accepted with a flag" software
second=$(number_of A-2)
tap "  no approval without an answer" eval 'decide wang "$second" approve "${approve[@]}"; is "$status" 422'
tap "  E_FLAG_UNANSWERED" is "$(db "SELECT result FROM audit ORDER BY seq DESC LIMIT 1")" E_FLAG_UNANSWERED
tap "REV-02 rejected with a reason" eval 'row=3 decide wang "$second" reject -d ground=ILLEGAL --data-urlencode "reason=执照系伪造"; is "$status" 303'
tap "  which the enterprise reads" gives 200 bai /registration
tap "  " has '执照系伪造' "$dir/page"
tap "  its code is free again" is "$(db "SELECT count(*) FROM enterprise WHERE id = 'A-2'")" 0
tap "REV-04 a new one begins with its answers" gives 200 bai /registration/basics
tap "  " has 'value="汕尾乙软件有限公司"' "$dir/page"
tap "  and has a life of its own" eval 'save bai business "revenue=1" "revenue_year=2025"; is "$(state_of A-2) $(number_of A-2)" "DRAFT "'

# ---- the company register as a hint (ENT-11) ----

extract() { printf '%s\n' "$@" >"$dir/extract.csv"; "$portal" --lang zh register import -c "$dir/portal.conf" --day 2026-11-01 "$dir/extract.csv"; }
bad_extract() { ! extract "$@" >"$dir/out" 2>&1 && grep -q E_IMPORT_ROW "$dir/out" && is "$(db 'SELECT count(*) FROM register_import')" "${imports:-0}"; }
tap "ENT-11 another header is refused" bad_extract 'code,name' "$code,A"
tap "  a bad code, the whole file" bad_extract 'credit_code,name,state' "$code,A,存续" '91441500MATEXT9011,B,存续'
tap "  naming its line" grep -q '第 3 行' "$dir/out"
tap "  two rows for one code" bad_extract 'credit_code,name,state' "$code,A,存续" "$code,B,存续"
tap "  a good one is imported" extract 'credit_code,name,state,established' "$code,汕尾甲机械有限公司,存续,2015-03-08"
tap "  the reviewer sees the other name beside what was typed" gives 200 wang "/registrations/$number"
tap "  differs" has '不一致' "$dir/page"
tap "  same" has '一致' "$dir/page"
tap "  the extract's state" has '存续' "$dir/page"
imports=1
tap "  a bad one leaves it" bad_extract 'credit_code,name,state' ',A,存续'
tap "  an enterprise that is not in it" gives 200 bai /registration/check
tap "  " has '登记信息中没有' "$dir/page"

# ---- an enterprise that came by yz-portal load counts as registered ----

tap "a loaded enterprise is not asked to register again" gives 200 fu /registration
tap "  it may change its data" has '变更信息' "$dir/page"
tap "  nothing of it is unsubmitted" lacks '未提交' "$dir/page"
loaded() { gives 200 fu /registration/basics && has 'value="汕尾测试电子有限公司"' "$dir/page" &&
    save fu business "revenue=20000000" "revenue_year=2025" &&
    is "$(state_of ENT-1)" ACTIVE; }
tap "  its draft begins with the registry" loaded
tap "  which is its first edition" is "$(db "SELECT saved_by, json_extract(answers, '$.name') FROM item_edition e JOIN item i ON i.id = e.item_id WHERE party = 'ENT-1' AND edition = 1")" "SYS|汕尾测试电子有限公司"
tap "  and stays as it is until a change is approved" is "$(db "SELECT name_zh FROM enterprise WHERE id = 'ENT-1'")" "汕尾测试电子有限公司"

# ---- the same through the API alone ----

json() { python3 -c "import json, sys; d = json.load(open('$dir/page')); print(json.dumps($1, ensure_ascii=False) if not isinstance($1, str) else $1)"; }
api() # STATUS WHO PATH JSON
{
    gives "$1" "$2" "/api/v1$3" -H 'Content-Type: application/json' --data-binary "$4"
}
third_code=91441500MATEXT9036
typed='"name":"汕尾丙机械有限公司","credit_code":"91441500matext9036","legal_form":"LIMITED","industry":"3311","established":"2015-3-8","city":"441500","county":"海丰县","address":"科技路3号","revenue":1200000050,"revenue_year":2025,"contact":"何六","mobile":"13800138001","mail":"he@example.com","shareholders":[{"name":"何六","share":100}],"no_violation":true,"undertaking":true'
tap "API: nothing yet" gives 200 he /api/v1/registration
tap "  what is missing, by code and field" is "$(json 'd["refusals"][0]["code"] + " " + d["refusals"][0]["field"]')" "E_FIELD_REQUIRED name"
tap "API: one field is saved" api 200 he /registration '{"answers":{"name":" 汕尾丙 "}}'
tap "  clean" is "$(json 'd["answers"]')" '{"name": "汕尾丙"}'
tap "API: a wrong type is refused" api 422 he /registration '{"answers":{"staff":"many","name":{}}}'
tap "  by code and field" is "$(json 'd["code"] + " " + d["field"]')" "E_FIELD_VALUE name"
tap "API: an unknown field, too" api 422 he /registration '{"answers":{"nothing":1}}'
tap "API: a wrong value is kept as typed" api 200 he /registration '{"answers":{"revenue":"很多"}}'
tap "  " is "$(json 'd["answers"]["revenue"]')" 很多
tap "SYS-02 API: an old mark" api 409 he /registration '{"answers":{"name":"x"},"mark":"0000000000000000"}'
tap "  E_STALE" is "$(json 'd["code"]')" E_STALE
tap "API: all of it" api 200 he /registration "{\"answers\":{$typed}}"
tap "  only the paper lacks" is "$(json '[r["code"] + " " + r["field"] for r in d["refusals"]]')" '["E_FILE_REQUIRED licence"]'
token=$(json 'd["csrf"]')
tap "API: a form of a page elsewhere is no JSON" gives 415 he /api/v1/registration -d 'answers=1'
tap "API: the paper" gives 200 he /api/v1/registration/papers -F "csrf=$token" \
    -F "mark=$(gives 200 he /registration/papers >/dev/null; hidden mark)" -F "licence=@$dir/licence.pdf" -F no_violation=yes -F undertaking=yes
tap "  nothing lacks" is "$(json 'd["refusals"]')" '[]'
tap "  the event that may be done now" is "$(json 'd["events"]')" '[{"event": "submit", "href": "/api/v1/registration/submit"}]'
version=$(json 'd["version"]') mark=$(json 'd["mark"]')
tap "API: submitted" api 200 he /registration/submit "{\"event\":\"submit\",\"version\":$version,\"request\":\"r-1\",\"asked\":{\"mark\":\"$mark\"}}"
third=$(json 'd["number"]')
tap "SYS-03 API: the same request again is the same" api 200 he /registration/submit "{\"event\":\"submit\",\"version\":$version,\"request\":\"r-1\",\"asked\":{\"mark\":\"$mark\"}}"
tap "SYS-03 API: its number for something else is not" api 409 he /registration/submit "{\"event\":\"submit\",\"version\":9,\"request\":\"r-1\"}"
tap "  E_IDEMPOTENCY" is "$(json 'd["code"]')" E_IDEMPOTENCY
tap "API: the same rows as by the pages" is \
    "$(db "SELECT answers FROM item_edition e JOIN item i ON i.id = e.item_id WHERE i.party = 'A-3' AND edition = 1" | python3 -c 'import json, sys; print(sorted(json.load(sys.stdin)))')" \
    "$(db "SELECT answers FROM item_edition e JOIN item i ON i.id = e.item_id WHERE i.party = 'A-1' AND edition = 1" | python3 -c 'import json, sys; print(sorted(json.load(sys.stdin)))')"
tap "API: the city reads it" gives 200 wang "/api/v1/registrations/$third"
tap "  what it may do" is "$(json '[e["event"] for e in d["events"]]')" '["approve", "return", "reject"]'
tap "  typed" is "$(json 'd["answers"]["revenue"]')" 1200000050
tap "  another city does not" gives 404 shen "/api/v1/registrations/$third"
tap "PRIV-09 API: the auditor reads it masked" gives 200 audi "/api/v1/registrations/$third"
tap "  " is "$(json 'd["answers"]["mobile"] + str(d["events"])')" '138****8001[]'
tap "API: returned with a point" api 200 wang "/registrations/$third/return" '{"version":2,"request":"w-1","asked":{"points":[{"field":"county","reason":"不符","material":"核对"}]}}'
tap "API: the enterprise reads the point" gives 200 he /api/v1/registration
tap "  " is "$(json 'd["points"][0]["field"] + " " + d["state"]')" "county RETURNED"
tap "API: it changes that" api 200 he /registration '{"answers":{"county":"城区"}}'
tap "API: and submits again" api 200 he /registration/submit '{"event":"resubmit","version":3,"request":"r-2"}'
tap "API: approved" api 200 wang "/registrations/$third/approve" '{"version":4,"request":"w-2","asked":{"checked_identity":true,"checked_place":true,"checked_facts":true,"checked_record":true}}'
tap "  the registry has it" is "$(db "SELECT county, credit_code FROM enterprise WHERE id = 'A-3'")" "城区|$third_code"
tap "API: the list" gives 200 wang /api/v1/registrations
tap "  " is "$(json '[r["state"] for r in d["items"] if r["number"] == "'"$third"'"]')" '["ACTIVE"]'
version=

tap "the audit chain holds" "$portal" audit check -c "$dir/portal.conf"
tap "no page failed" lacks ' page ' "$dir/server.log"
tap_end
