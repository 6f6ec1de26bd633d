#include "portal/record/machines.h"

#include "portal/record/enterprise_machine.h"
#include "portal/record/recovery_machine.h"

static const struct machine *const ALL[] = {
    &ENTERPRISE_MACHINE,
    &RECOVERY_MACHINE,
};

const struct machines MACHINES = {ALL, sizeof(ALL) / sizeof(ALL[0])};
