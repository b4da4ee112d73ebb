/*
 * QEMU plugin (user mode, plugin API version 1: QEMU 4.2 to 8.x; the prototypes below are all it needs of it): counts the instructions that the guest
 * executes between two markers, and which of them are vector multiply-adds, loads and stores.
 *
 *   qemu-aarch64 -plugin libicount.so,out=FILE PROGRAM
 *
 * The program marks a region by two system calls that Linux does not have (runtime.h): MARK_BEGIN with the region's number, MARK_END. For each region FILE
 * gets a line "region NUMBER INSTRUCTIONS FMLA LOADS STORES" (fmla: vector fused multiply-adds of four floats; a load or store of a pair counts once) and, for every function
 * that took a hundredth of it or more, "  function INSTRUCTIONS FMLA NAME".
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "markers.h"

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*tb_callback)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*syscall_callback)(qemu_plugin_id_t, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, tb_callback);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int, void *, uint64_t);
extern void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, syscall_callback);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
extern const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

/* A translated block: how often it ran, and what one run executes. */
struct block { uint64_t runs, instructions, fmla, loads, stores; const char *function; struct block *next; };
struct total { uint64_t instructions, fmla; const char *function; };

static struct block *blocks;
static FILE *out;
static uint64_t region;
static int inside;

/* Floating-point multiply-add of four floats: "fmla v.4s" with three vectors, or by one element. */
static int is_fmla(uint32_t code) { return (code & 0xFFE0FC00) == 0x4E20CC00 || (code & 0xFFC0F400) == 0x4F801000; }

/* Loads and stores: bits 27 and 25 are 1 and 0. */
static int is_memory(uint32_t code) { return (code & 0x0A000000) == 0x08000000; }

static int is_load(uint32_t code)
{
    if ((code & 0x3B000000) == 0x18000000) return 1;                                     /* literal */
    if (code >> 22 & 1) return 1;                                                        /* the L bit of pairs, structures and plain loads */
    return (code & 0x3A000000) == 0x38000000 && !(code >> 26 & 1) && (code >> 23 & 1);   /* sign-extending loads to 64 bits */
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    struct block *b = calloc(1, sizeof *b);
    if (!b) abort();
    b->instructions = qemu_plugin_tb_n_insns(tb);
    for (size_t i = 0; i < b->instructions; i++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
        uint32_t code;
        memcpy(&code, qemu_plugin_insn_data(instruction), sizeof code);
        if (is_fmla(code)) b->fmla++;
        else if (is_memory(code)) { if (is_load(code)) b->loads++; else b->stores++; }
        if (i == 0) b->function = qemu_plugin_insn_symbol(instruction);
    }
    b->next = blocks;
    blocks = b;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &b->runs, 1);
}

static int by_function(const void *a, const void *b)
{
    const char *left = (*(struct block *const *)a)->function, *right = (*(struct block *const *)b)->function;
    return strcmp(left ? left : "", right ? right : "");
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = ((const struct total *)a)->instructions, right = ((const struct total *)b)->instructions;
    return left < right ? 1 : left > right ? -1 : 0;
}

static void report(void)
{
    uint64_t instructions = 0, fmla = 0, loads = 0, stores = 0;
    size_t count = 0, functions = 0;
    for (struct block *b = blocks; b; b = b->next) if (b->runs) count++;
    struct block **ran = malloc((count + 1) * sizeof *ran);
    struct total *totals = malloc((count + 1) * sizeof *totals);
    if (!ran || !totals) abort();
    count = 0;
    for (struct block *b = blocks; b; b = b->next) {
        if (!b->runs) continue;
        ran[count++] = b;
        instructions += b->runs * b->instructions;
        fmla += b->runs * b->fmla;
        loads += b->runs * b->loads;
        stores += b->runs * b->stores;
    }
    qsort(ran, count, sizeof *ran, by_function);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || by_function(&ran[i - 1], &ran[i])) totals[functions++] = (struct total){ 0, 0, ran[i]->function };
        totals[functions - 1].instructions += ran[i]->runs * ran[i]->instructions;
        totals[functions - 1].fmla += ran[i]->runs * ran[i]->fmla;
    }
    qsort(totals, functions, sizeof *totals, by_size);
    fprintf(out, "region %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", region, instructions, fmla, loads, stores);
    for (size_t i = 0; i < functions && totals[i].instructions * 100 >= instructions; i++)
        fprintf(out, "  function %" PRIu64 " %" PRIu64 " %s\n", totals[i].instructions, totals[i].fmla, totals[i].function ? totals[i].function : "?");
    fflush(out);
    free(ran);
    free(totals);
}

static void called(qemu_plugin_id_t id, unsigned cpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7, uint64_t a8)
{
    (void)id, (void)cpu, (void)a2, (void)a3, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (number == MARK_BEGIN) {
        for (struct block *b = blocks; b; b = b->next) b->runs = 0;
        region = a1;
        inside = 1;
    } else if (number == MARK_END && inside) {
        inside = 0;
        report();
    }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count, char **arguments)
{
    (void)info;
    if (count != 1 || strncmp(arguments[0], "out=", 4)) {
        fprintf(stderr, "icount: expected one argument, out=FILE\n");
        return 1;
    }
    out = fopen(arguments[0] + 4, "w");
    if (!out) {
        perror(arguments[0] + 4);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
