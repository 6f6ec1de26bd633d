/* What the running portal shares: exports, one at a time an account. */
#include "portal/store/portal.h"

#include "tests/portal/scratch.h"
#include "tests/test.h"

static void test_exports(struct portal *portal)
{
    char name[32];
    struct portal_export *all[PORTAL_EXPORTS_MAX];
    test_case("an account has one export at a time, others have theirs");
    struct portal_export *anna = portal_export_begin(portal, "anna");
    struct portal_export *bo = portal_export_begin(portal, "bo");
    CHECK(anna != NULL && bo != NULL && anna != bo);
    CHECK(portal_export_begin(portal, "anna") == NULL);
    portal_export_end(anna);
    anna = portal_export_begin(portal, "anna");
    CHECK(anna != NULL);
    portal_export_end(anna);
    portal_export_end(bo);
    test_case("there are no more than so many files at once");
    for (int i = 0; i < PORTAL_EXPORTS_MAX; i++) {
        snprintf(name, sizeof(name), "account %d", i);
        all[i] = portal_export_begin(portal, name);
        CHECK(all[i] != NULL);
    }
    CHECK(portal_export_begin(portal, "anna") == NULL);
    for (int i = 0; i < PORTAL_EXPORTS_MAX; i++)
        portal_export_end(all[i]);
    CHECK(portal_export_begin(portal, "anna") != NULL);
}

int main(void)
{
    struct scratch scratch;
    struct error_text error = {""};
    struct portal_config config = {.rules = "rules/guangdong-2018"};
    scratch_open(&scratch);
    snprintf(config.portal_db, sizeof(config.portal_db), "%s", scratch.path);
    struct portal *portal = portal_open(&config, &error);
    if (CHECK(portal != NULL))
        test_exports(portal);
    else
        printf("# %s\n", error.text);
    portal_close(portal);
    scratch_close(&scratch);
    return test_end();
}
