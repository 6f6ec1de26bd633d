/* yz-collector: receives signed batches and keeps the evidence. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collector/carrier_command.h"
#include "collector/collector_config.h"
#include "collector/import.h"
#include "collector/server.h"
#include "common/program.h"
#include "ledger/check.h"
#include "ledger/rebuild.h"
#include "ledger/store.h"
#include "ledger/usage_report.h"

enum { OUTPUT_MAX = 256 * 1024 * 1024, OPERANDS_MAX = 1 << 20 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const DEFAULT_CONFIG = PROGRAM_CONFIG("collector");

static void load_config(const char *path, struct collector_config *config)
{
    struct error_text error;
    if (!config_read(path, collector_config_keys, collector_config_key_count,
                     config, &error))
        fatal(2, "%s", error.text);
    log_set_level((enum log_level)config->log_level);
}

static struct ledger_paths paths_of(const struct collector_config *config)
{
    return (struct ledger_paths){config->registry, config->usage_db,
                                 config->archive};
}

static struct store *open_store(const struct collector_config *config,
                                struct error_text *error)
{
    const struct ledger_paths paths = paths_of(config);
    return store_open(&paths, config->accept_sample, error);
}

/* Keys and port first, with the rights we were started with; files of our own
 * only as the user we work as. */
static int serve(const struct collector_config *config)
{
    struct error_text error;
    int status = 1;
    struct store *store = NULL;
    struct server *server = NULL;
    struct sign_key *key = NULL;
    struct tls_context *tls = tls_context_server(
        config->ca, config->certificate, config->tls_key, wall_now(), &error);
    if (tls == NULL || !(key = sign_key_load(config->receipt_key, &error)))
        status = 2; /* what the configuration names is no good */
    else if ((server = server_open(config, tls, key, &error)) &&
             program_drop_to_user(config->user, &error) &&
             (store = open_store(config, &error)) &&
             server_run(server, store, &error))
        status = 0;
    if (status != 0)
        log_error("%s", error.text);
    server_close(server);
    store_close(store);
    sign_key_free(key);
    tls_context_free(tls);
    return status;
}

static int command_run(int argc, char **argv)
{
    struct collector_config config;
    const char *path = DEFAULT_CONFIG;
    bool only_print = false;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"-n", .flag = &only_print},
    };
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    load_config(path, &config);
    if (only_print)
        return program_print_config(collector_config_keys,
                                    collector_config_key_count, &config);
    stop_on_signals();
    return serve(&config);
}

static const char *sources_text(void)
{
    static char text[200];
    size_t used = 0;
    for (size_t i = 0; i < import_source_count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
                                 i ? ", " : "", import_sources[i].name);
    return text;
}

static void print_import(const struct import_result *result,
                         const struct store_totals *t)
{
    printf("%" PRIu64 " files, %" PRIu64 " batches: %" PRIu64
           " counted, %" PRIu64 " late, %" PRIu64 " kept, %" PRIu64
           " repeated, %" PRIu64 " refused, %" PRIu64 " records",
           result->files, result->batches, t->counted, t->late, t->kept,
           t->repeated, t->refused, t->records);
    if (t->failed > 0)
        printf(", %" PRIu64 " not stored", t->failed);
    if (result->bad_files > 0)
        printf(", %" PRIu64 " bad files", result->bad_files);
    printf("\n");
}

static int import_batches(const struct collector_config *config, char **paths,
                          int count)
{
    struct error_text error;
    struct import_result result;
    struct store *store = open_store(config, &error);
    if (store == NULL)
        fatal(1, "%s", error.text);
    bool good = import_files(store, paths, (size_t)count, &result, &error);
    struct store_totals totals = store_totals(store);
    store_close(store);
    print_import(&result, &totals);
    if (!good)
        fatal(1, "%s", error.text);
    return totals.refused + totals.failed + result.bad_files == 0 ? 0 : 1;
}

static int command_import(int argc, char **argv)
{
    struct collector_config config;
    const char *path = DEFAULT_CONFIG, *name = import_sources[0].name;
    const char *carrier = NULL, *rejects = NULL;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--as", .value = &name},
        {"--carrier", .value = &carrier},
        {"--rejects", .value = &rejects},
    };
    int count =
        program_options(argc, argv, options, COUNT(options), 1, OPERANDS_MAX);
    if (count < 0)
        return 2;
    const struct import_source *source = import_source_find(name);
    if (source == NULL)
        fatal(2, "--as %s: unknown source; known: %s", name, sources_text());
    if ((source->form == IMPORT_BATCHES) != (carrier == NULL))
        fatal(2, "--carrier ID goes with carrier-csv and numbers");
    load_config(path, &config);
    if (source->form == IMPORT_BATCHES)
        return import_batches(&config, argv + 1, count);
    return carrier_command(&config, source->form, carrier, rejects, argv + 1,
                           count);
}

static struct civil_day day_option(const char *name, const char *text)
{
    struct civil_day day;
    if (!day_from_text(slice_of_text(text), &day))
        fatal(2, "%s %s: not a date such as 2026-11-23", name, text);
    return day;
}

static int command_usage(int argc, char **argv)
{
    struct collector_config config;
    struct error_text error;
    struct usage_report report;
    struct buffer out;
    const char *path = DEFAULT_CONFIG, *enterprise = NULL, *from = NULL,
               *to = NULL;
    bool as_json = false;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--enterprise", .value = &enterprise, .is_required = true},
        {"--from", .value = &from, .is_required = true},
        {"--to", .value = &to, .is_required = true},
        {"--json", .flag = &as_json},
    };
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    struct civil_day first = day_option("--from", from);
    struct civil_day end = day_option("--to", to);
    if (end.number <= first.number)
        fatal(2, "--to %s: not after --from %s (the last day is not included)",
              to, from);
    load_config(path, &config);
    struct db *db = db_open(config.usage_db, DB_READ, ledger_migrations,
                            ledger_migration_count, &error);
    if (db == NULL ||
        !usage_report_read(db, enterprise, first, end, &report, &error))
        fatal(1, "%s", error.text);
    buffer_init(&out, OUTPUT_MAX);
    (as_json ? usage_report_json : usage_report_table)(&report, &out);
    bool good =
        !out.failed && fwrite(out.data, 1, out.length, stdout) == out.length;
    buffer_clear(&out);
    usage_report_clear(&report);
    db_close(db);
    return good ? 0 : 1;
}

static void print_check(const struct check_result *r)
{
    char root[DIGEST_HEX_LEN];
    digest_to_hex(r->root, root);
    printf("%" PRIu64 " batches of %" PRIu64 " probes (%" PRIu64
           " kept, not counted), %" PRIu64 " records, %" PRIu64
           " bytes in the archive: all agree\n",
           r->batches, r->probes, r->kept, r->records, r->bytes);
    printf("%" PRIu64 " batches never came, %" PRIu64 " forks\n", r->missing,
           r->forks);
    if (r->loose_bytes > 0)
        printf("%" PRIu64 " bytes stand behind the last known batch of their "
               "segment\n",
               r->loose_bytes);
    printf("Merkle root of %" PRIu64 " leaves: %s\n", r->batches, root);
}

static int command_check(int argc, char **argv)
{
    struct collector_config config;
    struct check_result result;
    struct error_text error;
    const char *path = DEFAULT_CONFIG;
    const struct program_option options[] = {{"-c", .value = &path}};
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    load_config(path, &config);
    const struct ledger_paths paths = paths_of(&config);
    if (!check_all(&paths, &result, &error))
        fatal(1, "%s", error.text);
    print_check(&result);
    return 0;
}

static int command_rebuild(int argc, char **argv)
{
    struct collector_config config;
    struct rebuild_result result;
    struct error_text error;
    const char *path = DEFAULT_CONFIG;
    const struct program_option options[] = {{"-c", .value = &path}};
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    load_config(path, &config);
    const struct ledger_paths paths = paths_of(&config);
    if (!rebuild_all(&paths, &result, &error))
        fatal(1, "%s", error.text);
    printf("%" PRIu64 " records of %" PRIu64 " batches added up again\n",
           result.records, result.batches);
    return 0;
}

static const struct program_command COMMANDS[] = {
    {"run", command_run, "[-c FILE] [-n]"},
    {"import", command_import,
     "[-c FILE] [--as SOURCE] [--carrier ID] [--rejects FILE] FILE..."},
    {"usage", command_usage,
     "[-c FILE] --enterprise ID --from DATE --to DATE [--json]"},
    {"check", command_check, "[-c FILE]"},
    {"rebuild", command_rebuild, "[-c FILE]"},
};

int main(int argc, char **argv)
{
    return program_main("yz-collector",
                        "receives signed batches and keeps the evidence",
                        COMMANDS, COUNT(COMMANDS), argc, argv);
}
