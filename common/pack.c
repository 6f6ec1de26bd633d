#include "common/pack.h"

#include <stdint.h>
#include <stdlib.h>

#include <zstd.h>

enum { STEP = 64 * 1024 };

struct packer {
    ZSTD_CCtx *context;
};

struct unpacker {
    ZSTD_DCtx *context;
};

struct packer *packer_new(int level)
{
    struct packer *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->context = ZSTD_createCCtx();
    if (p->context == NULL ||
        ZSTD_isError(ZSTD_CCtx_setParameter(p->context, ZSTD_c_compressionLevel,
                                            level))) {
        packer_free(p);
        return NULL;
    }
    return p;
}

void packer_free(struct packer *p)
{
    if (p == NULL)
        return;
    ZSTD_freeCCtx(p->context);
    free(p);
}

bool packer_begin(struct packer *p)
{
    return !ZSTD_isError(ZSTD_CCtx_reset(p->context, ZSTD_reset_session_only));
}

/* Feeds the compressor until it has taken and given everything. */
static bool drive(struct packer *p, struct slice part, struct buffer *out,
                  ZSTD_EndDirective how)
{
    ZSTD_inBuffer in = {part.data, part.length, 0};
    bool is_done;
    do {
        uint8_t *room = buffer_extend(out, STEP);
        if (room == NULL)
            return false;
        ZSTD_outBuffer to = {room, STEP, 0};
        size_t left = ZSTD_compressStream2(p->context, &to, &in, how);
        out->length -= STEP - to.pos;
        if (ZSTD_isError(left))
            return false;
        is_done = in.pos == in.size && (left == 0 || how == ZSTD_e_continue);
    } while (!is_done);
    return true;
}

bool packer_add(struct packer *p, struct slice part, struct buffer *out)
{
    return part.length == 0 || drive(p, part, out, ZSTD_e_flush);
}

bool packer_join(struct packer *p, struct slice part, struct buffer *out)
{
    return drive(p, part, out, ZSTD_e_continue);
}

bool packer_end(struct packer *p, struct buffer *out)
{
    return drive(p, SLICE(""), out, ZSTD_e_end);
}

bool packer_pack(struct packer *p, struct slice data, struct buffer *out)
{
    size_t bound = ZSTD_compressBound(data.length);
    uint8_t *room = buffer_extend(out, bound);
    if (room == NULL)
        return false;
    size_t packed =
        ZSTD_compress2(p->context, room, bound, data.data, data.length);
    out->length -= ZSTD_isError(packed) ? bound : bound - packed;
    return !ZSTD_isError(packed);
}

size_t pack_bound(size_t length)
{
    return ZSTD_COMPRESSBOUND(length);
}

struct unpacker *unpacker_new(void)
{
    struct unpacker *u = calloc(1, sizeof(*u));
    if (u == NULL)
        return NULL;
    u->context = ZSTD_createDCtx();
    if (u->context == NULL) {
        free(u);
        return NULL;
    }
    return u;
}

void unpacker_free(struct unpacker *u)
{
    if (u == NULL)
        return;
    ZSTD_freeDCtx(u->context);
    free(u);
}

bool unpacker_unpack(struct unpacker *u, struct slice packed, size_t length,
                     struct buffer *out)
{
    buffer_reset(out);
    uint8_t *room = buffer_extend(out, length);
    if (room == NULL && length > 0)
        return false;
    size_t n = ZSTD_decompressDCtx(u->context, room, length, packed.data,
                                   packed.length);
    return !ZSTD_isError(n) && n == length;
}
