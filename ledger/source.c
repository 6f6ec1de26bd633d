#include "ledger/source.h"

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
    return strncmp(probe_id, "router.", 7) == 0 ||
           strncmp(probe_id, "carrier.", 8) == 0;
}
