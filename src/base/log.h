/* log.h: lines on standard error for the person who runs the server. Never passwords, tokens or
 * message bodies. Printable ASCII only: other bytes are shown as \xHH, so a peer cannot forge
 * lines. */
#ifndef KITH_LOG_H
#define KITH_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_NOTE, LOG_DEBUG };

extern enum log_level log_limit; /* lines above it are left out; LOG_NOTE at start */

/* One line of at most 500 bytes: "kith: " and the text. Allocates nothing. */
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format, ...);

#endif
