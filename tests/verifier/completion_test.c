/* The completion table as published: a golden file, and cells that a stranger
 * could have chosen. */
#include "verifier/completion.h"

#include "common/buffer.h"
#include "tests/test.h"

static struct register_line lines[2] = {
    {.line_no = 1, .service = 0, .identifiers = {1, 2}},
    {.line_no = 2, .service = 1, .sets = 12},
};
static struct register_service services[2] = {
    {.name_zh = "进销存", .endpoint_count = 2},
    {.name_zh = "设备监控", .endpoint_count = 1},
};
static struct register_view registry = {.services = services,
                                        .service_count = 2};
static struct register_voucher voucher = {
    .number = "V-2026-0001",
    .enterprise_id = "E1",
    .enterprise_zh = "示例\"一号\"有限公司",
    .credit_code = "91441500DEM000049P",
    .city_code = "441500",
    .county = "城区",
    .supplier_zh = "=SUM(A1),甲",
    .amount = {8000050},
    .submitted_at = {INT64_C(1792750000000000)},
    .is_pilot = true,
    .lines = lines,
    .line_count = 2,
};

static void print_table(bool is_sample, struct buffer *out)
{
    static struct line_verdict line_verdicts[2];
    static struct city_list cities = {
        .items = {{"441500", "汕尾市", "Shanwei"}}, .count = 1};
    struct voucher_verdict verdict = {.mark = MARK_UNDETERMINED,
                                      .is_effective = true,
                                      .is_sample = is_sample};
    struct verdict_run run = {.cycle_id = "2026",
                              .rules_version = "0123abcd",
                              .at = {INT64_C(1792800000000000)},
                              .cut_off = {INT64_C(1792800000000000)}};
    struct completion_head head = {&run, &cities, NULL};
    struct completion_row row;
    line_verdicts[0] = (struct line_verdict){
        .window = {.active_days = 12, .covered_days = 30}};
    line_verdicts[1] = (struct line_verdict){
        .window = {.active_days = 9, .covered_days = 28},
        .devices_seen = 5,
        .findings = {{.rule = "VER-16",
                      .outcome = RULE_FLAG,
                      .case_name = "fewer",
                      .measures = {{"seen", UNIT_COUNT, .value = 5}},
                      .count = 1},
                     {.rule = "S1", .outcome = RULE_PASS},
                     {.rule = "S9",
                      .outcome = RULE_SUSPICIOUS,
                      .case_name = "suspicious",
                      .measures = {{"here", UNIT_COUNT, .value = 7},
                                   {"elsewhere", UNIT_COUNT, .value = 0}},
                      .count = 2}},
        .finding_count = 3,
    };
    snprintf(verdict.reason[LANGUAGE_ZH], sizeof(verdict.reason[LANGUAGE_ZH]),
             "第2行：原因。");
    completion_row_fill(&registry, &voucher, &verdict, line_verdicts, &row);
    completion_print(&head, "2026-441500", 3, &row, 1, out);
}

int main(void)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    test_case("VER-10: the table of form F13, byte for byte");
    print_table(false, &out);
    CHECK(!out.failed);
    test_golden("tests/data/completion.csv", out.data, out.length);
    test_case("VER-10: demo data are named in the head");
    buffer_reset(&out);
    print_table(true, &out);
    buffer_add_u8(&out, 0);
    CHECK(strstr((char *)out.data, "演示数据 DEMO DATA") != NULL);
    test_case("VER-10: no cell starts a formula");
    CHECK(strstr((char *)out.data, "\"=SUM") == NULL);
    test_case("VER-03: identifiers are counted by kind, not shown");
    CHECK(strstr((char *)out.data, "固定IP 1; 宽带账号 2") != NULL);
    buffer_clear(&out);
    return test_end();
}
