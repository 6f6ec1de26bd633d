/* Probes as the portal's database has them. */
#include "collector/ledger/probe_directory.h"

#include "tests/collector/ledger/store_sample.h"

/* Leaves the registry open, and the portal's side closed. */
static struct probe_directory *test_finding(const char *path,
                                            const struct sample_probe *p1,
                                            const struct sample_probe *p2)
{
    struct error_text error = {""};
    struct registry_probe probe;
    test_case("a missing portal.db is named");
    CHECK(probe_directory_open(path, &error) == NULL);
    CHECK(strstr(error.text, "portal.db") != NULL);

    test_case("VER-18: a probe has its enterprise, site and key");
    struct db *db = sample_registry_make(path);
    sample_register(db, p1, false);
    struct probe_directory *r = probe_directory_open(path, &error);
    CHECK(r != NULL);
    CHECK_I64(probe_directory_find(r, "P-1", &probe), REGISTRY_FOUND);
    CHECK_TEXT(probe.enterprise_id, "ENT-1");
    CHECK_TEXT(probe.site_id, "SITE-1");
    CHECK_I64(probe.algorithm, SIGN_ED25519);
    CHECK_I64((int64_t)probe.key_length, 32);
    CHECK(!probe.has_denied_at && !probe.is_sample);

    test_case("an unknown probe");
    CHECK_I64(probe_directory_find(r, "P-2", &probe), REGISTRY_UNKNOWN);
    CHECK_I64(probe_directory_find(r, "", &probe), REGISTRY_UNKNOWN);

    test_case("VER-18: registered and denied while we look");
    sample_register(db, p2, true);
    CHECK_I64(probe_directory_find(r, "P-2", &probe), REGISTRY_FOUND);
    CHECK(probe.is_sample);
    CHECK(db_run(db, "UPDATE probe SET denied_at = 12 WHERE id = 'P-1'"));
    CHECK_I64(probe_directory_find(r, "P-1", &probe), REGISTRY_FOUND);
    CHECK(probe.has_denied_at);
    CHECK_I64(probe.denied_at.us, 12);

    test_case("a key that is none is no registration");
    CHECK(db_run(db, "PRAGMA ignore_check_constraints = ON"));
    CHECK(db_run(db, "UPDATE probe SET signing_key = x'' WHERE id = 'P-2'"));
    CHECK_I64(probe_directory_find(r, "P-2", &probe), REGISTRY_UNKNOWN);
    db_close(db);
    return r;
}

int main(void)
{
    struct sample_folder f;
    struct registry_probe probe;
    struct sample_probe p1, p2;
    char path[PATH_MAX], side[PATH_MAX];
    sample_folder_make(&f);
    sample_path(&f, "portal.db", path);
    sample_probe_make(&p1, "P-1");
    sample_probe_make(&p2, "P-2");
    struct probe_directory *r = test_finding(path, &p1, &p2);

    test_case("a restored portal.db is opened anew");
    unlink(path);
    unlink(sample_path(&f, "portal.db-wal", side));
    unlink(sample_path(&f, "portal.db-shm", side));
    CHECK_I64(probe_directory_find(r, "P-1", &probe), REGISTRY_FAILED);
    CHECK(strstr(probe_directory_error(r), "portal.db") != NULL);
    struct db *db = sample_registry_make(path);
    CHECK_I64(probe_directory_find(r, "P-1", &probe), REGISTRY_UNKNOWN);
    sample_register(db, &p1, false);
    CHECK_I64(probe_directory_find(r, "P-1", &probe), REGISTRY_FOUND);
    db_close(db);

    probe_directory_close(r);
    sign_key_free(p1.key);
    sign_key_free(p2.key);
    sample_folder_remove(&f);
    return test_end();
}
