/* yz-portal: what people see. The work is in commands.c and behind it. */
#include "common/program.h"
#include "portal/commands.h"

static const struct program_command COMMANDS[] = {
    {"run", command_run, "[-c FILE] [-n]"},
    {"user add", command_user_add,
     "[-c FILE] NAME --role PROV|CITY|SUPP|ENT|AUDT [--organisation ID] "
     "[--display-name TEXT] [--password-file FILE|-]"},
    {"load", command_load, "[-c FILE] [--sample] FOLDER"},
    {"endpoints", command_endpoints, "[-c FILE]"},
    {"registry publish", command_registry_publish, "[-c FILE]"},
    {"registry list", command_registry_list, "[-c FILE]"},
    {"audit check", command_audit_check, "[-c FILE]"},
};

int main(int argc, char **argv)
{
    return program_main("yz-portal", "serves the pages", COMMANDS,
                        sizeof(COMMANDS) / sizeof(COMMANDS[0]), argc, argv);
}
