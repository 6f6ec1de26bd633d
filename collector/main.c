/* yz-collector: receives signed batches and keeps the evidence. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collector/carrier_command.h"
#include "collector/collector_command.h"
#include "collector/collector_config.h"
#include "collector/events.h"
#include "collector/import.h"
#include "collector/import_router.h"
#include "collector/ledger/challenge.h"
#include "collector/ledger/rebuild.h"
#include "collector/ledger/retention.h"
#include "collector/ledger/store.h"
#include "collector/log_commands.h"
#include "collector/log_keeper.h"
#include "collector/netflow_listener.h"
#include "collector/report/match_day.h"
#include "collector/report/match_report.h"
#include "collector/report/number_usage.h"
#include "collector/report/usage_report.h"
#include "collector/return_hooks.h"
#include "collector/server.h"
#include "collector/source_queue.h"
#include "common/program.h"
#include "common/shown.h"

enum { OUTPUT_MAX = 256 * 1024 * 1024, OPERANDS_MAX = 1 << 20 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct ledger_paths paths_of(const struct collector_config *config)
{
    return (struct ledger_paths){config->registry, config->usage_db,
                                 config->archive};
}

static struct store *open_store(const struct collector_config *config,
                                struct error_text *error)
{
    const struct ledger_paths paths = paths_of(config);
    if (!log_guard(config, error))
        return NULL;
    return store_open(&paths, config->accept_sample, error);
}

/* What a reload needs to know. */
struct serving {
    const char *path; /* of the configuration */
};

/* Certificates, authority and log level are read again; the rest stays until
 * the next start. What cannot be read is said, and the old ones go on. */
static struct tls_context *read_again(void *context)
{
    const struct serving *serving = context;
    struct collector_config config;
    struct error_text error;
    struct tls_context *tls = NULL;
    if (config_read(serving->path, collector_config_keys,
                    collector_config_key_count, &config, &error) &&
        (tls = tls_context_server(config.ca, config.certificate, config.tls_key,
                                  wall_now(), &error)) != NULL) {
        log_set_level((enum log_level)config.log_level);
        log_info("reloaded: certificates, authority and log level of %s",
                 serving->path);
    } else {
        log_error("not reloaded, going on as before: %s", error.text);
    }
    return tls;
}

/* Routers' listener on its own thread, when one is configured. */
struct routers {
    struct netflow_listener *listener;
    struct source_queue *queue;
};

static bool start_routers(void *context, struct committer *committer,
                          struct error_text *error)
{
    struct routers *r = context;
    r->queue = source_queue_new(committer);
    if (r->queue == NULL)
        return error_set(error, "out of memory");
    return netflow_listener_start(r->listener, r->queue, error);
}

static void stop_routers(void *context)
{
    struct routers *r = context;
    source_queue_open_wide(r->queue);
    netflow_listener_close(r->listener);
    r->listener = NULL;
}

static void print_routers(void *context, struct buffer *out)
{
    struct routers *r = context;
    netflow_listener_print(r->listener, out);
}

/* The log's keeper, watched by the server's health. */
static struct log_keeper *keep_log(const struct collector_config *config,
                                   const struct sign_key *key,
                                   struct server *server,
                                   struct error_text *error)
{
    struct log_keeper *keeper = log_keeper_start(config, key, error);
    server_watch_log(server, keeper);
    return keeper;
}

/* Keys and port first, with the rights we were started with; files of our own
 * only as the user we work as. */
static int serve(const char *path, const struct collector_config *config)
{
    struct error_text error;
    int status = 1;
    struct serving serving = {path};
    struct store *store = NULL;
    struct server *server = NULL;
    struct sign_key *key = NULL, *log_key = NULL;
    struct log_keeper *keeper = NULL;
    struct peer_hooks *hooks = NULL;
    struct routers routers = {0};
    const struct server_sources sources = {&routers, start_routers,
                                           stop_routers, print_routers};
    struct tls_context *tls = tls_context_server(
        config->ca, config->certificate, config->tls_key, wall_now(), &error);
    if (tls == NULL || !(key = sign_key_load(config->receipt_key, &error)) ||
        !(log_key = log_key_load(config, &error)))
        status = 2; /* what the configuration names is no good */
    else if ((hooks = return_hooks_new(key, config->registry)) &&
             (server = server_open(config, tls, key, hooks, &error)) &&
             (!netflow_is_wanted(config) ||
              (routers.listener = netflow_listener_open(config, &error))) &&
             program_drop_to_user(config->user, &error) &&
             (store = open_store(config, &error)) &&
             (keeper = keep_log(config, log_key, server, &error))) {
        store_set_challenge(store, challenge_secret(key));
        if (routers.listener != NULL)
            server_set_sources(server, &sources);
        if (server_run(server, store, read_again, &serving, &error))
            status = 0;
    }
    if (status != 0)
        log_error("%s", error.text);
    netflow_listener_close(routers.listener);
    source_queue_free(routers.queue);
    server_close(server);
    log_keeper_stop(keeper);
    return_hooks_free(hooks);
    store_close(store);
    sign_key_free(log_key);
    sign_key_free(key);
    tls_context_free(tls);
    return status;
}

static int command_run(int argc, char **argv)
{
    struct collector_config config;
    const char *path = COLLECTOR_CONFIG;
    bool only_print = false;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"-n", .flag = &only_print},
    };
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    collector_read_config(path, &config);
    if (only_print)
        return program_print_config(collector_config_keys,
                                    collector_config_key_count, &config);
    stop_on_signals();
    reload_on_signal();
    return serve(path, &config);
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
    program_tell(
        "collector.import.done", text_count("files", result->files),
        text_count("batches", result->batches),
        text_count("counted", t->counted), text_count("late", t->late),
        text_count("kept", t->kept), text_count("repeated", t->repeated),
        text_count("refused", t->refused), text_count("records", t->records));
    if (t->failed > 0)
        program_tell("collector.import.failed",
                     text_count("batches", t->failed));
    if (result->bad_files > 0)
        program_tell("collector.import.bad_files",
                     text_count("files", result->bad_files));
}

static int import_batches(const struct collector_config *config,
                          const char *exporter, char **paths, int count)
{
    struct error_text error;
    struct import_result result;
    struct store *store = open_store(config, &error);
    if (store == NULL)
        fatal(1, "%s", error.text);
    bool good =
        exporter != NULL
            ? import_router_files(store, config, exporter, paths, (size_t)count,
                                  &result, &error)
            : import_files(store, paths, (size_t)count, &result, &error);
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
    const char *path = COLLECTOR_CONFIG, *name = import_sources[0].name;
    const char *exporter = NULL, *carrier = NULL, *rejects = NULL;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--as", .value = &name},
        {"--exporter", .value = &exporter},
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
    bool is_carrier = source->form == IMPORT_CARRIER_CSV ||
                      source->form == IMPORT_CARRIER_IPFIX ||
                      source->form == IMPORT_NUMBERS;
    if (is_carrier != (carrier != NULL))
        fatal(2,
              "--carrier ID goes with carrier-csv, carrier-ipfix and numbers");
    if (rejects != NULL && (!is_carrier || source->form == IMPORT_NUMBERS))
        fatal(2, "--rejects FILE goes with carrier-csv and carrier-ipfix");
    if ((source->form == IMPORT_ROUTER) != (exporter != NULL))
        fatal(2, "--as router and --exporter ID belong together");
    collector_read_config(path, &config);
    if (!is_carrier)
        return import_batches(&config, exporter, argv + 1, count);
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

/* The days of --from and --to. */
struct days {
    const char *from_text, *to_text;
    struct civil_day from, to;
};

static void read_days(struct days *days)
{
    days->from = day_option("--from", days->from_text);
    days->to = day_option("--to", days->to_text);
    if (days->to.number <= days->from.number)
        fatal(2, "--to %s: not after --from %s (the last day is not included)",
              days->to_text, days->from_text);
}

/* Closes both and gives the exit status. */
static int print_out(struct buffer *out, struct db *db)
{
    bool good = !out->failed &&
                fwrite(out->data, 1, out->length, stdout) == out->length;
    if (out->failed)
        log_error("more than %d MiB to print; ask for fewer days",
                  OUTPUT_MAX / (1024 * 1024));
    buffer_clear(out);
    db_close(db);
    return good ? 0 : 1;
}

static bool usage_by_endpoint(struct db *db, const char *registry,
                              const char *enterprise, const struct days *days,
                              bool as_json, struct buffer *out,
                              struct error_text *error)
{
    struct usage_report report;
    if (!usage_report_read(db, registry, enterprise, days->from, days->to,
                           &report, error))
        return false;
    if (as_json)
        usage_report_json(&report, out);
    else
        usage_report_table(&report, program_language(), out);
    usage_report_clear(&report);
    return true;
}

static int command_usage(int argc, char **argv)
{
    struct collector_config config;
    struct error_text error;
    struct buffer out;
    struct days days = {0};
    const char *path = COLLECTOR_CONFIG, *enterprise = NULL, *by = "endpoint";
    bool as_json = false;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--enterprise", .value = &enterprise, .is_required = true},
        {"--from", .value = &days.from_text, .is_required = true},
        {"--to", .value = &days.to_text, .is_required = true},
        {"--by", .value = &by},
        {"--json", .flag = &as_json},
    };
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    bool is_by_number = strcmp(by, "number") == 0;
    if (!is_by_number && strcmp(by, "endpoint") != 0)
        fatal(2, "--by %s: neither endpoint nor number", by);
    read_days(&days);
    collector_read_config(path, &config);
    struct db *db = collector_open_usage(&config, DB_READ);
    buffer_init(&out, OUTPUT_MAX);
    bool good =
        is_by_number
            ? number_usage_report(db, enterprise, days.from, days.to, NULL,
                                  as_json, program_language(), &out, &error)
            : usage_by_endpoint(db, config.registry, enterprise, &days, as_json,
                                &out, &error);
    if (!good)
        fatal(1, "%s", error.text);
    return print_out(&out, db);
}

static void print_match(const struct match_day_result *r)
{
    program_tell("collector.match.done", text_count("days", r->days),
                 text_count("skipped", r->skipped), text_count("gone", r->gone),
                 text_count("connections", r->flows),
                 text_count("matched", r->matched));
    if (r->left_out > 0)
        program_tell("collector.match.left_out",
                     text_count("endpoints", r->left_out));
    if (r->foreign > 0)
        program_tell("collector.match.foreign",
                     text_count("records", r->foreign));
}

static int command_match(int argc, char **argv)
{
    struct collector_config config;
    struct error_text error;
    struct match_day_result result;
    struct buffer out;
    struct days days = {0};
    const char *path = COLLECTOR_CONFIG, *enterprise = NULL;
    bool as_json = false, is_forced = false;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--from", .value = &days.from_text, .is_required = true},
        {"--to", .value = &days.to_text, .is_required = true},
        {"--enterprise", .value = &enterprise},
        {"--again", .flag = &is_forced},
        {"--json", .flag = &as_json},
    };
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    read_days(&days);
    collector_read_config(path, &config);
    const struct match_days wanted = {
        .from = days.from, .to = days.to, .is_forced = is_forced};
    struct db *db = collector_open_usage(&config, DB_WRITE);
    buffer_init(&out, OUTPUT_MAX);
    if (!match_days_run(db, config.registry, &wanted, wall_now(), &result,
                        &error) ||
        !match_report(db, enterprise, days.from, days.to, as_json,
                      program_language(), &out, &error))
        fatal(1, "%s", error.text);
    if (!as_json)
        print_match(&result);
    return print_out(&out, db);
}

static int command_rebuild(int argc, char **argv)
{
    struct collector_config config;
    struct rebuild_result result;
    struct error_text error;
    const char *path = COLLECTOR_CONFIG;
    const struct program_option options[] = {{"-c", .value = &path}};
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    collector_read_config(path, &config);
    const struct ledger_paths paths = paths_of(&config);
    if (!rebuild_all(&paths, &result, &error))
        fatal(1, "%s", error.text);
    program_tell("collector.rebuild.done",
                 text_count("records", result.records),
                 text_count("batches", result.batches));
    if (result.gone > 0)
        program_tell("collector.rebuild.gone",
                     text_count("batches", result.gone));
    return 0;
}

static uint64_t days_option(const char *name, const char *text, uint64_t least,
                            uint64_t most)
{
    uint64_t days;
    if (!parse_u64(slice_of_text(text), least, most, &days))
        fatal(2, "%s %s: not a number of days from %" PRIu64 " to %" PRIu64,
              name, text, least, most);
    return days;
}

static void print_retention(const struct retention_result *r, bool only_count)
{
    static const struct {
        const char *detail, *segments, *numbers;
    } SAID[] = {{TEXT_KEY("collector.retain.detail"),
                 TEXT_KEY("collector.retain.segments"),
                 TEXT_KEY("collector.retain.numbers")},
                {TEXT_KEY("collector.retain.would.detail"),
                 TEXT_KEY("collector.retain.would.segments"),
                 TEXT_KEY("collector.retain.would.numbers")}};
    program_tell(SAID[only_count].detail, text_count("batches", r->batches),
                 text_count("records", r->records));
    program_tell(SAID[only_count].segments, text_count("segments", r->segments),
                 text_count("batches", r->segment_batches));
    program_tell(SAID[only_count].numbers, text_count("periods", r->intervals));
    program_tell("collector.retain.bytes", text_size("size", r->bytes));
}

static int command_retain(int argc, char **argv)
{
    struct collector_config config;
    struct retention_result result;
    struct error_text error;
    struct retention_plan plan = {.today = day_of_wall(wall_now())};
    const char *path = COLLECTOR_CONFIG, *days = NULL;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--days", .value = &days},
        {"--dry-run", .flag = &plan.only_count},
    };
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    collector_read_config(path, &config);
    plan.detail_days =
        days == NULL
            ? config.detail_days
            : days_option("--days", days, DETAIL_DAYS_MIN, DETAIL_DAYS_MAX);
    plan.archive_days = config.archive_days;
    const struct ledger_paths paths = paths_of(&config);
    if (!retention_apply(&paths, &plan, wall_now(), &result, &error))
        fatal(1, "%s", error.text);
    print_retention(&result, plan.only_count);
    return 0;
}

static int command_events(int argc, char **argv)
{
    struct collector_config config;
    struct error_text error;
    struct event_filter filter = {0};
    const char *path = COLLECTOR_CONFIG, *since = NULL;
    bool as_json = false;
    const struct program_option options[] = {
        {"-c", .value = &path},
        {"--since", .value = &since},
        {"--kind", .value = &filter.kind},
        {"--probe", .value = &filter.probe},
        {"--json", .flag = &as_json},
    };
    if (program_options(argc, argv, options, COUNT(options), 0, 0) < 0)
        return 2;
    if (since != NULL)
        filter.since = day_start(day_option("--since", since));
    collector_read_config(path, &config);
    struct db *db = collector_open_usage(&config, DB_READ);
    if (!events_print(db, &filter, as_json, stdout, &error))
        fatal(1, "%s", error.text);
    db_close(db);
    return 0;
}

static const struct program_command COMMANDS[] = {
    {"run", command_run, "[-c FILE] [-n]"},
    {"import", command_import,
     "[-c FILE] [--as SOURCE [--exporter ID | --carrier ID] [--rejects FILE]] "
     "FILE..."},
    {"usage", command_usage,
     "[-c FILE] --enterprise ID --from DATE --to DATE "
     "[--by endpoint|number] [--json]"},
    {"match", command_match,
     "[-c FILE] --from DATE --to DATE [--enterprise ID] [--again] [--json]"},
    {"check", command_check,
     "[-c FILE] [--quick] [--since DATE] [--checkpoint FILE... | "
     "--receipt FILE...]"},
    {"rebuild", command_rebuild, "[-c FILE]"},
    {"events", command_events,
     "[-c FILE] [--since DATE] [--kind KIND] [--probe ID] [--json]"},
    {"retain", command_retain, "[-c FILE] [--days N] [--dry-run]"},
    {"checkpoint list", command_checkpoint_list, "[-c FILE]"},
    {"checkpoint show", command_checkpoint_show, "[-c FILE] [--size N]"},
    {"checkpoint key", command_checkpoint_key, "[-c FILE]"},
    {"checkpoint", command_checkpoint, "[-c FILE]"},
    {"proof", command_proof,
     "[-c FILE] (--batch HASH | --index N | --receipt FILE [--batch HASH]) "
     "[--size N], or --from N [--to N]"},
    {"cosign", command_cosign, "[-c FILE] COSIGNED..."},
    {"witness", command_witness,
     "--key KEY [--name NAME] --state FILE --log PUBLIC [--origin NAME] "
     "CHECKPOINT [PROOF]"},
    {"verify", command_verify,
     "--key PUBLIC [--witness PUBLIC] [--quorum N] [--old CHECKPOINT] "
     "[--batch FILE.ipfix] [--receipts FILE.ipfix --receipt-key PUBLIC] FILE"},
};

int main(int argc, char **argv)
{
    return program_main("yz-collector", TEXT_KEY("program.summary.collector"),
                        COMMANDS, COUNT(COMMANDS), argc, argv);
}
