#!/bin/bash
# Files sent to a running portal through the form of a registration: what is
# stored, what is refused and how, who may send at all, and that nothing stays of
# what was cut off, refused, or half there when the portal was killed.
set -u
. tests/tap.sh
. tests/portal/visit.sh
tap_begin portal-upload
dir=$demo portal=$bin/yz-portal
slow=
end_slow() { [ -z "$slow" ] || kill $slow 2>/dev/null; [ -z "$slow" ] || wait $slow 2>/dev/null; slow=; }
trap 'status=$?; end_slow; stop_server; end_spawned; exit $status' EXIT

cat >"$dir/portal.conf" <<END
listen = 127.0.0.1:0
portal_db = $dir/portal.db
usage_db = $dir/usage.db
verdict_db = $dir/verdict.db
rules = $PWD/rules/guangdong-2018
secure_cookie = no
attachment_mib = 2
END
db() { sqlite3 "$dir/portal.db" "$@"; }
user() { # NAME ROLE ORGANISATION
    echo "password-$1" | "$portal" user add -c "$dir/portal.conf" "$1" \
        --role "$2" --organisation "$3" --password-file -
}
prepare()
{
    "$portal" load -c "$dir/portal.conf" rules/guangdong-2018 &&
        "$portal" load -c "$dir/portal.conf" --sample tests/portal/registry &&
        db "INSERT INTO applicant VALUES ('A-1', 'enterprise', 0)" &&
        user li ENT A-1 && user wang CITY 441500 && start_server || return 1
    login li password-li
    [ "$status" = 303 ] || return 1
    login wang password-wang
    [ "$status" = 303 ]
}
tap "a portal, an enterprise and a city" prepare

limit=$((2 << 20))
pdf() { { printf '%%PDF-1.7\n%s\n' "$2"; head -c "$limit" /dev/zero; } | head -c "$2" >"$dir/$1.pdf"; }
pdf small 1000
pdf largest $limit
pdf large $((limit + 1))
pdf huge $((limit - 1))
hidden() { sed -n 's/.*name="'"$1"'" value="\([^"]*\)".*/\1/p' "$dir/page" | head -n 1; }
kept() { db "SELECT count(*) FROM attachment"; }
incoming() { find "$dir/attachments/incoming" -type f | wc -l; }
nothing_comes() { [ "$(incoming)" -eq 0 ]; }
# save [CURL...]: the step with the papers, after it was opened
save()
{
    get li /registration/papers
    get li /registration/papers -F "csrf=$(csrf)" -F "mark=$(hidden mark)" "$@"
}

unmarked()
{
    get li /registration/papers
    get li /registration/papers -F "csrf=$(csrf)" -F undertaking=yes
    [ "$status" = 303 ]
}
tap "the first save of all, by a program that sends no mark" unmarked
stored()
{
    save -F "licence=@$dir/largest.pdf" -F undertaking=yes
    [ "$status" = 303 ] && [ "$(kept)" -eq 1 ] && nothing_comes &&
        [ "$(find "$dir/attachments/files" -type f -exec sha256sum {} + | cut -c1-64)" = \
            "$(sha256sum <"$dir/largest.pdf" | cut -c1-64)" ]
}
tap "CON-10: a file of the largest size is stored" stored
too_large()
{
    save -F "licence=@$dir/large.pdf;filename=大.pdf" -F no_violation=yes
    [ "$status" = 413 ] && has '大.pdf' "$dir/page" && has '每个文件最多 2.0 MiB' "$dir/page" &&
        has 'name="no_violation" value="yes" checked' "$dir/page" &&
        [ "$(kept)" -eq 1 ] && nothing_comes
}
tap "CON-10: one byte more is refused by name, and what was ticked is kept" too_large
too_many()
{
    local files=() i
    for i in 1 2 3 4 5 6 7; do files+=(-F "licence=@$dir/small.pdf"); done
    save "${files[@]}"
    [ "$status" = 400 ] && has E_FILE_COUNT "$dir/page" && has '6 个文件' "$dir/page" &&
        [ "$(kept)" -eq 1 ] && nothing_comes
}
tap "more files than the form takes: how many there may be" too_many
far_too_large()
{
    local files=() i
    for i in $(seq 20); do files+=(-F "licence=@$dir/huge.pdf"); done
    get li /registration/papers
    get li /registration/papers -F "csrf=$(csrf)" -F "mark=$(hidden mark)" "${files[@]}"
    [ "$status" = 413 ] && has E_BODY_SIZE "$dir/page" && nothing_comes
}
tap "a form far beyond its limit is refused before it is read" far_too_large
wrong_token()
{
    get li /registration/papers -F csrf=0000 -F "licence=@$dir/small.pdf"
    [ "$status" = 403 ] && has E_FORM_EXPIRED "$dir/page" && [ "$(kept)" -eq 1 ] && nothing_comes
}
tap "a form without its token keeps nothing" wrong_token

# refused_early WHO STATUS CODE: the whole file is announced, and not one byte of
# it has to be sent for the answer.
refused_early()
{
    local cookie
    touch "$dir/$1.jar"
    cookie=$(awk '$6 == "yz_session" { print $6 "=" $7 }' "$dir/$1.jar")
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf 'POST /registration/papers HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: %s\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: 2000000\r\n\r\n' \
        "$cookie" >&3
    timeout 60 cat <&3 >"$dir/page"
    exec 3<&-
    has " $2 " "$dir/page" && has "$3" "$dir/page" && nothing_comes
}
tap "whoever is not logged in is refused before anything is read" \
    refused_early nobody 401 E_LOGIN
tap "and so is another role" refused_early wang 403 E_ROLE

# begin_slow NAME: an upload that stands in the middle
begin_slow()
{
    local cookie
    cookie=$(awk '$6 == "yz_session" { print $6 "=" $7 }' "$dir/li.jar")
    curl -s -m 120 --limit-rate 2k -o /dev/null -b "$cookie" -F "csrf=$(csrf)" \
        -F "licence=@$dir/largest.pdf" "$url/registration/papers" &
    slow="$slow $!"
}
comes() { [ "$(incoming)" -eq "$wanted" ]; }
three_at_a_time()
{
    get li /registration/papers
    begin_slow; begin_slow; begin_slow
    wanted=3 && await 30 comes || return 1
    save -F "licence=@$dir/small.pdf"
    [ "$status" = 429 ] && has E_UPLOAD_RUNNING "$dir/page"
}
tap "an account sends three forms at a time" three_at_a_time
cut_off()
{
    end_slow
    wanted=0 && await 30 comes && [ "$(kept)" -eq 1 ] &&
        { save -F "licence=@$dir/small.pdf"; [ "$status" = 303 ]; }
}
tap "cut off, they leave nothing, and the next one is taken" cut_off

killed()
{
    get li /registration/papers
    begin_slow
    wanted=1 && await 30 comes || return 1
    kill -9 "$server"
    wait "$server" 2>/dev/null
    server=
    end_slow
    [ "$(incoming)" -eq 1 ] && start_server && nothing_comes && [ "$(kept)" -eq 2 ]
}
tap "killed in the middle of an upload: nothing half after the next start" killed
accepted()
{
    local before hash
    before=$(kept)
    echo "%PDF-1.7 accepted" >"$dir/accepted.pdf"
    save -F "licence=@$dir/accepted.pdf"
    kill -9 "$server"
    wait "$server" 2>/dev/null
    server=
    hash=$(sha256sum <"$dir/accepted.pdf" | cut -c1-64)
    [ "$status" = 303 ] && start_server && [ "$(kept)" -eq $((before + 1)) ] &&
        cmp "$dir/accepted.pdf" "$dir/attachments/files/${hash:0:2}/$hash"
}
tap "killed after the answer: what was accepted is there" accepted

removed()
{
    local id
    id=$(db "SELECT max(id) FROM attachment")
    save -F "remove=$id"
    [ "$status" = 303 ] && [ -z "$(db "SELECT 1 FROM attachment WHERE id = $id")" ] &&
        gives 404 li "/files/$id"
}
tap "what is taken out of a draft is not there any more" removed
tap "the server ends cleanly" stop_server
tap_end
