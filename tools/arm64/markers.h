/* System calls that Linux does not have: the kernel answers "not implemented", icount.c takes them for the ends of a region to count. */
#define MARK_BEGIN 0x5CA11
#define MARK_END 0x5CA12
