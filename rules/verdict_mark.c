#include "rules/verdict_mark.h"

static const struct {
    const char *text, *zh;
} MARKS[] = {
    [MARK_COMPLETE] = {"COMPLETE", "已完成"},
    [MARK_NOT_COMPLETE] = {"NOT_COMPLETE", "未完成"},
    [MARK_UNDETERMINED] = {"UNDETERMINED", "待核实"},
};

const char *verdict_mark_text(enum verdict_mark mark)
{
    return MARKS[mark].text;
}

const char *verdict_mark_zh(enum verdict_mark mark)
{
    return MARKS[mark].zh;
}

bool verdict_mark_from(struct slice text, enum verdict_mark *mark)
{
    for (int i = MARK_COMPLETE; i <= MARK_UNDETERMINED; i++) {
        if (slice_equal_text(text, MARKS[i].text) ||
            slice_equal_text(text, MARKS[i].zh)) {
            *mark = (enum verdict_mark)i;
            return true;
        }
    }
    return false;
}
