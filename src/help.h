/* help.h: help texts in two columns, as wide as the narrowest terminal. */
#ifndef KITH_HELP_H
#define KITH_HELP_H

/* Prints a row: what it is about, then from this column on what is said about it, on a line of its
 * own if the first is too long. Both are broken between words, and never within [brackets]. */
void help_row(const char *name, const char *text, unsigned column);

/* The keys of kith.conf. */
void help_keys(void);

#endif
