/* Files and folders of batches. */
#include "collector/import.h"

#include "collector/tlog/ledger_check.h"
#include "tests/collector/collector_sample.h"

enum { PROBES = 4, BATCHES = 120 };

struct bench {
    struct sample_folder folder;
    struct collector_config config;
    struct ledger_paths paths;
    struct sample_probe probes[PROBES];
};

/* Batches up to the real now, so that none is late: import reads the clock. */
static void make_history(struct bench *b)
{
    int64_t end_ms = wall_to_ms(wall_now());
    for (int i = 0; i < PROBES; i++) {
        struct buffer file;
        char name[40], path[PATH_MAX];
        buffer_init(&file, 1 << 24);
        for (int k = 0; k < BATCHES; k++) {
            struct sample_batch batch = sample_next_flow(&b->probes[i], end_ms);
            buffer_add(&file, batch.bytes.data, batch.bytes.length);
            sample_batch_clear(&batch);
        }
        snprintf(name, sizeof(name), i < 2 ? "in/P-%d.ipfix" : "in/sub/P-%d",
                 i);
        sample_write_file(sample_path(&b->folder, name, path), file.data,
                          file.length);
        buffer_clear(&file);
    }
}

static void set_up(struct bench *b)
{
    static const char *const IDS[PROBES] = {"P-0", "P-1", "P-2", "P-3"};
    char path[PATH_MAX];
    sample_folder_make(&b->folder);
    b->config = sample_config(&b->folder);
    b->paths = sample_config_paths(&b->config);
    struct db *registry = sample_registry_make(b->config.registry);
    for (int i = 0; i < PROBES; i++) {
        sample_probe_make(&b->probes[i], IDS[i]);
        sample_register(registry, &b->probes[i], false);
    }
    db_close(registry);
    mkdir(sample_path(&b->folder, "in", path), 0700);
    mkdir(sample_path(&b->folder, "in/sub", path), 0700);
    make_history(b);
}

static bool import(struct bench *b, const char *name,
                   struct import_result *result, struct store_totals *totals)
{
    struct error_text error = {""};
    char path[PATH_MAX];
    char *paths[] = {path};
    sample_path(&b->folder, name, path);
    struct store *c = sample_store(&b->config, &error);
    bool good = c != NULL && import_files(c, paths, 1, result, &error);
    if (!good)
        printf("# %s\n", error.text);
    if (c != NULL)
        *totals = store_totals(c);
    store_close(c);
    return good;
}

static void test_bad_files(struct bench *b)
{
    struct import_result result;
    struct store_totals totals;
    struct sample_batch batch =
        sample_next_flow(&b->probes[0], wall_to_ms(wall_now()));
    char path[PATH_MAX];

    test_case("a file that is cut off counts what is whole and is named");
    struct buffer file;
    buffer_init(&file, 1 << 20);
    buffer_add(&file, batch.bytes.data, batch.bytes.length);
    buffer_add(&file, batch.bytes.data, batch.bytes.length - 5);
    sample_write_file(sample_path(&b->folder, "cut", path), file.data,
                      file.length);
    CHECK(import(b, "cut", &result, &totals));
    CHECK_I64((int64_t)totals.counted, 1);
    CHECK_I64((int64_t)result.bad_files, 1);
    buffer_clear(&file);
    sample_batch_clear(&batch);

    test_case("a file of something else, an empty one, a missing one");
    sample_write_file(sample_path(&b->folder, "text", path), "hello, world\n",
                      13);
    sample_write_file(sample_path(&b->folder, "empty", path), "", 0);
    CHECK(import(b, "text", &result, &totals));
    CHECK_I64((int64_t)result.bad_files, 1);
    CHECK(import(b, "empty", &result, &totals));
    CHECK_I64((int64_t)result.bad_files, 0);
    CHECK(import(b, "missing", &result, &totals));
    CHECK_I64((int64_t)result.bad_files, 1);
}

int main(void)
{
    struct bench b;
    struct import_result result;
    struct store_totals totals;
    struct check_result checked;
    struct error_text error = {""};
    log_set_level(LOG_LEVEL_ERROR);
    set_up(&b);

    test_case("a folder with all in it counts every batch once");
    CHECK(import(&b, "in", &result, &totals));
    CHECK_I64((int64_t)result.files, PROBES);
    CHECK_I64((int64_t)totals.counted, PROBES * BATCHES);
    CHECK_I64((int64_t)totals.records, PROBES * BATCHES);

    test_case("VER-18: the same folder again counts nothing");
    CHECK(import(&b, "in", &result, &totals));
    CHECK_I64((int64_t)totals.counted, 0);
    CHECK_I64((int64_t)totals.repeated, PROBES * BATCHES);

    test_bad_files(&b);

    test_case("check agrees with all of it");
    if (!CHECK(ledger_check_all(&b.paths, &checked, &error)))
        printf("# %s\n", error.text);
    CHECK_I64((int64_t)checked.batches, PROBES * BATCHES + 1);
    CHECK_I64((int64_t)checked.missing, 0);

    test_case("sources have names");
    CHECK(import_source_find("enterprise-probe") != NULL);
    CHECK(import_source_find("carrier-pigeon") == NULL);

    for (int i = 0; i < PROBES; i++)
        sign_key_free(b.probes[i].key);
    sample_folder_remove(&b.folder);
    return test_end();
}
