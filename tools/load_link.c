/* load_link.c: one non-blocking connection, plain or TLS. Every link_send is one TLS record and one
 * send(). Certificates are not checked: this measures, it does not trust.
 * Compiles with mbedTLS 2.28 and 3.6. A handshake is a full one, unless the link's owner keeps a
 * ticket. */
#include "load.h"

#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif

#define SCRATCH_BYTES 65536
#define EVENTS_MAX 256

static int poller;
static struct sockaddr_storage address;
static socklen_t address_len;
static mbedtls_ssl_config tls;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_state;
static int suites[2];

/* What the last recv() brought. One for all: mbedTLS takes all of it before it asks for more. */
static char scratch[SCRATCH_BYTES];
static size_t scratch_len;
static size_t scratch_used;

static void tls_versions(void)
{
    bool only_13 = options.tls && strcmp(options.tls, "1.3") == 0;
    bool only_12 = options.tls && strcmp(options.tls, "1.2") == 0;
    if (options.tls && !only_12 && !only_13)
        fail("--tls is 1.2 or 1.3");
        /* As clients do; mbedTLS 2.28 alone would ask for the slowest curve first. */
#if MBEDTLS_VERSION_MAJOR >= 3
    static const uint16_t groups[] = {
        MBEDTLS_SSL_IANA_TLS_GROUP_X25519, MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
        MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
    mbedtls_ssl_conf_groups(&tls, groups);
    mbedtls_ssl_conf_min_tls_version(&tls, only_13 ? MBEDTLS_SSL_VERSION_TLS1_3
                                                   : MBEDTLS_SSL_VERSION_TLS1_2);
    if (only_12)
        mbedtls_ssl_conf_max_tls_version(&tls, MBEDTLS_SSL_VERSION_TLS1_2);
#else
    static const mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_CURVE25519,
                                                  MBEDTLS_ECP_DP_SECP256R1,
                                                  MBEDTLS_ECP_DP_SECP384R1, MBEDTLS_ECP_DP_NONE};
    mbedtls_ssl_conf_curves(&tls, curves);
    if (only_13)
        fail("this mbedTLS speaks no TLS 1.3");
    mbedtls_ssl_conf_min_version(&tls, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

static void tls_setup(void)
{
    static const char *protocols[] = {"xmpp-client", NULL};
    mbedtls_ssl_config_init(&tls);
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random_state);
    if (mbedtls_ctr_drbg_seed(&random_state, mbedtls_entropy_func, &entropy, NULL, 0) != 0)
        fail("no randomness");
#if MBEDTLS_VERSION_MAJOR >= 3
    if (psa_crypto_init() != PSA_SUCCESS)
        fail("psa_crypto_init failed");
#endif
    if (mbedtls_ssl_config_defaults(&tls, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0)
        fail("mbedtls_ssl_config_defaults failed");
    mbedtls_ssl_conf_authmode(&tls, MBEDTLS_SSL_VERIFY_NONE);
    mbedtls_ssl_conf_rng(&tls, mbedtls_ctr_drbg_random, &random_state);
    tls_versions();
    if (options.direct_tls && mbedtls_ssl_conf_alpn_protocols(&tls, protocols) != 0)
        fail("mbedtls_ssl_conf_alpn_protocols failed");
    if (options.suite) {
        suites[0] = mbedtls_ssl_get_ciphersuite_id(options.suite);
        if (suites[0] == 0)
            fail("unknown suite %s", options.suite);
        mbedtls_ssl_conf_ciphersuites(&tls, suites);
    }
}

static bool address_is_loopback(void)
{
    if (address.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;
    return address.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

void link_setup(void)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int code = getaddrinfo(options.host, options.port, &hints, &found);
    if (code != 0)
        fail("%s: %s", options.host, gai_strerror(code));
    memcpy(&address, found->ai_addr, found->ai_addrlen);
    address_len = found->ai_addrlen;
    freeaddrinfo(found);
    /* Passwords would go over the wire. */
    if (options.plaintext && !address_is_loopback())
        fail("without TLS only to this machine");
    tls_setup();
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        fail("epoll_create1: %s", strerror(errno));
}

static void link_watch(struct link *link, int operation, bool write)
{
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = link};
    link->waits_to_write = write;
    if (epoll_ctl(poller, operation, link->fd, &event) != 0)
        fail("epoll_ctl: %s", strerror(errno));
}

void link_open(struct link *link)
{
    int yes = 1;
    link->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        fail("socket: %s", strerror(errno));
    if (setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0)
        fail("TCP_NODELAY: %s", strerror(errno));
    link->connecting = true;
    link->handshaking = link->secure = false;
    link->output_len = 0;
    if (connect(link->fd, (struct sockaddr *)&address, address_len) != 0 && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    link_watch(link, EPOLL_CTL_ADD, true);
}

void link_close(struct link *link)
{
    if (link->fd < 0)
        return;
    if (link->secure || link->handshaking)
        mbedtls_ssl_free(&link->ssl);
    link->secure = link->handshaking = false;
    close(link->fd);
    link->fd = -1;
    free(link->output);
    link->output = NULL;
    link->output_len = link->output_size = 0;
}

static void link_lost(struct link *link, const char *why)
{
    link_close(link);
    link->event(link, LINK_CLOSED, why, strlen(why));
}

/* Sends what is kept; false: the connection broke (seen again at the next read). */
static bool link_flush(struct link *link)
{
    size_t sent = 0;
    while (sent < link->output_len) {
        ssize_t n = send(link->fd, link->output + sent, link->output_len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n < 0)
            break;
        sent += (size_t)n;
    }
    memmove(link->output, link->output + sent, link->output_len - sent);
    link->output_len -= sent;
    if (link->waits_to_write != (link->output_len > 0))
        link_watch(link, EPOLL_CTL_MOD, link->output_len > 0);
    return true;
}

static void link_keep(struct link *link, const char *bytes, size_t len)
{
    if (link->output_len + len > link->output_size) {
        link->output_size = 2 * (link->output_len + len);
        link->output = realloc(link->output, link->output_size);
        if (!link->output)
            fail("out of memory");
    }
    memcpy(link->output + link->output_len, bytes, len);
    link->output_len += len;
}

static int tls_send(void *context, const unsigned char *bytes, size_t len)
{
    link_keep(context, (const char *)bytes, len);
    return (int)len;
}

static int tls_receive(void *context, unsigned char *bytes, size_t size)
{
    (void)context;
    size_t len = scratch_len - scratch_used;
    if (len == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    if (len > size)
        len = size;
    memcpy(bytes, scratch + scratch_used, len);
    scratch_used += len;
    return (int)len;
}

static void link_handshake(struct link *link)
{
    char why[160];
    int code = mbedtls_ssl_handshake(&link->ssl);
    if (!link_flush(link) || (code != 0 && code != MBEDTLS_ERR_SSL_WANT_READ)) {
        mbedtls_strerror(code, why, sizeof(why));
        link_lost(link, why);
    } else if (code == 0) {
        link->handshaking = false;
        link->secure = true;
        if (link->ticket && !link->has_ticket)
            link->has_ticket = mbedtls_ssl_get_session(&link->ssl, link->ticket) == 0;
        link->event(link, LINK_SECURE, NULL, 0);
    }
}

void link_secure(struct link *link)
{
    mbedtls_ssl_init(&link->ssl);
    if (mbedtls_ssl_setup(&link->ssl, &tls) != 0 ||
        mbedtls_ssl_set_hostname(&link->ssl, options.domain) != 0)
        fail("mbedtls_ssl_setup: out of memory");
    if (link->has_ticket && mbedtls_ssl_set_session(&link->ssl, link->ticket) != 0)
        fail("mbedtls_ssl_set_session: out of memory");
    mbedtls_ssl_set_bio(&link->ssl, link, tls_send, tls_receive, NULL);
    link->handshaking = true;
    link->flights = 0;
    scratch_used = scratch_len; /* what came before TLS was handled */
    link_handshake(link);
}

void link_send(struct link *link, const char *bytes, size_t len)
{
    if (link->fd < 0)
        return;
    if (link->secure) {
        /* tls_send keeps everything, so that a write is never cut short below a record. */
        int written = mbedtls_ssl_write(&link->ssl, (const unsigned char *)bytes, len);
        if (written != (int)len)
            fail("mbedtls_ssl_write: -0x%x of %zu bytes", (unsigned)-written, len);
    } else {
        link_keep(link, bytes, len);
    }
    (void)link_flush(link);
}

const char *link_suite(const struct link *link)
{
    return mbedtls_ssl_get_ciphersuite(&link->ssl);
}

const char *link_version(const struct link *link)
{
    return mbedtls_ssl_get_version(&link->ssl);
}

static void link_read_tls(struct link *link)
{
    static unsigned char plain[16384];
    while (link->fd >= 0 && link->secure) {
        int n = mbedtls_ssl_read(&link->ssl, plain, sizeof(plain));
        if (n > 0) {
            link->records++;
            link->event(link, LINK_BYTES, (const char *)plain, (size_t)n);
            continue;
        }
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
        if (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
            continue;
#endif
        if (n == MBEDTLS_ERR_SSL_WANT_READ)
            return;
        char why[160] = "closed by the server";
        if (n != 0 && n != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
            mbedtls_strerror(n, why, sizeof(why));
        link_lost(link, why);
        return;
    }
}

static void link_read(struct link *link)
{
    ssize_t n = recv(link->fd, scratch, sizeof(scratch), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        link_lost(link, n == 0 ? "closed by the server" : strerror(errno));
        return;
    }
    scratch_len = (size_t)n;
    scratch_used = 0;
    if (link->handshaking) {
        link->flights++;
        link_handshake(link);
    }
    if (link->fd < 0)
        return;
    if (link->secure) {
        link_read_tls(link);
    } else if (!link->handshaking) {
        link->records++;
        link->event(link, LINK_BYTES, scratch, scratch_len);
    }
}

static void link_connected(struct link *link)
{
    int code = 0;
    socklen_t len = sizeof(code);
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0 || code != 0) {
        link_lost(link, strerror(code ? code : errno));
        return;
    }
    link->connecting = false;
    link_watch(link, EPOLL_CTL_MOD, false);
    link->event(link, LINK_OPEN, NULL, 0);
}

void links_step(int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(poller, events, EVENTS_MAX, timeout_ms);
    if (count < 0 && errno != EINTR)
        fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        struct link *link = events[i].data.ptr;
        if (link->fd < 0)
            continue;
        if (link->connecting) {
            link_connected(link);
            continue;
        }
        if (events[i].events & EPOLLOUT)
            (void)link_flush(link);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            link_read(link);
    }
}

void links_settle(double seconds)
{
    uint64_t until = now_ns() + (uint64_t)(seconds * 1e9);
    for (uint64_t now; (now = now_ns()) < until;)
        links_step((int)((until - now) / 1000000) + 1);
}
