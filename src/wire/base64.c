/* base64.c: see base64.h. */
#include "wire/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(struct span bytes, char *out)
{
    const unsigned char *in = (const unsigned char *)bytes.bytes;
    size_t written = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t group = (uint32_t)in[i] << 16;
        if (left > 1)
            group |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            group |= in[i + 2];
        out[written++] = alphabet[group >> 18];
        out[written++] = alphabet[group >> 12 & 63];
        out[written++] = left > 1 ? alphabet[group >> 6 & 63] : '=';
        out[written++] = left > 2 ? alphabet[group & 63] : '=';
    }
    return written;
}

/* 64: not of the alphabet. */
static uint32_t value_of(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return (uint32_t)(digit - 'A');
    if (digit >= 'a' && digit <= 'z')
        return (uint32_t)(digit - 'a') + 26;
    if (digit >= '0' && digit <= '9')
        return (uint32_t)(digit - '0') + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : 64;
}

bool base64_decode(struct span text, void *out, size_t *out_len)
{
    unsigned char *bytes = out;
    size_t written = 0;
    if (text.len % 4 != 0)
        return false;
    for (size_t i = 0; i < text.len; i += 4) {
        const char *digits = text.bytes + i;
        size_t padding = 0;
        if (i + 4 == text.len)
            padding = digits[3] != '=' ? 0 : digits[2] != '=' ? 1 : 2;
        uint32_t group = 0;
        for (size_t digit = 0; digit < 4; digit++) {
            uint32_t value = digit < 4 - padding ? value_of(digits[digit]) : 0;
            if (value == 64)
                return false;
            group = group << 6 | value;
        }
        /* RFC 4648 3.5: the bits that padding cuts off are zero. */
        if (group & ((1u << 8 * padding) - 1))
            return false;
        bytes[written++] = (unsigned char)(group >> 16);
        if (padding < 2)
            bytes[written++] = (unsigned char)(group >> 8);
        if (padding < 1)
            bytes[written++] = (unsigned char)group;
    }
    *out_len = written;
    return true;
}
