/* script.h: a dialog file as statements. A statement is a line and the indented lines after it;
 * an indented line that begins with "and" starts another expectation of the same statement.
 * '#' lines are comments. Lives in memory.h. */
#ifndef KITH_SIM_SCRIPT_H
#define KITH_SIM_SCRIPT_H

#include "tree.h"

#define STATEMENT_PARTS 32

struct statement {
    int line;
    unsigned count;
    const char *parts[STATEMENT_PARTS]; /* the first holds the words, the others are "and" */
    struct statement *next;
};

/* NULL: *fault says why. */
struct statement *script_read(const char *path, const char **fault);

/* Replaces \xHH \n \r \t \\ \{, {"text"*1000}, {base64:text}, and with variables also {name}.
 * Returned text may hold zero bytes. NULL bytes: *fault says why. */
struct text script_expand(const char *raw, const struct variables *variables, const char **fault);

/* The next word (a value in single quotes belongs to its word, without the quotes); NULL: no more.
 * *rest moves on to what follows the word. */
const char *script_word(const char **rest);

#endif
