# What the demo says, and the checks by which it judges itself: one line each,
# "ok N - ..." or "NOT ok N - ...".

check_count=0
failed_count=0

title() { printf '\n%s\n' "$1"; }
say() { printf '   %s\n' "$@"; }

# check WHAT COMMAND...: runs the command here, in this shell, so that it may set
# variables; its output is shown when it fails.
check()
{
    local what=$1
    shift
    check_count=$((check_count + 1))
    if "$@" >"$demo/log/check.out" 2>&1; then
        printf '   ok %d - %s\n' $check_count "$what"
    else
        failed_count=$((failed_count + 1))
        printf '   NOT ok %d - %s\n' $check_count "$what"
        tail -n 12 "$demo/log/check.out" | sed 's/^/          /'
        return 1
    fi
}

# not_shown WHAT: a step that this machine does not allow.
not_shown() { printf '   not shown here - %s\n' "$1"; }

# give_up WHAT [LOG]: nothing after this makes sense.
give_up()
{
    printf '   NOT ok - %s\n' "$1"
    [ -z "${2:-}" ] || tail -n 12 "$2" | sed 's/^/          /'
    exit 1
}
