#include "collector/carrier_command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "collector/carrier/carrier_form.h"
#include "collector/carrier/number_import.h"
#include "common/program.h"

struct work {
    const struct collector_config *config;
    struct carrier_options options;
    struct sign_key *key;
    struct error_text error;
};

static void print_faults(const char *path, const struct csv_faults *faults)
{
    fwrite(faults->text.data, 1, faults->text.length, stderr);
    log_error("%s: refused as a whole: %" PRIu64 " rows are wrong%s", path,
              faults->count,
              faults->count > CSV_FAULTS_MAX ? ", the first 100 are above"
                                             : "");
}

/* What went wrong with a file; the others go on. */
static bool report(const char *path, bool good, struct csv_faults *faults,
                   const struct error_text *error)
{
    if (!good && faults->count > 0)
        print_faults(path, faults);
    else if (!good)
        log_error("%s", error->text);
    csv_faults_clear(faults);
    return good;
}

static bool take_numbers(struct work *w, const char *path)
{
    struct number_import_result result;
    struct csv_faults faults;
    csv_faults_init(&faults);
    bool good = number_import_file(
        store_db(w->options.store), &w->options.number_key, w->options.carrier,
        path, wall_now(), &result, &faults, &w->error);
    if (good)
        program_tell("collector.numbers.taken", text_plain("path", path),
                     text_count("rows", result.rows),
                     text_count("added", result.added));
    return report(path, good, &faults, &w->error);
}

static void print_outcomes(const char *path, const struct carrier_result *r,
                           int64_t us)
{
    if (r->is_repeated) {
        program_tell("collector.carrier.repeated", text_plain("path", path));
        return;
    }
    uint64_t speed =
        us > 0 ? (uint64_t)((double)r->rows * 1e6 / (double)us) : r->rows;
    program_tell("collector.carrier.taken", text_plain("path", path),
                 text_count("rows", r->rows),
                 text_count("attributed", r->outcomes[CARRIER_ATTRIBUTED]),
                 text_count("connections", r->records),
                 text_count("speed", speed));
    if (r->missing > 0)
        program_tell("collector.carrier.missing", text_plain("path", path),
                     text_count("missing", r->missing));
    for (int o = CARRIER_ATTRIBUTED + 1; o < CARRIER_OUTCOME_COUNT; o++)
        if (r->outcomes[o] > 0)
            program_tell(
                "collector.carrier.not", text_plain("path", path),
                text_count("records", r->outcomes[o]),
                text_code("reason", "collector.outcome.",
                          carrier_outcome_code((enum carrier_outcome)o)));
}

static bool take_records(struct work *w, const char *path)
{
    struct carrier_result result;
    struct csv_faults faults;
    struct mono_time start = mono_now();
    csv_faults_init(&faults);
    bool good = carrier_import_file(&w->options, path, wall_now(), &result,
                                    &faults, &w->error);
    if (good)
        print_outcomes(path, &result, mono_now().us - start.us);
    return report(path, good, &faults, &w->error);
}

/* They hold numbers in clear: for their owner's eyes only. */
static FILE *open_rejects(const char *path, struct error_text *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL)
        error_set(error, "%s: %s", path, strerror(errno));
    return file;
}

static bool open_work(struct work *w, const char *rejects)
{
    const struct collector_config *c = w->config;
    const struct ledger_paths paths = {c->registry, c->usage_db, c->archive};
    w->options.registry = c->registry;
    w->options.endpoints = c->endpoints;
    w->options.accept_sample = c->accept_sample;
    if (!secret_load(c->number_key, &w->options.number_key, &w->error) ||
        (w->key = sign_key_load(c->receipt_key, &w->error)) == NULL)
        return false;
    w->options.key = w->key;
    w->options.store = store_open(&paths, c->accept_sample, &w->error);
    if (w->options.store == NULL || rejects == NULL)
        return w->options.store != NULL;
    w->options.rejects = open_rejects(rejects, &w->error);
    return w->options.rejects != NULL;
}

static bool close_work(struct work *w, const char *rejects)
{
    bool good = true;
    if (w->options.rejects != NULL && fclose(w->options.rejects) != 0) {
        log_error("%s: %s", rejects, strerror(errno));
        good = false;
    }
    store_close(w->options.store);
    sign_key_free(w->key);
    explicit_bzero(w, sizeof(*w));
    return good;
}

int carrier_command(const struct collector_config *config,
                    enum import_form form, const char *carrier,
                    const char *rejects, char *const *paths, int count)
{
    struct work w = {.config = config,
                     .options = {.carrier = carrier,
                                 .form = form == IMPORT_CARRIER_IPFIX
                                             ? &carrier_ipfix
                                             : &carrier_csv}};
    bool good = true;
    if (!carrier_is_name(carrier))
        fatal(2, "--carrier %s: up to 31 letters, digits, \".\", \"_\", \"-\"",
              carrier);
    if (!open_work(&w, rejects)) {
        log_error("%s", w.error.text);
        close_work(&w, rejects);
        return 1;
    }
    for (int i = 0; i < count; i++)
        good &= form == IMPORT_NUMBERS ? take_numbers(&w, paths[i])
                                       : take_records(&w, paths[i]);
    return close_work(&w, rejects) && good ? 0 : 1;
}
