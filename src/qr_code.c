/* qr_code.c: see qr_code.h. */
#include "qr_code.h"

#include <qrencode.h>

#define QUIET 2                    /* light modules around it; the norm's 4 would scroll away */
#define DARK_ON_LIGHT "\33[30;47m" /* ECMA-48 8.3.117 */
#define AS_BEFORE "\33[0m"

/* Light outside of the pattern. */
static bool is_dark(const QRcode *code, int row, int column)
{
    return row >= 0 && row < code->width && column >= 0 && column < code->width &&
           (code->data[row * code->width + column] & 1);
}

bool qr_code_print(FILE *out, const char *text)
{
    /* By whether the upper and the lower module are dark: U+2580, U+2584, U+2588. */
    static const char *const blocks[] = {" ", "\xe2\x96\x80", "\xe2\x96\x84", "\xe2\x96\x88"};
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    if (code == NULL)
        return false;
    int end = code->width + QUIET;
    bool fits = end + QUIET <= QR_CODE_COLUMNS_MAX;
    for (int row = -QUIET; fits && row < end; row += 2) {
        fputs(DARK_ON_LIGHT, out);
        for (int column = -QUIET; column < end; column++)
            fputs(blocks[is_dark(code, row, column) + 2 * is_dark(code, row + 1, column)], out);
        fputs(AS_BEFORE "\n", out);
    }
    QRcode_free(code);
    return fits;
}

const char *qr_code_library(void)
{
    static char text[32];
    snprintf(text, sizeof text, "libqrencode %s", QRcode_APIVersionString());
    return text;
}
