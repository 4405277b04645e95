/* uri.c: see uri.h. */
#include "wire/uri.h"

/* XEP-0106 3.2: what is escaped, and, in "\xx", what an escape stands for. */
static const char escaped_characters[] = " \"&'/:<>@\\";
static const char digits_lower[] = "0123456789abcdef";
static const char digits_upper[] = "0123456789ABCDEF";

static bool is_unreserved(char byte) /* RFC 3986 2.3 */
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static bool is_among(char byte, const char *characters)
{
    return byte != '\0' && strchr(characters, byte) != NULL;
}

/* Unreserved characters and those allowed as they are, all other bytes percent-encoded. */
static void percent_put(struct build *build, struct span text, const char *allowed)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.bytes[i];
        char encoded[] = {'%', digits_upper[byte >> 4], digits_upper[byte & 15]};
        if (is_unreserved(text.bytes[i]) || is_among(text.bytes[i], allowed))
            build_put(build, span_cut(text, i, i + 1));
        else
            build_put(build, span_of(encoded, sizeof encoded));
    }
}

static void pair_put(struct build *build, const char *key, struct span value)
{
    build_str(build, ";");
    build_str(build, key);
    build_str(build, "=");
    percent_put(build, value, ""); /* RFC 5122 2.2 ivalue */
}

/* Whether an escape stands at the start, so that its backslash must be escaped (4.1 rule 7). */
static bool is_escape(struct span text)
{
    if (text.len < 3 || text.bytes[0] != '\\')
        return false;
    for (const char *at = escaped_characters; *at != '\0'; at++)
        if (text.bytes[1] == digits_lower[*at >> 4] && text.bytes[2] == digits_lower[*at & 15])
            return true;
    return false;
}

/* 4.1 rule 6: "\20" is neither first nor last. */
static struct span spaces_strip(struct span text)
{
    size_t from = 0, to = text.len;
    while (from < to && text.bytes[from] == ' ')
        from++;
    while (to > from && text.bytes[to - 1] == ' ')
        to--;
    return span_cut(text, from, to);
}

/* The address; local.len 0: the domain only. */
static void jid_put(struct build *build, struct span local, struct span domain)
{
    build_str(build, "xmpp:");
    if (local.len > 0) {
        percent_put(build, local, "!$()*+,;="); /* RFC 5122 2.2 nodeallow */
        build_str(build, "@");
    }
    /* A name beyond ASCII is percent-encoded UTF-8 (2.7.3; RFC 3986 3.2.2 reg-name); the address
     * of an IPv6 host stands in brackets. */
    percent_put(build, domain, span_starts(domain, "[") ? "[:]" : "");
}

void uri_channel(struct build *build, struct span local, struct span domain, struct span token)
{
    jid_put(build, local, domain);
    build_str(build, "?mix");
    pair_put(build, "preauth", token);
}

void uri_invitation(struct build *build, const struct uri_invitation *invitation)
{
    jid_put(build, invitation->local, invitation->domain);
    build_str(build, invitation->contact ? "?roster" : "?register");
    pair_put(build, "preauth", invitation->token);
    if (invitation->name.len > 0)
        pair_put(build, "name", invitation->name);
    if (invitation->contact && invitation->may_register)
        build_str(build, ";ibr=y"); /* INV-1: last */
}

bool uri_escape_local(struct span text, struct arena *arena, struct span *out)
{
    struct build build;
    text = spaces_strip(text);
    build_init(&build, arena, 3 * text.len);
    for (size_t i = 0; i < text.len; i++) {
        struct span rest = span_cut(text, i, text.len);
        char byte = text.bytes[i];
        char escape[] = {'\\', digits_lower[(byte >> 4) & 15], digits_lower[byte & 15]};
        if (is_escape(rest) || (byte != '\\' && is_among(byte, escaped_characters)))
            build_put(&build, span_of(escape, sizeof escape));
        else
            build_put(&build, span_cut(rest, 0, 1));
    }
    *out = build_span(&build);
    return !build.full;
}
