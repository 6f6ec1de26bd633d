# For the tests that are scripts: TAP lines, a folder of their own, processes that
# end with the script. Who needs the lines only leaves out tap_begin.
#
#   . tests/tap.sh
#   tap_begin replay
#   tap "what holds" command...
#   result $? "what holds"
#   tap_end

set -u
export LC_ALL=C.UTF-8
PATH=$PATH:/usr/sbin:/sbin
build=${B:-build}
mkdir -p "$build" && build=$(cd "$build" && pwd) || exit 1
# Sanitized programs where they are built, else the plain ones.
bin=$build/san/bin
[ -x "$bin/yz-portal" ] || bin=$build/bin
tap_number=0

# tap_begin NAME: an empty folder in $demo (the name the demo's parts use).
tap_begin()
{
    demo=$build/e2e-$1
    rm -rf "$demo"
    mkdir -p "$demo/log" || exit 1
    trap tap_leave EXIT
    trap 'exit 130' INT TERM HUP
}

tap_leave()
{
    local status=$?
    end_spawned
    exit $status
}

# tap NAME COMMAND...: one case; comments before a failed one are its output.
tap()
{
    local name=$1
    shift
    tap_number=$((tap_number + 1))
    if "$@" >"$demo/log/case.out" 2>&1; then
        echo "ok $tap_number - $name"
    else
        tail -n 8 "$demo/log/case.out" | sed 's/^/# /'
        echo "not ok $tap_number - $name"
        return 1
    fi
}

# result STATUS NAME: one case that was tried just before; what it has to say it
# has said, in comments.
result()
{
    tap_number=$((tap_number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tap_number - $2"
    else
        echo "not ok $tap_number - $2"
    fi
}

# tap_skip NAME REASON
tap_skip()
{
    tap_number=$((tap_number + 1))
    echo "ok $tap_number - $1 # skip $2"
}

# demo_failed WHAT: what the demo printed below the check that did not hold.
demo_failed()
{
    grep -A 12 -F "NOT ok" "$demo/log/demo.out" | grep -A 12 -F "$1"
    tail -n 5 "$demo/log/demo.err"
    return 1
}

# tap_demo VARIABLE=VALUE...: the demo in exit mode; each of its checks is a case
# here, and so is its exit status.
tap_demo()
{
    local line status
    env B="$demo" DEMO_BIN="$bin" DEMO_TOOLS="$build/tools" DEMO_EXIT=1 "$@" \
        tests/demo/demo.sh >"$demo/log/demo.out" 2>"$demo/log/demo.err"
    status=$?
    while read -r line; do
        case $line in
        'ok '[0-9]*) tap "${line#* - }" true ;;
        'NOT ok '*) tap "${line#* - }" demo_failed "${line#* - }" ;;
        'not shown here - '*) tap_skip "${line#* - }" "not possible here" ;;
        esac
    done <"$demo/log/demo.out"
    tap "the demo ends with 0" test $status = 0
}

tap_end() { echo "1..$tap_number"; }

. tests/demo/processes.sh
