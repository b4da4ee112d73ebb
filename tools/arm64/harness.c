/*
 * Runs the cases of a case file (Cases/CaseFile.cs describes it) through kernels compiled from C# without a runtime.
 *
 *   harness FILE
 *
 * One line per case that fails, one per kernel with its shape classes counted, then "N passed, N failed". Every buffer ends at a page without
 * access rights, tasks run from the last to the first. Each case is a region for icount.c, numbered from 0. Exit 0 if all pass.
 */
#include <math.h>
#include "runtime.h"

int edgesparse_run(int operation, uint8_t *parameters, uint8_t **buffers, uint8_t *scratch, int task);

enum { BUFFERS = 6, NAME = 64 };
enum { NONE, INPUT, RESULT, EXACT, IN_PLACE };

static FILE *file;

static void take(void *to, size_t size) { if (size && fread(to, 1, size, file) != size) fail("the case file ends early"); }

static int64_t number(void) { int64_t value; take(&value, sizeof value); return value; }

struct block { uint8_t *mapping, *start; size_t mapped; };

static struct block guarded(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (size + page - 1) / page * page;
    struct block b;
    b.mapped = body + page;
    b.mapping = mmap(NULL, b.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b.mapping == MAP_FAILED || mprotect(b.mapping + body, page, PROT_NONE)) fail("mmap failed");
    b.start = b.mapping + body - size;
    memset(b.start, 0xFF, size);
    return b;
}

/* Scratch and packed weights are 64-byte aligned for the kernels: sizes are rounded up for these. */
static struct block aligned(size_t size) { return guarded((size + 63) / 64 * 64); }

static int differs(const uint8_t *actual, const uint8_t *expected, const float *allowed, size_t size, int kind, char *message, size_t room)
{
    if (kind == EXACT) {
        for (size_t i = 0; i < size; i++)
            if (actual[i] != expected[i]) return snprintf(message, room, "byte %zu of %zu is %02x, expected %02x", i, size, actual[i], expected[i]);
        return 0;
    }
    for (size_t i = 0; i < size / 4; i++) {
        float a, e;
        memcpy(&a, actual + 4 * i, 4);
        memcpy(&e, expected + 4 * i, 4);
        if (a == e || (isnan(a) && isnan(e))) continue;
        if (!(fabs((double)a - e) <= allowed[i])) return snprintf(message, room, "element %zu of %zu is %.9g, expected %.9g within %.3g", i, size / 4, a, e, allowed[i]);
    }
    return 0;
}

static size_t kernel_length(const char *name)
{
    const char *dot = strstr(name, " \xc2\xb7 ");
    return dot ? (size_t)(dot - name) : strlen(name);
}

static char name[NAME];
static int passed, failed;

static void crashed(int signal)
{
    printf("CRASH %s: signal %d\n%d passed, %d failed\n", name, signal, passed, failed + 1);
    fflush(stdout);
    _exit(1);
}

int main(int count, char **arguments)
{
    if (count != 2) fail("usage: harness FILE");
    file = fopen(arguments[1], "rb");
    if (!file) fail("the case file cannot be opened");
    char magic[8];
    take(magic, 8);
    if (memcmp(magic, "ESARMCHK", 8)) fail("not a case file");
    start_runtime(crashed);

    int kernel_passed = 0, kernel_failed = 0;
    char kernel[NAME] = "";
    for (;;) {
        int64_t more = number();
        int64_t operation = 0, tasks = 0, scratch_size = 0, parameter_size = 0;
        memset(name, 0, NAME);
        if (more) {
            operation = number();
            tasks = number();
            scratch_size = number();
            parameter_size = number();
            take(name, NAME);
        }
        size_t length = kernel_length(name);
        if (strncmp(kernel, name, length) || strlen(kernel) != length) {
            if (*kernel) printf("%-32s %4d passed %4d failed\n", kernel, kernel_passed, kernel_failed);
            kernel_passed = kernel_failed = 0;
            memcpy(kernel, name, length);
            kernel[length] = 0;
        }
        if (!more) break;

        struct block parameters = aligned((size_t)parameter_size), scratch = aligned((size_t)scratch_size), blocks[BUFFERS];
        uint8_t *starts[BUFFERS], *expected[BUFFERS];
        float *allowed[BUFFERS];
        int64_t kinds[BUFFERS], sizes[BUFFERS];
        take(parameters.start, (size_t)parameter_size);
        for (int i = 0; i < BUFFERS; i++) {
            kinds[i] = number();
            sizes[i] = number();
            starts[i] = expected[i] = NULL;
            allowed[i] = NULL;
            if (kinds[i] == NONE) continue;
            /* Packed weights (the second buffer of the products) must be aligned; their size is a multiple of 4 only. */
            blocks[i] = i == 1 && kinds[i] == INPUT ? aligned((size_t)sizes[i]) : guarded((size_t)sizes[i]);
            starts[i] = blocks[i].start;
            if (kinds[i] == INPUT) { take(starts[i], (size_t)sizes[i]); continue; }
            if (kinds[i] == IN_PLACE) take(starts[i], (size_t)sizes[i]);
            expected[i] = malloc((size_t)sizes[i] + 1);
            take(expected[i], (size_t)sizes[i]);
            if (kinds[i] == EXACT) continue;
            allowed[i] = malloc((size_t)sizes[i] + 1);
            take(allowed[i], (size_t)sizes[i]);
        }
        char message[160] = "";
        int bad = 0;
        begin_region(passed + failed);
        for (int64_t task = tasks - 1; task >= 0 && !bad; task--)
            if (edgesparse_run((int)operation, parameters.start, starts, scratch.start, (int)task)) bad = snprintf(message, sizeof message, "unknown operation %d", (int)operation);
        end_region();
        for (int i = 0; i < BUFFERS && !bad; i++)
            if (expected[i]) bad = differs(starts[i], expected[i], allowed[i], (size_t)sizes[i], (int)kinds[i], message, sizeof message);
        if (bad) { printf("FAIL %s: %s\n", name, message); failed++; kernel_failed++; }
        else { passed++; kernel_passed++; }
        for (int i = 0; i < BUFFERS; i++) {
            if (starts[i]) munmap(blocks[i].mapping, blocks[i].mapped);
            free(expected[i]);
            free(allowed[i]);
        }
        munmap(parameters.mapping, parameters.mapped);
        munmap(scratch.mapping, scratch.mapped);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
