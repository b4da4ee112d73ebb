/* What code compiled from C# without a runtime expects of one, and what the programs that call it share. Included once in each program. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "markers.h"

int g_cpuFeatures;
uintptr_t __security_cookie = 0x5ca1ab1e;
void RhpReversePInvoke(void *frame) { (void)frame; }
void RhpReversePInvokeReturn(void *frame) { (void)frame; }
void RhpPInvoke(void *frame) { (void)frame; }
void RhpPInvokeReturn(void *frame) { (void)frame; }
void *RhSpanHelpers_MemCopy(void *to, const void *from, size_t size) { return memmove(to, from, size); }
void *RhSpanHelpers_MemZero(void *to, size_t size) { return memset(to, 0, size); }
void *RhSpanHelpers_MemSet(void *to, int value, size_t size) { return memset(to, value, size); }

int edgesparse_instruction_sets(void);

static void fail(const char *what) { fprintf(stderr, "arm64: %s\n", what); exit(2); }

static void begin_region(int64_t number) { syscall(MARK_BEGIN, number); }
static void end_region(void) { syscall(MARK_END); }

/* Signals of a read or write outside a buffer, or of a call of something that only a runtime has. */
static void start_runtime(void (*crashed)(int))
{
    signal(SIGSEGV, crashed);
    signal(SIGBUS, crashed);
    signal(SIGILL, crashed);
    signal(SIGTRAP, crashed);
    unsigned long capabilities = getauxval(AT_HWCAP);
    /* The compiler's run-time test for dot product and rounding doubling multiplication: bits 3 and 4 of its own flags. */
    g_cpuFeatures = 1 | (int)((capabilities >> 20 & 1) << 3) | (int)((capabilities >> 12 & 1) << 4);
    if (edgesparse_instruction_sets() != 3) fail("the kernels were not compiled for NEON");
    setvbuf(stdout, NULL, _IOLBF, 0);
}
