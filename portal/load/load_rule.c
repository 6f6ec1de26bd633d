/* See load_rule.h. The rules of a table stand together, in its columns' order. */
#include "portal/load/load_rule.h"

#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "portal/load/load_refusal.h"

enum { HASH_DIGITS = 64, PREFIX_MIN_V4 = 24, PREFIX_MIN_V6 = 48 };
enum { FOUND_MAX = 4 }; /* columns that a query selects */

/* ---- what SQL cannot compare ---- */

static bool is_fixed_ip(const struct load_row *row)
{
    return strcmp(load_row_value(row, "kind")->text, "fixed_ip") == 0;
}

static struct slice identifier_of(const struct load_row *row)
{
    return slice_of_text(load_row_value(row, "value")->text);
}

static bool is_no_prefix(const struct load_row *row, const char *found)
{
    struct prefix prefix;
    (void)found;
    return is_fixed_ip(row) && !prefix_from_text(identifier_of(row), &prefix);
}

static bool is_wide_prefix(const struct load_row *row, const char *found)
{
    struct prefix prefix;
    (void)found;
    return is_fixed_ip(row) && prefix_from_text(identifier_of(row), &prefix) &&
           prefix.length <
               (prefix.address.version == 4 ? PREFIX_MIN_V4 : PREFIX_MIN_V6);
}

static bool is_private_prefix(const struct load_row *row, const char *found)
{
    static const struct load_column AS_NET = {"value", .kind = LOAD_NET};
    struct load_value ignored;
    (void)found;
    return is_fixed_ip(row) && load_value_parse(&AS_NET, identifier_of(row),
                                                row->options->is_sample,
                                                row->arena, &ignored) != NULL;
}

/* Numbers come as keyed hash in hex (PRIV-04). */
static bool is_plain_number(const struct load_row *row, const char *found)
{
    uint8_t hash[HASH_DIGITS / 2];
    (void)found;
    return !is_fixed_ip(row) &&
           !parse_hex(identifier_of(row), hash, sizeof(hash));
}

static bool prefixes_meet(struct slice a, struct slice b)
{
    struct prefix one, other;
    return prefix_from_text(a, &one) && prefix_from_text(b, &other) &&
           (prefix_contains(&one, &other.address) ||
            prefix_contains(&other, &one.address));
}

static bool address_meets(const struct load_row *row, const char *found)
{
    return prefixes_meet(slice_of_text(load_row_value(row, "address")->text),
                         slice_of_text(found));
}

static bool identifier_meets(const struct load_row *row, const char *found)
{
    return is_fixed_ip(row) &&
           prefixes_meet(identifier_of(row), slice_of_text(found));
}

/* ---- the rules ---- */

#define WINDOW(table, requirement)                                             \
    {                                                                          \
        table, requirement, "valid_to", TEXT_KEY("load.rule.window"),          \
            "SELECT :valid_from AS there_at WHERE :valid_to <= :valid_from"    \
    }
#define NOT_YET(table, requirement, column)                                    \
    {                                                                          \
        table, requirement, column, TEXT_KEY("load.rule.future"),              \
            "SELECT :now AS now_at WHERE :" column " > :now", .is_real = true  \
    }
#define KEY_LENGTH(table)                                                      \
    {                                                                          \
        table, "VER-18", "signing_key", TEXT_KEY("load.rule.key_length"),      \
            "SELECT :algorithm AS algorithm, 2 * CASE :algorithm WHEN 'sm2' "  \
            "THEN 65"                                                          \
            " ELSE 32 END AS wanted WHERE length(:signing_key) <>"             \
            " CASE :algorithm WHEN 'sm2' THEN 65 ELSE 32 END"                  \
    }
#define DENIED_LATER(table)                                                    \
    {                                                                          \
        table, "PRIV-07", "denied_at", TEXT_KEY("load.rule.denied"),           \
            "SELECT :agreed_at AS there_at WHERE :denied_at < :agreed_at"      \
    }
#define OWN_SITE(table)                                                        \
    {table, "VER-18", "site_id", TEXT_KEY("load.rule.own_site"),               \
     "SELECT enterprise_id AS there FROM site"                                 \
     " WHERE id = :site_id AND enterprise_id <> :enterprise_id"},              \
    {                                                                          \
        table, "VER-18", "site_id", TEXT_KEY("load.rule.site_ended"),          \
            "SELECT valid_to AS there_at FROM site WHERE id = :site_id"        \
            " AND valid_to <= :now AND :denied_at IS NULL"                     \
    }

/* The cycle, the application and the voucher that a row belongs to. */
#define OF_APPLICATION                                                         \
    " FROM voucher_application a JOIN cycle y ON y.id = a.cycle_id"            \
    " WHERE a.id = :application_id"
#define OF_VOUCHER                                                             \
    " FROM voucher v JOIN voucher_application a ON a.id = v.application_id"    \
    " JOIN cycle y ON y.id = a.cycle_id WHERE v.number = :voucher_number"
#define OF_LINE                                                                \
    " FROM voucher v JOIN voucher_application a ON a.id = v.application_id"    \
    " JOIN service s ON s.id = :service_id"                                    \
    " WHERE v.number = :voucher_number"

/* Day number in Asia/Shanghai of an instant. */
#define DAY_OF(instant) "((" instant " + 28800000000) / 86400000000)"

const struct load_rule LOAD_RULES[] = {
    {"cycle", "CYC-01", "application_deadline",
     TEXT_KEY("load.rule.cycle_application"),
     "SELECT :application_opens AS there_at"
     " WHERE :application_deadline <= :application_opens"},
    {"cycle", "CYC-01", "settlement_deadline",
     TEXT_KEY("load.rule.cycle_settlement"),
     "SELECT :settlement_opens AS there_at"
     " WHERE :settlement_deadline < :settlement_opens"},
    {"cycle", "CYC-01", "settlement_deadline", TEXT_KEY("load.rule.cycle_last"),
     "SELECT :application_deadline AS there_at"
     " WHERE :settlement_deadline < :application_deadline"},
    {"cycle", "CYC-03", "application_opens",
     TEXT_KEY("load.rule.cycle_overlap"),
     "SELECT id AS other, application_opens AS from_at,"
     " application_deadline AS to_at FROM cycle"
     " WHERE programme_id = :programme_id AND id <> :id"
     " AND application_opens < :application_deadline"
     " AND application_deadline > :application_opens"},

    {"enterprise", "ORG-14", "city_code", TEXT_KEY("load.rule.city_disabled"),
     "SELECT 1 FROM city WHERE code = :city_code AND is_enabled = 0"},

    {"site", "VER-18", "valid_to", TEXT_KEY("load.rule.site_probe"),
     "SELECT id AS other FROM probe WHERE site_id = :id"
     " AND denied_at IS NULL AND :valid_to <= :now"},

    WINDOW("supplier", "SUP-16"),
    {"supplier", "ELIG-03", "credit_code",
     TEXT_KEY("load.rule.supplier_same_party"),
     "SELECT a.id AS other, e.id AS enterprise FROM voucher_application a"
     " JOIN enterprise e ON e.id = a.enterprise_id"
     " WHERE a.supplier_id = :id AND e.credit_code = :credit_code"},

    {"service", "SUP-14", "item_no", TEXT_KEY("load.rule.item_used"),
     "SELECT s.item_no AS there, l.voucher_number AS other FROM service s"
     " JOIN voucher_line l ON l.service_id = s.id"
     " WHERE s.id = :id AND s.item_no <> :item_no"},
    {"service", "SUP-14", "class", TEXT_KEY("load.rule.class_used"),
     "SELECT s.class AS there, l.voucher_number AS other FROM service s"
     " JOIN voucher_line l ON l.service_id = s.id"
     " WHERE s.id = :id AND s.class <> :class"},
    {"service", "SUP-14", "valid_from", TEXT_KEY("load.rule.before_supplier"),
     "SELECT id AS other, valid_from AS there_at FROM supplier"
     " WHERE id = :supplier_id AND valid_from > :valid_from"},
    {"service", "SUP-14", "valid_from", TEXT_KEY("load.rule.after_supplier"),
     "SELECT id AS other, valid_to AS there_at FROM supplier"
     " WHERE id = :supplier_id AND valid_to <= :valid_from"},
    WINDOW("service", "SUP-14"),

    {"endpoint", "VER-04", "valid_from",
     TEXT_KEY("load.rule.endpoint_backdated"),
     "SELECT :now AS now_at WHERE :valid_from < :now"
     " AND NOT EXISTS (SELECT 1 FROM endpoint WHERE id = :id)",
     .is_real = true},
    {"endpoint", "VER-05", "valid_from", TEXT_KEY("load.rule.before_service"),
     "SELECT id AS other, valid_from AS there_at FROM service"
     " WHERE id = :service_id AND valid_from > :valid_from"},
    {"endpoint", "VER-05", "valid_from", TEXT_KEY("load.rule.after_service"),
     "SELECT id AS other, valid_to AS there_at FROM service"
     " WHERE id = :service_id AND valid_to <= :valid_from"},
    WINDOW("endpoint", "VER-05"),
    {"endpoint", "VER-04", "valid_to", TEXT_KEY("load.rule.endpoint_past"),
     "SELECT :now AS now_at FROM endpoint WHERE id = :id"
     " AND valid_to IS NOT :valid_to AND :valid_to < :now",
     .is_real = true},
    {"endpoint", "VER-04", "valid_to", TEXT_KEY("load.rule.endpoint_again"),
     "SELECT valid_to AS there_at FROM endpoint WHERE id = :id"
     " AND valid_to IS NOT :valid_to AND valid_to <= :now",
     .is_real = true},

    {"endpoint_address", "VER-04", "endpoint_id",
     TEXT_KEY("load.rule.address_backdated"),
     "SELECT valid_from AS there_at FROM endpoint"
     " WHERE id = :endpoint_id AND valid_from < :now",
     .is_real = true},
    {"endpoint_address", "VER-05", "address", TEXT_KEY("load.flag.shared"),
     "SELECT d.address AS there, d.endpoint_id AS other,"
     " o.supplier_id AS supplier FROM endpoint p"
     " JOIN service s ON s.id = p.service_id"
     " JOIN service o ON o.supplier_id <> s.supplier_id"
     " JOIN endpoint q ON q.service_id = o.id"
     "   AND coalesce(q.valid_to, p.valid_from + 1) > p.valid_from"
     " JOIN endpoint_address d ON d.endpoint_id = q.id AND d.address <> ''"
     " WHERE p.id = :endpoint_id AND :address <> ''",
     .confirm = address_meets, .is_flag = true},
    {"endpoint_address", "VER-05", "address",
     TEXT_KEY("load.rule.address_none"),
     "SELECT 1 WHERE :address = '' AND :host = ''"},
    {"endpoint_address", "VER-05", "address",
     TEXT_KEY("load.rule.address_same_side"),
     "SELECT i.value AS there, i.voucher_number AS other FROM endpoint p"
     " JOIN voucher_line l ON l.service_id = p.service_id"
     " JOIN user_side_identifier i ON i.voucher_number = l.voucher_number"
     "   AND i.line_no = l.line_no AND i.kind = 'fixed_ip'"
     " WHERE p.id = :endpoint_id AND :address <> ''",
     .confirm = address_meets},

    OWN_SITE("probe"),
    KEY_LENGTH("probe"),
    NOT_YET("probe", "PRIV-07", "agreed_at"),
    DENIED_LATER("probe"),

    {"exporter", "VER-18", "id", TEXT_KEY("load.rule.exporter_id"),
     "SELECT 31 AS wanted WHERE length(:id) > 31"},
    OWN_SITE("exporter"),
    NOT_YET("exporter", "PRIV-07", "agreed_at"),
    DENIED_LATER("exporter"),

    KEY_LENGTH("supplier_probe"),
    NOT_YET("supplier_probe", "PRIV-07", "agreed_at"),
    DENIED_LATER("supplier_probe"),

    {"voucher_application", "ORG-14", "enterprise_id",
     TEXT_KEY("load.rule.application_city"),
     "SELECT c.code AS city FROM enterprise e"
     " JOIN city c ON c.code = e.city_code AND c.is_enabled = 0"
     " WHERE e.id = :enterprise_id"},
    {"voucher_application", "ELIG-03", "supplier_id",
     TEXT_KEY("load.rule.same_party"),
     "SELECT e.credit_code AS code, e.id AS enterprise FROM enterprise e"
     " JOIN supplier s ON s.credit_code = e.credit_code"
     " WHERE e.id = :enterprise_id AND s.id = :supplier_id"},
    {"voucher_application", "SUP-01", "supplier_id",
     TEXT_KEY("load.rule.supplier_not_yet"),
     "SELECT valid_from AS there_at, :submitted_at AS submitted_at"
     " FROM supplier WHERE id = :supplier_id AND valid_from > :submitted_at"},
    {"voucher_application", "SUP-16", "supplier_id",
     TEXT_KEY("load.rule.supplier_ended"),
     "SELECT valid_to AS there_at, :submitted_at AS submitted_at"
     " FROM supplier WHERE id = :supplier_id AND valid_to <= :submitted_at"},
    {"voucher_application", "ELIG-07", "contract_day",
     TEXT_KEY("load.rule.contract_old"),
     "SELECT date(:cutoff * 86400, 'unixepoch') AS there"
     " WHERE :contract_day < :cutoff"},
    {"voucher_application", "ELIG-10", "contract_day",
     TEXT_KEY("load.rule.contract_future"),
     "SELECT date(" DAY_OF(":submitted_at") " * 86400, 'unixepoch') AS there"
                                            " WHERE :contract_day > " DAY_OF(
                                                ":submitted_at")},
    {"voucher_application", "CYC-02", "submitted_at",
     TEXT_KEY("load.rule.application_early"),
     "SELECT id AS other, application_opens AS there_at FROM cycle"
     " WHERE id = :cycle_id AND :submitted_at < application_opens"},
    {"voucher_application", "DEAD-03", "submitted_at",
     TEXT_KEY("load.rule.application_closed"),
     "SELECT id AS other, application_deadline AS there_at FROM cycle"
     " WHERE id = :cycle_id AND :submitted_at >= application_deadline"},
    {"voucher_application", "VCH-07", "supplier_confirmed_at",
     TEXT_KEY("load.rule.confirmed_early"),
     "SELECT :submitted_at AS there_at"
     " WHERE :supplier_confirmed_at < :submitted_at"},
    {"voucher_application", "VCH-09", "city_approved_at",
     TEXT_KEY("load.rule.approved_early"),
     "SELECT :supplier_confirmed_at AS there_at"
     " WHERE :city_approved_at < :supplier_confirmed_at"},
    {"voucher_application", "VCH-18", "city_approved_at",
     TEXT_KEY("load.rule.approved_late"),
     "SELECT id AS other, settlement_deadline AS there_at FROM cycle"
     " WHERE id = :cycle_id AND :city_approved_at >= settlement_deadline"},
    NOT_YET("voucher_application", "DEAD-14", "city_approved_at"),

    {"voucher", "VCH-10", "issued_at", TEXT_KEY("load.rule.issued_early"),
     "SELECT a.id AS other, a.city_approved_at AS there_at" OF_APPLICATION
     " AND :issued_at < a.city_approved_at"},
    {"voucher", "VCH-18", "issued_at", TEXT_KEY("load.rule.issued_late"),
     "SELECT y.id AS other, y.settlement_deadline AS there_at" OF_APPLICATION
     " AND :issued_at >= y.settlement_deadline"},
    NOT_YET("voucher", "DEAD-14", "issued_at"),

    {"voucher_line", "VCH-03", "service_id",
     TEXT_KEY("load.rule.line_supplier"),
     "SELECT s.supplier_id AS there, a.supplier_id AS supplier" OF_LINE
     " AND s.supplier_id <> a.supplier_id"},
    {"voucher_line", "SUP-14", "service_id", TEXT_KEY("load.rule.line_early"),
     "SELECT s.valid_from AS there_at, a.submitted_at AS submitted_at" OF_LINE
     " AND s.valid_from > a.submitted_at"},
    {"voucher_line", "SUP-14", "service_id", TEXT_KEY("load.rule.line_ended"),
     "SELECT s.valid_to AS there_at, a.submitted_at AS submitted_at" OF_LINE
     " AND s.valid_to <= a.submitted_at"},

    {"settlement", "SET-01", "voucher_number",
     TEXT_KEY("load.rule.settlement_state"),
     "SELECT v.state AS there" OF_VOUCHER " AND v.state IN ('LAPSED', 'VOID')"},
    {"settlement", "SET-04", "voucher_number",
     TEXT_KEY("load.rule.settlement_exists"),
     "SELECT id AS other FROM settlement"
     " WHERE voucher_number = :voucher_number AND id <> :id"},
    {"settlement", "SET-01", "submitted_at",
     TEXT_KEY("load.rule.settlement_before_issue"),
     "SELECT v.issued_at AS there_at" OF_VOUCHER
     " AND :submitted_at < v.issued_at"},
    {"settlement", "SET-01", "submitted_at",
     TEXT_KEY("load.rule.settlement_early"),
     "SELECT y.id AS other, y.settlement_opens AS there_at" OF_VOUCHER
     " AND :submitted_at < y.settlement_opens"},
    {"settlement", "DEAD-04", "submitted_at",
     TEXT_KEY("load.rule.settlement_closed"),
     "SELECT y.id AS other, y.settlement_deadline AS there_at" OF_VOUCHER
     " AND :submitted_at >= y.settlement_deadline"},
    NOT_YET("settlement", "SET-14", "submitted_at"),
    {"settlement", "SET-06", "supplier_confirmed_at",
     TEXT_KEY("load.rule.settlement_unconfirmed"),
     "SELECT :state AS there WHERE :supplier_confirmed_at IS NULL"
     " AND :state <> 'PENDING_SUPPLIER'"},
    {"settlement", "SET-06", "supplier_confirmed_at",
     TEXT_KEY("load.rule.confirmed_early"),
     "SELECT :submitted_at AS there_at"
     " WHERE :supplier_confirmed_at < :submitted_at"},

    {"user_side_identifier", "VER-03", "line_no", TEXT_KEY("load.rule.no_line"),
     "SELECT :voucher_number AS voucher WHERE NOT EXISTS"
     " (SELECT 1 FROM voucher_line WHERE voucher_number = :voucher_number"
     " AND line_no = :line_no)"},
    {"user_side_identifier", "VER-03", "value", TEXT_KEY("load.value.net"),
     "SELECT 1", .confirm = is_no_prefix},
    {"user_side_identifier", "VER-03", "value", TEXT_KEY("load.rule.prefix"),
     "SELECT 1", .confirm = is_wide_prefix},
    {"user_side_identifier", "VER-03", "value", TEXT_KEY("load.value.public"),
     "SELECT 1", .confirm = is_private_prefix},
    {"user_side_identifier", "PRIV-04", "value", TEXT_KEY("load.rule.number"),
     "SELECT 1", .confirm = is_plain_number},
    {"user_side_identifier", "VER-05", "value",
     TEXT_KEY("load.rule.identifier_same_side"),
     "SELECT d.address AS there, d.endpoint_id AS other FROM voucher_line l"
     " JOIN endpoint p ON p.service_id = l.service_id"
     " JOIN endpoint_address d ON d.endpoint_id = p.id AND d.address <> ''"
     " WHERE l.voucher_number = :voucher_number AND l.line_no = :line_no",
     .confirm = identifier_meets},
    {"user_side_identifier", "PRIV-04", "mask", TEXT_KEY("load.rule.mask"),
     "SELECT 1 WHERE :kind <> 'fixed_ip' AND instr(:mask, '*') = 0"},
    {"user_side_identifier", "VER-03", "site_id",
     TEXT_KEY("load.rule.identifier_site"),
     "SELECT s.enterprise_id AS there, a.enterprise_id AS enterprise"
     " FROM site s, voucher v JOIN voucher_application a"
     "   ON a.id = v.application_id WHERE s.id = :site_id"
     " AND v.number = :voucher_number AND s.enterprise_id <> a.enterprise_id"},
    {"user_side_identifier", "VER-04", "valid_from",
     TEXT_KEY("load.rule.identifier_overlap"),
     "SELECT valid_from AS from_at, coalesce(valid_to, 253402214400000000)"
     " AS to_at FROM user_side_identifier"
     " WHERE voucher_number = :voucher_number AND line_no = :line_no"
     " AND kind = :kind AND value = :value AND valid_from <> :valid_from"
     " AND (valid_to IS NULL OR valid_to > :valid_from)"
     " AND (:valid_to IS NULL OR valid_from < :valid_to)"},
    WINDOW("user_side_identifier", "VER-03"),
};
const size_t LOAD_RULE_COUNT = sizeof(LOAD_RULES) / sizeof(LOAD_RULES[0]);

/* ---- asking them ---- */

/* Whether :name stands in the query, as a whole. */
static bool query_has(const char *sql, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = strchr(sql, ':'); at != NULL;
         at = strchr(at + 1, ':')) {
        char after = strncmp(at + 1, name, length) == 0 ? at[1 + length] : 'x';
        if (strchr("abcdefghijklmnopqrstuvwxyz_0123456789", after) == NULL ||
            after == '\0')
            return true;
    }
    return false;
}

static void bind_instant(struct db_statement *s, const struct load_rule *rule,
                         const char *name, int64_t value)
{
    struct load_value number = {.integer = value};
    if (query_has(rule->broken, name))
        load_value_bind(s, name, &number);
}

static void bind_rule(struct db_statement *s, const struct load_rule *rule,
                      const struct load_row *row)
{
    for (size_t i = 0; i < load_table_columns(row->table); i++) {
        const char *name = load_column_stored(&row->table->columns[i]);
        if (query_has(rule->broken, name))
            load_value_bind(s, name, &row->values[i]);
    }
    bind_instant(s, rule, "now", row->options->now.us);
    bind_instant(s, rule, "cutoff",
                 parameters_first_contract_day(row->options->parameters));
}

/* One {name} of the sentence, from a column of the query's row. */
static struct text_argument found_argument(struct db_statement *s, int column,
                                           const char *name,
                                           char shown[static LOAD_SHOWN_MAX])
{
    static const struct load_column INSTANT = {"", .kind = LOAD_TIME};
    size_t length = strlen(name);
    if (length > 3 && strcmp(name + length - 3, "_at") == 0) {
        struct load_value value = {.integer = db_i64(s, column)};
        load_value_show(&INSTANT, &value, shown);
    } else {
        load_show_text(slice_of_text(db_text(s, column)), shown);
    }
    return text_plain(name, shown);
}

static bool refuse_rule(struct load_row *row, const struct load_rule *rule,
                        struct db_statement *s)
{
    struct text_argument arguments[FOUND_MAX + 2] = {{0}};
    char shown[FOUND_MAX][LOAD_SHOWN_MAX];
    size_t count = 0;
    for (int i = 0; i < FOUND_MAX && db_column_name(s, i) != NULL; i++, count++)
        arguments[count] = found_argument(s, i, db_column_name(s, i), shown[i]);
    arguments[count] = text_plain("value", load_row_shown(row, rule->column));
    return load_refuse_list(row, rule->column, rule->said, arguments);
}

static bool check_one(struct db *db, struct load_row *row,
                      const struct load_rule *rule)
{
    struct db_statement *s = db_prepare(db, rule->broken);
    enum db_step step = DB_FAILED;
    bool good = true;
    if (s != NULL)
        bind_rule(s, rule, row);
    while (good && s != NULL && (step = db_step(s)) == DB_ROW)
        if (rule->confirm == NULL || rule->confirm(row, db_text(s, 0)))
            good = refuse_rule(row, rule, s);
    if (s != NULL)
        db_reset(s);
    if (s == NULL || (good && step == DB_FAILED))
        return load_refuse(row, NULL, "load.store",
                           text_plain("trouble", db_trouble(db)));
    return good;
}

/* Whether the rule is asked of this row. */
static bool concerns(const struct load_rule *rule, const struct load_row *row)
{
    return strcmp(rule->table, row->table->name) == 0 &&
           !(rule->is_real && row->options->is_sample);
}

bool load_rule_check(struct db *db, struct load_row *row)
{
    bool good = true;
    for (size_t i = 0; good && i < LOAD_RULE_COUNT; i++)
        if (concerns(&LOAD_RULES[i], row) && !LOAD_RULES[i].is_flag)
            good = check_one(db, row, &LOAD_RULES[i]);
    return good;
}

bool load_rule_flag(struct db *db, struct load_row *row, size_t *index)
{
    bool is_raised = false;
    for (; !is_raised && *index < LOAD_RULE_COUNT; ++*index)
        if (concerns(&LOAD_RULES[*index], row) && LOAD_RULES[*index].is_flag)
            is_raised = !check_one(db, row, &LOAD_RULES[*index]);
    return is_raised;
}
