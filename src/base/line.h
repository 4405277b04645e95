/* line.h: text of others shown in one line: what could move a terminal's cursor, end the line, or
 * turn around how it reads is not shown. */
#ifndef KITH_LINE_H
#define KITH_LINE_H

#include <stdio.h>

#include "base/span.h"

/* Bytes of the character at the start of `text`, UTF-8, if it may not stand in a line: controls
 * (C0, DEL, C1), separators of lines, controls of direction (Unicode UAX #9 2). 0: it may. */
size_t line_unfit(struct span text);

/* With a question mark for each of those. */
void line_print(FILE *file, struct span text);

#endif
