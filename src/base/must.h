/* must.h: an assertion that stays on in release builds. For our own bugs only:
 * the peer's fault is a protocol error, a shortage is resource-constraint. */
#ifndef KITH_MUST_H
#define KITH_MUST_H

_Noreturn void must_fail(const char *condition, const char *file, int line);

#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            must_fail(#condition, __FILE__, __LINE__);                                             \
    } while (0)

#endif
