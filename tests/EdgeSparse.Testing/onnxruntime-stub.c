/* A library with ONNX Runtime's interface that computes y = x + 1 on float [1, 4], counts what lives, and fails at a call that is asked for.
   -DTOO_OLD: it does not have the version that is asked for; -DNO_BASE: it is not ONNX Runtime; -DNO_CUDA: it was built without cuda.
   -DABORT_AT_RUN=n: the process aborts at the n-th run; -DHANG_AT_RUN=n: that run never comes back; -DPOISON: it aborts where the first input is 666. */
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct { char text[64]; } status;
typedef struct { float *data; int owned; } value;

static int missing = -1, calls, fail_at = -1, live, sessions_on_cuda;
static void *functions[256];

void stub_reset(int at) { calls = 0; fail_at = at; }
void stub_without(int function) { missing = function; }
int stub_calls(void) { return calls; }
int stub_live(void) { return live; }

static status *may_fail(const char *name) {
    if (calls++ != fail_at) return NULL;
    status *s = malloc(sizeof *s);
    live++;
    snprintf(s->text, sizeof s->text, "call %d\n(%s) fails", calls - 1, name);
    return s;
}
#define CALL(name) do { status *s = may_fail(name); if (s) return s; } while (0)

static const char *error_message(status *s) { return s->text; }
static void release(void *p) { if (p) { live--; free(p); } }
static void *make(size_t size) { live++; return calloc(1, size); }

static status *create_env(int level, const char *id, void **out) { CALL("CreateEnv"); *out = calloc(1, 1); return NULL; }
static status *create_options(void **out) { CALL("CreateSessionOptions"); *out = make(4); return NULL; }
static status *set_int(void *o, int n) { CALL("SetInt"); return NULL; }
static status *add_entry(void *o, const char *k, const char *v) { CALL("AddSessionConfigEntry"); return NULL; }
static status *create_session(void *env, const void *model, size_t size, void *options, void **out) { CALL("CreateSessionFromArray"); *out = make(4); return NULL; }
static status *count(void *s, size_t *n) { CALL("Count"); *n = 1; return NULL; }
static status *allocator(void **out) { CALL("GetAllocatorWithDefaultOptions"); static int one; *out = &one; return NULL; }
static status *name_of(const char *text, char **out) { live++; *out = strdup(text); return NULL; }
static status *input_name(void *s, size_t i, void *a, char **out) { CALL("SessionGetInputName"); return name_of("x", out); }
static status *output_name(void *s, size_t i, void *a, char **out) { CALL("SessionGetOutputName"); return name_of("y", out); }
static status *free_name(void *a, void *p) { status *s = may_fail("AllocatorFree"); live--; free(p); return s; }
static status *type_info(void *s, size_t i, void **out) { CALL("TypeInfo"); *out = make(4); return NULL; }
static status *cast_info(void *t, void **out) { CALL("CastTypeInfoToTensorInfo"); *out = t; return NULL; }
static status *element_type(void *t, int *out) { CALL("GetTensorElementType"); *out = 1; return NULL; }
static status *rank(void *t, size_t *out) { CALL("GetDimensionsCount"); *out = 2; return NULL; }
static status *dimensions(void *t, int64_t *out, size_t n) { CALL("GetDimensions"); out[0] = 1; out[1] = 4; return NULL; }
static status *memory_info(int a, int m, void **out) { CALL("CreateCpuMemoryInfo"); *out = make(4); return NULL; }
static status *wrap(void *info, void *data, size_t bytes, const int64_t *dims, size_t n, int type, value **out) {
    CALL("CreateTensorWithDataAsOrtValue");
    *out = make(sizeof **out); (*out)->data = data; return NULL;
}
static void release_value(value *v) { if (!v) return; if (v->owned) free(v->data); release(v); }
static status *data_of(value *v, void **out) { CALL("GetTensorMutableData"); *out = v->data; return NULL; }
static status *shape_of(value *v, void **out) { CALL("GetTensorTypeAndShape"); *out = make(4); return NULL; }
static status *run(void *s, void *o, const char **in, value **x, size_t nx, const char **on, size_t ny, value **y) {
    CALL("Run");
    static int runs;
    runs++;
#ifdef ABORT_AT_RUN
    if (runs == ABORT_AT_RUN) abort();
#endif
#ifdef HANG_AT_RUN
    while (runs == HANG_AT_RUN) pause();
#endif
#ifdef POISON
    if (x[0]->data[0] == 666) abort();
#endif
    if (!y[0]) { y[0] = make(sizeof *y[0]); y[0]->data = malloc(4 * sizeof(float)); y[0]->owned = 1; }
    for (int i = 0; i < 4; i++) y[0]->data[i] = x[0]->data[i] + 1;
    return NULL;
}
static status *providers(char ***out, int *n) {
    CALL("GetAvailableProviders");
    static char *names[] = { "CPUExecutionProvider", "CUDAExecutionProvider" };
    *out = names;
#ifdef NO_CUDA
    *n = 1;
#else
    *n = 2;
#endif
    live++; return NULL;
}
static status *release_providers(char **p, int n) { status *s = may_fail("ReleaseAvailableProviders"); live--; return s; }
static status *cuda_options(void **out) { CALL("CreateCUDAProviderOptions"); *out = make(4); return NULL; }
static status *cuda_update(void *o, const char **k, const char **v, size_t n) {
    CALL("UpdateCUDAProviderOptions");
    if (n == 1 && !strcmp(k[0], "device_id") && !strcmp(v[0], "2")) return NULL;
    status *s = malloc(sizeof *s); live++; strcpy(s->text, "other options than expected"); return s;
}
static status *append_cuda(void *o, void *c) { CALL("SessionOptionsAppendExecutionProvider_CUDA_V2"); sessions_on_cuda++; return NULL; }

static const void *get_api(uint32_t version) {
#ifdef TOO_OLD
    return NULL;
#else
    functions[2] = error_message; functions[3] = create_env; functions[7] = functions[8] = create_session; functions[9] = run; functions[10] = create_options;
    functions[23] = functions[24] = functions[25] = set_int; functions[30] = functions[31] = count; functions[33] = functions[34] = type_info;
    functions[36] = input_name; functions[37] = output_name; functions[49] = wrap; functions[51] = data_of; functions[55] = cast_info;
    functions[60] = element_type; functions[61] = rank; functions[62] = dimensions; functions[65] = shape_of; functions[69] = memory_info;
    functions[76] = free_name; functions[78] = allocator; functions[93] = functions[94] = functions[95] = release; functions[96] = release_value;
    functions[98] = functions[99] = functions[100] = release; functions[125] = providers; functions[126] = release_providers; functions[130] = add_entry;
    functions[204] = append_cuda; functions[205] = cuda_options; functions[206] = cuda_update; functions[208] = release;
    if (missing >= 0) functions[missing] = NULL;
    return functions;
#endif
}
static const char *version_string(void) { return "1.9.0-stub"; }

#ifndef NO_BASE
static const void *base[2] = { get_api, version_string };
const void *OrtGetApiBase(void) { return base; }
#else
const void *unused(void) { return get_api(version_string() != NULL); }
#endif
