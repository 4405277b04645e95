/* password.c: see password.h. */
#include "core/password.h"

#include "base/config.h"
#include "wire/jid.h"

bool password_prepare(struct span typed, struct arena *arena, struct span *out)
{
    uint32_t characters = 0;
    if (!jid_prepare_password(typed, arena, out))
        return false;
    for (size_t i = 0; i < out->len; i++)
        characters += ((unsigned char)out->bytes[i] & 0xc0) != 0x80; /* UTF-8 */
    return characters >= config.password_length;
}
