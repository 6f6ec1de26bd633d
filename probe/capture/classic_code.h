/*
 * A small assembler for classic BPF: instructions, and jumps to labels that may
 * be placed later. Jumps only go forward. A conditional jump reaches 255
 * instructions, so there are two kinds: classic_aim() sets the targets of the
 * next instruction, which must be near; classic_jump_if() goes however far, by
 * way of a long jump.
 *
 * It starts as {0}; classic_take() or classic_clear() ends it.
 */
#ifndef PROBE_CAPTURE_CLASSIC_CODE_H
#define PROBE_CAPTURE_CLASSIC_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/filter.h>

enum { CLASSIC_CODE_LIMIT = 1 << 20 }; /* far past what the kernel takes */

enum classic_jump { CLASSIC_TRUE, CLASSIC_FALSE, CLASSIC_LONG };

struct classic_fixup;

struct classic_code {
    struct sock_filter *code;
    struct classic_fixup *fixups;
    uint32_t *places; /* of labels */
    size_t count, room, fixup_count, fixup_room, label_count, label_room;
    bool failed; /* no memory, or a bound was passed */
};

void classic_emit(struct classic_code *c, uint16_t code, uint32_t value);
int classic_label(struct classic_code *c);             /* a new one */
void classic_place(struct classic_code *c, int label); /* here */
/* A jump of the instruction that is emitted next gets this target. */
void classic_aim(struct classic_code *c, enum classic_jump jump, int label);
void classic_jump(struct classic_code *c, int label);
/* When the comparison (BPF_JEQ, BPF_JGE, ...) of A with the value holds, or
 * does not. */
void classic_jump_if(struct classic_code *c, uint16_t comparison,
                     uint32_t value, int label);
void classic_jump_unless(struct classic_code *c, uint16_t comparison,
                         uint32_t value, int label);
/* size: BPF_B, BPF_H, BPF_W; packet bytes at X + offset to A */
void classic_load(struct classic_code *c, uint16_t size, uint32_t offset);
/* A to one of the sixteen scratch words, and back. */
void classic_store(struct classic_code *c, uint32_t word);
void classic_reload(struct classic_code *c, uint32_t word);
void classic_set_word(struct classic_code *c, uint32_t word, uint32_t value);
/* Fills in all jumps; false when something did not fit. */
bool classic_finish(struct classic_code *c);
/* The instructions, the caller's to free. */
struct sock_filter *classic_take(struct classic_code *c, size_t *count);
void classic_clear(struct classic_code *c);

#endif
