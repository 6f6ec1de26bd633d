/* yz-probe: sees that registered cloud services are used, never what for. */
#include "common/program.h"
#include "probe/admin/check_command.h"
#include "probe/admin/enrol_command.h"
#include "probe/admin/explain_command.h"
#include "probe/admin/show_command.h"
#include "probe/admin/status_command.h"
#include "probe/probe_run.h"
#include "probe/read.h"
#include "probe/state/renew.h"

static const struct program_command commands[] = {
    {"run", probe_run_main, "[-c FILE] [-n]"},
    {"read", read_main,
     "-r CAPTURE [-e ENDPOINTS.csv] [-w OUT.ipfix [--key FILE] [--probe ID]] "
     "[--local] [-c FILE]"},
    {"show", show_command_main, "[--key PUBLIC.pem] FILE.ipfix..."},
    {"check", check_command_main, "[-c FILE]"},
    {"explain", explain_command_main, "[-c FILE] [--html]"},
    {"enrol", enrol_command_main,
     "--code CODE --portal URL [--fingerprint SHA256 | --ca FILE] [-c FILE] "
     "[--tls-key-type p256|ed25519] [--batch-key-type ed25519|sm2] [--again] "
     "[--new-batch-key]"},
    {"renew", renew_main, "[-c FILE]"},
    {"status", status_command_main, "[-c FILE] [--json]"},
};

int main(int argc, char **argv)
{
    return program_main("yz-probe", TEXT_KEY("program.summary.probe"), commands,
                        sizeof(commands) / sizeof(commands[0]), argc, argv);
}
