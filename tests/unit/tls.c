/* Tests of wire/tls.h against `openssl s_client`, for each protocol version the library has. */
#include "tests/unit/tls_peer.h"
#include "wire/digest.h"

#define DOMAIN "example.org"
#define BULK_BYTES 49152

static struct tls_identity *ecdsa, *rsa;
static char bulk[BULK_BYTES];
static bool has_tls13;

static void identities_make(void)
{
    const char *why;
    CHECK(tls_identity_make(DOMAIN, file_in("ca.pem"), file_in("ca-key.pem"), file_in("leaf.pem"),
                            file_in("leaf-key.pem"), plat_wall_us(), &peer_arena, &why));
    ecdsa = tls_identity_load(file_in("leaf.pem"), file_in("leaf-key.pem"), &peer_arena, &why);
    CHECK(ecdsa != NULL);
    CHECK(shell("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=rsa -days 9 -keyout %s "
                "-out %s 2>/dev/null",
                file_in("rsa-key.pem"), file_in("rsa.pem")));
    rsa = tls_identity_load(file_in("rsa.pem"), file_in("rsa-key.pem"), &peer_arena, &why);
    CHECK(rsa != NULL);
}

/* Opens, shakes hands, and answers with `expected`. */
static bool shake(struct peer *peer, struct tls_identity *identity, bool direct,
                  enum tls_outcome expected, const char *options)
{
    bool opened = peer_open(peer, identity, direct, options);
    CHECK(opened);
    enum tls_outcome outcome = opened ? peer_handshake(peer) : TLS_FAILED;
    if (outcome != expected)
        fprintf(stderr, "s_client %s: outcome %d\n%s\n", options, outcome, peer->output);
    CHECK(outcome == expected);
    return outcome == TLS_OK;
}

/* Version, certificate check by the client, close_notify both ways. */
static void check_versions(const char *option, const char *name)
{
    struct peer peer;
    char options[256];
    char byte;
    size_t len;
    snprintf(options, sizeof(options),
             "%s -verify_return_error -CAfile %s -verify_hostname %s -servername %s", option,
             file_in("ca.pem"), DOMAIN, DOMAIN);
    sends = sends_held = 0;
    if (shake(&peer, ecdsa, false, TLS_OK, options)) {
        CHECK(sends > 0 && sends == sends_held); /* a flight is held back until its end */
        CHECK(strcmp(tls_version_name(peer.tls), name) == 0);
        CHECK(strstr(tls_suite_name(peer.tls), "GCM") || strstr(tls_suite_name(peer.tls), "POLY"));
        CHECK(!tls_resumed(peer.tls));
        CHECK(peer_hears(&peer, "Verify return code: 0 (ok)"));
        printf("%s %s\n", tls_version_name(peer.tls), tls_suite_name(peer.tls));
        close(peer.to_client);
        peer.to_client = -1;
        CHECK(peer_read(&peer, &byte, 1, &len) == TLS_CLOSED);
        CHECK(peer_write(&peer, SPAN("bye"))); /* half closed */
        tls_say_goodbye(peer.tls);
    }
    peer_close(&peer);
    shake(&peer, rsa, false, TLS_OK, option);
    peer_close(&peer);
}

static void check_refusals(void)
{
    struct peer peer;
    /* RFC 7590 3: nothing below 1.2; protocol_version */
    shake(&peer, ecdsa, false, TLS_FAILED, "-tls1_1 -cipher DEFAULT@SECLEVEL=0");
    CHECK(peer_hears(&peer, "alert protocol version"));
    peer_close(&peer);
    /* No forward secrecy, or no AEAD: nothing in common; handshake_failure */
    shake(&peer, rsa, false, TLS_FAILED, "-tls1_2 -cipher AES128-GCM-SHA256");
    CHECK(peer_hears(&peer, "alert handshake failure"));
    peer_close(&peer);
    shake(&peer, rsa, false, TLS_FAILED, "-tls1_2 -cipher ECDHE-RSA-AES128-SHA");
    CHECK(peer_hears(&peer, "alert handshake failure"));
    peer_close(&peer);
    /* RFC 6120 5.3.5: renegotiation, which s_client asks for at a line "R" */
    if (shake(&peer, ecdsa, false, TLS_OK, "-tls1_2")) {
        char byte;
        size_t len;
        CHECK(write(peer.to_client, "R\n", 2) == 2);
        CHECK(peer_read(&peer, &byte, 1, &len) != TLS_OK);
        CHECK(peer_hears(&peer, "no renegotiation"));
    }
    peer_close(&peer);
}

/* TLS-4 */
static void check_alpn(const char *version)
{
    struct peer peer;
    char options[128];
    snprintf(options, sizeof(options), "%s -alpn xmpp-client", version);
    shake(&peer, ecdsa, true, TLS_OK, options);
    CHECK(peer_hears(&peer, "ALPN protocol: xmpp-client"));
    peer_close(&peer);
    snprintf(options, sizeof(options), "%s -alpn h2,http/1.1", version);
    shake(&peer, ecdsa, true, TLS_FAILED, options);
    CHECK(peer_hears(&peer, "no application protocol"));
    peer_close(&peer);
    shake(&peer, ecdsa, true, TLS_OK, version);
    peer_close(&peer);
    shake(&peer, ecdsa, false, TLS_OK, options);
    CHECK(peer_hears(&peer, "No ALPN negotiated"));
    peer_close(&peer);
}

static void check_tickets(const char *version)
{
    struct peer peer;
    char options[256];
    for (int round = 0; round < 3; round++) {
        snprintf(options, sizeof(options), "%s -sess_out %s %s %s", version, file_in("session"),
                 round ? "-sess_in" : "", round ? file_in("session") : "");
        if (shake(&peer, ecdsa, false, TLS_OK, options)) {
            CHECK(tls_resumed(peer.tls) == (round > 0));
            CHECK(peer_write(&peer, SPAN("after the ticket\n")));
            CHECK(peer_hears(&peer, "after the ticket"));
            CHECK(strstr(peer.output, round ? "Reused, TLS" : "New, TLS") != NULL);
        }
        peer_close(&peer);
    }
}

/* Lines that the client prints as hexadecimal after a label. */
static bool client_printed(const struct peer *peer, const char *label, const uint8_t *bytes,
                           size_t len)
{
    const char *at = strstr(peer->output, label);
    for (size_t i = 0; at && i < len; i++) {
        char hex[3];
        snprintf(hex, sizeof(hex), "%02X", bytes[i]);
        if (strncmp(at + strlen(label) + 2 * i, hex, 2) != 0)
            return false;
    }
    return at != NULL;
}

static void check_bindings(const char *version)
{
    struct peer peer;
    char options[256];
    char der[2048];
    uint8_t binding[64];
    uint8_t expected[DIGEST_BYTES_MAX];
    snprintf(options, sizeof(options),
             "%s -keymatexport EXPORTER-Channel-Binding -keymatexportlen 32", version);
    if (shake(&peer, ecdsa, false, TLS_OK, options)) {
        size_t len = tls_channel_binding(peer.tls, TLS_BINDING_EXPORTER, binding);
        CHECK(len == 32);
        CHECK(peer_hears(&peer, "Keying material: "));
        CHECK(client_printed(&peer, "Keying material: ", binding, len));

        CHECK(shell("openssl x509 -in %s -outform der -out %s", file_in("leaf.pem"),
                    file_in("leaf.der")));
        int file = open(file_in("leaf.der"), O_RDONLY);
        ssize_t der_len = read(file, der, sizeof(der));
        close(file);
        CHECK(der_len > 0);
        digest_hash(DIGEST_SHA256, span_of(der, (size_t)der_len), expected);
        CHECK(tls_channel_binding(peer.tls, TLS_BINDING_END_POINT, binding) == 32);
        CHECK(memcmp(binding, expected, 32) == 0);
    }
    peer_close(&peer);
    /* Resumption keeps or renews the secret; the value must still be the client's. */
    for (int round = 0; round < 2; round++) {
        snprintf(options, sizeof(options),
                 "%s -keymatexport EXPORTER-Channel-Binding -keymatexportlen 32 %s %s", version,
                 round ? "-sess_in" : "-sess_out", file_in("session-binding"));
        if (shake(&peer, ecdsa, false, TLS_OK, options)) {
            CHECK(tls_resumed(peer.tls) == (round == 1));
            size_t len = tls_channel_binding(peer.tls, TLS_BINDING_EXPORTER, binding);
            CHECK(peer_write(&peer, SPAN("after the ticket\n")));
            CHECK(peer_hears(&peer, "after the ticket"));
            CHECK(client_printed(&peer, "Keying material: ", binding, len));
        }
        peer_close(&peer);
    }
}

/* Large records in, small and large ones out, with the idle pages given back in between. */
static void check_bulk(const char *version)
{
    struct peer peer;
    char options[128];
    static char in[BULK_BYTES];
    unsigned trims = 0;
    snprintf(options, sizeof(options), "%s -quiet", version);
    if (!shake(&peer, ecdsa, false, TLS_OK, options)) {
        peer_close(&peer);
        return;
    }
    for (int round = 0; round < 3; round++) {
        size_t in_len = 0;
        CHECK(write(peer.to_client, bulk, sizeof(bulk)) == (ssize_t)sizeof(bulk));
        while (in_len < sizeof(in)) {
            size_t len;
            size_t size = sizeof(in) - in_len < 1000 ? sizeof(in) - in_len : 1000;
            if (peer_read(&peer, in + in_len, size, &len) != TLS_OK)
                break;
            in_len += len;
            if (tls_idle(peer.tls)) {
                heap_trim(peer.owner);
                trims++;
            }
            CHECK(!tls_idle(peer.tls) || !tls_pending(peer.tls));
        }
        CHECK(in_len == sizeof(in) && memcmp(in, bulk, sizeof(in)) == 0);
        CHECK(tls_idle(peer.tls));
        bool same = true;
        for (int i = 0; i < 1000 && same; i++) {
            heap_trim(peer.owner);
            same = peer_write(&peer, span_of(bulk + i, 300)) && peer_listen(&peer);
        }
        CHECK(same);
        CHECK(peer_write(&peer, span_of(bulk, sizeof(bulk))));
        CHECK(peer_write(&peer, SPAN("\nround ends\n")));
        CHECK(peer_hears(&peer, "\nround ends\n"));
        const char *end = strstr(peer.output, "\nround ends\n");
        CHECK(end && end - peer.output >= BULK_BYTES + 300000 &&
              memcmp(end - BULK_BYTES, bulk, BULK_BYTES) == 0 &&
              memcmp(end - BULK_BYTES - 300, bulk + 999, 300) == 0);
        peer.output_len = 0;
    }
    printf("%s: trimmed %u times while reading\n", tls_version_name(peer.tls), trims);
    CHECK(trims >= 3);
    peer_close(&peer);
}

/* The socket takes one byte at a time, and refuses before each. */
static void check_full_socket(const char *version)
{
    struct peer peer;
    char options[128];
    char in[16];
    size_t in_len;
    snprintf(options, sizeof(options), "%s -quiet", version);
    send_dribbles = true;
    if (shake(&peer, ecdsa, false, TLS_OK, options)) {
        CHECK(!tls_resumed(peer.tls));
        for (int i = 0; i < 5; i++)
            CHECK(peer_write(&peer, span_of(bulk + i, 300)));
        CHECK(tls_write(peer.tls, SPAN("\nend\n")) == TLS_WANT_WRITE);
        CHECK(!tls_idle(peer.tls));
        /* Reading in between leaves what waits as it is. */
        CHECK(write(peer.to_client, "ping", 4) == 4);
        CHECK(peer_read(&peer, in, sizeof(in), &in_len) == TLS_OK && in_len == 4);
        CHECK(!tls_idle(peer.tls));
        unsigned refusals = 0;
        while (tls_flush(peer.tls) == TLS_WANT_WRITE) {
            CHECK(!tls_idle(peer.tls));
            refusals++;
        }
        CHECK(refusals > 5);
        CHECK(tls_idle(peer.tls));
        CHECK(peer_hears(&peer, "\nend\n"));
        CHECK(peer.output_len >= 1505 &&
              memcmp(peer.output + peer.output_len - 305, bulk + 4, 300) == 0);
    }
    send_dribbles = false;
    peer_close(&peer);
}

/* Bytes that are no TLS: first of all, and in the middle of a record and of a stream. */
static void check_garbage(const char *version)
{
    static const char record[] = "\x17\x03\x03\x00\x20garbage garbage garbage garbage!";
    struct peer peer;
    char byte[8];
    size_t len;
    char options[128];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(peer_port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int raw = socket(AF_INET, SOCK_STREAM, 0);
    memset(&peer, 0, sizeof(peer));
    CHECK(connect(raw, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(write(raw, "GET / HTTP/1.0\r\n\r\n", 18) == 18);
    CHECK(peer_accept(&peer, ecdsa, true));
    CHECK(peer_handshake(&peer) == TLS_FAILED);
    CHECK(tls_handshake(peer.tls) == TLS_FAILED);
    peer_close(&peer);
    ssize_t got = read(raw, byte, sizeof(byte));
    CHECK(got == 7 && byte[0] == 21 && byte[5] == 2); /* a fatal alert, and nothing else */
    close(raw);

    snprintf(options, sizeof(options), "%s", version);
    if (shake(&peer, ecdsa, false, TLS_OK, options)) {
        tls_feed(peer.tls, span_of(record, 3));
        CHECK(tls_read(peer.tls, byte, sizeof(byte), &len) == TLS_WANT_READ);
        CHECK(tls_unfed(peer.tls) == 0 && !tls_idle(peer.tls));
        tls_feed(peer.tls, span_of(record + 3, 12));
        CHECK(tls_read(peer.tls, byte, sizeof(byte), &len) == TLS_WANT_READ);
        CHECK(tls_unfed(peer.tls) == 0 && !tls_idle(peer.tls));
        tls_feed(peer.tls, span_of(record + 15, 22));
        CHECK(tls_read(peer.tls, byte, sizeof(byte), &len) == TLS_FAILED);
        CHECK(tls_write(peer.tls, SPAN("x")) == TLS_FAILED);
        CHECK(peer_hears(&peer, "bad record mac"));
    }
    peer_close(&peer);
}

/* Bytes per connection outside the slabs, at rest and at the peak, against what the plan reserves.
 */
static void check_heap(const char *version, struct tls_identity *identity, const char *name)
{
    enum { COUNT = 8 };
    static struct peer peers[COUNT];
    struct heap_use before, after;
    size_t peak = 0;
    heap_usage(&before);
    if (before.bytes == 0)
        return; /* a sanitizer's build */
    size_t start = before.used;
    for (int i = 0; i < COUNT; i++) {
        heap_usage(&before);
        shake(&peers[i], identity, false, TLS_OK, version);
        heap_usage(&after);
        peak = after.peak > before.peak ? after.peak - before.used : peak;
        before = after;
    }
    size_t idle = (after.used - start) / COUNT;
    printf("%s %s: idle %zu, peak of a handshake %zu bytes of heap; slabs %u for %d\n", name,
           tls_version_name(peers[0].tls), idle, peak, after.slabs_used, COUNT);
    CHECK(idle <= tls_idle_heap_bytes());
    CHECK(peak <= tls_handshake_heap_bytes());
    CHECK(after.slabs_used == COUNT * tls_slabs());
    CHECK(after.slabs_peak == COUNT * tls_slabs());
    for (int i = 0; i < COUNT; i++)
        peer_close(&peers[i]);
    heap_usage(&after);
    CHECK(after.slabs_used == 0);
}

static void check_version(const char *option, const char *name)
{
    check_heap(option, ecdsa, "ECDSA");
    check_heap(option, rsa, "RSA-2048");
    check_versions(option, name);
    check_alpn(option);
    check_tickets(option);
    check_bindings(option);
    check_bulk(option);
    check_full_socket(option);
    check_garbage(option);
}

int main(void)
{
    CHECK(tls_boot());
    CHECK(peer_world());
    for (size_t i = 0; i < sizeof(bulk); i++)
        bulk[i] = (char)('A' + i % 23 + i / 4096);
    identities_make();
    printf("%s, records of %zu bytes\n", tls_library(), tls_record_bytes());
    if (ecdsa && rsa) {
        struct peer peer;
        has_tls13 = peer_open(&peer, ecdsa, false, "-tls1_3") && peer_handshake(&peer) == TLS_OK;
        peer_close(&peer);
        check_version("-tls1_2", "TLSv1.2");
        if (has_tls13)
            check_version("-tls1_3", "TLSv1.3");
        check_refusals();
        tls_identity_drop(ecdsa);
        tls_identity_drop(rsa);
    }
    peer_world_end();
    return test_end();
}
