#include "rules/completion_table.h"

#include <stddef.h>

#include "rules/verdict_mark.h"

/* clang-format off */
const struct completion_column COMPLETION_COLUMNS[COMPLETION_COLUMN_COUNT] = {
    [COMPLETION_SEQUENCE] =
        {"no", COMPLETION_NUMBER, "序号", "No."},
    [COMPLETION_ENTERPRISE] =
        {"enterprise", COMPLETION_TEXT, "企业名称", "Enterprise"},
    [COMPLETION_CREDIT_CODE] =
        {"credit_code", COMPLETION_CODE, "统一社会信用代码", "Credit code"},
    [COMPLETION_COUNTY] =
        {"county", COMPLETION_TEXT, "县区", "County"},
    [COMPLETION_VOUCHER] =
        {"voucher", COMPLETION_CODE, "服务券编号", "Voucher"},
    [COMPLETION_AMOUNT] =
        {"amount", COMPLETION_YUAN, "金额（元）", "Amount (yuan)"},
    [COMPLETION_SUPPLIER] =
        {"supplier", COMPLETION_TEXT, "供应商", "Supplier"},
    [COMPLETION_SERVICES] =
        {"services", COMPLETION_TEXT, "应用服务", "Services"},
    [COMPLETION_PILOT] =
        {"is_pilot", COMPLETION_YES_NO, "试点", "Pilot"},
    [COMPLETION_SETTLEMENT] =
        {"settlement", COMPLETION_TIME, "申请结算的系统日期",
         "Settlement time (Asia/Shanghai)"},
    [COMPLETION_USER_SIDE] =
        {"user_side", COMPLETION_TEXT, "用户端类型及数量", "User side"},
    [COMPLETION_ENDPOINTS] =
        {"endpoints", COMPLETION_NUMBER, "应用端数量", "Endpoints"},
    [COMPLETION_ACTIVE_DAYS] =
        {"active_days", COMPLETION_TEXT, "活跃天数", "Active days"},
    [COMPLETION_COVERED_DAYS] =
        {"covered_days", COMPLETION_TEXT, "有效监测天数", "Covered days"},
    [COMPLETION_DEVICES] =
        {"devices", COMPLETION_TEXT, "监测设备数/合同台套数",
         "Devices seen/contract"},
    [COMPLETION_GENUINE] =
        {"is_genuine", COMPLETION_YES_NO, "真实性", "Genuine"},
    [COMPLETION_EFFECTIVE] =
        {"is_effective", COMPLETION_YES_NO, "有效性", "Effective"},
    [COMPLETION_MARK] =
        {"mark", COMPLETION_MARK_WORD, "是否完成“上云上平台”", "Mark"},
    [COMPLETION_REASON] =
        {"reason", COMPLETION_NOTE, "原因说明", "Reason"},
    [COMPLETION_FLAGS] =
        {"flags", COMPLETION_NOTE, "提示", "Flags"},
};
/* clang-format on */

const struct completion_column *completion_column_of(struct slice name)
{
    for (size_t i = 0; i < COMPLETION_COLUMN_COUNT; i++) {
        const struct completion_column *column = &COMPLETION_COLUMNS[i];
        if (slice_equal_text(name, column->zh) ||
            slice_equal_text(name, column->en))
            return column;
    }
    return NULL;
}

const char *completion_yes_no(bool yes)
{
    return yes ? "是" : "否";
}

static const char *mark_code_of(struct slice cell)
{
    enum verdict_mark mark;
    return verdict_mark_from(cell, &mark) ? verdict_mark_text(mark) : NULL;
}

const char *completion_code_of(const struct completion_column *column,
                               struct slice cell)
{
    if (column->kind == COMPLETION_MARK_WORD)
        return mark_code_of(cell);
    if (column->kind != COMPLETION_YES_NO)
        return NULL;
    if (slice_equal_text(cell, completion_yes_no(true)))
        return "yes";
    return slice_equal_text(cell, completion_yes_no(false)) ? "no" : NULL;
}
