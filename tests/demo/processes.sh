# What the demo starts, and how it ends it: by process id, on every way out.

spawned_pids=()

# spawn NAME COMMAND...: in the background, output into log/NAME.log; the
# process id is in $spawned.
spawn()
{
    local name=$1
    shift
    # Descriptor 9 is the lock of the demo's folder, which ends with the demo.
    "$@" >>"$demo/log/$name.log" 2>&1 </dev/null 9>&- &
    spawned=$!
    # Not a job of this shell: it shall not comment on how the process ends.
    disown
    spawned_pids+=("$spawned")
}

is_running() { kill -0 "$1" 2>/dev/null; }

# await SECONDS COMMAND...: until the command is true; false when it never was.
await()
{
    local i tenths=$(($1 * 10))
    shift
    for ((i = 0; i < tenths; i++)); do
        "$@" && return 0
        sleep 0.1
    done
    return 1
}

has_ended() { ! is_running "$1"; }

# end_process PID: asks, waits three seconds, insists.
end_process()
{
    kill -TERM "$1" 2>/dev/null || return 0
    await 3 has_ended "$1" || kill -KILL "$1" 2>/dev/null
}

end_spawned()
{
    local i
    for ((i = ${#spawned_pids[@]} - 1; i >= 0; i--)); do
        kill -TERM "${spawned_pids[i]}" 2>/dev/null
    done
    for ((i = ${#spawned_pids[@]} - 1; i >= 0; i--)); do
        end_process "${spawned_pids[i]}"
    done
    spawned_pids=()
}

# free_port: a port of the loopback that nobody listens on now, nor will another
# test of this run (tests/run forgets who took which).
free_port()
{
    local port i
    mkdir -p "$build/test-ports"
    for i in $(seq 200); do
        port=$((20000 + RANDOM % 12000))
        if [ -z "$(ss -Hlntu "sport = :$port")" ] &&
            mkdir "$build/test-ports/$port" 2>/dev/null; then
            echo $port
            return
        fi
    done
    return 1
}
