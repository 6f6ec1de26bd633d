#include "portal/machines_command.h"

#include <stdio.h>

#include "common/program.h"
#include "portal/record/machines.h"

enum { TABLE_MAX = 1024 * 1024 };

static const char TRANSITIONS_HEAD[] =
    "machine\tfrom\tevent\tactor\tguards\tto\teffects\tdeadline\ttold\t"
    "requirement\n";
static const char STATES_HEAD[] = "machine\tstate\tholder\tis_final\n";

int command_machines(int argc, char **argv)
{
    struct buffer out;
    bool wants_states = false;
    struct program_option options[] = {{"--states", .flag = &wants_states}};
    if (program_options(argc, argv, options, 1, 0, 0) < 0)
        return 2;
    buffer_init(&out, TABLE_MAX);
    buffer_add_text(&out, wants_states ? STATES_HEAD : TRANSITIONS_HEAD);
    for (size_t i = 0; i < MACHINES.count; i++) {
        if (wants_states)
            machine_print_states(MACHINES.of[i], &out);
        else
            machine_print(MACHINES.of[i], &out);
    }
    bool good =
        !out.failed && fwrite(out.data, 1, out.length, stdout) == out.length;
    buffer_clear(&out);
    return good ? 0 : 1;
}
