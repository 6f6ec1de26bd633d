/* yz-verifier: usage held against the rules. */
#include <stdio.h>

#include "common/program.h"
#include "verifier/command.h"

static const struct program_command COMMANDS[] = {
    {"run", command_run, "[-c FILE] [-n] --cycle ID [--now TIME]"},
    {"explain", command_explain, "[-c FILE] [--json] VOUCHER"},
};

int main(int argc, char **argv)
{
    return program_main("yz-verifier", TEXT_KEY("program.summary.verifier"),
                        COMMANDS, sizeof(COMMANDS) / sizeof(COMMANDS[0]), argc,
                        argv);
}
