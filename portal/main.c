/* yz-portal: what people see. The work is in commands.c and behind it. */
#include "common/program.h"
#include "portal/ask_command.h"
#include "portal/commands.h"
#include "portal/enrolment_commands.h"
#include "portal/extract_command.h"
#include "portal/machines_command.h"
#include "portal/number_command.h"
#include "portal/openapi_command.h"
#include "portal/tick_command.h"
#include "portal/token_commands.h"
#include "portal/user_commands.h"

static const struct program_command COMMANDS[] = {
    {"run", command_serve, "[-c FILE] [-n]"},
    {"user add", command_user_add,
     "[-c FILE] NAME --role ROLE [--organisation ID] [--from DATE] "
     "[--until DATE] "
     "[--display-name TEXT] [--mail ADDRESS] [--mobile NUMBER] "
     "[--password-file FILE|-]"},
    {"user invite", command_user_invite,
     "[-c FILE] NAME --role ROLE [--organisation ID] [--from DATE] "
     "[--until DATE] "
     "[--display-name TEXT] [--mail ADDRESS] [--mobile NUMBER]"},
    {"user list", command_user_list, "[-c FILE]"},
    {"user disable", command_user_disable, "[-c FILE] NAME"},
    {"user enable", command_user_enable, "[-c FILE] NAME"},
    {"user unlock", command_user_unlock, "[-c FILE] NAME"},
    {"user reset", command_user_reset, "[-c FILE] NAME"},
    {"user hand-over", command_user_hand_over, "[-c FILE] NAME COLLEAGUE"},
    {"user sessions", command_user_sessions, "[-c FILE] NAME [--end]"},
    {"load", command_load, "[-c FILE] [--sample] FOLDER"},
    {"endpoints", command_endpoints, "[-c FILE]"},
    {"registry publish", command_registry_publish, "[-c FILE] [--serial N]"},
    {"registry list", command_registry_list, "[-c FILE]"},
    {"register import", command_extract_import, "[-c FILE] --day DATE FILE"},
    {"audit check", command_audit_check, "[-c FILE]"},
    {"authority init", command_authority_init,
     "[-c FILE] [--name TEXT] [--days N]"},
    {"authority issue", command_authority_issue,
     "[-c FILE] --name HOST[,HOST...] --out PREFIX [--days N]"},
    {"authority show", command_authority_show, "[-c FILE]"},
    {"code issue", command_code_issue,
     "[-c FILE] (--enterprise ID --site ID | --supplier ID) --agreed DATE "
     "[--probe ID]"},
    {"code list", command_code_list, "[-c FILE]"},
    {"code revoke", command_code_revoke, "[-c FILE] HANDLE"},
    {"probe list", command_probe_list, "[-c FILE]"},
    {"probe revoke", command_probe_revoke, "[-c FILE] ID --reason TEXT"},
    {"probe restore", command_probe_restore, "[-c FILE] ID"},
    {"number", command_number, "[-c FILE] --kind KIND <NUMBERS"},
    {"openapi", command_openapi, ""},
    {"ask", command_ask, "[-c FILE] <CASES"},
    {"machines", command_machines, "[--states]"},
    {"tick", command_tick, "[-c FILE] [--now TIME] [--confirm]"},
    {"token add", command_token_add, "[-c FILE] --supplier ID"},
    {"token list", command_token_list, "[-c FILE]"},
    {"token revoke", command_token_revoke, "[-c FILE] HANDLE"},
};

int main(int argc, char **argv)
{
    return program_main("yz-portal", TEXT_KEY("program.summary.portal"),
                        COMMANDS, sizeof(COMMANDS) / sizeof(COMMANDS[0]), argc,
                        argv);
}
