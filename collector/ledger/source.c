#include "collector/ledger/source.h"

#include <string.h>

static const struct {
    const char *text;
    int tier;
} SOURCES[SOURCE_COUNT] = {
    [SOURCE_PROBE] = {"probe", 0},
    [SOURCE_ROUTER] = {"router", 0},
    [SOURCE_SUPPLIER_PROBE] = {"supplier_probe", 2},
    [SOURCE_CARRIER] = {"carrier", 3},
};

const char *ledger_source_text(enum ledger_source source)
{
    return SOURCES[source].text;
}

bool ledger_source_from(const char *text, enum ledger_source *source)
{
    for (int i = 0; i < SOURCE_COUNT; i++)
        if (strcmp(text, SOURCES[i].text) == 0) {
            *source = (enum ledger_source)i;
            return true;
        }
    return false;
}

int ledger_source_tier(enum ledger_source source)
{
    return SOURCES[source].tier;
}

bool ledger_source_owns_id(const char *probe_id)
{
    static const enum ledger_source OWN[] = {SOURCE_ROUTER, SOURCE_CARRIER};
    for (size_t i = 0; i < sizeof(OWN) / sizeof(OWN[0]); i++) {
        size_t length = strlen(SOURCES[OWN[i]].text);
        if (strncmp(probe_id, SOURCES[OWN[i]].text, length) == 0 &&
            probe_id[length] == '.')
            return true;
    }
    return false;
}
