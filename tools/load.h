/* load.h: what the files of the load generator share. One process, one epoll, nothing pinned.
 * link moves and encrypts bytes, splitter finds stanzas, scram proves the password, session
 * negotiates, friends subscribe to each other, the modes (login, idle, chat, roster, presence,
 * register) drive sessions, meter looks at the server's process. */
#ifndef KITH_LOAD_H
#define KITH_LOAD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <mbedtls/md.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    const char *mode;
    const char *host;
    const char *port;
    const char *domain;
    const char *user;      /* %u stands for the number of the account */
    const char *password;  /* the same */
    const char *mechanism; /* NULL: the strongest that both sides know */
    const char *tls;       /* "1.2", "1.3"; NULL: what both sides know */
    const char *suite;     /* mbedTLS's name; NULL: what both sides know */
    bool direct_tls;
    bool plaintext;
    bool floor; /* the other side is tools/floor */
    unsigned count;
    unsigned concurrency;
    unsigned users;
    unsigned first; /* number of the first account */
    unsigned seconds;
    unsigned pairs;
    unsigned window;
    double rate; /* messages per second over all pairs; 0: as fast as the windows allow */
    unsigned messages;
    unsigned warmup;
    unsigned body_bytes;
    unsigned linger;       /* chat: seconds after the last message */
    unsigned people;       /* presence */
    unsigned contacts;     /* of each of them; login: how many are online */
    unsigned items;        /* of a roster */
    unsigned answer_bytes; /* roster, with tools/floor: what the server's answer was like */
    unsigned answer_records;
    bool roster; /* idle: every session asks for its roster */
    bool logins; /* register: logins meanwhile */
    unsigned timeout_seconds;
    int server_pid;
};

extern struct options options;

/* Ends the program with a line on standard error. */
_Noreturn __attribute__((format(printf, 1, 2))) void fail(const char *format, ...);
void *take(size_t size); /* calloc that cannot fail */
uint64_t now_ns(void);

/* ---- load_link.c: one connection ---- */

enum link_event { LINK_OPEN, LINK_SECURE, LINK_BYTES, LINK_CLOSED };

struct link {
    int fd; /* -1: closed */
    bool connecting;
    bool handshaking;
    bool secure;
    bool waits_to_write;
    unsigned records; /* that came with data; without TLS: what recv() brought */
    mbedtls_ssl_context ssl;
    mbedtls_ssl_session *ticket; /* NULL: none is kept */
    bool has_ticket;
    unsigned flights; /* of the server's in the handshake; one: it was resumed (RFC 5077) */
    char *output;     /* what the socket did not take yet */
    size_t output_len;
    size_t output_size;
    void (*event)(struct link *link, enum link_event event, const char *bytes, size_t len);
};

void link_setup(void); /* resolves the address, makes the TLS configuration */
void link_open(struct link *link);
void link_secure(struct link *link);
void link_send(struct link *link, const char *bytes, size_t len); /* one TLS record */
void link_close(struct link *link);
const char *link_suite(const struct link *link);
const char *link_version(const struct link *link);
void links_step(int timeout_ms);   /* waits once and handles what came */
void links_settle(double seconds); /* handles what comes meanwhile */

/* ---- load_xml.c: where stanzas end, and the few questions asked of them ---- */

struct splitter {
    int depth; /* 1: inside the stream, between stanzas */
    int state;
    char quote;
    char last;      /* the byte before, inside a tag */
    bool closing;   /* the tag began with </ */
    size_t scanned; /* bytes of the buffer that were looked at */
};

enum piece { PIECE_NONE, PIECE_HEADER, PIECE_STANZA, PIECE_CLOSE, PIECE_BROKEN };

/* Looks on at bytes (from where the last call stopped); *len is what the piece takes, from the
 * start of bytes, white space before it included. */
enum piece splitter_next(struct splitter *splitter, const char *bytes, size_t bytes_len,
                         size_t *len);
bool xml_is(const char *stanza, size_t len, const char *name);
bool xml_has(const char *stanza, size_t len, const char *text);
/* How often the text stands there. */
unsigned xml_count(const char *stanza, size_t len, const char *text);
/* The value of an attribute of the first tag, or of the text in the first <name>; "" if absent. */
void xml_attribute(const char *stanza, size_t len, const char *name, char *out, size_t size);
void xml_text(const char *stanza, size_t len, const char *name, char *out, size_t size);

/* ---- load_scram.c: RFC 5802, RFC 7677, RFC 4616, the client's half ---- */

struct scram {
    mbedtls_md_type_t digest;
    char first_bare[160];
    char nonce[33];
    unsigned char server_signature[32];
};

/* Answers are base64, as they go into <auth/> and <response/>. */
void plain_initial(const char *user, const char *password, char *out, size_t size);
void scram_initial(struct scram *scram, mbedtls_md_type_t digest, const char *user, char *out,
                   size_t size);
/* account: under which number the salted password is kept for the next login. */
bool scram_final(struct scram *scram, unsigned account, const char *password, const char *challenge,
                 char *out, size_t size);
bool scram_verify(const struct scram *scram, const char *success);
/* XEP-0484, HT-SHA-256-NONE. */
void fast_initial(const char *user, const char *token, char *out, size_t size);

/* ---- load_session.c: from the socket to an available resource ---- */

enum session_state {
    SESSION_CLOSED,
    SESSION_STARTS,
    SESSION_BINDS,
    SESSION_BOUND,
    SESSION_READY,
    SESSION_FAILED
};

struct session {
    struct link link;
    enum session_state state;
    bool authenticated;
    bool wants_presence;
    bool registers;      /* is ready when it could log in */
    struct guest *guest; /* logs in by XEP-0388 (load_resume.c); NULL: by RFC 6120 */
    bool legacy_session; /* the features asked for RFC 3921's session request */
    unsigned account;
    unsigned pair; /* with tools/floor: which pair, or UNPAIRED */
    void *owner;
    uint64_t started_ns;
    char user[64];
    char password[64];
    char jid[128];
    struct scram scram;
    struct splitter splitter;
    char *input;
    size_t input_len;
    size_t input_size;
};

#define UNPAIRED UINT32_MAX

/* What the mode in charge wants to hear: of stanzas, once the session is ready, all but requests.
 * A failed session has said why on standard error. */
struct mode {
    void (*ready)(struct session *session);
    void (*stanza)(struct session *session, const char *stanza, size_t len);
    void (*lost)(struct session *session);
};

extern const struct mode *mode;

void session_open(struct session *session, unsigned account, unsigned pair, bool presence);
void session_close(struct session *session); /* politely */
/* At most 700 bytes, one TLS record. */
__attribute__((format(printf, 2, 3))) void session_say(struct session *session, const char *format,
                                                       ...);
/* Logs in sessions 0..count-1, at most `concurrency` at once; false when the time is over. */
bool sessions_gather(struct session *sessions, unsigned count, unsigned pairs, uint64_t until_ns);

/* ---- load_resume.c: logging in with one element (XEP-0388) ---- */

void guest_begin(struct session *session, const char *features, size_t len);
void guest_challenge(struct session *session, const char *stanza, size_t len);
/* false: the server does not prove itself, or gives less than was asked for. */
bool guest_success(struct session *session, const char *stanza, size_t len);

/* ---- load_meter.c: the server seen from outside, and numbers for people ---- */

struct usage {
    double total_us; /* user and system, all threads, from schedstat */
    double user_us;  /* coarse split, from stat */
    double system_us;
    double waited_us; /* for a processor, while others ran; 0 where the kernel does not count */
    double written;   /* bytes to files, as pages; where no disk is behind them, as they are */
};

void usage_read(int pid, struct usage *usage);
void usage_self(struct usage *usage);
bool memory_read(int pid, double *rss_kb, double *anonymous_kb);
/* One line: name, value, unit; tools/bench reads it back. */
void report(const char *name, double value, const char *unit);
void report_usage(const char *per, const struct usage *from, const struct usage *to, double count);
/* Sorts the samples; prints median, 90 %, 99 % and the worst. */
void report_spread(const char *name, double *samples, size_t count, const char *unit);

/* ---- load_friends.c: mutual subscriptions, by the protocol's own means ---- */

/* Those of the ready sessions 0..count-1 that are to be joined subscribe to each other, unless
 * their rosters say that they have. false: the time is over. */
bool friends_make(struct session *sessions, unsigned count, bool (*joined)(unsigned a, unsigned b),
                  uint64_t until_ns);

/* ---- load_chat.c, for load_register.c: pairs that chat at --rate ---- */

bool chat_start(uint64_t until_ns); /* false: not all could log in */
void chat_step(void);               /* sends what is due; waits once, at most a millisecond */
void chat_forget(void);             /* the delays so far */
void chat_report_spread(const char *name);
bool chat_end(void); /* what is still on its way arrives; whether nothing was lost */

/* ---- load_login.c, load_contacts.c, load_chat.c, load_roster.c, load_presence.c ---- */

int login_run(void);
int idle_run(void);
int contacts_run(void); /* login --contacts */
int chat_run(void);
int roster_run(void);
int presence_run(void);
int register_run(void); /* load_register.c */
int archive_run(void);  /* load_archive.c */
int channel_run(void);  /* load_channel.c */
int resume_run(void);   /* load_resume.c */
int asleep_run(void);   /* load_resume.c */

#endif
