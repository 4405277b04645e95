/* nickname.c: see nickname.h. */
#include "wire/nickname.h"

#include "base/must.h"
#include "wire/precis.h"

bool nickname_prepare(struct span text, struct arena *arena, struct span *out)
{
    struct precis_text points;
    char bytes[PRECIS_BYTES_MAX];
    if (!precis_read(text, &points) || !precis_nickname(&points))
        return false;
    size_t len = precis_write(&points, bytes);
    if (len == 0 || len > NICKNAME_BYTES_MAX)
        return false;
    *out = arena_copy(arena, span_of(bytes, len));
    return out->bytes != NULL;
}

/* false: not all of it is. */
static bool fold_ascii(struct span nick, char *out)
{
    for (size_t i = 0; i < nick.len; i++) {
        char byte = nick.bytes[i];
        if (byte & '\x80')
            return false;
        out[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
    }
    return true;
}

size_t nickname_fold(struct span nick, char out[NICKNAME_FOLDED_BYTES_MAX])
{
    struct precis_text points;
    char bytes[PRECIS_BYTES_MAX];
    must(nick.len <= NICKNAME_BYTES_MAX);
    if (fold_ascii(nick, out))
        return nick.len;
    must(precis_read(nick, &points) && precis_map(&points, PRECIS_MAP_LOWER));
    size_t len = precis_write(&points, bytes);
    must(len <= NICKNAME_FOLDED_BYTES_MAX);
    memcpy(out, bytes, len);
    return len;
}
