/* yz-probe: sees that registered cloud services are used, never what for. */
#include "common/program.h"
#include "probe/check.h"
#include "probe/explain.h"
#include "probe/read.h"
#include "probe/run.h"
#include "probe/show.h"
#include "probe/status_command.h"

static const struct program_command commands[] = {
    {"run", run_main, "[-c FILE] [-n]"},
    {"read", read_main,
     "-r CAPTURE [-e ENDPOINTS.csv] [-w OUT.ipfix [--key FILE] [--probe ID]] "
     "[--local] [-c FILE]"},
    {"show", show_main, "[--key PUBLIC.pem] FILE.ipfix..."},
    {"check", check_main, "[-c FILE] [--lang zh|en]"},
    {"explain", explain_main, "[-c FILE] [--lang zh|en|both] [--html]"},
    {"status", status_main, "[-c FILE] [--json] [--lang zh|en]"},
};

int main(int argc, char **argv)
{
    return program_main(
        "yz-probe", "records that registered cloud services were used",
        commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
