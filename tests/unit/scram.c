/* scram.c: the exchanges of RFC 5802 5, RFC 7677 3 and XEP-0474 6.3, byte for byte, and what must
 * be refused (requirements SA-8 to SA-13). */
#include "wire/scram.h"

#include "tests/unit/test.h"
#include "wire/base64.h"

static char memory[16384];
static struct arena arena;

/* One exchange as the server sees it. */
struct exchange {
    enum digest digest;
    const char *password;
    const char *salt; /* base64 */
    uint32_t iterations;
    const char *client_first;
    const char *server_nonce;
    const char *downgrade_hash;
    const char *server_first;
    const char *client_final;
    const char *binding_data;
    const char *server_final;
};

static const struct exchange exchanges[] = {
    {DIGEST_SHA1, "pencil", "QSXCR+Q6sek8bf92", 4096, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
     "3rfcNHYJY1ZVvWVs7j", "",
     "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
     "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "",
     "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {DIGEST_SHA256, "pencil", "W22ZaJ0SNY7soEsUEjb6gQ==", 4096, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
     "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "",
     "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
     "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
     "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
     "", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
    {DIGEST_SHA1, "pencil", "QSXCR+Q6sek8bf92", 4096,
     "p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6",
     "a09117a6-ac50-4f2f-93f1-93799c2bddf6", "G6k/rBLDqgOhRRaCuuatSDFkJ08=",
     "r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,"
     "s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=",
     "c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,"
     "r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,"
     "x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4=",
     "THIS IS FAKE CB DATA", "v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c="},
};

static void derive(const struct exchange *exchange, struct scram_keys *keys, struct span salt)
{
    struct derive derive;
    derive_begin(&derive, exchange->digest, span_string(exchange->password), salt,
                 exchange->iterations);
    while (!derive_slice(&derive, 1000))
        ;
    scram_keys_of(exchange->digest, derive.out, keys);
    derive_forget(&derive);
}

static void test_exchange(const struct exchange *exchange)
{
    struct scram_first first;
    struct scram_final final;
    struct scram_keys keys;
    char salt_bytes[64], auth[1024];
    size_t salt_len;
    arena_init(&arena, memory, sizeof(memory));
    CHECK(base64_decode(span_string(exchange->salt), salt_bytes, &salt_len));
    struct span salt = span_of(salt_bytes, salt_len);
    derive(exchange, &keys, salt);
    CHECK(scram_first_read(span_string(exchange->client_first), &arena, &first));
    CHECK(span_is(first.username, "user"));
    CHECK(first.authzid.bytes == NULL);
    struct span challenge =
        scram_challenge(&first, exchange->server_nonce, salt, exchange->iterations,
                        span_string(exchange->downgrade_hash), &arena);
    CHECK(span_is(challenge, exchange->server_first));
    CHECK(scram_final_read(span_string(exchange->client_final), &final));
    CHECK(scram_binding_matches(&final, first.gs2_header, span_string(exchange->binding_data)));
    CHECK(!scram_binding_matches(&final, first.gs2_header, SPAN("other")));
    CHECK(span_starts(challenge, "r="));
    CHECK(span_equal(final.nonce, span_cut(challenge, 2, 2 + final.nonce.len)));
    int len = snprintf(auth, sizeof(auth), "%.*s,%.*s,%.*s", (int)first.bare.len, first.bare.bytes,
                       (int)challenge.len, challenge.bytes, (int) final.without_proof.len,
                       final.without_proof.bytes);
    struct span message = span_of(auth, (size_t)len);
    struct span answer = SPAN_NONE;
    CHECK(scram_verify(exchange->digest, &keys, message, &final, &arena, &answer));
    CHECK(span_is(answer, exchange->server_final));
    /* Any other proof, message, key or hash fails. */
    answer = SPAN_NONE;
    for (size_t i = 0; i < final.proof_len; i++) {
        final.proof[i] ^= 1;
        CHECK(!scram_verify(exchange->digest, &keys, message, &final, &arena, &answer));
        final.proof[i] ^= 1;
    }
    CHECK(!scram_verify(exchange->digest, &keys, span_cut(message, 1, message.len), &final, &arena,
                        &answer));
    CHECK(!scram_verify(exchange->digest == DIGEST_SHA1 ? DIGEST_SHA256 : DIGEST_SHA1, &keys,
                        message, &final, &arena, &answer));
    final.proof_len--;
    CHECK(!scram_verify(exchange->digest, &keys, message, &final, &arena, &answer));
    final.proof_len++;
    keys.stored_key[0] ^= 1;
    CHECK(!scram_verify(exchange->digest, &keys, message, &final, &arena, &answer));
    CHECK(answer.bytes == NULL);
}

static bool first_read(const char *message, struct scram_first *first)
{
    arena_init(&arena, memory, sizeof(memory));
    return scram_first_read(span_string(message), &arena, first);
}

static void test_first(void)
{
    struct scram_first first;
    CHECK(first_read("p=tls-exporter,a=j=3Du=2Cliet,n=ju=2Cli=3Det,r=abc,x=1,y=2=", &first));
    CHECK(first.flag == SCRAM_FLAG_BOUND);
    CHECK(span_is(first.binding_name, "tls-exporter"));
    CHECK(span_is(first.authzid, "j=u,liet"));
    CHECK(span_is(first.gs2_header, "p=tls-exporter,a=j=3Du=2Cliet,"));
    CHECK(span_is(first.bare, "n=ju=2Cli=3Det,r=abc,x=1,y=2="));
    CHECK(span_is(first.username, "ju,li=et"));
    CHECK(span_is(first.nonce, "abc"));
    CHECK(first_read("y,,n=\xC3\xA4,r=!~", &first));
    CHECK(first.flag == SCRAM_FLAG_UNSEEN && first.binding_name.bytes == NULL);
    CHECK(span_is(first.gs2_header, "y,,"));
    CHECK(first_read("n,,n=a,r=b", &first) && first.flag == SCRAM_FLAG_NONE);
    CHECK(first_read("n,,n=a,r==", &first) && span_is(first.nonce, "="));
}

static void test_first_refused(void)
{
    static const char *const messages[] = {"",
                                           "n",
                                           "n,",
                                           "n,,",
                                           "n,,n=a",
                                           "n,,n=a,",
                                           "n,,n=,r=b",
                                           "n,,n=a,r=",
                                           "n,,r=b,n=a",
                                           "n,n=a,r=b",
                                           "N,,n=a,r=b",
                                           "x,,n=a,r=b",
                                           "nn,,n=a,r=b",
                                           "n=,,n=a,r=b",
                                           ",,n=a,r=b",
                                           "p,,n=a,r=b",
                                           "p=,,n=a,r=b",
                                           "p=a_b,,n=a,r=b",
                                           "F,n,,n=a,r=b",
                                           "n,a=,n=a,r=b",
                                           "n,b=c,n=a,r=b",
                                           "n,a,n=a,r=b",
                                           "n,a=b=,n=a,r=b",
                                           "n,,n=a=b,r=b",
                                           "n,,n=a=,r=b",
                                           "n,,n=a=2,r=b",
                                           "n,,n=a=2c,r=b",
                                           "n,,n=a=3d,r=b",
                                           "n,,m=x,n=a,r=b",
                                           "n,,n=a,m=x,r=b",
                                           "n,,n=a,r=b,m=x",
                                           "n,,n=a,r=b c",
                                           "n,,n=a,r=b\x7F",
                                           "n,,n=a,r=\xC3\xA4",
                                           "n,,n=a,r=b,",
                                           "n,,n=a,r=b,x",
                                           "n,,n=a,r=b,x=",
                                           "n,,n=a,r=b,1=2",
                                           "n,,n=a,r=b,xy=2",
                                           "n,,n=\xC3,r=b",
                                           "n,,n=a,r=b,x=\xFF",
                                           "n,,N=a,r=b",
                                           "n,,n=a,R=b"};
    struct scram_first first;
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
        CHECK(!first_read(messages[i], &first));
    CHECK(!scram_first_read(SPAN("n,,n=a\0b,r=c"), &arena, &first));
    CHECK(!scram_first_read(SPAN("n,,n=a,r=c\0"), &arena, &first));
    CHECK(!scram_first_read(SPAN_NONE, &arena, &first));
    arena_init(&arena, memory, 4);
    CHECK(!scram_first_read(SPAN("n,,n=juliet,r=c"), &arena, &first));
}

static void test_final(void)
{
    static const char *const messages[] = {
        "", "c=biws", "c=biws,r=a", "c=biws,p=AAAA", "r=a,c=biws,p=AAAA", "c=biws,r=a,p=AAA",
        "c=biws,r=a,p=AAAA,x=y", "c=biws,r=a,p=AAAA,p=AAAA", "c=biws,r=a,m=x,p=AAAA",
        "c=biws,r=,p=AAAA", "c=biws,r=a b,p=AAAA", "c=biws,r=a,x=,p=AAAA", "c=biws,r=a,,p=AAAA",
        "c=biws,r=a,p=AAAA,", "c=biws,r=a,p=AAB=", "c=biws,r=a,P=AAAA", "c=biws,r=a,x=\xC3,p=AAAA",
        /* 33 and 36 bytes */
        "c=biws,r=a,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "c=biws,r=a,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    struct scram_final final;
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
        CHECK(!scram_final_read(span_string(messages[i]), &final));
    CHECK(!scram_final_read(SPAN("c=biws,r=a,x=\0,p=AAAA"), &final));
    CHECK(!scram_final_read(SPAN_NONE, &final));
    CHECK(scram_final_read(SPAN("c=biws,r=a=,x=y,z==,p=AAEC"), &final));
    CHECK(span_is(final.binding, "biws"));
    CHECK(span_is(final.nonce, "a="));
    CHECK(span_is(final.without_proof, "c=biws,r=a=,x=y,z=="));
    CHECK(final.proof_len == 3 && memcmp(final.proof, "\0\1\2", 3) == 0);
}

static void test_binding(void)
{
    struct scram_final final = {.binding = SPAN("biws")};
    CHECK(scram_binding_matches(&final, SPAN("n,,"), SPAN_NONE));
    CHECK(!scram_binding_matches(&final, SPAN("y,,"), SPAN_NONE));
    CHECK(!scram_binding_matches(&final, SPAN("n,,a"), SPAN_NONE));
    CHECK(!scram_binding_matches(&final, SPAN("n,"), SPAN_NONE));
    CHECK(scram_binding_matches(&final, SPAN("n"), SPAN(",,")));
    final.binding = SPAN("biwsAA==");
    CHECK(scram_binding_matches(&final, SPAN("n,,"), SPAN("\0")));
    CHECK(!scram_binding_matches(&final, SPAN("n,,"), SPAN("\1")));
}

static void test_downgrade_hash(void)
{
    static const char *const mechanisms[] = {"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"};
    static const char *const bindings[] = {"tls-server-end-point", "tls-exporter"};
    arena_init(&arena, memory, sizeof(memory));
    /* XEP-0474 6.3 */
    CHECK(span_is(scram_downgrade_hash(DIGEST_SHA1, mechanisms, 2, bindings, 2, &arena),
                  "G6k/rBLDqgOhRRaCuuatSDFkJ08="));
    /* Without channel binding there is no 0x1F either. */
    uint8_t hash[DIGEST_BYTES_MAX];
    char text[64];
    struct span list = SPAN("SCRAM-SHA-1\x1ESCRAM-SHA-1-PLUS");
    digest_hash(DIGEST_SHA256, list, hash);
    size_t len = base64_encode(span_of((const char *)hash, 32), text);
    CHECK(span_equal(scram_downgrade_hash(DIGEST_SHA256, mechanisms, 2, NULL, 0, &arena),
                     span_of(text, len)));
    arena_init(&arena, memory, 16);
    CHECK(scram_downgrade_hash(DIGEST_SHA1, mechanisms, 2, bindings, 2, &arena).bytes == NULL);
}

static void test_arena_full(void)
{
    struct scram_first first;
    CHECK(first_read("n,,n=user,r=abc", &first));
    arena_init(&arena, memory, 16);
    CHECK(scram_challenge(&first, "defghi", SPAN("salt"), 4096, SPAN_NONE, &arena).bytes == NULL);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(exchanges) / sizeof(*exchanges); i++)
        test_exchange(&exchanges[i]);
    test_first();
    test_first_refused();
    test_final();
    test_binding();
    test_downgrade_hash();
    test_arena_full();
    return test_end();
}
