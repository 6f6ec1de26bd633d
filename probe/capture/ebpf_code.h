/*
 * A small assembler for eBPF: instructions, and jumps to labels that may be
 * placed later. Jumps only go forward, as the oldest kernels want it.
 */
#ifndef PROBE_CAPTURE_EBPF_CODE_H
#define PROBE_CAPTURE_EBPF_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bpf.h>

enum { EBPF_CODE_MAX = 4096, EBPF_LABELS_MAX = 512 };

struct ebpf_code {
    struct bpf_insn code[EBPF_CODE_MAX];
    size_t count;
    int16_t label_of[EBPF_CODE_MAX]; /* of a jump, + 1 */
    int16_t place[EBPF_LABELS_MAX];  /* of a label, -1 */
    int labels;
    bool failed; /* a bound was passed */
};

void ebpf_start(struct ebpf_code *c);
void ebpf_emit(struct ebpf_code *c, uint8_t code, uint8_t to, uint8_t from,
               int16_t offset, int32_t value);
int ebpf_label(struct ebpf_code *c);             /* a new one */
void ebpf_place(struct ebpf_code *c, int label); /* here */
/* Fills in all jumps; false when something did not fit. */
bool ebpf_finish(struct ebpf_code *c);

void ebpf_move(struct ebpf_code *c, uint8_t to, uint8_t from);
void ebpf_set(struct ebpf_code *c, uint8_t to, int32_t value);
/* 64-bit arithmetic: BPF_ADD, BPF_AND, BPF_LSH, BPF_RSH, ... */
void ebpf_math(struct ebpf_code *c, uint8_t operation, uint8_t to,
               int32_t value);
void ebpf_math_with(struct ebpf_code *c, uint8_t operation, uint8_t to,
                    uint8_t from);
/* size: BPF_B, BPF_H, BPF_W, BPF_DW */
void ebpf_load(struct ebpf_code *c, uint8_t size, uint8_t to, uint8_t base,
               int16_t offset);
void ebpf_store(struct ebpf_code *c, uint8_t size, uint8_t base, int16_t offset,
                uint8_t from);
/* Packet bytes at register + offset into r0, host order; r1 to r5 are lost.
 * Past the end of the packet the program ends with 0. */
void ebpf_packet(struct ebpf_code *c, uint8_t size, uint8_t base,
                 int32_t offset);
/* operation: BPF_JEQ, BPF_JNE, BPF_JGE, ... against a constant */
void ebpf_jump_if(struct ebpf_code *c, uint8_t operation, uint8_t reg,
                  int32_t value, int label);
/* ... against another register */
void ebpf_jump_with(struct ebpf_code *c, uint8_t operation, uint8_t reg,
                    uint8_t other, int label);
void ebpf_jump(struct ebpf_code *c, int label);
void ebpf_call(struct ebpf_code *c, int32_t helper);
void ebpf_map(struct ebpf_code *c, uint8_t to, int map_fd);
/* The address of the only value of an array map. */
void ebpf_map_value(struct ebpf_code *c, uint8_t to, int map_fd);
void ebpf_exit(struct ebpf_code *c);

#endif
