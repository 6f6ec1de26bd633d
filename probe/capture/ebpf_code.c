#include "probe/capture/ebpf_code.h"

#include <string.h>

void ebpf_start(struct ebpf_code *c)
{
    memset(c, 0, sizeof(*c));
}

void ebpf_emit(struct ebpf_code *c, uint8_t code, uint8_t to, uint8_t from,
               int16_t offset, int32_t value)
{
    if (c->count == EBPF_CODE_MAX) {
        c->failed = true;
        return;
    }
    c->code[c->count++] = (struct bpf_insn){.code = code,
                                            .dst_reg = to & 15,
                                            .src_reg = from & 15,
                                            .off = offset,
                                            .imm = value};
}

int ebpf_label(struct ebpf_code *c)
{
    if (c->labels == EBPF_LABELS_MAX) {
        c->failed = true;
        return 0;
    }
    c->place[c->labels] = -1;
    return c->labels++;
}

void ebpf_place(struct ebpf_code *c, int label)
{
    c->place[label] = (int16_t)c->count;
}

bool ebpf_finish(struct ebpf_code *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->label_of[i] == 0)
            continue;
        int place = c->place[c->label_of[i] - 1];
        if (place <= (int)i)
            c->failed = true;
        c->code[i].off = (int16_t)(place - (int)i - 1);
    }
    return !c->failed;
}

void ebpf_move(struct ebpf_code *c, uint8_t to, uint8_t from)
{
    ebpf_emit(c, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

void ebpf_set(struct ebpf_code *c, uint8_t to, int32_t value)
{
    ebpf_emit(c, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}

void ebpf_math(struct ebpf_code *c, uint8_t operation, uint8_t to,
               int32_t value)
{
    ebpf_emit(c, BPF_ALU64 | operation | BPF_K, to, 0, 0, value);
}

void ebpf_math_with(struct ebpf_code *c, uint8_t operation, uint8_t to,
                    uint8_t from)
{
    ebpf_emit(c, BPF_ALU64 | operation | BPF_X, to, from, 0, 0);
}

void ebpf_load(struct ebpf_code *c, uint8_t size, uint8_t to, uint8_t base,
               int16_t offset)
{
    ebpf_emit(c, BPF_LDX | size | BPF_MEM, to, base, offset, 0);
}

void ebpf_store(struct ebpf_code *c, uint8_t size, uint8_t base, int16_t offset,
                uint8_t from)
{
    ebpf_emit(c, BPF_STX | size | BPF_MEM, base, from, offset, 0);
}

void ebpf_packet(struct ebpf_code *c, uint8_t size, uint8_t base,
                 int32_t offset)
{
    ebpf_emit(c, BPF_LD | size | BPF_IND, 0, base, 0, offset);
}

void ebpf_jump_if(struct ebpf_code *c, uint8_t operation, uint8_t reg,
                  int32_t value, int label)
{
    if (c->count < EBPF_CODE_MAX)
        c->label_of[c->count] = (int16_t)(label + 1);
    ebpf_emit(c, BPF_JMP | operation | BPF_K, reg, 0, 0, value);
}

void ebpf_jump_with(struct ebpf_code *c, uint8_t operation, uint8_t reg,
                    uint8_t other, int label)
{
    if (c->count < EBPF_CODE_MAX)
        c->label_of[c->count] = (int16_t)(label + 1);
    ebpf_emit(c, BPF_JMP | operation | BPF_X, reg, other, 0, 0);
}

void ebpf_jump(struct ebpf_code *c, int label)
{
    ebpf_jump_if(c, BPF_JA, 0, 0, label);
}

void ebpf_call(struct ebpf_code *c, int32_t helper)
{
    ebpf_emit(c, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

void ebpf_map(struct ebpf_code *c, uint8_t to, int map_fd)
{
    ebpf_emit(c, BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, map_fd);
    ebpf_emit(c, 0, 0, 0, 0, 0);
}

void ebpf_map_value(struct ebpf_code *c, uint8_t to, int map_fd)
{
    ebpf_emit(c, BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_VALUE, 0,
              map_fd);
    ebpf_emit(c, 0, 0, 0, 0, 0);
}

void ebpf_exit(struct ebpf_code *c)
{
    ebpf_emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}
