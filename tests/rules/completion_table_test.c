/* The completion table's columns, as they are written and found again. */
#include "rules/completion_table.h"

#include "tests/test.h"

static const struct {
    enum completion_column_id column;
    const char *cell, *code;
} CELLS[] = {
    {COMPLETION_MARK, "已完成", "COMPLETE"},
    {COMPLETION_MARK, "未完成", "NOT_COMPLETE"},
    {COMPLETION_MARK, "待核实", "UNDETERMINED"},
    {COMPLETION_MARK, "COMPLETE", "COMPLETE"},
    {COMPLETION_MARK, "是", NULL},
    {COMPLETION_GENUINE, "是", "yes"},
    {COMPLETION_GENUINE, "否", "no"},
    {COMPLETION_GENUINE, "已完成", NULL},
    {COMPLETION_ENTERPRISE, "是", NULL}, /* a name, not an answer */
};

int main(void)
{
    test_case("VER-10: every column is found by both of its names");
    for (size_t i = 0; i < COMPLETION_COLUMN_COUNT; i++) {
        const struct completion_column *c = &COMPLETION_COLUMNS[i];
        CHECK(completion_column_of(slice_of_text(c->zh)) == c);
        CHECK(completion_column_of(slice_of_text(c->en)) == c);
    }
    CHECK(completion_column_of(SLICE("备注")) == NULL);
    test_case("VER-10: cells of closed lists are known by code, by column");
    for (size_t i = 0; i < sizeof(CELLS) / sizeof(CELLS[0]); i++) {
        const char *code = completion_code_of(
            &COMPLETION_COLUMNS[CELLS[i].column], slice_of_text(CELLS[i].cell));
        CHECK_TEXT(code != NULL ? code : "-",
                   CELLS[i].code != NULL ? CELLS[i].code : "-");
    }
    return test_end();
}
