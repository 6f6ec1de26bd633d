/*
 * Events, those seen last first. They come from usage.db; whose they are is
 * said by the registry of now.
 */
#include "portal/record/event_list.h"

#include "common/text.h"

static const struct list_column COLUMNS[] = {
    {"id",
     LIST_COUNT,
     {"x.id"},
     TEXT_KEY("events.number"),
     .places = LIST_JSON},
    {"kind", LIST_CODE, {"x.kind"}, TEXT_KEY("events.what"), .words = "event."},
    {"code",
     LIST_TEXT,
     {"x.kind"},
     TEXT_KEY("events.kind"),
     .places = LIST_PAGE | LIST_FILE,
     .is_note = true},
    {"detail",
     LIST_TEXT,
     {"x.detail"},
     TEXT_KEY("events.detail"),
     .is_note = true},
    {"known_hash",
     LIST_HASH,
     {"x.known_hash"},
     TEXT_KEY("events.known_hash"),
     .is_note = true},
    {"other_hash",
     LIST_HASH,
     {"x.other_hash"},
     TEXT_KEY("events.other_hash"),
     .is_note = true},
    {"enterprise",
     LIST_NAMES,
     {"n.id", "n.name_zh", "n.name_en"},
     TEXT_KEY("col.enterprise")},
    {"probe_id", LIST_TEXT, {"x.probe_id"}, TEXT_KEY("events.probe")},
    {"sequence",
     LIST_COUNT,
     {"x.sequence"},
     TEXT_KEY("events.sequence"),
     .is_note = true},
    {"first_at", LIST_TIME, {"x.at_us"}, TEXT_KEY("events.first")},
    {"last_at", LIST_TIME, {"x.last_us"}, TEXT_KEY("events.last")},
    {"times", LIST_COUNT, {"x.times"}, TEXT_KEY("events.times")},
};

static const struct list_filter FILTERS[] = {
    {"text", LIST_SEARCH, TEXT_KEY("events.who"),
     "instr(lower(x.probe_id), :text) OR x.probe_id IN"
     " (SELECT o.id FROM enterprise w CROSS JOIN probe o"
     "  ON o.enterprise_id = w.id"
     "  WHERE instr(lower(w.name_zh), :text) OR instr(lower(w.name_en), :text)"
     "  OR (w.id COLLATE NOCASE >= :text AND w.id COLLATE NOCASE < "
     ":text_end))"},
    /* One step of the index a kind. */
    {"kind", LIST_ROWS, TEXT_KEY("events.kind"), "x.kind = :kind",
     .choices_sql =
         "WITH RECURSIVE k (kind) AS (SELECT min(kind) FROM usage.event"
         " UNION ALL SELECT (SELECT min(o.kind) FROM usage.event o"
         "  WHERE o.kind > k.kind) FROM k WHERE k.kind IS NOT NULL)"
         " SELECT kind, '', '' FROM k WHERE kind IS NOT NULL",
     .words = "event."},
    {"since", LIST_SINCE, TEXT_KEY("events.since"), "x.last_us >= :since"},
};

const struct list EVENT_LIST = {
    .name = "events",
    .title = TEXT_KEY("events.title"),
    .help = TEXT_KEY("events.help"),
    .none = TEXT_KEY("events.none"),
    .missing = TEXT_KEY("events.no_usage"),
    .source = LIST_FROM_USAGE,
    .from = "FROM usage.event x LEFT JOIN probe p ON p.id = x.probe_id"
            " LEFT JOIN enterprise n ON n.id = p.enterprise_id",
    .counted_from = "FROM usage.event x",
    .keys = {{"x.last_us", .is_integer = true}, {"x.id", .is_integer = true}},
    .is_descending = true,
    .scopes = {[SCOPE_ALL] = {"1"}},
    .columns = COLUMNS,
    .column_count = sizeof(COLUMNS) / sizeof(COLUMNS[0]),
    .filters = FILTERS,
    .filter_count = sizeof(FILTERS) / sizeof(FILTERS[0]),
};
