/* Tokens, codes and names for links from arbitrary bytes: what is read is made of the right
 * characters and reads the same again; a link gives back its token; an escaped name has no
 * character that must not be in a localpart. */
#include "wire/token.h"
#include "base/must.h"
#include "wire/uri.h"

static char memory[65536];

static bool all_of(struct span text, const char *characters)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.bytes[i] == '\0' || strchr(characters, text.bytes[i]) == NULL)
            return false;
    return true;
}

static void typed_stays(struct span text)
{
    char out[TOKEN_CHARS], again[TOKEN_CHARS];
    if (token_read(text, out)) {
        must(all_of(span_of(out, TOKEN_CHARS), "abcdefghijklmnopqrstuvwxyz234567"));
        must(token_read(span_of(out, TOKEN_CHARS), again) && memcmp(out, again, TOKEN_CHARS) == 0);
    }
    if (code_read(text, out)) {
        must(all_of(span_of(out, CODE_CHARS), "0123456789"));
        must(code_read(span_of(out, CODE_CHARS), again) && memcmp(out, again, CODE_CHARS) == 0);
    }
}

/* Whatever the names are. */
static void link_reads_back(struct span text)
{
    static const char token[] = "abcdefghijklmnopqrstuvwx27";
    struct uri_invitation invitation = {.token = span_of(token, TOKEN_CHARS)};
    struct arena arena;
    struct build build;
    char out[TOKEN_CHARS];
    size_t half = text.len / 2;
    invitation.contact = half & 1;
    invitation.may_register = half & 2;
    invitation.local = span_cut(text, 0, half / 2);
    invitation.domain = span_cut(text, half / 2, half);
    invitation.name = span_cut(text, half, text.len);
    arena_init(&arena, memory, sizeof memory);
    build_init(&build, &arena, sizeof memory);
    uri_invitation(&build, &invitation);
    must(!build.full && token_read(build_span(&build), out));
    must(memcmp(out, token, TOKEN_CHARS) == 0);
    must(all_of(build_span(&build), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "-._~:?@%=;!$()*+,[]"));
}

static void escape_is_clean(struct span text)
{
    struct arena arena;
    struct span out;
    arena_init(&arena, memory, sizeof memory);
    must(uri_escape_local(text, &arena, &out) && out.len <= 3 * text.len);
    for (size_t i = 0; i < out.len; i++)
        must(out.bytes[i] == '\0' || strchr(" \"&'/:<>@", out.bytes[i]) == NULL);
    must(out.len < 3 || !span_starts(out, "\\20"));
    must(out.len < 3 || !span_is(span_cut(out, out.len - 3, out.len), "\\20"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of((const char *)data, size < 4096 ? size : 4096);
    typed_stays(text);
    link_reads_back(text);
    escape_is_clean(text);
    return 0;
}
