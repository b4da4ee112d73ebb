/*
 * Runs a whole model: the plan, weights, input and expected output in a file that Models wrote (Models/PlanFile.cs describes it), through the executor compiled from C#.
 *
 *   model FILE
 *
 * Prints the largest difference of each output, then "1 passed, 0 failed" or the opposite; exit 0 if all outputs agree. Every step of the plan is a region for icount.c, numbered from 0.
 */
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "runtime.h"

void edgesparse_run_step(void *plan, int step);
int64_t edgesparse_plan_layout(void);

/* Execution/PlanLayout.cs, struct Plan. */
struct plan {
    uint8_t *steps;
    int32_t step_count;
    uint8_t *parameters, *arena, *constants, *scratch;
    int64_t scratch_stride;
};

struct header {
    char magic[8];
    int64_t layout, step_count, steps, parameters, constants, constant_bytes, arena_bytes, scratch_bytes, input_count, output_count;
};
struct input { int64_t arena_offset, content, bytes; };
struct output { int64_t in_constants, offset, expected, bytes, is_float; double tolerance; };

static void crashed(int signal)
{
    printf("CRASH: signal %d\n0 passed, 1 failed\n", signal);
    fflush(stdout);
    _exit(1);
}

static uint8_t *memory(int64_t size)
{
    void *block = mmap(NULL, (size_t)size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) fail("mmap failed");
    return block;
}

/* The largest difference of two float tensors over the largest expected magnitude; infinite where a value is not finite or all expected values are zero. */
static double difference(const uint8_t *actual, const uint8_t *expected, int64_t bytes, double *magnitude)
{
    double largest = 0;
    *magnitude = 0;
    for (int64_t i = 0; i < bytes; i += 4) {
        float a, e;
        memcpy(&a, actual + i, 4);
        memcpy(&e, expected + i, 4);
        if (!isfinite(a) || !isfinite(e)) return INFINITY;
        if (fabs((double)e) > *magnitude) *magnitude = fabs((double)e);
        if (fabs((double)a - e) > largest) largest = fabs((double)a - e);
    }
    return *magnitude > 0 ? largest / *magnitude : INFINITY;
}

int main(int count, char **arguments)
{
    if (count != 2) fail("usage: model FILE");
    start_runtime(crashed);
    int file = open(arguments[1], O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status)) fail("the plan file cannot be opened");
    uint8_t *start = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (start == MAP_FAILED) fail("the plan file cannot be mapped");
    const struct header *header = (const struct header *)start;
    if (memcmp(header->magic, "ESARMPLN", 8)) fail("not a plan file");
    if (header->layout != edgesparse_plan_layout()) fail("the plan's structures have another layout here");
    const struct input *inputs = (const struct input *)(header + 1);
    const struct output *outputs = (const struct output *)(inputs + header->input_count);

    struct plan plan;
    plan.steps = start + header->steps;
    plan.step_count = (int32_t)header->step_count;
    plan.parameters = start + header->parameters;
    plan.constants = start + header->constants;
    plan.arena = memory(header->arena_bytes);
    plan.scratch = memory(header->scratch_bytes);
    plan.scratch_stride = header->scratch_bytes;
    for (int64_t i = 0; i < header->input_count; i++) memcpy(plan.arena + inputs[i].arena_offset, start + inputs[i].content, (size_t)inputs[i].bytes);

    for (int32_t step = 0; step < plan.step_count; step++) {
        begin_region(step);
        edgesparse_run_step(&plan, step);
        end_region();
    }

    int failed = 0;
    for (int64_t i = 0; i < header->output_count; i++) {
        const uint8_t *actual = (outputs[i].in_constants ? plan.constants : plan.arena) + outputs[i].offset, *expected = start + outputs[i].expected;
        if (outputs[i].is_float) {
            double magnitude, error = difference(actual, expected, outputs[i].bytes, &magnitude);
            int bad = !(error <= outputs[i].tolerance);
            printf("output %lld: %lld values, largest %.4g, largest difference %.2g of it%s\n", (long long)i, (long long)outputs[i].bytes / 4, magnitude, error, bad ? ": too much" : "");
            failed |= bad;
        } else {
            int bad = memcmp(actual, expected, (size_t)outputs[i].bytes) != 0;
            printf("output %lld: %lld bytes, %s\n", (long long)i, (long long)outputs[i].bytes, bad ? "different" : "equal");
            failed |= bad;
        }
    }
    printf("%d passed, %d failed\n", !failed, failed);
    return failed;
}
