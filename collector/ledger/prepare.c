#include "collector/ledger/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "collector/ledger/archive.h"
#include "common/pack.h"

/* The archive is written once and read seldom: fast is what counts. */
enum { ARCHIVE_LEVEL = 1 };

struct preparer {
    struct packer *packer;
    struct flow_packer *flows;
};

struct preparer *preparer_new(void)
{
    struct preparer *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->packer = packer_new(ARCHIVE_LEVEL);
    p->flows = flow_packer_new();
    if (p->packer == NULL || p->flows == NULL) {
        preparer_free(p);
        return NULL;
    }
    return p;
}

void preparer_free(struct preparer *p)
{
    if (p == NULL)
        return;
    packer_free(p->packer);
    flow_packer_free(p->flows);
    free(p);
}

void prepared_init(struct prepared *out)
{
    *out = (struct prepared){0};
    buffer_init(&out->frame, archive_frame_max());
    buffer_init(&out->block, FLOW_BLOCK_MAX);
}

void prepared_clear(struct prepared *out)
{
    buffer_clear(&out->frame);
    buffer_clear(&out->block);
    usage_sums_free(out->sums);
    out->sums = NULL;
    out->has_content = out->has_too_many_cells = false;
}

size_t prepared_size(const struct prepared *out)
{
    return out->frame.capacity + out->block.capacity +
           (out->sums != NULL ? usage_sums_size(out->sums) : 0);
}

enum batch_status prepare_signature(struct prepared *out,
                                    const struct batch_reader *reader,
                                    const struct registry_probe *probe)
{
    if (out->key_length == probe->key_length && out->key_length > 0 &&
        out->algorithm == probe->algorithm &&
        memcmp(out->key, probe->key, out->key_length) == 0)
        return out->signature;
    out->algorithm = probe->algorithm;
    out->key_length = probe->key_length;
    memcpy(out->key, probe->key, probe->key_length);
    out->signature =
        batch_reader_verify(reader, probe->algorithm,
                            slice_of_bytes(probe->key, probe->key_length));
    return out->signature;
}

bool prepare_sums(struct prepared *out, const struct batch_reader *reader)
{
    enum usage_added added = USAGE_ADDED;
    out->sums = usage_sums_new();
    if (out->sums == NULL)
        return false;
    for (size_t i = 0; added == USAGE_ADDED && i < batch_reader_count(reader);
         i++)
        added = usage_sums_add(out->sums, batch_reader_record(reader, i));
    out->has_too_many_cells = added == USAGE_TOO_MANY_CELLS;
    return added != USAGE_NO_MEMORY;
}

static bool pack(struct preparer *p, struct prepared *out,
                 const struct batch_reader *reader)
{
    size_t count = batch_reader_count(reader);
    return archive_make_frame(p->packer, batch_reader_bytes(reader),
                              &out->frame) &&
           (count == 0 ||
            flow_packer_encode(p->flows, batch_reader_record(reader, 0), count,
                               &out->block));
}

bool prepare_content(struct preparer *p, struct prepared *out,
                     const struct batch_reader *reader)
{
    if (out->has_content)
        return true;
    prepared_clear(out);
    out->has_content = prepare_sums(out, reader) && pack(p, out, reader);
    if (!out->has_content)
        prepared_clear(out);
    return out->has_content;
}

void prepare_batch(struct preparer *p, struct prepared *out,
                   const struct batch_reader *reader, enum batch_status content,
                   const struct registry_probe *probe)
{
    out->span = intake_span_of(reader);
    if (probe != NULL && prepare_signature(out, reader, probe) == BATCH_OK &&
        content == BATCH_OK)
        prepare_content(p, out, reader); /* or later, when memory is short */
}
