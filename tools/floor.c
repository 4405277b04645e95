/* floor.c: the floor the server is measured against: a relay that moves and encrypts the same
 * bytes. Fair: same TLS library, the suite the client asks for, TCP_NODELAY, level-triggered epoll;
 * a wake-up is one recv(), each TLS record in is one record and one send() out. No parsing, no
 * store, one thread. First line: "pair N" (two are joined), "group N" (so many: what one says goes
 * to all, to itself too) or "alone"; the answer is "go". */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

#define PAIRS_MAX 65536
#define KEPT_MAX (1 << 20) /* bytes a slow reader may leave with us */
#define EVENTS_MAX 256

enum state { HANDSHAKES, INTRODUCES, WAITS, RELAYS };

struct peer {
    int fd;
    enum state state;
    struct peer *other; /* of a group: the next one, in a ring */
    bool grouped;
    uint32_t pair;
    char *kept; /* what the socket did not take */
    size_t kept_len;
    mbedtls_ssl_context ssl;
};

static int poller;
static bool secure;
static mbedtls_ssl_config tls;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_state;
static mbedtls_x509_crt certificate;
static mbedtls_pk_context key;
static struct peer *waiting[PAIRS_MAX];
static struct peer *group; /* that is not complete yet: a ring */
static unsigned group_count;

/* What one recv() brought; mbedTLS takes all of it before it asks for more, so one serves all. */
static unsigned char arrived[20000];
static size_t arrived_len;
static size_t arrived_used;
static unsigned char record[16384];

_Noreturn __attribute__((format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("floor: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static void peer_watch(struct peer *peer, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | (peer->kept_len > 0 ? EPOLLOUT : 0),
                                .data.ptr = peer};
    if (epoll_ctl(poller, operation, peer->fd, &event) != 0)
        fail("epoll_ctl: %s", strerror(errno));
}

/* Only marks: events of this round may still point here. peers_bury() frees. */
static struct peer *dead;

static void peer_close(struct peer *peer)
{
    struct peer *other = peer->other;
    if (peer->fd < 0)
        return;
    close(peer->fd);
    peer->fd = -1;
    if (peer->grouped && peer->state == WAITS)
        fail("a group was left before it was complete");
    if (peer->state == WAITS && waiting[peer->pair] == peer)
        waiting[peer->pair] = NULL;
    peer->other = dead;
    dead = peer;
    /* A group goes together, round the ring: this one is closed already. */
    if (peer->state == RELAYS && other)
        peer_close(other);
}

static void peers_bury(void)
{
    while (dead) {
        struct peer *peer = dead;
        dead = peer->other;
        if (secure)
            mbedtls_ssl_free(&peer->ssl);
        free(peer->kept);
        free(peer);
    }
}

/* The usual way is one send() that takes everything. */
static int socket_send(void *context, const unsigned char *bytes, size_t len)
{
    struct peer *peer = context;
    ssize_t sent = 0;
    if (peer->kept_len == 0) {
        sent = send(peer->fd, bytes, len, MSG_NOSIGNAL);
        if (sent == (ssize_t)len)
            return (int)len;
        if (sent < 0 && errno != EAGAIN)
            return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
        if (sent < 0)
            sent = 0;
    }
    size_t rest = len - (size_t)sent;
    if (peer->kept_len + rest > KEPT_MAX)
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    if (!peer->kept)
        peer->kept = malloc(KEPT_MAX);
    if (!peer->kept)
        fail("out of memory");
    memcpy(peer->kept + peer->kept_len, bytes + sent, rest);
    peer->kept_len += rest;
    peer_watch(peer, EPOLL_CTL_MOD);
    return (int)len;
}

static int socket_receive(void *context, unsigned char *bytes, size_t size)
{
    (void)context;
    size_t len = arrived_len - arrived_used;
    if (len == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    if (len > size)
        len = size;
    memcpy(bytes, arrived + arrived_used, len);
    arrived_used += len;
    return (int)len;
}

static void peer_flush(struct peer *peer)
{
    ssize_t sent = send(peer->fd, peer->kept, peer->kept_len, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        peer_close(peer);
        return;
    }
    if (sent < 0)
        return;
    peer->kept_len -= (size_t)sent;
    memmove(peer->kept, peer->kept + sent, peer->kept_len);
    if (peer->kept_len == 0)
        peer_watch(peer, EPOLL_CTL_MOD);
}

static bool peer_send(struct peer *peer, const unsigned char *bytes, size_t len)
{
    int sent = secure ? mbedtls_ssl_write(&peer->ssl, bytes, len) : socket_send(peer, bytes, len);
    return sent == (int)len;
}

static bool peer_go(struct peer *peer)
{
    return peer_send(peer, (const unsigned char *)"go\n", 3);
}

/* All of a ring, this one last. */
static bool ring_send(struct peer *peer, const unsigned char *bytes, size_t len)
{
    struct peer *at = peer;
    do {
        at = at->other;
        if (!peer_send(at, bytes, len))
            return false;
    } while (at != peer);
    return true;
}

static bool peer_join(struct peer *peer, unsigned count)
{
    peer->grouped = true;
    peer->state = WAITS;
    peer->other = group ? group->other : peer;
    if (group)
        group->other = peer;
    group = peer;
    if (++group_count < count)
        return true;
    group = NULL;
    group_count = 0;
    for (struct peer *at = peer->other; at != peer; at = at->other)
        at->state = RELAYS;
    peer->state = RELAYS;
    return ring_send(peer, (const unsigned char *)"go\n", 3);
}

/* The first line. Clients wait for the answer, so it arrives whole and alone. */
static bool peer_introduce(struct peer *peer, const unsigned char *bytes, size_t len)
{
    char line[32];
    if (len == 0 || len >= sizeof(line) || bytes[len - 1] != '\n')
        return false;
    memcpy(line, bytes, len);
    line[len - 1] = '\0';
    if (strcmp(line, "alone") == 0) {
        peer->state = RELAYS;
        return peer_go(peer);
    }
    unsigned pair, count;
    if (sscanf(line, "group %u", &count) == 1 && count > 1)
        return peer_join(peer, count);
    if (sscanf(line, "pair %u", &pair) != 1 || pair >= PAIRS_MAX)
        return false;
    peer->pair = pair;
    peer->state = WAITS;
    struct peer *other = waiting[pair];
    waiting[pair] = other ? NULL : peer;
    if (!other)
        return true;
    peer->state = other->state = RELAYS;
    peer->other = other;
    other->other = peer;
    return peer_go(peer) && peer_go(other);
}

static bool peer_bytes(struct peer *peer, const unsigned char *bytes, size_t len)
{
    if (peer->grouped)
        return peer->state == RELAYS && ring_send(peer, bytes, len);
    if (peer->state == RELAYS)
        return peer->other && peer_send(peer->other, bytes, len);
    return peer->state == INTRODUCES && peer_introduce(peer, bytes, len);
}

static bool peer_records(struct peer *peer)
{
    if (peer->state == HANDSHAKES) {
        int code = mbedtls_ssl_handshake(&peer->ssl);
        if (code != 0)
            return code == MBEDTLS_ERR_SSL_WANT_READ;
        peer->state = INTRODUCES;
    }
    while (peer->fd >= 0) {
        int n = mbedtls_ssl_read(&peer->ssl, record, sizeof(record));
        if (n == MBEDTLS_ERR_SSL_WANT_READ)
            return true;
        if (n <= 0 || !peer_bytes(peer, record, (size_t)n))
            return false;
    }
    return true;
}

static void peer_read(struct peer *peer)
{
    ssize_t n = recv(peer->fd, arrived, sizeof(arrived), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    arrived_len = n > 0 ? (size_t)n : 0;
    arrived_used = 0;
    if (n <= 0 || !(secure ? peer_records(peer) : peer_bytes(peer, arrived, arrived_len)))
        peer_close(peer);
}

static void peer_accept(int listener)
{
    int yes = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct peer *peer = calloc(1, sizeof(*peer));
    if (!peer || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0)
        fail("a connection could not be set up");
    peer->fd = fd;
    peer->state = secure ? HANDSHAKES : INTRODUCES;
    if (secure) {
        mbedtls_ssl_init(&peer->ssl);
        if (mbedtls_ssl_setup(&peer->ssl, &tls) != 0)
            fail("mbedtls_ssl_setup: out of memory");
        mbedtls_ssl_set_bio(&peer->ssl, peer, socket_send, socket_receive, NULL);
    }
    peer_watch(peer, EPOLL_CTL_ADD);
}

static void tls_setup(const char *certificate_file, const char *key_file)
{
    int code;
    mbedtls_ssl_config_init(&tls);
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random_state);
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&key);
#if MBEDTLS_VERSION_MAJOR >= 3
    if (psa_crypto_init() != PSA_SUCCESS)
        fail("psa_crypto_init failed");
#endif
    if (mbedtls_ctr_drbg_seed(&random_state, mbedtls_entropy_func, &entropy, NULL, 0) != 0)
        fail("no randomness");
#if MBEDTLS_VERSION_MAJOR >= 3
    code = mbedtls_pk_parse_keyfile(&key, key_file, NULL, mbedtls_ctr_drbg_random, &random_state);
#else
    code = mbedtls_pk_parse_keyfile(&key, key_file, NULL);
#endif
    if (code != 0 || mbedtls_x509_crt_parse_file(&certificate, certificate_file) != 0)
        fail("%s, %s: no certificate and key", certificate_file, key_file);
    if (mbedtls_ssl_config_defaults(&tls, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0 ||
        mbedtls_ssl_conf_own_cert(&tls, &certificate, &key) != 0)
        fail("TLS could not be set up");
    mbedtls_ssl_conf_rng(&tls, mbedtls_ctr_drbg_random, &random_state);
    /* mbedTLS 2.28 alone would take the slowest curve first. */
#if MBEDTLS_VERSION_MAJOR >= 3
    static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
                                      MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
                                      MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
    mbedtls_ssl_conf_groups(&tls, groups);
    mbedtls_ssl_conf_min_tls_version(&tls, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    static const mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_CURVE25519,
                                                  MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE};
    mbedtls_ssl_conf_curves(&tls, curves);
    mbedtls_ssl_conf_min_version(&tls, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

static int listen_on(unsigned port)
{
    int yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1024) != 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) != 0)
        fail("port %u: %s", port, strerror(errno));
    return listener;
}

static void relay(int listener)
{
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS_MAX, -1);
        if (count < 0 && errno != EINTR)
            fail("epoll_wait: %s", strerror(errno));
        for (int i = 0; i < count; i++) {
            struct peer *peer = events[i].data.ptr;
            if (!peer)
                peer_accept(listener);
            if (peer && peer->fd >= 0 && (events[i].events & EPOLLOUT))
                peer_flush(peer);
            if (peer && peer->fd >= 0 && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                peer_read(peer);
        }
        peers_bury();
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"plain", 0, NULL, 'n'}, {"tls", 0, NULL, 't'},
                                            {"cert", 1, NULL, 'c'},  {"key", 1, NULL, 'k'},
                                            {"port", 1, NULL, 'p'},  {0}};
    const char *certificate_file = NULL, *key_file = NULL;
    unsigned long port = 0;
    bool plain = false;
    for (int code; (code = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        plain |= code == 'n';
        secure |= code == 't';
        if (code == 'c')
            certificate_file = optarg;
        if (code == 'k')
            key_file = optarg;
        if (code == 'p')
            port = strtoul(optarg, NULL, 10);
    }
    if (plain == secure || port == 0 || port > 65535 || (secure && !(certificate_file && key_file)))
        fail("usage: floor --port PORT --plain | --tls --cert FILE --key FILE (on 127.0.0.1)");
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (secure)
        tls_setup(certificate_file, key_file);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        fail("epoll_create1: %s", strerror(errno));
    int listener = listen_on((unsigned)port);
    fputs("floor: listening\n", stderr);
    relay(listener);
}
