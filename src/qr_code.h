/* qr_code.h: a text as a QR code (ISO/IEC 18004) on a terminal, two modules a character. Owns
 * nothing. Limit: as wide as an ordinary terminal. */
#ifndef KITH_QR_CODE_H
#define KITH_QR_CODE_H

#include <stdbool.h>
#include <stdio.h>

#define QR_CODE_COLUMNS_MAX 80

/* Dark on light whatever the terminal's colours are. false: nothing was printed, since the text is
 * too long or there is no memory (which comes from malloc, less than 10 KB, and is given back). */
bool qr_code_print(FILE *out, const char *text);

const char *qr_code_library(void);

#endif
