/* Arguments in, exit status and one clear line out. */
#include "verifier/command.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/program.h"
#include "verifier/explain.h"
#include "verifier/verifier_config.h"
#include "verifier/verifier_run.h"

enum { STATUS_DONE, STATUS_FAILED, STATUS_USAGE, EXPLAIN_LIMIT = 16 << 20 };

static bool read_config(const char *path, struct verifier_config *config)
{
    struct error_text error;
    if (!verifier_config_read(path, config, &error)) {
        log_error("%s", error.text);
        return false;
    }
    log_set_level((enum log_level)config->log_level);
    return true;
}

static void print_summary(const struct run_summary *s, const char *cycle)
{
    program_tell("command.verifier.run", text_number("run", s->run_id),
                 text_plain("cycle", cycle),
                 text_number("vouchers", (int64_t)s->vouchers),
                 text_number("genuine", (int64_t)s->genuine),
                 text_number("insufficient", (int64_t)s->insufficient),
                 text_number("suspicious", (int64_t)s->suspicious));
    program_tell("command.verifier.facts",
                 text_number("computed", (int64_t)s->facts_computed),
                 text_number("records", (int64_t)s->records),
                 text_number("kept", (int64_t)s->facts_kept));
    program_tell("command.verifier.fingerprint",
                 text_plain("fingerprint", s->fingerprint));
}

static int run_cycle(const struct verifier_config *config, const char *cycle,
                     struct wall_time now)
{
    static const int STATUSES[] = {
        [RUN_DONE] = STATUS_DONE,
        [RUN_FAILED] = STATUS_FAILED,
        [RUN_REFUSED] = STATUS_USAGE,
    };
    struct run_summary summary;
    struct error_text error = {""};
    enum run_status status = verifier_run(config, cycle, now, &summary, &error);
    if (status == RUN_DONE)
        print_summary(&summary, cycle);
    else
        log_error("%s", error.text);
    return STATUSES[status];
}

int command_run(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("verifier"), *cycle = NULL, *time = NULL;
    bool only_print = false;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"-n", .flag = &only_print},
        {"--cycle", .value = &cycle},
        {"--now", .value = &time},
    };
    struct verifier_config config;
    struct wall_time now = wall_now();
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 0, 0) < 0)
        return STATUS_USAGE;
    if (time != NULL && !wall_from_text(slice_of_text(time), &now)) {
        log_error("--now %s: a time such as 2026-11-23T08:00:00Z is expected",
                  time);
        return STATUS_USAGE;
    }
    if (cycle == NULL && !only_print) {
        log_error("run: --cycle ID is required");
        return STATUS_USAGE;
    }
    if (!read_config(path, &config))
        return STATUS_USAGE;
    if (only_print)
        return program_print_config(verifier_config_keys,
                                    verifier_config_key_count, &config);
    return run_cycle(&config, cycle, now);
}

static int explain(struct db *db, const char *number, bool as_json)
{
    struct buffer out;
    struct error_text error = {""};
    buffer_init(&out, EXPLAIN_LIMIT);
    enum explain_status status =
        explain_voucher(db, number, as_json, program_language(), &out, &error);
    if (status == EXPLAIN_DONE && !out.failed)
        fwrite(out.data, 1, out.length, stdout);
    else
        log_error("%s", status == EXPLAIN_DONE ? "out of memory" : error.text);
    bool good = status == EXPLAIN_DONE && !out.failed;
    buffer_clear(&out);
    return good ? STATUS_DONE : STATUS_FAILED;
}

int command_explain(int argc, char **argv)
{
    const char *path = PROGRAM_CONFIG("verifier");
    bool as_json = false;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--json", .flag = &as_json},
    };
    struct verifier_config config;
    struct error_text error;
    if (program_options(argc, argv, options,
                        sizeof(options) / sizeof(options[0]), 1, 1) < 0 ||
        !read_config(path, &config))
        return STATUS_USAGE;
    struct db *db = explain_open(config.verdict_db, &error);
    if (db == NULL) {
        log_error("%s", error.text);
        return STATUS_FAILED;
    }
    int status = explain(db, argv[1], as_json);
    db_close(db);
    return status;
}
