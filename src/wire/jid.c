/* jid.c: see jid.h. ASCII parts are copied and checked here; others go through precis.c, domains
 * through domain.c. Nothing but the result is taken from the arena. */
#include "wire/jid.h"

#include "wire/digest.h"
#include "wire/domain.h"
#include "wire/precis.h"

_Static_assert(PRECIS_BYTES_MAX == JID_PART_BYTES_MAX, "RFC 7622 3.1 limits every part alike");

/* Writes the prepared part to out (JID_PART_BYTES_MAX bytes); 0: not allowed. */
typedef size_t part_writer(struct span text, char *out);

/* Printable ASCII in a localpart: lower case, and nothing for what RFC 7622 3.3.1 excludes. */
static const char local_map[] = "\0!\0#$%\0\0()*+,-.\0"
                                "0123456789\0;\0=\0?"
                                "\0abcdefghijklmno"
                                "pqrstuvwxyz[\\]^_"
                                "`abcdefghijklmno"
                                "pqrstuvwxyz{|}~\0";

/* Copies printable ASCII; false: there is something else. */
static bool ascii_copy(struct span text, char *out)
{
    if (text.len > JID_PART_BYTES_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.bytes[i] < ' ' || text.bytes[i] > '~')
            return false;
        out[i] = text.bytes[i];
    }
    return true;
}

static size_t local_write(struct span text, char *out)
{
    struct precis_text points;
    if (ascii_copy(text, out)) {
        for (size_t i = 0; i < text.len; i++) {
            out[i] = local_map[out[i] - ' '];
            if (out[i] == '\0')
                return 0;
        }
        return text.len;
    }
    if (!precis_read(text, &points) || !precis_username(&points))
        return 0;
    return precis_write(&points, out);
}

static size_t new_local_write(struct span text, char *out)
{
    struct precis_text points;
    size_t len = local_write(text, out);
    if (len == 0 || !precis_read(span_of(out, len), &points) || !precis_nodeprep_stable(&points))
        return 0;
    return len;
}

static size_t resource_write(struct span text, char *out)
{
    struct precis_text points;
    if (ascii_copy(text, out))
        return text.len;
    if (!precis_read(text, &points) || !precis_opaque(&points))
        return 0;
    return precis_write(&points, out);
}

static size_t password_write(struct span text, char *out)
{
    struct precis_text points;
    if (ascii_copy(text, out))
        return text.len;
    size_t len = 0;
    if (precis_read(text, &points) && precis_password(&points))
        len = precis_write(&points, out);
    secret_forget(&points, sizeof(points));
    return len;
}

static bool prepare(part_writer *writer, struct span text, struct arena *arena, struct span *out)
{
    char bytes[JID_PART_BYTES_MAX];
    size_t len = writer(text, bytes);
    if (len == 0)
        return false;
    *out = arena_copy(arena, span_of(bytes, len));
    return out->bytes != NULL;
}

bool jid_prepare_local(struct span text, struct arena *arena, struct span *out)
{
    return prepare(local_write, text, arena, out);
}

bool jid_prepare_new_local(struct span text, struct arena *arena, struct span *out)
{
    return prepare(new_local_write, text, arena, out);
}

bool jid_prepare_domain(struct span text, struct arena *arena, struct span *out)
{
    return prepare(domain_prepare, text, arena, out);
}

bool jid_prepare_resource(struct span text, struct arena *arena, struct span *out)
{
    return prepare(resource_write, text, arena, out);
}

bool jid_prepare_password(struct span text, struct arena *arena, struct span *out)
{
    char bytes[JID_PART_BYTES_MAX];
    size_t len = password_write(text, bytes);
    if (len == 0)
        return false;
    *out = arena_copy(arena, span_of(bytes, len));
    secret_forget(bytes, sizeof(bytes));
    return out->bytes != NULL;
}

/* Keeps text and the lengths of its parts. */
static bool keep(const char *text, size_t local_len, size_t domain_len, size_t resource_len,
                 struct arena *arena, struct jid *out)
{
    *out = (struct jid){.local_len = (uint16_t)local_len,
                        .domain_len = (uint16_t)domain_len,
                        .resource_len = (uint16_t)resource_len};
    size_t len = jid_bare_len(out) + (resource_len ? resource_len + 1 : 0);
    out->text = arena_copy(arena, span_of(text, len)).bytes;
    if (out->text == NULL)
        *out = (struct jid){.text = NULL};
    return out->text != NULL;
}

bool jid_of(struct span local, struct span domain, struct span resource, struct arena *arena,
            struct jid *out)
{
    char text[JID_BYTES_MAX];
    size_t len = 0;
    *out = (struct jid){.text = NULL};
    if (local.len > JID_PART_BYTES_MAX || resource.len > JID_PART_BYTES_MAX || domain.len == 0 ||
        domain.len > JID_PART_BYTES_MAX)
        return false;
    if (local.len > 0) {
        memcpy(text, local.bytes, local.len);
        text[local.len] = '@';
        len = local.len + 1;
    }
    memcpy(text + len, domain.bytes, domain.len);
    len += domain.len;
    if (resource.len > 0) {
        text[len] = '/';
        memcpy(text + len + 1, resource.bytes, resource.len);
    }
    return keep(text, local.len, domain.len, resource.len, arena, out);
}

bool jid_parse(struct span text, struct arena *arena, struct jid *out)
{
    char prepared[JID_BYTES_MAX];
    size_t local_len = 0;
    size_t resource_len = 0;
    size_t at = 0;
    *out = (struct jid){.text = NULL};
    /* RFC 7622 3.2: the first slash, then the first @ before it (ST-15). */
    size_t slash = span_find(text, '/');
    struct span domain = span_cut(text, 0, slash);
    size_t sign = span_find(domain, '@');
    if (sign < domain.len) {
        local_len = local_write(span_cut(domain, 0, sign), prepared);
        if (local_len == 0)
            return false;
        prepared[local_len] = '@';
        at = local_len + 1;
        domain = span_cut(domain, sign + 1, domain.len);
    }
    size_t domain_len = domain_prepare(domain, prepared + at);
    if (domain_len == 0)
        return false;
    at += domain_len;
    if (slash < text.len) {
        prepared[at] = '/';
        resource_len = resource_write(span_cut(text, slash + 1, text.len), prepared + at + 1);
        if (resource_len == 0)
            return false;
    }
    return keep(prepared, local_len, domain_len, resource_len, arena, out);
}
