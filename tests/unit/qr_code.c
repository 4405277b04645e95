/* Tests of src/qr_code.c: what stands on the terminal is the code, with its quiet zone. Whether it
 * can be read by a camera is for tests/clients/commands.py. */
#include "qr_code.h"

#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define LINK "xmpp:anna@chat.example?roster;preauth=abcdefghijklmnopqrstuvwx27;ibr=y"
#define MODULES_MAX 80

/* true: dark. */
static bool modules[MODULES_MAX][MODULES_MAX];
static int rows, columns;

/* Takes apart what was printed. false: it is not made of the four blocks. */
static bool screen_read(const char *text)
{
    static const char *const blocks[] = {" ", "\xe2\x96\x80", "\xe2\x96\x84", "\xe2\x96\x88"};
    static const char before[] = "\33[30;47m", after[] = "\33[0m\n";
    memset(modules, 0, sizeof modules);
    for (rows = 0; *text != '\0'; rows += 2) {
        if (strncmp(text, before, strlen(before)) != 0)
            return false;
        text += strlen(before);
        for (columns = 0; strncmp(text, after, strlen(after)) != 0; columns++) {
            int block = 0;
            while (block < 4 && strncmp(text, blocks[block], strlen(blocks[block])) != 0)
                block++;
            if (block == 4 || rows + 2 > MODULES_MAX || columns == MODULES_MAX)
                return false;
            modules[rows][columns] = block & 1;
            modules[rows + 1][columns] = block & 2;
            text += strlen(blocks[block]);
        }
        text += strlen(after);
    }
    return true;
}

/* What is printed for a text; false: nothing. */
static bool print(const char *text)
{
    static char screen[65536];
    FILE *out = fmemopen(screen, sizeof screen, "w");
    CHECK(out != NULL);
    if (out == NULL)
        return false;
    bool printed = qr_code_print(out, text);
    CHECK(fclose(out) == 0);
    CHECK(printed == (screen[0] != '\0'));
    CHECK(!printed || screen_read(screen));
    memset(screen, 0, sizeof screen);
    return printed;
}

static void test_same(void)
{
    QRcode *code = QRcode_encodeString8bit(LINK, 0, QR_ECLEVEL_L);
    bool same = true, quiet = true;
    CHECK(code != NULL && print(LINK));
    CHECK(columns == code->width + 4 && rows >= columns && rows <= columns + 1);
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            int y = row - 2, x = column - 2;
            bool inside = y >= 0 && y < code->width && x >= 0 && x < code->width;
            if (!inside)
                quiet = quiet && !modules[row][column];
            else
                same = same && modules[row][column] == (code->data[y * code->width + x] & 1);
        }
    CHECK(same);
    CHECK(quiet);
    QRcode_free(code);
}

/* ISO/IEC 18004 6.3.3: a finder pattern in three corners. */
static void test_finders(void)
{
    CHECK(print("x"));
    CHECK(columns == 21 + 4);
    for (int corner = 0; corner < 3; corner++) {
        int top = corner == 2 ? columns - 9 : 2, left = corner == 1 ? columns - 9 : 2;
        bool good = true;
        for (int y = 0; y < 7; y++)
            for (int x = 0; x < 7; x++) {
                int edge = y < 6 - y ? y : 6 - y;
                int side = x < 6 - x ? x : 6 - x;
                bool dark = (edge < side ? edge : side) != 1;
                good = good && modules[top + y][left + x] == dark;
            }
        CHECK(good);
    }
}

static void test_too_long(void)
{
    static char text[4001];
    memset(text, 'x', 400);
    CHECK(print(text));
    CHECK(columns <= QR_CODE_COLUMNS_MAX);
    memset(text, 'x', 800); /* wider than a terminal */
    CHECK(!print(text));
    memset(text, 'x', 4000); /* more than any QR code holds */
    CHECK(!print(text));
}

int main(void)
{
    test_same();
    test_finders();
    test_too_long();
    return test_end();
}
