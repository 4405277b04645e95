/* domain.c: see domain.h. Punycode is RFC 3492, the mapping before it RFC 5895. */
#include "wire/domain.h"

#include <arpa/inet.h>

#include "base/must.h"
#include "wire/precis.h"

/* RFC 3492 5 */
enum { BASE = 36, THRESHOLD_MIN = 1, THRESHOLD_MAX = 26, SKEW = 38, DAMP = 700, BIAS = 72 };

#define IDEOGRAPHIC_FULL_STOP 0x3002
#define A_LABEL_PREFIX_LEN 4 /* xn-- */

static uint32_t bias_adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    while (delta > (BASE - THRESHOLD_MIN) * THRESHOLD_MAX / 2) {
        delta /= BASE - THRESHOLD_MIN;
        k += BASE;
    }
    return k + (BASE - THRESHOLD_MIN + 1) * delta / (delta + SKEW);
}

static uint32_t threshold(uint32_t k, uint32_t bias)
{
    if (k <= bias + THRESHOLD_MIN)
        return THRESHOLD_MIN;
    return k >= bias + THRESHOLD_MAX ? THRESHOLD_MAX : k - bias;
}

/* Digits that a variable-length integer takes (RFC 3492 3.3). */
static size_t digits_of(uint32_t delta, uint32_t bias)
{
    size_t digits = 1;
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t limit = threshold(k, bias);
        if (delta < limit)
            return digits;
        delta = (delta - limit) / (BASE - limit);
        digits++;
    }
}

/* Bytes of the A-label of a U-label of at most LABEL_BYTES_MAX code points (RFC 3492 6.3). */
static size_t a_label_bytes(const uint32_t *points, size_t len)
{
    uint32_t done = 0;
    for (size_t i = 0; i < len; i++)
        done += points[i] < 0x80;
    const uint32_t basic = done;
    size_t bytes = A_LABEL_PREFIX_LEN + basic + (basic > 0);
    uint32_t n = 0x80;
    uint32_t delta = 0;
    uint32_t bias = BIAS;
    while (done < len) {
        uint32_t next = UINT32_MAX;
        for (size_t i = 0; i < len; i++) {
            if (points[i] >= n && points[i] < next)
                next = points[i];
        }
        delta += (next - n) * (done + 1);
        n = next;
        for (size_t i = 0; i < len; i++) {
            if (points[i] < n)
                delta++;
            if (points[i] != n)
                continue;
            bytes += digits_of(delta, bias);
            bias = bias_adapt(delta, done + 1, done == basic);
            delta = 0;
            done++;
        }
        delta++;
        n++;
    }
    return bytes;
}

/* The value of a digit in lower case, BASE: none. */
static uint32_t digit_of(uint32_t point)
{
    if (point >= 'a' && point <= 'z')
        return point - 'a';
    return point >= '0' && point <= '9' ? point - '0' + 26 : BASE;
}

/* Adds one variable-length integer to *value, from *at on. */
static bool integer_read(const uint32_t *points, size_t len, size_t *at, uint32_t bias,
                         uint32_t *value)
{
    uint64_t sum = *value;
    uint64_t weight = 1;
    for (uint32_t k = BASE; *at < len; k += BASE) {
        uint32_t digit = digit_of(points[(*at)++]);
        uint32_t limit = threshold(k, bias);
        if (digit == BASE)
            return false;
        sum += digit * weight;
        /* More than any position of any code point in a label. */
        if (sum > (uint64_t)0x110000 * (LABEL_BYTES_MAX + 1))
            return false;
        if (digit < limit) {
            *value = (uint32_t)sum;
            return true;
        }
        weight *= BASE - limit;
    }
    return false;
}

/* RFC 3492 6.2, what follows xn--; out holds LABEL_BYTES_MAX. 0: not punycode. */
static size_t punycode_read(const uint32_t *points, size_t len, uint32_t *out)
{
    size_t basic = len;
    size_t count = 0;
    while (basic > 0 && points[basic - 1] != '-')
        basic--;
    size_t at = basic;
    for (; count + 1 < basic; count++)
        out[count] = points[count];
    /* A delimiter with nothing before it is not one. */
    if (basic == 1)
        return 0;
    uint32_t n = 0x80;
    uint32_t bias = BIAS;
    for (uint32_t i = 0; at < len; i++) {
        uint32_t before = i;
        bool first = at == basic;
        if (count == LABEL_BYTES_MAX || !integer_read(points, len, &at, bias, &i))
            return 0;
        count++;
        bias = bias_adapt(i - before, (uint32_t)count, first);
        n += i / (uint32_t)count;
        i %= (uint32_t)count;
        if (n > 0x10FFFF)
            return 0;
        memmove(&out[i + 1], &out[i], (count - 1 - i) * sizeof(*out));
        out[i] = n;
    }
    return count;
}

static bool ascii(const uint32_t *points, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (points[i] >= 0x80)
            return false;
    }
    return true;
}

/* RFC 5890 2.3.1 and 2.3.2.1: hyphens in a label of any kind, and the ASCII of it. */
static bool hyphens_valid(const uint32_t *points, size_t len)
{
    if (len == 0 || points[0] == '-' || points[len - 1] == '-')
        return false;
    if (len >= 4 && points[2] == '-' && points[3] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        bool letter = points[i] >= 'a' && points[i] <= 'z';
        bool number = points[i] >= '0' && points[i] <= '9';
        if (points[i] < 0x80 && !letter && !number && points[i] != '-')
            return false;
    }
    return true;
}

/* An A-label: what it stands for must be in the form that we would make of it. */
static size_t a_label_read(const uint32_t *points, size_t len, uint32_t *out)
{
    struct precis_text mapped;
    size_t count = punycode_read(points + A_LABEL_PREFIX_LEN, len - A_LABEL_PREFIX_LEN, out);
    if (count == 0 || ascii(out, count))
        return 0;
    for (size_t i = 0; i < count; i++) {
        /* Surrogates can be written in punycode. */
        if (out[i] >= 0xD800 && out[i] < 0xE000)
            return 0;
        mapped.points[i] = out[i];
    }
    mapped.len = count;
    if (!precis_map(&mapped, PRECIS_MAP_WIDTH | PRECIS_MAP_LOWER | PRECIS_MAP_LABEL) ||
        mapped.len != count || memcmp(mapped.points, out, count * sizeof(*out)) != 0)
        return 0;
    return count;
}

/* Appends the label to the text; *wire_bytes is its length on the wire of the DNS. */
static bool label_add(const uint32_t *points, size_t len, struct precis_text *text,
                      size_t *wire_bytes)
{
    uint32_t decoded[LABEL_BYTES_MAX];
    *wire_bytes = len;
    if (len > LABEL_BYTES_MAX)
        return false;
    if (len > A_LABEL_PREFIX_LEN && points[0] == 'x' && points[1] == 'n' && points[2] == '-' &&
        points[3] == '-' && ascii(points, len)) {
        len = a_label_read(points, len, decoded);
        points = decoded;
    } else if (!ascii(points, len)) {
        *wire_bytes = a_label_bytes(points, len);
    }
    if (!hyphens_valid(points, len) || *wire_bytes > LABEL_BYTES_MAX)
        return false;
    if (!ascii(points, len) && !precis_label_valid(points, len))
        return false;
    if (text->len + len > PRECIS_POINTS_MAX)
        return false;
    memcpy(&text->points[text->len], points, len * sizeof(*points));
    text->len += len;
    return true;
}

/* The length of the label at the start. */
static size_t label_len(const uint32_t *points, size_t len)
{
    size_t at = 0;
    while (at < len && points[at] != '.')
        at++;
    return at;
}

/* RFC 5893 1.4: one label from right to left makes all of them obey its rule. */
static bool labels_bidi_valid(const struct precis_text *text)
{
    if (!precis_right_to_left(text->points, text->len))
        return true;
    for (size_t at = 0; at < text->len; at++) {
        size_t len = label_len(&text->points[at], text->len - at);
        if (!precis_bidi_valid(&text->points[at], len))
            return false;
        at += len;
    }
    return true;
}

static size_t international(struct span text, char *out)
{
    struct precis_text mapped, labels;
    size_t wire_bytes = 0;
    labels.len = 0;
    if (!precis_read(text, &mapped) ||
        !precis_map(&mapped, PRECIS_MAP_WIDTH | PRECIS_MAP_LOWER | PRECIS_MAP_LABEL))
        return 0;
    for (size_t i = 0; i < mapped.len; i++) {
        if (mapped.points[i] == IDEOGRAPHIC_FULL_STOP) /* RFC 5895 2.4 */
            mapped.points[i] = '.';
    }
    for (size_t at = 0;; at++) {
        size_t bytes;
        size_t len = label_len(&mapped.points[at], mapped.len - at);
        if (!label_add(&mapped.points[at], len, &labels, &bytes))
            return 0;
        wire_bytes += bytes;
        at += len;
        if (at == mapped.len)
            break;
        wire_bytes++;
        if (labels.len == PRECIS_POINTS_MAX)
            return 0;
        labels.points[labels.len++] = '.';
    }
    if (wire_bytes > DOMAIN_BYTES_MAX || !labels_bidi_valid(&labels))
        return 0;
    return precis_write(&labels, out);
}

/* RFC 3986 3.2.2 IP-literal; neither zones (RFC 6874) nor future versions. */
static size_t ip_literal(struct span text, char *out)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr binary;
    if (text.len < 2 || text.len - 2 >= sizeof(address) || text.bytes[text.len - 1] != ']' ||
        memchr(text.bytes, '\0', text.len) != NULL)
        return 0;
    memcpy(address, text.bytes + 1, text.len - 2);
    address[text.len - 2] = '\0';
    if (inet_pton(AF_INET6, address, &binary) != 1)
        return 0;
    must(inet_ntop(AF_INET6, &binary, address, sizeof(address)) != NULL);
    size_t len = strlen(address);
    out[0] = '[';
    memcpy(out + 1, address, len);
    out[len + 1] = ']';
    return len + 2;
}

/* Plain labels need no tables: lower case, and the same rules. 0: not plain, or not valid. */
static size_t plain(struct span text, char *out)
{
    static const char map[] = "-.\0"
                              "0123456789\0\0\0\0\0\0"
                              "\0abcdefghijklmnopqrstuvwxyz\0\0\0\0\0"
                              "\0abcdefghijklmnopqrstuvwxyz";
    size_t start = 0;
    if (text.len > DOMAIN_BYTES_MAX)
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        out[i] = byte >= '-' && byte <= 'z' ? map[byte - '-'] : '\0';
        if (out[i] == '\0' || (out[i] == '-' && (i == start || i == start + 3)))
            return 0;
        if (out[i] != '.')
            continue;
        if (i == start || i - start > LABEL_BYTES_MAX || out[i - 1] == '-')
            return 0;
        start = i + 1;
    }
    if (start == text.len || text.len - start > LABEL_BYTES_MAX || out[text.len - 1] == '-')
        return 0;
    return text.len;
}

size_t domain_prepare(struct span text, char *out)
{
    if (text.len > 0 && text.bytes[text.len - 1] == '.') /* RFC 7622 3.2 */
        text.len--;
    if (text.len > 0 && text.bytes[0] == '[')
        return ip_literal(text, out);
    size_t len = plain(text, out);
    return len > 0 ? len : international(text, out);
}
