/*
 * A jump is kept as a fixup until all labels have their places: its distance is
 * known only then. The code, the fixups and the places grow by themselves, up
 * to CLASSIC_CODE_LIMIT; past it, or without memory, everything is a no-op and
 * classic_finish() says so.
 */
#include "probe/capture/classic_code.h"

#include <stdlib.h>

struct classic_fixup {
    uint32_t at;
    int label;
    enum classic_jump part;
};

static bool make_room(struct classic_code *c, void **items, size_t *room,
                      size_t count, size_t size)
{
    if (c->failed || count > CLASSIC_CODE_LIMIT) {
        c->failed = true;
    } else if (count >= *room) {
        size_t wanted = *room == 0 ? 256 : *room * 2;
        void *bigger = reallocarray(*items, wanted, size);
        c->failed = bigger == NULL;
        if (bigger != NULL) {
            *items = bigger;
            *room = wanted;
        }
    }
    return !c->failed;
}

void classic_emit(struct classic_code *c, uint16_t code, uint32_t value)
{
    void *items = c->code;
    if (make_room(c, &items, &c->room, c->count, sizeof(*c->code))) {
        c->code = items;
        c->code[c->count++] = (struct sock_filter){.code = code, .k = value};
    }
}

int classic_label(struct classic_code *c)
{
    void *items = c->places;
    if (!make_room(c, &items, &c->label_room, c->label_count,
                   sizeof(*c->places)))
        return 0;
    c->places = items;
    c->places[c->label_count] = 0;
    return (int)c->label_count++;
}

void classic_place(struct classic_code *c, int at)
{
    if (!c->failed)
        c->places[at] = (uint32_t)c->count;
}

void classic_aim(struct classic_code *c, enum classic_jump part, int target)
{
    void *items = c->fixups;
    if (make_room(c, &items, &c->fixup_room, c->fixup_count,
                  sizeof(*c->fixups))) {
        c->fixups = items;
        c->fixups[c->fixup_count++] =
            (struct classic_fixup){(uint32_t)c->count, target, part};
    }
}

void classic_jump(struct classic_code *c, int target)
{
    classic_aim(c, CLASSIC_LONG, target);
    classic_emit(c, BPF_JMP | BPF_JA, 0);
}

void classic_jump_if(struct classic_code *c, uint16_t comparison,
                     uint32_t value, int target)
{
    int past = classic_label(c);
    classic_aim(c, CLASSIC_FALSE, past);
    classic_emit(c, BPF_JMP | comparison | BPF_K, value);
    classic_jump(c, target);
    classic_place(c, past);
}

void classic_jump_unless(struct classic_code *c, uint16_t comparison,
                         uint32_t value, int target)
{
    int past = classic_label(c);
    classic_aim(c, CLASSIC_TRUE, past);
    classic_emit(c, BPF_JMP | comparison | BPF_K, value);
    classic_jump(c, target);
    classic_place(c, past);
}

bool classic_finish(struct classic_code *c)
{
    for (size_t i = 0; i < c->fixup_count && !c->failed; i++) {
        const struct classic_fixup *f = &c->fixups[i];
        uint32_t target = c->places[f->label];
        uint32_t distance = target - f->at - 1;
        if (target <= f->at || (f->part != CLASSIC_LONG && distance > 255))
            c->failed = true;
        else if (f->part == CLASSIC_LONG)
            c->code[f->at].k = distance;
        else if (f->part == CLASSIC_TRUE)
            c->code[f->at].jt = (uint8_t)distance;
        else
            c->code[f->at].jf = (uint8_t)distance;
    }
    return !c->failed;
}

void classic_load(struct classic_code *c, uint16_t size, uint32_t offset)
{
    classic_emit(c, BPF_LD | size | BPF_IND, offset);
}

void classic_store(struct classic_code *c, uint32_t word)
{
    classic_emit(c, BPF_ST, word);
}

void classic_reload(struct classic_code *c, uint32_t word)
{
    classic_emit(c, BPF_LD | BPF_MEM, word);
}

void classic_set_word(struct classic_code *c, uint32_t word, uint32_t value)
{
    classic_emit(c, BPF_LD | BPF_IMM, value);
    classic_store(c, word);
}

struct sock_filter *classic_take(struct classic_code *c, size_t *count)
{
    struct sock_filter *code = c->code;
    *count = c->count;
    c->code = NULL;
    classic_clear(c);
    return code;
}

void classic_clear(struct classic_code *c)
{
    free(c->code);
    free(c->fixups);
    free(c->places);
    *c = (struct classic_code){0};
}
