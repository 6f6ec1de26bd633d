#include "collector/ledger/detail.h"

#include <string.h>

bool detail_store(struct db *db, uint64_t ledger_index, size_t record_count,
                  struct slice block)
{
    if (record_count == 0)
        return true;
    struct db_statement *s =
        db_prepare(db, "INSERT INTO flow_block (ledger_idx, record_count, "
                       "data) VALUES (:ledger_idx, :count, :data)");
    if (s == NULL)
        return false;
    db_bind_u64(s, ":ledger_idx", ledger_index);
    db_bind_u64(s, ":count", record_count);
    db_bind_blob(s, ":data", block.data, block.length);
    return db_do(s);
}

#define BATCH_QUERY(schema)                                                    \
    "SELECT data, record_count FROM " schema ".flow_block "                    \
    "WHERE ledger_idx = :ledger_idx"

struct db_statement *detail_prepare_batch(struct db *db, const char *schema,
                                          uint64_t ledger_index)
{
    struct db_statement *s =
        db_prepare(db, strcmp(schema, "main") == 0 ? BATCH_QUERY("main")
                                                   : BATCH_QUERY("live"));
    if (s != NULL)
        db_bind_u64(s, ":ledger_idx", ledger_index);
    return s;
}

struct slice detail_block(struct db_statement *s, size_t *record_count)
{
    *record_count = (size_t)db_u64(s, 1);
    return db_blob(s, 0);
}
