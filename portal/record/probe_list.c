/*
 * Probes by id. A probe stands at an enterprise's site, or at the cloud end and
 * belongs to a supplier. Its state is a code: "denied"; "none", no certificate
 * of ours; "expired"; "good".
 */
#include "portal/record/probe_list.h"

#include "common/text.h"

#define UNTIL                                                                  \
    "(SELECT max(x.not_after) FROM certificate x WHERE x.probe_id = p.id)"
#define STATE                                                                  \
    "CASE WHEN p.denied_at IS NOT NULL THEN 'denied'"                          \
    " WHEN " UNTIL " IS NULL THEN 'none'"                                      \
    " WHEN " UNTIL " <= :now THEN 'expired' ELSE 'good' END"

static const struct list_column COLUMNS[] = {
    {"id", LIST_TEXT, {"p.id"}, TEXT_KEY("probes.probe")},
    {"is_sample",
     LIST_TAG,
     {"p.is_sample"},
     TEXT_KEY("tag.sample"),
     .look = "tag sample"},
    {"enterprise",
     LIST_NAMES,
     {"e.id", "e.name_zh", "e.name_en"},
     TEXT_KEY("probes.owner"),
     .places = LIST_JSON},
    {"supplier",
     LIST_NAMES,
     {"u.id", "u.name_zh", "u.name_en"},
     TEXT_KEY("probes.owner"),
     .places = LIST_JSON},
    {"owner",
     LIST_NAMES,
     {"ifnull(e.id, u.id)", "ifnull(e.name_zh, u.name_zh)",
      "ifnull(e.name_en, u.name_en)"},
     TEXT_KEY("probes.owner"),
     .places = LIST_PAGE | LIST_FILE},
    {"is_cloud",
     LIST_TAG,
     {"p.supplier_id IS NOT NULL"},
     TEXT_KEY("probes.cloud")},
    {"site",
     LIST_NAMES,
     {"t.id", "t.name_zh", "t.name_en"},
     TEXT_KEY("probes.site")},
    {"algorithm",
     LIST_TEXT,
     {"p.algorithm"},
     TEXT_KEY("probes.algorithm"),
     .places = LIST_FILE | LIST_JSON},
    {"agreed_at", LIST_DAY, {"p.agreed_at"}, TEXT_KEY("probes.agreed")},
    {"certificate_until", LIST_DAY, {UNTIL}, TEXT_KEY("probes.until")},
    {"state", LIST_CODE, {STATE}, TEXT_KEY("col.state"), .words = "probe."},
    {"denied_at",
     LIST_DAY,
     {"p.denied_at"},
     TEXT_KEY("probes.denied"),
     .is_note = true},
    {"reason",
     LIST_TEXT,
     {"(SELECT d.reason FROM probe_denial d WHERE d.probe_id = p.id"
      " AND d.restored_at IS NULL)"},
     TEXT_KEY("probes.reason"),
     .is_note = true},
};

static const struct list_choice STATES[] = {
    {"good"}, {"expired"}, {"none"}, {"denied"}};

static const struct list_filter FILTERS[] = {
    {"text", LIST_SEARCH, TEXT_KEY("probes.search"),
     "p.id IN (SELECT id FROM probe"
     "  WHERE id COLLATE NOCASE >= :text AND id COLLATE NOCASE < :text_end"
     " UNION SELECT n.id FROM enterprise o CROSS JOIN probe n"
     "  ON n.enterprise_id = o.id WHERE instr(lower(o.name_zh), :text)"
     "  OR instr(lower(o.name_en), :text) OR lower(o.credit_code) = :text"
     " UNION SELECT n.id FROM supplier o CROSS JOIN probe n"
     "  ON n.supplier_id = o.id WHERE instr(lower(o.name_zh), :text)"
     "  OR instr(lower(o.name_en), :text))"},
    {"city", LIST_ROWS, TEXT_KEY("col.city"), "p.city_code = :city",
     .choices_sql = "SELECT code, name_zh, name_en FROM city"
                    " WHERE is_enabled = 1 ORDER BY code",
     .scopes = 1u << SCOPE_ALL},
    {"state", LIST_CHOICES, TEXT_KEY("col.state"), STATE " = :state",
     .choices = STATES, .choice_count = sizeof(STATES) / sizeof(STATES[0]),
     .words = "probe."},
};

const struct list PROBE_LIST = {
    .name = "probes",
    .title = TEXT_KEY("probes.title"),
    .help = TEXT_KEY("probes.help"),
    .none = TEXT_KEY("probes.none"),
    .from = "FROM probe p LEFT JOIN enterprise e ON e.id = p.enterprise_id"
            " LEFT JOIN site t ON t.id = p.site_id"
            " LEFT JOIN supplier u ON u.id = p.supplier_id",
    .counted_from = "FROM probe p",
    .keys = {{"p.id"}},
    .scopes = {[SCOPE_ALL] = {"1"},
               [SCOPE_CITY] = {"p.city_code = :scope_id"},
               [SCOPE_ENTERPRISE] = {"p.enterprise_id = :scope_id"}},
    .columns = COLUMNS,
    .column_count = sizeof(COLUMNS) / sizeof(COLUMNS[0]),
    .filters = FILTERS,
    .filter_count = sizeof(FILTERS) / sizeof(FILTERS[0]),
};
