#include "collector/ledger/detail_read.h"

#include <stdlib.h>

#include "collector/ledger/detail.h"
#include "common/wire/flow_block.h"

struct detail_reader {
    struct db *db;
    struct flow_block *block;
};

struct detail_reader *detail_reader_new(struct db *db)
{
    struct detail_reader *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return NULL;
    r->db = db;
    r->block = flow_block_new();
    if (r->block != NULL)
        return r;
    detail_reader_free(r);
    return NULL;
}

void detail_reader_free(struct detail_reader *reader)
{
    if (reader == NULL)
        return;
    flow_block_free(reader->block);
    free(reader);
}

bool detail_reader_batch(struct detail_reader *reader, uint64_t ledger_index,
                         const struct flow_record **records, size_t *count)
{
    size_t wanted;
    struct db_statement *s =
        detail_prepare_batch(reader->db, "main", ledger_index);
    *count = 0;
    if (s == NULL)
        return false;
    enum db_step step = db_step(s);
    bool good = step != DB_FAILED;
    if (step == DB_ROW) {
        good = flow_block_decode(reader->block, detail_block(s, &wanted)) &&
               flow_block_count(reader->block) == wanted;
        *records = flow_block_records(reader->block);
        *count = good ? wanted : 0;
    }
    db_reset(s);
    return good;
}
