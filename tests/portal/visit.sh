# For the scripts that visit a portal: the server, curl as several people, and the
# rows of pages.rows (which says how they are written).
#
#   . tests/tap.sh
#   . tests/portal/visit.sh
#   dir=$demo portal=$bin/yz-portal     $dir/portal.conf listens on port 0
#   start_server; rows SECTION; stop_server
server=

start_server() # sets $server, $port, $url
{
    : >"$dir/server.log" # or the port of the one before is read
    "$portal" run -c "$dir/portal.conf" 2>"$dir/server.log" &
    server=$!
    await 30 listens_or_ended
    url=http://127.0.0.1:$port
    [ -n "$port" ]
}
listens_or_ended()
{
    port=$(sed -n 's/.*listening on .*, port \([0-9]*\)$/\1/p' "$dir/server.log")
    [ -n "$port" ] || has_ended "$server"
}
stop_server() # as it ended
{
    [ -n "$server" ] || return 0
    kill -TERM "$server" 2>/dev/null
    wait "$server"
    local status=$?
    server=
    return $status
}

has() { grep -qF -- "$1" "$2" || { echo "missing: $1"; head -c 600 "$2"; echo; return 1; }; }
lacks() { ! grep -qF -- "$1" "$2" || { echo "there: $1"; return 1; }; }

# get WHO PATH [CURL...]: body to page, headers to head, status to $status.
get()
{
    local who=$1 path=$2
    shift 2
    touch "$dir/$who.jar"
    status=$(curl -s -m 60 -o "$dir/page" -D "$dir/head" -w '%{http_code}' \
        -b "$dir/$who.jar" -c "$dir/$who.jar" "$@" "$url$path")
}
# gives STATUS WHO PATH [CURL...]
gives()
{
    local wanted=$1
    shift
    get "$@"
    [ "$status" = "$wanted" ] || { echo "status $status, wanted $wanted"; return 1; }
}
csrf() { sed -n 's/.*name="csrf" value="\([0-9a-f]*\)".*/\1/p' "$dir/page" | head -n 1; }

login() # WHO PASSWORD: leaves the status
{
    get "$1" /login
    get "$1" /login --data-urlencode "csrf=$(csrf)" \
        --data-urlencode "name=$1" --data-urlencode "password=$2"
}

# --- rows ---

trim() # TEXT: into $trimmed
{
    trimmed=${1#"${1%%[![:space:]]*}"}
    trimmed=${trimmed%"${trimmed##*[![:space:]]}"}
}

# each HOW TEXTS: has or lacks for each of "a ;; > b".
each()
{
    local how=$1 rest="$2;;" text place
    while [ -n "$rest" ]; do
        trim "${rest%%;;*}"
        text=$trimmed place=page rest=${rest#*;;}
        [ "${text#> }" = "$text" ] || text=${text#> } place=head
        [ -z "$text" ] || "$how" "$text" "$dir/$place" || return 1
    done
}

# holds WHO ADDRESS STATUS MUST_HAVE MUST_LACK
holds()
{
    local method path body
    local -a how=()
    read -r method path body <<<"$2"
    case $method in
    /*) path=$method ;;
    HEAD) how=(-I) ;;
    *) how=(-X "$method" ${body:+-d "$body"}) ;;
    esac
    gives "$3" "$1" "$path" "${how[@]}" && each has "$4" && each lacks "$5"
}

# visit_row LINE: one case, with what holds for all below its title.
visit_row()
{
    local who address wanted have lack
    IFS='|' read -r who address wanted have lack <<<"$1"
    trim "$who" && who=$trimmed
    trim "$address" && address=$trimmed
    trim "$wanted" && wanted=$trimmed
    tap "$title: $who $address" holds "$who" "$address" "$wanted" \
        "$have;;$all_have" "$lack;;$all_lack"
}

# rows SECTION: each of its rows is a case.
rows()
{
    local section='' title='' all_have='' all_lack='' line count=0
    while IFS= read -r line; do
        line=${line//TODAY/$(date +%F)}
        case $line in
        '' | '#'*) ;;
        '['*) section=$line ;;
        '= '*) title=${line#= } all_have='' all_lack='' ;;
        ':'*) IFS='|' read -r all_have all_lack <<<"${line#:}" ;;
        *)
            [ "$section" = "[$1]" ] || continue
            visit_row "$line"
            count=$((count + 1))
            ;;
        esac
    done <tests/portal/pages.rows
    [ $count -gt 0 ] || tap "pages.rows has a section $1" false
}
