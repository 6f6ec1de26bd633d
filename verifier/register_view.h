/*
 * What the registry (portal.db) says about a cycle: the vouchers whose
 * settlement is to be verified, their lines, the services' endpoints, and what
 * was declared for the user side. Read once at the start of a run; everything
 * stays valid until register_view_free().
 */
#ifndef VERIFIER_REGISTER_VIEW_H
#define VERIFIER_REGISTER_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/db.h"
#include "common/log.h"
#include "common/money.h"
#include "rules/parameter.h"
#include "verifier/identifier.h"

struct register_service {
    const char *id, *name_zh, *name_en, *supplier_id;
    enum service_class class;
    int item_no;
    size_t endpoint_count;
    uint64_t endpoints_hash; /* changes when an endpoint does */
};

struct register_endpoint {
    const char *id;
    size_t service; /* index */
    int64_t valid_from_us, valid_to_us;
    bool is_shared;
};

struct register_line {
    int line_no;
    size_t service; /* index */
    uint64_t sets;  /* 0: the item has none */
    uint64_t identifiers[IDENTIFIER_COUNT];
    uint64_t shared_identifiers; /* also declared by another enterprise */
};

struct register_voucher {
    const char *number, *enterprise_id, *enterprise_zh, *enterprise_en;
    const char *credit_code, *city_code, *county;
    const char *supplier_id, *supplier_zh;
    struct money amount;
    struct civil_day contract_day;
    struct wall_time submitted_at; /* settlement */
    bool is_pilot, is_sample;
    struct register_line *lines; /* by number */
    size_t line_count;
};

struct register_view {
    struct arena *arena;
    struct register_voucher *vouchers; /* by enterprise, number */
    size_t voucher_count;
    struct register_service *services; /* by id */
    size_t service_count;
    struct register_endpoint *endpoints; /* by id */
    size_t endpoint_count;
    char programme_version[80];
    bool has_cycle, is_out_of_memory;
};

/* NULL with a reason. An unknown cycle is no failure: has_cycle is false. */
struct register_view *register_view_read(struct db *db, const char *cycle_id,
                                         struct error_text *error);
void register_view_free(struct register_view *registry);
/* NULL when it is not registered. */
const struct register_endpoint *
register_view_endpoint(const struct register_view *r, const char *id);

#endif
