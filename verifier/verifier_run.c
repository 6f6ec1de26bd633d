/*
 * The run.
 *
 *   open        rules, key, the three databases; one snapshot of each
 *   refresh     facts of every enterprise of the cycle, in order of ids
 *   twins       days of two enterprises of a supplier that are exactly alike
 *   judge       every voucher from its facts; stored as it comes
 *   tables      one for each city
 *
 * Facts are loaded again for judging, one voucher at a time, so that memory
 * does not grow with the number of enterprises.
 */
#include "verifier/verifier_run.h"

#include <stdlib.h>
#include <string.h>

#include "verifier/completion.h"
#include "verifier/evidence.h"
#include "verifier/facts.h"
#include "verifier/register_view.h"
#include "verifier/rules_folder.h"
#include "verifier/twin.h"
#include "verifier/verdict_store.h"

enum { SERVICES_MAX = 256 };

struct run {
    struct rules_folder *rules;
    struct sign_key *key;
    struct db *registry_db, *usage_db, *verdicts;
    struct register_view *registry;
    struct evidence *evidence;
    struct facts_scope scope;
    struct twin_list twins;
    struct digest_stream *root, *fingerprint;
    struct verdict_run record;
    struct completion_row *rows; /* one a judged voucher */
    size_t row_count;
};

static bool fail_with(struct error_text *error, const struct db *db)
{
    return error_set(error, "%s",
                     db_error(db)[0] != '\0' ? db_error(db) : "out of memory");
}

/* --- opening --- */

static bool open_rules(struct run *run, const struct verifier_config *config,
                       struct error_text *error)
{
    run->rules = rules_folder_read(config->rules, error);
    if (run->rules == NULL)
        return false;
    run->key = sign_key_load(config->signing_key, error);
    return run->key != NULL;
}

static bool open_databases(struct run *run,
                           const struct verifier_config *config,
                           struct error_text *error)
{
    run->registry_db = db_open(config->registry, DB_READ, NULL, 0, error);
    if (run->registry_db == NULL)
        return false;
    run->usage_db = db_open(config->usage_db, DB_READ, NULL, 0, error);
    if (run->usage_db == NULL)
        return false;
    run->verdicts = verdict_store_open(config->verdict_db, DB_WRITE, error);
    return run->verdicts != NULL;
}

/* All reads of usage.db see the same moment. */
static bool begin(struct run *run, struct error_text *error)
{
    if (!db_begin(run->usage_db))
        return fail_with(error, run->usage_db);
    if (!db_begin(run->verdicts) ||
        !verdict_store_begin(run->verdicts, &run->record))
        return fail_with(error, run->verdicts);
    run->evidence =
        evidence_open(run->usage_db, run->registry, run->record.cut_off, error);
    run->rows = calloc(run->registry->voucher_count + 1, sizeof(*run->rows));
    run->root = digest_stream_new();
    run->fingerprint = digest_stream_new();
    if (run->evidence == NULL)
        return false;
    if (run->rows == NULL)
        return error_set(error, "out of memory");
    run->scope = (struct facts_scope){
        .verdicts = run->verdicts,
        .evidence = run->evidence,
        .registry = run->registry,
        .parameters = &run->rules->parameters,
        .cut_off = run->record.cut_off,
    };
    return true;
}

static void close_run(struct run *run)
{
    if (run->verdicts != NULL)
        db_rollback(run->verdicts);
    evidence_close(run->evidence);
    register_view_free(run->registry);
    if (run->usage_db != NULL)
        db_rollback(run->usage_db);
    db_close(run->verdicts);
    db_close(run->usage_db);
    db_close(run->registry_db);
    sign_key_free(run->key);
    rules_folder_free(run->rules);
    digest_stream_free(run->root);
    digest_stream_free(run->fingerprint);
    twin_list_clear(&run->twins);
    free(run->rows);
}

/* --- facts --- */

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* The services of the vouchers, each once, ascending. */
static size_t gather_services(const struct register_voucher *vouchers,
                              size_t count, size_t services[SERVICES_MAX],
                              struct civil_day *from)
{
    size_t n = 0, kept = 0;
    *from = vouchers[0].contract_day;
    for (size_t i = 0; i < count; i++) {
        const struct register_voucher *v = &vouchers[i];
        if (v->contract_day.number < from->number)
            *from = v->contract_day;
        for (size_t k = 0; k < v->line_count && n < SERVICES_MAX; k++)
            services[n++] = v->lines[k].service;
    }
    qsort(services, n, sizeof(services[0]), compare_sizes);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || services[kept - 1] != services[i])
            services[kept++] = services[i];
    }
    return kept;
}

/* Days of interactive services that can be compared across enterprises. */
static bool note_days(struct run *run, const char *enterprise_id,
                      size_t service, struct civil_day from,
                      struct error_text *error)
{
    const struct parameters *p = &run->rules->parameters;
    struct civil_day to = {day_of_wall(run->record.cut_off).number + 1};
    struct day_fact *facts = NULL;
    size_t count;
    bool good = facts_load(&run->scope, enterprise_id, service, from, to,
                           &facts, &count, error);
    for (size_t i = 0; good && i < count; i++) {
        const struct day_fact *f = &facts[i];
        if (f->residual_flows < p->s3_min_day_flows ||
            f->residual_sizes < p->s3_min_sizes)
            continue;
        good = twin_list_add(&run->twins,
                             (struct twin_day){
                                 run->registry->services[service].supplier_id,
                                 enterprise_id, f->shape_hash}) ||
               error_set(error, "out of memory");
    }
    free(facts);
    return good;
}

static bool refresh_enterprise(struct run *run,
                               const struct register_voucher *vouchers,
                               size_t count, struct error_text *error)
{
    size_t services[SERVICES_MAX];
    struct civil_day from, to = day_of_wall(run->record.cut_off);
    const char *id = vouchers[0].enterprise_id;
    size_t n = gather_services(vouchers, count, services, &from);
    if (to.number - from.number >= WINDOW_PERIOD_DAYS_MAX)
        from.number = to.number - WINDOW_PERIOD_DAYS_MAX + 1;
    if (n == 0)
        return true;
    if (!facts_refresh(&run->scope, id, services, n, from, run->root, error))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (run->registry->services[services[i]].class == CLASS_A &&
            !note_days(run, id, services[i], from, error))
            return false;
    }
    return true;
}

static bool refresh_all(struct run *run, struct error_text *error)
{
    const struct register_view *r = run->registry;
    for (size_t first = 0, end; first < r->voucher_count; first = end) {
        const char *id = r->vouchers[first].enterprise_id;
        for (end = first; end < r->voucher_count &&
                          strcmp(r->vouchers[end].enterprise_id, id) == 0;
             end++)
            ;
        if (!refresh_enterprise(run, &r->vouchers[first], end - first, error))
            return false;
    }
    twin_list_sort(&run->twins);
    return true;
}

/* --- judging --- */

static bool judge_one(struct run *run, const struct register_voucher *v,
                      const struct register_line *line, uint64_t conflicts,
                      struct line_verdict *verdict, struct error_text *error)
{
    struct day_fact *facts = NULL;
    const struct register_service *service =
        &run->registry->services[line->service];
    struct judge_rules rules = rules_folder_for_judge(run->rules);
    struct judge_line in = {
        .class = service->class,
        .contract_sets = line->sets,
        .from = v->contract_day,
        .cut_off = run->record.cut_off,
        .sequence_conflicts = conflicts,
        .shared_identifiers = line->shared_identifiers,
    };
    struct civil_day to = {day_of_wall(in.cut_off).number + 1};
    bool good = facts_load(&run->scope, v->enterprise_id, line->service,
                           in.from, to, &facts, &in.fact_count, error);
    if (good) {
        in.facts = facts;
        if (service->class == CLASS_A)
            in.twin_days = twin_list_count(&run->twins, service->supplier_id,
                                           v->enterprise_id);
        judge_line(&in, &rules, verdict);
    }
    free(facts);
    return good;
}

static void count_verdict(const struct voucher_verdict *verdict,
                          struct run_summary *summary)
{
    summary->vouchers++;
    summary->genuine += verdict->word == VERDICT_GENUINE;
    summary->insufficient += verdict->word == VERDICT_INSUFFICIENT;
    summary->suspicious += verdict->word == VERDICT_SUSPICIOUS;
}

static bool judge_all_lines(struct run *run, const struct register_voucher *v,
                            struct line_verdict *lines, int *line_nos,
                            struct error_text *error)
{
    uint64_t conflicts;
    if (!evidence_conflicts(run->evidence, run->registry_db, v->enterprise_id,
                            &conflicts))
        return error_set(error, "%s", evidence_error(run->evidence));
    for (size_t i = 0; i < v->line_count; i++) {
        line_nos[i] = v->lines[i].line_no;
        if (!judge_one(run, v, &v->lines[i], conflicts, &lines[i], error))
            return false;
    }
    return true;
}

static bool judge_voucher_of(struct run *run, const struct register_voucher *v,
                             struct run_summary *summary,
                             struct error_text *error)
{
    struct voucher_verdict verdict;
    struct line_verdict *lines = calloc(v->line_count + 1, sizeof(*lines));
    int *line_nos = calloc(v->line_count + 1, sizeof(*line_nos));
    bool good = false;
    if (lines == NULL || line_nos == NULL) {
        error_set(error, "out of memory");
        goto out;
    }
    if (!judge_all_lines(run, v, lines, line_nos, error))
        goto out;
    judge_voucher(lines, line_nos, v->line_count, &run->rules->parameters,
                  &verdict);
    verdict.is_sample |= v->is_sample;
    count_verdict(&verdict, summary);
    completion_row_fill(run->registry, v, &verdict, lines,
                        &run->rows[run->row_count++]);
    good = verdict_store_add(run->verdicts, &run->record, run->registry, v,
                             &verdict, lines, run->fingerprint) ||
           fail_with(error, run->verdicts);
out:
    free(lines);
    free(line_nos);
    return good;
}

static bool judge_all(struct run *run, struct run_summary *summary,
                      struct error_text *error)
{
    for (size_t i = 0; i < run->registry->voucher_count; i++) {
        const struct register_voucher *v = &run->registry->vouchers[i];
        if (v->line_count == 0) {
            log_warn("voucher %s has no lines and is not judged", v->number);
            continue;
        }
        if (!judge_voucher_of(run, v, summary, error))
            return false;
    }
    return true;
}

static bool finish(struct run *run, struct run_summary *summary,
                   struct error_text *error)
{
    run->record.evidence_root = digest_stream_now(run->root);
    run->record.fingerprint = digest_stream_now(run->fingerprint);
    struct completion_head head = {
        .run = &run->record, .cities = &run->rules->cities, .key = run->key};
    if (!verdict_store_end(run->verdicts, &run->record))
        return fail_with(error, run->verdicts);
    if (!completion_write(run->verdicts, &head, run->rows, run->row_count,
                          error))
        return false;
    if (!db_commit(run->verdicts))
        return fail_with(error, run->verdicts);
    summary->run_id = run->record.id;
    summary->facts_computed = run->scope.counters.computed;
    summary->facts_kept = run->scope.counters.kept;
    summary->records = run->scope.counters.records;
    digest_to_hex(run->record.fingerprint, summary->fingerprint);
    return true;
}

static enum run_status open_run(struct run *run,
                                const struct verifier_config *config,
                                const char *cycle_id, struct error_text *error)
{
    if (!open_rules(run, config, error))
        return RUN_REFUSED;
    run->record.rules_version = run->rules->version;
    if (!open_databases(run, config, error))
        return RUN_FAILED;
    run->registry = register_view_read(run->registry_db, cycle_id, error);
    if (run->registry == NULL)
        return RUN_FAILED;
    if (!run->registry->has_cycle) {
        error_set(error, "%s: there is no cycle %s", config->registry,
                  cycle_id);
        return RUN_REFUSED;
    }
    if (strcmp(run->registry->programme_version, run->rules->version) != 0)
        log_warn("%s: other rules than those loaded into %s", config->rules,
                 config->registry);
    return begin(run, error) ? RUN_DONE : RUN_FAILED;
}

enum run_status verifier_run(const struct verifier_config *config,
                             const char *cycle_id, struct wall_time now,
                             struct run_summary *summary,
                             struct error_text *error)
{
    struct run run = {
        .record = {.cycle_id = cycle_id, .at = now, .cut_off = now}};
    *summary = (struct run_summary){0};
    enum run_status status = open_run(&run, config, cycle_id, error);
    if (status == RUN_DONE &&
        !(refresh_all(&run, error) && judge_all(&run, summary, error) &&
          finish(&run, summary, error)))
        status = RUN_FAILED;
    close_run(&run);
    return status;
}
