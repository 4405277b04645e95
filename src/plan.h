/* plan.h: making the memory plan from a profile, and showing it. */
#ifndef KITH_PLAN_MAKE_H
#define KITH_PLAN_MAKE_H

#include <stdbool.h>

#include "base/plan.h"
#include "wire/xml.h"

#define PLAN_WHY_BYTES 512

/* The profiles of boards/, built into the program; the last one has no name. */
struct profile {
    const char *name;
    const char *text;
};
extern const struct profile profiles[];

/* Fills the global plan from a profile (a name of boards/ or a file) for memory bytes (0: what the
 * profile says), with as many sessions as fit. false: why says what is wrong or missing. */
bool plan_make(const char *profile, uint64_t memory, char why[PLAN_WHY_BYTES]);

/* What the one parser is to accept under the plan; plan.parser_bytes is right for it. */
struct xml_limits plan_xml_limits(void);

/* Where memory comes from. */
enum duty_place { DUTY_HEAP, DUTY_SLABS, DUTY_SERVER, DUTY_KERNEL, DUTY_PROGRAM };

/* One purpose that memory is set aside for. */
struct duty {
    const char *name;
    enum duty_place place;
    uint64_t each; /* bytes */
    uint64_t count;
    const char *answer; /* what a client sees when it is used up */
};

/* The n-th duty of the plan, from 0; false: there are no more. */
bool plan_duty(unsigned n, struct duty *out);

/* Everything together; at most plan.memory_bytes. */
uint64_t plan_total(void);

/* The plan as a picture, on standard output. false: it could not be written. */
bool plan_print(void);

#endif
