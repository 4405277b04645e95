/* Tests of certificates: what tls_identity_make writes is judged by OpenSSL and GnuTLS, what
 * tls_identity_load refuses is named for a person. */
#include <sys/stat.h>

#include "tests/unit/tls_peer.h"

#define DAY_US ((uint64_t)86400 * 1000000)

static const char *why;

static bool make(const char *domain, const char *set, uint64_t wall_us)
{
    char names[4][64];
    static const char *const parts[4] = {"ca", "ca-key", "leaf", "key"};
    for (int i = 0; i < 4; i++)
        snprintf(names[i], sizeof(names[i]), "%s-%s.pem", set, parts[i]);
    peer_arena.used = 0;
    return tls_identity_make(domain, file_in(names[0]), file_in(names[1]), file_in(names[2]),
                             file_in(names[3]), wall_us, &peer_arena, &why);
}

static struct tls_identity *load(const char *certificate, const char *key)
{
    peer_arena.used = 0;
    return tls_identity_load(file_in(certificate), file_in(key), &peer_arena, &why);
}

static mode_t mode_of(const char *name)
{
    struct stat status;
    return stat(file_in(name), &status) == 0 ? status.st_mode & 07777 : 0;
}

/* GnuTLS judges too where certtool is installed. */
static bool gnutls_verifies(const char *set, const char *domain)
{
    if (!shell("command -v certtool >/dev/null")) {
        printf("no certtool here: GnuTLS was not asked\n");
        return true;
    }
    return shell("certtool --verify --verify-profile=medium --load-ca-certificate %s/%s-ca.pem "
                 "--infile %s/%s-leaf.pem --verify-hostname %s --verify-purpose "
                 "1.3.6.1.5.5.7.3.1 >/dev/null 2>&1",
                 peer_directory, set, peer_directory, set, domain);
}

static bool openssl_verifies(const char *set, const char *option, const char *domain)
{
    return shell("openssl verify -x509_strict -purpose sslserver -CAfile %s/%s-ca.pem %s %s "
                 "%s/%s-leaf.pem >/dev/null 2>&1",
                 peer_directory, set, option, domain, peer_directory, set);
}

static void check_domain(void)
{
    CHECK(make("example.org", "domain", plat_wall_us()));
    CHECK(openssl_verifies("domain", "-verify_hostname", "example.org"));
    CHECK(openssl_verifies("domain", "-verify_hostname", "channels.example.org"));
    CHECK(!openssl_verifies("domain", "-verify_hostname", "a.b.example.org"));
    CHECK(!openssl_verifies("domain", "-verify_hostname", "example.com"));
    CHECK(gnutls_verifies("domain", "example.org"));
    CHECK(mode_of("domain-ca-key.pem") == 0600 && mode_of("domain-key.pem") == 0600);
    CHECK(mode_of("domain-ca.pem") == 0644 && mode_of("domain-leaf.pem") == 0644);
    CHECK(shell("openssl x509 -noout -text -in %s | grep -A1 'Basic Constraints: critical' | "
                "grep -q 'CA:TRUE, pathlen:0'",
                file_in("domain-ca.pem")));
    CHECK(shell("openssl x509 -noout -text -in %s | grep -A1 'Key Usage: critical' | "
                "grep -q 'Certificate Sign, CRL Sign'",
                file_in("domain-ca.pem")));
    CHECK(shell("openssl x509 -noout -text -in %s | grep -A1 'Extended Key Usage' | "
                "grep -q 'TLS Web Server Authentication'",
                file_in("domain-leaf.pem")));

    struct tls_identity *identity = load("domain-leaf.pem", "domain-key.pem");
    CHECK(identity != NULL);
    if (!identity)
        return;
    CHECK(tls_identity_covers(identity, "example.org"));
    CHECK(tls_identity_covers(identity, "EXAMPLE.org"));
    CHECK(tls_identity_covers(identity, "channels.example.org"));
    CHECK(!tls_identity_covers(identity, "a.b.example.org"));
    CHECK(!tls_identity_covers(identity, ".example.org"));
    CHECK(!tls_identity_covers(identity, "org"));
    CHECK(!tls_identity_covers(identity, ""));
    CHECK(!tls_identity_covers(identity, "192.0.2.1"));
    CHECK(tls_identity_days_left(identity, plat_wall_us()) == 823);
    CHECK(tls_identity_days_left(identity, plat_wall_us() + 824 * DAY_US) == -1);
    tls_identity_drop(identity);
}

static void check_addresses(void)
{
    static const char *const addresses[] = {"192.0.2.7", "2001:db8::7", "198.51.100.7"};
    static const char *const written[] = {"192.0.2.7", "[2001:db8::7]"};
    for (int i = 0; i < 2; i++) {
        const char *set = i ? "six" : "four";
        char leaf[32];
        char key[32];
        CHECK(make(written[i], set, plat_wall_us()));
        CHECK(openssl_verifies(set, "-verify_ip", addresses[i]));
        CHECK(!openssl_verifies(set, "-verify_ip", addresses[i + 1]));
        snprintf(leaf, sizeof(leaf), "%s-leaf.pem", set);
        snprintf(key, sizeof(key), "%s-key.pem", set);
        struct tls_identity *identity = load(leaf, key);
        CHECK(identity && tls_identity_covers(identity, addresses[i]));
        CHECK(identity && tls_identity_covers(identity, written[i]));
        CHECK(identity && !tls_identity_covers(identity, addresses[i + 1]));
        CHECK(identity && !tls_identity_covers(identity, "example.org"));
        if (identity)
            tls_identity_drop(identity);
    }
}

static void check_long_domain(void)
{
    char domain[254];
    for (size_t i = 0; i < sizeof(domain) - 1; i++)
        domain[i] = i % 50 == 49 ? '.' : (char)('a' + i % 26);
    domain[sizeof(domain) - 1] = '\0';
    CHECK(make(domain, "long", plat_wall_us()));
    CHECK(openssl_verifies("long", "-verify_hostname", domain));
    CHECK(!make("x,O=bank", "bad", plat_wall_us()) && strstr(why, "x,O=bank"));
    CHECK(!make("", "bad", plat_wall_us()));
    CHECK(mode_of("bad-ca.pem") == 0);
}

/* A router that starts in 1970 makes a certificate that is good today. */
static void check_clock(void)
{
    CHECK(make("example.org", "clock", 0));
    CHECK(openssl_verifies("clock", "-verify_hostname", "example.org -attime 1767225600"));
    CHECK(openssl_verifies("clock", "-verify_hostname", "example.org -attime 1830000000"));
    struct tls_identity *identity = load("clock-leaf.pem", "clock-key.pem");
    CHECK(identity && tls_identity_days_left(identity, (uint64_t)1767225600 * 1000000) == 824);
    if (identity)
        tls_identity_drop(identity);
}

/* What is there is used again; a leaf of our CA is renewed with its key; half a pair is mended
 * where that is safe. */
static void check_again(void)
{
    CHECK(make("example.org", "again", plat_wall_us()));
    CHECK(shell("cd %s && cat again-*.pem > all", peer_directory));
    CHECK(make("example.org", "again", plat_wall_us()));
    CHECK(shell("cd %s && cat again-*.pem | cmp -s - all", peer_directory));

    CHECK(make("example.org", "again", plat_wall_us() + 800 * DAY_US));
    CHECK(!shell("cd %s && cat again-*.pem | cmp -s - all", peer_directory));
    struct tls_identity *identity = load("again-leaf.pem", "again-key.pem");
    CHECK(identity && tls_identity_days_left(identity, plat_wall_us()) == 1623);
    if (identity)
        tls_identity_drop(identity);

    CHECK(shell("cd %s && cp again-ca.pem ca-was && cp again-key.pem key-was", peer_directory));
    CHECK(make("example.net", "again", plat_wall_us()));
    CHECK(openssl_verifies("again", "-verify_hostname", "example.net"));
    CHECK(shell("cd %s && cmp -s again-key.pem key-was", peer_directory));
    CHECK(make("example.org", "again", plat_wall_us()));

    CHECK(shell("cd %s && rm again-leaf.pem", peer_directory));
    CHECK(make("example.org", "again", plat_wall_us()));
    CHECK(openssl_verifies("again", "-verify_hostname", "example.org"));
    CHECK(shell("cd %s && cmp -s again-ca.pem ca-was", peer_directory));
    CHECK(shell("rm %s", file_in("again-ca-key.pem"))); /* put away by a careful person */
    CHECK(make("example.org", "again", plat_wall_us()));
    CHECK(shell("rm %s", file_in("again-key.pem")));
    CHECK(!make("example.org", "again", plat_wall_us()) && strstr(why, "again-key.pem is not"));
    CHECK(shell("rm %s", file_in("again-leaf.pem")));
    CHECK(!make("example.org", "again", plat_wall_us()) && strstr(why, "again-ca-key.pem is not"));
    CHECK(!make("example.org", "no-such-directory/x", plat_wall_us()));
    CHECK(strstr(why, "cannot write") && strstr(why, "No such file"));
}

static void check_refusals(void)
{
    CHECK(make("example.org", "one", plat_wall_us()) && make("example.org", "two", plat_wall_us()));
    CHECK(!load("absent.pem", "one-key.pem"));
    CHECK(strstr(why, "cannot read") && strstr(why, "absent.pem: No such file"));
    CHECK(!load("one-leaf.pem", "absent.pem") && strstr(why, "absent.pem: No such file"));
    CHECK(!load("one-leaf.pem", "two-key.pem") && strstr(why, "does not belong"));
    CHECK(!load("one-key.pem", "one-key.pem") && strstr(why, "not a chain of PEM certificates"));
    CHECK(!load("one-leaf.pem", "one-leaf.pem") && strstr(why, "no private key"));
    CHECK(shell("openssl pkey -in %s -aes128 -passout pass:x -out %s", file_in("one-key.pem"),
                file_in("locked.pem")));
    CHECK(!load("one-leaf.pem", "locked.pem") && strstr(why, "password"));
    CHECK(shell(": > %s", file_in("empty.pem")));
    CHECK(!load("empty.pem", "one-key.pem") && strstr(why, "empty"));
    CHECK(shell("cd %s && cat one-leaf.pem > chain.pem && for i in $(seq 40); do cat one-ca.pem; "
                "done >> chain.pem",
                peer_directory));
    CHECK(!load("chain.pem", "one-key.pem") && strstr(why, "leave out the root"));

    /* All places held, then free again. */
    struct tls_identity *held[8];
    int count = 0;
    while (count < 8 && (held[count] = load("one-leaf.pem", "one-key.pem")) != NULL)
        count++;
    CHECK(count == 4 && strstr(why, "restart"));
    while (count > 0)
        tls_identity_drop(held[--count]);
    struct tls_identity *identity = load("one-leaf.pem", "one-key.pem");
    CHECK(identity != NULL);
    if (identity)
        tls_identity_drop(identity);
}

/* Every allocation in turn fails: an answer, no crash, no leak, and the files are whole. */
static void check_allocations(void)
{
    struct heap_use use;
    heap_usage(&use);
    size_t used = use.used;
    bool loaded = false;
    int n = 1;
    if (use.bytes == 0)
        return; /* a sanitizer's build */
    for (; n < 20000 && !loaded; n++) {
        peer_arena.used = 0;
        heap_fail_at((uint64_t)n);
        struct tls_identity *identity = load("one-leaf.pem", "one-key.pem");
        heap_fail_at(0);
        loaded = identity != NULL;
        CHECK(loaded || why);
        if (identity)
            tls_identity_drop(identity);
        heap_usage(&use);
        CHECK(use.used == used);
    }
    printf("%d allocations to load an identity\n", n - 2);
    CHECK(loaded && n > 20);
}

int main(void)
{
    CHECK(tls_boot());
    CHECK(peer_world());
    check_domain();
    check_addresses();
    check_long_domain();
    check_clock();
    check_again();
    check_refusals();
    check_allocations();
    peer_world_end();
    return test_end();
}
