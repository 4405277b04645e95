/* config_keys.c: every key of kith.conf, its default, its check and its texts, in one table. */
#include "config_keys.h"

#include <arpa/inet.h>
#include <stddef.h>

#include "base/settings.h"
#include "wire/jid.h"
#include "wire/precis.h"

static bool set_text(void *field, struct span value)
{
    if (value.len >= CONFIG_TEXT_MAX || span_find(value, '\0') != value.len)
        return false;
    memcpy(field, value.bytes, value.len);
    ((char *)field)[value.len] = '\0';
    return true;
}

/* A line that clients show. */
static bool set_sentence(void *field, struct span value)
{
    struct precis_text text;
    if (!precis_read(value, &text))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t point = text.points[i];
        if (point < ' ' || (point >= 0x7f && point < 0xa0) || point == 0xfffe || point == 0xffff)
            return false;
    }
    return set_text(field, value);
}

static bool set_domain(void *field, struct span value)
{
    char room[1024];
    struct arena arena;
    struct span prepared;
    arena_init(&arena, room, sizeof room);
    return jid_prepare_domain(value, &arena, &prepared) && set_text(field, prepared);
}

static bool set_bytes(void *field, struct span value)
{
    return settings_bytes(value, field) && *(uint64_t *)field != 0;
}

static bool set_yes(void *field, struct span value)
{
    *(bool *)field = span_is(value, "yes");
    return *(bool *)field || span_is(value, "no");
}

static bool set_everyone(void *field, struct span value)
{
    *(bool *)field = span_is(value, "everyone");
    return *(bool *)field || span_is(value, "admins");
}

static bool set_durability(void *field, struct span value)
{
    *(bool *)field = span_is(value, "relaxed");
    return *(bool *)field || span_is(value, "strict");
}

static bool set_plaintext(void *field, struct span value)
{
    *(bool *)field = span_is(value, "loopback");
    return *(bool *)field || span_is(value, "no");
}

/* The place of a word in a list that ends with NULL. */
static bool word_find(const char *const *words, struct span value, unsigned *place)
{
    for (*place = 0; words[*place] != NULL; ++*place)
        if (span_is(value, words[*place]))
            return true;
    return false;
}

static bool set_registration(void *field, struct span value)
{
    static const char *const words[] = {[REGISTRATION_CLOSED] = "closed",
                                        [REGISTRATION_INVITE] = "invite",
                                        [REGISTRATION_OPEN] = "open",
                                        [REGISTRATION_REDIRECT] = "redirect",
                                        NULL};
    unsigned place;
    bool found = word_find(words, value, &place);
    *(enum registration *)field = (enum registration)place;
    return found;
}

static bool set_verify(void *field, struct span value)
{
    static const char *const words[] = {
        [VERIFY_NONE] = "none",   [VERIFY_ADMIN] = "admin",   [VERIFY_EMAIL] = "email",
        [VERIFY_PHONE] = "phone", [VERIFY_EITHER] = "either", NULL};
    unsigned place;
    bool found = word_find(words, value, &place);
    *(enum verify *)field = (enum verify)place;
    return found;
}

static bool set_next_stage(void *field, struct span value)
{
    static const char *const words[] = {[NEXT_STAGE_AUTO] = "auto",
                                        [NEXT_STAGE_RESULT] = "result",
                                        [NEXT_STAGE_ERROR] = "error",
                                        NULL};
    unsigned place;
    bool found = word_find(words, value, &place);
    *(enum next_stage *)field = (enum next_stage)place;
    return found;
}

/* A number from 1 to a thousand. */
static bool set_count(void *field, struct span value)
{
    return settings_number(value, field, 1, 1000);
}

/* MT-11: a number with s, m, h or d behind; a minute to ten years. */
static bool set_lifetime(void *field, struct span value)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    uint64_t number;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (value.len > 1 && value.bytes[value.len - 1] == units[i].unit &&
            span_number(span_cut(value, 0, value.len - 1), UINT32_MAX, &number)) {
            *(uint64_t *)field = number * units[i].seconds;
            return number * units[i].seconds >= 60 && number * units[i].seconds <= 315360000;
        }
    return false;
}

/* Names with commas or spaces between them; kept with one space around each. */
static bool set_names(void *field, struct span value)
{
    char *out = field;
    size_t used = 0;
    if (value.len + 2 > CONFIG_NAMES_MAX)
        return false;
    out[used++] = ' ';
    for (size_t i = 0; i < value.len; i++) {
        char byte = value.bytes[i] == ',' ? ' ' : value.bytes[i];
        if (byte != ' ' || out[used - 1] != ' ')
            out[used++] = byte;
    }
    if (out[used - 1] != ' ')
        out[used++] = ' ';
    out[used] = '\0';
    return true;
}

/* At most ten hours: see struct segment. */
/* Messages that wait for an account, as many as a profile may have. */
static bool set_messages(void *field, struct span value)
{
    return settings_number(value, field, 1, 100000);
}

static bool set_seconds(void *field, struct span value)
{
    return settings_number(value, field, 0, 36000);
}

static bool set_iterations(void *field, struct span value)
{
    return settings_number(value, field, 4096, 1000000);
}

/* "127.0.0.1:5222" or "[::1]:5222". */
static bool read_address(struct span text, struct config_address *out)
{
    unsigned char binary[16];
    uint64_t port;
    size_t colon = text.len;
    while (colon > 0 && text.bytes[colon - 1] != ':')
        colon--;
    if (colon < 2 || !span_number(span_cut(text, colon, text.len), 65535, &port) || port == 0)
        return false;
    struct span host = span_cut(text, 0, colon - 1);
    bool bracketed = span_starts(host, "[") && host.bytes[host.len - 1] == ']';
    if (bracketed)
        host = span_cut(host, 1, host.len - 1);
    if (host.len >= sizeof out->address)
        return false;
    memcpy(out->address, host.bytes, host.len);
    out->address[host.len] = '\0';
    out->port = (uint16_t)port;
    return inet_pton(bracketed ? AF_INET6 : AF_INET, out->address, binary) == 1;
}

/* Addresses with commas between them, or `none`; adds to those of earlier lines. */
static bool read_addresses(struct config_address *list, unsigned *count, struct span value)
{
    if (span_is(value, "none"))
        return *count == 0;
    while (value.len > 0) {
        size_t comma = span_find(value, ',');
        struct span one = span_cut(value, 0, comma);
        while (one.len > 0 && one.bytes[0] == ' ')
            one = span_cut(one, 1, one.len);
        while (one.len > 0 && one.bytes[one.len - 1] == ' ')
            one.len--;
        if (*count == CONFIG_LISTEN_MAX || !read_address(one, &list[*count]))
            return false;
        (*count)++;
        value = span_cut(value, comma + 1, value.len);
    }
    return true;
}

static bool set_listen(void *field, struct span value)
{
    return read_addresses(field, &config.listen_count, value);
}

static bool set_listen_tls(void *field, struct span value)
{
    return read_addresses(field, &config.listen_tls_count, value);
}

/* A scheme, then anything but spaces and what is not ASCII. */
static bool is_uri(struct span text)
{
    size_t scheme = span_find(text, ':');
    for (size_t i = 0; i < text.len; i++)
        if (text.bytes[i] <= ' ' || text.bytes[i] > '~')
            return false;
    return scheme > 0 && scheme + 1 < text.len;
}

/* REG-24: clients open nothing else. */
static bool set_url(void *field, struct span value)
{
    return span_starts(value, "https://") && is_uri(value) && set_text(field, value);
}

/* One URI on a line; lines add up. */
static bool set_contact(void *field, struct span value)
{
    (void)field;
    return config.contact_count < CONFIG_CONTACT_MAX && is_uri(value) &&
           set_text(config.contact[config.contact_count++], value);
}

#define ADDRESSES "up to 8 of ADDRESS:PORT or [ADDRESS]:PORT with commas between, or none"
#define FIELD(name) offsetof(struct config, name)

const struct key config_keys[] = {
    {{"domain", "localhost", "a domain name such as chat.example or chat.lan",
      "what stands behind the @ of every address here"},
     set_domain,
     FIELD(domain),
     false},
    {{"data", "data", "a directory", "where the store, the keys and the control socket are kept"},
     set_text,
     FIELD(data),
     false},
    {{"listen", "0.0.0.0:5222, [::]:5222", ADDRESSES, "ports for clients (STARTTLS)"},
     set_listen,
     FIELD(listen),
     true},
    {{"listen_tls", "0.0.0.0:5223, [::]:5223", ADDRESSES, "ports for clients (TLS at once)"},
     set_listen_tls,
     FIELD(listen_tls),
     true},
    {{"certificate", "", "a PEM file, leaf first; needs `key`",
      "certificate chain; without it, one is made in `data` and signed by a CA made there"},
     set_text,
     FIELD(certificate),
     false},
    {{"key", "", "a PEM file; needs `certificate`", "private key of the certificate"},
     set_text,
     FIELD(key),
     false},
    {{"profile", "sbc-64m", "router-8m, router-16m, sbc-64m or a file",
      "how memory is shared out, see `kith plan`"},
     set_text,
     FIELD(profile),
     false},
    {{"memory", "", "bytes, with K, M or G behind",
      "all memory; without it, what the profile says"},
     set_bytes,
     FIELD(memory),
     false},
    {{"control", "", "a path of at most 100 bytes",
      "socket by which the command line reaches the server; without it, `control` in `data`"},
     set_text,
     FIELD(control),
     false},
    {{"contact", "", "a URI such as mailto:me@chat.example; up to 4 lines",
      "where people may write about abuse and all else; clients can show it"},
     set_contact,
     FIELD(contact),
     true},
    {{"registration", "invite", "closed, invite, open or redirect",
      "who may make an account from a client: nobody, who has an invitation, everybody; redirect "
      "shows registration_url instead"},
     set_registration,
     FIELD(registration),
     false},
    {{"registration_url", "", "an https:// address",
      "a page that helps with registration; clients open it"},
     set_url,
     FIELD(registration_url),
     false},
    {{"verify", "none", "none, admin, email, phone or either",
      "who must agree to an account, or what address of its owner is tried with a code"},
     set_verify,
     FIELD(verify),
     false},
    {{"verify_strict", "no", "yes or no", "whether the first form already requires that address"},
     set_yes,
     FIELD(verify_strict),
     false},
    {{"verify_invited", "no", "yes or no", "whether people with an invitation are verified too"},
     set_yes,
     FIELD(verify_invited),
     false},
    {{"verify_command", "", "a command line",
      "sends a code: standard input gets three lines, `email` or `phone`, the address, the code; "
      "without it, e-mail goes through sendmail"},
     set_text,
     FIELD(verify_command),
     false},
    {{"captcha_question", "", "a line of text; needs `captcha_answer`",
      "asked of everybody who registers without an invitation"},
     set_sentence,
     FIELD(captcha_question),
     false},
    {{"captcha_answer", "", "a line of text; needs `captcha_question`",
      "what must be answered; capital or small letters do not matter"},
     set_sentence,
     FIELD(captcha_answer),
     false},
    {{"next_stage", "auto", "auto, result or error",
      "how clients are told that registration goes on; auto looks at the client"},
     set_next_stage,
     FIELD(next_stage),
     false},
    {{"allow_no_username", "no", "yes or no",
      "whether the verified address becomes the name where none is given"},
     set_yes,
     FIELD(allow_no_username),
     false},
    {{"registrations_per_hour", "3", "a number from 1 to 1000",
      "accounts that may be made from one network address in an hour"},
     set_count,
     FIELD(registrations_per_hour),
     false},
    {{"reserved_names",
      "abuse, admin, administrator, help, hostmaster, info, mail, noc, postmaster, root, security, "
      "support, webmaster, xmpp",
      "names with commas between", "names that nobody gets from a client"},
     set_names,
     FIELD(reserved_names),
     false},
    {{"password_length", "6", "a number from 1 to 1000",
      "characters that a password chosen in a client has at least"},
     set_count,
     FIELD(password_length),
     false},
    {{"password_change", "yes", "yes or no", "whether people change their passwords from a client"},
     set_yes,
     FIELD(password_change),
     false},
    {{"account_removal", "yes", "yes or no", "whether people delete their accounts from a client"},
     set_yes,
     FIELD(account_removal),
     false},
    {{"invites_per_account", "20", "a number from 1 to 1000",
      "invitations of one person that are open at once"},
     set_count,
     FIELD(invites_per_account),
     false},
    {{"invite_lifetime", "7d", "a number with s, m, h or d behind, at least a minute",
      "how long an invitation is good"},
     set_lifetime,
     FIELD(invite_lifetime),
     false},
    {{"invite_mutual", "yes", "yes or no",
      "whether who opens a friend's invitation agrees to be that friend's contact too"},
     set_yes,
     FIELD(invite_mutual),
     false},
    {{"mix_domain", "", "a domain name; without it, `mix.` before `domain`",
      "where the channels are: what stands behind the @ of a room for several people"},
     set_domain,
     FIELD(mix_domain),
     false},
    {{"channel_create", "everyone", "everyone or admins", "who may make a channel from a client"},
     set_everyone,
     FIELD(channel_create_all),
     false},
    {{"channels", "50", "a number from 1 to 1000", "channels there may be at once"},
     set_count,
     FIELD(channels),
     false},
    {{"participants_per_channel", "200", "a number from 1 to 1000",
      "accounts in one channel, at most as many as the profile has"},
     set_count,
     FIELD(participants_per_channel),
     false},
    {{"archive", "yes", "yes or no", "whether messages are kept for all devices of an account"},
     set_yes,
     FIELD(archive),
     false},
    {{"archive_days", "365", "a number from 1 to 1000", "days that a message is kept, at most"},
     set_count,
     FIELD(archive_days),
     false},
    {{"offline_messages", "", "a number from 1 to 100000",
      "messages that wait for one account, at most as many as the profile has; without it, so "
      "many"},
     set_messages,
     FIELD(offline_messages),
     false},
    {{"durability", "strict", "strict or relaxed",
      "whether the archive's copies are written at soon, or together every ten seconds"},
     set_durability,
     FIELD(relaxed),
     false},
    {{"sasl_plain", "yes", "yes or no", "whether PLAIN is offered, under TLS and after SCRAM"},
     set_yes,
     FIELD(sasl_plain),
     false},
    {{"allow_plaintext", "no", "no or loopback",
      "whether clients of this very machine may log in without TLS"},
     set_plaintext,
     FIELD(plaintext_on_loopback),
     false},
    {{"rate_limits", "yes", "yes or no",
      "whether one client's bytes per second are limited, and one address's registrations"},
     set_yes,
     FIELD(rate_limits),
     false},
    {{"resume_seconds", "300", "a number from 0 to 36000",
      "how long a client whose connection is lost may take to come back as if nothing had "
      "happened"},
     set_seconds,
     FIELD(resume_seconds),
     false},
    {{"sasl_iterations", "10000", "a number from 4096 to 1000000",
      "work that a password guess costs, and a login on the client"},
     set_iterations,
     FIELD(sasl_iterations),
     false},
};

const size_t config_key_count = sizeof config_keys / sizeof config_keys[0];
